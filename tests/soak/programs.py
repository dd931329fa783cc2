"""Programs that run in a process of their own, and what each script of the soak prints.

A script takes a count and a seed, prints one line of figures for each kind of trial, and exits with 1 where a trial
failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python"
BUILT = bool(list((PACKAGE / "dsentropy").glob("_core*")))
"""Whether the package of this tree has its extension; else the one that is installed is tested."""
if BUILT:
    sys.path.insert(0, str(PACKAGE))

SHOWN = 3
"""Failures of a kind that are printed; all are counted."""


def options(doc: str, count: int) -> argparse.ArgumentParser:
    """Make the parser of a script's command line."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=count, help=f"trials of each kind (default {count})")
    parser.add_argument("--seed", type=int, default=0, help="seed of the delays and the data")
    return parser


def environment() -> dict[str, str]:
    """Return the environment of a program: the package of this tree where it is built, no setting of threads."""
    found = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    if BUILT:
        found["PYTHONPATH"] = os.pathsep.join([str(PACKAGE), *filter(None, [found.get("PYTHONPATH")])])
    return found


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int | str
    """The exit status, negative for a signal; "hangs" where it had to be killed."""
    out: str
    err: str

    def text(self) -> str:
        """Return the status and the end of what was printed."""
        return f"status {self.status}\n{self.out[-500:]}{self.err[-1500:]}"


def run(program: str, *arguments: object, python: str = sys.executable, timeout: float = 60) -> Ended:
    """Run a program; kill it and all that it started after ``timeout`` seconds."""
    process = subprocess.Popen(
        [python, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    status: int | str
    try:
        out, err = process.communicate(timeout=timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = "hangs"
    return Ended(status, out, err)


@dataclass
class Tally:
    """Trials of one kind, and those that failed."""

    name: str
    trials: int = 0
    failures: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)

    def add(self, failure: str | None) -> None:
        """Count a trial, which failed where there is a text."""
        self.trials += 1
        if failure is not None:
            self.failures.append(failure)


def report(tallies: Sequence[Tally]) -> int:
    """Print a line for each kind, and the first failures; return the exit status."""
    for tally in tallies:
        figures = "".join(f", {name} {value}" for name, value in tally.figures.items())
        print(f"{tally.name}: {tally.trials} trials, {len(tally.failures)} failed{figures}", flush=True)
        for failure in tally.failures[:SHOWN]:
            print(textwrap.indent(failure, "    "), flush=True)
    return 1 if any(tally.failures for tally in tallies) else 0
