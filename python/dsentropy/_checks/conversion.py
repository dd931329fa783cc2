"""Conversion of an argument to an array: of tensors, tables, masked arrays, and objects that are numbers.

NumPy makes an array of objects where the columns of a table have several dtypes or a nullable one. Such arrays become
numbers here, column by column.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.containers import require_array_like
from dsentropy._checks.entries import NUMBERS, column_names


def as_array(value: Any, name: str) -> NDArray[Any]:
    """Convert to an array: an array-like, a table, or torch tensors on any device, with or without grad."""
    require_array_like(value, name)
    try:
        array = np.asarray(_fetched(value))
    except MemoryError:
        raise
    except Exception as error:  # whatever the object's methods raise, such as torch's RuntimeError
        _require_equal_lengths(value, name)
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{name} must be convertible to an array: {error}") from error
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in _parts(value)):
        of_rows = ".any(axis=1)" if array.ndim == 2 else ""
        raise ValueError(
            f"{name} must not have masked entries: np.ma.filled({name}, ...) replaces them, and rows without any are "
            f"those where np.ma.getmaskarray({name}){of_rows} is False"
        )
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else numbers_of(array)


def as_product(value: Any, name: str) -> NDArray[Any]:
    """Convert the product that ``name.matmat`` returned to an array of real numbers in the dtype that it has.

    bfloat16 would become float32, and its rounding would not be seen.
    """
    given = str(getattr(value, "dtype", "")).removeprefix("torch.")
    if given == "bfloat16":
        raise TypeError(
            f"{name}.matmat must return float64, float32, float16 or integers, got bfloat16: convert it to float32 "
            f"and state its relative error as {name}.rounding"
        )
    found = as_array(value, f"what {name}.matmat returns")
    if found.dtype.kind not in "fiub":
        raise TypeError(f"{name}.matmat must return real numbers, got dtype {found.dtype}")
    return found


def numbers_of(array: NDArray[Any]) -> NDArray[Any]:
    """Convert an array of objects that are all real numbers to bool, int64 or float64; return others as they are."""
    if array.dtype.kind != "O" or not array.ndim:
        return array
    types = set(map(type, array.flat))
    if types and all(issubclass(one, (bool, np.bool_)) for one in types):
        return array.astype(bool)
    try:
        if types and all(issubclass(one, (Integral, np.bool_)) for one in types):
            return array.astype(np.int64)
        if all(issubclass(one, NUMBERS) for one in types):
            return array.astype(np.float64)
    except (OverflowError, ValueError):  # integers beyond the dtype, which may be labels; a signalling NaN
        pass
    return array


def _parts(value: Any) -> Any:
    """Return the entries of a list or a tuple, or the one object."""
    return value if isinstance(value, (list, tuple)) else (value,)


def _fetched(value: Any) -> Any:
    """Return tensors in memory that NumPy can read, tables as one array, and all else as it is."""
    if _is_tensor(value):
        return _of_tensor(value)
    if isinstance(value, (list, tuple)) and value and _is_tensor(value[0]):
        return [np.asarray(_fetched(part)) for part in value]
    return value if column_names(value) is None else _of_table(value)


def detached(value: Any) -> Any:
    """Return a tensor in memory and without its gradient, and all else as it is."""
    return _of_tensor(value) if _is_tensor(value) else value


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "cpu")


def _of_tensor(tensor: Any) -> Any:
    tensor = tensor.detach().cpu()
    for lazily_changed in ("resolve_conj", "resolve_neg"):  # flags of a view that NumPy cannot read
        if hasattr(tensor, lazily_changed):
            tensor = getattr(tensor, lazily_changed)()
    return tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor  # NumPy has no such type


def _of_table(table: Any) -> NDArray[Any]:
    """Return one array of the columns of a table; of objects where a column holds something else than numbers."""
    if not hasattr(table, "iloc") or all(isinstance(one, np.dtype) and one.kind in "fiu" for one in table.dtypes):
        return np.asarray(table)
    columns = [numbers_of(np.asarray(table.iloc[:, j])) for j in range(table.shape[1])]
    if all(column.dtype.kind in "fiub" for column in columns):
        return np.column_stack(columns)
    return np.asarray(table, dtype=object)


def _require_equal_lengths(value: Any, name: str) -> None:
    """Raise the error of a list whose rows differ in length."""
    try:
        lengths = [len(part) for part in _parts(value) if hasattr(part, "__len__")]
    except Exception:  # of an object whose __len__ raises
        return
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            raise ValueError(
                f"{name} must be convertible to an array, whose rows are equally long, got {lengths[0]} entries in "
                f"row 0 and {length} in row {row}"
            )
