//! What crosses the boundary: rows in either precision, operators and measures, and the call itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use numpy::{IntoPyArray, PyArray2, PyArray3, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::Result;
use crate::input::Metric;
use crate::kernel::Bandwidth;
use crate::measure::{Measure, Operator, Precision};
use crate::neighbors::Symmetrize;
use crate::parallel::{self, Job};
use crate::stochastic::Estimate;

/// The rows of a data set, in the precision that they have.
#[derive(FromPyObject)]
pub enum Rows<'py> {
    Double(PyReadonlyArray2<'py, f64>),
    Single(PyReadonlyArray2<'py, f32>),
}

/// Evaluates an expression on the rows' view, whichever precision they have.
macro_rules! on_rows {
    ($rows:expr, $x:ident => $value:expr) => {
        match &$rows {
            $crate::python::convert::Rows::Double(rows) => {
                let $x = rows.as_array();
                $value
            }
            $crate::python::convert::Rows::Single(rows) => {
                let $x = rows.as_array();
                $value
            }
        }
    };
}
pub(crate) use on_rows;

/// One number, or one a row.
#[derive(FromPyObject)]
pub enum PyBandwidth<'py> {
    Adaptive(PyReadonlyArray1<'py, f64>),
    Fixed(f64),
}

impl From<PyBandwidth<'_>> for Bandwidth {
    fn from(bandwidth: PyBandwidth) -> Self {
        match bandwidth {
            PyBandwidth::Adaptive(sigmas) => Self::Adaptive(sigmas.as_array().to_vec()),
            PyBandwidth::Fixed(sigma) => Self::Fixed(sigma),
        }
    }
}

/// A matrix built on a data set.
#[pyclass(name = "Operator", module = "dsentropy._core", frozen)]
pub struct PyOperator(pub Operator);

#[pymethods]
impl PyOperator {
    /// The symmetric diffusion operator, in "single" or "double" precision or the "fastest".
    #[staticmethod]
    fn diffusion(bandwidth: PyBandwidth<'_>, alpha: f64, precision: &str) -> PyResult<Self> {
        let precision = match precision {
            "single" => Precision::Single,
            "double" => Precision::Double,
            "fastest" => Precision::Fastest,
            _ => return Err(PyValueError::new_err("precision must be 'single', 'double' or 'fastest'")),
        };
        Ok(Self(Operator::Diffusion { bandwidth: bandwidth.into(), alpha, precision }))
    }

    /// The affinity itself.
    #[staticmethod]
    fn affinity(bandwidth: PyBandwidth<'_>) -> Self {
        Self(Operator::Affinity { bandwidth: bandwidth.into() })
    }

    /// The graph of nearest neighbours, the row itself counted; made symmetric by "union", "mutual" or "mean".
    #[staticmethod]
    fn neighbor_graph(n_neighbors: usize, symmetrize: Option<&str>) -> PyResult<Self> {
        let symmetrize = match symmetrize {
            None => None,
            Some("union") => Some(Symmetrize::Union),
            Some("mutual") => Some(Symmetrize::Mutual),
            Some("mean") => Some(Symmetrize::Mean),
            Some(_) => return Err(PyValueError::new_err("symmetrize must be 'union', 'mutual', 'mean' or None")),
        };
        Ok(Self(Operator::NeighborGraph { n_neighbors, symmetrize }))
    }
}

/// What the entries of a matrix are, by name.
pub struct PyMetric(pub Metric);

impl FromPyObject<'_, '_> for PyMetric {
    type Error = PyErr;

    fn extract(name: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        match name.extract::<&str>()? {
            "euclidean" => Ok(Self(Metric::Euclidean)),
            "precomputed" => Ok(Self(Metric::Precomputed)),
            "affinity" => Ok(Self(Metric::Affinity)),
            _ => Err(PyValueError::new_err("metric must be 'euclidean', 'precomputed' or 'affinity'")),
        }
    }
}

/// An entropy of the rows of a data set that is not read off a spectrum.
#[pyclass(name = "Measure", module = "dsentropy._core", frozen)]
pub struct PyMeasure(pub Measure);

#[pymethods]
impl PyMeasure {
    /// Of the entries of the row-normalised diffusion operator.
    #[staticmethod]
    fn matrix_entries(bandwidth: f64) -> Self {
        Self(Measure::MatrixEntries { bandwidth })
    }

