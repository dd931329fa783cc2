"""Embeddings from files: an array [N, D] of one array, layer or table, whose rows are read as they are needed."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.memory import require_bytes
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import RandomState, as_choice
from dsentropy.io.files import as_file, opened
from dsentropy.io.pooled import POOLS, Pool, pooled
from dsentropy.io.row_choice import RowChoice, RowIndex
from dsentropy.io.stored import ChoiceError, Chosen, Key, UnreadableError

_BLOCK = 1 << 22
"""Numbers that are compared with infinity at once."""


def read_embeddings(
    path: str | os.PathLike[str],
    key: str | Sequence[str] | None = None,
    layer: int | None = None,
    *,
    pool: Pool | None = None,
    rows: slice | ArrayLike | None = None,
    max_samples: int | None = None,
    random_state: RandomState = 0,
) -> NDArray[Any]:
    """Read embeddings from a file, by its suffix.

    Parameters
    ----------
    path : path
        A file whose name ends in ``.npy``, ``.npz``, ``.csv``, ``.tsv``, ``.safetensors``, ``.pt``, ``.pth``,
        ``.parquet``, ``.h5`` or ``.hdf5``; or ``"-"``, an ``.npy`` file from the standard input.
    key : str or sequence of str, optional
        The name of an array of an archive, or a data set's path in an HDF5 file; must be given where there are
        several. Of a table one or several of its columns: by default all of a ``.csv``, and of a ``.parquet`` its
        only column of lists, else all columns of floats.
    layer : int, optional
        A layer of an array [L, N, D], counted from 0, or from the end where it is negative. In an archive of several
        arrays whose names differ in one number, and without ``key``, the array with this number: ``layer=7`` is
        ``"blocks.7.mlp"``, and -1 that of the largest number.
    pool : {"flatten", "mean", "max", "first", "cls", "last", "tokens"}, optional
        How an array of more than two axes becomes rows: each item as one row; the mean or maximum over its tokens;
        its first token, which many encoders call ``"cls"``, or its last; or each token as a row. Tokens are along the
        second axis of three; of more axes the second is that of channels, and all later positions are tokens.
        Padding counts as tokens. Such arrays are refused where it is not given. Arrays of two axes are read as they
        are.
    rows : slice, sequence of int or mask of shape (N,), optional
        Items that are read, before they are pooled, in ascending order and each once.
    max_samples : int, optional
        Where more items than this are left, a random subset of this size is read, in ascending order.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the random subset. It draws the same rows of all files with N items.

    Returns
    -------
    ndarray of shape (N, D)
        Finite numbers of the file's dtype, or float32 in place of bfloat16. ``.npy``, ``.safetensors`` and ``.pt``
        files are memory-mapped: all rows, or a slice of them, take no memory, and other rows are read without the
        rest. Such arrays are not to be written to, and the file must stay as it is while they are used.

    Raises
    ------
    OSError
        Where the system cannot open the file.
    ValueError
        Where the file is empty, cut off, of another format than its name says, or holds pickled objects, text,
        complex numbers or numbers that are not finite; and for a ``key``, ``layer``, ``pool`` or ``rows`` that it
        does not have. The error names the file.
    ImportError
        Where the package that reads the format is not installed.
    MemoryError
        Before any work, where what is read does not fit into memory.

    Notes
    -----
    No file is trusted: pickled objects are refused (``allow_pickle=False``, ``weights_only=True``), and a header that
    declares more than the file holds is an error before anything is allocated.

    Packages: ``.safetensors`` needs safetensors, ``.parquet`` pyarrow, ``.h5`` h5py
    (``pip install "dsentropy[files]"``), and ``.pt`` torch.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectrum
    >>> from dsentropy.io import read_embeddings
    >>> path = os.path.join(tempfile.mkdtemp(), "hidden.npy")
    >>> np.save(path, 3 * np.eye(8, dtype=np.float32))
    >>> read_embeddings(path, rows=slice(0, 4)).shape
    (4, 8)
    >>> round(diffusion_spectrum(read_embeddings(path), bandwidth=2.5).entropy(), 2)
    2.79
    """
    file, names, place = as_file(path), as_key(key), as_layer(layer)
    pooling = None if pool is None else as_choice(pool, "pool", *POOLS)
    choice = RowChoice.of(rows, max_samples, random_state)
    with opened(file) as contents:
        return embeddings_of(contents.choose(names, place), pooling, choice)


def as_key(key: Any) -> Key:
    """Convert to a name, a list of names, or None."""
    if key is None or isinstance(key, str):
        return key
    names = list(key) if isinstance(key, Sequence) and not isinstance(key, (bytes, bytearray)) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError(f"key must be a name or a sequence of names, got {printed(key)}")
    return names


def as_layer(layer: Any) -> int | None:
    """Convert to an integer, or None."""
    if layer is None:
        return None
    if isinstance(layer, (bool, np.bool_)) or not hasattr(layer, "__index__"):
        raise TypeError(f"layer must be an integer or None, got {printed(layer)}")
    return int(layer)


def embeddings_of(chosen: Chosen, pool: Pool | None, choice: RowChoice) -> NDArray[Any]:
    """Return the rows of an array of a file."""
    shape = rows_shape(chosen, pool)
    index = choice.index(shape[0])
    n_items = len(range(shape[0])[index]) if isinstance(index, slice) else len(index)
    held = n_items * math.prod(shape[1:]) * (chosen.stored.in_memory or (0 if isinstance(index, slice) else 4))
    require_bytes(f"rows of shape {shape[1:]}", n_items, held, "rows", "a smaller max_samples")
    at: tuple[Any, ...] = (index,) if chosen.layer is None else (chosen.layer, index)
    items = chosen.stored.read(at)
    if items.dtype.kind not in "fiub":
        raise UnreadableError(f"it holds no real numbers{_of(chosen)}, but dtype {items.dtype}")
    found = items if pool is None else pooled(items, pool)
    _require_finite(found, index, len(found) // n_items, chosen)
    return found


def rows_shape(chosen: Chosen, pool: Pool | None) -> tuple[int, ...]:
    """Return the shape of the items of an array, of which the first axis is that of rows."""
    shape = chosen.stored.shape
    if chosen.layer is not None:
        if len(shape) < 3:
            raise ChoiceError(f"layer must be None for an array of shape {shape}, which has no axis of layers")
        if not -shape[0] <= chosen.layer < shape[0]:
            raise ChoiceError(f"layer must be below {shape[0]}, the layers of {shape}, got {chosen.layer}")
        shape = shape[1:]
    if len(shape) < 2:
        way = ": read_labels reads a vector" if len(shape) == 1 else ""
        raise UnreadableError(f"it has shape {shape}{_of(chosen)}, and rows have two axes [N, D]{way}")
    if 0 in shape:
        raise UnreadableError(f"it has no {'rows' if not shape[0] else 'columns'}{_of(chosen)}: its shape is {shape}")
    if len(shape) > 2 and pool is None:
        layers = "" if chosen.layer is not None else "; layer takes one of an array [L, N, D]"
        raise ChoiceError(
            f"pool must be one of {', '.join(POOLS)} for the shape {shape}{_of(chosen)}{layers}, got None"
        )
    return shape


def _of(chosen: Chosen) -> str:
    return f" in {chosen.name!r}" if chosen.name else ""


def _require_finite(found: NDArray[Any], index: RowIndex, per_item: int, chosen: Chosen) -> None:
    """Raise where a number is not finite, and say in which row of the file, which may have several tokens."""
    if found.dtype.kind != "f":
        return
    step = max(1, _BLOCK // found.shape[1])
    for start in range(0, len(found), step):
        finite = np.isfinite(found[start : start + step])
        if not finite.all():
            row, column = (int(i) for i in np.argwhere(~finite)[0])
            place = (start + row) // per_item
            item = index.start + place * index.step if isinstance(index, slice) else int(index[place])
            value = found[start + row, column]
            raise UnreadableError(f"it has {value} in row {item}, column {column}{_of(chosen)}")
