"""Solutions of diffusion operators on one data set or several, whose entropies are read and not the spectra kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsentropy import _core
from dsentropy._core import OperatorMatrix, Solution
from dsentropy._operator.dense_operator import DenseOperator, solves_on_device
from dsentropy._operator.slq_options import SlqOptions


def kernel_solutions(
    operators: list[DenseOperator],
    options: SlqOptions | None,
    num_threads: int | None,
    advance: Callable[[int], Any] | None = None,
) -> list[Solution]:
    """Solve for operators of one data set, from distances that the exact solver of the core computes once.

    Parameters
    ----------
    operators : list of KernelOperator or TorchOperator
        One needs one N x N matrix, several also that of the distances.
    options : SlqOptions or None
        Options of the estimates; None where the solver is exact.
    num_threads : int or None
        Threads to use.
    advance : callable, optional
        Takes the number of operators that are done.
    """
    done = (lambda _: None) if advance is None else advance
    if options is None and len(operators) > 1 and not any(map(solves_on_device, operators)):
        data, specs = operators[0].data, [operator.spec for operator in operators]
        spectra = _core.sweep_eigenvalues(
            data.rows, data.core_metric, specs, progress=lambda number, _: done(number), num_threads=num_threads
        )
        return [Solution.exact(eigenvalues) for eigenvalues in spectra]
    found = []
    for operator in operators:
        if options is None:
            found.append(Solution.exact(operator.eigenvalues(num_threads)))
        else:
            found.append(operator.estimate(options, None, num_threads))
        done(len(found))
    return found


def matrix_solutions(matrices: list[OperatorMatrix], num_threads: int | None) -> list[Solution]:
    """Solve for several matrices, which are used up: the exact solver works on all at once where they are small."""
    return [Solution.exact(eigenvalues) for eigenvalues in _core.matrix_eigenvalues(matrices, num_threads)]
