"""Subsets of rows whose entropies a mutual information compares: clusters, and as many random rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.memory import require_bytes
from dsentropy._checks.warn import warn
from dsentropy._data.subsets import INNER_MAX_N, Draws, SubsetWarning

_BYTES_OF_SUBSET = 600
"""Bytes of a subset beside its rows: four objects of Python, and a place in a dictionary."""

_BYTES_OF_ROW = 40
"""Bytes of a row in a subset: its number, as an integer and in a key, and eigenvalues while entropies are read."""

_BYTES_OF_READING = 48
"""Bytes of an entropy of a subset at one t and order: with its errors, twice."""


def require_draws(what: str, subsets: int, rows: int, readings: int, *ways: str) -> None:
    """Raise a MemoryError, before any draw, where random subsets and their entropies do not fit into memory.

    Parameters
    ----------
    what : str
        The argument that gave the number of subsets, and its value.
    subsets, rows : int
        The number of subsets, and of all rows in them.
    readings : int
        Entropies that are read off each.
    *ways : str
        What the caller can do, in arguments of the function that was called.
    """
    needed = subsets * (_BYTES_OF_SUBSET + readings * _BYTES_OF_READING) + rows * _BYTES_OF_ROW
    require_bytes(what, rows, needed, *ways)


def require_repeats(
    name: str, repeats: int, *members: list[NDArray[np.uint64]], seed: int | None, readings: int
) -> None:
    """Raise a MemoryError, before any draw, where the random subsets of all clusters do not fit into memory.

    Parameters
    ----------
    name : str
        The argument that gave the number of random subsets of each cluster.
    repeats : int
        Its value.
    *members : list of ndarray
        The rows of each cluster, a list for each set of rows that subsets are drawn from.
    seed : int or None
        With a seed, clusters of equal size in one set of rows have the same random subsets.
    readings : int
        Entropies that are read off each.
    """
    drawn: list[int] = []
    for clusters in members:
        sizes = [min(len(cluster), INNER_MAX_N) for cluster in clusters]
        drawn += sizes if seed is None else {*sizes}
    what = f"{name} = {repeats} for {sum(map(len, members))} clusters"
    require_draws(what, repeats * len(drawn), repeats * sum(drawn), readings, f"a smaller {name}")


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
