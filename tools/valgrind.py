"""The tests of the core under valgrind: each in a process of its own, with a time limit.

    python tools/valgrind.py [--limit SECONDS] [--jobs N] [--log FOLDER] [NAME ...]

Without NAME all tests run, else those whose names contain one of them. An error is an invalid read or write, a value
that was never set, or memory that is lost for good. A line for each test says how long it took, and the last line
counts. The exit status is 1 where a test failed, had an error, or did not end within the limit.

`DSENTROPY_VALGRIND` is set, by which tests choose smaller sizes (`src/runtime/test_size.rs`). OpenBLAS and our own
loops ask the processor which instructions it has, and valgrind answers that it has AVX2 and no AVX-512.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]

VALGRIND = [
    "valgrind",
    "--quiet",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
    "--fair-sched=yes",  # else a thread that spins for another one may keep it from running
    f"--suppressions={ROOT / 'tools' / 'valgrind.supp'}",
]


class Outcome(NamedTuple):
    """What came of one test: `ok`, or why not."""

    test: str
    verdict: str
    seconds: float


def executables() -> Iterator[Path]:
    """Build the tests, and yield the programs that hold them."""
    command = ["cargo", "test", "--locked", "--workspace", "--no-run", "--message-format=json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in output.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("executable") and message["profile"]["test"]:
            yield Path(message["executable"])


def library_path() -> str:
    """The folder of the OpenBLAS that was built last: cargo puts it on the library path of tests, and so do we."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    found = (target / "debug" / "build").glob("lapack-provider-*/out/*openblas_dsent*.so*")
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    return "" if newest is None else str(newest.parent)


def tests(program: Path, environment: dict[str, str]) -> list[str]:
    """The names of the tests in a program."""
    command = [str(program), "--list", "--format=terse"]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line.removesuffix(": test") for line in output.splitlines() if line.endswith(": test")]


def run(program: Path, test: str, environment: dict[str, str], limit: float, log: Path) -> Outcome:
    """Run one test under valgrind. What it printed is kept in the folder `log` unless all is well."""
    command = [*VALGRIND, str(program), "--exact", test, "--test-threads=1", "--nocapture"]
    begin = time.monotonic()
    try:
        process = subprocess.run(
            command,
            env=environment,
            cwd=ROOT,  # where cargo runs tests
            timeout=limit,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output = process.stdout
        known = {0: "ok", 99: "ERRORS", 101: "FAILED"}
        verdict = known.get(process.returncode, f"EXIT STATUS {process.returncode}")
        if verdict == "ok" and b"1 passed" not in output:
            verdict = "RAN NO TEST"
    except subprocess.TimeoutExpired as error:
        output, verdict = error.stdout or b"", f"NO END IN {limit:g} s"
    if verdict != "ok":
        log.mkdir(parents=True, exist_ok=True)
        (log / f"{program.name.split('-')[0]}-{test.replace('::', '.')}.log").write_bytes(output)
    return Outcome(test, verdict, time.monotonic() - begin)


def main() -> int:
    """Run the tests that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--limit", type=float, default=1800, help="seconds a test (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="tests at once (default: %(default)s)")
    parser.add_argument("--log", type=Path, default=ROOT / "target" / "valgrind", help="folder of what failed")
    parser.add_argument("names", nargs="*", metavar="NAME", help="part of the name of a test")
    arguments = parser.parse_args()

    programs = list(executables())
    environment = os.environ | {"DSENTROPY_VALGRIND": "1", "LD_LIBRARY_PATH": library_path()}
    chosen = [
        (program, test)
        for program in programs
        for test in tests(program, environment)
        if not arguments.names or any(name in test for name in arguments.names)
    ]
    bad = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        parts = [pool.submit(run, *part, environment, arguments.limit, arguments.log) for part in chosen]
        for part in parts:
            outcome = part.result()
            bad += outcome.verdict != "ok"
            print(f"{outcome.seconds:8.1f} s  {outcome.verdict:8}  {outcome.test}", flush=True)
    print(f"{len(parts) - bad} passed, {bad} failed")
    return 1 if bad or not parts else 0


if __name__ == "__main__":
    sys.exit(main())
