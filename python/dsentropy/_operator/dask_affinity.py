"""Estimates of one data set that is spread over several machines, by Dask.

The rows stay where they are: each product with the diffusion operator is a graph of tasks, one for each pair of row
chunks, on whatever scheduler is active. Recurrences and quadrature run in the calling process, which holds blocks of
vectors [N, b] but never the rows. A task that is lost with its worker is computed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows, as_directions, as_rows
from dsentropy._checks.scalars import Numbers, as_alpha, as_choice, as_positive, as_threads
from dsentropy._core import CallbackAffinity, Chunk, GlobalScaling, Moments
from dsentropy._spectrum.solver import Request, SlqOptions
from dsentropy._spectrum.spectrum import Spectrum

if TYPE_CHECKING:
    import dask.array

__all__ = ["diffusion_spectrum"]


def diffusion_spectrum(
    X: dask.array.Array,
    *,
    bandwidth: float,
    alpha: float = 0.0,
    metric: str = "euclidean",
    tol: float = 1e-3,
    t: Numbers = 1,
    orders: Numbers = 1,
    max_products: int | None = None,
    random_state: int | None = 0,
    memory_limit: int | None = None,
    num_threads: int | None = None,
    progress: bool = False,
) -> Spectrum:
    r"""Spectrum of the diffusion operator of rows that no single process holds, by an estimate.

    Parameters
    ----------
    X : dask.array of shape (N, D)
        The data, in chunks of rows, which are moved to begin at multiples of 512. Chunks are computed anew for each
        product unless they are persisted: ``X = X.persist()`` keeps them with the workers.
    bandwidth : float
        :math:`\sigma`, in units of the distances.
    alpha : float, default 0
        How far the density of the rows is divided out, from 0 to 1.
    metric : {"euclidean", "cosine"}, default "euclidean"
        See :func:`dsentropy.diffusion_spectrum`.
    tol, t, orders, max_products, random_state
        Of the estimate; see :func:`dsentropy.diffusion_spectrum`.
    memory_limit : int, optional
        Bytes that may be used in the calling process.
    num_threads : int, optional
        Threads of the recurrences in the calling process; tasks take one each.
    progress : bool, default False
        Show a bar of tqdm.

    Returns
    -------
    EstimatedSpectrum
        The same as in one process for the same ``random_state``, up to rounding.

    Raises
    ------
    ValueError
        For a value out of range, and data that are not finite.
    TypeError
        For an argument, or data, of a wrong type.
    MemoryError
        Before any work, where the blocks of vectors do not fit into the memory of the calling process.

    Warns
    -----
    ToleranceWarning
        Where the estimate is not within ``tol``.

    Notes
    -----
    Cost: with c chunks, c (c + 1) / 2 tasks for every 16 products, of together N^2 D flops for distances and 32 N^2
    for products; N D (c + 1) / 2 numbers of X and 32 N (c + 1) of vectors move at most. The calling process holds 4
    to 8 kB a row. See docs/scaling.md.

    References
    ----------
    As of :func:`dsentropy.diffusion_spectrum`; Rocklin, "Dask: parallel computation with blocked algorithms and task
    scheduling", SciPy 2015.

    Examples
    --------
    >>> import dask.array as da
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectrum
    >>> rows = np.random.default_rng(0).normal(size=(2000, 5))
    >>> X = da.from_array(rows, chunks=(500, 5))
    >>> spectrum = diffusion_spectrum(X, bandwidth=3.0, solver="stochastic")
    >>> exact = diffusion_spectrum(rows, bandwidth=3.0)
    >>> bool(abs(spectrum.entropy() - exact.entropy()) < 0.01)
    True
    """
    sigma = as_positive(bandwidth, "bandwidth")
    of_alpha = as_alpha(alpha)
    name = as_choice(metric, "metric", "euclidean", "cosine")
    threads = as_threads(num_threads)
    request = Request.of(tol, t, orders, max_products, "tiled", memory_limit, random_state)
    chunks = _Chunks.of(X, name)
    affinity = _Affinity.of(chunks, sigma, request.core())
    operator = CallbackAffinity(
        affinity.product, affinity.moments, chunks.n_samples, alpha=of_alpha, error=affinity.error
    )
    about = {"operator": "diffusion", "bandwidth": sigma, "metric": name, "alpha": of_alpha, "chunks": chunks.number}
    return request.of_operator(operator, chunks.n_samples, about, None, threads, progress)


class _Chunks:
    """The chunks of rows, as tasks that compute them."""

    def __init__(self, rows: list[Any], sizes: Sequence[int]) -> None:
        self.rows = rows
        self.bounds = np.concatenate([[0], np.cumsum(sizes)])

    @classmethod
    def of(cls, X: Any, metric: str) -> _Chunks:
        """Check the array, whose values are checked where they are computed."""
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
        """How many there are."""
        return len(self.rows)

    @property
    def n_samples(self) -> int:
        """N."""
        return int(self.bounds[-1])

    def rows_of(self, i: int) -> slice:
        return slice(self.bounds[i], self.bounds[i + 1])

    def pairs(
        self, task: Any, arguments: tuple[Any, ...], vectors: NDArray[np.float64]
    ) -> list[tuple[tuple[int, int], Any]]:
        """What the task is to make of each pair of chunks."""
        import dask

        on_pair = dask.delayed(task, pure=False, nout=2)
        parts = [dask.delayed(vectors[self.rows_of(i)], pure=False, traverse=False) for i in range(self.number)]
        return [
            ((i, j), on_pair(*arguments, self.rows[i], parts[i], *((self.rows[j], parts[j]) if i != j else ())))
            for i in range(self.number)
            for j in range(i, self.number)
        ]


@dataclass(frozen=True)
class _Affinity:
    """The Gaussian affinity of all rows, chunk by chunk, exactly and as it is rounded."""

    chunks: _Chunks
    exact: GlobalScaling
    rounded: GlobalScaling
    error: float
    """The relative one of a rounded entry."""

    @classmethod
    def of(cls, chunks: _Chunks, bandwidth: float, options: SlqOptions) -> _Affinity:
        """In f32 where the estimate allows it."""
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
        """G X of a block of vectors: sums of parts are exact, so they may be summed anywhere."""
        import dask

        total, n = dask.delayed(_total, pure=False), self.chunks.number
        pairs = dict(self.chunks.pairs(_pair_product, (self._scaling(exactly), ceilings), vectors))
        of_chunks = [
            total([pairs[i, j][0] for j in range(i, n)] + [pairs[j, i][1] for j in range(i)]) for i in range(n)
        ]
        return np.concatenate(_computed(of_chunks))

    def moments(self, squares: NDArray[np.float64], exactly: bool) -> Moments:
        """The trace and the squared norm of S G S, from the squares of the diagonal of S."""
        scale = np.sqrt(squares)[:, None]
        tasks = [task for _, task in self.chunks.pairs(_pair_moments, (self._scaling(exactly),), scale)]
        found: tuple[Moments, ...] = _computed(tasks)
        trace, squared_norm = np.sum([(part.trace, part.squared_norm) for part in found], axis=0)
        return Moments(trace=float(trace), squared_norm=float(squared_norm))

    def _scaling(self, exactly: bool) -> GlobalScaling:
        return self.exact if exactly else self.rounded


def _computed(tasks: list[Any]) -> tuple[Any, ...]:
    """By the active scheduler; that vectors are in the graph is meant to be."""
    import dask

    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
        results: tuple[Any, ...] = dask.compute(*tasks)
    return results


def _total(parts: list[Any]) -> NDArray[np.float64]:
    """Of a chunk, from all pairs that it is in."""
    total: NDArray[np.float64] = np.sum(parts, axis=0)
    return total


def _aligned(sizes: Sequence[int]) -> tuple[int, ...]:
    """Sizes of chunks near these that begin at multiples of a tile of the core, so that sums have the same bits."""
    ends = np.cumsum(sizes)
    inner = np.unique(np.round(ends[:-1] / _core.CHUNK_ALIGNMENT).astype(int) * _core.CHUNK_ALIGNMENT)
    bounds = [0, *inner[(inner > 0) & (inner < ends[-1])].tolist(), int(ends[-1])]
    return tuple(np.diff(bounds).tolist())


def _prepared(part: Any, metric: str) -> Rows:
    """A chunk as it is computed with."""
    rows = as_rows(part, "X")
    return as_directions(rows, "X") if metric == "cosine" else rows


def _summary(rows: Rows) -> tuple[NDArray[np.float64], float]:
    """The sum of a chunk's rows, and its largest modulus."""
    return rows.sum(axis=0, dtype=np.float64), float(np.abs(rows).max())


def _pair_product(
    scaling: GlobalScaling, ceilings: list[float], rows: Rows, vectors: Any, *other: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """The products of the first chunk and of the other, if there is one, as two results of a task."""
    product = _core.pair_product(scaling, ceilings, Chunk(rows, vectors), Chunk(*other) if other else None)
    return product.first, product.second


def _pair_moments(scaling: GlobalScaling, rows: Rows, vectors: Any, *other: Any) -> Moments:
    return _core.pair_moments(scaling, Chunk(rows, vectors), Chunk(*other) if other else None)
