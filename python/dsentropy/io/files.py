"""Files by their suffixes: which reader opens one, and errors that name the file.

A file whose content is that of another format is an error that says which, before a package reads it.
"""

from __future__ import annotations

import importlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_path
from dsentropy.io.content import content_of
from dsentropy.io.stored import ChoiceError, Contents, UnreadableError

READERS = {
    ".npy": "npy",
    ".npz": "npz",
    ".csv": "csv",
    ".tsv": "csv",
    ".safetensors": "safetensors",
    ".pt": "torch_file",
    ".pth": "torch_file",
    ".parquet": "parquet",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
}
"""Modules of :mod:`dsentropy.io.readers`, by the suffix of a file."""

_CONTENTS = {
    ".csv": ("text",),
    ".tsv": ("text",),
    ".pth": (".pt",),
    ".hdf5": (".h5",),
}
"""Contents that files of a suffix may have; of others that of the suffix itself."""

STDIN = "-"
"""The name of the standard input."""


class FileError(ValueError):
    """An error that names a file."""

    def __init__(self, path: str, reason: str, text: str) -> None:
        super().__init__(text)
        self.path, self.reason = path, reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.reason, str(self))


def as_file(path: Any) -> str:
    """Convert to the name of a file, or to ``-``."""
    return STDIN if isinstance(path, str) and path == STDIN else as_path(path, "path")


def has_reader(path: str) -> bool:
    """Return whether a file of this name can be read."""
    return os.path.splitext(path)[1].lower() in READERS


@contextmanager
def opened(path: str) -> Iterator[Contents]:
    """Open a file; its faults, within the block as well, are errors that name it.

    Raises
    ------
    OSError
        Where the system cannot open the file.
    ImportError
        Where the package of its format is missing.
    MemoryError
        Where memory does not suffice, with the name of the file.
    FileError
        Where it cannot be read, or ``key`` and ``layer`` name no array of it.
    """
    suffix = ".npy" if path == STDIN else os.path.splitext(path)[1].lower()
    shown = "the standard input" if path == STDIN else printed(path)
    try:
        with _opened(path, suffix) as contents:
            yield contents
    except ChoiceError as error:
        raise FileError(path, str(error), f"{error}, in {shown}") from error
    except MemoryError as error:
        raise MemoryError(f"{shown}: {error}") from error
    except UnreadableError as error:
        raise _unreadable(path, suffix, shown, str(error)) from error


def _opened(path: str, suffix: str) -> AbstractContextManager[Contents]:
    if path == STDIN:
        from dsentropy.io.readers import npy

        if sys.stdin is None:
            raise UnreadableError("it is closed")
        return _guarded(lambda: npy.from_stream(sys.stdin.buffer))
    _require_content(path, suffix)
    reader = importlib.import_module(f"dsentropy.io.readers.{READERS[suffix]}")
    return _guarded(lambda: reader.opened(path))


@contextmanager
def _guarded(open_contents: Any) -> Iterator[Contents]:
    """Make one kind of error of those that packages raise, whatever bytes a file has."""
    try:
        with open_contents() as contents:
            yield contents
    except (MemoryError, ImportError, ChoiceError, UnreadableError):
        raise
    except Exception as error:
        raise UnreadableError(" ".join(str(error).split()) or type(error).__name__) from error


def _require_content(path: str, suffix: str) -> None:
    """Raise where a file has no suffix of a reader, or content of another format."""
    mode = os.stat(path).st_mode  # the system's errors name the file
    if stat.S_ISDIR(mode):
        raise UnreadableError("it is a folder")
    if not stat.S_ISREG(mode):  # a pipe would be waited for
        raise UnreadableError("it is no regular file; the name '-' reads an .npy file from the standard input")
    with open(path, "rb") as file:
        if not file.read(1):
            raise UnreadableError("it is empty")
    content = content_of(path)
    if suffix not in READERS:
        found = f", and the content of this one is {_described(content)}" if content else ""
        raise UnreadableError(f"names of files end in one of {', '.join(READERS)}{found}")
    if content in _CONTENTS.get(suffix, (suffix,)):
        return
    if content in (None, "zip") and suffix in (".npz", ".pt", ".pth"):
        raise UnreadableError("it is cut off, or a file of another format")
    if content is None:
        raise UnreadableError(
            f"it does not begin as {'text' if suffix in ('.csv', '.tsv') else suffix + ' files'} do"
        )
    raise UnreadableError(f"its content is {_described(content)}")


def _described(content: str) -> str:
    named = {
        "text": "text",
        "gzip": "compressed by gzip, which is unpacked first",
        "zip": "a zip archive, of no arrays or cut off",
        "pickle": "a pickle, which could run code and is not read",
    }
    return named.get(content) or f"in the {content} format: rename it"


def _unreadable(path: str, suffix: str, shown: str, reason: str) -> FileError:
    kind = suffix if suffix in READERS else "embedding"
    return FileError(path, reason, f"path must be a readable {kind} file, got {shown}: {reason}")
