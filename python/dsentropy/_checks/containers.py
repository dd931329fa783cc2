"""Objects that hold data without being arrays, such as paths and archives: the error says how to get the array.

NumPy makes an array of no dimension of most of them, whose dtype says nothing to who reads the error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from dsentropy._checks.printing import printed

_READERS = {
    ".csv": 'np.loadtxt({path}, delimiter=",")',
    ".txt": "np.loadtxt({path})",
    ".npz": "np.load({path})[...], with the name of an array in it,",
    ".parquet": "pandas.read_parquet({path})",
    ".pt": "torch.load({path})",
    ".pth": "torch.load({path})",
}
"""Calls that read files, by their suffix; np.load reads all others."""

_MAX_NAMES = 8
"""Names of arrays that an error lists."""


def named_arrays(value: Mapping[Any, Any], name: str, what: str = "a mapping of names to arrays") -> dict[Any, Any]:
    """Return the arrays of a mapping, each of which is read once, as of a file."""
    try:
        return dict(value.items())
    except Exception as error:  # whatever the object's methods raise
        raise TypeError(f"{name} must be {what}, got {printed(value)}: {error}") from error


def require_array_like(value: Any, name: str) -> None:
    """Raise a TypeError where an object holds data but is no array."""
    if isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(_of_path(value, name))
    if hasattr(value, "__array__"):
        return
    if isinstance(value, Mapping):
        raise TypeError(_of_mapping(value, name))
    if is_sparse(value):
        raise TypeError(f"{name} must be an array, got a sparse matrix: {name}.toarray() makes an array of it")
    if hasattr(value, "read") and hasattr(value, "seek"):
        ways = f"np.load({name}) reads an .npy file, np.loadtxt({name}) text"
        raise TypeError(f"{name} must be an array, got an open file: {ways}")
    if isinstance(value, Iterable) and not hasattr(value, "__getitem__"):
        ways = f"np.stack(list({name})) makes an array of rows, np.concatenate(list({name})) of batches"
        kind = f"an object of type {type(value).__name__}"
        raise TypeError(f"{name} must be an array, got {kind}, which can only be iterated: {ways}")


def is_sparse(X: Any) -> bool:
    """Return whether ``X`` is of scipy.sparse, without importing it."""
    if type(X).__module__.partition(".")[0] != "scipy":
        return False
    from scipy.sparse import issparse

    return bool(issparse(X))


def _of_path(value: Any, name: str) -> str:
    try:
        path = os.fspath(value)
    except Exception:  # whatever the object's __fspath__ raises
        return f"{name} must be an array, got {printed(value)}"
    text = f"{name} must be an array, got {'the path ' if isinstance(value, os.PathLike) else ''}{printed(path)}"
    if isinstance(path, bytes):
        return text
    call = _READERS.get(os.path.splitext(path)[1].lower(), "np.load({path})")
    return f"{text}: {call.format(path=printed(path))} reads an array from a file"


def _of_mapping(value: Mapping[Any, Any], name: str) -> str:
    names = [printed(key) for key in value]
    kind = "an opened archive" if hasattr(value, "files") else f"a {type(value).__name__}"
    if not names:
        return f"{name} must be an array, got {kind} without entries"
    listed = ", ".join(names[:_MAX_NAMES]) + (
        f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    )
    text = f"{name} must be an array, got {kind} of {listed}: {name}[{names[0]}] takes one of its arrays"
    return text if hasattr(value, "files") else f"{text}, np.column_stack(list({name}.values())) all as columns"
