"""Eigenvalues that are rounding, which are set to 0.

A symmetric solver finds eigenvalues of an N x N matrix to within about N eps of the largest. Entries of a kernel that
is given in a dtype of unit roundoff u have errors E. By Weyl each eigenvalue moves by at most the norm of E, which is
at most about u |K|_F. So::

    |lambda| <= N eps |lambda|_max                   is rounding of the solver
    lambda <= min(-2 lambda_min, 2 u |K|_F)          is rounding of a positive semi-definite K

A positive semi-definite K shows the size of E by its negative eigenvalues. The factors leave room for entries that
are sums of products in that dtype. Entries of float64 and integers add nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.pairs import F64_ROUNDOFF


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
    return np.where(moduli > threshold, moduli, 0.0)
