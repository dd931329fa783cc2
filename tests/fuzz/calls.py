"""Random calls of every public function, valid, borderline and hostile, each in a worker process.

    python tests/fuzz/calls.py SECONDS [--seed SEED]     run for some time
    python tests/fuzz/calls.py --case SEED                 repeat one case

Prints figures, and for each kind of finding the first cases with the command that repeats them; exits with 1 where
there is any.
"""

from __future__ import annotations

import argparse
import collections
import pathlib
import re
import sys
import tempfile
import time
from typing import Any

from pool import Worker

SHOWN = 3
"""Cases of one kind of finding that are printed; all are counted."""

FIGURES = 600
"""Seconds after which figures are printed again."""

REPEATED = 5
"""One case of so many is repeated in a second process."""


class Figures:
    """Counts of a run, and the first cases of each finding."""

    def __init__(self) -> None:
        self.results: collections.Counter[str] = collections.Counter()
        self.findings: collections.Counter[str] = collections.Counter()
        self.shown: collections.Counter[str] = collections.Counter()
        self.cases = self.repeated = 0

    def found(self, kind: str, details: str, seed: int, text: str) -> None:
        """Count a finding, and print it where it is one of the first of its kind."""
        self.findings[kind] += 1
        # Numbers and quoted values differ from case to case.
        signature = kind + re.sub(r"[\d.e+-]+|'[^']*'", "#", details[:120])
        self.shown[signature] += 1
        if self.shown[signature] <= SHOWN:
            print(f"{kind}: {details}\n    {text}\n    python tests/fuzz/calls.py --case {seed}", flush=True)

    def text(self, seconds: float) -> str:
        """Return the figures."""
        results = ", ".join(f"{name} {count}" for name, count in self.results.most_common())
        findings = ", ".join(f"{name} {count}" for name, count in self.findings.most_common()) or "none"
        return (
            f"{self.cases} cases in {seconds:.0f} s, {self.repeated} repeated in another process\n"
            f"results: {results}\nfindings: {findings}"
        )


def run_case(worker: Worker, seed: int, figures: Figures) -> Any:
    """Run a case, and count what is found."""
    outcome = worker.run(seed)
    if isinstance(outcome, tuple):
        kind, details = outcome
        figures.results[kind] += 1
        figures.found(kind, details, seed, described(seed))
        return None
    figures.results[outcome.result] += 1
    for kind, details in outcome.findings:
        figures.found(kind, details, seed, outcome.text)
    return outcome


def described(seed: int) -> str:
    """Describe a case that a worker could not."""
    import cases

    with tempfile.TemporaryDirectory() as folder:
        try:
            return cases.make(seed, pathlib.Path(folder)).text()
        except Exception as error:
            return f"the case cannot be made: {error!r}"


def main(arguments: argparse.Namespace) -> int:
    """Run cases until the time is over."""
    figures, start = Figures(), time.monotonic()
    printed = start
    worker, other = Worker(arguments.limit), Worker(arguments.limit)
    try:
        if arguments.case is not None:
            outcome = run_case(worker, arguments.case, figures)
            print(outcome if outcome is None else f"{outcome.text}\n{outcome.result} {outcome.digest}")
        while arguments.case is None and time.monotonic() - start < arguments.seconds:
            seed = (arguments.seed << 32) + figures.cases
            figures.cases += 1
            if time.monotonic() - printed > FIGURES:
                printed = time.monotonic()
                print(figures.text(printed - start), flush=True)
            outcome = run_case(worker, seed, figures)
            if outcome is not None and outcome.digest is not None and figures.cases % REPEATED == 0:
                figures.repeated += 1
                again = other.run(seed)
                # The memory that other programs leave is no part of a case.
                short = not isinstance(again, tuple) and "MemoryError" in (outcome.result, again.result)
                if not isinstance(again, tuple) and not short and again.digest != outcome.digest:
                    details = f"{outcome.digest}, in another process {again.digest}"
                    figures.found("result changed", details, seed, outcome.text)
    finally:
        worker.close()
        other.close()
        print(figures.text(time.monotonic() - start), flush=True)
    return 1 if figures.findings else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("seconds", nargs="?", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, help="the seed of one case")
    parser.add_argument("--limit", type=float, default=60, help="seconds that a case may take")
    sys.exit(main(parser.parse_args()))
