"""Tensors of a ``.safetensors`` file, by name, memory-mapped; bfloat16 becomes float32 row by row.

The package ``safetensors`` checks the header: its size, the shapes and dtypes, and that the tensors cover the file.
Its own arrays of bfloat16 need ``ml_dtypes``, and it reads a tensor whole. So the bytes are mapped here. Cost:
the rows that are used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy.io.optional import required
from dsentropy.io.stored import Archive, Stored, UnreadableError, part_of, widened

_DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "BF16": "<u2",
    "F32": "<f4",
    "F64": "<f8",
}
"""NumPy's dtypes of those of the format; of bfloat16 that of its bits."""


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """Map the tensors of a file, whose header the package checks first."""
    safetensors = required("safetensors", ".safetensors")
    with safetensors.safe_open(path, framework="numpy"):
        pass
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    yield Archive({name: _stored(path, 8 + length, entry) for name, entry in header.items()})


def _stored(path: str, start: int, entry: dict[str, Any]) -> Stored:
    name, shape = entry["dtype"], tuple(entry["shape"])

    def read(index: tuple[Any, ...]) -> NDArray[Any]:
        if name not in _DTYPES:
            raise UnreadableError(f"it holds numbers of dtype {name}, of which NumPy has none: save them as float32")
        dtype = np.dtype(_DTYPES[name])
        if 0 in shape:
            return part_of(np.empty(shape, dtype))(index)
        mapped: NDArray[Any] = np.memmap(path, dtype, "r", start + entry["data_offsets"][0], shape)
        return widened(mapped[index]) if name == "BF16" else part_of(mapped)(index)

    return Stored(shape, name, read, 4 if name == "BF16" else 0)
