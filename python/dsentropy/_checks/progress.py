"""Progress bars of tqdm, an optional dependency, where they are asked for.

A bar of several tasks has the number of all. An estimate does not know how many matrix-vector products it will need:
its sampling error falls like products^(-1/2), so with the uncertainty u after m products

    expected products = m (u / tol)^2,     between m and the limit of products,

which is forecast anew after each report. tqdm computes the time left from the number that is expected.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dsentropy._checks.scalars import as_flag

Advance = Callable[[int, float], None]
"""Takes how much of the total is done and, of an estimate, its uncertainty in bits; NaN where there is none."""


def as_progress(value: Any) -> bool:
    """Convert ``progress`` to a bool. A bar that cannot be shown is an error, before any work.

    Raises
    ------
    ImportError
        Where a bar is asked for and tqdm is not installed.
    """
    shown = as_flag(value, "progress")
    if shown:
        _tqdm()
    return shown


@contextmanager
def progress_bar(shown: bool, total: int, description: str) -> Iterator[Advance]:
    """Show a bar, where that is asked for, and yield the function that advances it.

    Parameters
    ----------
    shown : bool
        Whether there is a bar.
    total : int
        How much there is to do, or is expected. In the end the total is what was done.
    description : str
        The text in front of the bar.
    """
    if not shown:
        yield lambda done, uncertainty: None
        return
    with _tqdm()(total=total, desc=description, unit=f" {description}") as bar:

        def advance(done: int, uncertainty: float) -> None:
            bar.total = max(bar.total, done)
            bar.update(done - bar.n)

        yield advance
        bar.total = bar.n
        bar.refresh()


@contextmanager
def estimate_bar(shown: bool, tol: float, max_products: int) -> Iterator[Advance]:
    """Show the matrix-vector products of an estimate, of those that are expected, and its uncertainty in bits.

    Parameters
    ----------
    shown : bool
        Whether there is a bar.
    tol : float
        The uncertainty at which the estimate ends, in bits.
    max_products : int
        The number of products after which it ends.
    """
    if not shown:
        yield lambda done, uncertainty: None
        return
    with _tqdm()(desc="matrix-vector products", unit=" products") as bar:

        def advance(done: int, uncertainty: float) -> None:
            if math.isfinite(uncertainty):
                bar.total = expected_products(done, uncertainty, tol, max_products)
                bar.set_postfix_str(f"uncertainty {uncertainty:.2g} of {tol:.2g} bits", refresh=False)
            bar.update(done - bar.n)

        yield advance
        bar.total = bar.n  # the estimate has ended, where it was expected to or not
        bar.refresh()


def expected_products(done: int, uncertainty: float, tol: float, max_products: int) -> int:
    """Return the number of products with which an uncertainty in bits is expected to fall to ``tol``."""
    excess = min(max(uncertainty / tol, 1.0), 1e9)  # beyond that, any limit of products is reached
    return max(done, min(round(done * excess**2), max_products))


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError("progress=True needs tqdm: pip install 'dsentropy[progress]'") from error
    return tqdm
