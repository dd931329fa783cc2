"""Requirements on the extreme eigenvalues of an operator that was given by its entries or products."""

from __future__ import annotations

import numpy as np

NEGATIVE_TOL = 1e-5
"""How far below zero, relative to the largest, rounding may move an eigenvalue of a positive semi-definite matrix."""


def negative_tol(n_samples: int, unit_roundoff: float) -> float:
    """Return how far below zero an eigenvalue may be, relative to the largest, where entries have this roundoff."""
    return max(NEGATIVE_TOL, float(8 * np.sqrt(n_samples) * unit_roundoff))


def require_positive_semidefinite(smallest: float, largest: float, name: str, tol: float) -> None:
    """Raise a ValueError unless eigenvalues are finite, not all zero and, up to ``tol``, not negative."""
    if not (np.isfinite(smallest) and np.isfinite(largest)):
        raise ValueError(f"{name} must have finite eigenvalues: scale it down")
    if smallest < -tol * max(largest, 0.0):
        raise ValueError(f"{name} must be positive semi-definite, got eigenvalues from {smallest:g} to {largest:g}")
    if largest == 0:
        raise ValueError(f"{name} must not be zero")


def require_nonzero(smallest: float, largest: float, name: str) -> None:
    """Raise a ValueError where all eigenvalues are zero."""
    if smallest == largest == 0:
        raise ValueError(f"{name} must not be zero")
