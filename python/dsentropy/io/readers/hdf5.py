"""Data sets of an HDF5 file, by their paths in it; only the rows that are used are read.

Data sets are found by the file's own links: those to other files are not followed. Cost: the rows that are used, in
chunks where the file is chunked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy.io.optional import required
from dsentropy.io.stored import Archive, Stored


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """Open a file and list its data sets."""
    h5py = required("h5py", ".h5")
    arrays: dict[str, Stored] = {}

    def visit(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset) and found.shape is not None:
            text = h5py.check_string_dtype(found.dtype) is not None
            dtype = "text" if text else str(found.dtype)
            arrays[name] = Stored(found.shape, dtype, partial(_read, found, text), found.dtype.itemsize)

    with h5py.File(path, "r") as file:
        file.visititems(visit)
        yield Archive(arrays)


def _read(found: Any, text: bool, index: tuple[Any, ...]) -> NDArray[Any]:
    array = np.asarray((found.asstr() if text else found)[index])
    return array.astype(str) if text else array
