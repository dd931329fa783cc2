"""What the bytes of a file say that it is, whatever it is called."""

from __future__ import annotations

from dsentropy.io.readers.npy import MAGIC

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

_MAGIC = {
    MAGIC: ".npy",
    b"\x89HDF\r\n\x1a\n": ".h5",
    b"PAR1": ".parquet",
    b"\x1f\x8b": "gzip",
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.": ".pt",  # of torch before 1.6: its magic number as a pickle
    b"\x80\x02": "pickle",
    b"\x80\x03": "pickle",
    b"\x80\x04": "pickle",
    b"\x80\x05": "pickle",
}

_START = 512
"""Bytes of which a format is recognised."""


def content_of(path: str) -> str | None:
    """Return the suffix that a file's content has, ``"zip"``, ``"gzip"``, ``"pickle"``, ``"text"``, or None."""
    with open(path, "rb") as file:
        start = file.read(_START)
    if start.startswith(_ZIP):
        return _of_zip(path)
    for magic, suffix in _MAGIC.items():
        if start.startswith(magic):
            return suffix
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**32:
        return ".safetensors"
    return "text" if start and _is_text(start) else None


def _of_zip(path: str) -> str:
    """Return which archive a zip is, by the names of its members."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "zip"
    if any(name.endswith("/data.pkl") for name in names):
        return ".pt"
    return ".npz" if all(name.endswith(".npy") for name in names) else "zip"


def _is_text(start: bytes) -> bool:
    """Return whether bytes are UTF-8 text, whose last character may be cut."""
    if b"\0" in start:
        return False
    for cut in range(4):
        try:
            start[: len(start) - cut].decode()
        except UnicodeDecodeError:
            continue
        return True
    return False
