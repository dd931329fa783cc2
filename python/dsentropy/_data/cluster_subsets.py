"""Subsets of rows whose entropies a mutual information compares: clusters, and as many random rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.warn import warn
from dsentropy._data.subsets import INNER_MAX_N, Draws, SubsetWarning


def cluster_members(clusters: NDArray[Any]) -> list[NDArray[np.uint64]]:
    """Return the rows of each cluster, in the order of their labels."""
    _, membership = np.unique(clusters, return_inverse=True)
    return [np.flatnonzero(membership == b).astype(np.uint64) for b in range(membership.max() + 1)]


def max_subset_entropy(members: list[NDArray[np.uint64]]) -> float:
    """Return the upper bound of the mean entropy of random subsets as large as the clusters, in bits."""
    sizes = np.array([len(cluster) for cluster in members])
    return float(sizes / sizes.sum() @ np.log2(np.minimum(sizes, INNER_MAX_N)))


def warn_if_cut(members: list[NDArray[np.uint64]], target: str) -> None:
    """Warn where clusters have more rows than an entropy inside a mutual information uses.

    Parameters
    ----------
    members : list of ndarray
        The rows of each cluster.
    target : str
        Name of the argument that gave the clusters.
    """
    sizes = [len(cluster) for cluster in members if len(cluster) > INNER_MAX_N]
    if sizes:
        warn(
            f"{target}: {len(sizes)} of {len(members)} clusters {'has' if len(sizes) == 1 else 'have'} more than "
            f"{INNER_MAX_N} rows, the largest {max(sizes)}; {INNER_MAX_N} random rows of each were used, drawn with "
            f"the seed 0, and as many of all rows. This limit is fixed: to choose the rows, pass no more than "
            f"{INNER_MAX_N} of a cluster",
            SubsetWarning,
        )


class Subsets:
    """Distinct subsets of rows. Equal draws, such as those of clusters of equal size, are kept once."""

    def __init__(self) -> None:
        self.rows: list[NDArray[np.uint64]] = []
        self._numbers: dict[bytes, int] = {}

    def add(self, subset: NDArray[np.uint64]) -> int:
        """Return the number of a subset, new or not."""
        number = self._numbers.setdefault(subset.tobytes(), len(self.rows))
        if number == len(self.rows):
            self.rows.append(subset)
        return number

    def add_cluster(
        self, cluster: NDArray[np.uint64], n: int, repetitions: int, draws: Draws, *, independent: bool = False
    ) -> tuple[int, list[int]]:
        """Return the number of a cluster, and the numbers of random subsets of all n rows of its size.

        They are drawn as the reference draws them. Where a cluster is cut, the reference's subsets are equal from the
        second on, unless they are to be ``independent``.
        """
        own = self.add(draws.limit(cluster))
        draws.restart()
        if independent:
            size = min(len(cluster), INNER_MAX_N)
            return own, [self.add(draws.next(n, size)) for _ in range(repetitions)]
        return own, [self.add(draws.limit(draws.next(n, len(cluster)))) for _ in range(repetitions)]
