"""Entropies of surrogates at the bandwidths and alphas of a surface.

Each surrogate is drawn, and its distances are computed, once. Cost: a surface for each draw, one after the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.progress import progress_bar
from dsentropy._core import Solution
from dsentropy._data.device_rows import AnyData
from dsentropy._data.device_surrogates import surrogates_of
from dsentropy._data.surrogates import SURFACE_STREAM, Null, fixed_seed
from dsentropy._operator.bandwidth import Bandwidth, core_bandwidth, is_rule, resolve
from dsentropy._operator.dense_operator import diffusion_operator
from dsentropy._operator.precision import CorePrecision
from dsentropy._operator.slq_options import SlqOptions, memory_limit_of
from dsentropy._spectrum.kernel_solutions import kernel_solutions
from dsentropy._spectrum.missed_tolerance import MAX_SAMPLES, warn_if_not_converged
from dsentropy._spectrum.subset_entropies import read_solution


@dataclass(frozen=True)
class SurfaceGrid:
    """Where a surface has entropies."""

    bandwidths: list[tuple[Any, Bandwidth]]
    """Each bandwidth as it was given, and what it is for the data."""
    alphas: list[float]
    times: list[float]
    orders: list[float]
    n_neighbors: int | None
    precision: CorePrecision


def surface_null(
    data: AnyData,
    null: Null,
    draws: int,
    grid: SurfaceGrid,
    options: SlqOptions | None,
    seed: int | None,
    num_threads: int | None,
    progress: bool,
) -> NDArray[np.float64]:
    """Return entropies of surrogates, [draws, bandwidths, times, orders, alphas].

    A bandwidth that is one number for the data is that of all surrogates. A rule that gives one number a row is
    followed by each surrogate.
    """
    surrogates = surrogates_of(data, null, fixed_seed(seed), SURFACE_STREAM, num_threads)
    columns = any(callable(given) for given, _ in grid.bandwidths)
    found: list[Solution] = []
    with progress_bar(progress, draws, "surrogates") as advance:
        for number in range(draws):
            drawn = surrogates.draw(number, columns=columns)
            own = [
                resolve(given, drawn, grid.n_neighbors, seed, num_threads, memory_limit=memory_limit_of(options))
                if _is_rule_of_rows(given, sigma)
                else sigma
                for given, sigma in grid.bandwidths
            ]
            operators = [
                diffusion_operator(drawn, core_bandwidth(sigma), alpha, grid.precision)
                for sigma in own
                for alpha in grid.alphas
            ]
            found += kernel_solutions(operators, options, num_threads)
            advance(number + 1, math.nan)
    if options is not None:
        warn_if_not_converged(found, options, MAX_SAMPLES)
    bits = np.array([read_solution(solution, grid.times, grid.orders)[0] for solution in found])
    shaped = bits.reshape(draws, len(grid.bandwidths), len(grid.alphas), len(grid.times), len(grid.orders))
    return np.ascontiguousarray(np.moveaxis(shaped, 2, -1))


def _is_rule_of_rows(given: Any, sigma: Bandwidth) -> bool:
    """Return whether a bandwidth is a rule that gave one number for each row of the data."""
    return bool(np.ndim(sigma)) and is_rule(given)
