"""Files that are replaced all or nothing: written under a temporary name in their folder, then renamed.

A reader sees the old file or the new one, whole. The contents are on the disk before the name is (``fsync``), so this
also holds after a crash of the machine. A failed write leaves the old file. A symbolic link is followed. A file that
is replaced keeps its permissions, and its owner and group where the system allows it; hard links, access control
lists and extended attributes are not kept.

The temporary is ``.dsentropy-FILE-MACHINE-RANDOM.tmp``, with digests of the two names. Its writer holds a lock on it
(``flock``), which ends with the process. The next write of a file removes its temporaries that are not locked: those
of this machine, and those of other machines that are older than a day. Where there are no such locks (Windows, some
network file systems), temporaries older than a day are removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

fcntl: Any = None
with contextlib.suppress(ImportError):  # Windows has none
    import fcntl

_ABANDONED_AFTER = 86400.0
"""Seconds after which a temporary that cannot be known to be in use is taken as one of a killed process."""


@contextlib.contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """Give a file to write to, which has this name once the block has ended without an error.

    Missing folders are made.

    Raises
    ------
    OSError
        Where the file cannot be written, or the name is that of something else than a file.
    """
    target = _followed(path)
    folder = os.path.dirname(target)
    if folder:
        os.makedirs(folder, exist_ok=True)
    before = _existing(target)
    _remove_abandoned(target)
    file = _temporary(target, path)
    try:
        with file:
            yield file
            file.flush()
            if before is not None:
                _keep_owner_and_mode(file, before)
            os.fsync(file.fileno())
            if fcntl is not None:  # renamed before the lock ends, so that no other writer removes it
                os.replace(file.name, target)
        if fcntl is None:  # Windows does not rename a file that is open
            os.replace(file.name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(file.name)
        raise
    _sync_folder(folder)


def require_writable(path: str, name: str) -> None:
    """Raise where :func:`replacing` would not write this file, before the work that it is to hold.

    Raises
    ------
    OSError
        Of the argument ``name``, with the system's reason.
    """
    try:
        target = _followed(path)
        _existing(target)
        folder, missing = _existing_folder(target)
        longest = os.pathconf(folder, "PC_NAME_MAX") if hasattr(os, "pathconf") else None
        if longest is not None and any(len(os.fsencode(part)) > longest for part in missing):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        with _temporary(os.path.join(folder, missing[0]), path) as file:
            pass
        with contextlib.suppress(FileNotFoundError):
            os.remove(file.name)
    except OSError as error:
        raise OSError(error.errno, f"{name} cannot be written: {error.strerror}", path) from error


def _followed(path: str) -> str:
    """Return the file that a name leads to through symbolic links, whether it exists or not."""
    target = os.path.realpath(path) if os.path.islink(path) else path
    if os.path.islink(target):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    if not os.path.basename(target):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    return target


def _existing(target: str) -> os.stat_result | None:
    """Return the status of the file that will be replaced; None where there is none."""
    try:
        status = os.stat(target)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
    if not stat.S_ISREG(status.st_mode):  # a device or a pipe would be replaced by a file
        raise OSError(errno.EINVAL, "Not a regular file", target)
    return status


def _existing_folder(target: str) -> tuple[str, list[str]]:
    """Return the nearest folder that exists, and the names below it that are to be made, the first one first."""
    folder, missing = os.path.dirname(target) or os.curdir, [os.path.basename(target)]
    while not os.path.isdir(folder):
        parent = os.path.dirname(folder) or os.curdir
        if os.path.lexists(folder) or parent == folder:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder)
        folder, missing = parent, [os.path.basename(folder), *missing]
    return folder, missing


def _digest(text: str, length: int) -> str:
    import hashlib

    return hashlib.sha256(os.fsencode(text)).hexdigest()[:length]


def _prefix(target: str) -> str:
    """Return the beginning of the names of all temporaries of a file."""
    return f".dsentropy-{_digest(os.path.basename(target), 16)}-"


def _machine() -> str:
    import platform

    return f"{_digest(platform.node(), 8)}-"


def _temporary(target: str, path: str) -> BinaryIO:
    """Create and lock a temporary for a file; errors name ``path``."""
    import secrets

    start = os.path.join(os.path.dirname(target), f"{_prefix(target)}{_machine()}")
    while True:
        try:
            file = open(f"{start}{secrets.token_hex(8)}.tmp", "xb")  # noqa: SIM115 the caller closes it
        except OSError as error:
            error.filename = path
            raise
        # Between its creation and its lock another writer may have taken it as abandoned and removed it.
        if _lock(file) is not False and os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def _lock(file: BinaryIO) -> bool | None:
    """Return whether a file could be locked; None where it cannot be known."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def _remove_abandoned(target: str) -> None:
    """Remove temporaries of a file that killed processes have left."""
    prefix, machine = _prefix(target), _machine()
    with contextlib.suppress(OSError), os.scandir(os.path.dirname(target) or os.curdir) as entries:
        for entry in entries:
            if not (entry.name.startswith(prefix) and entry.name.endswith(".tmp")):
                continue
            with contextlib.suppress(OSError):  # it is gone, or of another user
                if entry.is_file(follow_symlinks=False):
                    is_of_this_machine = entry.name.startswith(prefix + machine)
                    _remove_if_abandoned(entry.path, is_of_this_machine)


def _remove_if_abandoned(temporary: str, is_of_this_machine: bool) -> None:
    is_old = time.time() - os.stat(temporary).st_mtime > _ABANDONED_AFTER
    with open(temporary, "r+b") as file:
        locked = _lock(file)
        is_abandoned = is_old if locked is None else locked and (is_old or is_of_this_machine)
        if is_abandoned and fcntl is not None:  # while it is locked
            os.remove(temporary)
    if is_abandoned and fcntl is None:  # Windows does not remove a file that is open, also one of a live writer
        os.remove(temporary)


def _keep_owner_and_mode(file: BinaryIO, before: os.stat_result) -> None:
    """Give a temporary the owner, the group and the mode of the file that it replaces.

    Where the group cannot be kept, the new group may do what all others may.
    """
    mode = stat.S_IMODE(before.st_mode) & 0o777
    if hasattr(os, "fchown"):
        now = os.fstat(file.fileno())
        if now.st_uid != before.st_uid:
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), before.st_uid, -1)
        if now.st_gid != before.st_gid:
            try:
                os.fchown(file.fileno(), -1, before.st_gid)
            except PermissionError:
                mode = mode & ~0o070 | (mode & 0o007) << 3
    os.chmod(file.name, mode)


def _sync_folder(folder: str) -> None:
    """Put the new name on the disk, where the system can."""
    if fcntl is None:
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder or os.curdir, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
