"""Groups of equal rows, each of which an operator can hold once with the number of its rows.

Where an affinity depends on distances alone, equal rows are interchangeable. With weights sqrt(m_i m_j) for groups of
m_i and m_j rows, the operator of one row a group has the eigenvalues of the operator of all rows, but for zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows


@dataclass(frozen=True)
class Groups:
    """A partition of rows into groups of equal ones."""

    first: NDArray[np.int64]
    """Number of the first row of each group, ascending."""
    of_rows: NDArray[np.int64]
    """Group of each row."""
    sizes: NDArray[np.int64]
    """Number of rows of each group."""

    @classmethod
    def of(cls, rows: Rows, numbers: NDArray[np.float64] | None = None) -> Groups | None:
        """Group equal rows, where ``numbers`` are given those with an equal number; None where all rows differ.

        Rows of a matrix of distances are equal where their distances to all others are, and to each other 0.
        """
        representatives = _core.distinct_rows(rows)
        if numbers is not None:
            pairs = np.column_stack((representatives.astype(np.float64), numbers))
            representatives = _core.distinct_rows(pairs)
        first, of_rows, sizes = np.unique(representatives.astype(np.int64), return_inverse=True, return_counts=True)
        return None if len(first) == len(rows) else cls(first, of_rows, sizes)


def joined_directions(directions: Rows, rounding: float) -> Rows:
    """Make rows of length 1 equal that differ by no more than ``rounding``, as those of parallel rows do.

    Where all rows differ by more, the array itself is returned.
    """
    representatives = _core.distinct_rows(directions, rounding)
    if (representatives == np.arange(len(directions), dtype=np.uintp)).all():
        return directions
    joined: Rows = directions[representatives]
    return joined
