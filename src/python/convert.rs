//! What crosses the boundary: rows in either precision, operators and measures, and the call itself.

use numpy::PyReadonlyArray2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::Result;
use crate::measure::{Measure, Operator, Precision};
use crate::parallel::{self, Job};

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

/// A matrix built on the rows of a data set.
#[pyclass(name = "Operator", module = "dsentropy._core", frozen)]
pub struct PyOperator(pub Operator);

#[pymethods]
impl PyOperator {
    /// The symmetric diffusion operator of a Gaussian affinity, in "single" or "double" precision or the "fastest".
    #[staticmethod]
    fn diffusion(bandwidth: f64, precision: &str) -> PyResult<Self> {
        let precision = match precision {
            "single" => Precision::Single,
            "double" => Precision::Double,
            "fastest" => Precision::Fastest,
            _ => return Err(PyValueError::new_err("precision must be 'single', 'double' or 'fastest'")),
        };
        Ok(Self(Operator::Diffusion { bandwidth, precision }))
    }

    /// The Gaussian affinity itself.
    #[staticmethod]
    fn affinity(bandwidth: f64) -> Self {
        Self(Operator::Affinity { bandwidth })
    }

    /// The graph of nearest neighbours, the row itself counted.
    #[staticmethod]
    fn neighbor_graph(n_neighbors: usize) -> Self {
        Self(Operator::NeighborGraph { n_neighbors })
    }
}

/// An entropy of the rows of a data set.
#[pyclass(name = "Measure", module = "dsentropy._core", frozen)]
pub struct PyMeasure(pub Measure);

#[pymethods]
impl PyMeasure {
    /// Of the eigenvalues of an operator, raised to the power t.
    #[staticmethod]
    fn spectral(operator: &PyOperator, t: f64) -> Self {
        Self(Measure::Spectral { operator: operator.0, t })
    }

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

/// Runs `work` without the interpreter, and looks for signals (Ctrl-C) while it runs.
pub fn compute<T: Send>(
    py: Python<'_>,
    num_threads: Option<usize>,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> PyResult<T> {
    let threads = num_threads.unwrap_or_else(parallel::default_threads);
    // Signals are the main thread's; another one that attached to ask could meet the interpreter's end.
    let threading = py.import("threading")?;
    let main_thread = threading.call_method0("main_thread")?.getattr("ident")?;
    let on_main_thread = main_thread.eq(threading.call_method0("get_ident")?)?;
    let mut raised: Option<PyErr> = None;
    let result = py.detach(|| {
        #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general in its lifetime")]
        let interrupted = || {
            if on_main_thread && raised.is_none() {
                raised = Python::attach(|py| py.check_signals()).err();
            }
            raised.is_some()
        };
        parallel::run(threads, interrupted, work)
    });
    match (result, raised) {
        // A signal's exception wins, even where the result was ready at the same moment.
        (_, Some(raised)) => Err(raised),
        (result, None) => Ok(result?),
    }
}
