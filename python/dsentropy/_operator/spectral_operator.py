"""The interface between operators and solvers: eigenvalues, or an estimate from matrix-vector products.

Kernels of rows or pairs, graphs of neighbours, sparse matrices, objects that multiply and dask arrays all have it, so
one function solves them all (:func:`dsentropy._spectrum.problem.solve`).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.progress import Advance
from dsentropy._core import Solution
from dsentropy._operator.slq_options import SlqOptions


class SpectralOperator(Protocol):
    """A symmetric operator [N, N] whose spectrum can be computed or estimated."""

    @property
    def unit_roundoff(self) -> float:
        """The unit roundoff of the entries as they were given; float64's where the core computed them."""

    @property
    def positive(self) -> bool:
        """Whether a negative eigenvalue is rounding."""

    @property
    def exponent(self) -> int:
        """The binary exponent of the unit in which the core returns eigenvalues; 0 where they are as given."""

    @property
    def node_exponent(self) -> int:
        """The binary exponent of the unit in which the core returns nodes of an estimate."""

    @property
    def default_products(self) -> int:
        """The number of matrix-vector products after which an estimate ends, by default."""

    def eigenvalues(self, num_threads: int | None) -> NDArray[np.float64]:
        """Compute all eigenvalues, or their moduli."""

    def estimate(self, options: SlqOptions, advance: Advance | None, num_threads: int | None) -> Solution:
        """Estimate the spectrum, or compute all eigenvalues where that costs less and fits into memory."""

    def check_range(self, smallest: float, largest: float) -> None:
        """Raise a ValueError where these extreme eigenvalues are not allowed."""
