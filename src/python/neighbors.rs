//! Distances between rows: the median of all, nearest neighbours and their graph.

use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;

use crate::data::input::{Input, Metric};
use crate::data::points::Points;
use crate::python::call::compute;
use crate::python::rows::{Rows, on_rows};
use crate::python::specs::Choice;

/// The nearest other rows of each row: two arrays [N, n_neighbors], ascending by distance.
#[pyclass(name = "Neighbors", module = "dsentropy._core", frozen, get_all)]
pub struct PyNeighbors {
    /// Euclidean distances.
    distances: Py<PyArray2<f64>>,
    /// Row numbers; ascending where distances are equal.
    indices: Py<PyArray2<usize>>,
}

/// The edges of a nearest-neighbour graph in compressed rows (CSR), those from rows to themselves among them.
#[pyclass(name = "NeighborEdges", module = "dsentropy._core", frozen, get_all)]
pub struct PyNeighborEdges {
    /// Row i has the entries indptr[i] to indptr[i + 1].
    indptr: Py<PyArray1<usize>>,
    /// The column of each entry.
    indices: Py<PyArray1<usize>>,
    /// The distance along each edge.
    distances: Py<PyArray1<f64>>,
}

/// The nearest other rows of each row; the row itself is not counted.
#[pyfunction]
#[pyo3(signature = (x, n_neighbors, num_threads=None))]
pub fn nearest_neighbors(
    py: Python<'_>,
    x: Rows<'_>,
    n_neighbors: usize,
    num_threads: Option<usize>,
) -> PyResult<PyNeighbors> {
    let (distances, indices) = on_rows!(x, x => compute(py, num_threads, |job| {
        crate::nearest_neighbors(&Points::in_own_scale(x), n_neighbors, job)
    }))?;
    Ok(PyNeighbors { distances: distances.into_pyarray(py).unbind(), indices: indices.into_pyarray(py).unbind() })
}

/// The adjacency matrix of the nearest-neighbour graph [N, N]; the row itself is counted.
#[pyfunction]
#[pyo3(signature = (x, n_neighbors, num_threads=None))]
pub fn neighbor_graph<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    n_neighbors: usize,
    num_threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let graph = on_rows!(x, x => compute(py, num_threads, |job| {
        crate::neighbor_graph(&Points::in_own_scale(x), n_neighbors, None, job)
    }));
    Ok(graph?.into_pyarray(py))
}

/// The nearest-neighbour graph in compressed rows, without an N x N matrix; the row itself is counted and ties are kept.
///
/// With `multiplicities` each row stands for so many equal ones. Distances that differ by no more than the unit roundoff
/// `rounding` of the entries explains are tied; without one, those that are equal.
#[pyfunction]
#[pyo3(signature = (x, metric, n_neighbors, multiplicities=None, rounding=None, num_threads=None))]
pub fn neighbor_edges(
    py: Python<'_>,
    x: Rows<'_>,
    metric: Choice<Metric>,
    n_neighbors: usize,
    multiplicities: Option<Vec<usize>>,
    rounding: Option<f64>,
    num_threads: Option<usize>,
) -> PyResult<PyNeighborEdges> {
    let edges = on_rows!(x, matrix => compute(py, num_threads, |job| {
        let input = Input { metric: metric.0, matrix };
        crate::neighbor_edges(input, n_neighbors, multiplicities.as_deref(), rounding, job)
    }))?;
    Ok(PyNeighborEdges {
        indptr: edges.starts.into_pyarray(py).unbind(),
        indices: edges.columns.into_pyarray(py).unbind(),
        distances: edges.distances.into_pyarray(py).unbind(),
    })
}

/// The number of a row that represents each row: one that is equal to it, or at most `tolerance` from it.
#[pyfunction]
#[pyo3(signature = (x, tolerance=0.0))]
pub fn distinct_rows<'py>(py: Python<'py>, x: Rows<'py>, tolerance: f64) -> PyResult<Bound<'py, PyArray1<usize>>> {
    let found = on_rows!(x, x => compute(py, Some(1), |_| Ok(crate::distinct_rows(x, tolerance))));
    Ok(found?.into_pyarray(py))
}

/// The distance of each row to its `n_neighbors`-th nearest other row.
#[pyfunction]
#[pyo3(signature = (x, metric, n_neighbors, num_threads=None))]
pub fn neighbor_distances<'py>(
    py: Python<'py>,
    x: Rows<'py>,
    metric: Choice<Metric>,
    n_neighbors: usize,
    num_threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let values = on_rows!(x, matrix => compute(py, num_threads, |job| {
        crate::neighbor_distances(Input { metric: metric.0, matrix }, n_neighbors, job)
    }));
    Ok(values?.into_pyarray(py))
}

/// The median of the positive distances of all pairs of rows; 0 where no distance is positive.
///
/// With `multiplicities` each row stands for so many equal ones.
#[pyfunction]
#[pyo3(signature = (x, metric, multiplicities=None, num_threads=None))]
pub fn median_distance(
    py: Python<'_>,
    x: Rows<'_>,
    metric: Choice<Metric>,
    multiplicities: Option<Vec<f64>>,
    num_threads: Option<usize>,
) -> PyResult<f64> {
    on_rows!(x, matrix => compute(py, num_threads, |job| {
        crate::median_distance(Input { metric: metric.0, matrix }, multiplicities.as_deref(), job)
    }))
}
