"""The comparison of clusters with random rows within each class of another variable, and its readings.

Each class has a comparison of its own rows, with random numbers of its own; their subsets are computed together.
Means over the classes are weighted by their sizes. Permutations stay within the classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._data.cluster_subsets import cluster_members, require_draws, require_repeats, warn_if_cut
from dsentropy._data.target import Classes
from dsentropy._measures.cluster_comparison import (
    ClusterComparison,
    ClusterReadings,
    permutation_p_value,
    standard_score,
)
from dsentropy._spectrum.subset_entropies import SubsetEntropies

_CLASSES = 2
"""Stream of the seeds of classes; permutations have 1."""


@dataclass(frozen=True)
class ConditionalComparison:
    """The comparison of clusters and random rows within each class; their subsets are those of the class's rows."""

    rows: list[NDArray[np.uint64]]
    """The rows of each class."""
    comparisons: list[ClusterComparison]

    @classmethod
    def of(
        cls,
        clusters: NDArray[Any],
        classes: NDArray[Any],
        repeats: int,
        permutations: int,
        seed: int | None,
        readings: int,
    ) -> ConditionalComparison:
        """Draw random subsets and permutations within each class, if they fit into memory."""
        rows, n = cluster_members(classes), len(classes)
        members = [cluster_members(clusters[of_class]) for of_class in rows]
        pairs = sum(map(len, members))
        require_repeats("n_repeats", repeats, *members, seed=seed, readings=readings)
        what = f"n_permutations = {permutations} of {pairs} clusters within {len(rows)} classes"
        require_draws(what, permutations * pairs, permutations * n, readings, "a smaller n_permutations")
        comparisons = [
            ClusterComparison.of(clusters[of_class], repeats, permutations, _seed(seed, place), readings)
            for place, of_class in enumerate(rows)
        ]
        warn_if_cut([cluster for comparison in comparisons for cluster in comparison.members], "target")
        return cls(rows, comparisons)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """The part of the rows that each class has."""
        sizes = np.array([len(of_class) for of_class in self.rows], dtype=np.float64)
        shares: NDArray[np.float64] = sizes / sizes.sum()
        return shares

    @property
    def ceiling(self) -> float:
        """The conditional entropy of the clusters, in bits."""
        return float(self.weights @ [comparison.cluster_entropy for comparison in self.comparisons])

    @property
    def max_entropy(self) -> float:
        """The upper bound of the mean entropy of random subsets, in bits."""
        return float(self.weights @ [comparison.max_entropy for comparison in self.comparisons])

    def subsets(self) -> list[NDArray[np.uint64]]:
        """Return the subsets of all classes, one class after the other, by the numbers of rows of the data."""
        return [
            of_class[subset]
            for of_class, comparison in zip(self.rows, self.comparisons, strict=True)
            for subset in comparison.subsets.rows
        ]


@dataclass(frozen=True)
class ConditionalReadings:
    """Means over the classes of what is read within each, weighted by their sizes."""

    comparison: ConditionalComparison
    each: list[ClusterReadings]

    @classmethod
    def of(cls, comparison: ConditionalComparison, entropies: SubsetEntropies) -> ConditionalReadings:
        """Share the entropies of all subsets out among the classes."""
        each, start = [], 0
        for of_class in comparison.comparisons:
            stop = start + len(of_class.subsets.rows)
            each.append(ClusterReadings(of_class, entropies.part(start, stop)))
            start = stop
        return cls(comparison, each)

    def _mean(self, of_classes: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = np.tensordot(self.comparison.weights, np.array(of_classes), axes=1)
        return mean

    @cached_property
    def value(self) -> NDArray[np.float64]:
        """The information, [times]."""
        return self._mean([read.value for read in self.each])

    @property
    def random_entropy(self) -> NDArray[np.float64]:
        """The mean entropy of random subsets, [times]."""
        return self._mean([read.random_entropy for read in self.each])

    def standard_error(self) -> NDArray[np.float64]:
        """Return the error of the value, [times]: subsets of different classes are independent, bounds are added."""
        variances, bounds = zip(*(read.uncertainty() for read in self.each), strict=True)
        total: NDArray[np.float64] = np.sqrt(self.comparison.weights**2 @ np.array(variances)) + self._mean(
            list(bounds)
        )
        return total

    def test(self) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None, NDArray[np.float64] | None]:
        """Return p_value, z and null of permutations within the classes; None without any."""
        nulls = [read.null for read in self.each if read.null is not None]
        if not nulls:
            return None, None, None
        null = self._mean(nulls)
        return permutation_p_value(self.value, null), standard_score(self.value, null), null

    def table(self, classes: Classes, times: list[float]) -> dict[str, list[Any]]:
        """Return columns of a table with one row a class and t."""
        n = len(times)
        named = classes.columns(n)
        untested = np.full(n, np.nan)
        of_times = {
            "information": [read.value for read in self.each],
            "standard_error": [read.standard_error() for read in self.each],
            "p_value": [untested if (p := read.p_value()) is None else p for read in self.each],
            "z": [untested if (z := read.z()) is None else z for read in self.each],
        }
        of_classes: dict[str, list[Any]] = {
            "clusters": [len(comparison.members) for comparison in self.comparison.comparisons],
            "ceiling": [comparison.cluster_entropy for comparison in self.comparison.comparisons],
        }
        return {
            "given": named.pop("cluster"),
            **named,
            "size": np.repeat([len(rows) for rows in self.comparison.rows], n).tolist(),
            "t": times * len(self.each),
            **{name: np.ravel(numbers).tolist() for name, numbers in of_times.items()},
            **{name: np.repeat(numbers, n).tolist() for name, numbers in of_classes.items()},
        }


def _seed(seed: int | None, place: int) -> int | None:
    """Return the seed of a class, which of the first is that of the call, so that one class is no other case."""
    if seed is None or place == 0:
        return seed
    return int(np.random.default_rng([seed % 2**64, _CLASSES, place]).integers(2**63))
