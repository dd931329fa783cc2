"""Entropies of random subsets of the rows: arguments that such functions share, draws, and readings.

Subsets are drawn independently of each other, without replacement. A seed determines their rows, whatever the data,
so that data sets with equal numbers of rows have equal subsets. Cost: one entropy for each distinct subset.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.memory import memory_errors
from dsentropy._checks.progress import as_progress
from dsentropy._checks.scalars import (
    Precision,
    as_alpha,
    as_nonnegative,
    as_numbers,
    as_order,
    as_precision,
    as_seed,
    as_threads,
    drop_axes,
)
from dsentropy._data.cluster_subsets import Subsets, require_draws
from dsentropy._data.device_rows import AnyData
from dsentropy._data.subsets import Draws
from dsentropy._measures.student_interval import Uncertainty
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._spectrum.missed_tolerance import Advice
from dsentropy._spectrum.saturation import warn_if_saturated
from dsentropy._spectrum.solver import resolve_solver
from dsentropy._spectrum.subset_entropies import SubsetEntropies, SubsetKernel, require_kernel, subset_entropies
from dsentropy._spectrum.ways_out import subset_ways_out


@dataclass(frozen=True)
class SubsetArguments:
    """Arguments of a function of random subsets: what is read off each, and how it is computed."""

    times: list[float]
    orders: list[float]
    several: tuple[bool, bool]
    """Whether t and the order were sequences."""
    alpha: float
    precision: Precision
    num_threads: int | None
    progress: bool
    seed: int | None
    options: SlqOptions | None
    fewer: str
    """What to give for fewer rows of a subset, for errors."""
    has_solver: bool
    """Whether the function has an argument ``solver``, for errors."""

    @classmethod
    def of(
        cls,
        *,
        t: Any,
        order: Any,
        alpha: Any,
        precision: Any,
        random_state: Any,
        num_threads: Any,
        progress: Any,
        solver: Any,
        own_times: bool = True,
        fewer: str = "a smaller n_samples",
        has_solver: bool = True,
    ) -> SubsetArguments:
        """Check and convert the arguments.

        ``own_times`` says that an estimate's tolerance holds at t and order.
        """
        times, several_times = as_numbers(t, "t", as_nonnegative)
        orders, several_orders = as_numbers(order, "order", as_order)
        of_alpha, stored = as_alpha(alpha), as_precision(precision)
        threads, shown = as_threads(num_threads), as_progress(progress)
        seed = as_seed(random_state, "random_state")
        own = {"times": times, "orders": orders} if own_times else {}
        options = resolve_solver(solver, seed, **own, orders_name="order")
        several = (several_times, several_orders)
        return cls(times, orders, several, of_alpha, stored, threads, shown, seed, options, fewer, has_solver)

    @property
    def readings(self) -> int:
        """The number of entropies that are read off each subset."""
        return len(self.times) * len(self.orders)

    def require_kernel(self, data: AnyData, bandwidth: Any, n_neighbors: Any) -> None:
        """Raise where an argument of the kernel is refused, before subsets are drawn."""
        require_kernel(bandwidth, n_neighbors, data, self.precision, self.options)

    def entropies(
        self, data: AnyData, bandwidth: Any, n_neighbors: Any, rows: list[NDArray[np.uint64]]
    ) -> SampledData:
        """Compute the entropies of subsets of the rows, all with the bandwidth of all rows of the data."""
        with memory_errors(*self.ways_out(data, bandwidth)):
            kernel = SubsetKernel.of(
                data,
                bandwidth,
                n_neighbors,
                self.alpha,
                self.precision,
                self.seed,
                self.num_threads,
                times=self.times,
                orders=self.orders,
                options=self.options,
            )
            found = subset_entropies(
                kernel,
                rows,
                self.times,
                self.orders,
                self.options,
                self.num_threads,
                self.progress,
                Advice(self.fewer),
            )
        return SampledData(data, kernel.bandwidth, found)

    def ways_out(self, data: AnyData, bandwidth: Any) -> tuple[str, ...]:
        """Return what the caller can do where memory is too little."""
        given = self.options, self.precision, data.metric, bandwidth, self.num_threads
        return subset_ways_out(*given, self.fewer, has_solver=self.has_solver)

    def uncertainty(self, entropies: SubsetEntropies, keys: list[int]) -> Uncertainty | None:
        """Return the uncertainty of the mean over subsets with these numbers; None where entropies are exact."""
        return None if self.options is None else Uncertainty.of_mean(entropies, keys)

    def drop_axes(self, values: NDArray[Any]) -> Any:
        """Drop the last axes, of t and of the order, that belong to arguments that were one number."""
        return drop_axes(values, *self.several)

    def drop_times(self, values: NDArray[Any]) -> Any:
        """Drop the last axis, of t, where it was one number."""
        return drop_axes(values, self.several[0])

    def warn_if_saturated(
        self, sampled: SampledData, mean: NDArray[np.float64], n_samples: int, quantity: str
    ) -> None:
        """Warn where a mean entropy [times, orders] is saturated, if there is a bandwidth to change."""
        if sampled.data.metric == "affinity":
            return
        warn_if_saturated(
            mean,
            float(np.log2(n_samples)),
            self.times,
            self.orders,
            sampled.bandwidth,
            quantity=quantity,
            distinct_rows=sampled.data.few_distinct(),
        )


@dataclass(frozen=True)
class SampledData:
    """Entropies of subsets of a data set, and the bandwidth of all its rows."""

    data: AnyData
    bandwidth: Bandwidth
    entropies: SubsetEntropies

    @property
    def public_bandwidth(self) -> Bandwidth | None:
        """The bandwidth; None where affinities were given."""
        return None if self.data.metric == "affinity" else self.bandwidth


def require_subsets(
    repeats: int, size: int, n: int, readings: int, fewer: str = "a smaller n_samples", *, draws: int = 1
) -> None:
    """Raise a MemoryError where ``n_repeats`` subsets of n rows, with as many readings of each, do not fit.

    Where several sets have ``draws`` of their own, ``readings`` are those of one subset of each.
    """
    distinct, of_each = 1 if size == n else repeats, math.ceil(readings / draws)
    what = f"n_repeats = {repeats}"
    require_draws(what, draws * repeats, draws * distinct * size, of_each, "a smaller n_repeats", fewer)


def drawn(repeats: int, size: int, n: int, seed: int | None) -> tuple[list[NDArray[np.uint64]], list[int]]:
    """Draw subsets of n rows, and return the distinct ones and the number of each.

    The rows of a subset are in ascending order: subsets of all of them are one and the same.
    """
    draws, subsets = Draws(seed), Subsets()
    keys = [subsets.add(np.sort(draws.next(n, size))) for _ in range(repeats)]
    return subsets.rows, keys
