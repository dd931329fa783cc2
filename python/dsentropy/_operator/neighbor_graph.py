"""Sparse graphs of nearest neighbours: Gaussian affinities of near rows, and adjacency matrices.

An affinity is kept where one row is within the distance of the k-th nearest other row of the other, so that edges
follow from distances alone. Equal rows are held once, with their number. Finding neighbours costs N^2 D flops, the
graph takes 12 N k bytes twice, and a product with a vector 4 N k flops; ties add edges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import moduli_of
from dsentropy._checks.choices import Symmetrize
from dsentropy._checks.containers import is_sparse
from dsentropy._checks.conversion import as_array
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.pairs import CLIP, F64_ROUNDOFF, distance_rounding, unit_roundoff
from dsentropy._checks.printing import printed
from dsentropy._checks.progress import Advance
from dsentropy._core import NeighborEdges, OperatorSpec, Solution
from dsentropy._data.data import Data
from dsentropy._data.distinct import Groups
from dsentropy._data.neighbors import replace_zeros
from dsentropy._operator import bandwidth as _bandwidth
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.linear_operators import LinearOperator, SparseMatrix
from dsentropy._operator.slq_options import MAX_PRODUCTS_SPARSE, SlqOptions


@dataclass(frozen=True)
class NeighborAdjacency:
    """The adjacency matrix of nearest neighbours, dense to be decomposed and sparse to be estimated."""

    data: Data
    n_neighbors: int
    """k, the row itself counted."""
    symmetrize: Symmetrize | None
    """The rule that makes it symmetric; an estimate needs one."""
    unit_roundoff: ClassVar[float] = F64_ROUNDOFF
    positive: ClassVar[bool] = False
    exponent: ClassVar[int] = 0
    default_products: ClassVar[int] = MAX_PRODUCTS_SPARSE
    node_exponent: ClassVar[int] = 0

    def eigenvalues(self, num_threads: int | None) -> NDArray[np.float64]:
        """Compute the moduli of all eigenvalues."""
        spec = OperatorSpec.neighbor_graph(self.n_neighbors, self.symmetrize, self.data.tie_roundoff)
        return _core.eigenvalues(self.data.rows, self.data.core_metric, spec, num_threads)

    def estimate(self, options: SlqOptions, advance: Advance | None, num_threads: int | None) -> Solution:
        """Estimate the spectrum, or compute it where that costs less."""
        if self.symmetrize is None:
            raise ValueError("symmetrize must not be None where solver is 'stochastic' and graph is 'knn'")
        graph = adjacency(self.data, self.n_neighbors, self.symmetrize, num_threads)
        return LinearOperator(graph).estimate(options, advance, num_threads)

    def check_range(self, smallest: float, largest: float) -> None:
        """Accept any range: ones on the diagonal leave no zero matrix."""


@dataclass(frozen=True)
class Neighbors:
    """Distances from rows to their neighbours."""

    distances: Any
    """A sparse matrix without its diagonal, of one row for each group; a stored 0 is a distance."""
    groups: Groups | None = None
    """Groups of equal rows; None where each row is held."""

    @property
    def multiplicities(self) -> NDArray[np.int64] | None:
        """The number of rows of each group; None where each row is held."""
        return None if self.groups is None else self.groups.sizes

    def of_groups(self, bandwidth: Bandwidth) -> Bandwidth:
        """Select the bandwidths of groups from those of all rows."""
        return bandwidth if self.groups is None or isinstance(bandwidth, float) else bandwidth[self.groups.first]

    def of_rows(self, bandwidth: NDArray[np.float64]) -> NDArray[np.float64]:
        """Repeat the bandwidths of groups for all rows."""
        return bandwidth if self.groups is None else bandwidth[self.groups.of_rows]


def nearest(data: Data, n_neighbors: int, bandwidth: Bandwidth | None, num_threads: int | None) -> Neighbors:
    """Find all rows that are no farther than the ``n_neighbors``-th nearest other row.

    Equal rows are held once unless their ``bandwidth`` differs.
    """
    from scipy.sparse import csr_array

    groups = Groups.of(data.rows, bandwidth if isinstance(bandwidth, np.ndarray) else None)
    edges = _edges(data, groups, n_neighbors + 1, num_threads)  # which counts the row itself
    n = len(edges.indptr) - 1
    indices, indptr = edges.indices.astype(np.int64), edges.indptr.astype(np.int64)
    graph = csr_array((edges.distances, indices, indptr), shape=(n, n)).tocoo()
    return Neighbors(_without_self(graph.row, graph.col, graph.data, n), groups)


def _edges(data: Data, groups: Groups | None, k: int, num_threads: int | None) -> NeighborEdges:
    """Find the edges to all rows within the distance of the k-th nearest, up to rounding, the row itself counted."""
    rows, sizes = data.rows, None
    if groups is not None:
        first, sizes = groups.first, groups.sizes
        rows = rows[np.ix_(first, first)] if data.metric == "precomputed" else rows[first]
    with memory_errors("a smaller n_neighbors", "fewer rows, max_samples=..."):
        return _core.neighbor_edges(rows, data.core_metric, k, sizes, data.tie_roundoff, num_threads)


def given_neighbors(neighbors: Any, n: int) -> Neighbors:
    """Read the caller's distances to neighbours of ``n`` rows, which are used as they are."""
    from scipy.sparse import coo_array, csr_array

    if is_sparse(neighbors):
        if neighbors.shape != (n, n):
            raise ValueError(f"neighbors must be of shape {(n, n)}, as X has {n} rows, got {neighbors.shape}")
        given = coo_array(neighbors)
        distances = _checked(given.data, neighbors, lambda at: (given.row[at], given.col[at]))
        return Neighbors(_without_self(given.row, given.col, distances, n))
    distances, indices = _pair(neighbors, n)
    starts = np.arange(n + 1) * indices.shape[1]
    graph = csr_array((distances.ravel(), indices.ravel(), starts), shape=(n, n)).tocoo()
    return Neighbors(_without_self(graph.row, graph.col, graph.data, n))


