"""Entries that are no numbers: which entry, where it is, by the name of its column in a table, and a way out."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.printing import printed

NUMBERS = (Real, Decimal, np.bool_)
"""Types of objects that are real numbers."""


def column_names(value: Any) -> list[Any] | None:
    """Return the names of the columns of a table, as of pandas, polars or pyarrow; None where it is no table."""
    names = getattr(value, "columns", None) if hasattr(value, "dtypes") else getattr(value, "column_names", None)
    return None if names is None else list(names)


def place(value: Any, index: tuple[Any, ...]) -> str:
    """Return where an entry of an argument is: its row, and the number or the name of its column."""
    if len(index) == 1:
        return f"row {index[0]}"
    if len(index) != 2:
        return f"entry {tuple(map(int, index))}"
    names = column_names(value)
    return f"row {index[0]}, column {index[1] if names is None else printed(names[index[1]])}"


def is_missing(entry: Any) -> bool:
    """Return whether an entry is None, NaN, NaT or NA."""
    if entry is None:
        return True
    try:
        return bool(entry != entry)
    except TypeError:  # the truth of pandas.NA
        return True
    except Exception:  # of the truth of an array a ValueError, and whatever else an object's __ne__ raises
        return False


def missing_error(entry: Any, value: Any, index: tuple[Any, ...], name: str, what: str = "entries") -> Exception:
    """Make the error of a missing entry: of None a TypeError, as it is of no numeric type, else a ValueError."""
    text = f"{name} must have no missing {what}, got {printed(entry)} in {place(value, index)}"
    text += way_without_missing(value, name)
    return TypeError(text) if entry is None else ValueError(text)


def way_without_missing(table: Any, name: str) -> str:
    """Return the end of an error: how a table of pandas loses its missing entries; else nothing."""
    if column_names(table) is None or not hasattr(table, "dropna"):
        return ""
    return f": {name}.dropna() leaves such rows out, {name}.fillna(...) replaces the entries"


def non_numbers_error(value: Any, array: NDArray[Any], name: str) -> Exception:
    """Make the error of an array that holds something else than real numbers."""
    kind = array.dtype.kind
    if kind == "O" and not array.ndim:
        return TypeError(f"{name} must be an array of numbers, got {_printed_type(array[()])}")
    index = first_non_number(array) if kind in "OUST" and array.ndim else None
    if index is not None and is_missing(array[index]):
        return missing_error(array[index], value, index, name)
    if index is not None:
        shown = f"{_shown_entry(array[index])} in {place(value, index)}"
        of_column = "leave the column out, or encode it as numbers"
        way = of_column if array.ndim == 2 else "make each row a sequence of numbers"
    elif kind == "c":
        shown, way = f"dtype {array.dtype}", f"np.abs({name}) has the moduli"
        if array.shape != array.shape[::-1]:  # a square matrix may hold pairs of rows
            way += f", np.hstack([{name}.real, {name}.imag]) both parts as columns"
    elif kind in "mM":
        shown, way = f"dtype {array.dtype}", f"np.asarray({name}).astype(float) counts units of time"
    elif array.dtype.names:
        shown = f"a structured array with the fields {', '.join(map(printed, array.dtype.names))}"
        way = f"structured_to_unstructured({name}) of numpy.lib.recfunctions makes columns of them"
    elif kind in "UST":
        shown, way = "numbers as text", f"np.asarray({name}).astype(float) reads them"
    else:
        shown, way = f"dtype {array.dtype}", "convert it to float64"
    return TypeError(f"{name} must hold real numbers, got {shown}: {way}")


def _printed_type(entry: Any) -> str:
    """Return None as it is, and of any other object its type."""
    return "None" if entry is None else f"an object of type {type(entry).__name__}"


def _shown_entry(entry: Any) -> str:
    return printed(entry) if isinstance(entry, (str, bytes, *NUMBERS)) else _printed_type(entry)


def first_non_number(array: NDArray[Any]) -> tuple[Any, ...] | None:
    """Return the index of the first entry that is no number, and not written as one; None where there is none."""
    for index in np.ndindex(array.shape):
        entry = array[index]
        if array.dtype.kind == "O":
            if isinstance(entry, NUMBERS) and not is_missing(entry):
                continue
            return index
        try:
            float(entry)
        except ValueError:
            return index
    return None
