//! Eigenvalues by the exact solver: of one operator, of several on the same rows, of one on each subset of the rows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::data::input::{Input, Metric};
use crate::error::Error;
use crate::measure::median_kernel::MedianOperator;
use crate::measure::operator_matrix::OperatorMatrix;
use crate::measure::spectrum::Precision;
use crate::python::call::{compute, compute_with_progress};
use crate::python::callbacks::{AnyOperator, OpenOperator, with_operator};
use crate::python::rows::{Rows, Subsets, on_rows, row_numbers};
use crate::python::specs::{Choice, PyOperatorSpec};

/// One number for each eigenvalue.
pub type Vector<'py> = Bound<'py, PyArray1<f64>>;

/// The moduli of an operator's eigenvalues, in no particular order.
#[pyfunction]
#[pyo3(signature = (x, metric, operator, num_threads=None))]
pub fn eigenvalues<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    metric: Choice<Metric>,
    operator: &PyOperatorSpec,
    num_threads: Option<usize>,
) -> PyResult<Vector<'py>> {
    let operator = &operator.0;
    let values = on_rows!(x, matrix => compute(py, num_threads, |job| {
        operator.eigenvalues(Input { metric: metric.0, matrix }, job)
    }));
    Ok(values?.into_pyarray(py))
}

/// The moduli of the eigenvalues of each of several operators on the same data.
///
/// `progress(done, nan)` is called with the number of operators that are done.
#[pyfunction]
#[pyo3(signature = (x, metric, operators, *, progress=None, num_threads=None))]
pub fn sweep_eigenvalues<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    metric: Choice<Metric>,
    operators: Vec<PyRef<'py, PyOperatorSpec>>,
    progress: Option<Py<PyAny>>,
    num_threads: Option<usize>,
) -> PyResult<Vec<Vector<'py>>> {
    let operators: Vec<_> = operators.iter().map(|operator| operator.0.clone()).collect();
    let values = on_rows!(x, matrix => compute_with_progress(py, num_threads, progress, |job, counter| {
        crate::sweep_eigenvalues(Input { metric: metric.0, matrix }, &operators, &|| counter.advance(), job)
    }));
    Ok(values?.into_iter().map(|values| values.into_pyarray(py)).collect())
}

/// An operator as a matrix, until its eigenvalues are computed.
#[pyclass(name = "OperatorMatrix", module = "dsentropy._core", frozen)]
pub struct PyOperatorMatrix(Mutex<Option<OperatorMatrix>>);

impl From<OperatorMatrix> for PyOperatorMatrix {
    fn from(matrix: OperatorMatrix) -> Self {
        Self(Mutex::new(Some(matrix)))
    }
}

impl PyOperatorMatrix {
    fn slot(&self) -> MutexGuard<'_, Option<OperatorMatrix>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyOperatorMatrix {
    /// The operator of a kernel.
    #[staticmethod]
    #[pyo3(signature = (x, metric, operator, num_threads=None))]
    fn of(
        py: Python<'_>,
        x: Rows<'_>,
        metric: Choice<Metric>,
        operator: &PyOperatorSpec,
        num_threads: Option<usize>,
    ) -> PyResult<Self> {
        let operator = &operator.0;
        let matrix = on_rows!(x, matrix => compute(py, num_threads, |job| {
            operator.matrix(Input { metric: metric.0, matrix }, job)
        }));
        Ok(matrix?.into())
    }

    /// The diffusion operator of rows, with the median of their distances as the bandwidth.
    #[staticmethod]
    #[pyo3(signature = (x, alpha, precision, num_threads=None))]
    fn at_median(
        py: Python<'_>,
        x: Rows<'_>,
        alpha: f64,
        precision: Choice<Precision>,
        num_threads: Option<usize>,
    ) -> PyResult<Self> {
        let operator = MedianOperator { alpha, precision: precision.0 };
        let matrix = on_rows!(x, rows => compute(py, num_threads, |job| operator.matrix(rows, job)));
        Ok(matrix?.into())
    }
}