def _pair(neighbors: Any, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    if not isinstance(neighbors, (tuple, list)) or len(neighbors) != 2:
        kinds = "a sparse matrix of distances, or a pair (distances, indices)"
        raise TypeError(f"neighbors must be {kinds}, got {printed(neighbors)}")
    distances, indices = (as_array(part, "neighbors") for part in neighbors)
    if distances.shape != indices.shape or distances.ndim != 2 or len(distances) != n:
        raise ValueError(f"neighbors must be two arrays of shape ({n}, k), got {distances.shape} and {indices.shape}")
    if indices.dtype.kind not in "iu":
        raise ValueError(f"neighbors must have indices that are integers, got dtype {indices.dtype}")
    if indices.min(initial=0) < 0 or indices.max(initial=0) >= n:
        raise ValueError(f"neighbors must have indices from 0 to {n - 1}")
    checked = _checked(distances, neighbors[0], lambda at: np.unravel_index(at, distances.shape))
    return checked, indices.astype(np.int64)


def _checked(distances: NDArray[Any], given: Any, place: Callable[[int], tuple[Any, ...]]) -> NDArray[np.float64]:
    """Check distances, and clip those that the rounding of the ``given`` dtype made negative to 0.

    ``place`` returns the row and the column of a distance by its number.
    """
    required = "neighbors must have finite distances that are not negative"
    if distances.dtype.kind not in "fiu":
        raise ValueError(f"{required}, got dtype {distances.dtype}")
    finite = np.isfinite(distances)
    if not finite.all():
        at = int(finite.argmin())
        raise ValueError(f"{required}, got {distances.flat[at]} in row {place(at)[0]}, column {place(at)[1]}")
    allowed = distance_rounding(unit_roundoff(given), float(moduli_of(distances).max(initial=0)))
    if distances.min(initial=0) < -allowed:
        at = int(distances.argmin())
        raise ValueError(
            f"{required}, got {distances.flat[at]} in row {place(at)[0]}, column {place(at)[1]}, and rounding "
            f"explains {-allowed:.2g}: {CLIP}"
        )
    return np.maximum(distances.astype(np.float64), 0)


def _without_self(rows: NDArray[Any], columns: NDArray[Any], distances: NDArray[np.float64], n: int) -> Any:
    from scipy.sparse import coo_array

    others = rows != columns
    return coo_array((distances[others], (rows[others], columns[others])), shape=(n, n))


def farthest(neighbors: Neighbors) -> NDArray[np.float64]:
    """Return the distance of each group to its farthest neighbour; zeros become the smallest positive distance."""
    graph = neighbors.distances
    distances = np.zeros(graph.shape[0])
    np.maximum.at(distances, graph.row, graph.data)
    return replace_zeros(distances)


def neighbor_affinity(neighbors: Neighbors, bandwidth: Bandwidth) -> SparseMatrix:
    """Compute the Gaussian affinities of rows of which one is a neighbour of the other, and of each row to itself."""
    from scipy.sparse import csr_array, identity

    graph = neighbors.distances
    sigma = np.broadcast_to(_bandwidth.core_bandwidth(bandwidth), graph.shape[:1])
    with np.errstate(over="ignore", under="ignore"):
        squares = (graph.data / sigma[graph.row]) * (graph.data / sigma[graph.col])
        affinities = csr_array((np.exp(-squares / 2), (graph.row, graph.col)), shape=graph.shape)
    if affinities.nnz < len(squares):  # such entries are added up
        raise ValueError("neighbors must name a neighbor once in each row")
    either = affinities.maximum(affinities.T)
    symmetric = csr_array(either + identity(graph.shape[0], format="csr"))
    return SparseMatrix(symmetric, multiplicities=neighbors.multiplicities)


def adjacency(data: Data, n_neighbors: int, how: Symmetrize, num_threads: int | None) -> SparseMatrix:
    """Build the adjacency matrix of nearest neighbours, themselves and ties counted, and make it symmetric."""
    from scipy.sparse import csr_array

    groups = Groups.of(data.rows)
    edges = _edges(data, groups, n_neighbors, num_threads)
    indices, indptr = edges.indices.astype(np.int64), edges.indptr.astype(np.int64)
    graph = csr_array((np.ones(len(indices)), indices, indptr))
    if how == "union":
        symmetric = graph.maximum(graph.T)
    elif how == "mutual":
        symmetric = graph.minimum(graph.T)
    else:
        symmetric = (graph + graph.T) / 2
    return SparseMatrix(symmetric.tocsr(), multiplicities=None if groups is None else groups.sizes)
