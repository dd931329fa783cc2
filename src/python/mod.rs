//! The Python extension `dsentropy._core`: one call a task, no Python in the numbers.
//!
//! The Python layer has checked and named every argument before it calls; what is checked here again is checked by
//! the core. The interpreter is released for the whole computation.

mod convert;
mod error;

use pyo3::prelude::*;

/// The compiled core of dsentropy. Arguments are checked by the Python layer.
#[pymodule]
mod _core {
    use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
    use pyo3::prelude::*;

    use crate::python::convert::{Rows, compute, on_rows};
    use crate::{parallel, spectral_entropy, subset_entropies};

    #[pymodule_export]
    use crate::python::convert::{PyMeasure, PyOperator};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// The moduli of an operator's eigenvalues.
    #[pyfunction]
    fn eigenvalues<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        operator: &PyOperator,
        num_threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let operator = operator.0;
        let values = on_rows!(x, x => compute(py, num_threads, |job| operator.eigenvalues(x, job)));
        Ok(values?.into_pyarray(py))
    }

    /// The entropy of eigenvalues raised to the power t, in bits.
    #[pyfunction]
    #[pyo3(name = "spectral_entropy")]
    fn spectral_entropy_of(eigenvalues: PyReadonlyArray1<'_, f64>, t: f64) -> PyResult<f64> {
        let eigenvalues: Vec<f64> = eigenvalues.as_array().to_vec();
        Ok(spectral_entropy(&eigenvalues, t)?)
    }

    /// The entropy of all rows, in bits.
    #[pyfunction]
    fn entropy(py: Python<'_>, x: Rows<'_>, measure: &PyMeasure, num_threads: Option<usize>) -> PyResult<f64> {
        let measure = measure.0;
        on_rows!(x, x => compute(py, num_threads, |job| measure.entropy(x, job)))
    }

    /// The entropy of each subset of the rows, in bits.
    #[pyfunction]
    #[pyo3(name = "subset_entropies")]
    fn entropies_of_subsets<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        subsets: Vec<PyReadonlyArray1<'py, u64>>,
        measure: &PyMeasure,
        num_threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let measure = measure.0;
        // A row number beyond this machine's sizes is beyond the rows as well, and the core says so.
        let index = |&row: &u64| usize::try_from(row).unwrap_or(usize::MAX);
        let subsets: Vec<Vec<usize>> =
            subsets.iter().map(|rows| rows.as_array().iter().map(index).collect()).collect();
        let values = on_rows!(x, x => compute(py, num_threads, |job| subset_entropies(x, &subsets, measure, job)));
        Ok(values?.into_pyarray(py))
    }

    /// The adjacency matrix of the nearest neighbours, the row itself counted.
    #[pyfunction]
    fn neighbor_graph<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        n_neighbors: usize,
        num_threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let graph = on_rows!(x, x => compute(py, num_threads, |job| {
            crate::neighbor_graph(&crate::Points::in_own_scale(x), n_neighbors, job)
        }));
        Ok(graph?.into_pyarray(py))
    }

    type Neighbors<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<usize>>);

    /// The distances and the numbers of the nearest other rows.
    #[pyfunction]
    fn nearest_neighbors<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        n_neighbors: usize,
        num_threads: Option<usize>,
    ) -> PyResult<Neighbors<'py>> {
        let nearest = on_rows!(x, x => compute(py, num_threads, |job| {
            crate::nearest_neighbors(&crate::Points::in_own_scale(x), n_neighbors, job)
        }));
        let (distances, numbers) = nearest?;
        Ok((distances.into_pyarray(py), numbers.into_pyarray(py)))
    }

    /// The number of threads of a call that names none.
    #[pyfunction]
    fn default_threads() -> usize {
        parallel::default_threads()
    }

    /// The linked OpenBLAS's configuration and the kind of core that it dispatches to; None with another LAPACK.
    #[pyfunction]
    fn blas_config() -> Option<(&'static str, &'static str)> {
        lapack_provider::config()
    }
}
