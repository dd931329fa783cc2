"""Operators of a kernel: on rows, on given distances or affinities, and a kernel matrix as it is.

The core builds the matrix and decomposes it in one call, or multiplies with it without storing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows
from dsentropy._checks.pairs import F64_ROUNDOFF, largest_modulus
from dsentropy._checks.progress import Advance
from dsentropy._core import OperatorSpec, Solution
from dsentropy._data.data import Data
from dsentropy._operator.eigenvalue_range import binary_exponent, negative_tol, require_positive_semidefinite
from dsentropy._operator.slq_options import MAX_PRODUCTS, SlqOptions


@dataclass(frozen=True)
class KernelOperator:
    """The diffusion operator, the affinity or the graph of neighbours of a data set."""

    data: Data
    spec: OperatorSpec
    unit_roundoff: ClassVar[float] = F64_ROUNDOFF
    positive: ClassVar[bool] = False
    exponent: ClassVar[int] = 0
    default_products: ClassVar[int] = MAX_PRODUCTS
    node_exponent: ClassVar[int] = 0

    def eigenvalues(self, num_threads: int | None) -> NDArray[np.float64]:
        """Compute the moduli of all eigenvalues."""
        return _core.eigenvalues(self.data.rows, self.data.core_metric, self.spec, num_threads)

    def estimate(self, options: SlqOptions, advance: Advance | None, num_threads: int | None) -> Solution:
        """Estimate the spectrum, or compute it where that costs less."""
        rows, metric = self.data.rows, self.data.core_metric
        return _core.estimate_spectrum(
            rows,
            metric,
            self.spec,
            options,
            progress=advance,
            num_threads=num_threads,
        )

    def subset_eigenvalues(
        self, subsets: list[NDArray[np.uint64]], advance: Advance | None, num_threads: int | None
    ) -> list[NDArray[np.float64]]:
        """Compute the moduli of all eigenvalues of the operator on each subset of the rows."""
        rows, metric = self.data.rows, self.data.core_metric
        return _core.subset_eigenvalues(rows, metric, subsets, self.spec, progress=advance, num_threads=num_threads)

    def estimate_subsets(
        self,
        subsets: list[NDArray[np.uint64]],
        options: SlqOptions,
        advance: Advance | None,
        num_threads: int | None,
    ) -> list[Solution]:
        """Estimate the spectrum on each subset of the rows, with random signs of its own."""
        rows, metric = self.data.rows, self.data.core_metric
        return _core.estimate_subsets(
            rows, metric, subsets, self.spec, options, progress=advance, num_threads=num_threads
        )

    def check_range(self, smallest: float, largest: float) -> None:
        """Accept any range: the largest eigenvalue of a kernel of checked data is positive."""


@dataclass(frozen=True)
class KernelMatrix:
    """A symmetric, positive semi-definite matrix [N, N]."""

    matrix: Rows
    name: str
    """The argument's name, for errors."""
    unit_roundoff: float
    """The unit roundoff of the dtype in which entries were given."""
    positive: ClassVar[bool] = True
    exponent: ClassVar[int] = 0
    default_products: ClassVar[int] = MAX_PRODUCTS

    @property
    def node_exponent(self) -> int:
        """The exponent of the largest power of two that is at most the largest entry."""
        return binary_exponent(largest_modulus(self.matrix))

    def eigenvalues(self, num_threads: int | None) -> NDArray[np.float64]:
        """Compute all eigenvalues, ascending."""
        return _core.symmetric_eigenvalues(self.matrix, num_threads)

    def estimate(self, options: SlqOptions, advance: Advance | None, num_threads: int | None) -> Solution:
        """Estimate the spectrum, or compute it where that costs less."""
        spec = OperatorSpec.affinity(1.0)  # affinities that are given have no bandwidth
        return _core.estimate_spectrum(
            self.matrix,
            "affinity",
            spec,
            options,
            positive_semidefinite=True,
            unit_roundoff=self.unit_roundoff,
            progress=advance,
            num_threads=num_threads,
        )

    def check_range(self, smallest: float, largest: float) -> None:
        """Raise a ValueError unless the matrix is positive semi-definite up to its rounding, and not zero."""
        tol = negative_tol(len(self.matrix), self.unit_roundoff)
        require_positive_semidefinite(smallest, largest, self.name, tol)
