//! The Python extension `dsentropy._core`: one call a task, no Python in the numbers.
//!
//! The Python layer has checked and named every argument before it calls; what is checked here again is checked by
//! the core. The interpreter is released for the whole computation.

mod call;
mod callbacks;
mod error;
mod specs;

use pyo3::prelude::*;

/// The compiled core of dsentropy. Arguments are checked by the Python layer.
#[pymodule]
mod _core {
    use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1};
    use pyo3::prelude::*;

    use crate::python::call::{compute, compute_and_tell};
    use crate::python::callbacks::{AnyOperator, Opened, PartsOfAffinity, on_operator};
    use crate::python::specs::{PyMetric, PyPart, Rows, on_parts, on_rows};
    use crate::{
        Input, Solved, SumRounding, parallel, renyi_entropies, spectral_entropy, subset_eigenvalues, subset_entropies,
    };

    #[pymodule_export]
    use crate::python::callbacks::{PyGivenAffinity, PyGivenOperator, PySparseOperator};
    #[pymodule_export]
    use crate::python::specs::{PyEstimate, PyFrame, PyMeasure, PyOperator, PyRequest};

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

    /// An estimate of the spectrum of an operator of a kernel and whether it is within the tolerance, or the moduli of
    /// its eigenvalues where those cost less. `positive` tells that affinities, where they are given, are positive
    /// semi-definite. `progress` is called with the products and the doubt in bits.
    #[pyfunction]
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
    fn estimate_spectrum<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        metric: PyMetric,
        operator: &PyOperator,
        positive: bool,
        request: &PyRequest,
        progress: Option<Py<PyAny>>,
        num_threads: Option<usize>,
    ) -> PyResult<Solution<'py>> {
        let (operator, request) = (&operator.0, &request.0);
        let solved = on_rows!(x, matrix => compute_and_tell(py, num_threads, progress, |job, told| {
            let input = Input { metric: metric.0, matrix };
            let progress = |products, doubt| told.estimate(products, doubt);
            crate::estimate_spectrum(input, operator, positive, request, &progress, job)
        }));
        Ok(solution(py, solved?))
    }

    /// The same of each subset of the data.
    #[pyfunction]
    #[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
    fn estimate_subsets<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        metric: PyMetric,
        subsets: Vec<PyReadonlyArray1<'py, u64>>,
        operator: &PyOperator,
        request: &PyRequest,
        progress: Option<Py<PyAny>>,
        num_threads: Option<usize>,
    ) -> PyResult<Vec<Solution<'py>>> {
        let (operator, request, subsets) = (&operator.0, &request.0, row_numbers(&subsets));
        let solved = on_rows!(x, matrix => compute_and_tell(py, num_threads, progress, |job, told| {
            crate::estimate_subsets(Input { metric: metric.0, matrix }, &subsets, operator, request, &|| told.one(), job)
        }));
        Ok(solved?.into_iter().map(|solved| solution(py, solved)).collect())
    }

    /// The same of an operator that is sparse, or known by its products; exact eigenvalues are not moduli.
    #[pyfunction]
    fn estimate_operator<'py>(
        py: Python<'py>,
        operator: AnyOperator<'py>,
        request: &PyRequest,
        progress: Option<Py<PyAny>>,
        num_threads: Option<usize>,
    ) -> PyResult<Solution<'py>> {
        let request = &request.0;
        let solved = on_operator(&operator, |operator| {
            compute_and_tell(py, num_threads, progress, |job, told| {
                let progress = |products, doubt| told.estimate(products, doubt);
                match operator {
                    Opened::Sparse(sparse) => crate::estimate_sparse(sparse, request, &progress, job),
                    Opened::Given(given) => crate::estimate_given(*given, request, &progress, job),
                    Opened::Affinity(PartsOfAffinity { rounded, exact, alpha, error }) => {
                        crate::estimate_affinity(rounded, *error, exact, *alpha, request, &progress, job)
                    }
                }
            })
        });
        Ok(solution(py, solved?))
    }

    /// The eigenvalues of such an operator, ascending, from its products with the identity.
    #[pyfunction]
    fn operator_eigenvalues<'py>(
        py: Python<'py>,
        operator: AnyOperator<'py>,
        num_threads: Option<usize>,
    ) -> PyResult<Vector<'py>> {
        let values = on_operator(&operator, |operator| {
            compute(py, num_threads, |job| match operator {
                Opened::Sparse(sparse) => crate::operator_eigenvalues(*sparse, job),
                Opened::Given(given) => crate::operator_eigenvalues(*given, job),
                Opened::Affinity(_) => Err(crate::Error::Invalid {
                    argument: "operator",
                    requirement: "known as a matrix or by its products".into(),
                    value: "an affinity".into(),
                }),
            })
        });
        Ok(values?.into_pyarray(py))
    }

    type Solution<'py> = (Option<PyEstimate>, bool, Option<Vector<'py>>);

    fn solution(py: Python<'_>, solved: Solved) -> Solution<'_> {
        match solved {
            Solved::Estimated(estimate, reached) => (Some(PyEstimate(*estimate)), reached, None),
            Solved::Exact(eigenvalues) => (None, true, Some(eigenvalues.into_pyarray(py))),
        }
    }

    /// Parts of a data set begin at multiples of it.
    #[pymodule_export]
    const CELL: usize = crate::CELL;

    /// The relative error that affinities of n rows may have in f32, for such an estimate; None where they
    /// are to be in f64.
    #[pyfunction]
    fn allowed_single_error(n: usize, request: &PyRequest) -> Option<f64> {
        crate::allowed_single_error(n, &request.0.options)
    }

    /// The relative error that affinities of a part of the rows have in f32.
    #[pyfunction]
    fn part_error(x: Rows<'_>, frame: &PyFrame) -> PyResult<f64> {
        Ok(on_rows!(x, rows => frame.0.single_error(rows))?)
    }

    type Products<'py> = (Bound<'py, PyArray2<f64>>, Option<Bound<'py, PyArray2<f64>>>);

    /// The products of what of an affinity belongs to two parts of the rows, or to one, rounded by the ceilings; on one
    /// thread.
    #[pyfunction]
    fn pair_product<'py>(
        py: Python<'py>,
        frame: &PyFrame,
        ceilings: Vec<f64>,
        one: PyPart<'py>,
        other: Option<PyPart<'py>>,
    ) -> PyResult<Products<'py>> {
        let (frame, rounding) = (&frame.0, SumRounding { ceilings });
        let (of_one, of_other) = on_parts!(one, other, (one, other) => compute(py, Some(1), |job| {
            crate::pair_product(frame, one, other, &rounding, job)
        }))?;
        Ok((of_one.into_pyarray(py), of_other.map(|product| product.into_pyarray(py))))
    }

    /// The trace and the squared norm of what of S G S belongs to two parts of the rows, or to one; on one thread.
    #[pyfunction]
    fn pair_moments(
        py: Python<'_>,
        frame: &PyFrame,
        one: PyPart<'_>,
        other: Option<PyPart<'_>>,
    ) -> PyResult<(f64, f64)> {
        let frame = &frame.0;
        on_parts!(one, other, (one, other) => compute(py, Some(1), |job| crate::pair_moments(frame, one, other, job)))
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
        let values = on_rows!(x, matrix => compute_and_tell(py, num_threads, progress, |job, told| {
            crate::sweep_eigenvalues(Input { metric: metric.0, matrix }, &operators, &|| told.one(), job)
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
        let values = on_rows!(x, matrix => compute_and_tell(py, num_threads, progress, |job, told| {
            subset_eigenvalues(Input { metric: metric.0, matrix }, &subsets, operator, &|| told.one(), job)
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

    type Edges<'py> = (Bound<'py, PyArray1<usize>>, Bound<'py, PyArray1<usize>>);

    /// The same adjacency matrix in compressed rows, which are all ones: where rows begin, and columns.
    #[pyfunction]
    fn neighbor_edges<'py>(
        py: Python<'py>,
        x: Rows<'py>,
        n_neighbors: usize,
        num_threads: Option<usize>,
    ) -> PyResult<Edges<'py>> {
        let edges = on_rows!(x, x => compute(py, num_threads, |job| {
            crate::neighbor_edges(&crate::Points::in_own_scale(x), n_neighbors, job)
        }));
        let (starts, columns) = edges?;
        Ok((starts.into_pyarray(py), columns.into_pyarray(py)))
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
