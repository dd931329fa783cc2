"""Arrays of NumPy's ``.npy`` format, memory-mapped, or from a stream such as the standard input.

A header is checked before anything is allocated. Arrays of objects, which are pickles, are not read. Cost: the rows
that are used. The format is that of NEP 1.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from dsentropy.io.stored import Archive, Stored, UnreadableError, part_of, require_whole

MAGIC = b"\x93NUMPY"

_CHUNK = 1 << 20
"""Bytes that are read from a stream at once."""


class Header(NamedTuple):
    """What a header declares."""

    shape: tuple[int, ...]
    order: str
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """The number of bytes behind the header."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: BinaryIO | Any) -> Header:
    """Read the header of an array, whose dtype must be one of numbers or text."""
    header = any_header(file)
    if reason := refused(header.dtype):
        raise UnreadableError(reason)
    return header


def any_header(file: BinaryIO | Any) -> Header:
    """Read the header of an array of any dtype."""
    version = npy_format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise UnreadableError(f"it has version {version} of the format, which only arrays with fields need")
    reader = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = reader(file)
    if any(size < 0 for size in shape):
        raise UnreadableError(f"its header declares shape {shape}")
    return Header(shape, "F" if fortran else "C", dtype)


def refused(dtype: np.dtype[Any]) -> str:
    """Return why arrays of a dtype are not read; empty for those of numbers or text."""
    if dtype.hasobject:
        return "it holds pickled Python objects, which are not read: save an array of numbers or text"
    if dtype.kind in "biufcUS":
        return ""
    way = ""
    if dtype.kind == "V" and dtype.fields is None and dtype.itemsize == 2:
        way = ": NumPy saves bfloat16 so; save array.astype(np.float32)"
    return f"it holds no numbers and no text, but dtype {dtype}{way}"


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """Map the array of a file."""
    with open(path, "rb") as file:
        header = read_header(file)
        start = file.tell()
    require_whole(header.shape, header.dtype.itemsize, os.path.getsize(path) - start)
    if header.size == 0:
        array: NDArray[Any] = np.empty(header.shape, header.dtype)
    else:
        order: Any = header.order
        array = np.memmap(path, header.dtype, "r", start, header.shape, order)
    yield Archive({"": Stored(header.shape, str(header.dtype), part_of(array))})


@contextmanager
def from_stream(stream: BinaryIO) -> Iterator[Archive]:
    """Read the array of a stream, whose memory grows with the bytes that come."""
    header = read_header(stream)
    array = filled(stream, header)
    if stream.read(1):
        raise UnreadableError("it has more bytes than its header says")
    yield Archive({"": Stored(header.shape, str(header.dtype), part_of(array))})


def filled(stream: BinaryIO | Any, header: Header) -> NDArray[Any]:
    """Return the array of the bytes behind a header."""
    data = bytearray()
    while chunk := stream.read(min(_CHUNK, header.size - len(data))):
        data += chunk
    require_whole(header.shape, header.dtype.itemsize, len(data))
    array: NDArray[Any] = np.frombuffer(data, header.dtype).reshape(
        header.shape, order="F" if header.order == "F" else "C"
    )
    return array
