"""Locks by which a log has one writer: between processes a lock of the system, within a process a registry.

The system frees the lock where its process ends, also by a kill. A forked process, such as the worker of a data
loader, does not inherit it (``fcntl.lockf``, POSIX record locks). Such a lock ends where its process closes any
descriptor of the file, so it is on a file of its own, which nothing else opens. The file stays: another process may
be about to lock it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Any

fcntl: Any = None
msvcrt: Any = None
with contextlib.suppress(ImportError):  # Windows has none
    import fcntl
with contextlib.suppress(ImportError):  # only Windows has it
    import msvcrt

_held: dict[tuple[int, str], object] = {}
"""The locks of this process, by its number and their files: a forked process has copies of those of its parent."""


class FileLock:
    """A lock on a file, which is made; it must not be held by this or another process."""

    def __init__(self, path: str, what: str) -> None:
        self._key, self._descriptor = (os.getpid(), path), -1
        if _held.setdefault(self._key, self) is not self:
            raise RuntimeError(f"{what} must not be in use by another Monitor of this process: close() ends its use")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            self._lock(what)
        except BaseException:
            self.release()
            raise

    def _lock(self, what: str) -> None:
        try:
            _lock(self._descriptor)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                raise
            raise RuntimeError(
                f"{what} must not be in use by another process: end that process, or use another log"
            ) from error

    def release(self) -> None:
        """Free the lock; nothing happens in a forked process, or where it is free."""
        if _held.get(self._key) is self and self._key[0] == os.getpid():
            if self._descriptor >= 0:
                os.close(self._descriptor)
            del _held[self._key]


def _lock(descriptor: int) -> None:
    """Lock the first byte of a file, or raise an OSError at once where another process has it."""
    if fcntl is not None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
    else:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
