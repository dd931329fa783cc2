"""Entropies of one layer at all bandwidths, diffusion times and orders, beside those of its surrogates.

Distances are computed once for the layer and once for each surrogate. Cost: one entropy for each bandwidth, of the
layer and of each surrogate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.scalars import Precision
from dsentropy._core import Solution
from dsentropy._data.device_rows import AnyData
from dsentropy._data.device_surrogates import surrogates_of
from dsentropy._data.surrogates import BASELINE_STREAM, Null
from dsentropy._measures.null_comparison import NullComparison, rounding_of
from dsentropy._operator.bandwidth import Bandwidth, core_bandwidth, is_rule, kernel_bandwidths, resolve
from dsentropy._operator.dense_operator import diffusion_operator
from dsentropy._operator.precision import core_precision, require_single_used
from dsentropy._operator.slq_options import SlqOptions, memory_limit_of
from dsentropy._spectrum.kernel_solutions import kernel_solutions
from dsentropy._spectrum.missed_tolerance import MAX_SAMPLES, warn_if_not_converged
from dsentropy._spectrum.saturation import saturation
from dsentropy._spectrum.subset_entropies import read_solution


@dataclass(frozen=True)
class ReadingOptions:
    """Readings that are made of each layer, and how; all arguments are checked."""

    times: list[float]
    orders: list[float]
    alpha: float
    precision: Precision
    n_neighbors: int | None
    null: Null | None
    n_null: int
    null_follows: bool
    """Whether surrogates follow the rule of a bandwidth, rather than having the number of the layer."""
    seed: int
    solver: SlqOptions | None
    num_threads: int | None


@dataclass(frozen=True)
class LayerReadings:
    """Numbers of one layer, each array of the shape [bandwidths, t, orders]."""

    labels: tuple[Any, ...]
    """The bandwidths: numbers, or the rule where they differ from row to row."""
    n_samples: int
    columns: dict[str, NDArray[Any]]
    null: NDArray[np.float64] | None
    """Entropies of the surrogates, [draws, bandwidths, t, orders]."""


def read_layer(
    data: AnyData, bandwidths: list[Any], n_all: int, options: ReadingOptions, done: Callable[[], Any]
) -> LayerReadings:
    """Compute or estimate the entropies of a layer, of which ``n_all`` rows were given; ``done`` counts data sets."""
    n_neighbors, seed = options.n_neighbors, options.seed
    limit = memory_limit_of(options.solver)
    resolved = kernel_bandwidths(bandwidths, data, n_neighbors, seed, options.num_threads, n_all, limit)
    sigmas = [sigma for sigma, _ in resolved]
    require_single_used(options.precision, data, *sigmas)
    precision = core_precision(options.precision, data, options.times, options.orders)

    def solved(of: AnyData, each: list[Bandwidth]) -> list[Solution]:
        kernels = [diffusion_operator(of, core_bandwidth(sigma), options.alpha, precision) for sigma in each]
        found = kernel_solutions(kernels, options.solver, options.num_threads)
        done()
        return found

    solutions = solved(data, sigmas)
    own = np.array([read_solution(solution, options.times, options.orders) for solution in solutions])
    bits, errors, reach = np.moveaxis(own, 1, 0)
    columns = {
        "entropy": bits,
        "standard_error": errors,
        "lower": bits - reach,
        "upper": bits + reach,
        "saturated": saturation(bits, float(np.log2(data.n_samples))) != 0,
    }
    null: NDArray[np.float64] | None = None
    if options.null is not None:
        surrogates = surrogates_of(data, options.null, seed, BASELINE_STREAM, options.num_threads)
        drawn = []
        for number in range(options.n_null):
            surrogate = surrogates.draw(number, columns=any(map(callable, bandwidths)))
            found = solved(surrogate, _null_bandwidths(surrogate, bandwidths, sigmas, options))
            drawn.append([read_solution(one, options.times, options.orders)[0] for one in found])
            solutions += found
        null = np.array(drawn)
        compared = NullComparison(bits, null, rounding_of(precision, data.n_samples)).columns()
        columns |= {name: compared[name] for name in NULL_COLUMNS}
    if options.solver is not None:
        warn_if_not_converged(solutions, options.solver, MAX_SAMPLES, data.argument)
    labels = tuple(sigma if isinstance(sigma, float) else _label(about) for sigma, about in resolved)
    return LayerReadings(labels, data.n_samples, columns, null)


NULL_COLUMNS = ("null_mean", "null_standard_deviation", "structure", "z", "p_value", "like_noise")
"""Columns that compare a layer with its surrogates."""


def _label(about: dict[str, Any]) -> str:
    return str(about.get("rule", "adaptive"))


def _null_bandwidths(
    surrogate: AnyData, bandwidths: list[Any], sigmas: list[Bandwidth], options: ReadingOptions
) -> list[Bandwidth]:
    """Return the bandwidths of a surrogate: by the rule of each, or those of the layer."""
    each: list[Bandwidth] = []
    for given, sigma in zip(bandwidths, sigmas, strict=True):
        follows = is_rule(given)
        if follows and options.null_follows:
            each.append(
                resolve(
                    given,
                    surrogate,
                    options.n_neighbors,
                    options.seed,
                    options.num_threads,
                    memory_limit=memory_limit_of(options.solver),
                )
            )
            continue
        if follows and np.ndim(sigma):
            raise ValueError(
                "null_bandwidth must be 'own' where a rule of bandwidths gives one number a row, as the numbers of "
                "the rows of a layer say nothing of a surrogate's rows, got 'data'"
            )
        each.append(sigma)
    return each
