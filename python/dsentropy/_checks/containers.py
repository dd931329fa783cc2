"""Objects that hold data without being arrays, such as paths and archives: the error says how to get the array.

NumPy makes an array of no dimension of most of them, whose dtype says nothing to who reads the error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from dsentropy._checks.printing import printed

_LABELS = ("target", "clusters", "labels", "given")
"""Arguments that hold a label of each row, which files of other formats have as well."""

SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".safetensors", ".pt", ".pth", ".parquet", ".h5", ".hdf5")
"""Ends of the names of files that :mod:`dsentropy.io` reads."""

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
    if isinstance(value, (list, tuple)):
        if _has_paths(value, name):
            way = f"{_reader(name)}({printed(os.fspath(value[0]))}) reads an array from a file"
            raise TypeError(f"{name} must be an array, got a {type(value).__name__} of paths: {way}")
        return
    if isinstance(value, Mapping) or _is_archive(value):
        raise TypeError(_of_archive(value, name))
    if is_sparse(value):
        raise TypeError(f"{name} must be an array, got a sparse matrix: {name}.toarray() makes an array of it")
    if hasattr(value, "read") and hasattr(value, "seek"):
        ways = f"{_reader(name)} reads a file by its path, np.load({name}) one of .npy that is open"
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
    return f"{text}: {_reader(name)}({printed(path)}) reads an array from a file"


def _reader(name: str) -> str:
    """Return the function that reads the files of an argument."""
    return f"dsentropy.io.read_{'labels' if name in _LABELS else 'embeddings'}"


def reader_hint(value: Any, name: str) -> str:
    """Return the end of an error where an argument is a file, by its path or opened; else nothing."""
    is_path = isinstance(value, (str, bytes, os.PathLike)) or _has_paths(value, name)
    return f": {_reader(name)} reads an array from a file" if is_path or _is_archive(value) else ""


def _has_paths(value: Any, name: str) -> bool:
    """Return whether a sequence begins with a path; text may be a label, also where it ends as a name of a file."""
    if not (isinstance(value, (list, tuple)) and value):
        return False
    is_text = isinstance(value[0], str) and name not in _LABELS
    return isinstance(value[0], os.PathLike) or (is_text and value[0].lower().endswith(SUFFIXES))


def _of_archive(value: Any, name: str) -> str:
    names = list(map(printed, _names_of(value)))
    kind = "an opened archive" if _is_archive(value) else f"a {type(value).__name__}"
    if not names:
        return f"{name} must be an array, got {kind} without entries"
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    text = f"{name} must be an array, got {kind} of {', '.join(names[:_MAX_NAMES])}{more}"
    ways = f"{_reader(name)}(path, {names[0]}) reads one from a file"
    if isinstance(value, Mapping):
        ways = f"{name}[{names[0]}] takes one of its arrays, {ways}"
    if not _is_archive(value):
        ways += f", np.column_stack(list({name}.values())) makes columns of all"
    return f"{text}: {ways}"


def _names_of(value: Any) -> list[Any]:
    """Return the names in an archive; none where its methods fail, as of one that is closed."""
    try:
        return list(value.namelist() if hasattr(type(value), "namelist") else value.keys())
    except Exception:  # whatever the object's methods raise
        return []


def _is_archive(value: Any) -> bool:
    """Return whether an object is an opened file of several arrays, of NumPy, h5py, safetensors or zipfile."""
    of_h5py = type(value).__module__.partition(".")[0] == "h5py" and isinstance(value, Mapping)
    return of_h5py or any(hasattr(type(value), name) for name in ("get_tensor", "namelist")) or _is_npz(value)


def _is_npz(value: Any) -> bool:
    return isinstance(value, Mapping) and hasattr(value, "files")
