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
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;

    use crate::python::convert::{PyMetric, Rows, compute, compute_and_tell, on_rows};
    use crate::{
        Input, Options, Solved, Storage, parallel, renyi_entropies, spectral_entropy, subset_eigenvalues,
        subset_entropies,
    };

    #[pymodule_export]
    use crate::python::convert::{PyEstimate, PyMeasure, PyOperator};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    type Vector<'py> = Bound<'py, PyArray1<f64>>;

    /// The moduli of an operator's eigenvalues.
    #[pyfunction]
    fn eigenvalues<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        metric: PyMetric,
        operator: &PyOperator,
        num_threads: Option<usize>,
    ) -> PyResult<Vector<'py>> {
        let operator = &operator.0;
        let values = on_rows!(x, matrix => compute(py, num_threads, |job| {
            operator.eigenvalues(Input { metric: metric.0, matrix }, job)
        }));
        Ok(values?.into_pyarray(py))
    }

    /// An estimate of the spectrum of the diffusion operator of rows and whether it is within the tolerance, or the
    /// moduli of its eigenvalues where those cost less. `progress` is called with the products and the doubt in bits.
    #[pyfunction]
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
    fn estimate_diffusion<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        bandwidth: f64,
        alpha: f64,
        tol: f64,
        times: Vec<f64>,
        orders: Vec<f64>,
        max_products: usize,
        seed: u64,
        storage: &str,
        memory_limit: Option<u64>,
        num_threads: Option<usize>,
    ) -> PyResult<(Option<PyEstimate>, bool, Option<Vector<'py>>)> {
        let storage = match storage {
            "auto" => Storage::Auto,
            "dense" => Storage::Dense,
            "tiled" => Storage::Tiled,
            _ => return Err(PyValueError::new_err("storage must be 'auto', 'dense' or 'tiled'")),
        };
        let options = Options { tol, times, orders, max_products, exact_products: None, seed };
        let solved = on_rows!(x, matrix => compute(py, num_threads, |job| {
            let input = Input::rows(matrix);
            crate::estimate_diffusion(input, bandwidth, alpha, &options, storage, memory_limit, &|_, _| (), job)
        }));
        Ok(match solved? {
            Solved::Estimated(estimate, reached) => (Some(PyEstimate(estimate)), reached, None),
            Solved::Exact(eigenvalues) => (None, true, Some(eigenvalues.into_pyarray(py))),
        })
    }

    /// Those of several operators on the same data. `progress` is called with how many are done.
    #[pyfunction]
    fn sweep_eigenvalues<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        metric: PyMetric,
        operators: Vec<PyRef<'py, PyOperator>>,
        progress: Option<Py<PyAny>>,
        num_threads: Option<usize>,
    ) -> PyResult<Vec<Vector<'py>>> {
        let operators: Vec<_> = operators.iter().map(|operator| operator.0.clone()).collect();
        let values = on_rows!(x, matrix => compute_and_tell(py, num_threads, progress, |job, done| {
            crate::sweep_eigenvalues(Input { metric: metric.0, matrix }, &operators, done, job)
        }));
        Ok(values?.into_iter().map(|values| values.into_pyarray(py)).collect())
    }

    /// Those of an operator on each subset of the data. `progress` is called with how many are done.
    #[pyfunction]
    #[pyo3(name = "subset_eigenvalues")]
    fn eigenvalues_of_subsets<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        metric: PyMetric,
        subsets: Vec<PyReadonlyArray1<'py, u64>>,
        operator: &PyOperator,
        progress: Option<Py<PyAny>>,
        num_threads: Option<usize>,
    ) -> PyResult<Vec<Vector<'py>>> {
        let (operator, subsets) = (&operator.0, row_numbers(&subsets));
        let values = on_rows!(x, matrix => compute_and_tell(py, num_threads, progress, |job, done| {
            subset_eigenvalues(Input { metric: metric.0, matrix }, &subsets, operator, done, job)
        }));
        Ok(values?.into_iter().map(|values| values.into_pyarray(py)).collect())
    }

    fn row_numbers(subsets: &[PyReadonlyArray1<'_, u64>]) -> Vec<Vec<usize>> {
        // A row number beyond this machine's sizes is beyond the rows as well, and the core says so.
        let index = |&row: &u64| usize::try_from(row).unwrap_or(usize::MAX);
        subsets.iter().map(|rows| rows.as_array().iter().map(index).collect()).collect()
    }

    /// The eigenvalues of a symmetric matrix, of which what stands on and above the diagonal is read, ascending.
    #[pyfunction]
    fn symmetric_eigenvalues<'py>(
        py: Python<'py>,
        matrix: Rows<'py>,
        num_threads: Option<usize>,
    ) -> PyResult<Vector<'py>> {
        let values = on_rows!(matrix, matrix => compute(py, num_threads, |job| {
            crate::given_eigenvalues(matrix, job)
        }));
        Ok(values?.into_pyarray(py))
    }

    /// The eigenvalues of the covariance of the columns.
    #[pyfunction]
    fn covariance_eigenvalues<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        num_threads: Option<usize>,
    ) -> PyResult<Vector<'py>> {
        let values = on_rows!(x, x => compute(py, num_threads, |job| crate::covariance_eigenvalues(x, job)));
        Ok(values?.into_pyarray(py))
    }

    /// The median of the positive distances of all pairs, 0 where there are none.
    #[pyfunction]
    fn median_distance(py: Python<'_>, x: Rows<'_>, metric: PyMetric, num_threads: Option<usize>) -> PyResult<f64> {
        on_rows!(x, matrix => compute(py, num_threads, |job| {
            crate::median_distance(Input { metric: metric.0, matrix }, job)
        }))
    }

    /// The distance of each row to its n-th nearest other row.
    #[pyfunction]
    fn neighbor_distances<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        metric: PyMetric,
        n_neighbors: usize,
        num_threads: Option<usize>,
    ) -> PyResult<Vector<'py>> {
        let values = on_rows!(x, matrix => compute(py, num_threads, |job| {
            crate::neighbor_distances(Input { metric: metric.0, matrix }, n_neighbors, job)
        }));
        Ok(values?.into_pyarray(py))
    }

    /// The Renyi entropies of eigenvalues raised to each power, in bits: [times, orders].
    #[pyfunction]
    #[pyo3(name = "renyi_entropies")]
    fn renyi_entropies_of<'py>(
        py: Python<'py>,
        eigenvalues: PyReadonlyArray1<'py, f64>,
        times: Vec<f64>,
        orders: Vec<f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        Ok(renyi_entropies(&eigenvalues.as_array().to_vec(), &times, &orders)?.into_pyarray(py))
    }

    /// The entropy of eigenvalues raised to the power t, in bits, shifted as the reference shifts it.
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
    ) -> PyResult<Vector<'py>> {
        let (measure, subsets) = (measure.0, row_numbers(&subsets));
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
