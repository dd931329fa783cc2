"""NumPy's ``.npz`` archives: written all or nothing with a checksum, and read whole, in memory of their own size.

The array ``checksum`` holds the SHA-256 of all others: of each, in the order of their names, the name, the dtype and
the shape, as JSON, and the bytes. Archives without it, of NumPy or of earlier versions, are read too.

All that an archive declares is checked before an array is made: members are arrays of numbers or text, each name is
there once, the shape and dtype of each give the size of its member, and all members together fit into the file.
Compressed archives may unpack to four times their size, or to 1 MiB. Each member is read to its end, so that its
CRC-32 is compared.
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from dsentropy.io.replacing import replacing

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

Contents = TypeVar("Contents")

_CHECKSUM = "checksum"

_DIRECTORY = 2**16 + 22
"""Bytes of a zip archive among which its end is looked for: a comment of any length, and the record before it."""

_UNPACKED = 2**20
"""Bytes to which any compressed archive may unpack."""

_RATIO = 4
"""The most by which a larger compressed archive may grow. Eigenvalues and rules in float64 hardly shrink."""

_LONGEST_HEADER = 2**12
"""Bytes of a header; 64 dimensions, the most of NumPy, take 1400."""

_CHUNK = 2**18
"""Bytes that are unpacked at once."""

_HEADER = re.compile(
    r"\{'descr': '([<>|=][biufcU][1-9][0-9]{0,9})', 'fortran_order': (True|False), "
    r"'shape': \(([0-9L, ]*)\),? ?\} *\n?"
)
"""The header that NumPy, and what writes like it, gives an array: dtype, order and shape."""


class Arrays(dict[str, NDArray[Any]]):
    """Arrays by name; a name that is not there is named by the error."""

    def __missing__(self, name: str) -> NoReturn:
        raise ValueError(f"it has no array {name!r}")


def write(path: str, **arrays: NDArray[Any]) -> None:
    """Write arrays and their checksum under exactly this name, without adding a suffix. Missing folders are made."""
    with replacing(path) as file:
        # No array has the name of one of NumPy's own arguments.
        np.savez(file, **arrays, **{_CHECKSUM: np.array(checksum(arrays))})  # type: ignore[arg-type]


def read(path: str, parse: Callable[[Arrays], Contents], error_text: str) -> Contents:
    """Return what ``parse`` makes of the arrays of a file.

    Parameters
    ----------
    path : str
    parse : callable
        Takes the arrays by name, without the checksum.
    error_text : str
        The beginning of the error, which names the file.

    Raises
    ------
    OSError
        Where the file cannot be opened.
    ValueError
        Where the bytes of the file are no such archive, its checksum differs, or ``parse`` fails.
    """
    mode = os.stat(path).st_mode  # the system's errors name the file
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a pipe would be waited for
        raise ValueError(f"{error_text}: it is no regular file")
    with open(path, "rb") as opened:
        try:
            return parse(_arrays(opened))
        except MemoryError:
            raise
        except Exception as error:  # of zipfile, zlib, NumPy or json, whatever bytes the file has
            raise ValueError(f"{error_text}: {error}") from error


def checksum(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of the names, dtypes, shapes and bytes of arrays, in hexadecimal."""
    import hashlib  # these are not loaded by NumPy
    import json

    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        sha.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        sha.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return sha.hexdigest()


def parsed_json(text: NDArray[Any], name: str) -> Any:
    """Return the value of an array that holds JSON. Names that are there twice in one object are refused."""
    import json

    if text.ndim or text.dtype.kind != "U":
        raise ValueError(f"{name} must be text, got dtype {text.dtype} and shape {text.shape}")
    return json.loads(str(text), object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice in its JSON")
    return found


class _Bounded:
    """A file that gives at most ``most`` bytes at once, since zipfile reads all of the directory at once."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self.most = file, most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(self.most + 1 if size < 0 else min(size, self.most + 1))
        if len(found) > self.most:
            raise ValueError("its directory is longer than its members")
        return found


def _arrays(opened: BinaryIO) -> Arrays:
    import zipfile

    size = os.fstat(opened.fileno()).st_size
    # The entry of a member in the directory is shorter than the member.
    bounded = _Bounded(opened, max(_DIRECTORY, size // 2))
    with zipfile.ZipFile(bounded) as archive:  # zipfile reads, seeks and tells
        bounded.most = _CHUNK
        members = archive.infolist()
        _require_sizes(members, size)
        arrays = Arrays((member.filename.removesuffix(".npy"), _array(archive, member)) for member in members)
    stored = arrays.pop(_CHECKSUM, None)
    if stored is not None and str(stored) != checksum(arrays):
        raise ValueError("its checksum is that of other arrays")
    return arrays


def _require_sizes(members: list[ZipInfo], size: int) -> None:
    """Raise where members are no arrays as NumPy writes them, or declare more than a file of this size can hold."""
    stored, deflated = 0, 8
    names = {member.filename for member in members}
    if len(names) < len(members):
        raise ValueError("an array is there twice")
    for member in members:
        if not member.filename.endswith(".npy"):
            raise ValueError(f"{member.filename!r} in it is no array")
        if member.flag_bits & 1 or member.compress_type not in (stored, deflated):
            raise ValueError(f"{member.filename!r} in it is encrypted, or compressed by another method than deflate")
        if member.compress_type == stored and member.compress_size != member.file_size:
            raise ValueError(f"{member.filename!r} in it has two sizes")
    packed, unpacked = sum(member.compress_size for member in members), sum(member.file_size for member in members)
    if packed > size:
        raise ValueError(f"it declares {packed} bytes and has {size}")
    if unpacked > packed and unpacked > max(_RATIO * size, _UNPACKED):
        raise ValueError(f"it has {size} bytes and would unpack to {unpacked}, more than {_RATIO} times as many")


def _array(archive: ZipFile, member: ZipInfo) -> NDArray[Any]:
    """Read a member whole; zipfile compares its CRC-32 at the end."""
    with archive.open(member) as file:
        start = file.read(8)
        if start not in (b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00", b"\x93NUMPY\x03\x00"):
            raise ValueError(f"{member.filename!r} in it is no array of NumPy")
        start += file.read(2 if start[6] == 1 else 4)
        length = int.from_bytes(start[8:], "little")
        header = _HEADER.fullmatch(file.read(min(length, _LONGEST_HEADER)).decode("latin-1"))
        if header is None:
            raise ValueError(f"{member.filename!r} in it is no array of numbers or text")
        dtype, shape = np.dtype(header[1]), tuple(int(n) for n in re.findall(r"[0-9]+", header[3]))
        declared = len(start) + length + math.prod(shape) * dtype.itemsize
        if declared != member.file_size:
            raise ValueError(f"{member.filename!r} in it has {member.file_size} bytes and declares {declared}")
        values = np.empty(math.prod(shape), dtype)
        buffer, filled = values.view(np.uint8).data, 0
        while chunk := file.read(min(_CHUNK, len(buffer) - filled) or 1):
            buffer[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
    if filled < len(buffer):
        raise ValueError(f"{member.filename!r} in it ends early")
    return values.reshape(shape, order="F" if header[2] == "True" else "C")
