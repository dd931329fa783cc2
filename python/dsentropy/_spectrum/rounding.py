"""Eigenvalues that are rounding, which are set to 0.

A symmetric solver finds eigenvalues of an N x N matrix to within about N eps of the largest. Entries that are given
in a dtype of unit roundoff u add errors E. By Weyl each eigenvalue moves by at most the norm of E, at most about
u |K|_F. Of random errors it is about u |K|_F / sqrt(N) (Bandeira & van Handel, arXiv 1408.6185). So::

    |lambda| <= N eps |lambda|_max                   is rounding of the solver
    |lambda| <= min(-2 lambda_min, 2 u |K|_F)        is rounding of a positive semi-definite K
    |lambda| <= c u |K|_F / sqrt(N)                  is rounding of any other K

A positive semi-definite K shows the size of its errors by its negative eigenvalues. c is 2 for half types, to which
entries are rounded once, and 16 for float32, in which sums are computed. Entries of float64 and integers add nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.pairs import F64_ROUNDOFF

F32_ROUNDOFF = 2.0**-24
"""The unit roundoff of float32."""


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
        The unit roundoff of the entries that the matrix was made of.
    positive : bool
        Whether the matrix is positive semi-definite, so that a negative eigenvalue is rounding.
    floor : float
        A size up to which eigenvalues are known to be rounding.
    """
    moduli = np.maximum(eigenvalues, 0) if positive else np.abs(eigenvalues)
    largest = moduli.max()
    threshold = max(len(moduli) * np.finfo(np.float64).eps * largest, floor)
    if unit_roundoff > F64_ROUNDOFF and largest > 0:
        norm = largest * float(np.linalg.norm(eigenvalues / largest))
        threshold = max(threshold, _of_entries(eigenvalues, norm, unit_roundoff, positive))
    return np.where(moduli > threshold, moduli, 0.0)


def _of_entries(eigenvalues: NDArray[np.float64], norm: float, unit_roundoff: float, positive: bool) -> float:
    """Return the size of eigenvalues that errors of the entries explain; ``norm`` is the Frobenius norm."""
    if positive:
        return min(-2 * float(eigenvalues.min()), 2 * unit_roundoff * norm)
    factor = 2 if unit_roundoff > F32_ROUNDOFF else 16
    return factor * unit_roundoff * norm / float(np.sqrt(len(eigenvalues)))
