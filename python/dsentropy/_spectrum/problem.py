"""One way from an operator to its spectrum: by eigenvalues, or by an estimate.

A public function checks its arguments, builds a :class:`Problem` and returns :func:`solve`. The exact solver takes
4/3 N^3 flops, an estimate a few hundred to thousands of matrix-vector products; see :class:`Stochastic`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.progress import estimate_bar, progress_bar
from dsentropy._data.data import Data
from dsentropy._data.device_rows import AnyData, DeviceRows
from dsentropy._operator.eigenvalue_range import as_given
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._operator.spectral_operator import SpectralOperator
from dsentropy._spectrum.estimated import EstimatedSpectrum
from dsentropy._spectrum.missed_tolerance import Advice, warn_if_not_converged
from dsentropy._spectrum.rounding import without_rounding
from dsentropy._spectrum.spectrum import Spectrum


@dataclass(frozen=True)
class Problem:
    """An operator whose spectrum is asked for, and what the spectrum says of it."""

    operator: SpectralOperator
    n_samples: int
    parameters: dict[str, Any]
    """Description of the operator and of how it was made."""
    fingerprint: Callable[[], str | None]
    """Digests the data; called after the work, since all of them are read."""
    advice: Advice | None = None
    """What the caller can allow where an estimate does not converge; None is what all functions have."""


def solve(problem: Problem, options: SlqOptions | None, num_threads: int | None, progress: bool) -> Spectrum:
    """Compute a spectrum, or estimate it with these options.

    Returns
    -------
    Spectrum
        An :class:`EstimatedSpectrum` where it is estimated, with a warning where it did not converge.
    """
    if options is None:
        with progress_bar(progress, 1, "spectrum") as advance:
            eigenvalues = problem.operator.eigenvalues(num_threads)
            advance(1, math.nan)
        return exact_spectrum(problem, eigenvalues)
    limited = replace(options, default_products=problem.operator.default_products)
    with estimate_bar(progress, options.tol, limited.max_products) as advance:
        solution = problem.operator.estimate(options, advance, num_threads)
    estimate = solution.estimate
    if estimate is None:
        return exact_spectrum(problem, solution.eigenvalues, requested_solver="stochastic")
    nodes = np.array([estimate.smallest_node, estimate.largest_node])
    smallest, largest = as_given(nodes, problem.operator.node_exponent)
    problem.operator.check_range(float(smallest), float(largest))
    warn_if_not_converged([solution], limited, problem.advice)
    found = {"solver": "stochastic", "tol": options.tol, "products": estimate.info.products}
    return EstimatedSpectrum(
        estimate,
        n_samples=problem.n_samples,
        parameters={**problem.parameters, **found},
        fingerprint=problem.fingerprint(),
    )


def exact_spectrum(problem: Problem, eigenvalues: NDArray[np.float64], **parameters: Any) -> Spectrum:
    """Make a spectrum of eigenvalues that the core computed, after a check of their range."""
    operator = problem.operator
    eigenvalues = as_given(eigenvalues, operator.exponent)
    operator.check_range(float(eigenvalues.min()), float(eigenvalues.max()))
    return Spectrum(
        without_rounding(eigenvalues, operator.unit_roundoff, positive=operator.positive),
        n_samples=problem.n_samples,
        parameters={**problem.parameters, "solver": "exact", **parameters},
        fingerprint=problem.fingerprint(),
    )


@overload
def selected_rows(
    X: Any, metric: Any, max_samples: Any, random_state: int | None, device: None = None
) -> tuple[Data, int, dict[str, Any]]: ...


@overload
def selected_rows(
    X: Any, metric: Any, max_samples: Any, random_state: int | None, device: str
) -> tuple[DeviceRows, int, dict[str, Any]]: ...


@overload
def selected_rows(
    X: Any, metric: Any, max_samples: Any, random_state: int | None, device: str | None
) -> tuple[AnyData, int, dict[str, Any]]: ...


def selected_rows(
    X: Any, metric: Any, max_samples: Any, random_state: int | None, device: str | None = None
) -> tuple[AnyData, int, dict[str, Any]]:
    """Check the data, and draw a subset where there are more rows than ``max_samples``.

    Returns
    -------
    data : Data or DeviceRows
        The rows that are used, on the ``device`` where there is one.
    n_all : int
        The number of all rows.
    parameters : dict
        How the rows were chosen, where not all are used, the number of distinct ones where they are few, and the
        device.
    """
    data: AnyData = Data.of(X, metric) if device is None else DeviceRows.of(X, metric, device)
    used = data.limited(max_samples, random_state)
    about: dict[str, Any] = {}
    if used is not data:
        about = {"max_samples": int(max_samples), "random_state": random_state}
    distinct = used.few_distinct()
    if distinct is not None:
        about["distinct_rows"] = distinct
    about |= {} if device is None else {"device": device}
    return used, data.n_samples, about
