"""The structure of data sets against the bandwidth, and the bandwidth at which its modulus is largest.

A grid on a logarithmic axis is extended where the largest modulus is at an end of it. Then the interval around it is
divided further, and the vertex of the parabola through the best three is added. All bandwidths have the same draws,
so the curve is smooth. Cost: about 15 bandwidths, with one entropy for each data set and draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._core import Solution
from dsentropy._data.device_rows import AnyData
from dsentropy._data.device_surrogates import DeviceSurrogates
from dsentropy._data.surrogates import Surrogates
from dsentropy._measures.null_comparison import NullComparison, rounding_of
from dsentropy._operator.bandwidth import core_bandwidth
from dsentropy._operator.dense_operator import diffusion_operator
from dsentropy._operator.precision import CorePrecision
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._spectrum.kernel_solutions import kernel_solutions
from dsentropy._spectrum.missed_tolerance import MAX_SAMPLES, warn_if_not_converged
from dsentropy._spectrum.subset_entropies import read_solution

STEP = 100 ** (1 / 9)
"""Ratio of neighbouring bandwidths of the first grid, which has ten of them where it spans a factor of 100."""

_EXTENSIONS = 6
"""Bandwidths by which the grid is extended where the largest structure is at an end of it."""

_KEPT_BYTES = 1 << 26
"""Bytes up to which all draws together are kept from step to step, rather than made again."""

_PARTS = 3
"""Parts into which both intervals around the largest structure are divided."""

_LEVEL = 0.01
"""Level of the two-sided test that a clear maximum passes, corrected for the number of bandwidths and data sets."""

USUAL_STEPS = 3
"""Steps of a search without extensions: the grid, the parts of two intervals, the vertex of a parabola."""


@dataclass(frozen=True)
class CurveOptions:
    """How entropies of a curve are computed."""

    t: float
    order: float
    n_draws: int
    alpha: float
    precision: Callable[[AnyData], CorePrecision]
    solver: SlqOptions | None
    num_threads: int | None


@dataclass
class StructureCurve:
    """Entropies of data sets and of their draws at multiples of a bandwidth of each, which are added step by step."""

    sets: list[AnyData]
    surrogates: list[Surrogates | DeviceSurrogates]
    units: list[float]
    """The bandwidth of each data set at the multiple 1."""
    options: CurveOptions
    done: Callable[[], Any]
    """Called after each data set and draw at each new multiple."""
    multiples: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Ascending."""
    bits: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Entropies [data sets, 1 + draws, multiples]; the first of each data set is its own."""
    solutions: list[list[Solution]] = field(init=False)
    """Solutions of the estimates of each data set, for the warning."""
    _kept: dict[tuple[int, int], AnyData] = field(default_factory=dict)
    """Draws by data set and number."""

    def __post_init__(self) -> None:
        self.solutions = [[] for _ in self.sets]

    def add(self, multiples: NDArray[np.float64]) -> None:
        """Compute entropies at further multiples."""
        new = np.array([self._entropies(i, multiples) for i in range(len(self.sets))])
        both = np.concatenate([self.multiples, multiples])
        order = np.argsort(both)
        self.bits = (np.concatenate([self.bits, new], axis=2) if self.bits.size else new)[:, :, order]
        self.multiples = both[order]

    def _entropies(self, place: int, multiples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the entropies of one data set and its draws, with the distances of one at a time."""
        given, options = self.sets[place], self.options
        precision = options.precision(given)
        sigmas = [core_bandwidth(float(multiple * self.units[place])) for multiple in multiples]
        found = []
        for number in range(-1, options.n_draws):
            data = given if number < 0 else self._draw(place, number)
            operators = [diffusion_operator(data, sigma, options.alpha, precision) for sigma in sigmas]
            solutions = kernel_solutions(operators, options.solver, options.num_threads)
            if options.solver is not None:
                self.solutions[place] += solutions
            found.append([read_solution(one, [options.t], [options.order])[0][0, 0] for one in solutions])
            self.done()
        return np.array(found)

    def _draw(self, place: int, number: int) -> AnyData:
        """Return a draw, which is kept for the next step where all of them are small."""
        if (place, number) in self._kept:
            return self._kept[place, number]
        drawn = self.surrogates[place].draw(number, columns=False)
        if drawn.nbytes * self.options.n_draws * len(self.sets) <= _KEPT_BYTES:
            self._kept[place, number] = drawn
        return drawn

    def comparison(self, place: int) -> NullComparison:
        """Return the comparison of one data set with its draws at each multiple."""
        data = self.sets[place]
        rounding = rounding_of(self.options.precision(data), data.n_samples)
        return NullComparison(self.bits[place, 0], self.bits[place, 1:], rounding)

    def structures(self) -> NDArray[np.float64]:
        """Return the structure of each data set at each multiple, [data sets, multiples]."""
        return np.array([self.comparison(place).structure for place in range(len(self.sets))])

    def best(self) -> int:
        """Return the place of the multiple with the largest mean modulus of structure; of equal ones, the largest."""
        sizes = np.abs(self.structures()).mean(axis=0)
        rounding = self.comparison(0).rounding
        return int(np.flatnonzero(sizes >= sizes.max() - rounding)[-1])

    def is_interior(self) -> bool:
        """Return whether the best multiple has others on both sides."""
        return 0 < self.best() < len(self.multiples) - 1

    def falls_off(self) -> bool:
        """Return whether both ends have less structure than the best multiple, by more than rounding.

        Duplicates keep their structure at all small bandwidths, where the entropy only counts distinct rows.
        """
        sizes = np.abs(self.structures()).mean(axis=0)
        return bool(max(sizes[0], sizes[-1]) < sizes.max() - self.comparison(0).rounding)

    def is_beyond_spread(self, place: int) -> bool:
        """Return whether a structure at a multiple passes Student's t, corrected for all multiples and data sets."""
        from scipy.special import stdtrit

        n, number = self.options.n_draws, len(self.multiples) * len(self.sets)
        most = -stdtrit(n - 1, _LEVEL / number / 2) * math.sqrt(1 + 1 / n)
        for of_set in range(len(self.sets)):
            compared = self.comparison(of_set)
            size, spread = abs(compared.structure[place]), compared.standard_deviation[place]
            if size > max(most * spread, compared.rounding):
                return True
        return False

    def search(self, smallest: float, largest: float) -> None:
        """Find the best multiple, from a grid that spans these two."""
        number = 1 + math.ceil(math.log(largest / smallest) / math.log(STEP) - 1e-9)
        self.add(np.geomspace(smallest, largest, max(number, 3)))
        if np.abs(self.structures()).max() <= self.comparison(0).rounding:
            return  # no data set differs from its draws at any bandwidth
        for _ in range(_EXTENSIONS):
            if self.is_interior():
                break
            self.add(self.multiples[:1] / STEP if self.best() == 0 else self.multiples[-1:] * STEP)
        if self.is_interior():
            self._refine()
        if self.options.solver is not None:
            for data, solutions in zip(self.sets, self.solutions, strict=True):
                warn_if_not_converged(solutions, self.options.solver, MAX_SAMPLES, data.argument)

    def _refine(self) -> None:
        """Divide both intervals around the best multiple, and add the vertex of a parabola."""
        around = np.log(self.multiples[self.best() - 1 : self.best() + 2])
        parts = [np.linspace(low, high, _PARTS + 1)[1:-1] for low, high in pairwise(around)]
        self.add(np.exp(np.concatenate(parts)))
        middle = self.best()  # still an inner one: the ends have less than the best of before
        three = slice(middle - 1, middle + 2)
        signs = np.sign(self.structures()[:, middle])
        vertex = _vertex(np.log(self.multiples[three]), signs @ self.structures()[:, three])
        if vertex is not None:
            self.add(np.exp([vertex]))


def _vertex(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Return where the parabola through three points is largest; None where that is one of them, or none is."""
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    if not right < left:
        return None
    vertex = float((x[0] + x[1]) / 2 + left * (x[2] - x[0]) / (2 * (left - right)))
    return vertex if x[0] < vertex < x[2] and vertex != x[1] else None
