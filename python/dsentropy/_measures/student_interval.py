"""Means over random subsets, and their intervals by Student's t (Biometrika 6, 1908).

    mean +- tau sqrt(s^2 / R + e^2) + b

with s the standard deviation over R subsets, tau the quantile of Student's t, e the sampling error of the mean and b
its truncation bounds, both 0 where entropies are exact. The difference of two independent means has the degrees of
freedom of Welch (Biometrika 34, 1947).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_float
from dsentropy._spectrum.subset_entropies import SubsetEntropies

_NEAR_ONE = 0.9999
"""Confidence from which on the quantile of Student's t is taken from the tail, which has more digits."""


def as_confidence(value: Any) -> float:
    """Convert ``confidence`` to a number between 0 and 1."""
    level = as_float(value, "confidence")
    if not 0 < level < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {printed(value)}")
    return level


@dataclass(frozen=True)
class Uncertainty:
    """Uncertainty of a mean of estimates, an array for each."""

    variance: NDArray[np.float64]
    """Square of the sampling error."""
    bounds: NDArray[np.float64]
    """How far truncation bounds reach."""

    @classmethod
    def of_mean(cls, entropies: SubsetEntropies, keys: list[int]) -> Uncertainty:
        """Compute the uncertainty of the mean over ``keys``, numbers of subsets, where equal ones share an estimate.

        Estimates of different subsets have independent random signs; bounds have one direction in all subsets.
        """
        shares = np.bincount(keys, minlength=len(entropies.bits)) / len(keys)
        variance = np.einsum("s,sto->to", shares**2, entropies.standard_errors**2)
        return cls(variance, np.einsum("s,sto->to", shares, entropies.reaches))


def sum_of(one: Uncertainty | None, other: Uncertainty | None) -> Uncertainty | None:
    """Return an upper bound of the uncertainty of a sum or difference, whatever random signs both share.

    None, of means of exact entropies, where either is None.
    """
    if one is None or other is None:
        return None
    error = np.sqrt(one.variance) + np.sqrt(other.variance)
    return Uncertainty(error**2, one.bounds + other.bounds)


@dataclass(frozen=True)
class RepeatedMean:
    """Mean over independent random subsets, its spread, and what its interval is made of."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    """Standard deviation over the subsets."""
    repeats: int
    degrees_of_freedom: Any
    """Of Student's t: a number, or an array of the shape of the mean."""
    uncertainty: Uncertainty | None
    """None where entropies are exact."""

    @classmethod
    def of(cls, bits: NDArray[np.float64], uncertainty: Uncertainty | None) -> RepeatedMean:
        """Take the mean over the first axis, one entry a subset, of at least two.

        The deviation of equal entropies, whose mean may be rounded, is exactly 0.
        """
        deviation = np.where((bits == bits[0]).all(axis=0), 0.0, bits.std(axis=0, ddof=1))
        return cls(bits.mean(axis=0), deviation, len(bits), len(bits) - 1, uncertainty)

    def minus(self, other: RepeatedMean) -> RepeatedMean:
        """Return the difference of the means of two independent draws of as many subsets."""
        one, two = self.deviation**2, other.deviation**2
        total, squares = one + two, one**2 + two**2
        equal = np.full_like(total, self.degrees_of_freedom)
        freedom = np.divide(self.degrees_of_freedom * total**2, squares, out=equal, where=squares > 0)
        uncertainty = sum_of(self.uncertainty, other.uncertainty)
        return RepeatedMean(self.mean - other.mean, np.sqrt(total), self.repeats, freedom, uncertainty)

    def divided(self, number: float) -> RepeatedMean:
        """Return the mean in another unit."""
        known = self.uncertainty
        if known is not None:
            known = Uncertainty(known.variance / number**2, known.bounds / number)
        return replace(self, mean=self.mean / number, deviation=self.deviation / number, uncertainty=known)

    def quantile(self, confidence: float) -> Any:
        """Return the quantile of Student's t: how many standard errors an interval reaches to either side.

        Near 1, where (1 + confidence) / 2 would round to 1, it is that of the upper tail, which is exact.
        """
        from scipy.special import stdtrit

        if confidence > _NEAR_ONE:
            return -stdtrit(self.degrees_of_freedom, (1 - confidence) / 2)
        return stdtrit(self.degrees_of_freedom, (1 + confidence) / 2)

    def interval(self, confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return both ends of the confidence interval of the expected value of a random subset."""
        quantile = self.quantile(confidence)
        if self.uncertainty is None:
            reach = quantile * self.deviation / np.sqrt(self.repeats)
        else:
            variance = self.deviation**2 / self.repeats + self.uncertainty.variance
            reach = quantile * np.sqrt(variance) + self.uncertainty.bounds
        return self.mean - reach, self.mean + reach
