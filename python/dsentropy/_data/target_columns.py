"""A target as columns: labels that can be sorted, or finite numbers; errors say which entry is neither."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.arrays import floats_of
from dsentropy._checks.conversion import as_array
from dsentropy._checks.entries import first_non_number, is_missing, missing_error, place
from dsentropy._checks.printing import printed

_BEYOND_INT64 = 2.0**63
"""Modulus from which on an integer may be beyond int64."""


def as_columns(target: Any, name: str, n_samples: int, data_name: str) -> NDArray[Any]:
    """Convert a target of N rows to an array [N, D] of any type, without missing entries."""
    given = _as_array(target, name)
    columns = given[:, None] if given.ndim == 1 else given
    if columns.ndim != 2 or columns.shape[1] == 0:
        shape = given.shape if given.ndim else printed(given)
        raise ValueError(f"{name} must have the shape [N] or [N, D], got {shape}")
    _require_length(columns, name, n_samples, data_name)
    _require_no_missing(target, given, name)
    return columns


def _as_array(value: Any, name: str) -> NDArray[Any]:
    """Convert to an array; integers stay what they are where a list has some beyond int64 and NumPy makes floats."""
    array = as_array(value, name)
    if array.dtype == np.float64 and isinstance(value, (list, tuple)) and (np.abs(array) >= _BEYOND_INT64).any():
        objects = np.asarray(value, dtype=object)
        if all(isinstance(entry, Integral) for entry in objects.flat):
            return objects
    return array


def _require_no_missing(target: Any, given: NDArray[Any], name: str) -> None:
    """Raise where an entry is None, NA, or a NaN among strings, of which NumPy makes the string "nan"."""
    if isinstance(target, (list, tuple)) and given.ndim == 1 and given.dtype.kind in "US":
        given = np.fromiter(target, dtype=object, count=len(target))
    if given.dtype.kind != "O":
        return
    for place_in_all, entry in enumerate(given.flat):
        if is_missing(entry):
            index = tuple(map(int, np.unravel_index(place_in_all, given.shape)))
            raise missing_error(entry, target, index, name)


def _require_length(array: NDArray[Any], name: str, n_samples: int, data_name: str) -> None:
    length = len(array) if array.ndim else 0
    if length != n_samples:
        raise ValueError(f"{name} must be as long as {data_name}, {n_samples}, got {length}")


def sortable(labels: NDArray[Any], name: str) -> NDArray[Any]:
    """Raise where labels are NaN or cannot be sorted; return them."""
    if labels.dtype.kind in "fcmM" and (labels != labels).any():
        index = tuple(np.argwhere(labels != labels)[0])
        raise missing_error(labels[index], labels, index[:1], name, "labels")
    try:
        np.unique(labels)
    except TypeError as error:
        raise TypeError(
            f"{name} must hold labels that can be sorted, which those of several types cannot ({error}): "
            f"np.asarray({name}).astype(str) makes strings of all"
        ) from error
    return labels


def given_clusters(clusters: Any, name: str, n_samples: int, data_name: str) -> NDArray[Any]:
    """Check clusters that were given, of the shape [N] or [N, 1], and return them in it."""
    labels = _as_array(clusters, name)
    _require_length(labels, name, n_samples, data_name)
    if labels.size != n_samples:
        raise ValueError(f"{name} must have the shape [N] or [N, 1], got {labels.shape}")
    _require_no_missing(clusters, labels, name)
    return sortable(labels, name)


def discrete_by_dtype(target: Any, discrete: bool | None) -> bool | None:
    """Return True for categories, as those of pandas, where the caller did not choose, else the caller's choice."""
    if discrete is not None:
        return discrete
    try:
        one_column = hasattr(target, "iloc") and len(target.shape) == 2 and target.shape[1] == 1
        dtype = getattr(target.iloc[:, 0] if one_column else target, "dtype", None)
    except Exception:  # whatever the object's properties raise; it is refused later
        return None
    return True if hasattr(dtype, "categories") else None


def is_discrete(target: NDArray[Any], discrete: bool | None) -> bool:
    """Return whether a target [N] or [N, D2] is taken as labels; ``discrete`` is the caller's choice, or None."""
    if discrete is not None:
        return bool(discrete)
    return (target.ndim == 1 or target.shape[1] == 1) and is_label(target)


def is_label(column: NDArray[Any]) -> bool:
    """Return whether entries are labels: integers, bools or strings, which pandas keeps as objects.

    Integers beyond int64 are objects too.
    """
    if column.dtype.kind == "O":
        return any(all(isinstance(label, kind) for label in column.flat) for kind in (str, Integral))
    return column.dtype.kind in "iubSUT"


def as_numbers(columns: NDArray[Any], name: str) -> NDArray[Any]:
    """Convert columns of objects that are all numbers, such as integers beyond int64, to float64."""
    if columns.dtype.kind == "O" and first_non_number(columns) is None:
        return floats_of(columns, name)
    return columns


def require_finite(columns: NDArray[Any], target: Any, name: str) -> None:
    """Raise where a number of a target [N, D] is NaN or infinite."""
    finite = np.isfinite(columns)
    if not finite.all():
        index = tuple(np.argwhere(~finite)[0])
        where = place(target, index[:1] if columns.shape[1] == 1 else index)
        missing = ", which is missing" if np.isnan(columns[index]) else ""
        raise ValueError(f"{name} must be finite where it is not discrete, got {columns[index]} in {where}{missing}")
