"""Spectral entropies of the reference at one t, from eigenvalues or by an estimate.

Entropies of eigenvalues are shifted by machine epsilon in each probability, as the reference shifts them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dsentropy import _core
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.scalars import as_choice, as_positive
from dsentropy._core import Solution
from dsentropy._data.data import Data
from dsentropy._operator.kernel_operator import KernelOperator
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._reference.eigenvalue_cache import EigenvalueFile, cached_eigenvalues
from dsentropy._reference.operators import ReferenceOperator
from dsentropy._reference.rows import ReferenceRows
from dsentropy._reference.saturation import SaturationCheck
from dsentropy._spectrum.missed_tolerance import Advice, warn_if_not_converged
from dsentropy._spectrum.solver import Stochastic, resolve_solver
from dsentropy._spectrum.subset_entropies import read_solution

SMALLER_MAX_N = "a smaller max_N"
"""What to do where memory, or an estimate, does not suffice for the rows that are used."""

MORE_TOLERANCE = Advice(has_options=False)
"""What to allow where an estimate of an information of the reference did not converge."""


def require_spectrum(solver: Any, measured: bool) -> None:
    """Raise a ValueError where an estimate is asked for of an entropy that is ``measured`` without a spectrum."""
    if is_stochastic(solver) and measured:
        raise ValueError("solver must be 'exact' where the entropy is not read off a spectrum")


def is_stochastic(solver: Any) -> bool:
    """Return whether the reference's argument ``solver`` asks for an estimate."""
    return as_choice(solver, "solver", "exact", "stochastic") == "stochastic"


def reference_options(solver: Any, chebyshev_approx: Any, tol: Any, t: float, seed: int | None) -> SlqOptions | None:
    """Resolve the options of an estimate; None where none is asked for."""
    tolerance = as_positive(tol, "tol")
    if not (is_stochastic(solver) or chebyshev_approx):
        return None
    return resolve_solver(Stochastic(tol=tolerance), seed, times=[t], orders=[1.0])


def reference_ways_out(
    operator: ReferenceOperator, options: SlqOptions | None, *more: str, has_file: bool = False
) -> tuple[str, ...]:
    """Return what to do where memory does not suffice: an estimate, half the precision, and ``more``."""
    ways: list[str] = []
    if options is None and not has_file and operator.is_symmetric:
        ways.append("solver='stochastic', which needs no N x N matrix")
    if options is None and operator.has_single:
        ways.append("precision='single', which takes half the memory for the matrix")
    return (*ways, *more)


def spectral_entropy(
    operator: ReferenceOperator,
    rows: ReferenceRows,
    file: EigenvalueFile,
    options: SlqOptions | None,
    t: float,
    num_threads: int | None,
    say: Callable[[str], None],
    check: SaturationCheck | None,
) -> float:
    """Compute or estimate the entropy of an operator at t, in bits; warn where it is saturated."""
    with memory_errors(*reference_ways_out(operator, options, SMALLER_MAX_N, has_file=file.path is not None)):
        if options is None:
            eigenvalues = cached_eigenvalues(operator, rows, file, num_threads, say)
            entropy, dimension = _core.spectral_entropy(eigenvalues, t), len(eigenvalues)
        else:
            entropy, dimension = _estimated_entropy(operator, rows, file, options, t, num_threads, say)
    if check is not None:
        check.warn(entropy, math.log2(dimension), rows.given)
    return entropy


def _estimated_entropy(
    operator: ReferenceOperator,
    rows: ReferenceRows,
    file: EigenvalueFile,
    options: SlqOptions,
    t: float,
    num_threads: int | None,
    say: Callable[[str], None],
) -> tuple[float, int]:
    """Estimate the entropy of an operator at t, in bits; return the number of eigenvalues as well."""
    if file.path is not None:
        raise ValueError("solver must be 'exact' where eigval_save_path is given: an estimate has no eigenvalues")
    used = rows.used()
    say(f"Estimating the spectrum of the {operator.title}.")
    kernel = KernelOperator(Data(used, "euclidean", used), operator.spec)
    solution = kernel.estimate(options, None, num_threads)
    warn_if_not_converged([solution], options, Advice(SMALLER_MAX_N, has_options=False))
    return reference_entropy(solution, t), len(used)


def reference_entropy(solution: Solution, t: float) -> float:
    """Read the entropy at t, shifted as the reference shifts it where the solution has eigenvalues."""
    if solution.estimate is None:
        return _core.spectral_entropy(solution.eigenvalues, t)
    return float(read_solution(solution, [t], [1.0])[0][0, 0])
