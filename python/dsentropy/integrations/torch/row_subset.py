"""A random subset of rows that arrive in parts, before their number is known.

Each row has a random priority, a function of the seed and its number alone, and those with the k smallest ones are
kept. So of the first n rows the subset is a uniform one, equal at each sweep and for all layers with n rows. Of N
rows about k (1 + ln(N / k)) are taken on the way, and k where N is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class RowSubset:
    """Random subsets of at most ``size`` rows; None takes all."""

    def __init__(self, size: int | None, seed: int) -> None:
        self._size = size
        self._generator = np.random.default_rng(seed)
        self._priorities: NDArray[np.float64] = np.empty(0)
        self._limits: dict[int, float] = {}

    def of(self, n: int, start: int = 0, stop: int | None = None) -> NDArray[np.intp]:
        """Return the numbers of those rows in ``start:stop`` that are in the subset of n rows, ascending."""
        last = n if stop is None else stop
        if self._size is None or n <= self._size:
            return np.arange(start, last)
        if n > len(self._priorities):
            more = self._generator.random(n - len(self._priorities))
            self._priorities = np.concatenate([self._priorities, more])
        if n not in self._limits:
            self._limits[n] = float(np.partition(self._priorities[:n], self._size - 1)[self._size - 1])
        return start + np.flatnonzero(self._priorities[start:last] <= self._limits[n])
