r"""Number, mean and scatter of rows, of blocks that are merged into those of all rows.

With :math:`\delta` the difference of the means of two blocks (Chan, Golub & LeVeque, The American Statistician 37,
1983, doi:10.1080/00031305.1983.10483115)::

    S = S_a + S_b + n_a n_b / (n_a + n_b) delta delta'

All are in units of a power of two near the largest entry, so that no square overflows. Cost: N D^2 flops.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows


@dataclass(frozen=True)
class Moments:
    """The first two moments of rows."""

    n_samples: int
    mean: NDArray[np.float64]
    """The mean row [D], in units of 2^exponent."""
    scatter: NDArray[np.float64]
    """The sums of products of centred columns [D, D], in units of 4^exponent."""
    exponent: int
    first: NDArray[np.float64]
    """The first row, in units of the data."""
    all_equal: bool
    """Whether all rows are equal."""
    largest: float
    """The largest modulus of an entry."""
    unit_roundoff: float
    """The largest unit roundoff of the dtypes of the rows."""

    @classmethod
    def of(cls, rows: Rows, unit_roundoff: float, num_threads: int | None) -> Moments:
        """Compute the moments of a block."""
        found = _core.block_scatter(rows, num_threads)
        return cls(
            len(rows),
            found.mean,
            found.scatter,
            found.exponent,
            rows[0].astype(np.float64),
            bool((rows == rows[0]).all()),
            float(np.abs(rows).max()),
            unit_roundoff,
        )

    def merged(self, other: Moments) -> Moments:
        """Return the moments of the rows of both."""
        exponent = max(self.exponent, other.exponent)
        one, two = self._in_unit(exponent), other._in_unit(exponent)
        n = one.n_samples + two.n_samples
        delta = two.mean - one.mean
        scatter = one.scatter + two.scatter
        between = delta * math.sqrt(one.n_samples * (two.n_samples / n))
        scatter += np.outer(between, between)
        return Moments(
            n,
            one.mean + delta * (two.n_samples / n),
            scatter,
            exponent,
            one.first,
            one.all_equal and two.all_equal and bool((one.first == two.first).all()),
            max(one.largest, two.largest),
            max(one.unit_roundoff, two.unit_roundoff),
        )

    def second_moments(self, *, centred: bool) -> NDArray[np.float64]:
        """Return X' X [D, D] of the centred rows or of the rows as they are, in units of 4^exponent."""
        if centred:
            return self.scatter
        origin = self.mean * math.sqrt(self.n_samples)
        products: NDArray[np.float64] = self.scatter + np.outer(origin, origin)
        return products

    def squared_norm(self) -> float:
        """Return the sum of the squares of all entries, in units of 4^exponent."""
        return float(np.trace(self.scatter) + self.n_samples * (self.mean @ self.mean))

    def _in_unit(self, exponent: int) -> Moments:
        if exponent == self.exponent:
            return self
        shift = self.exponent - exponent
        mean, scatter = np.ldexp(self.mean, shift), np.ldexp(self.scatter, 2 * shift)
        return replace(self, mean=mean, scatter=scatter, exponent=exponent)
