"""Numbers, names and paths, checked once, with the argument's name in every error.

A bad value is a ``ValueError``, a bad type a ``TypeError``. Where an argument may be one number or a sequence,
:func:`as_numbers` reads it as a sequence and returns which it was, and :func:`drop_axes` shapes the result by that.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Mapping, Sequence, Set
from itertools import islice
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.conversion import detached
from dsentropy._checks.limits import MAX_BYTES, MAX_COUNT, MAX_NUMBERS, MAX_SEED_BITS
from dsentropy._checks.printing import printed

Numbers: TypeAlias = float | Sequence[float] | NDArray[Any]
"""One number or a sequence of them."""

Precision: TypeAlias = Literal["auto", "single", "double"]
"""The precision of a computation; "auto" follows the dtype of the data where that is accurate."""

RandomState: TypeAlias = "int | np.random.Generator | np.random.RandomState | None"
"""A seed, a generator of NumPy that yields one, or None for Python's global generator."""

_SEEDS = 2**32
"""Number of seeds, of which a generator of NumPy yields one."""

_Choice = TypeVar("_Choice", bound=str)


def as_float(value: Any, name: str) -> float:
    """Convert to a real number; a tensor may have a gradient. Strings and bools are refused."""
    if np.ma.is_masked(value):  # float() makes NaN of it
        raise ValueError(f"{name} must not be masked")
    cause: Exception | None = None
    try:
        number = detached(value)
        if _is_one_number(number):
            return float(number)
    except OverflowError as error:
        raise ValueError(f"{name} must be finite, got {printed(value)}") from error
    except Exception as error:  # whatever the object's methods raise
        cause = error
    raise TypeError(f"{name} must be a real number, got {printed(value)}") from cause


def as_positive(value: Any, name: str) -> float:
    """Convert to a positive, finite number."""
    number = as_float(value, name)
    if not 0 < number < np.inf:
        raise ValueError(f"{name} must be positive and finite, got {printed(value)}")
    return number


def as_nonnegative(value: Any, name: str) -> float:
    """Convert to a finite number, at least 0."""
    number = as_float(value, name)
    if not 0 <= number < np.inf:
        raise ValueError(f"{name} must be finite and at least 0, got {printed(value)}")
    return number


def as_alpha(value: Any, name: str = "alpha") -> float:
    """Convert to a number from 0 to 1."""
    number = as_float(value, name)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {printed(value)}")
    return number


def as_order(value: Any, name: str) -> float:
    """Convert to a Renyi order: at least 0, or infinite."""
    number = as_float(value, name)
    if not number >= 0:
        raise ValueError(f"{name} must be at least 0, got {printed(value)}")
    return number


def as_positive_order(value: Any, name: str) -> float:
    """Convert to a Renyi order that can be estimated: positive, or infinite."""
    number = as_order(value, name)
    if number == 0:
        raise ValueError(f"{name} must be positive, got {printed(value)}")
    return number


def as_flag(value: Any, name: str) -> bool:
    """Convert a bool of Python or NumPy; nothing else is one, as every string and most objects are true."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise TypeError(f"{name} must be True or False, got {printed(value)}")


def as_optional_flag(value: Any, name: str) -> bool | None:
    """Convert a bool of Python or NumPy, or None."""
    if value is None or isinstance(value, (bool, np.bool_)):
        return None if value is None else bool(value)
    raise TypeError(f"{name} must be True, False or None, got {printed(value)}")


def as_count(value: Any, name: str, n_rows: int | None = None, *, least: int = 1, most: int = MAX_COUNT) -> int:
    """Convert to an integer from ``least`` to ``most``, and to at most ``n_rows`` where that is given."""
    number = _at_least(least, value, name)
    if n_rows is not None and number > n_rows:
        raise ValueError(f"{name} must be at most {n_rows}, the number of rows, got {printed(number)}")
    if number > most:
        raise ValueError(f"{name} must be at most {most}, got {printed(number)}")
    return number


def as_limit(value: Any, name: str) -> int | None:
    """Convert to an integer, at least 1, or None for no limit."""
    return None if value is None else _at_least(1, value, name)


def as_bytes(value: Any, name: str) -> int | None:
    """Convert to a number of bytes, at least 1, or None for no limit."""
    return None if value is None else as_count(value, name, most=MAX_BYTES)


def as_threads(value: Any) -> int | None:
    """Convert ``num_threads`` to an integer, at least 1, or None for the default. There may be more than cores."""
    number = as_limit(value, "num_threads")
    return None if number is None else min(number, MAX_COUNT)


def as_seed(value: Any, name: str) -> int | None:
    """Convert to an integer, or None for the global generator.

    A ``Generator`` or ``RandomState`` of NumPy yields one integer below 2^32, and its state moves on. So a public
    function converts its argument once, before anything else uses the seed.
    """
    if value is None:
        return None
    if isinstance(value, np.random.Generator):
        return int(value.integers(_SEEDS))
    if isinstance(value, np.random.RandomState):
        return int(value.randint(_SEEDS, dtype=np.int64))
    try:
        seed = operator.index(value)
    except Exception as error:  # whatever the object's __index__ raises
        kinds = "an integer or None, or a Generator or RandomState of NumPy"
        raise TypeError(f"{name} must be {kinds}, got {printed(value)}") from error
    if seed.bit_length() > MAX_SEED_BITS:
        raise ValueError(f"{name} must have at most {MAX_SEED_BITS} bits, got {printed(seed)}")
    return seed


def as_choice(value: Any, name: str, *choices: _Choice) -> _Choice:
    """Convert to one of several strings."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {printed(value)}")
    for choice in choices:
        if value == choice:
            return choice
    allowed = f"{', '.join(map(repr, choices[:-1]))} or {choices[-1]!r}"
    raise ValueError(f"{name} must be {allowed}, got {printed(value)}")


