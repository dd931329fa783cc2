//! What crosses the boundary: rows in either precision, operators, measures and estimates.

use ndarray::Array2;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArray3, PyReadonlyArray1, PyReadonlyArray2, PyReadonlyArray3, ToPyArray,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::data::input::Metric;
use crate::data::neighbors::Symmetrize;
use crate::kernel::gaussian::Bandwidth;
use crate::measure::estimated_spectrum::{Request, Storage};
use crate::measure::spectrum::{Measure, OperatorSpec, Precision};
use crate::operator::chunk_pair::GlobalScaling;
use crate::slq::adaptive::Options;
use crate::slq::estimate::{About, Estimate};

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
            $crate::python::specs::Rows::Double(rows) => {
                let $x = rows.as_array();
                $value
            }
            $crate::python::specs::Rows::Single(rows) => {
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
pub struct PyOperator(pub OperatorSpec);

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
        Ok(Self(OperatorSpec::Diffusion { bandwidth: bandwidth.into(), alpha, precision }))
    }

    /// The affinity itself.
    #[staticmethod]
    fn affinity(bandwidth: PyBandwidth<'_>) -> Self {
        Self(OperatorSpec::Affinity { bandwidth: bandwidth.into() })
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
        Ok(Self(OperatorSpec::NeighborGraph { n_neighbors, symmetrize }))
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

/// What is asked of an estimate.
#[pyclass(name = "Request", module = "dsentropy._core", frozen)]
pub struct PyRequest(pub Request);

#[pymethods]
impl PyRequest {
    #[new]
    fn new(
        tol: f64,
        times: Vec<f64>,
        orders: Vec<f64>,
        max_products: usize,
        seed: u64,
        storage: &str,
        memory_limit: Option<u64>,
    ) -> PyResult<Self> {
        let storage = match storage {
            "auto" => Storage::Auto,
            "dense" => Storage::Dense,
            "tiled" => Storage::Tiled,
            _ => return Err(PyValueError::new_err("storage must be 'auto', 'dense' or 'tiled'")),
        };
        let options = Options { tol, times, orders, max_products, exact_products: None, seed };
        Ok(Self(Request { options, storage, memory_limit }))
    }
}

/// What all parts of a data set have in common.
#[pyclass(name = "Frame", module = "dsentropy._core", frozen)]
pub struct PyFrame(pub GlobalScaling);

#[pymethods]
impl PyFrame {
    #[new]
    fn new(mean: PyReadonlyArray1<'_, f64>, largest: f64, bandwidth: f64, single: bool) -> Self {
        Self(GlobalScaling { mean: mean.as_array().to_owned(), largest, bandwidth, single })
    }

    /// What it is made of, so that it can be sent elsewhere.
    fn __getnewargs__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyArray1<f64>>, f64, f64, bool) {
        let GlobalScaling { mean, largest, bandwidth, single } = &self.0;
        (mean.to_pyarray(py), *largest, *bandwidth, *single)
    }
}

/// Rows of a part, and vectors of them.
#[derive(FromPyObject)]
pub struct PyPart<'py>(pub Rows<'py>, pub PyReadonlyArray2<'py, f64>);

/// Evaluates an expression on two parts, in the precision that their rows have.
macro_rules! on_parts {
    ($one:expr, $other:expr, ($a:ident, $b:ident) => $value:expr) => {{
        use $crate::python::specs::{PyPart, Rows};
        let PyPart(rows, vectors) = &$one;
        match (rows, &$other) {
            (Rows::Double(rows), None) => {
                let $a = $crate::Chunk { rows: rows.as_array(), vectors: vectors.as_array() };
                let $b = None;
                $value
            }
            (Rows::Single(rows), None) => {
                let $a = $crate::Chunk { rows: rows.as_array(), vectors: vectors.as_array() };
                let $b = None;
                $value
            }
            (Rows::Double(rows), Some(PyPart(Rows::Double(others), of_others))) => {
                let $a = $crate::Chunk { rows: rows.as_array(), vectors: vectors.as_array() };
                let $b = Some($crate::Chunk { rows: others.as_array(), vectors: of_others.as_array() });
                $value
            }
            (Rows::Single(rows), Some(PyPart(Rows::Single(others), of_others))) => {
                let $a = $crate::Chunk { rows: rows.as_array(), vectors: vectors.as_array() };
                let $b = Some($crate::Chunk { rows: others.as_array(), vectors: of_others.as_array() });
                $value
            }
            _ => Err(::pyo3::exceptions::PyTypeError::new_err("parts must have one dtype")),
        }
    }};
}
pub(crate) use on_parts;

/// An estimated spectrum.
#[pyclass(name = "Estimate", module = "dsentropy._core", frozen)]
pub struct PyEstimate(pub Estimate);

type AboutFields = (usize, bool, usize, f64, f64, usize, usize, f64);
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

    /// What it says of its operator and of how it was made: the number of eigenvalues, whether none is negative, the
    /// products with a vector, the part of the trace below which nothing is known, the relative error of entries,
    /// the degrees up to which the rules of the deflated part and of the probes are exact, the largest modulus that there
    /// may be.
    fn about(&self) -> AboutFields {
        let About { dim, positive, products, rounding, error, degrees, largest } = self.0.about();
        (dim, positive, products, rounding, error, degrees[0], degrees[1], largest)
    }

    /// The smallest and the largest node.
    fn range(&self) -> (f64, f64) {
        self.0.range()
    }

    /// All that it is, as arrays.
    fn to_arrays<'py>(&self, py: Python<'py>) -> State<'py> {
        let (known, deflated, probes) = self.0.to_arrays();
        (known, deflated.into_pyarray(py), probes.into_pyarray(py))
    }

    /// What `to_arrays` gave away.
    #[staticmethod]
    fn from_arrays(
        about: AboutFields,
        known: Vec<f64>,
        deflated: PyReadonlyArray2<'_, f64>,
        probes: PyReadonlyArray3<'_, f64>,
    ) -> PyResult<Self> {
        let (dim, positive, products, rounding, error, of_deflated, of_probes, largest) = about;
        let degrees = [of_deflated, of_probes];
        let about = About { dim, positive, products, rounding, error, degrees, largest };
        Ok(Self(Estimate::from_arrays(about, known, deflated.as_array(), probes.as_array())?))
    }
}
