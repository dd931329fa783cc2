"""Solutions of diffusion operators on one data set or several, whose entropies are read and not the spectra kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsentropy import _core
from dsentropy._core import OperatorSpec, Solution
from dsentropy._data.data import Data
from dsentropy._operator.slq_options import SlqOptions


def kernel_solutions(
    data: Data,
    operators: list[OperatorSpec],
    options: SlqOptions | None,
    num_threads: int | None,
    advance: Callable[[int], Any] | None = None,
) -> list[Solution]:
    """Solve for each operator, from distances that are computed once where the solver is exact.

    Parameters
    ----------
    data : Data
        Rows, distances or affinities.
    operators : list of OperatorSpec
        Kernel operators. One needs one N x N matrix, several also that of the distances.
    options : SlqOptions or None
        Options of the estimates; None where the solver is exact.
    num_threads : int or None
        Threads to use.
    advance : callable, optional
        Takes the number of operators that are done.
    """
    done = (lambda _: None) if advance is None else advance
    rows, metric = data.rows, data.core_metric
    if options is None and len(operators) > 1:
        spectra = _core.sweep_eigenvalues(
            rows, metric, operators, progress=lambda number, _: done(number), num_threads=num_threads
        )
        return [Solution.exact(eigenvalues) for eigenvalues in spectra]
    found = []
    for operator in operators:
        if options is None:
            found.append(Solution.exact(_core.eigenvalues(rows, metric, operator, num_threads)))
        else:
            found.append(_core.estimate_spectrum(rows, metric, operator, options, num_threads=num_threads))
        done(len(found))
    return found


def solutions_of_sets(
    sets: list[Data], operators: list[OperatorSpec], options: SlqOptions | None, num_threads: int | None
) -> list[Solution]:
    """Solve for an operator on each of several data sets of one dtype: the exact solver works on all at once.

    It needs one N x N matrix for each thread that has a set, or one where sets are large.
    """
    if options is None:
        rows = [data.rows for data in sets]
        spectra = _core.eigenvalues_of_sets(rows, sets[0].core_metric, operators, num_threads)
        return [Solution.exact(eigenvalues) for eigenvalues in spectra]
    solved = zip(sets, operators, strict=True)
    return [
        solution for data, operator in solved for solution in kernel_solutions(data, [operator], options, num_threads)
    ]
