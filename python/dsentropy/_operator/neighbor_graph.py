"""Sparse graphs of nearest neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import as_array
from dsentropy._data.data import Data
from dsentropy._data.neighbors import as_neighbors, replace_zeros
from dsentropy._operator import bandwidth as _bandwidth
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.linear_operators import SparseMatrix, is_sparse


def neighbor_distances(neighbors: Any, data: Data, n_neighbors: Any, num_threads: int | None) -> Any:
    """Distances to neighbours as a sparse matrix [N, N], without the rows themselves; a stored 0 is a distance.

    ``neighbors`` are the caller's, or None: then the ``n_neighbors`` nearest are found.
    """
    from scipy.sparse import coo_array, csr_array

    n = data.n_samples
    if neighbors is None:
        number = as_neighbors(n_neighbors, n)
        if data.metric == "precomputed":
            others = np.array(data.rows, dtype=np.float64)
            np.fill_diagonal(others, np.inf)
            indices = np.argsort(others, axis=1, kind="stable")[:, :number]
            distances = np.take_along_axis(others, indices, axis=1)
        else:
            found = _core.nearest_neighbors(data.rows, number, num_threads)
            distances, indices = found.distances, found.indices.astype(np.int64)
    elif is_sparse(neighbors):
        if neighbors.shape != (n, n):
            raise ValueError(f"neighbors must be of shape {(n, n)}, as X has {n} rows, got {neighbors.shape}")
        given = coo_array(neighbors)
        return _without_self(given.row, given.col, _checked(given.data), n)
    else:
        distances, indices = _pair(neighbors, n)
    starts = np.arange(n + 1) * indices.shape[1]
    graph = csr_array((distances.ravel(), indices.ravel(), starts), shape=(n, n)).tocoo()
    return _without_self(graph.row, graph.col, graph.data, n)


def _pair(neighbors: Any, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    if not isinstance(neighbors, (tuple, list)) or len(neighbors) != 2:
        raise TypeError("neighbors must be a sparse matrix of distances, or a pair (distances, indices)")
    distances, indices = (as_array(part, "neighbors") for part in neighbors)
    if distances.shape != indices.shape or distances.ndim != 2 or len(distances) != n:
        raise ValueError(f"neighbors must be two arrays of shape ({n}, k), got {distances.shape} and {indices.shape}")
    if indices.dtype.kind not in "iu" or indices.min(initial=0) < 0 or indices.max(initial=0) >= n:
        raise ValueError(f"neighbors must have indices from 0 to {n - 1}")
    return _checked(distances), indices.astype(np.int64)


def _checked(distances: NDArray[Any]) -> NDArray[np.float64]:
    if distances.dtype.kind not in "fiu" or not np.isfinite(distances).all() or distances.min(initial=0) < 0:
        raise ValueError("neighbors must have finite distances that are not negative")
    return distances.astype(np.float64)


def _without_self(rows: NDArray[Any], columns: NDArray[Any], distances: NDArray[np.float64], n: int) -> Any:
    from scipy.sparse import coo_array

    others = rows != columns
    return coo_array((distances[others], (rows[others], columns[others])), shape=(n, n))


def farthest(graph: Any) -> NDArray[np.float64]:
    """The distance of each row to the farthest of its neighbours; where that is 0, the smallest positive one."""
    distances = np.zeros(graph.shape[0])
    np.maximum.at(distances, graph.row, graph.data)
    return replace_zeros(distances)


def neighbor_affinity(graph: Any, bandwidth: Bandwidth) -> SparseMatrix:
    """Affinities of neighbours, either way, and of each row to itself."""
    from scipy.sparse import csr_array, identity

    sigma = np.broadcast_to(_bandwidth.for_core(bandwidth), graph.shape[:1])
    with np.errstate(over="ignore", under="ignore"):
        squares = (graph.data / sigma[graph.row]) * (graph.data / sigma[graph.col])
        affinities = csr_array((np.exp(-squares / 2), (graph.row, graph.col)), shape=graph.shape)
    if affinities.nnz < len(squares):  # such entries are added up
        raise ValueError("neighbors must name a neighbor once in each row")
    either = affinities.maximum(affinities.T)
    return SparseMatrix(csr_array(either + identity(graph.shape[0], format="csr")))


def adjacency(data: Data, n_neighbors: int, how: str, num_threads: int | None) -> SparseMatrix:
    """Ones where a row is among the nearest of another, which count themselves and ties; made symmetric."""
    from scipy.sparse import csr_array

    n = data.n_samples
    if data.metric == "precomputed":
        radius = np.partition(data.rows, n_neighbors - 1, axis=1)[:, n_neighbors - 1]
        graph = csr_array(np.less_equal(data.rows, radius[:, None]).astype(np.float64))
    else:
        edges = _core.neighbor_edges(data.rows, n_neighbors, num_threads)
        indices, indptr = edges.indices.astype(np.int64), edges.indptr.astype(np.int64)
        graph = csr_array((np.ones(len(indices)), indices, indptr), shape=(n, n))
    if how == "union":
        return SparseMatrix(graph.maximum(graph.T).tocsr())
    if how == "mutual":
        return SparseMatrix(graph.minimum(graph.T).tocsr())
    return SparseMatrix(((graph + graph.T) / 2).tocsr())
