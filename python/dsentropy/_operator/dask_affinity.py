"""The diffusion operator of rows in a dask array, which no single process need hold.

The rows stay where they are: each product with the operator is a graph of tasks, one for each pair of row chunks, on
the scheduler that is active. Recurrences and quadrature run in the calling process, which holds blocks of vectors
[N, b] but never the rows. A task that is lost with its worker is computed again.

Cost: with c chunks, c (c + 1) / 2 tasks for every 16 products, of together N^2 D flops for distances and 32 N^2 for
products; N D (c + 1) / 2 numbers of X and 32 N (c + 1) of vectors move at most. The calling process holds 4 to 8 kB a
row (Rocklin, "Dask: parallel computation with blocked algorithms and task scheduling", SciPy 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows, as_directions, as_rows
from dsentropy._checks.pairs import F64_ROUNDOFF
from dsentropy._checks.progress import Advance
from dsentropy._core import CallbackAffinity, Chunk, GlobalScaling, Moments, Solution
from dsentropy._operator.slq_options import MAX_PRODUCTS, SlqOptions


def is_dask_array(X: Any) -> bool:
    """Return whether ``X`` is of dask, without importing it."""
    return type(X).__module__.partition(".")[0] == "dask"


@dataclass(frozen=True)
class ChunkedDiffusion:
    """The diffusion operator of chunked rows."""

    chunks: Chunks
    bandwidth: float
    alpha: float
    unit_roundoff: ClassVar[float] = F64_ROUNDOFF
    positive: ClassVar[bool] = False
    exponent: ClassVar[int] = 0
    default_products: ClassVar[int] = MAX_PRODUCTS
    node_exponent: ClassVar[int] = 0

    def eigenvalues(self, num_threads: int | None) -> NDArray[np.float64]:
        """Raise a ValueError: no process holds the matrix."""
        raise ValueError(
            "solver must be 'stochastic' or a Stochastic where X is in chunks; X.compute() makes an array of it"
        )

    def estimate(self, options: SlqOptions, advance: Advance | None, num_threads: int | None) -> Solution:
        """Estimate the spectrum, or compute it from products where that costs less and fits into memory."""
        affinity = ChunkedAffinity.of(self.chunks, self.bandwidth, options)
        operator = CallbackAffinity(
            affinity.product, affinity.moments, self.chunks.n_samples, alpha=self.alpha, error=affinity.error
        )
        return _core.estimate_operator(operator, options, progress=advance, num_threads=num_threads)

    def check_range(self, smallest: float, largest: float) -> None:
        """Accept any range: the largest eigenvalue of a diffusion operator is 1."""


class Chunks:
    """The chunks of rows, as tasks that compute them."""

    def __init__(self, rows: list[Any], sizes: Sequence[int]) -> None:
        self.rows = rows
        self.bounds = np.concatenate([[0], np.cumsum(sizes)])

    @classmethod
    def of(cls, X: Any, metric: str) -> Chunks:
        """Check the array; its values are checked by the tasks that compute them."""
        import dask

        if getattr(X, "ndim", None) != 2 or not hasattr(X, "to_delayed"):
            raise TypeError(f"X must be a dask.array of two dimensions, got {X!r}")
        if X.dtype.kind not in "fiub":
            raise TypeError(f"X must hold real numbers, got dtype {X.dtype}")
        if any(np.isnan(size) for size in X.shape):
            raise ValueError("X must have chunks of known sizes: X.compute_chunk_sizes() finds them")
        if 0 in X.shape:
            raise ValueError(f"X must have at least one row and one column, got shape {X.shape}")
        X = X.rechunk({0: _aligned(X.chunks[0]), 1: -1})
        prepared = dask.delayed(_prepared, pure=True)
        return cls([prepared(part, metric) for part in X.to_delayed().ravel().tolist()], X.chunks[0])

    @property
    def number(self) -> int:
        """The number of chunks."""
        return len(self.rows)

    @property
    def n_samples(self) -> int:
        """The number of rows, N."""
        return int(self.bounds[-1])

    def rows_of(self, i: int) -> slice:
        return slice(self.bounds[i], self.bounds[i + 1])

    def pairs(
        self, task: Any, arguments: tuple[Any, ...], vectors: NDArray[np.float64]
    ) -> list[tuple[tuple[int, int], Any]]:
        """Apply a task to each pair of chunks and their parts of the vectors, once per pair."""
        import dask

        on_pair = dask.delayed(task, pure=False, nout=2)
        parts = [dask.delayed(vectors[self.rows_of(i)], pure=False, traverse=False) for i in range(self.number)]
        return [
            ((i, j), on_pair(*arguments, self.rows[i], parts[i], *((self.rows[j], parts[j]) if i != j else ())))
            for i in range(self.number)
            for j in range(i, self.number)
        ]


@dataclass(frozen=True)
class ChunkedAffinity:
    """The Gaussian affinity of all rows, chunk by chunk, in double precision and rounded to single."""

    chunks: Chunks
    exact: GlobalScaling
    rounded: GlobalScaling
    error: float
    """The relative error of a rounded entry."""

    @classmethod
    def of(cls, chunks: Chunks, bandwidth: float, options: SlqOptions) -> ChunkedAffinity:
        """Make the affinity, rounded to single precision where the tolerance allows it."""
        import dask

        found = dask.compute(*[dask.delayed(_summary)(rows) for rows in chunks.rows])
        mean = np.sum([total for total, _ in found], axis=0) / chunks.n_samples
        largest = max(largest for _, largest in found)
        exact, single = (
            GlobalScaling(mean=mean, largest=largest, bandwidth=bandwidth, single=in_single)
            for in_single in (False, True)
        )
        allowed = _core.allowed_single_error(chunks.n_samples, options)
        if allowed is not None:
            error = max(dask.compute(*[dask.delayed(_core.chunk_error)(rows, single) for rows in chunks.rows]))
            if error <= allowed:
                return cls(chunks, exact, single, error)
        return cls(chunks, exact, exact, float(np.finfo(np.float64).eps))

    def product(self, vectors: NDArray[np.float64], ceilings: list[float], exactly: bool) -> NDArray[np.float64]:
        """Multiply a block of vectors by G. Partial sums are exact, so any worker may add them in any order."""
        import dask

        total, n = dask.delayed(_total, pure=False), self.chunks.number
        pairs = dict(self.chunks.pairs(_pair_product, (self._scaling(exactly), ceilings), vectors))
        of_chunks = [
            total([pairs[i, j][0] for j in range(i, n)] + [pairs[j, i][1] for j in range(i)]) for i in range(n)
        ]
        return np.concatenate(_computed(of_chunks))

    def moments(self, squares: NDArray[np.float64], exactly: bool) -> Moments:
        """Compute the trace and the squared norm of S G S from the squares of the diagonal of S."""
        scale = np.sqrt(squares)[:, None]
        tasks = [task for _, task in self.chunks.pairs(_pair_moments, (self._scaling(exactly),), scale)]
        found: tuple[Moments, ...] = _computed(tasks)
        trace, squared_norm = np.sum([(part.trace, part.squared_norm) for part in found], axis=0)
        return Moments(trace=float(trace), squared_norm=float(squared_norm))

    def _scaling(self, exactly: bool) -> GlobalScaling:
        return self.exact if exactly else self.rounded


def _computed(tasks: list[Any]) -> tuple[Any, ...]:
    """Compute tasks by the active scheduler. Vectors are meant to be in the graph, so its size is no warning."""
    import dask

    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        results: tuple[Any, ...] = dask.compute(*tasks)
    return results


def _total(parts: list[Any]) -> NDArray[np.float64]:
    """Add a chunk's parts of a product, from all pairs that it is in."""
    total: NDArray[np.float64] = np.sum(parts, axis=0)
    return total


