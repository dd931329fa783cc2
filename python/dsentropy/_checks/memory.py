"""What to do about too little memory, in arguments of the function that was called.

The core compares the memory that a problem needs with what the process can have, before any work, and its
``MemoryError`` has both figures. It does not know which public function was called, so that function completes the
text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dsentropy import _core
from dsentropy._checks.limits import MAX_BYTES


@contextmanager
def memory_errors(*ways: str) -> Iterator[None]:
    """Complete each MemoryError of the block by the ways out of it.

    Parameters
    ----------
    *ways : str
        What the caller can do, in arguments of the function that was called. An error of an inner block is complete
        and stays as it is.
    """
    try:
        yield
    except MemoryError as error:
        if isinstance(error.__cause__, MemoryError):
            raise
        raise MemoryError(f"{str(error) or 'out of memory'}: use {', or '.join(ways)}") from error


_SMALL = 64 << 20
"""Bytes below which a request is granted at once."""


def require_bytes(what: str, rows: int, needed: int, *ways: str) -> None:
    """Raise a MemoryError, before any work, where what a count asks for does not fit into memory.

    Parameters
    ----------
    what : str
        The argument and its value, with which the error begins.
    rows : int
        The number of rows, or of numbers, that are held at once.
    needed : int
        The bytes that they take.
    *ways : str
        What the caller can do, in arguments of the function that was called.
    """
    if needed < _SMALL:
        return
    try:
        _core.require_memory(min(rows, MAX_BYTES), min(needed, MAX_BYTES))
    except MemoryError as error:
        raise MemoryError(f"{what}: {error}: use {', or '.join(ways)}") from error
