"""The data of an entropy of the reference: rows as they were given, and the random subset that is used."""

from __future__ import annotations

from typing import Any

from dsentropy._checks.arrays import Rows, as_rows
from dsentropy._checks.scalars import as_limit, as_seed
from dsentropy._checks.warn import warn
from dsentropy._data import subsets as _subsample
from dsentropy._data.fingerprint import digest
from dsentropy._data.subsets import SubsetWarning
from dsentropy.io import eigenvalue_file as _eigenvalue_file


class ReferenceRows:
    """Checked data, of which at most ``max_N`` random rows are used. They may be None where a file is read."""

    def __init__(self, embedding_vectors: Any, max_N: Any, random_seed: Any) -> None:
        self.max_N = as_limit(max_N, "max_N")
        self.seed = as_seed(random_seed, "random_seed")
        self.given: Rows | None = None
        if embedding_vectors is not None:
            self.given = as_rows(embedding_vectors, "embedding_vectors")

    @property
    def n_used(self) -> int | None:
        """The number of rows that are used; None where there are no data."""
        return None if self.given is None else min(len(self.given), self.max_N or len(self.given))

    def used(self) -> Rows:
        """Return the rows that are used."""
        if self.given is None:
            raise ValueError("embedding_vectors must be given, got None, and no file of eigenvalues to read")
        n = len(self.given)
        if self.max_N is None or n <= self.max_N:
            return self.given
        self.warn_if_cut()
        chosen: Rows = self.given[_subsample.draw(n, self.max_N, self.seed)]
        return chosen

    def warn_if_cut(self) -> None:
        """Warn where not all rows are used."""
        if self.given is not None and self.max_N is not None and len(self.given) > self.max_N:
            drawn = "from Python's global generator" if self.seed is None else f"with random_seed = {self.seed}"
            warn(
                f"embedding_vectors: max_N = {self.max_N} of {len(self.given)} rows were used, a random subset drawn "
                f"{drawn}: pass max_N=None to use all rows",
                SubsetWarning,
            )

    def fingerprint(self) -> _eigenvalue_file.Fingerprint | None:
        """Return what a file says about where its data come from; None where there are no data."""
        if self.given is None:
            return None
        subset = self.max_N is not None and len(self.given) > self.max_N
        return {
            "data": digest(self.given),
            "max_N": self.max_N if subset else None,
            "random_seed": self.seed if subset else None,
        }
