"""Rows that come block by block, from any iterable or from the chunks of a dask array.

Each block is checked as an array of rows is, and used before the next one is asked for. Small blocks are joined,
since each costs a matrix of D x D numbers. Memory: one block, or as many rows as there are columns.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.arrays import Rows, as_rows
from dsentropy._checks.containers import is_sparse
from dsentropy._checks.pairs import unit_roundoff

MIN_ROWS = 256
"""Rows that blocks are joined to at least, where there are fewer columns."""


def are_blocks(X: Any) -> bool:
    """Return whether ``X`` yields blocks of rows: it is an iterable without rows, or a sequence of 2-d arrays.

    Whatever NumPy makes an array of two dimensions of is not; nor are containers that are refused as data.
    """
    if hasattr(X, "__array__") or is_sparse(X) or not isinstance(X, Iterable):
        return False
    if isinstance(X, (str, bytes, os.PathLike, Mapping, Set)) or hasattr(X, "seek"):
        return False
    if not hasattr(X, "__getitem__"):
        return True
    if not isinstance(X, Sequence):
        return False
    try:
        return getattr(X[0], "ndim", None) == 2
    except Exception:  # of an empty sequence, of a memoryview of two dimensions; NumPy reads it or refuses it
        return False


def checked_blocks(blocks: Iterable[Any], name: str) -> Iterator[tuple[Rows, float]]:
    """Yield blocks as arrays [rows, D], and the unit roundoff of their dtypes. Blocks without rows are left out.

    Raises
    ------
    ValueError, TypeError
        For a block that is no array of rows, or has another number of columns than the first. Block i is called
        ``name[i]``. An error that the iterable itself raises in between is passed on.
    """
    try:
        iterator = iter(blocks)
    except Exception as error:  # whatever the object's __iter__ raises
        raise TypeError(f"{name} must be an array or an iterable of blocks of rows: {error}") from error
    columns: int | None = None
    for i, block in enumerate(iterator):
        shape: Any = getattr(block, "shape", ())
        if len(shape) == 2 and shape[0] == 0:
            continue
        rows = as_rows(block, f"{name}[{i}]")
        if columns is not None and rows.shape[1] != columns:
            raise ValueError(
                f"{name} must have blocks of equally many columns, got {columns} in the first and {rows.shape[1]} in "
                f"{name}[{i}]"
            )
        columns = rows.shape[1]
        yield rows, unit_roundoff(block)
    if columns is None:
        raise ValueError(f"{name} must have at least one row, got no block with rows")


def joined_blocks(blocks: Iterable[tuple[Rows, float]]) -> Iterator[tuple[Rows, float]]:
    """Join small blocks until they have as many rows as columns and at least 256, or none is left.

    Rows that wait are copied: an iterable may fill the same array again for its next block.
    """
    waiting: list[NDArray[np.float64]] = []
    roundoff, number = 0.0, 0
    for rows, of_block in blocks:
        enough = max(rows.shape[1], MIN_ROWS)
        if not waiting and len(rows) >= enough:
            yield rows, of_block
            continue
        waiting.append(rows.astype(np.float64))
        roundoff, number = max(roundoff, of_block), number + len(rows)
        if number >= enough:
            yield np.concatenate(waiting), roundoff
            waiting, roundoff, number = [], 0.0, 0
    if waiting:
        yield np.concatenate(waiting), roundoff
