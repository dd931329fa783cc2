"""Eigenvalues that are rounding, which are set to 0.

A symmetric solver finds eigenvalues of an N x N matrix to within about N eps of the largest. Entries of a kernel that
is given in a dtype of unit roundoff u have errors E. By Weyl each eigenvalue moves by at most the norm of E, which is
at most about u |K|_F, and of random errors on m of N dimensions about u |K|_F sqrt(m) / N. So::

    |lambda| <= N eps |lambda|_max                   is rounding of the solver
    lambda <= min(-2 lambda_min, 2 u |K|_F)          is rounding of a positive semi-definite K
    lambda <= 2 u |K|_F sqrt(m) / N                  is too, of the m-th smallest eigenvalue

Negative eigenvalues of a positive semi-definite K show the size of E; few errors may all be positive, hence the third
line. Kernels of float32 are mostly sums of products in float32, whose errors are larger, so m is N. Half types mostly
hold rounded sums of float32. Entries of float64 and integers add nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.pairs import F32_ROUNDOFF, F64_ROUNDOFF


def without_rounding(
    eigenvalues: NDArray[np.float64],
    unit_roundoff: float = F64_ROUNDOFF,
    *,
    positive: bool = False,
    floor: float = 0.0,
) -> NDArray[np.float64]:
    """Return moduli of eigenvalues, with those that are rounding set to 0.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n,)
        Finite. Those of a positive semi-definite matrix have their signs.
    unit_roundoff : float
        The unit roundoff of the entries of a positive semi-definite matrix.
    positive : bool
        Whether the matrix is positive semi-definite, so that a negative eigenvalue is rounding.
    floor : float
        A size up to which eigenvalues are known to be rounding.
    """
    moduli = np.maximum(eigenvalues, 0) if positive else np.abs(eigenvalues)
    largest = moduli.max()
    threshold = max(len(moduli) * np.finfo(np.float64).eps * largest, floor)
    if positive and unit_roundoff > F64_ROUNDOFF:
        norm = largest * float(np.linalg.norm(eigenvalues / largest))
        threshold = max(threshold, min(-2 * float(eigenvalues.min()), 2 * unit_roundoff * norm))
        threshold = max(threshold, _random_errors(eigenvalues, unit_roundoff, norm))
    return np.where(moduli > threshold, moduli, 0.0)


def _random_errors(eigenvalues: NDArray[np.float64], unit_roundoff: float, norm: float) -> float:
    """Return the size of eigenvalues that random errors of entries explain; ``norm`` is that of Frobenius."""
    n = len(eigenvalues)
    if unit_roundoff <= F32_ROUNDOFF:
        return 2 * unit_roundoff * norm / float(np.sqrt(n))
    explained = 2 * unit_roundoff * norm * np.sqrt(np.arange(1, n + 1)) / n
    return float(explained[np.sort(eigenvalues) <= explained].max(initial=0.0))
