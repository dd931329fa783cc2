"""The warning of estimates that did not converge: the uncertainty that was reached, and ways out that fit the call.

The number of products that a tolerance needs grows with the effective rank of the spectrum, 2^H: eigenvectors beyond
the deflated ones are left to random probes, whose error falls as the root of their number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.warn import warn
from dsentropy._core import Estimate, Solution
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._spectrum.estimated import ToleranceWarning, readings

_FLAT = 100
"""Effective rank from which on a spectrum is flat. Measured on 3000 rows: 10 to 22 need 300 to 1300 products for a
tolerance of 1e-3 bits, 200 to 960 more than the 5000 that are allowed by default."""

_MOST_EXACT = 10_000
"""Most rows for which the exact solver, 4/3 N^3 flops and 8 N^2 bytes, is a way out."""


@dataclass(frozen=True)
class Advice:
    """What the caller of a function can allow where an estimate does not converge."""

    fewer: str | None = None
    """How the function takes fewer rows; None where it cannot."""
    has_options: bool = True
    """Whether the function takes a :class:`Stochastic`, rather than ``tol`` alone."""

    def ways(self, estimate: Estimate, options: SlqOptions, uncertainty: float) -> list[str]:
        """Return the ways out, the best first."""
        flat, limit = _effective_rank(estimate) >= _FLAT, options.max_products
        ways = [self.fewer] if flat and self.fewer is not None else []
        if not flat and self.has_options and estimate.info.products >= limit:
            ways.append(f"more products by Stochastic(max_products=...), which were at most {limit}")
        tol = f"tol={_rounded_up(uncertainty):g}"
        ways.append(f"a larger tol, Stochastic({tol})" if self.has_options else f"a larger tol, {tol}")
        if min(options.times) < 1:
            ways.append("no t below 1")
        if min(options.orders) < 1:
            ways.append("no order below 1")
        if estimate.info.dim <= _MOST_EXACT:
            ways.append("solver='exact'")
        return ways


MAX_SAMPLES = Advice("fewer rows, max_samples=...")
"""The advice of a function with ``max_samples``."""


def warn_if_not_converged(
    solutions: Iterable[Solution], options: SlqOptions, advice: Advice | None = None, subject: str = "X"
) -> None:
    """Warn, once, where estimates did not converge to the tolerance.

    Parameters
    ----------
    solutions : iterable of Solution
        The solutions, of which those of the exact solver have converged.
    options : SlqOptions
        Their options.
    advice : Advice, optional
        What the caller can allow; by default what all functions with ``solver`` have.
    subject : str, default "X"
        The argument whose data they are, which is named where there are others.
    """
    missed = [one.estimate for one in solutions if one.estimate is not None and not one.converged]
    if not missed:
        return
    reached = [_uncertainty(estimate, options) for estimate in missed]
    uncertainty, at = max(reached)
    worst = missed[reached.index((uncertainty, at))]
    rank = _effective_rank(worst)
    flat = f"; the spectrum is flat, as at a small bandwidth: its effective rank is {rank:.0f}"
    cause = flat if rank >= _FLAT else ""
    ways = (advice or Advice()).ways(worst, options, uncertainty)
    warn(
        f"{'' if subject == 'X' else f'{subject}: '}tol = {options.tol:g} bits is not reached within "
        f"{worst.info.products} products: the uncertainty is {uncertainty:.2g} bits{at}{cause}. "
        f"Allow {', or '.join(ways)}",
        ToleranceWarning,
    )


def _uncertainty(estimate: Estimate, options: SlqOptions) -> tuple[float, str]:
    """Return the largest uncertainty of the readings at which the tolerance holds, and where that is."""
    found = readings(estimate, options.times, options.orders)
    reach = found.standard_error + (found.upper - found.entropy).clip(found.entropy - found.lower)
    place = int(reach.argmax())
    time, order = divmod(place, len(options.orders))
    several = f" at t = {options.times[time]:g}, order {options.orders[order]:g}" if reach.size > 1 else ""
    return float(reach.ravel()[place]), several


def _effective_rank(estimate: Estimate) -> float:
    bits: NDArray[np.float64] = readings(estimate, [1.0], [1.0]).entropy
    return float(np.exp2(bits).item())


def _rounded_up(number: float) -> float:
    """Round up to one digit."""
    unit = 10.0 ** math.floor(math.log10(number))
    return math.ceil(number / unit) * unit
