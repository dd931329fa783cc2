"""Bandwidths: given, or following the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.arrays import as_array
from dsentropy._checks.scalars import as_choice, as_positive, as_seed, as_threads
from dsentropy._data import subsets as _subsample
from dsentropy._data.data import Data
from dsentropy._data.neighbors import as_neighbors, replace_zeros

BandwidthLike: TypeAlias = "float | str | ArrayLike | Callable[[NDArray[Any]], ArrayLike]"
"""A number, ``"median"``, ``"knn"``, one number a row, or a callable of the data that returns a number or several."""

Bandwidth: TypeAlias = "float | NDArray[np.float64]"
"""One for all rows or one a row. Zero where no distance is positive."""

MEDIAN_ROWS = 4000
"""Rows of which the median distance is taken, where there are more."""


def estimate_bandwidth(
    X: ArrayLike,
    rule: str = "median",
    *,
    n_neighbors: int = 15,
    metric: str = "euclidean",
    random_state: int | None = 0,
    num_threads: int | None = None,
) -> float:
    r"""A bandwidth of the order of the distances between rows.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"``
        The data.
    rule : {"median", "knn"}, default "median"
        ``"median"``: the median of the positive distances of all pairs of rows, and of a random subset of 4000 rows
        where there are more. ``"knn"``: the median over the rows of :math:`\sigma_i`, the distance to the
        ``n_neighbors``-th nearest other row.
    n_neighbors : int, default 15
        Of the rule ``"knn"``, below N; the row itself is not counted.
    metric : {"euclidean", "cosine", "precomputed"}, default "euclidean"
        See :func:`diffusion_spectrum`.
    random_state : int or None, default 0
        Seed of the random subset. None draws from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.

    Returns
    -------
    float
        In units of the data; 0 where no two rows differ and, by the rule ``"knn"``, where each row has as many
        duplicates as neighbours are asked for.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As in :func:`diffusion_spectrum`.

    Notes
    -----
    Cost: N^2 D flops, with at most 4000 rows for the median, which takes 16 bytes a pair.

    References
    ----------
    Garreau, Jitkrittum & Kanagawa, "Large sample analysis of the median heuristic", arXiv 1707.07269; Zelnik-Manor &
    Perona, "Self-tuning spectral clustering", NIPS 2004.

    Examples
    --------
    >>> from dsentropy import estimate_bandwidth
    >>> estimate_bandwidth([[0.0], [1.0], [3.0]])  # of 1, 2 and 3
    2.0
    """
    name = as_choice(rule, "rule", "median", "knn")
    as_choice(metric, "metric", "euclidean", "cosine", "precomputed")
    data = Data.of(X, metric)
    bandwidth = resolve(name, data, n_neighbors, random_state, as_threads(num_threads))
    return float(np.median(bandwidth))


def resolve(
    bandwidth: Any, data: Data, n_neighbors: Any, random_state: Any, num_threads: int | None, n_all: int | None = None
) -> Bandwidth:
    """The bandwidth as one number, or one a row of the data.

    Of an array of ``n_all`` numbers, those of the data's rows are taken.
    """
    seed = as_seed(random_state, "random_state")
    if isinstance(bandwidth, str):
        if as_choice(bandwidth, "bandwidth", "median", "knn") == "median":
            return _median(data, seed, num_threads)
        return _neighbor_distances(data, n_neighbors, num_threads)
    if callable(bandwidth):
        bandwidth, n_all = bandwidth(data.rows), None
    numbers = as_array(bandwidth, "bandwidth")
    if numbers.ndim == 0:
        return as_positive(numbers[()], "bandwidth")
    n = data.n_samples if n_all is None else n_all
    if numbers.shape != (n,):
        raise ValueError(f"bandwidth must be one number, or one for each of {n} rows, got shape {numbers.shape}")
    each = np.array([as_positive(number, "bandwidth") for number in numbers])
    return each if n_all is None or data.chosen is None else each[data.chosen]


def for_core(bandwidth: Bandwidth) -> Bandwidth:
    """What the core computes with in place of a bandwidth of zero.

    Where all rows are equal, any number gives the same; where each has as many duplicates as neighbours, the limit of
    small ones tells duplicates from all else.
    """
    if isinstance(bandwidth, float):
        return bandwidth or 1.0
    return bandwidth if bandwidth.all() else np.full_like(bandwidth, 1e-300)


def _median(data: Data, seed: int | None, num_threads: int | None) -> float:
    n = data.n_samples
    part = data if n <= MEDIAN_ROWS else data.part(_subsample.draw(n, MEDIAN_ROWS, seed))
    median = _core.median_distance(part.rows, part.core_metric, num_threads)
    if median == 0 and part is not data:
        median = _median_of_distinct(data, seed)
    # Directions that were equal before they were rounded.
    rounded = data.metric == "cosine" and median <= 4 * np.finfo(data.given.dtype).eps
    return 0.0 if rounded else median


def _median_of_distinct(data: Data, seed: int | None) -> float:
    """Where nearly all rows are equal: over all pairs, as often as they occur; of at most 4000 distinct rows."""
    if data.metric == "precomputed":
        positive = data.rows[data.rows > 0]
        return float(np.median(positive)) if positive.size else 0.0
    from scipy.spatial.distance import pdist

    distinct, counts = np.unique(data.rows, axis=0, return_counts=True)
    if len(distinct) == 1:
        return 0.0
    if len(distinct) > MEDIAN_ROWS:
        chosen = _subsample.draw(len(distinct), MEDIAN_ROWS, seed)
        distinct, counts = distinct[chosen], counts[chosen]
    distances = pdist(distinct.astype(np.float64))
    i, j = np.triu_indices(len(distinct), 1)
    weights = counts[i].astype(np.float64) * counts[j]
    order = np.argsort(distances)
    below = np.cumsum(weights[order])
    return float(distances[order[np.searchsorted(below, below[-1] / 2)]])


def _neighbor_distances(data: Data, n_neighbors: Any, num_threads: int | None) -> NDArray[np.float64]:
    number = as_neighbors(n_neighbors, data.n_samples)
    return replace_zeros(_core.neighbor_distances(data.rows, data.core_metric, number, num_threads))
