"""Warnings where an entropy of the reference is so near to an end of its range that it says little about the data.

Its bandwidth is ``gaussian_kernel_sigma``, 10 by default in units of the data: too large for rows of length 1, too
small for pixels from 0 to 255. A mutual information is a difference of entropies, so those of its random subsets are
checked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsentropy._checks.arrays import Rows
from dsentropy._spectrum.saturation import warn_if_saturated


@dataclass(frozen=True)
class SaturationCheck:
    """The bandwidth of an entropy, and what the called function can change.

    With ``entries`` the entropy is that of the entries of the row-normalised K. For N rows it is log2 N plus the mean
    entropy of a row, from 0, where a row is similar to itself alone, to log2 N, where it is similar to all alike.
    """

    sigma: float
    t: float | None
    """Diffusion time; None where it plays no part."""
    entries: bool = False

    def warn(self, bits: float, max_entropy: float, rows: Rows | None, of: str = "") -> None:
        """Warn where an entropy is saturated.

        Parameters
        ----------
        bits : float
            The entropy.
        max_entropy : float
            log2 N, or its mean over subsets of N rows.
        rows : ndarray of shape (N, D) or None
            The data; None where eigenvalues were read from a file without them, whose bandwidth is not known.
        of : str
            What follows the name of the entropy in the text.
        """
        subject = f"gaussian_kernel_sigma = {self.sigma:.4g} is"
        if rows is None:
            subject = "the gaussian_kernel_sigma with which the file of eigenvalues was made is"
        collapsed = rows is not None and bool((rows == rows[0]).all())
        warn_if_saturated(
            np.array([[bits - max_entropy if self.entries else bits]]),
            max_entropy,
            [1.0 if self.t is None else self.t],
            [1.0],
            0.0 if collapsed else self.sigma,
            quantity=("the mean entropy of a row of K" if self.entries else "the entropy") + of,
            subject=subject,
            with_t=self.t is not None,
            increasing=self.entries,
        )
