"""Files of a command: their arrays, several at a time, and one line for each that fails.

Results come in the order of the files. With several jobs, threads read and measure; the core leaves the interpreter
to the others. They are daemons, so that Ctrl-C ends the process at once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeVar

from numpy.typing import NDArray

from dsentropy._checks.warn import collected_warnings
from dsentropy.io.embeddings import embeddings_of, rows_shape
from dsentropy.io.files import STDIN, FileError, has_reader, opened
from dsentropy.io.row_choice import RowChoice
from dsentropy.io.stored import Contents, natural

Item = TypeVar("Item")
Result = TypeVar("Result")

_OPTIONS = {
    "bandwidths": "bandwidth",
    "n_samples": "n-samples",
    "n_repeats": "n-repeats",
    "random_state": "seed",
}
"""Options whose names differ from that of the argument."""


class Failed(Exception):  # noqa: N818 it is no fault of the program
    """A command that could not do all that was asked for; each fault has been said."""


class Rows(NamedTuple):
    """The rows of one array of a file."""

    name: str
    X: NDArray[Any]
    n_all: int


class Outcome(NamedTuple):
    """What became of one file: a result with its warnings, or an error."""

    name: str
    result: Any
    warnings: list[str]
    error: Exception | None


def read(path: str, options: argparse.Namespace) -> Rows:
    """Read the rows of a file that the options choose."""
    with opened(path) as contents:
        return _rows(path, contents, options)


def _rows(path: str, contents: Contents, options: argparse.Namespace) -> Rows:
    key = options.key if options.key is None or len(options.key) > 1 else options.key[0]
    chosen = contents.choose(key, options.layer)
    n_all = rows_shape(chosen, options.pool)[0]
    return Rows(path, embeddings_of(chosen, options.pool, _choice(options)), n_all)


def timed(path: str, options: argparse.Namespace, measure: Callable[[Rows], Result]) -> tuple[Rows, float, Result]:
    """Read the rows of a file and measure them; return them, when the measurement began, and its result."""
    rows, started = read(path, options), time.perf_counter()
    return rows, started, measure(rows)


def read_each(path: str, options: argparse.Namespace, left_out: str | None = None) -> list[Rows]:
    """Read all arrays of a file, or those whose names match the keys, in natural order, but one that is left out."""
    with opened(path) as contents:
        names = contents.names()
        if options.layer is not None or names == [""]:
            return [_rows(path, contents, options)]
        patterns = options.key or ["*"]
        wanted = [name for name in names if any(name == one or fnmatchcase(name, one) for one in patterns)]
        wanted = [name for name in wanted if name != left_out]
        if not wanted:
            return [_rows(path, contents, options)]  # of columns; else its error lists the arrays
        found = []
        for name in wanted:
            chosen = contents.choose(name, None)
            X = embeddings_of(chosen, options.pool, _choice(options))
            found.append(Rows(name, X, rows_shape(chosen, options.pool)[0]))
    return found


def _choice(options: argparse.Namespace) -> RowChoice:
    return RowChoice.of(options.rows, options.max_samples, options.seed)


def row_index(n_all: int, options: argparse.Namespace) -> Any:
    """Return the index of the rows that are read of this many."""
    return _choice(options).index(n_all)


def expanded(paths: list[str]) -> list[str]:
    """Return the files, in natural order those of a folder, of which others than embeddings are left out."""
    found: list[str] = []
    for path in paths:
        if path != STDIN and os.path.isdir(path):
            shown = (entry for entry in os.listdir(path) if not entry.startswith("."))  # "._a.npy" is of macOS
            inside = sorted(filter(has_reader, shown), key=natural)
            if not inside:
                raise ValueError(f"{path}: no file in the folder has embeddings")
            found += [os.path.join(path, entry) for entry in inside]
        else:
            found.append(path)
    return found


def short_names(paths: list[str]) -> list[str]:
    """Return the names of files without folder and suffix, where these differ; else the paths."""
    stems = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    return stems if len(set(stems)) == len(stems) else paths


def outcomes(
    items: list[Item], work: Callable[[Item], Result], name_of: Callable[[Item], str], options: argparse.Namespace
) -> Iterator[Outcome]:
    """Yield what became of each item, in order, and say on the standard error what failed.

    Raises
    ------
    Failed
        At the end, where one of them failed.
    """
    failed = False
    for done, outcome in enumerate(_run(items, work, name_of, getattr(options, "jobs", 1)), start=1):
        if outcome.error is not None:
            failed = True
            complain(options.command, outcome.name, outcome.error)
        for text in outcome.warnings:
            say(f"dsentropy {options.command}: {outcome.name}: {text}")
        if options.progress:
            say(f"dsentropy {options.command}: {done} of {len(items)}: {outcome.name}")
        if outcome.error is None:
            yield outcome
    if failed:
        raise Failed


def _run(
    items: list[Item], work: Callable[[Item], Result], name_of: Callable[[Item], str], jobs: int
) -> Iterator[Outcome]:
    if jobs == 1 or len(items) == 1:
        for item in items:
            yield _outcome(item, work, name_of)
        return
    results: list[queue.SimpleQueue[Outcome]] = [queue.SimpleQueue() for _ in items]
    places = iter(range(len(items)))
    lock = threading.Lock()

    def serve() -> None:
        while True:
            with lock:
                place = next(places, None)
            if place is None:
                return
            results[place].put(_outcome(items[place], work, name_of))

    for _ in range(min(jobs, len(items))):
        threading.Thread(target=serve, daemon=True).start()
    for result in results:
        yield _got(result)


def _got(result: queue.SimpleQueue[Outcome]) -> Outcome:
    """Wait for a result, and look up now and then: Ctrl-C just before a wait without end would not end it."""
    while True:
        with contextlib.suppress(queue.Empty):
            return result.get(timeout=0.2)


def _outcome(item: Item, work: Callable[[Item], Result], name_of: Callable[[Item], str]) -> Outcome:
    with collected_warnings() as texts:
        try:
            return Outcome(name_of(item), work(item), texts, None)
        except Exception as error:  # of a file, which must not lose the results of the others
            return Outcome(name_of(item), None, texts, error)


def complain(command: str, name: str, error: Exception) -> None:
    """Say in one line which file failed, and why."""
    text = str(error)
    if isinstance(error, FileError):
        name, text = error.path, error.reason
    elif isinstance(error, OSError) and error.strerror:
        name, text = str(error.filename or name), error.strerror
    elif not isinstance(error, (ValueError, TypeError, ImportError, MemoryError)):
        text = f"{type(error).__name__}: {text}"
    text = re.sub(r"^(\w+)(?=(\[\d+\])? (must|needs) )", lambda found: _option(found[1]), " ".join(text.split()))
    say(f"dsentropy {command}: {name}: {text}" if name else f"dsentropy {command}: {text}")


def _option(argument: str) -> str:
    """Return the option of an argument; data and layers have none."""
    if argument in ("X", "A", "B", "path", "layers"):
        return argument
    return f"--{_OPTIONS.get(argument, argument).replace('_', '-')}"


def say(text: str) -> None:
    """Print a line on the standard error."""
    print(text, file=sys.stderr, flush=True)
