"""Arrays and parameters, coerced once, with the argument's name in every error.

A bad value is a ``ValueError``, a bad type a ``TypeError``.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

Rows: TypeAlias = "NDArray[np.float32] | NDArray[np.float64]"


def as_array(value: Any, name: str) -> NDArray[Any]:
    """Whatever NumPy can make an array of, or a torch tensor on any device, with or without grad."""
    try:
        if hasattr(value, "detach") and hasattr(value, "cpu"):
            value = value.detach().cpu()
            for lazily_changed in ("resolve_conj", "resolve_neg"):  # flags of a view that NumPy cannot read
                if hasattr(value, lazily_changed):
                    value = getattr(value, lazily_changed)()
            if str(value.dtype) == "torch.bfloat16":  # NumPy has no such type
                value = value.float()
        masked = np.ma.is_masked(value)
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # the last one is what torch raises
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{name} must be convertible to an array: {error}") from error
    if masked:
        raise ValueError(f"{name} must not have masked entries")
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def as_rows(value: Any, name: str) -> Rows:
    """A finite, real array [N, D]; float32 stays float32, all else becomes float64."""
    array = as_array(value, name)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.ndim != 2:
        raise ValueError(f"{name} must have two dimensions [N, D], got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must have at least one row and one column, got shape {array.shape}")
    with np.errstate(over="ignore"):  # of long double; infinity is refused below
        rows: Rows = np.require(array, np.float32 if array.dtype == np.float32 else np.float64, requirements="A")
    if any(stride % rows.itemsize for stride in rows.strides):  # a field of a structured array
        rows = rows.copy()
    finite = np.isfinite(rows)
    if not finite.all():
        i, j = np.argwhere(~finite)[0]
        raise ValueError(f"{name} must be finite, got {rows[i, j]} in row {i}, column {j}")
    return rows


def as_float(value: Any, name: str) -> float:
    """A real number; not a string, not a bool."""
    is_scalar = not (isinstance(value, np.ndarray) and value.ndim) and not np.iscomplexobj(value)
    if is_scalar and not isinstance(value, (str, bytes, bytearray)) and not _is_bool(value):
        try:
            return float(value)
        except OverflowError as error:
            raise ValueError(f"{name} must be finite, got {value!r}") from error
        except (TypeError, ValueError):
            pass
    raise TypeError(f"{name} must be a real number, got {value!r}")


def as_positive(value: Any, name: str) -> float:
    """A positive, finite number."""
    number = as_float(value, name)
    if not 0 < number < np.inf:
        raise ValueError(f"{name} must be positive and finite, got {value!r}")
    return number


def as_nonnegative(value: Any, name: str) -> float:
    """A finite number, at least 0."""
    number = as_float(value, name)
    if not 0 <= number < np.inf:
        raise ValueError(f"{name} must be finite and at least 0, got {value!r}")
    return number


def as_count(value: Any, name: str, n_rows: int | None = None) -> int:
    """An integer, at least 1, and at most ``n_rows`` where that is given."""
    number = _at_least_one(value, name)
    if n_rows is not None and number > n_rows:
        raise ValueError(f"{name} must be at most {n_rows}, the number of rows, got {number}")
    if number > sys.maxsize:
        raise ValueError(f"{name} must be at most {sys.maxsize}, got {number}")
    return number


def as_limit(value: Any, name: str) -> int | None:
    """An integer, at least 1, or None for no limit."""
    return None if value is None else _at_least_one(value, name)


def as_count_or_zero(value: Any, name: str) -> int:
    """An integer, at least 0."""
    return _at_least(0, value, name)


def _at_least_one(value: Any, name: str) -> int:
    return _at_least(1, value, name)


def _at_least(least: int, value: Any, name: str) -> int:
    try:
        if _is_bool(value):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}")
    return number


def _is_bool(value: Any) -> bool:
    """Of Python, NumPy, torch."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) in ("bool", "torch.bool")


def as_threads(value: Any) -> int | None:
    """``num_threads``: an integer, at least 1, or None for the default."""
    number = as_limit(value, "num_threads")
    return None if number is None else min(number, sys.maxsize)


