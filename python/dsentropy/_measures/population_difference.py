"""Intervals of the population for paired differences: what N other rows would give on average.

    D +- tau_{R-1} s sqrt((N - d) / d),    s the standard deviation of D over R random subsets of N - d rows

is the delete-d jackknife (Shao & Wu, Ann. Statist. 17, 1989) of the difference D of two entropies of the same rows:
both leave out the same rows, so what a row adds to both cancels. Cost: R + 1 entropies of about N rows for each set.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._measures.compared_sets import ComparedSets
from dsentropy._measures.comparison_table import Comparison
from dsentropy._measures.population import LEFT_OUT, entropies_of_rows
from dsentropy._measures.random_subsets import SampledData, SubsetArguments, drawn, require_subsets
from dsentropy._measures.student_interval import RepeatedMean


def require_population(sets: ComparedSets, n_samples: Any, paired: bool, arguments: SubsetArguments) -> int:
    """Check the arguments of an interval of the population, and return the number of rows of a subset."""
    if not paired:
        raise ValueError(
            "paired must be True where interval is 'population': population_interval takes each set alone"
        )
    if arguments.options is not None:
        raise ValueError("solver must be 'exact' where interval is 'population'")
    for data in sets.data[1:]:
        if data.n_samples != sets.data[0].n_samples:
            raise ValueError(
                f"{data.argument} must have as many rows as {sets.data[0].argument} where interval is 'population', "
                f"got {data.n_samples} and {sets.data[0].n_samples}"
            )
    n = sets.data[0].n_samples
    if n < 2:
        raise ValueError(f"{sets.data[0].argument} must have at least two rows, got {n}")
    size = n - max(1, n // LEFT_OUT) if n_samples is None else sets.subset_size(n_samples)
    if size == n:
        raise ValueError(f"n_samples must be below {n}, the number of rows, where interval is 'population', got {n}")
    return size


def compared_populations(
    sets: ComparedSets,
    kernels: list[tuple[Any, Any]],
    repeats: int,
    size: int,
    confidence: float,
    arguments: SubsetArguments,
) -> Comparison:
    """Compare the entropies of all rows, with intervals from subsets of ``size`` rows, the same ones of each set."""
    for data, kernel in zip(sets.data, kernels, strict=True):
        arguments.require_kernel(data, *kernel)
    n = sets.data[0].n_samples
    require_subsets(repeats, size, n, arguments.readings * (len(sets.data) + len(sets.pairs)))
    rows, keys = drawn(repeats, size, n, arguments.seed)
    every = [np.arange(n, dtype=np.uint64), *rows]
    sampled = [
        entropies_of_rows(arguments, data, *kernel, every) for data, kernel in zip(sets.data, kernels, strict=True)
    ]
    bits = [one.entropies.bits for one in sampled]
    for one, own in zip(sampled, bits, strict=True):
        arguments.warn_if_saturated(one, own[0], n, f"the entropy of {one.data.argument}")
    return Comparison(
        **_of_pairs(sets, bits, keys, math.sqrt(size / (n - size)), confidence, arguments),
        **_of_sets(sets, sampled, keys, arguments),
        n_samples=size,
        n_repeats=repeats,
        confidence=confidence,
        paired=True,
        t=tuple(arguments.times),
        order=tuple(arguments.orders),
        interval_of="population",
    )


def _of_sets(
    sets: ComparedSets, sampled: list[SampledData], keys: list[int], arguments: SubsetArguments
) -> dict[str, Any]:
    named = list(zip(sets.names, sampled, strict=True))
    return {
        "names": tuple((sets.names[i], sets.names[j]) for i, j in sets.pairs),
        "values": {name: arguments.drop_axes(one.entropies.bits[1:][keys]) for name, one in named},
        "bandwidth": {name: one.public_bandwidth for name, one in named},
        "n_rows": sets.n_rows,
    }


def _of_pairs(
    sets: ComparedSets,
    bits: list[NDArray[np.float64]],
    keys: list[int],
    scale: float,
    confidence: float,
    arguments: SubsetArguments,
) -> dict[str, Any]:
    """Return the differences of all pairs; ``scale`` makes errors of N rows of deviations of subsets."""
    differences = [bits[i] - bits[j] for i, j in sets.pairs]
    spreads = [RepeatedMean.of(one[1:][keys], None) for one in differences]
    reaches = [scale * one.quantile(confidence) * one.deviation for one in spreads]

    def stacked(values: list[NDArray[np.float64]]) -> Any:
        return arguments.drop_axes(np.array(values) if sets.several else values[0])

    pairs = list(zip(differences, reaches, strict=True))
    return {
        "difference": stacked([one[0] for one in differences]),
        "interval": (stacked([one[0] - r for one, r in pairs]), stacked([one[0] + r for one, r in pairs])),
        "standard_deviation": stacked([one.deviation for one in spreads]),
        "first_entropy": stacked([bits[i][0] for i, _ in sets.pairs]),
        "second_entropy": stacked([bits[j][0] for _, j in sets.pairs]),
    }
