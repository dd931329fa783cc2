"""Data that spectra are computed from: rows, or distances or affinities of all pairs of rows.

The metric says how the array is read. For ``"cosine"`` rows are scaled to length 1, after which the core computes
Euclidean distances; the array before that is kept for its dtype, and for the fingerprint. Rows that were parallel up
to the rounding of their dtype become equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows, as_directions, as_rows
from dsentropy._checks.containers import is_sparse
from dsentropy._checks.pairs import (
    F64_ROUNDOFF,
    as_affinities,
    as_distances,
    require_no_zero_row,
    unit_roundoff,
)
from dsentropy._checks.scalars import as_choice, as_limit, as_seed
from dsentropy._data import subsets
from dsentropy._data.distinct import joined_directions
from dsentropy._data.fingerprint import digest

Metric: TypeAlias = Literal["euclidean", "cosine", "precomputed", "affinity"]
"""Rows under a distance, or a matrix of distances or of affinities of all pairs."""

DistanceMetric: TypeAlias = Literal["euclidean", "cosine", "precomputed"]
"""A metric with distances, for kernels of any bandwidth."""

METRICS: tuple[Metric, ...] = get_args(Metric)
"""All metrics."""


PARALLEL_ROUNDING = 4
"""Largest distance of the directions of parallel rows, in units of eps of their dtype.

Rounding moves each entry by half an eps of itself, so both directions together by one; scaling to length 1 in float64
adds less than one to each.
"""


@dataclass(frozen=True)
class Data:
    """A validated array and its metric."""

    rows: Rows
    metric: Metric
    given: NDArray[Any]
    """The array with the caller's dtype and values, before a metric or a repair changed it."""
    chosen: NDArray[np.uint64] | None = None
    """Numbers of the caller's rows that these are; None where they are all."""
    unit_roundoff: float = F64_ROUNDOFF
    """The unit roundoff of the dtype in which the caller gave the array."""
    argument: str = "X"
    """The argument that gave the array, for errors."""

    @classmethod
    def of(cls, X: Any, metric: Any = "euclidean", argument: str = "X") -> Data:
        """Check and convert ``X``, whose errors name its ``argument``, and ``metric``."""
        name = as_choice(metric, "metric", *METRICS)
        if name == "precomputed" and is_sparse(X):
            raise TypeError(
                f"{argument} must be dense where metric is 'precomputed': in a sparse matrix, distances that are not "
                f"stored would be 0. diffusion_spectrum(rows, graph='knn', neighbors={argument}) takes distances to "
                "neighbors only"
            )
        if name in ("precomputed", "affinity"):
            pairs = as_distances(X, argument) if name == "precomputed" else as_affinities(X, argument)
            return cls(pairs.matrix, name, pairs.given, unit_roundoff=pairs.unit_roundoff, argument=argument)
        given = as_rows(X, argument)
        rows = given
        if name == "cosine":
            rounding = PARALLEL_ROUNDING * float(np.finfo(given.dtype).eps)
            rows = joined_directions(as_directions(given, argument), rounding)
        return cls(rows, name, given, unit_roundoff=unit_roundoff(X), argument=argument)

    @property
    def n_samples(self) -> int:
        """The number of rows, N."""
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the array."""
        n, columns = self.rows.shape
        return n, columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the array before a metric or a repair changed it."""
        return self.given.dtype

    @property
    def nbytes(self) -> int:
        """The bytes of the array."""
        return self.rows.nbytes

    @property
    def core_metric(self) -> Literal["euclidean", "precomputed", "affinity"]:
        """The metric by which the core reads the array."""
        return "euclidean" if self.metric == "cosine" else self.metric

    @property
    def tie_roundoff(self) -> float:
        """The relative rounding of rows or distances, up to which distances to neighbours are tied."""
        if self.metric == "cosine":
            return self.unit_roundoff + PARALLEL_ROUNDING * F64_ROUNDOFF  # of scaling to length 1
        return self.unit_roundoff

    def few_distinct(self) -> int | None:
        """Return the number of distinct rows where it allows half of the greatest entropy or less, else None."""
        if self.metric == "affinity" or self.n_samples == 1:
            return None
        number = len(np.unique(_core.distinct_rows(self.rows)))
        return number if number**2 <= self.n_samples else None

    def part(self, chosen: NDArray[np.uint64]) -> Data:
        """Return the data of some rows, with the pairs among them where pairs are given."""
        if self.metric in ("precomputed", "affinity"):
            pairs: Rows = self.rows[np.ix_(chosen, chosen)]
            if self.metric == "affinity":
                require_no_zero_row(pairs, self.argument, " of each subset")
            given = pairs if self.given is self.rows else self.given[np.ix_(chosen, chosen)]
            return Data(pairs, self.metric, given, chosen, self.unit_roundoff, self.argument)
        return Data(self.rows[chosen], self.metric, self.given[chosen], chosen, self.unit_roundoff, self.argument)

    def require_subsets(self, chosen_rows: Iterable[NDArray[np.uint64]]) -> None:
        """Raise where a row of affinities has no positive one within a subset."""
        if self.metric == "affinity":
            for chosen in chosen_rows:
                self.part(chosen)

    def limited(self, max_samples: Any, random_state: Any, *, ascending: bool = False) -> Data:
        """Return the data, or a random subset of ``max_samples`` rows, drawn as the reference draws it.

        The rows are in the order in which they were drawn, or in ``ascending`` order of their numbers.
        """
        limit = as_limit(max_samples, "max_samples")
        seed = as_seed(random_state, "random_state")
        if limit is None or self.n_samples <= limit:
            return self
        chosen = subsets.draw(self.n_samples, limit, seed)
        return self.part(np.sort(chosen) if ascending else chosen)

    def fingerprint(self) -> str:
        """Return a digest of the values that the caller gave."""
        return digest(self.given)