def as_precision(value: Any) -> Precision:
    """Convert ``precision`` to "auto", "single" or "double"."""
    return as_choice(value, "precision", "auto", "single", "double")


def as_path(value: Any, name: str) -> str:
    """Convert to the name of a file. ``~`` and ``~user`` at its beginning are home folders."""
    try:
        path = os.path.expanduser(os.fsdecode(value))
    except Exception as error:  # whatever the object's __fspath__ raises
        raise TypeError(f"{name} must be a path, got {printed(value)}") from error
    if not path or "\0" in path:
        raise ValueError(f"{name} must be a path that a file can have, got {printed(value)}")
    return path


def as_numbers(value: Any, name: str, as_number: Callable[[Any, str], float]) -> tuple[list[float], bool]:
    """Convert a number, or a sequence that is not empty, to a list, and return whether it was a sequence."""
    entries = entries_of(value, name)
    if entries is None:
        return [as_number(value, name)], False
    if isinstance(value, (Mapping, Set)):
        raise TypeError(f"{name} must be a number or a sequence of numbers, got {printed(value)}")
    return [as_number(entry, name) for entry in entries], True


def entries_of(value: Any, name: str, what: str = "numbers") -> list[Any] | None:
    """Return the entries of a sequence that is not empty, or of an iterator that ends; None of all else."""
    if isinstance(value, (str, bytes, bytearray)):
        return None
    try:
        iterator = iter(value)
    except Exception:  # also of an object whose __iter__ raises, which is no sequence
        return None
    try:
        entries = list(islice(iterator, MAX_NUMBERS + 1))
    except Exception as error:
        raise TypeError(f"{name} must be a sequence of {what}, got {printed(value)}: {error}") from error
    if not entries:
        raise ValueError(f"{name} must not be empty")
    if len(entries) > MAX_NUMBERS:
        raise ValueError(f"{name} must have at most {MAX_NUMBERS} {what}, got more")
    return entries


def as_place(value: Any, name: str, along: tuple[Any, ...]) -> int:
    """Convert a number to its place along an axis; None is the first."""
    if value is None:
        return 0
    number = as_float(value, name)
    if number not in along:
        raise ValueError(f"{name} must be one of {along}, got {printed(value)}")
    return along.index(number)


def drop_axes(values: NDArray[Any], *several: bool) -> Any:
    """Drop the axes that belong to arguments that were one number.

    Parameters
    ----------
    values : ndarray
        Its last axes belong to arguments that :func:`as_numbers` read.
    *several : bool
        Whether each of these arguments was a sequence, in the order of the axes.

    Returns
    -------
    ndarray or number
        A number of Python where no axis is left.
    """
    kept = values[(..., *(slice(None) if sequence else 0 for sequence in several))]
    return kept if kept.ndim else kept.item()


def _at_least(minimum: int, value: Any, name: str) -> int:
    cause: Exception | None = None
    number = None
    try:
        if not _is_bool(value):
            number = operator.index(value)
    except Exception as error:  # whatever the object's __index__ raises
        cause = error
    if number is None:
        raise TypeError(f"{name} must be an integer, got {printed(value)}") from cause
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {printed(number)}")
    return number


def _is_one_number(value: Any) -> bool:
    """Return whether a value is no array, no text, no bool and not complex, so that float() may read it."""
    if isinstance(value, (str, bytes, bytearray)) or _is_bool(value) or getattr(value, "ndim", None):
        return False
    return getattr(getattr(value, "dtype", None), "kind", "") != "c"  # of which float() takes the real part


def _is_bool(value: Any) -> bool:
    """Return whether a value is a bool of Python, NumPy or torch."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) in ("bool", "torch.bool")