    /// Of binned rows.
    #[staticmethod]
    fn binned_rows(n_bins: usize) -> Self {
        Self(Measure::BinnedRows { n_bins })
    }
}

/// An estimated spectrum.
#[pyclass(name = "Estimate", module = "dsentropy._core", frozen)]
pub struct PyEstimate(pub Estimate);

type Matrix<'py> = Bound<'py, PyArray2<f64>>;
type State<'py> = (Vec<f64>, Matrix<'py>, Bound<'py, PyArray3<f64>>);

#[pymethods]
impl PyEstimate {
    /// Entropies in bits, standard errors, and the lower and upper ends of the brackets: each [times, orders].
    fn read<'py>(&self, py: Python<'py>, times: Vec<f64>, orders: Vec<f64>) -> [Matrix<'py>; 4] {
        let readings = Array2::from_shape_fn((times.len(), orders.len()), |(i, j)| self.0.read(times[i], orders[j]));
        [
            readings.mapv(|reading| reading.value).into_pyarray(py),
            readings.mapv(|reading| reading.standard_error).into_pyarray(py),
            readings.mapv(|reading| reading.lower).into_pyarray(py),
            readings.mapv(|reading| reading.upper).into_pyarray(py),
        ]
    }

    /// The number of eigenvalues.
    #[getter]
    fn dim(&self) -> usize {
        self.0.dim()
    }

    /// Products of the operator with a vector.
    #[getter]
    fn products(&self) -> usize {
        self.0.products()
    }

    /// The part of the trace below which nothing is known, and the relative error of the operator's entries.
    #[getter]
    fn rounding(&self) -> [f64; 2] {
        self.0.rounding()
    }

    /// All that it is, as arrays.
    fn to_arrays<'py>(&self, py: Python<'py>) -> State<'py> {
        let (known, deflated, probes) = self.0.to_arrays();
        (known, deflated.into_pyarray(py), probes.into_pyarray(py))
    }

    /// What `to_arrays` gave away.
    #[staticmethod]
    fn from_arrays(
        dim: usize,
        products: usize,
        rounding: [f64; 2],
        known: Vec<f64>,
        deflated: PyReadonlyArray2<'_, f64>,
        probes: PyReadonlyArray3<'_, f64>,
    ) -> PyResult<Self> {
        Ok(Self(Estimate::from_arrays(dim, products, rounding, known, deflated.as_array(), probes.as_array())?))
    }
}

/// Runs `work` without the interpreter, and looks for signals (Ctrl-C) while it runs.
pub fn compute<T: Send>(
    py: Python<'_>,
    num_threads: Option<usize>,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> PyResult<T> {
    compute_and_tell(py, num_threads, None, |job, _| work(job))
}

/// The same, where `work` says what it has done, and `progress` is told how much that is: how many times it said so.
pub fn compute_and_tell<T: Send>(
    py: Python<'_>,
    num_threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Job, &(dyn Fn() + Sync)) -> Result<T> + Send,
) -> PyResult<T> {
    let threads = num_threads.unwrap_or_else(parallel::default_threads);
    // Signals are the main thread's; another one that attached to ask could meet the interpreter's end.
    let threading = py.import("threading")?;
    let main_thread = threading.call_method0("main_thread")?.getattr("ident")?;
    let on_main_thread = main_thread.eq(threading.call_method0("get_ident")?)?;
    let done = AtomicUsize::new(0);
    let mut told = 0;
    let mut tell = |py: Python| -> PyResult<()> {
        let done = done.load(Ordering::Relaxed);
        if let Some(progress) = progress.as_ref().filter(|_| done > told) {
            told = done;
            progress.call1(py, (done,))?;
        }
        Ok(())
    };
    let mut raised: Option<PyErr> = None;
    let result = py.detach(|| {
        let interrupted = || {
            if on_main_thread && raised.is_none() {
                raised = Python::attach(|py| py.check_signals().and_then(|()| tell(py))).err();
            }
            raised.is_some()
        };
        let say = || {
            done.fetch_add(1, Ordering::Relaxed);
        };
        parallel::run(threads, interrupted, |job| work(job, &say))
    });
    match (result, raised) {
        // A signal's exception wins, even where the result was ready at the same moment.
        (_, Some(raised)) => Err(raised),
        (result, None) => {
            let value = result?;
            tell(py)?;
            Ok(value)
        }
    }
}
