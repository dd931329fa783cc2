"""Subsets of rows whose entropies a mutual information compares: clusters, and as many random rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._data.subsets import INNER_MAX_N, Draws


def cluster_members(clusters: NDArray[Any]) -> list[NDArray[np.uint64]]:
    """Return the rows of each cluster, in the order of their labels."""
    _, membership = np.unique(clusters, return_inverse=True)
    return [np.flatnonzero(membership == b).astype(np.uint64) for b in range(membership.max() + 1)]


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