def as_choice(value: Any, name: str, *choices: str) -> str:
    """One of several strings."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {value!r}")
    if value not in choices:
        allowed = f"{', '.join(map(repr, choices[:-1]))} or {choices[-1]!r}"
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return value


def as_precision(value: Any) -> str:
    """``precision``: "auto", "single" or "double"."""
    return as_choice(value, "precision", "auto", "single", "double")


def as_alpha(value: Any, name: str = "alpha") -> float:
    """A number from 0 to 1."""
    number = as_float(value, name)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {value!r}")
    return number


def as_numbers(value: Any, name: str, as_number: Callable[[Any, str], float]) -> tuple[list[float], bool]:
    """A number or a sequence of them, not empty, and whether it was a sequence."""
    if isinstance(value, (str, bytes, bytearray)) or not np.iterable(value):
        return [as_number(value, name)], False
    numbers = [as_number(entry, name) for entry in value]
    if not numbers:
        raise ValueError(f"{name} must not be empty")
    return numbers, True


def as_order(value: Any, name: str) -> float:
    """A Renyi order: at least 0, or infinite."""
    number = as_float(value, name)
    if not number >= 0:
        raise ValueError(f"{name} must be at least 0, got {value!r}")
    return number


def as_positive_order(value: Any, name: str) -> float:
    """A Renyi order that can be estimated: positive, or infinite."""
    number = as_order(value, name)
    if number == 0:
        raise ValueError(f"{name} must be positive, got {value!r}")
    return number


def as_pairs(value: Any, name: str) -> Rows:
    """A finite, real, symmetric array [N, N], up to the rounding of its dtype."""
    matrix = as_rows(value, name)
    n = len(matrix)
    if matrix.shape != (n, n):
        raise ValueError(f"{name} must be square, got shape {matrix.shape}")
    tolerance = np.sqrt(rounding_of(value, matrix)) * max(-matrix.min(), matrix.max())
    step = max(1, 2**20 // n)
    for start in range(0, n, step):
        with np.errstate(over="ignore"):
            difference = np.abs(matrix[start : start + step] - matrix[:, start : start + step].T)
        if difference.max() > tolerance:
            i, j = np.unravel_index(difference.argmax(), difference.shape)
            one, other = matrix[start + i, j], matrix[j, start + i]
            raise ValueError(f"{name} must be symmetric, got {one} and {other} for rows {start + i} and {j}")
    return matrix


def rounding_of(value: Any, coerced: Rows) -> float:
    """The relative rounding of what was given: of its dtype, before it was coerced."""
    given = getattr(value, "dtype", None)
    if str(given) in ("float16", "torch.float16"):
        return float(np.finfo(np.float16).eps)
    if "bfloat16" in str(given):
        return 2.0**-7
    return float(np.finfo(coerced.dtype).eps)


def as_distances(value: Any, name: str) -> Rows:
    """A matrix of distances: none is negative, and those on the diagonal are zero."""
    matrix = _not_negative(as_pairs(value, name), name)
    if matrix.diagonal().any():
        i = int(matrix.diagonal().argmax())
        raise ValueError(f"{name} must have zeros on its diagonal, got {matrix[i, i]} in row {i}")
    return matrix


def as_affinities(value: Any, name: str) -> Rows:
    """A matrix of affinities: none is negative, and no row is zero."""
    matrix = _not_negative(as_pairs(value, name), name)
    require_no_zero_row(matrix, name)
    return matrix


def require_no_zero_row(matrix: Rows, name: str, where: str = "") -> None:
    """Each row of affinities has one that is positive."""
    zero = ~matrix.any(axis=1)
    if zero.any():
        raise ValueError(f"{name} must have a positive entry in each row{where}, got zeros in row {zero.argmax()}")


def _not_negative(matrix: Rows, name: str) -> Rows:
    if matrix.min() < 0:
        i, j = np.unravel_index(matrix.argmin(), matrix.shape)
        raise ValueError(f"{name} must not be negative, got {matrix[i, j]} in row {i}, column {j}")
    return matrix


def as_directions(value: Any, name: str) -> Rows:
    """Rows of length 1 in float64, so that squared distances are 2 - 2 cos. None may be zero."""
    rows = as_rows(value, name)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    if not largest.all():
        raise ValueError(
            f"{name} must have no zero row where metric is 'cosine', got zeros in row {largest.argmin()}"
        )
    scaled = rows / largest.astype(np.float64)
    directions: NDArray[np.float64] = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return directions


def as_path(value: Any, name: str) -> str:
    """The name of a file."""
    try:
        path = os.fsdecode(value)
    except TypeError:
        raise TypeError(f"{name} must be a path, got {value!r}") from None
    if not path or "\0" in path:
        raise ValueError(f"{name} must be a path that a file can have, got {value!r}")
    return path


def as_seed(value: Any, name: str) -> int | None:
    """An integer, or None for the global generator."""
    if value is None:
        return None
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer or None, got {value!r}") from None


def as_floating_dtype(value: DTypeLike, name: str) -> np.dtype[np.floating[Any]]:
    """A floating dtype."""
    try:
        dtype: np.dtype[Any] | None = None if value is None else np.dtype(value)
    except (TypeError, ValueError, SyntaxError):  # the last two come from text that NumPy parses
        dtype = None
    if dtype is None or dtype.kind != "f":
        raise ValueError(f"{name} must be a floating dtype, got {value!r}")
    return dtype
