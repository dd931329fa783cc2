"""Data and their surrogates, each with its bandwidth, solved for one after the other or two at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from dsentropy._checks.progress import Advance
from dsentropy._core import OperatorMatrix, Solution
from dsentropy._data.data import Data
from dsentropy._data.device_rows import AnyData
from dsentropy._data.device_surrogates import DeviceSurrogates
from dsentropy._data.surrogates import Surrogates
from dsentropy._operator.bandwidth import MEDIAN_ROWS, Bandwidth, core_bandwidth, is_rule, resolve
from dsentropy._operator.dense_operator import DenseOperator, diffusion_operator, solves_on_device
from dsentropy._operator.precision import CorePrecision
from dsentropy._operator.slq_options import SlqOptions, memory_limit_of
from dsentropy._spectrum.kernel_solutions import kernel_solutions, matrix_solutions
from dsentropy._spectrum.missed_tolerance import MAX_SAMPLES, warn_if_not_converged

NullBandwidth: TypeAlias = Literal["own", "data"]
"""Whether surrogates follow the rule of the bandwidth, or have the number of the data."""

_TWO_AT_ONCE, _TWO_WIDE_AT_ONCE = 1024, 1536
"""Rows up to which two surrogates are solved for at once: of any, and of wide ones, whose entropy takes more memory.

With more, all threads are about as fast on one.
"""

_WIDE = 4
"""Rows for each column up to which a set is wide."""


@dataclass(frozen=True)
class NullSets:
    """Data and their surrogates, with the bandwidth of each, and how they are solved for."""

    data: AnyData
    surrogates: Surrogates | DeviceSurrogates
    given: Any
    """The argument ``bandwidth``."""
    sigma: Bandwidth
    """The bandwidth of the data."""
    kept: NullBandwidth
    n_neighbors: int | None
    seed: int
    alpha: float
    precision: CorePrecision
    options: SlqOptions | None
    num_threads: int | None

    def solutions(self, draws: int, advance: Advance) -> list[Solution]:
        """Solve for the data and then for each surrogate.

        The core's exact solver works on the matrices of two small ones at a time; the rows of one are held.
        """
        self._require_bandwidth()
        found = kernel_solutions([self._operator(self.data, self.sigma)], self.options, self.num_threads)
        advance(1, math.nan)
        n, columns = self.data.shape
        most = _TWO_WIDE_AT_ONCE if n <= _WIDE * columns else _TWO_AT_ONCE
        at_once = 2 if self.options is None and n <= most else 1
        for first in range(0, draws, at_once):
            found += self._solve(range(first, min(first + at_once, draws)))
            advance(len(found), math.nan)
        if self.options is not None:
            warn_if_not_converged(found, self.options, MAX_SAMPLES)
        return found

    def _solve(self, numbers: range) -> list[Solution]:
        begun = [self._begin(number) for number in numbers]
        matrices = [one for one in begun if isinstance(one, OperatorMatrix)]
        solved = iter(matrix_solutions(matrices, self.num_threads) if matrices else [])
        return [
            next(solved)
            if isinstance(one, OperatorMatrix)
            else kernel_solutions([one], self.options, self.num_threads)[0]
            for one in begun
        ]

    def _begin(self, number: int) -> OperatorMatrix | DenseOperator:
        """Draw a surrogate, and make its matrix where the core's exact solver takes it."""
        data = self.surrogates.draw(number, columns=callable(self.given))
        exact = self.options is None
        by_median = self._follows and self.given in (None, "median") and data.n_samples <= MEDIAN_ROWS
        if exact and by_median and isinstance(data, Data):
            return OperatorMatrix.at_median(data.rows, self.alpha, self.precision, self.num_threads)
        operator = self._operator(data, self._bandwidth_of(data) if self._follows else self.sigma)
        if not exact or solves_on_device(operator):
            return operator
        return OperatorMatrix.of(data.rows, data.core_metric, operator.spec, self.num_threads)

    def _bandwidth_of(self, surrogate: AnyData) -> Bandwidth:
        rule, limit = self.given or "median", memory_limit_of(self.options)
        return resolve(rule, surrogate, self.n_neighbors, self.seed, self.num_threads, memory_limit=limit)

    def _operator(self, data: AnyData, sigma: Bandwidth) -> DenseOperator:
        return diffusion_operator(data, core_bandwidth(sigma), self.alpha, self.precision)

    @property
    def _follows(self) -> bool:
        """Whether each surrogate has a bandwidth of its own."""
        return is_rule(self.given) and self.kept == "own"

    def _require_bandwidth(self) -> None:
        """Raise a ValueError where surrogates would have one bandwidth for each row of the data."""
        if is_rule(self.given) and self.kept == "data" and np.ndim(self.sigma):
            raise ValueError(
                "null_bandwidth must be 'own' where the rule of bandwidth gives one number a row, as the numbers of "
                "the rows of X say nothing of a surrogate's rows, got 'data'"
            )
