"""The diffusion operator, or the affinity, of rows on a device of PyTorch.

Products are computed on the device, recurrences and quadrature by the core. The exact solver computes on the device
where that pays (:mod:`dsentropy._operator.torch_eigenvalues`), else from a copy of the rows on the processor. See
:mod:`dsentropy._operator.torch_affinity` for the cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.pairs import F64_ROUNDOFF
from dsentropy._checks.progress import Advance
from dsentropy._core import CallbackAffinity, OperatorSpec, Solution
from dsentropy._data.device_rows import DeviceRows
from dsentropy._operator import torch_eigenvalues
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.precision import CorePrecision
from dsentropy._operator.slq_options import MAX_PRODUCTS, SlqOptions
from dsentropy._operator.torch_affinity import TorchAffinity
from dsentropy._operator.torch_memory import DeviceMemory

EXACT_UP_TO = 4000
"""Rows up to which a device computes all eigenvalues in place of an estimate: in .1 s on an H200."""

_SPEED = 16.0
"""How many times as fast as the core an accelerator multiplies, to decide what costs less. It is not measured."""


@dataclass(frozen=True)
class TorchOperator:
    """The diffusion operator of rows on a device, or their affinity."""

    data: DeviceRows
    bandwidth: Bandwidth
    """Positive."""
    alpha: float | None
    """The exponent of the density; None for the affinity."""
    row_weights: NDArray[np.float64] | None = None
    """How many rows each row counts as; None where each is one."""
    precision: CorePrecision = "double"
    """The precision in which the core decomposes a copy."""
    unit_roundoff: ClassVar[float] = F64_ROUNDOFF
    positive: ClassVar[bool] = False
    exponent: ClassVar[int] = 0
    default_products: ClassVar[int] = MAX_PRODUCTS
    node_exponent: ClassVar[int] = 0

    @cached_property
    def solves_on_device(self) -> bool:
        """Whether the exact solver computes on the device, and not on a copy of the rows on the processor."""
        return torch_eigenvalues.pays(self.data, self.bandwidth)

    def eigenvalues(self, num_threads: int | None) -> NDArray[np.float64]:
        """Compute the moduli of all eigenvalues, on the device or from a copy of the rows on the processor."""
        if self.solves_on_device:
            return np.abs(torch_eigenvalues.eigenvalues(self.data, self.bandwidth, self.alpha, self.row_weights))
        return _core.eigenvalues(self.data.rows, self.data.core_metric, self.spec, num_threads)

    def estimate(self, options: SlqOptions, advance: Advance | None, num_threads: int | None) -> Solution:
        """Estimate the spectrum, or compute it, on the device or from products, where that costs less."""
        if self._costs_less_exactly(options):
            return Solution.exact(self.eigenvalues(num_threads))
        affinity = TorchAffinity(self.data, self.bandwidth, options)
        operator = CallbackAffinity(
            affinity.product,
            affinity.moments,
            self.data.n_samples,
            alpha=self.alpha,
            error=affinity.error,
            rounding=affinity.rounding,
            # A kernel of one bandwidth a row need not be positive definite.
            positive_semidefinite=isinstance(self.bandwidth, float),
            row_weights=self.row_weights,
            speed=1.0 if self.data.device == "cpu" else _SPEED,
        )
        return _core.estimate_operator(operator, options, progress=advance, num_threads=num_threads)

    def subset_eigenvalues(
        self, subsets: list[NDArray[np.uint64]], advance: Advance, num_threads: int | None
    ) -> list[NDArray[np.float64]]:
        """Compute the moduli of all eigenvalues on each subset: on the device where that pays, else by the core."""
        found = {}
        for place, chosen in enumerate(subsets):
            if len(chosen) >= torch_eigenvalues.MIN_ROWS:
                operator = self._on(chosen)
                if operator.solves_on_device:
                    found[place] = operator.eigenvalues(num_threads)
                    advance(len(found), math.nan)
        others = [place for place in range(len(subsets)) if place not in found]
        if others:
            done = len(found)
            computed = _core.subset_eigenvalues(
                self.data.rows,
                self.data.core_metric,
                [subsets[place] for place in others],
                self.spec,
                progress=lambda number, _: advance(done + number, math.nan),
                num_threads=num_threads,
            )
            found |= dict(zip(others, computed, strict=True))
        return [found[place] for place in range(len(subsets))]

    def estimate_subsets(
        self,
        subsets: list[NDArray[np.uint64]],
        options: SlqOptions,
        advance: Advance,
        num_threads: int | None,
    ) -> list[Solution]:
        """Estimate the spectrum on each subset of the rows, one after the other; seeds are those of the core."""
        found = []
        for place, chosen in enumerate(subsets):
            own = replace(options, seed=(options.seed + place) % 2**64)
            found.append(self._on(chosen).estimate(own, None, num_threads))
            advance(len(found), math.nan)
        return found

    def _on(self, chosen: NDArray[np.uint64]) -> TorchOperator:
        """Return the operator on some of the rows."""
        sigma = self.bandwidth if isinstance(self.bandwidth, float) else self.bandwidth[chosen]
        weights = None if self.row_weights is None else self.row_weights[chosen]
        return replace(self, data=self.data.part(chosen), bandwidth=sigma, row_weights=weights)

    def place_of_eigenvalues(self, options: SlqOptions | None) -> dict[str, Any]:
        """Return where the exact solver computes, also where it takes the place of an estimate; {} of an estimate."""
        if options is None:
            return {"eigenvalues_on": self.data.device if self.solves_on_device else "cpu"}
        return {"eigenvalues_on": self.data.device} if self._costs_less_exactly(options) else {}

    def _costs_less_exactly(self, options: SlqOptions) -> bool:
        """Return whether the device computes all eigenvalues in less time than an estimate, within its memory."""
        n, d = self.data.tensor.shape
        memory = DeviceMemory.of(self.data.device, n, options.memory_limit)
        return n <= EXACT_UP_TO and self.solves_on_device and memory.has(torch_eigenvalues.needed_bytes(n, d))

    def check_range(self, smallest: float, largest: float) -> None:
        """Accept any range: the largest eigenvalue of a kernel of checked data is positive."""

    @property
    def spec(self) -> OperatorSpec:
        """The operator for the core."""
        if self.alpha is None:
            return OperatorSpec.affinity(self.bandwidth)
        return OperatorSpec.diffusion(self.bandwidth, self.alpha, self.precision, self.row_weights)
