//! Entropies in bits: of eigenvalues, and those of data that are not read off a spectrum.

use ndarray::{Array2, Axis};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::python::call::compute;
use crate::python::rows::{Rows, Subsets, on_rows, row_numbers};
use crate::python::specs::PyMeasure;

/// Powers of eigenvalues between two looks for signals (Ctrl-C): a few hundredths of a second.
const POWERS_AT_ONCE: usize = 1 << 20;

/// The Renyi entropies of eigenvalues raised to each power t, in bits: an array [times, orders].
#[pyfunction]
pub fn renyi_entropies<'py>(
    py: Python<'py>,
    eigenvalues: PyReadonlyArray1<'py, f64>,
    times: Vec<f64>,
    orders: Vec<f64>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let eigenvalues = eigenvalues.as_array().to_vec();
    let mut entropies = Array2::zeros((times.len(), orders.len()));
    let at_once = (POWERS_AT_ONCE / eigenvalues.len().max(1)).max(1);
    for (times, mut of_times) in times.chunks(at_once).zip(entropies.axis_chunks_iter_mut(Axis(0), at_once)) {
        of_times.assign(&py.detach(|| crate::renyi_entropies(&eigenvalues, times, &orders))?);
        py.check_signals()?;
    }
    if times.is_empty() {
        crate::renyi_entropies(&eigenvalues, &times, &orders)?; // checks the arguments
    }
    Ok(entropies.into_pyarray(py))
}

/// The entropy of eigenvalues raised to the power t, in bits, shifted as in dse-dsmi.
#[pyfunction]
pub fn spectral_entropy(eigenvalues: PyReadonlyArray1<'_, f64>, t: f64) -> PyResult<f64> {
    Ok(crate::spectral_entropy(&eigenvalues.as_array().to_vec(), t)?)
}

/// The entropy of all rows by a measure that needs no spectrum, in bits.
#[pyfunction]
#[pyo3(signature = (x, measure, num_threads=None))]
pub fn entropy(py: Python<'_>, x: Rows<'_>, measure: &PyMeasure, num_threads: Option<usize>) -> PyResult<f64> {
    let measure = measure.0;
    on_rows!(x, x => compute(py, num_threads, |job| measure.entropy(x, job)))
}

/// The entropy of each subset of the rows by a measure that needs no spectrum, in bits.
#[pyfunction]
#[pyo3(signature = (x, subsets, measure, num_threads=None))]
pub fn subset_entropies<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    subsets: Subsets<'py>,
    measure: &PyMeasure,
    num_threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (measure, subsets) = (measure.0, row_numbers(&subsets));
    let values = on_rows!(x, x => compute(py, num_threads, |job| crate::subset_entropies(x, &subsets, measure, job)));
    Ok(values?.into_pyarray(py))
}
