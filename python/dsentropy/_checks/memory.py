"""What to do about too little memory, in arguments of the function that was called.

The core compares the memory that a problem needs with what the process can have, before any work, and its
``MemoryError`` has both figures. It does not know which public function was called, so that function completes the
text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


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
