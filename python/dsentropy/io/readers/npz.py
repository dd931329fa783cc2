"""Arrays of an ``.npz`` archive, by name: each is read whole, so that its CRC-32 is compared.

The size of each member is compared with its header and with the size of the file before anything is allocated.
Members that are pickles are not read, and the others can be. Cost: the array that is chosen, and the headers of the
others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dsentropy.io.readers.npy import any_header, filled, read_header, refused
from dsentropy.io.stored import Archive, Stored, UnreadableError, require_whole

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

_DEFLATE = 1032
"""The most by which deflate shrinks bytes, by https://zlib.net/zlib_tech.html."""


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """Open an archive and read the headers of its arrays."""
    import zipfile  # not loaded by NumPy

    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        arrays = {member.filename.removesuffix(".npy"): _stored(archive, member) for member in members}
        if len(arrays) < len(members):
            raise UnreadableError("it has an array twice")
        yield Archive(arrays)


def _stored(archive: ZipFile, member: ZipInfo) -> Stored:
    if member.file_size > _DEFLATE * (member.compress_size + 1):
        raise UnreadableError(f"{member.filename!r} in it declares more bytes than it can hold")
    try:
        with archive.open(member) as file:
            header = any_header(file)
            reason = refused(header.dtype)
            if not reason:
                require_whole(header.shape, header.dtype.itemsize, member.file_size - file.tell())
    except UnreadableError as error:
        raise UnreadableError(f"of {member.filename!r}, {error}") from error
    reason = reason and f"of {member.filename!r}, {reason}"
    return Stored(header.shape, str(header.dtype), partial(_read, archive, member), header.dtype.itemsize, reason)


def _read(archive: ZipFile, member: ZipInfo, index: tuple[Any, ...]) -> NDArray[Any]:
    with archive.open(member) as file:
        array = filled(file, read_header(file))
        file.read(1)  # zipfile compares the CRC-32 at the end
    part: NDArray[Any] = array[index]
    return part
