"""Labels from files: a vector, a column of a table, or a JSON list."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.printing import printed
from dsentropy.io.embeddings import as_key
from dsentropy.io.files import FileError, as_file, has_reader, opened
from dsentropy.io.stored import UnreadableError
from dsentropy.io.typed_labels import typed_labels

_TEXTS = (".json", ".txt")
"""Files of labels that have no reader of embeddings."""


def read_labels(path: str | os.PathLike[str], key: str | None = None) -> NDArray[Any]:
    """Read labels, or another target of an information, from a file.

    Parameters
    ----------
    path : path
        A file of any format that :func:`read_embeddings` reads, ``.txt`` with one label a line, or ``.json`` with a
        list. ``"table.csv:column"`` is a column, or ``"archive.npz:name"`` an array, in place of ``key``. Text that
        begins with a bracket, ``"[0, 1, 1]"``, is the list itself.
    key : str, optional
        The name of a column or an array; must be given where there are several.

    Returns
    -------
    ndarray of shape (N,), or (N, D) where the file has such an array
        Labels. Texts of a table are integers where all are, floats where all are numbers, and else text.

    Raises
    ------
    OSError, ValueError, ImportError
        See :func:`read_embeddings`. A missing label is an error.

    Examples
    --------
    >>> from dsentropy.io import read_labels
    >>> read_labels('["cat", "dog", "cat"]').tolist()
    ['cat', 'dog', 'cat']
    """
    if isinstance(path, str) and path.lstrip().startswith("["):
        return _of_json(path, "path")
    file, name = _split(as_file(path), as_key(key))
    if os.path.splitext(file)[1].lower() in _TEXTS:
        if name is not None:
            raise ValueError(f"key must be None for a {'/'.join(_TEXTS)} file, got {printed(name)}")
        return _of_text(file)
    with opened(file) as contents:
        labels = contents.labels(name)
        if labels.ndim not in (1, 2) or 0 in labels.shape:
            raise UnreadableError(f"it has shape {labels.shape}, and labels have one axis [N], or two [N, D]")
        if reason := _missing(labels):
            raise UnreadableError(reason)
        return labels


def _missing(labels: NDArray[Any]) -> str:
    """Return in which row a label is missing, which is NaN; empty where none is."""
    if labels.dtype.kind not in "fc" or not (missing := np.isnan(labels)).any():
        return ""
    return f"it has nan in row {np.argwhere(missing)[0][0]}, which is no label"


def _split(path: str, key: Any) -> tuple[str, Any]:
    """Return the file and the name of ``file:name``, where that is no file itself."""
    file, colon, name = path.rpartition(":")
    if not (colon and name) or os.path.exists(path) or not (has_reader(file) or file.lower().endswith(_TEXTS)):
        return path, key
    if key is not None:
        raise ValueError(f"key must be None where path names a column, got {printed(key)} and {printed(path)}")
    return file, name


def _of_text(path: str) -> NDArray[Any]:
    with open(path, encoding="utf-8-sig") as file:
        try:
            text = file.read()
        except UnicodeDecodeError as error:
            raise FileError(
                path, "it is no text", f"path must be a text file, got {printed(path)}: {error}"
            ) from error
    if path.lower().endswith(".json"):
        return _of_json(text, printed(path))
    lines = [line.strip() for line in text.splitlines()]
    labels = np.array([]) if not lines or "" in lines else typed_labels(lines)
    reason = _missing(labels)
    if not len(labels):
        reason = f"it has no label in line {lines.index('') + 1}" if lines else "it is empty"
    if reason:
        raise FileError(path, reason, f"path must be a file with a label in each line, got {printed(path)}: {reason}")
    return labels


def _of_json(text: str, name: str) -> NDArray[Any]:
    """Return a list of labels, all numbers, all bools or all text; or of lists of them, of one length."""
    import json  # not loaded by NumPy

    try:
        values = json.loads(text)
        array = np.array(values)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} must be a JSON list of labels: {error}") from error
    flat = array.ravel().tolist()
    kinds = {str if isinstance(one, str) else bool if isinstance(one, bool) else float for one in _flattened(values)}
    if (
        not isinstance(values, list)
        or not flat
        or array.ndim > 2
        or array.dtype.kind not in "biufU"
        or len(kinds) > 1
    ):
        raise ValueError(
            f"{name} must be a JSON list of labels of one kind, numbers, bools or text, got {text[:60]!r}"
        )
    if reason := _missing(array):
        raise ValueError(f"{name} must be a JSON list of labels: {reason}")
    return array


def _flattened(values: Any) -> list[Any]:
    return [entry for part in values for entry in _flattened(part)] if isinstance(values, list) else [values]
