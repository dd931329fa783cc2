"""The reference's random subsets, row for row, without touching anybody's generator.

The reference seeds Python's global generator and calls ``random.sample``. The same rows come from a generator of our
own. Only with the seed None, where the reference does not seed, are draws taken from the global generator.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INNER_MAX_N = 10_000
"""Rows beyond which an entropy inside a mutual information draws a subset, with the seed 0."""


def draw(n: int, size: int, seed: int | None) -> NDArray[np.uint64]:
    """``size`` of the numbers below ``n``, in random order."""
    return Draws(seed).next(n, size)


class Draws:
    """The reference's sequence of draws in one mutual information."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self.restart()

    def restart(self) -> None:
        """Seed again, as the reference does at each cluster."""
        import random  # not loaded by NumPy

        if self._seed is not None:
            self._generator: random.Random = random.Random(self._seed)
        elif not hasattr(self, "_generator"):
            self._generator = random._inst

    def next(self, n: int, size: int) -> NDArray[np.uint64]:
        """``size`` of the numbers below ``n``."""
        return np.array(self._generator.sample(range(n), k=size), dtype=np.uint64)

    def limit(self, rows: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The rows of which the reference's inner entropy is taken.

        Where there are too many, it seeds the global generator with 0 and draws from it, and the next draw
        continues from there.
        """
        import random

        if len(rows) <= INNER_MAX_N:
            return rows
        self._generator = random.Random(0)
        return rows[self.next(len(rows), INNER_MAX_N)]
