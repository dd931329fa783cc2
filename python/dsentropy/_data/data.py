"""What spectra are computed of: rows, or distances or affinities of all pairs of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.arrays import Rows, as_affinities, as_directions, as_distances, as_rows, require_no_zero_row
from dsentropy._checks.scalars import as_choice, as_limit, as_seed
from dsentropy._data import subsets as _subsample
from dsentropy.io import eigenvalue_file as _eigenvalue_file

METRICS = ("euclidean", "cosine", "precomputed", "affinity")


@dataclass(frozen=True)
class Data:
    """A validated array, and how it is read."""

    rows: Rows
    metric: str
    given: NDArray[Any]
    """The array before a metric changed it: what the caller's dtype and values were."""
    chosen: NDArray[np.uint64] | None = None
    """Which of the caller's rows these are, where they are not all."""

    @classmethod
    def of(cls, X: Any, metric: Any = "euclidean") -> Data:
        """Check and coerce ``X`` and ``metric``."""
        name = as_choice(metric, "metric", *METRICS)
        if name == "precomputed":
            rows: Rows = as_distances(X, "X")
        elif name == "affinity":
            rows = as_affinities(X, "X")
        else:
            given = as_rows(X, "X")
            return cls(as_directions(given, "X") if name == "cosine" else given, name, given)
        return cls(rows, name, rows)

    @property
    def n_samples(self) -> int:
        """N, the number of rows."""
        return len(self.rows)

    @property
    def core_metric(self) -> str:
        """What the core reads the array as."""
        return "euclidean" if self.metric == "cosine" else self.metric

    def part(self, chosen: NDArray[np.uint64]) -> Data:
        """Some of the rows."""
        if self.metric in ("precomputed", "affinity"):
            pairs: Rows = self.rows[np.ix_(chosen, chosen)]
            if self.metric == "affinity":
                require_no_zero_row(pairs, "X", " of each subset")
            return Data(pairs, self.metric, pairs, chosen)
        return Data(self.rows[chosen], self.metric, self.given[chosen], chosen)

    def require_subsets(self, subsets: Iterable[NDArray[np.uint64]]) -> None:
        """Fail where a row of affinities has none within a subset."""
        if self.metric == "affinity":
            for chosen in subsets:
                self.part(chosen)

    def limited(self, max_samples: Any, random_state: Any) -> Data:
        """At most so many rows, drawn as the familiar functions draw them."""
        limit = as_limit(max_samples, "max_samples")
        seed = as_seed(random_state, "random_state")
        if limit is None or self.n_samples <= limit:
            return self
        return self.part(_subsample.draw(self.n_samples, limit, seed))

    def fingerprint(self) -> str:
        """A digest of the values as they were given."""
        return _eigenvalue_file.digest(self.given)
