"""Random subsets of rows: those of the reference, row for row, without a change of the global generator.

The reference seeds Python's global generator and calls ``random.sample``. Here a generator of its own yields equal
rows. Only with the seed None, where the reference does not seed, are draws taken from the global generator.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INNER_MAX_N = 10_000
"""Number of rows beyond which an entropy inside a mutual information draws a subset, with the seed 0."""


class SubsetWarning(UserWarning):
    """A random subset of the rows was used, because there are more than a limit that holds by default.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectral_entropy
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     bits = diffusion_spectral_entropy(X, gaussian_kernel_sigma=1, max_N=50)
    >>> caught[0].category.__name__
    'SubsetWarning'
    """


def draw(n: int, size: int, seed: int | None) -> NDArray[np.uint64]:
    """Return ``size`` of the numbers below ``n``, in random order."""
    return Draws(seed).next(n, size)


class Draws:
    """Draws of one mutual information, in the sequence of the reference."""

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self.restart()

    def restart(self) -> None:
        """Seed the generator again, as the reference does at each cluster."""
        import random  # not loaded by NumPy

        if self._seed is not None:
            self._generator: random.Random = random.Random(self._seed)
        elif not hasattr(self, "_generator"):
            self._generator = random._inst

    def next(self, n: int, size: int) -> NDArray[np.uint64]:
        """Return the next ``size`` of the numbers below ``n``, in random order."""
        return np.array(self._generator.sample(range(n), k=size), dtype=np.uint64)

    def limit(self, rows: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the rows that an entropy inside a mutual information is computed from.

        Where there are more than :data:`INNER_MAX_N`, the reference seeds the global generator with 0 and draws from
        it, and its next draw continues from there.
        """
        import random

        if len(rows) <= INNER_MAX_N:
            return rows
        self._generator = random.Random(0)
        return rows[self.next(len(rows), INNER_MAX_N)]
