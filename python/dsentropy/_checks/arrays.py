"""Arrays, coerced once, with the argument's name in every error.

A bad value is a ``ValueError``, a bad type a ``TypeError``. Each function takes the argument and its name and returns
an array that the core can read: finite, real, aligned, float32 or float64.
"""

from __future__ import annotations

import math
import os
import pathlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from dsentropy import _core
from dsentropy._checks.containers import is_sparse
from dsentropy._checks.conversion import as_array
from dsentropy._checks.entries import first_non_number, non_numbers_error, place, way_without_missing
from dsentropy._checks.printing import printed

Rows: TypeAlias = "NDArray[np.float32] | NDArray[np.float64]"
"""A checked array of two dimensions, in one of the two precisions of the core."""


def as_rows(value: Any, name: str, *, pairs: bool = False) -> Rows:
    """Convert to a finite, real array of shape (N, D); float32 stays float32, all else becomes float64.

    A sparse matrix becomes dense where memory allows it. Errors about the shape differ where the rows are those of a
    matrix of ``pairs``.
    """
    array = _as_numbers(dense(value, name) if is_sparse(value) else value, name)
    if array.ndim != 2:
        axes = "[N, N]" if pairs else "[N, D]"
        way = "" if pairs else _way_to_rows(value, array, name)
        raise ValueError(f"{name} must have two dimensions {axes}, got shape {array.shape}{way}")
    if array.size == 0:
        raise ValueError(f"{name} must have at least one row and one column, got shape {array.shape}")
    with np.errstate(over="ignore"):  # long double may overflow; infinity is refused below
        rows: Rows = np.require(array, np.float32 if array.dtype == np.float32 else np.float64, requirements="A")
    if any(stride % rows.itemsize for stride in rows.strides):  # a field of a structured array
        rows = rows.copy()
    finite = np.isfinite(rows)
    if not finite.all():
        i, j = np.argwhere(~finite)[0]
        way = way_without_missing(value, name) if np.isnan(rows[i, j]) else ""
        raise ValueError(f"{name} must be finite, got {rows[i, j]} in {place(value, (i, j))}{way}")
    return rows


def dense(matrix: Any, name: str) -> NDArray[Any]:
    """Copy a sparse matrix to an array, which is refused where it does not fit into memory."""
    if matrix.dtype.kind not in "fiub":
        way = f": abs({name}) has the moduli, {name}.real the real parts" if matrix.dtype.kind == "c" else ""
        raise TypeError(f"{name} must hold real numbers, got dtype {matrix.dtype}{way}")
    copied = 0 if matrix.dtype in (np.float32, np.float64) else np.dtype(np.float64).itemsize
    of_entry = matrix.dtype.itemsize + copied + 1  # the array, its conversion, and whether each entry is finite
    try:
        _core.require_memory(matrix.shape[0], math.prod(matrix.shape) * of_entry)
    except MemoryError as error:
        way = f"use fewer rows of {name}, or fewer columns, as of sklearn.decomposition.TruncatedSVD"
        raise MemoryError(f"{name} as a dense array of shape {matrix.shape}: {error}: {way}") from error
    integers = matrix.dtype.kind in "iu"  # entries of one place are added up, which may be beyond their dtype
    array: NDArray[Any] = (matrix.astype(np.float64) if integers else matrix).toarray()
    return array


def _as_numbers(value: Any, name: str) -> NDArray[Any]:
    """Convert to an array of real numbers, of any shape."""
    array = as_array(value, name)
    if array.dtype.kind in "fiub":
        return array
    if array.dtype.kind == "O" and array.ndim and first_non_number(array) is None:
        return floats_of(array, name)
    raise non_numbers_error(value, array, name)


def floats_of(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Convert objects that are numbers, such as integers beyond int64, to float64."""
    try:
        return array.astype(np.float64)
    except Exception as error:  # of a number beyond float64 an OverflowError, and whatever an object raises
        raise ValueError(f"{name} must be finite in float64: {error}") from error


def _way_to_rows(value: Any, array: NDArray[Any], name: str) -> str:
    """Return the end of an error: how an array of one dimension, or of more than two, becomes rows."""
    if not array.size or not array.ndim:
        return ""
    given = name if hasattr(value, "reshape") else f"np.asarray({name})"
    if array.ndim == 1:
        return f": {given}.reshape(-1, 1) makes N rows of one number, {given}.reshape(1, -1) one row"
    pooled = 1 if array.ndim == 3 else tuple(range(2, array.ndim))
    way = f": flatten each row by {given}.reshape(len({name}), -1), or pool by {given}.mean(axis={pooled})"
    if isinstance(value, (list, tuple)) and array.ndim == 3 and hasattr(value[0], "shape"):
        way += f"; np.concatenate({name}) joins a list of batches, np.hstack({name}) one of columns"
    return way


def as_moduli(value: Any, name: str) -> NDArray[np.float64]:
    """Convert a vector of eigenvalues to their moduli, the largest first: finite, and not all zero."""
    if isinstance(value, (str, os.PathLike)):
        path = printed(str(value) if isinstance(value, pathlib.PurePath) else value)
        raise TypeError(f"{name} must be an array, got {path}: Spectrum.load({path}) reads a saved spectrum")
    given = as_array(value, name)
    if given.dtype.kind == "O" and given.ndim == 1 and first_non_number(given) is None:
        given = floats_of(given, name)
    if given.dtype.kind not in "fciu" or given.ndim != 1 or given.size == 0:
        index = first_non_number(given) if given.dtype.kind in "OUST" and given.ndim == 1 else None
        shown = f"dtype {given.dtype}, shape {given.shape}" if given.ndim else printed(given[()])
        if index is not None:
            shown = f"{printed(given[index])} in {place(value, index)}"
        raise ValueError(f"{name} must be a vector of numbers, got {shown}")
    moduli: NDArray[np.float64] = np.sort(moduli_of(given))[::-1]
    if not (np.isfinite(moduli[0]) and moduli[0] > 0):
        finite = np.isfinite(given)
        row = int(finite.argmin())
        where = "zeros" if finite.all() else f"{given[row]} in row {row}"
        raise ValueError(f"{name} must be finite and not all zero, got {where}")
    return moduli


def moduli_of(numbers: NDArray[Any]) -> NDArray[np.float64]:
    """Return moduli in float64: integers have no modulus of their smallest number, and float32 less range."""
    with np.errstate(over="ignore"):  # of long double
        return np.abs(numbers.astype(np.complex128 if numbers.dtype.kind == "c" else np.float64))


def as_directions(value: Any, name: str) -> Rows:
    """Convert to rows of length 1 in float64, so that squared distances are 2 - 2 cos. No row may be zero."""
    rows = as_rows(value, name)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    if not largest.all():
        raise ValueError(
            f"{name} must have no zero row where metric is 'cosine', got zeros in row {largest.argmin()}"
        )
    scaled = rows / largest.astype(np.float64)
    directions: NDArray[np.float64] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return directions


def as_floating_dtype(value: DTypeLike, name: str) -> np.dtype[np.floating[Any]]:
    """Convert to a floating dtype."""
    try:
        dtype: np.dtype[Any] | None = None if value is None else np.dtype(value)
    except Exception:  # of text that NumPy parses also a SyntaxError; whatever an object's methods raise
        dtype = None
    if dtype is None or dtype.kind != "f":
        raise ValueError(f"{name} must be a floating dtype, got {printed(value)}")
    return dtype
