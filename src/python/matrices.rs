//! Products of matrices that are not data.

use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::python::call::compute;

/// Q A, for the orthonormal factor Q of a matrix Z = Q R of normal numbers.
#[pyfunction]
#[pyo3(signature = (z, a, num_threads=None))]
pub fn orthonormal_product<'py>(
    py: Python<'py>,
    z: PyReadonlyArray2<'py, f64>,
    a: PyReadonlyArray2<'py, f64>,
    num_threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (z, a) = (z.as_array(), a.as_array());
    let product = compute(py, num_threads, |job| crate::orthonormal_product(z, a, job))?;
    Ok(product.into_pyarray(py))
}