def _aligned(sizes: Sequence[int]) -> tuple[int, ...]:
    """Move chunks to begin at multiples of a tile of the core, so that sums have the bits of one process."""
    ends = np.cumsum(sizes)
    inner = np.unique(np.round(ends[:-1] / _core.CHUNK_ALIGNMENT).astype(int) * _core.CHUNK_ALIGNMENT)
    bounds = [0, *inner[(inner > 0) & (inner < ends[-1])].tolist(), int(ends[-1])]
    return tuple(np.diff(bounds).tolist())


def _prepared(part: Any, metric: str) -> Rows:
    """Check a chunk, and scale its rows to length 1 where the metric is cosine."""
    rows = as_rows(part, "X")
    return as_directions(rows, "X") if metric == "cosine" else rows


def _summary(rows: Rows) -> tuple[NDArray[np.float64], float]:
    """Return the sum of a chunk's rows, and its largest modulus."""
    return rows.sum(axis=0, dtype=np.float64), float(np.abs(rows).max())


def _pair_product(
    scaling: GlobalScaling, ceilings: list[float], rows: Rows, vectors: Any, *other: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the products of the first chunk and of the other, if there is one, as two results of a task."""
    product = _core.pair_product(scaling, ceilings, Chunk(rows, vectors), Chunk(*other) if other else None)
    return product.first, product.second


def _pair_moments(scaling: GlobalScaling, rows: Rows, vectors: Any, *other: Any) -> Moments:
    """Return the moments of what S G S has between two chunks, or within one."""
    return _core.pair_moments(scaling, Chunk(rows, vectors), Chunk(*other) if other else None)
