"""Options of an estimate by stochastic Lanczos quadrature, resolved for one call. The core reads them by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Storage: TypeAlias = Literal["auto", "dense", "tiled"]
"""Where an estimate keeps the affinity: in memory if it fits, in memory, or nowhere."""

MAX_PRODUCTS = 5000
"""Default limit of products of a dense operator with a vector."""

MAX_PRODUCTS_SPARSE = 50_000
"""Default limit of products of a sparse operator with a vector: each costs a hundredth."""


@dataclass(frozen=True)
class SlqOptions:
    """Tolerance, limits and seed of an estimate."""

    tol: float
    """The uncertainty to reach, in bits."""
    times: list[float]
    """Positive diffusion times at which ``tol`` holds; empty where all readings are certain."""
    orders: list[float]
    """Positive Renyi orders at which ``tol`` holds."""
    products: int | None
    """The limit of products that the caller chose; None is the default of the operator."""
    storage: Storage
    memory_limit: int | None
    """Bytes that may be used; None is what the process can have."""
    seed: int
    """The seed of the random signs, from 0 to 2^64 - 1."""
    default_products: int = MAX_PRODUCTS

    @property
    def max_products(self) -> int:
        """The limit of products with a vector."""
        return self.default_products if self.products is None else self.products


def memory_limit_of(options: SlqOptions | None) -> int | None:
    """Return the bytes that may be used; None is what is there, as for the exact solver."""
    return None if options is None else options.memory_limit
