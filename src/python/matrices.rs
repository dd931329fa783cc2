//! Products of matrices that are not data.

use numpy::{IntoPyArray, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::linalg::Axes;
use crate::python::call::compute;

/// A matrix, or the diagonal of one.
#[derive(FromPyObject)]
pub enum Matrix<'py> {
    Diagonal(PyReadonlyArray1<'py, f64>),
    Dense(PyReadonlyArray2<'py, f64>),
}

/// Q A [n, d] for a matrix Q that is uniform among those whose columns are orthonormal and sum to 0.
///
/// `normal` are normal numbers: n - 1 for the first row of A, n - 2 for the second, and so on.
#[pyfunction]
#[pyo3(signature = (n, normal, a, num_threads=None))]
pub fn haar_product<'py>(
    py: Python<'py>,
    n: usize,
    normal: PyReadonlyArray1<'py, f64>,
    a: Matrix<'py>,
    num_threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let normal = normal.as_slice()?;
    let a = match &a {
        Matrix::Diagonal(entries) => Axes::Diagonal(entries.as_slice()?),
        Matrix::Dense(a) => Axes::Dense(a.as_array()),
    };
    let product = compute(py, num_threads, |job| crate::haar_product(n, normal, a, job))?;
    Ok(product.into_pyarray(py))
}
