"""Entropies of one operator on many subsets of the rows, computed or estimated together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.progress import progress_bar
from dsentropy._checks.scalars import Precision
from dsentropy._core import Solution
from dsentropy._data.device_rows import AnyData
from dsentropy._operator.bandwidth import Bandwidth, core_bandwidth, kernel_bandwidth, require_kernel_arguments
from dsentropy._operator.dense_operator import DenseOperator, diffusion_operator
from dsentropy._operator.precision import core_precision, require_free_precision, require_single_used
from dsentropy._operator.slq_options import SlqOptions, memory_limit_of
from dsentropy._spectrum.estimated import readings
from dsentropy._spectrum.missed_tolerance import Advice, warn_if_not_converged
from dsentropy._spectrum.rounding import without_rounding


@dataclass(frozen=True)
class SubsetEntropies:
    """Entropies of subsets in bits, and their uncertainty; each array has the shape [subsets, times, orders]."""

    bits: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    """Sampling errors of estimates, independent between subsets, as each has random signs of its own; else 0."""
    reaches: NDArray[np.float64]
    """How far truncation bounds reach from the entropies; 0 where those are exact."""

    def part(self, start: int, stop: int) -> SubsetEntropies:
        """Return those of the subsets from ``start`` up to ``stop``."""
        return SubsetEntropies(self.bits[start:stop], self.standard_errors[start:stop], self.reaches[start:stop])


@dataclass(frozen=True)
class SubsetKernel:
    """The diffusion operator of subsets of a data set, all with the bandwidth of all rows."""

    data: AnyData
    bandwidth: Bandwidth
    operator: DenseOperator
    """The operator of all rows."""

    @classmethod
    def of(
        cls,
        data: AnyData,
        bandwidth: Any,
        n_neighbors: Any,
        alpha: float,
        precision: Precision,
        seed: int | None,
        num_threads: int | None,
        *,
        times: list[float],
        orders: list[float],
        options: SlqOptions | None,
        n_all: int | None = None,
    ) -> SubsetKernel:
        """Resolve the bandwidth, and the precision in which these times and orders are accurate.

        ``n_all`` is the number of bandwidths of rows that may be given, where the data are a subset of as many.
        """
        require_kernel(bandwidth, n_neighbors, data, precision, options, n_all)
        limit = memory_limit_of(options)
        sigma, _ = kernel_bandwidth(bandwidth, data, n_neighbors, seed, num_threads, n_all, memory_limit=limit)
        require_single_used(precision, data, sigma)
        stored = core_precision(precision, data, times, orders)
        return cls(data, sigma, diffusion_operator(data, core_bandwidth(sigma), alpha, stored))


def require_kernel(
    bandwidth: Any,
    n_neighbors: Any,
    data: AnyData,
    precision: Precision,
    options: SlqOptions | None,
    n_all: int | None = None,
) -> None:
    """Raise where an argument of the kernel is refused, before subsets are drawn."""
    require_free_precision(precision, options)
    require_kernel_arguments(bandwidth, n_neighbors, data, n_all)


def subset_entropies(
    kernel: SubsetKernel,
    subsets: list[NDArray[np.uint64]],
    times: list[float],
    orders: list[float],
    options: SlqOptions | None,
    num_threads: int | None,
    progress: bool,
    advice: Advice | None = None,
) -> SubsetEntropies:
    """Compute the entropies of the operator on each subset of the rows, or estimate them."""
    kernel.data.require_subsets(subsets)
    with progress_bar(progress, len(subsets), "entropies") as advance:
        solutions = subset_solutions(kernel.operator, subsets, options, advance, num_threads, advice)
    read = np.array([read_solution(solution, times, orders) for solution in solutions])
    bits, errors, reaches = np.moveaxis(read, 1, 0)
    return SubsetEntropies(bits, errors, reaches)


def subset_solutions(
    operator: DenseOperator,
    subsets: list[NDArray[np.uint64]],
    options: SlqOptions | None,
    advance: Any,
    num_threads: int | None,
    advice: Advice | None = None,
) -> list[Solution]:
    """Solve for each subset; one warning, with this advice, where estimates did not converge."""
    if options is None:
        spectra = operator.subset_eigenvalues(subsets, advance, num_threads)
        return [Solution.exact(eigenvalues) for eigenvalues in spectra]
    solutions = operator.estimate_subsets(subsets, options, advance, num_threads)
    warn_if_not_converged(solutions, options, advice, operator.data.argument)
    return solutions


def read_solution(
    solution: Solution, times: list[float], orders: list[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Read entropies [times, orders], their standard errors, and how far bounds reach from them."""
    if solution.estimate is None:
        bits = _core.renyi_entropies(without_rounding(solution.eigenvalues), times, orders)
        return bits, np.zeros_like(bits), np.zeros_like(bits)
    found = readings(solution.estimate, times, orders)
    reach = np.maximum(found.upper - found.entropy, found.entropy - found.lower)
    return found.entropy, found.standard_error, reach
