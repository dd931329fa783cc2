"""What is asked of an estimate, and how it is made."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from dsentropy import _bandwidth, _core
from dsentropy._bandwidth import Bandwidth
from dsentropy._data import Data
from dsentropy._estimated_spectrum import EstimatedSpectrum, ToleranceWarning
from dsentropy._spectrum import Spectrum, without_rounding
from dsentropy._validation import as_choice, as_count, as_limit, as_numbers, as_positive, as_positive_order, as_seed


@dataclass(frozen=True)
class Request:
    """The arguments of ``solver="stochastic"``."""

    tol: float
    times: list[float]
    orders: list[float]
    max_products: int
    storage: str
    memory_limit: int | None
    seed: int | None

    @classmethod
    def of(
        cls, tol: Any, t: Any, orders: Any, max_products: Any, storage: Any, memory_limit: Any, random_state: Any
    ) -> Request:
        """Check and coerce the arguments."""
        return cls(
            as_positive(tol, "tol"),
            as_numbers(t, "t", as_positive)[0],
            as_numbers(orders, "orders", as_positive_order)[0],
            as_count(max_products, "max_products"),
            as_choice(storage, "storage", "auto", "dense", "tiled"),
            as_limit(memory_limit, "memory_limit"),
            as_seed(random_state, "random_state"),
        )

    def spectrum(
        self, data: Data, bandwidth: Bandwidth, alpha: float, about: dict[str, Any], num_threads: int | None
    ) -> Spectrum:
        """The estimate, or the exact spectrum where that costs less, with what is to be said of it."""
        positive = data.core_metric == "euclidean"
        if not positive or not isinstance(bandwidth, float):
            where = "there is one bandwidth a row" if positive else f"metric is {data.metric!r}"
            raise ValueError(f"solver must be 'exact' where {where}: the operator may have negative eigenvalues")
        estimate, reached, eigenvalues = _core.estimate_diffusion(
            data.rows,
            float(_bandwidth.for_core(bandwidth)),
            alpha,
            self.tol,
            self.times,
            self.orders,
            self.max_products,
            self._random_bits(),
            self.storage,
            self.memory_limit,
            num_threads,
        )
        fingerprint = data.fingerprint()
        if eigenvalues is not None:
            about = {**about, "solver": "exact, which costs less"}
            return Spectrum(without_rounding(eigenvalues), parameters=about, fingerprint=fingerprint)
        assert estimate is not None  # one or the other
        about = {**about, "solver": "stochastic", "tol": self.tol, "products": estimate.products}
        found = EstimatedSpectrum(estimate, n_samples=data.n_samples, parameters=about, fingerprint=fingerprint)
        if not reached:
            warnings.warn(
                f"tol = {self.tol:g} bits is not reached within {estimate.products} products: the spectrum tells its "
                "error. Allow more max_products, or take solver='exact'",
                ToleranceWarning,
                stacklevel=3,
            )
        return found

    def _random_bits(self) -> int:
        if self.seed is not None:
            return self.seed % 2**64
        import random

        return random.getrandbits(64)
