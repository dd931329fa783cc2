"""Which rows of a file are read: a slice, row numbers or a mask, and a random subset of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_limit, as_seed
from dsentropy.io.stored import ChoiceError

RowIndex = slice | NDArray[np.intp]
"""A slice with a positive step, or ascending row numbers."""


@dataclass(frozen=True)
class RowChoice:
    """The arguments ``rows``, ``max_samples`` and ``random_state``."""

    rows: slice | NDArray[Any] | None
    max_samples: int | None
    seed: int | None

    @classmethod
    def of(cls, rows: Any, max_samples: Any, random_state: Any) -> RowChoice:
        """Check the arguments; whether there are such rows is checked where their number is known."""
        if rows is not None and not isinstance(rows, slice):
            rows = as_array(rows, "rows")
            if rows.ndim != 1 or rows.dtype.kind not in "iub":
                kinds = "a slice, a vector of row numbers or a mask"
                raise TypeError(f"rows must be {kinds}, got dtype {rows.dtype} and shape {rows.shape}")
        elif isinstance(rows, slice):
            _require_integers(rows)
        return cls(rows, as_limit(max_samples, "max_samples"), as_seed(random_state, "random_state"))

    def index(self, n: int) -> RowIndex:
        """Return the rows of n that are read, ascending; a slice where no random subset is drawn of one."""
        chosen = self._chosen(n)
        size = len(range(n)[chosen]) if isinstance(chosen, slice) else len(chosen)
        if not size:
            raise ChoiceError(f"rows must have at least one of the {n} rows, got {printed(self.rows)}")
        if self.max_samples is None or size <= self.max_samples:
            return chosen
        drawn = _drawn(size, self.max_samples, self.seed)
        if isinstance(chosen, slice):
            return drawn * range(n)[chosen].step + range(n)[chosen].start
        return chosen[drawn]

    def _chosen(self, n: int) -> RowIndex:
        if self.rows is None:
            return slice(0, n, 1)
        if isinstance(self.rows, slice):
            along = range(n)[self.rows]
            along = along if along.step > 0 else along[::-1]
            return slice(along.start, along.stop, along.step)
        if self.rows.dtype.kind == "b":
            if len(self.rows) != n:
                raise ChoiceError(f"rows must have one entry for each of the {n} rows, got {len(self.rows)}")
            return np.flatnonzero(self.rows)
        outside = (self.rows < -n) | (self.rows >= n)
        if outside.any():
            raise ChoiceError(f"rows must be below the number of rows, {n}, got {self.rows[outside.argmax()]}")
        return np.unique(self.rows.astype(np.intp) % n)


def _drawn(n: int, size: int, seed: int | None) -> NDArray[np.intp]:
    """Return ``size`` of the numbers below ``n``, ascending: those that the measures draw for ``max_samples``."""
    import random  # not loaded by NumPy

    generator = random._inst if seed is None else random.Random(seed)
    return np.sort(np.array(generator.sample(range(n), k=size), dtype=np.intp))


def _require_integers(rows: slice) -> None:
    try:
        range(0)[rows]
    except (TypeError, ValueError) as error:
        raise type(error)(f"rows must be a slice of integers whose step is not 0, got {printed(rows)}") from error