/// The moduli of the eigenvalues of each of several matrices, which are used up.
#[pyfunction]
#[pyo3(signature = (matrices, num_threads=None))]
pub fn matrix_eigenvalues<'py>(
    py: Python<'py>,
    matrices: Vec<PyRef<'py, PyOperatorMatrix>>,
    num_threads: Option<usize>,
) -> PyResult<Vec<Vector<'py>>> {
    let taken: Vec<_> = matrices.iter().map(|matrix| matrix.slot().take()).collect();
    if taken.iter().any(Option::is_none) {
        for (matrix, taken) in matrices.iter().zip(taken).filter(|(_, taken)| taken.is_some()) {
            *matrix.slot() = taken;
        }
        return Err(PyValueError::new_err("matrices must be ones of which no eigenvalues were computed, each once"));
    }
    let matrices = taken.into_iter().flatten().collect();
    let values = compute(py, num_threads, |job| crate::eigenvalues_of_matrices(matrices, job))?;
    Ok(values.into_iter().map(|values| values.into_pyarray(py)).collect())
}

/// The moduli of the eigenvalues of an operator on each subset of the rows.
///
/// `progress(done, nan)` is called with the number of subsets that are done.
#[pyfunction]
#[pyo3(signature = (x, metric, subsets, operator, *, progress=None, num_threads=None))]
pub fn subset_eigenvalues<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    metric: Choice<Metric>,
    subsets: Subsets<'py>,
    operator: &PyOperatorSpec,
    progress: Option<Py<PyAny>>,
    num_threads: Option<usize>,
) -> PyResult<Vec<Vector<'py>>> {
    let (operator, subsets) = (&operator.0, row_numbers(&subsets));
    let values = on_rows!(x, matrix => compute_with_progress(py, num_threads, progress, |job, counter| {
        crate::subset_eigenvalues(
            Input { metric: metric.0, matrix }, &subsets, operator, &|| counter.advance(), job,
        )
    }));
    Ok(values?.into_iter().map(|values| values.into_pyarray(py)).collect())
}

/// The eigenvalues of a sparse or a callback operator, ascending, from its products with the identity matrix.
#[pyfunction]
#[pyo3(signature = (operator, num_threads=None))]
pub fn operator_eigenvalues<'py>(
    py: Python<'py>,
    operator: AnyOperator<'py>,
    num_threads: Option<usize>,
) -> PyResult<Vector<'py>> {
    let values = with_operator(&operator, |operator| {
        compute(py, num_threads, |job| match operator {
            OpenOperator::Sparse(sparse) => crate::operator_eigenvalues(*sparse, job),
            OpenOperator::Callback(callback) => {
                callback.with_normalized(job, |operator| crate::operator_eigenvalues(operator, job))
            }
            OpenOperator::Affinity(_) => {
                Err(Error::invalid("operator", "a sparse or a callback operator", "an affinity"))
            }
        })
    });
    Ok(values?.into_pyarray(py))
}

/// The eigenvalues of a symmetric matrix, ascending; only its diagonal and what is above it are read.
#[pyfunction]
#[pyo3(signature = (matrix, num_threads=None))]
pub fn symmetric_eigenvalues<'py>(
    py: Python<'py>,
    matrix: Rows<'py>,
    num_threads: Option<usize>,
) -> PyResult<Vector<'py>> {
    let values = on_rows!(matrix, matrix => compute(py, num_threads, |job| crate::given_eigenvalues(matrix, job)));
    Ok(values?.into_pyarray(py))
}

/// The eigenvalues of the covariance matrix of the columns or, where `centred` is false, of their second moments.
#[pyfunction]
#[pyo3(signature = (x, centred, num_threads=None))]
pub fn covariance_eigenvalues<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    centred: bool,
    num_threads: Option<usize>,
) -> PyResult<Vector<'py>> {
    let values = on_rows!(x, x => compute(py, num_threads, |job| crate::covariance_eigenvalues(x, centred, job)));
    Ok(values?.into_pyarray(py))
}

/// Mean and scatter of a block of rows, in units of a power of two.
#[pyclass(name = "Scatter", module = "dsentropy._core", frozen, get_all)]
pub struct PyScatter {
    /// The mean row [D] in the unit.
    mean: Py<PyArray1<f64>>,
    /// The matrix [D, D] of sums of products of centred columns, in the square of the unit.
    scatter: Py<PyArray2<f64>>,
    /// The binary exponent of the unit.
    exponent: i32,
}

/// Mean and scatter of a block of rows.
#[pyfunction]
#[pyo3(signature = (x, num_threads=None))]
pub fn block_scatter(py: Python<'_>, x: Rows<'_>, num_threads: Option<usize>) -> PyResult<PyScatter> {
    let found = on_rows!(x, x => compute(py, num_threads, |job| crate::block_scatter(x, job)))?;
    let crate::Scatter { mean, scatter, exponent } = found;
    Ok(PyScatter { mean: mean.into_pyarray(py).unbind(), scatter: scatter.into_pyarray(py).unbind(), exponent })
}
