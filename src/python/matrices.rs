//! Products of matrices that are not data.

use numpy::{IntoPyArray, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::python::call::compute;

/// Q A [n, d] for a matrix Q that is uniform among those whose columns are orthonormal and sum to 0.
///
/// `normal` are normal numbers: n - 1 for the first row of A, n - 2 for the second, and so on.
#[pyfunction]
#[pyo3(signature = (n, normal, a, num_threads=None))]
pub fn haar_product<'py>(
    py: Python<'py>,
    n: usize,
    normal: PyReadonlyArray1<'py, f64>,
    a: PyReadonlyArray2<'py, f64>,
    num_threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (normal, a) = (normal.as_array().to_vec(), a.as_array());
    let product = compute(py, num_threads, |job| crate::haar_product(n, &normal, a, job))?;
    Ok(product.into_pyarray(py))
}
