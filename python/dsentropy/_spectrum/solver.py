"""What is asked of an estimate, and how it is made."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.progress import progress_bar
from dsentropy._checks.scalars import (
    as_choice,
    as_count,
    as_limit,
    as_numbers,
    as_positive,
    as_positive_order,
    as_seed,
)
from dsentropy._core import CallbackAffinity, CallbackOperator, OperatorSpec, Solution, SparseOperator
from dsentropy._data.data import Data
from dsentropy._spectrum.estimated import EstimatedSpectrum, ToleranceWarning, readings
from dsentropy._spectrum.rounding import without_rounding
from dsentropy._spectrum.spectrum import Spectrum

Accept: TypeAlias = "Callable[[float, float], None]"
"""Raises where the smallest and the largest eigenvalue are not to be."""

NO_TIMES = object()
"""In place of t, where nothing is in doubt."""

MAX_PRODUCTS = 5000
"""Of a stored or a tiled operator with a vector."""

MAX_PRODUCTS_SPARSE = 50_000
"""Of a sparse one, whose products cost a hundredth."""


def is_stochastic(solver: Any) -> bool:
    """Whether the spectrum is to be estimated."""
    return as_choice(solver, "solver", "exact", "stochastic") == "stochastic"


@dataclass(frozen=True)
class SlqOptions:
    """The options of one estimate, as the core reads them by field."""

    tol: float
    times: list[float]
    orders: list[float]
    max_products: int
    seed: int
    storage: Literal["auto", "dense", "tiled"]
    memory_limit: int | None


@dataclass(frozen=True)
class Request:
    """The arguments of ``solver="stochastic"``."""

    tol: float
    times: list[float]
    orders: list[float]
    max_products: int | None
    storage: Literal["auto", "dense", "tiled"]
    memory_limit: int | None
    seed: int

    @classmethod
    def of(
        cls, tol: Any, t: Any, orders: Any, max_products: Any, storage: Any, memory_limit: Any, random_state: Any
    ) -> Request:
        """Check and coerce the arguments; without a seed one is drawn. Without a t nothing is in doubt."""
        return cls(
            as_positive(tol, "tol"),
            [] if t is NO_TIMES else as_numbers(t, "t", as_positive)[0],
            as_numbers(orders, "orders", as_positive_order)[0],
            None if max_products is None else as_count(max_products, "max_products"),
            as_choice(storage, "storage", "auto", "dense", "tiled"),
            as_limit(memory_limit, "memory_limit"),
            _random_bits(as_seed(random_state, "random_state")),
        )

    def core(self, max_products: int = MAX_PRODUCTS) -> SlqOptions:
        """The options that the core reads, with the operator's default of ``max_products`` where none is given."""
        return SlqOptions(
            tol=self.tol,
            times=self.times,
            orders=self.orders,
            max_products=self.max_products or max_products,
            seed=self.seed,
            storage=self.storage,
            memory_limit=self.memory_limit,
        )

    def of_kernel(
        self,
        data: Data,
        operator: OperatorSpec,
        about: dict[str, Any],
        num_threads: int | None,
        progress: bool,
        *,
        accept: Accept | None = None,
        stacklevel: int = 3,
    ) -> Spectrum:
        """The estimate, or the exact spectrum where that costs less, with what is to be said of it."""
        with progress_bar(progress, None, "products") as advance:
            solution = _core.estimate_spectrum(
                data.rows,
                data.core_metric,
                operator,
                self.core(),
                positive_semidefinite=accept is not None,
                progress=advance,
                num_threads=num_threads,
            )
        fingerprint = data.fingerprint()
        return self.spectrum(solution, data.n_samples, about, fingerprint, stacklevel=stacklevel + 1, accept=accept)

    def of_operator(
        self,
        operator: SparseOperator | CallbackOperator | CallbackAffinity,
        n_samples: int,
        about: dict[str, Any],
        fingerprint: str | None,
        num_threads: int | None,
        progress: bool,
        *,
        accept: Accept | None = None,
        stacklevel: int = 3,
    ) -> Spectrum:
        """The same of an operator that is sparse, or known by its products; moduli, where it is exact."""
        most = MAX_PRODUCTS_SPARSE if isinstance(operator, SparseOperator) else MAX_PRODUCTS
        with progress_bar(progress, None, "products") as advance:
            solution = _core.estimate_operator(operator, self.core(most), progress=advance, num_threads=num_threads)
        return self.spectrum(solution, n_samples, about, fingerprint, stacklevel=stacklevel + 1, accept=accept)

    def spectrum(
        self,
        solution: Solution,
        n_samples: int,
        about: dict[str, Any],
        fingerprint: str | None,
        *,
        stacklevel: int,
        accept: Accept | None = None,
    ) -> Spectrum:
        """What the core found, where its range is accepted; a warning where the tolerance was not reached."""
        estimate = solution.estimate
        if estimate is None:
            eigenvalues = solution.eigenvalues
            about = {**about, "solver": "exact, which costs less"}
            if accept is not None:
                accept(float(eigenvalues.min()), float(eigenvalues.max()))
            return Spectrum(
                without_rounding(np.abs(eigenvalues)), n_samples=n_samples, parameters=about, fingerprint=fingerprint
            )
        if accept is not None:
            accept(estimate.smallest_node, estimate.largest_node)
        self.warn_if_missed([solution], stacklevel=stacklevel + 1)
        about = {**about, "solver": "stochastic", "tol": self.tol, "products": estimate.info.products}
        return EstimatedSpectrum(estimate, n_samples=n_samples, parameters=about, fingerprint=fingerprint)

    def warn_if_missed(self, solutions: list[Solution], *, stacklevel: int) -> None:
        """Say, once, that the tolerance was not reached."""
        missed = [
            solution.estimate.info.products for solution in solutions if solution.estimate and not solution.converged
        ]
        if missed:
            warnings.warn(
                f"tol = {self.tol:g} bits is not reached within {max(missed)} products: the spectrum tells its "
                "error. Allow more max_products, ask for no t or order below 1, or take solver='exact'",
                ToleranceWarning,
                stacklevel=stacklevel,
            )

    def of_subsets(
        self,
        data: Data,
        subsets: list[NDArray[np.uint64]],
        operator: OperatorSpec,
        num_threads: int | None,
        progress: Any,
        *,
        stacklevel: int = 3,
    ) -> list[Solution]:
        """What the core found for each subset of the rows; one warning where the tolerance was not reached."""
        solutions = _core.estimate_subsets(
            data.rows, data.core_metric, subsets, operator, self.core(), progress=progress, num_threads=num_threads
        )
        self.warn_if_missed(solutions, stacklevel=stacklevel + 1)
        return solutions


def bits_of(
    solution: Solution, times: list[float], orders: list[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Entropies [times, orders], their standard errors, and how far bounds reach from them."""
    if solution.estimate is None:
        bits = _core.renyi_entropies(without_rounding(np.abs(solution.eigenvalues)), times, orders)
        return bits, np.zeros_like(bits), np.zeros_like(bits)
    found = readings(solution.estimate, times, orders)
    reach = np.maximum(found.upper - found.entropy, found.entropy - found.lower)
    return found.entropy, found.standard_error, reach


def _random_bits(seed: int | None) -> int:
    if seed is not None:
        return seed % 2**64
    import random

    return random.getrandbits(64)
