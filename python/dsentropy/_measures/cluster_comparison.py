"""The comparison behind a mutual information: clusters against random rows, and against permuted clusters.

With weights p(b), the information is ``sum_b p(b) (mean_r H(random subset r of the size of b) - H(b))``. Each
distinct subset has one entropy. The standard error follows from how many rows random subsets share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._data.cluster_subsets import (
    Subsets,
    cluster_members,
    max_subset_entropy,
    require_draws,
    require_repeats,
)
from dsentropy._data.subsets import Draws
from dsentropy._spectrum.subset_entropies import SubsetEntropies

_ROUNDING = 1e-10
"""Bits by which equal informations may differ."""


@dataclass(frozen=True)
class ClusterComparison:
    """Clusters, random subsets as large as they are, and what permutations make of the clusters."""

    members: list[NDArray[np.uint64]]
    """The rows of each cluster."""
    subsets: Subsets
    """All distinct subsets; the fields below are their numbers."""
    own: list[int]
    """The subset of each cluster."""
    random: NDArray[np.int64]
    """The random subsets of each cluster, [clusters, repeats]."""
    permuted: NDArray[np.int64] | None
    """The subsets of permuted clusters, [permutations, clusters]; None without permutations."""

    @classmethod
    def of(
        cls, labels: NDArray[Any], repeats: int, permutations: int, seed: int | None, readings: int = 1
    ) -> ClusterComparison:
        """Draw the random subsets and the permutations, if they and as many readings of each fit into memory."""
        n = len(labels)
        members = cluster_members(labels)
        require_repeats("n_repeats", repeats, members, seed=seed, readings=readings)
        what = f"n_permutations = {permutations} of {len(members)} clusters"
        require_draws(what, permutations * len(members), permutations * n, readings, "a smaller n_permutations")
        subsets, draws = Subsets(), Draws(seed)
        keys = [subsets.add_cluster(cluster, n, repeats, draws, independent=True) for cluster in members]
        permuted = [_permuted(members, rows, subsets) for rows in _permutations(n, permutations, seed)]
        own, random = [key for key, _ in keys], np.array([among for _, among in keys])
        return cls(members, subsets, own, random, np.array(permuted) if permutations else None)

    @property
    def n_samples(self) -> int:
        """The number of rows, N."""
        return sum(len(cluster) for cluster in self.members)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """The part of the rows that each cluster has."""
        return np.array([len(cluster) / self.n_samples for cluster in self.members])

    @property
    def cluster_entropy(self) -> float:
        """Shannon's entropy of the clusters, in bits."""
        return float(-(self.weights * np.log2(self.weights)).sum()) + 0.0

    @property
    def max_entropy(self) -> float:
        """The upper bound of the mean entropy of the random subsets, in bits."""
        return max_subset_entropy(self.members)


