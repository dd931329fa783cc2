"""Rounding of computed eigenvalues, which is set to 0.

A symmetric solver finds eigenvalues to within about N eps of the largest. Smaller ones are noise, and powers below 1
would magnify it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def without_rounding(eigenvalues: NDArray[np.float64]) -> NDArray[np.float64]:
    """Set eigenvalues that are not above N eps of the largest to 0."""
    threshold = len(eigenvalues) * np.finfo(np.float64).eps * eigenvalues.max()
    return np.where(eigenvalues > threshold, eigenvalues, 0.0)
