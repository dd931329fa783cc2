"""Ways out of a ``MemoryError`` that a spectrum has: an estimate, its storage, half the precision, fewer rows.

The exact solver works in one N x N matrix. An estimate takes a few kilobytes a row, and an N x N matrix only where
the affinity is stored.
"""

from __future__ import annotations

from typing import Any

from dsentropy._checks.scalars import Precision
from dsentropy._operator.precision import allows_single
from dsentropy._operator.slq_options import SlqOptions


def ways_out(
    options: SlqOptions | None,
    *more: str,
    has_storage: bool = True,
    has_single: bool = False,
    has_solver: bool = True,
) -> tuple[str, ...]:
    """Return what the caller of a function with ``solver`` can do, the best first.

    Parameters
    ----------
    options : SlqOptions or None
        The options of the estimate that was asked for; None where the solver is exact.
    *more : str
        Ways out of the function alone, such as its argument that limits the rows.
    has_storage : bool
        Whether the affinity may be stored or not, so that ``storage`` plays a part.
    has_single : bool
        Whether ``precision="single"`` is allowed, and was not asked for.
    has_solver : bool
        Whether the function has an argument ``solver``.
    """
    ways: list[str] = []
    if options is None:
        if has_solver:
            ways.append("solver='stochastic'" + (" or Stochastic(storage='tiled')" if has_storage else ""))
        if has_single:
            ways.append("precision='single', which takes half the memory for the matrix")
    else:
        if has_storage and options.storage == "dense":
            ways.append("Stochastic(storage='tiled'), which stores no N x N matrix")
        if options.memory_limit is not None:
            ways.append("a larger memory_limit of Stochastic")
    return (*ways, *more)


def subset_ways_out(
    options: SlqOptions | None,
    precision: Precision,
    metric: Any,
    bandwidth: Any,
    num_threads: int | None,
    *more: str,
    has_solver: bool = True,
) -> tuple[str, ...]:
    """Return what the caller of a function of many subsets can do; each thread holds one subset at a time.

    Parameters
    ----------
    options : SlqOptions or None
        The options of the estimates; None where the solver is exact.
    precision, metric, bandwidth, num_threads
        Arguments of the function.
    *more : str
        Ways out of the function alone.
    has_solver : bool
        Whether the function has an argument ``solver``.
    """
    has_single = precision != "single" and allows_single(metric, bandwidth)
    single_thread = one_thread(num_threads, "holds one subset's matrix")
    return ways_out(options, *single_thread, *more, has_single=has_single, has_solver=has_solver)


def one_thread(num_threads: int | None, what: str) -> tuple[str, ...]:
    """Return the way out of fewer threads, each of which has a matrix of its own; none where there is one thread."""
    return () if num_threads == 1 else (f"num_threads=1, which {what} at a time",)