@dataclass(frozen=True)
class ClusterReadings:
    """The information, its error and its distribution under permutations, read off the entropies of all subsets."""

    comparison: ClusterComparison
    entropies: SubsetEntropies

    @cached_property
    def bits(self) -> NDArray[np.float64]:
        """Entropies of order 1, [subsets, times]."""
        return self.entropies.bits[..., 0]

    @cached_property
    def of_random(self) -> NDArray[np.float64]:
        """Entropies of random subsets, [clusters, repeats, times]."""
        return self.bits[self.comparison.random]

    @cached_property
    def random_entropy(self) -> NDArray[np.float64]:
        """The mean entropy of random subsets, weighted over the clusters, [times]."""
        mean: NDArray[np.float64] = self.comparison.weights @ self.of_random.mean(axis=1)
        return mean

    @cached_property
    def value(self) -> NDArray[np.float64]:
        """The information, [times]."""
        return self.random_entropy - self.comparison.weights @ self.bits[self.comparison.own]

    @cached_property
    def null(self) -> NDArray[np.float64] | None:
        """The information of permuted clusters, [permutations, times]."""
        if self.comparison.permuted is None:
            return None
        of_permuted = np.einsum("b,pbt->pt", self.comparison.weights, self.bits[self.comparison.permuted])
        informations: NDArray[np.float64] = self.random_entropy - of_permuted
        return informations

    @property
    def null_per_cluster(self) -> NDArray[np.float64] | None:
        """The information of each permuted cluster, [permutations, clusters, times]."""
        if self.comparison.permuted is None:
            return None
        informations: NDArray[np.float64] = self.of_random.mean(axis=1) - self.bits[self.comparison.permuted]
        return informations

    def p_value(self) -> NDArray[np.float64] | None:
        """Return the part of the permutations whose information is at least the value, [times]."""
        return None if self.null is None else permutation_p_value(self.value, self.null)

    def z(self) -> NDArray[np.float64] | None:
        """Return how many standard deviations of the permutations the value is above their mean, [times]."""
        return None if self.null is None else standard_score(self.value, self.null)

    def standard_error(self) -> NDArray[np.float64]:
        """Return the error of the value, [times], with the uncertainty of estimates; NaN for one repeat."""
        variance, bounds = self.uncertainty()
        total: NDArray[np.float64] = np.sqrt(variance) + bounds
        return total

    def uncertainty(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the variance of the value over random subsets and probes, and how far truncation bounds reach.

        Both have the shape [times]; the variance is NaN for one repeat.
        """
        comparison, (_, repeats, times) = self.comparison, self.of_random.shape
        if repeats == 1:
            return np.full(times, np.nan), np.zeros(times)
        rows = [[comparison.subsets.rows[key] for key in keys] for keys in comparison.random]
        error = _standard_error(self.of_random, comparison.weights, rows, comparison.n_samples)
        shares = np.zeros(len(self.bits))
        np.subtract.at(shares, comparison.own, comparison.weights)
        np.add.at(shares, comparison.random, comparison.weights[:, None] / repeats)
        sampling, bounds = self.entropies.standard_errors[..., 0], self.entropies.reaches[..., 0]
        return error**2 + shares**2 @ sampling**2, np.abs(shares) @ bounds

    def table(self, of_cluster: dict[str, list[Any]], times: list[float]) -> dict[str, list[Any]]:
        """Return columns of a table with one row a cluster and t, after those that say what each cluster is."""
        entropy, random_entropy = self.bits[self.comparison.own], self.of_random.mean(axis=1)
        n = len(times)
        return {
            **of_cluster,
            "size": np.repeat([len(cluster) for cluster in self.comparison.members], n).tolist(),
            "t": times * len(entropy),
            "entropy": entropy.ravel().tolist(),
            "random_entropy": random_entropy.ravel().tolist(),
            "information": (random_entropy - entropy).ravel().tolist(),
        }


def permutation_p_value(value: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the part of the permutations whose information is at least the value, which is counted among them."""
    reached: NDArray[np.float64] = (1 + (null >= value - _ROUNDING).sum(axis=0)) / (1 + len(null))
    return reached


def standard_score(value: NDArray[np.float64], null: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the value less the mean of the null over its standard deviation; NaN where that is 0 up to rounding.

    The standard deviation has the divisor n - 1, so that of one permutation is NaN.
    """
    if len(null) == 1:
        return np.full_like(value, np.nan)
    spread = null.std(axis=0, ddof=1)
    score = np.full_like(value, np.nan)
    np.divide(value - null.mean(axis=0), spread, out=score, where=spread > _ROUNDING)
    return score


def _standard_error(
    bits: NDArray[np.float64], weights: NDArray[np.float64], rows: list[list[NDArray[np.uint64]]], n: int
) -> NDArray[np.float64]:
    """Compute the error of the weighted sum of means over repeats, for bits [clusters, repeats, times].

    Subsets of k and l of n rows that share m have means with the correlation (m / k l - 1 / n) / sqrt((1 / k - 1 / n)
    (1 / l - 1 / n)), and an entropy is, to first order, such a mean. The draws of clusters of unequal size come from
    one stream of random numbers, which they cut at different places, so what they share crosses repeats.
    """
    repeats = bits.shape[1]
    sizes, first, which = np.unique(
        [len(of_cluster[0]) for of_cluster in rows], return_index=True, return_inverse=True
    )
    drawn = np.array([np.bincount(np.concatenate(rows[b]), minlength=n) for b in first], dtype=np.float64)
    shared = drawn @ drawn.T  # over all pairs of repeats
    variances = 1 / sizes - 1 / n
    scale = repeats * np.sqrt(np.outer(variances, variances))
    difference = shared / np.outer(sizes, sizes) - repeats**2 / n
    correlations = np.divide(difference, scale, out=np.zeros_like(scale), where=scale > 0)
    np.fill_diagonal(correlations, 1)  # of one size the same subsets, independent from repeat to repeat
    parts = np.zeros((len(sizes), bits.shape[2]))
    np.add.at(parts, which, weights[:, None] * bits.std(axis=1, ddof=1))
    variance: NDArray[np.float64] = np.einsum("bt,bc,ct->t", parts, correlations, parts) / repeats
    return np.sqrt(np.maximum(variance, 0))


def _permutations(n: int, number: int, seed: int | None) -> Iterator[NDArray[np.int64]]:
    generator = np.random.default_rng(None if seed is None else [seed % 2**64, 1])
    for _ in range(number):
        yield generator.permutation(n)


def _permuted(members: list[NDArray[np.uint64]], permutation: NDArray[np.int64], subsets: Subsets) -> list[int]:
    """Return the numbers of the subsets that a permutation makes of the clusters."""
    draws = Draws(0)
    rows = permutation.astype(np.uint64)
    return [subsets.add(draws.limit(np.sort(rows[cluster]))) for cluster in members]
