"""The log of a monitor: JSON lines, to which lines are only ever added, each by one write.

A line is a record, ``{"resumed_from": step}`` where a run goes on from the state after that step, or
``{"completed": step}`` after the last record of a step. Markers name the run; one without holds for all. A killed
writer leaves at most one incomplete line at the end, which readers pass over and the next writer ends. Numbers that
are not finite are null, but for the order ``"inf"``.
"""

from __future__ import annotations

import json
import math
import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dsentropy._checks.scalars import as_path
from dsentropy.monitor.lock import FileLock
from dsentropy.monitor.records import FIELDS, REQUIRED, Record, Records, key_of, record_of


def read_log(path: str | os.PathLike[str]) -> Records:
    """Read the log of a :class:`Monitor`, also while it is being written.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Records
        The records of all runs, in the order in which they were written. Those that a resumed run superseded are left
        out, and of several with equal run, step, layer, measure, bandwidth rule, alpha, t and order the last is kept.
        An incomplete last line is passed over.

    Raises
    ------
    OSError
        Where the file cannot be read.
    ValueError
        Where the file is not empty, and none of its complete lines is a line of a log.

    Examples
    --------
    >>> import tempfile, os
    >>> from dsentropy.monitor import Monitor, read_log
    >>> path = os.path.join(tempfile.mkdtemp(), "run.jsonl")
    >>> with Monitor(log=path, run="a") as monitor:
    ...     _ = monitor.observe(0, {"hidden": [[0.0], [1.0], [3.0]]})
    >>> read_log(path) == monitor.records
    True
    """
    name = as_path(path, "path")
    with open(name, "rb") as file:
        return Contents.of(file.read(), name, "path").records


@dataclass
class Contents:
    """What a log says: the records that count, and the completed steps of each run."""

    kept: dict[tuple[Any, ...], Record] = field(default_factory=dict)
    """Records by their key, in the order in which they were written."""
    completed: dict[str, set[int]] = field(default_factory=dict)
    runs: dict[str, None] = field(default_factory=dict)
    """The runs in the order of their first line; the last one wrote last."""

    @classmethod
    def of(cls, data: bytes, name: str, argument: str) -> Contents:
        """Read the lines of the file of this name, which an argument gave."""
        found, known, complete = cls(), 0, data.count(b"\n")
        for line in _objects(data):
            known += found._add(line)
        if complete and not known:
            raise ValueError(f"{argument} must be that of a log, got {name!r}, in which no line is one of a log")
        return found

    @property
    def records(self) -> Records:
        """The records that count."""
        return Records(self.kept.values())

    def _add(self, line: dict[str, Any]) -> bool:
        """Take one line; return whether it is one of a log."""
        run = line.get("run")
        if isinstance(run, str):
            self.runs.pop(run, None)
            self.runs[run] = None
        if _is_step(line.get("resumed_from")):
            self._drop_after(run, line["resumed_from"])
        elif _is_step(line.get("completed")) and isinstance(run, str):
            self.completed.setdefault(run, set()).add(line["completed"])
        elif record := as_record(line):
            key = key_of(record)
            self.kept.pop(key, None)
            self.kept[key] = record
        else:
            return False
        return True

    def _drop_after(self, run: str | None, step: int) -> None:
        for key in [key for key in self.kept if run in (None, key[0]) and key[1] > step]:
            del self.kept[key]
        for one, steps in self.completed.items():
            if run in (None, one):
                self.completed[one] = {completed for completed in steps if completed <= step}


def _objects(data: bytes) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects among lines; a part of one, which a kill left, is none."""
    for text in data.split(b"\n"):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict):
            yield line


def _is_step(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def as_record(line: dict[str, Any]) -> Record | None:
    """Return a record with all fields, or None where a line is none."""
    texts = all(isinstance(line.get(name), str) for name in REQUIRED if name != "step")
    if not (texts and _is_step(line.get("step"))):
        return None
    record = record_of(line.items())
    if record["order"] == "inf":
        record["order"] = math.inf
    numbers = all(isinstance(record[name], (int, float, type(None))) for name in FIELDS if FIELDS[name] is float)
    rule = isinstance(record["bandwidth_rule"], (str, type(None)))
    return record if numbers and rule else None


def as_json(line: dict[str, Any]) -> dict[str, Any]:
    """Return a record or a marker as values that JSON can hold; :func:`as_record` reads it."""
    finite = {name: _finite(value) for name, value in line.items()}
    if line.get("order") == math.inf:
        finite["order"] = "inf"
    return finite


def as_line(line: dict[str, Any]) -> bytes:
    """Return the line of a record or a marker."""
    return json.dumps(as_json(line), allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Log:
    """A log that this process alone writes, until it is closed."""

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        if os.path.isdir(self.path):
            raise IsADirectoryError(f"log must be a file, got the directory {path!r}: log.jsonl in it is one")
        folder = os.path.dirname(self.path)
        os.makedirs(folder, exist_ok=True)
        self._pending: deque[bytes] = deque()
        self._lock = FileLock(self.path + ".lock", f"log {path!r}")
        self._descriptor = -1
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o666)
            self._contents = self._opened()
        except BaseException:
            self.free()
            raise

    def _read(self) -> bytes:
        with open(self.path, "rb") as file:
            return file.read()

    def _opened(self) -> Contents:
        """Read what the file has, and end an incomplete last line."""
        data = self._read()
        contents = Contents.of(data, self.path, "log")
        if data and not data.endswith(b"\n"):
            os.write(self._descriptor, b"\n")
        return contents

    def take_contents(self) -> Contents:
        """Return what the log had when it was opened, once: it may be large."""
        contents, self._contents = self._contents, Contents()
        return contents

    def contents(self) -> Contents:
        """Write what is left, and read what the log has now."""
        self.write([])
        return Contents.of(self._read(), self.path, "log")

    def write(self, lines: Iterable[dict[str, Any]]) -> None:
        """Add lines, one write each. Those that an OSError left are added by the next call, before its own."""
        self._pending.extend(map(as_line, lines))
        while self._pending:
            written = os.write(self._descriptor, self._pending[0])
            if written < len(self._pending[0]):  # a disk that is full, or a signal: what is left follows at once
                self._pending[0] = self._pending[0][written:]
            else:
                self._pending.popleft()

    def close(self) -> None:
        """Write what is left, and free the log, also where that fails."""
        try:
            self.write([])
        finally:
            self.free()

    def free(self) -> None:
        """Close the file and free its lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._lock.release()
