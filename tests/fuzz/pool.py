"""Worker processes that run cases: each case has a time limit, each process a memory limit.

A worker that crashed, or had to be killed, is replaced, and so is each after some hundred cases.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import tempfile
from multiprocessing.connection import Connection
from typing import Any

MEMORY = 6 << 30
"""The address space of a worker in bytes. Far more than a case of a few hundred rows needs."""

CASES = 300
"""Cases that one process runs."""

PATIENCE = 5.0
"""Seconds in which a call must end after a Ctrl-C."""


def work(connection: Connection, stderr: str) -> None:
    """Judge each seed that comes, until there is none."""
    import resource

    out = os.open(stderr, os.O_WRONLY | os.O_APPEND)
    os.dup2(out, 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what verbose calls print
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prepare()
    from judge import Outcome, judge

    with contextlib.suppress(EOFError):
        while True:
            seed = connection.recv()
            try:
                outcome = judge(seed)
            except KeyboardInterrupt:
                outcome = Outcome(seed, "", "interrupted", None)
            connection.send(outcome)


def prepare() -> None:
    """Import what calls import when they need it, since some of it changes global state."""
    import warnings

    os.environ["MPLBACKEND"] = "agg"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dask.array  # noqa: F401
        import matplotlib.pyplot  # noqa: F401
        import ml_dtypes  # noqa: F401
        import pandas  # noqa: F401
        import scipy.sparse.linalg  # noqa: F401
        import sklearn.cluster  # noqa: F401


class Worker:
    """A process that runs cases, and is replaced where it ends."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.context = multiprocessing.get_context("spawn")
        self.process: Any = None
        self.connection: Any = None
        self.cases = 0
        handle, self.stderr = tempfile.mkstemp(prefix="dsentropy-fuzz-", suffix=".txt")
        os.close(handle)

    def start(self) -> None:
        """Start a new process."""
        self.stop()
        os.truncate(self.stderr, 0)
        self.connection, other = self.context.Pipe()
        self.process = self.context.Process(target=work, args=(other, self.stderr), daemon=True)
        self.process.start()
        other.close()
        self.cases = 0

    def stop(self, killed: bool = False) -> None:
        """End the process, which ends by itself where it waits for a case."""
        if self.process is not None:
            self.connection.close()
            self.process.join(0 if killed else PATIENCE)
            self.process.kill()
            self.process.join()
            self.process = None

    def close(self) -> None:
        """End the process, and remove what it wrote."""
        self.stop()
        os.unlink(self.stderr)

    def run(self, seed: int) -> Any:
        """Return the outcome of a case, or the kind and details of a crash or hang."""
        fresh = self.process is None or self.cases >= CASES
        if fresh:
            self.start()
        self.cases += 1
        self.connection.send(seed)
        if not self.connection.poll(self.limit + (60 if fresh else 0)):
            return self._hang()
        try:
            outcome = self.connection.recv()
        except (EOFError, ConnectionError):
            return self._crash()
        written = self._written()
        if "panicked" in written:
            outcome.findings.append(("panic", written[-2000:]))
            os.truncate(self.stderr, 0)
        return outcome

    def _hang(self) -> tuple[str, str]:
        """Ask for the stacks, interrupt the call, and kill the process."""
        os.kill(self.process.pid, signal.SIGUSR1)
        self.process.join(0.5)
        stacks = self._written()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGINT)
        ended = self.connection.poll(PATIENCE)
        self.stop(killed=True)
        kind = f"over {self.limit:.0f} s, ends upon Ctrl-C" if ended else "hang"
        return kind, stacks[-2500:]

    def _crash(self) -> tuple[str, str]:
        self.process.join(10)
        status = self.process.exitcode
        self.stop()
        return "crash", f"status {status}\n{self._written()[-2500:]}"

    def _written(self) -> str:
        with open(self.stderr, errors="replace") as file:
            return file.read()
