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

/// The sparsity pattern of a nearest-neighbour graph in compressed rows (CSR); each stored entry is 1.
#[pyclass(name = "NeighborEdges", module = "dsentropy._core", frozen, get_all)]
pub struct PyNeighborEdges {
    /// Row i has the entries indptr[i] to indptr[i + 1].
    indptr: Py<PyArray1<usize>>,
    /// The column of each entry.
    indices: Py<PyArray1<usize>>,
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
        crate::neighbor_graph(&Points::in_own_scale(x), n_neighbors, job)
    }));
    Ok(graph?.into_pyarray(py))
}

/// The nearest-neighbour graph of `neighbor_graph` in compressed rows, without an N x N matrix.
#[pyfunction]
#[pyo3(signature = (x, n_neighbors, num_threads=None))]
pub fn neighbor_edges(
    py: Python<'_>,
    x: Rows<'_>,
    n_neighbors: usize,
    num_threads: Option<usize>,
) -> PyResult<PyNeighborEdges> {
    let (indptr, indices) = on_rows!(x, x => compute(py, num_threads, |job| {
        crate::neighbor_edges(&Points::in_own_scale(x), n_neighbors, job)
    }))?;
    Ok(PyNeighborEdges { indptr: indptr.into_pyarray(py).unbind(), indices: indices.into_pyarray(py).unbind() })
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
#[pyfunction]
#[pyo3(signature = (x, metric, num_threads=None))]
pub fn median_distance(
    py: Python<'_>,
    x: Rows<'_>,
    metric: Choice<Metric>,
    num_threads: Option<usize>,
) -> PyResult<f64> {
    on_rows!(x, matrix => compute(py, num_threads, |job| {
        crate::median_distance(Input { metric: metric.0, matrix }, job)
    }))
}
