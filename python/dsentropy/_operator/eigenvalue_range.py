"""Requirements on the extreme eigenvalues of an operator that was given by its entries or products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_EXPONENT = -900
"""Units from this on, in which eigenvalues down to eps of the largest are normal numbers."""

NEGATIVE_TOL = 1e-5
"""How far below zero, relative to the largest, rounding may move an eigenvalue of a positive semi-definite matrix."""


GIVE_THE_DTYPE = (
    "where its entries were computed in less than float64, give it in that dtype or compute it in float64"
)
"""The way out where an eigenvalue of a matrix is negative by more than rounding."""


def negative_tol(n_samples: int, unit_roundoff: float) -> float:
    """Return how far below zero an eigenvalue may be, relative to the largest, where entries have this roundoff."""
    return max(NEGATIVE_TOL, float(8 * np.sqrt(n_samples) * unit_roundoff))


def binary_exponent(largest: float) -> int:
    """Return the exponent of the largest power of two that is at most a number, or -1022 for one that is less."""
    return max(int(np.frexp(largest)[1]) - 1, -1022)


def as_given(eigenvalues: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Return eigenvalues in the unit of what was given, from the core's unit of this binary exponent.

    They stay in the core's unit where they would overflow or lose digits, which no entropy sees.
    """
    if exponent < LEAST_EXPONENT:
        return eigenvalues
    with np.errstate(over="ignore"):
        given = np.ldexp(eigenvalues, exponent)
    return given if np.isfinite(given).all() else eigenvalues


def require_positive_semidefinite(
    smallest: float, largest: float, name: str, tol: float, way: str = GIVE_THE_DTYPE
) -> None:
    """Raise a ValueError unless eigenvalues are finite, not all zero and, up to ``tol``, not negative."""
    if not (np.isfinite(smallest) and np.isfinite(largest)):
        raise ValueError(f"{name} must have finite eigenvalues: scale it down")
    if smallest < -tol * max(largest, 0.0):
        explained = f", and rounding explains {-tol * largest:.2g}" if largest > 0 else ""
        found = f"eigenvalues from {smallest:g} to {largest:g}{explained}"
        raise ValueError(f"{name} must be positive semi-definite, got {found}: {way}")
    if largest == 0:
        raise ValueError(f"{name} must not be zero")


def require_nonzero(smallest: float, largest: float, name: str) -> None:
    """Raise a ValueError where all eigenvalues are zero."""
    if smallest == largest == 0:
        raise ValueError(f"{name} must not be zero")
