"""Nested random subsets of the rows, and what is read off each.

A repeat orders the rows at random once; its subsets are the first rows of that order, at each size. So the subsets of
a repeat share their rows, and the change from one size to the next has less spread than both values. Cost: one
spectrum for each repeat and size; all rows are one subset.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.conversion import detached
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.printing import printed
from dsentropy._checks.progress import progress_bar
from dsentropy._checks.scalars import as_count, as_numbers
from dsentropy._data.cluster_subsets import Subsets, require_draws
from dsentropy._data.data import Data
from dsentropy._data.device_rows import AnyData
from dsentropy._data.subsets import Draws
from dsentropy._measures.random_subsets import SampledData, SubsetArguments
from dsentropy._operator.bandwidth import Bandwidth, core_bandwidth, kernel_bandwidth
from dsentropy._operator.dense_operator import diffusion_operator
from dsentropy._operator.precision import core_precision, require_single_used
from dsentropy._operator.slq_options import memory_limit_of
from dsentropy._spectrum.problem import Problem, solve
from dsentropy._spectrum.spectrum import Spectrum
from dsentropy._spectrum.subset_entropies import SubsetEntropies

_MOST_ROWS = 4000
"""The largest size where none are given: its exact entropy takes seconds."""

_LEAST_ROWS = 16
"""The smallest size where none are given, unless there are fewer than twice as many rows."""

_MOST_SIZES = 6
"""The number of sizes where none are given: a factor of 32 between the smallest and the largest."""


def as_sizes(sizes: Any, n: int) -> list[int]:
    """Convert ``sizes`` to at least two ascending numbers of rows; None halves all n rows, or 4000."""
    if n < 2:
        raise ValueError(f"X must have at least two rows, got {n}")
    if sizes is None:
        halved = [min(n, _MOST_ROWS)]
        while len(halved) < 2 or (len(halved) < _MOST_SIZES and halved[-1] // 2 >= _LEAST_ROWS):
            halved.append(halved[-1] // 2)
        return halved[::-1]
    numbers, _ = as_numbers(sizes, "sizes", lambda size, name: as_count(size, name, n_rows=n))
    distinct = sorted({int(size) for size in numbers})
    if len(distinct) < 2:
        raise ValueError(f"sizes must have at least two different numbers of rows, got {printed(sizes)}")
    return distinct


def half_of(sizes: list[int], place: int) -> int:
    """Return the place of the smaller size that is nearest to half of one, as a ratio."""
    return min(range(place), key=lambda other: abs(math.log2(sizes[place] / sizes[other]) - 1))


@dataclass(frozen=True)
class NestedSubsets:
    """Distinct subsets, and the number of the one of each repeat and size."""

    rows: list[NDArray[np.uint64]]
    keys: NDArray[np.int64]
    """Numbers of subsets, [repeats, sizes]."""

    @classmethod
    def of(cls, sizes: list[int], repeats: int, n: int, seed: int | None, readings: int) -> NestedSubsets:
        """Draw the subsets of n rows, if they and as many readings of each fit into memory."""
        ways = ("a smaller n_repeats", "smaller sizes")
        require_draws(f"n_repeats = {repeats}", repeats * len(sizes), repeats * sum(sizes), readings, *ways)
        draws, subsets = Draws(seed), Subsets()
        keys = []
        for _ in range(repeats):
            order = draws.next(n, sizes[-1])
            keys.append([subsets.add(np.sort(order[:size])) for size in sizes])
        return cls(subsets.rows, np.array(keys))


def own_entropies(
    arguments: SubsetArguments, data: AnyData, bandwidth: Any, n_neighbors: Any, rows: list[NDArray[np.uint64]]
) -> SampledData:
    """Compute the entropies of subsets, each with the bandwidth of its own rows; that of the largest is returned."""
    found = []
    with progress_bar(arguments.progress, len(rows), "entropies") as advance:
        for place, chosen in enumerate(rows):
            own = replace(arguments, progress=False, options=_with_signs(arguments, place))
            every = np.arange(len(chosen), dtype=np.uint64)
            found.append(own.entropies(data.part(chosen), bandwidth, n_neighbors, [every]))
            advance(len(found), math.nan)
    largest = max(found, key=lambda one: one.data.n_samples)
    parts = [one.entropies for one in found]
    names = ("bits", "standard_errors", "reaches")
    joined = SubsetEntropies(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return SampledData(data, largest.bandwidth, joined)


def _with_signs(arguments: SubsetArguments, place: int) -> Any:
    """Return the options of the estimate of one subset, with random signs of its own."""
    options = arguments.options
    return None if options is None else replace(options, seed=(options.seed + place) % 2**64)


def readings(
    arguments: SubsetArguments,
    reading: Callable[[Spectrum], Any],
    data: AnyData,
    bandwidth: Any,
    n_neighbors: Any,
    rows: list[NDArray[np.uint64]],
    own: bool,
) -> tuple[NDArray[np.float64], Bandwidth]:
    """Call ``reading`` with the spectrum of each subset, and return what it returns and the bandwidth of all rows."""
    sigma: Bandwidth = 1.0
    limit = memory_limit_of(arguments.options)
    if not own:
        sigma, _ = kernel_bandwidth(
            bandwidth, data, n_neighbors, arguments.seed, arguments.num_threads, memory_limit=limit
        )
    found: list[NDArray[np.float64]] = []
    bar = progress_bar(arguments.progress, len(rows), "spectra")
    with memory_errors(*arguments.ways_out(data, bandwidth)), bar as advance:
        for place, chosen in enumerate(rows):
            part = data.part(chosen)
            each = sigma[chosen] if isinstance(sigma, np.ndarray) else sigma
            if own:
                each, _ = kernel_bandwidth(
                    bandwidth, part, n_neighbors, arguments.seed, arguments.num_threads, memory_limit=limit
                )
            problem = _problem(arguments, part, each)
            spectrum = solve(problem, _with_signs(arguments, place), arguments.num_threads, False)
            found.append(_read(reading, spectrum, found))
            advance(len(found), math.nan)
    return np.array(found), sigma


def _problem(arguments: SubsetArguments, part: AnyData, bandwidth: Bandwidth) -> Problem:
    """Make the problem of a subset with its bandwidth; its spectrum may be read at any t."""
    require_single_used(arguments.precision, part, bandwidth)
    stored = core_precision(arguments.precision, part, [1.0], stored=True)
    kernel = diffusion_operator(part, core_bandwidth(bandwidth), arguments.alpha, stored)
    about = {"operator": "diffusion", "bandwidth": bandwidth, "metric": part.metric, "alpha": arguments.alpha}
    about |= {} if isinstance(part, Data) else {"device": part.device}
    return Problem(kernel, part.n_samples, about, lambda: None)


def _read(reading: Callable[[Spectrum], Any], spectrum: Spectrum, before: list[NDArray[np.float64]]) -> Any:
    """Return the reading of a spectrum: a number, or an array of the shape of those before."""
    given = reading(spectrum)
    try:
        value = np.asarray(detached(given))
        numbers = value.dtype.kind in "fiub" and bool(np.isfinite(value).all())
    except Exception:  # of a ragged list, and whatever the object's methods raise
        numbers = False
    if not numbers:
        raise ValueError(f"reading must return finite numbers, got {printed(given)} of {spectrum.n_samples} rows")
    if before and value.shape != before[0].shape:
        raise ValueError(f"reading must return arrays of one shape, got {value.shape} and {before[0].shape}")
    return value.astype(np.float64)
