"""The comparison of entropies with those of surrogates: structure, z and p.

With h the entropy of the data and h_1 ... h_n those of the surrogates,

    structure = mean_k h_k - h,    z = structure / s,    p = #{k from 0 to n: |h_k - m| >= |h - m|} / (n + 1),

where s is the standard deviation of h_1 ... h_n, h_0 = h, and m the mean of all n + 1. Where data and surrogates are
exchangeable, so are the n + 1 distances from m, and p is uniform on 1 / (n + 1), ..., 1 (Phipson & Smyth, SAGMB 9,
2010). Ties count, so p is never too small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._operator.precision import CorePrecision

NOISE_Z = 2.0
"""Standard deviations of the null within which an entropy is as good as noise."""

_ROUNDING = 1e-10
"""Bits by which equal entropies may differ in double precision."""

_SINGLE_FROM = 256
"""Rows from which on single precision is used where it is asked for."""


def rounding_of(precision: CorePrecision, n_samples: int) -> float:
    """Return by how many bits equal entropies may differ, see ``precision`` of :func:`diffusion_spectrum`."""
    if precision == "double" or n_samples < _SINGLE_FROM:
        return _ROUNDING
    return 1e-6 * math.sqrt(n_samples)


@dataclass(frozen=True)
class NullComparison:
    """Entropies of data, of any shape, and of their surrogates, [draws, ...]."""

    value: NDArray[np.float64]
    null: NDArray[np.float64]
    rounding: float
    """Bits by which equal entropies may differ."""

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """The mean over the draws."""
        return np.asarray(self.null.mean(axis=0))

    @cached_property
    def standard_deviation(self) -> NDArray[np.float64]:
        """The spread of the draws: exactly 0 where they differ by rounding alone."""
        differ = np.ptp(self.null, axis=0) > self.rounding
        return np.where(differ, self.null.std(axis=0, ddof=1), 0.0)

    @cached_property
    def structure(self) -> NDArray[np.float64]:
        """The mean of the null minus the value, in bits."""
        return np.asarray(self.mean - self.value)

    @cached_property
    def z(self) -> NDArray[np.float64]:
        """The structure in standard deviations of the null; NaN where those are 0."""
        spread = self.standard_deviation
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0, self.structure / spread, np.nan)

    @cached_property
    def p_value(self) -> NDArray[np.float64]:
        """The part of data and draws that are as far from the mean of all of them as the data are."""
        both = np.concatenate([self.value[None], self.null])
        away = np.abs(both - both.mean(axis=0))
        return np.asarray((away >= away[0] - self.rounding).mean(axis=0))

    @cached_property
    def like_noise(self) -> NDArray[np.bool_]:
        """Mask of values within two standard deviations of the null, or equal to it up to rounding."""
        with np.errstate(invalid="ignore"):
            return np.asarray((np.abs(self.z) < NOISE_Z) | (np.abs(self.structure) <= self.rounding))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return all numbers by the names that results have for them."""
        return {
            "value": self.value,
            "null": self.null,
            "null_mean": self.mean,
            "null_standard_deviation": self.standard_deviation,
            "structure": self.structure,
            "z": self.z,
            "p_value": self.p_value,
            "like_noise": self.like_noise,
        }
