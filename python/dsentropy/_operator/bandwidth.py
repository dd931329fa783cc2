"""Bandwidths of a Gaussian kernel: given, or following the data.

The median rule takes the median of the positive distances of all pairs, so that the spectrum does not depend on the
scale of the data (Garreau, Jitkrittum & Kanagawa, arXiv 1707.07269). The self-tuning rule gives each row the distance
to its k-th nearest other row (Zelnik-Manor & Perona, NIPS 2004). Cost: N^2 D flops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.conversion import as_array
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_choice, as_positive, as_seed, entries_of
from dsentropy._checks.unused import require_unused
from dsentropy._data import subsets as _subsample
from dsentropy._data.device_rows import AnyData
from dsentropy._data.neighbors import as_neighbors, replace_zeros
from dsentropy._operator import device_bandwidth

BandwidthLike: TypeAlias = "float | Literal['median', 'knn'] | ArrayLike | Callable[[NDArray[Any]], ArrayLike]"
"""A number, ``"median"``, ``"knn"``, one number a row, or a callable of the data that returns a number or several."""

Bandwidth: TypeAlias = "float | NDArray[np.float64]"
"""One number for all rows or one a row. Zero where no distance is positive."""

MEDIAN_ROWS = 4000
"""Number of rows of which the median distance is taken, where there are more."""

DEFAULT_N_NEIGHBORS = 15
"""Number of neighbours where none is given."""


def is_rule(bandwidth: Any) -> bool:
    """Return whether a bandwidth is computed from rows, and so differs from one set of rows to another."""
    return bandwidth is None or isinstance(bandwidth, str) or callable(bandwidth)


def listed_bandwidths(bandwidths: Any) -> list[Any]:
    """Return bandwidths as a list, of which a number, a rule and a callable are one."""
    entries = None if callable(bandwidths) else entries_of(bandwidths, "bandwidths", "bandwidths")
    each = [bandwidths] if entries is None else entries
    if isinstance(bandwidths, (Mapping, Set)) or any(one is None or isinstance(one, Mapping) for one in each):
        raise TypeError(f"bandwidths must be numbers, rules, arrays or callables, got {printed(bandwidths)}")
    return each


def kernel_bandwidth(
    bandwidth: Any,
    data: AnyData,
    n_neighbors: int | None,
    random_state: Any,
    num_threads: int | None,
    n_all: int | None = None,
    *,
    weights: NDArray[np.float64] | None = None,
    memory_limit: int | None = None,
) -> tuple[Bandwidth, dict[str, Any]]:
    """Resolve a bandwidth, and return what a spectrum's parameters say of it and of the metric.

    Arguments that play no part are refused; the other parameters are those of :func:`resolve`.
    """
    require_kernel_arguments(bandwidth, n_neighbors, data, n_all)
    if data.metric == "affinity":
        return 1.0, {"metric": data.metric}
    return resolve_with_parameters(
        bandwidth,
        data,
        n_neighbors,
        random_state,
        num_threads,
        n_all,
        weights=weights,
        memory_limit=memory_limit,
    )


def require_kernel_arguments(bandwidth: Any, n_neighbors: Any, data: AnyData, n_all: int | None = None) -> None:
    """Raise where a bandwidth or a number of neighbours is refused, before any work; see :func:`resolve`."""
    if data.metric == "affinity":
        require_unused(bandwidth, "bandwidth", "metric is 'affinity'")
        require_unused(n_neighbors, "n_neighbors", "metric is 'affinity'")
        return
    require_neighbors_used(n_neighbors, bandwidth)
    _require_bandwidth("median" if bandwidth is None else bandwidth, n_neighbors, data, n_all, "bandwidth")


def _require_bandwidth(bandwidth: Any, n_neighbors: Any, data: AnyData, n_all: int | None, name: str) -> None:
    if isinstance(bandwidth, str):
        if _as_rule(bandwidth, name, data) == "knn":
            n_neighbors_of(n_neighbors, data.n_samples, data.argument)
    elif not callable(bandwidth):
        _as_given(bandwidth, data.n_samples if n_all is None else n_all, name)


def _as_rule(bandwidth: str, name: str, data: AnyData) -> Literal["median", "knn"]:
    """Check the name of a rule; the rule ``"structure"`` needs draws, and has a function of its own."""
    if bandwidth == "structure" and data.metric != "precomputed":
        raise ValueError(
            f"{name} must be 'median' or 'knn', got 'structure': suggest_bandwidth({data.argument}).bandwidth is the "
            "number of that rule"
        )
    return as_choice(bandwidth, name, "median", "knn")


def kernel_bandwidths(
    bandwidths: list[Any],
    data: AnyData,
    n_neighbors: int | None,
    random_state: Any,
    num_threads: int | None,
    n_all: int,
    memory_limit: int | None = None,
) -> list[tuple[Bandwidth, dict[str, Any]]]:
    """Resolve several bandwidths as :func:`kernel_bandwidth` does; ``n_neighbors`` must be used by one of them."""
    require_neighbors_used(n_neighbors, *bandwidths, reason="none of bandwidths is 'knn'")
    named = [(f"bandwidths[{i}]", one) for i, one in enumerate(bandwidths)]
    for name, one in named:
        _require_bandwidth(one, n_neighbors, data, n_all, name)
    return [
        resolve_with_parameters(
            one, data, n_neighbors, random_state, num_threads, n_all, name=name, memory_limit=memory_limit
        )
        for name, one in named
    ]


def resolve_with_parameters(
    bandwidth: Any,
    data: AnyData,
    n_neighbors: int | None,
    random_state: Any,
    num_threads: int | None,
    n_all: int | None,
    *,
    name: str = "bandwidth",
    weights: NDArray[np.float64] | None = None,
    memory_limit: int | None = None,
) -> tuple[Bandwidth, dict[str, Any]]:
    """Resolve a bandwidth, by default the median, and describe it and the metric; see :func:`resolve`."""
    rule = "median" if bandwidth is None else bandwidth
    with memory_errors(f"a number as {name}", "fewer rows"):
        sigma = resolve(
            rule,
            data,
            n_neighbors,
            random_state,
            num_threads,
            n_all,
            name=name,
            weights=weights,
            memory_limit=memory_limit,
        )
    about: dict[str, Any] = {"bandwidth": sigma}
    if isinstance(rule, str):
        about["rule"] = rule
        if rule == "knn":
            about["n_neighbors"] = n_neighbors_of(n_neighbors, data.n_samples, data.argument)
    return sigma, {**about, "metric": data.metric}


def require_neighbors_used(n_neighbors: int | None, *bandwidths: Any, reason: str = "bandwidth is not 'knn'") -> None:
    """Raise a ValueError where ``n_neighbors`` was given and no bandwidth follows the neighbours."""
    if not any(isinstance(bandwidth, str) and bandwidth == "knn" for bandwidth in bandwidths):
        require_unused(n_neighbors, "n_neighbors", reason)


def resolve(
    bandwidth: Any,
    data: AnyData,
    n_neighbors: int | None,
    random_state: Any,
    num_threads: int | None,
    n_all: int | None = None,
    *,
    name: str = "bandwidth",
    weights: NDArray[np.float64] | None = None,
    memory_limit: int | None = None,
) -> Bandwidth:
    """Compute the bandwidth: one number, or one a row of the data.

    Parameters
    ----------
    bandwidth : BandwidthLike
        A number, a rule, one number a row, or a callable.
    data : Data or DeviceRows
        The rows that are used.
    n_neighbors : int or None
        Number of neighbours of the rule ``"knn"``; None is 15.
    random_state : int or None
        Seed of the subset of which the median is taken.
    num_threads : int or None
        Threads to use.
    n_all : int, optional
        Length that an array must have, where the data are a subset: their numbers are taken from it.
    name : str
        The name of the argument, for errors.
    weights : ndarray, optional
        How many rows each row counts as, for the rule ``"median"``: a pair counts as often as the product.
    memory_limit : int, optional
        Bytes that a rule may take on a device; where they do not suffice the core computes.
    """
    seed = as_seed(random_state, "random_state")
    if isinstance(bandwidth, str):
        if _as_rule(bandwidth, name, data) == "median":
            return _median(data, seed, num_threads, weights, memory_limit)
        return _neighbor_distances(data, n_neighbors, num_threads, memory_limit)
    if callable(bandwidth):
        bandwidth, n_all = bandwidth(data.rows), None
    given = _as_given(bandwidth, data.n_samples if n_all is None else n_all, name)
    return given if isinstance(given, float) or n_all is None or data.chosen is None else given[data.chosen]


def _as_given(bandwidth: Any, n: int, name: str) -> Bandwidth:
    """Convert a bandwidth that is one number, or one for each of ``n`` rows."""
    numbers = as_array(bandwidth, name)
    if numbers.ndim == 0:
        return as_positive(numbers[()], name)
    if numbers.shape != (n,):
        raise ValueError(f"{name} must be one number, or one for each of {n} rows, got shape {numbers.shape}")
    if numbers.dtype.kind in "fiu":
        with np.errstate(over="ignore"):  # of long double
            each = numbers.astype(np.float64)
        if np.isfinite(each).all() and (each > 0).all():
            return each
    return np.array([as_positive(number, f"{name} of row {row}") for row, number in enumerate(numbers)])


def core_bandwidth(bandwidth: Bandwidth) -> Bandwidth:
    """Replace a bandwidth of zero, which the core does not accept.

    Where all rows are equal, any bandwidth gives the same operator. Where each row has as many duplicates as
    neighbours, a tiny one makes the affinity of duplicates 1 and all others 0, which is the limit.
    """
    if isinstance(bandwidth, float):
        return bandwidth or 1.0
    return bandwidth if bandwidth.all() else np.full_like(bandwidth, 1e-300)


def _median(
    data: AnyData,
    seed: int | None,
    num_threads: int | None,
    weights: NDArray[np.float64] | None,
    memory_limit: int | None,
) -> float:
    n, part = data.n_samples, data
    if n > MEDIAN_ROWS:
        chosen = _subsample.draw(n, MEDIAN_ROWS, seed)
        part, of_part = data.part(chosen), None if weights is None else weights[chosen]
    else:
        of_part = weights
    median = device_bandwidth.median_distance(part, of_part, num_threads, memory_limit)
    if median == 0 and part is not data:
        return _median_of_distinct(data, seed, num_threads, weights)
    return median


def _median_of_distinct(
    data: AnyData, seed: int | None, num_threads: int | None, weights: NDArray[np.float64] | None
) -> float:
    """Compute the median positive distance where nearly all rows are equal, from at most 4000 distinct rows.

    Each pair of distinct rows counts as often as it occurs.
    """
    if data.metric == "precomputed" and weights is not None:
        return _core.median_distance(data.rows, data.core_metric, weights, num_threads)
    if data.metric == "precomputed":
        positive = data.rows[data.rows > 0]
        return float(np.median(positive)) if positive.size else 0.0
    found: tuple[Any, NDArray[np.intp]] = np.unique(data.rows, axis=0, return_inverse=True)
    distinct, groups = found
    counts = np.bincount(groups.ravel(), weights=weights)
    if len(distinct) > MEDIAN_ROWS:
        chosen = _subsample.draw(len(distinct), MEDIAN_ROWS, seed)
        distinct, counts = distinct[chosen], counts[chosen]
    return _core.median_distance(distinct, data.core_metric, counts.astype(np.float64), num_threads)


def _neighbor_distances(
    data: AnyData, n_neighbors: int | None, num_threads: int | None, memory_limit: int | None
) -> NDArray[np.float64]:
    number = n_neighbors_of(n_neighbors, data.n_samples, data.argument)
    return replace_zeros(device_bandwidth.neighbor_distances(data, number, num_threads, memory_limit))


def n_neighbors_of(value: int | None, n_samples: int, argument: str = "X") -> int:
    """Convert ``n_neighbors`` to a number of other rows; None is 15. ``argument`` gave the rows."""
    if value is None and 1 < n_samples <= DEFAULT_N_NEIGHBORS:
        raise ValueError(
            f"{argument} must have more rows than the {DEFAULT_N_NEIGHBORS} neighbors that n_neighbors is by "
            f"default, got {n_samples}: give n_neighbors, from 1 to {n_samples - 1}"
        )
    return as_neighbors(DEFAULT_N_NEIGHBORS if value is None else value, n_samples, argument)
