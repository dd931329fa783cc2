"""How a spectrum is found: exactly, or by an estimate with these options (stochastic Lanczos quadrature).

An estimate needs the tolerance, where it holds, limits of products and memory, and the seed of its random signs. One
public dataclass holds what the caller chooses, one internal dataclass what the core reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsentropy._checks.limits import MAX_PRODUCTS
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import (
    Numbers,
    as_bytes,
    as_choice,
    as_count,
    as_numbers,
    as_positive,
    as_positive_order,
    as_seed,
)
from dsentropy._operator.slq_options import SlqOptions, Storage


@dataclass(frozen=True)
class Stochastic:
    r"""Options of an estimated spectrum, for the argument ``solver``.

    The estimate is made by stochastic Lanczos quadrature with a deflated block Krylov space: matrix-vector products
    with the operator take the place of its eigenvalues. ``solver="stochastic"`` is short for
    ``solver=Stochastic()``. Where computing all eigenvalues costs less and fits into memory, that is done instead,
    and ``parameters["solver"]`` of the spectrum is ``"exact"`` with ``parameters["requested_solver"]`` beside it.

    Parameters
    ----------
    tol : float, default 1e-3
        Largest uncertainty of the entropy, in bits: standard error and truncation bounds together.
    t, orders : float or sequence of float, optional
        Diffusion times and Renyi orders at which ``tol`` holds, all positive; by default 1, and at most 10^6 of each.
        The spectrum can be read at others as well, and its methods return the uncertainty there. A function with
        ``t`` or orders of its own takes ``tol`` to hold at those, and refuses them here.
    max_products : int, optional
        Number of products of the operator with a vector after which the estimate is returned as it is, with a
        :class:`ToleranceWarning`; by default 5000, and 50,000 where the operator is sparse, and at most 10^12. It is
        checked now and then, for the first time after 216.
    storage : {"auto", "dense", "tiled"}, default "auto"
        ``"dense"`` stores the affinity, N^2 numbers of which half are touched. ``"tiled"`` computes it anew for each
        product. ``"auto"`` stores it if it fits. Refused where there is nothing to choose: for sparse matrices,
        objects that multiply, dask arrays and graphs of neighbours.
    memory_limit : int, optional
        Bytes that the estimate may use, in place of what the process can have; at most 2^64 - 1. On a CUDA device it
        limits the memory of the device, and that of the process, each.

    Raises
    ------
    ValueError
        For a value out of range.
    TypeError
        For an argument of a wrong type.

    Notes
    -----
    Cost: 2 N^2 flops a product, of which there are a few hundred where the spectrum decays and thousands where it
    does not; without storage N^2 D more for every 16 products. Memory: 4 to 8 kB a row. See docs/scaling.md.

    References
    ----------
    Chen & Hallman, "Krylov-aware stochastic trace estimation", arXiv 2205.01736; Ubaru, Chen & Saad, "Fast estimation
    of tr(f(A)) via stochastic Lanczos quadrature", SIAM J. Matrix Anal. Appl. 38 (2017), doi 10.1137/16M1104974.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import Stochastic, diffusion_spectrum
    >>> X = np.random.default_rng(0).normal(size=(2000, 5))
    >>> estimate = diffusion_spectrum(X, bandwidth=3.0, solver=Stochastic(tol=1e-2, t=[1, 2]))
    >>> exact = diffusion_spectrum(X, bandwidth=3.0)
    >>> bool(abs(estimate.entropy(t=2) - exact.entropy(t=2)) < 5e-2)
    True
    """

    tol: float = 1e-3
    t: Numbers | None = None
    orders: Numbers | None = None
    max_products: int | None = None
    storage: Storage = "auto"
    memory_limit: int | None = None

    def __post_init__(self) -> None:
        checked = {
            "tol": as_positive(self.tol, "tol"),
            "t": None if self.t is None else _as_tuple(self.t, "t", as_positive),
            "orders": None if self.orders is None else _as_tuple(self.orders, "orders", as_positive_order),
            "max_products": None if self.max_products is None else _as_products(self.max_products),
            "storage": as_choice(self.storage, "storage", "auto", "dense", "tiled"),
            "memory_limit": as_bytes(self.memory_limit, "memory_limit"),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # the only way to set a field of a frozen dataclass


def _as_products(value: Any) -> int:
    return as_count(value, "max_products", most=MAX_PRODUCTS)


def _as_tuple(value: Any, name: str, as_number: Any) -> float | tuple[float, ...]:
    numbers, several = as_numbers(value, name, as_number)
    return tuple(numbers) if several else numbers[0]


def resolve_solver(
    solver: Any,
    random_state: Any,
    *,
    times: list[float] | None = None,
    orders: list[float] | None = None,
    orders_name: str = "orders",
) -> SlqOptions | None:
    """Resolve the argument ``solver``: None where it is exact.

    Parameters
    ----------
    solver : {"exact", "stochastic"} or Stochastic
        The argument.
    random_state : int or None
        Seed of the random signs; None draws one from Python's global generator.
    times, orders : list of float, optional
        Diffusion times and orders of a function that has its own: ``tol`` holds at those, and a ``Stochastic`` must
        not give them. All eigenvalues are equal at t = 0, so it is left out.
    orders_name : str
        Name of the argument that gave the orders, for errors.
    """
    seed = as_seed(random_state, "random_state")
    chosen = as_stochastic(solver)
    if chosen is None:
        return None
    for name, given, own in (("t", chosen.t, times), ("orders", chosen.orders, orders)):
        if given is not None and own is not None:
            raise ValueError(f"{name} must not be given in Stochastic: this function sets where tol holds")
    if orders is not None and 0 in orders:
        raise ValueError(f"{orders_name} must be positive where solver is 'stochastic', got 0")
    at = as_numbers(1.0 if chosen.t is None else chosen.t, "t", as_positive)[0] if times is None else times
    chosen_orders = 1.0 if chosen.orders is None else chosen.orders
    return SlqOptions(
        tol=chosen.tol,
        times=[time for time in at if time > 0],
        orders=as_numbers(chosen_orders if orders is None else orders, orders_name, as_positive_order)[0],
        products=chosen.max_products,
        storage=chosen.storage,
        memory_limit=chosen.memory_limit,
        seed=_random_bits(seed),
    )


def as_stochastic(solver: Any) -> Stochastic | None:
    """Convert the argument ``solver``: None is the exact one."""
    if isinstance(solver, Stochastic):
        return solver
    if not isinstance(solver, str):
        raise TypeError(f"solver must be 'exact', 'stochastic' or a Stochastic, got {printed(solver)}")
    if solver not in ("exact", "stochastic"):
        raise ValueError(f"solver must be 'exact', 'stochastic' or a Stochastic, got {printed(solver)}")
    return Stochastic() if solver == "stochastic" else None


def require_default_storage(options: SlqOptions | None, reason: str) -> None:
    """Raise a ValueError where a storage was chosen that plays no part."""
    if options is not None and options.storage != "auto":
        raise ValueError(f"storage must be 'auto' where {reason}, got {options.storage!r}")


def _random_bits(seed: int | None) -> int:
    if seed is not None:
        return seed % 2**64
    import random  # not loaded by NumPy

    return random.getrandbits(64)
