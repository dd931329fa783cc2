"""Mutated files of each kind: values that change without an error, hangs, memory, and exceptions of other types.

    python tests/fuzz/mutate_files.py COUNT [--seed SEED] [--kind KIND]     so many files of each kind
    python tests/fuzz/mutate_files.py --case KIND SEED                        one file, in this process

One file in four is forged: its CRC-32 and its checksum are right, so it may have another value, but one in its range.
Files are read in batches, each in a process with a time limit. Peak memory is that of Python and NumPy (tracemalloc)
while a file is read, compared with ten times the longer of the two files and 1 MiB for zipfile, json and the
interpreter. Prints figures and the command that repeats a finding; exits with 1 where there is any.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from mutated_files import DAMAGES, KINDS, content, forged, out_of_range, write

BATCH = 500
SECONDS = 120.0
"""Time limit of a batch, of which a file takes milliseconds."""

FORGED = 4
"""One file of so many is forged."""

MOST_MEMORY = 10
INTERPRETER = 2**20
SHOWN = 3


def mutation(kind_seed: int, whole: bytes) -> tuple[str, bytes]:
    """Return the sort of mutation and the file of a seed."""
    rng = np.random.default_rng(kind_seed)
    change = forged if rng.integers(FORGED) == 0 else DAMAGES[rng.integers(len(DAMAGES))]
    return change.__name__.strip("_"), change(rng, whole)


def judged(kind: str, seed: int, whole: bytes, original: Any, path: Path) -> tuple[str, str, str]:
    """Read the file of a seed, and return the sort of mutation, how it went, and what was found if anything."""
    sort, data = mutation(seed, whole)
    path.write_bytes(data)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        if sort == "forged":
            wrong = out_of_range(kind, path)
            result = "read"
        else:
            wrong = "" if content(kind, path) == original else "the value changed"
            result = "as before"
    except ValueError as error:
        result, wrong = "refused", "" if str(path) in str(error) else f"the error does not name the file: {error}"
    except OSError as error:
        result, wrong = "refused by the system", "" if str(path) in str(error) else f"not named: {error}"
    except BaseException as error:
        result, wrong = "raised", f"{type(error).__name__}: {error}"
    peak = tracemalloc.get_traced_memory()[1] - before
    if peak > MOST_MEMORY * max(len(data), len(whole)) + INTERPRETER:
        wrong = wrong or f"{peak} bytes of memory for a file of {len(data)}"
    return sort, result, wrong


def run_batch(kind: str, seeds: range, answers: Any) -> None:
    """Judge the files of seeds, and send what is found, file by file."""
    tracemalloc.start()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        whole = write(kind, path)
        original = content(kind, path)
        out_of_range(kind, path)  # loads modules, whose memory is not that of a file
        for seed in seeds:
            answers.send((seed, *judged(kind, seed, whole, original, path)))
    answers.close()


def judge_batch(kind: str, seeds: range, figures: collections.Counter[str], findings: list[str]) -> None:
    """Run a batch in a process; one that hangs or dies is a finding, and the rest goes on in another process."""
    context = multiprocessing.get_context("fork")
    while len(seeds):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=run_batch, args=(kind, seeds, sender))
        process.start()
        sender.close()
        done, end = 0, time.monotonic() + SECONDS
        try:
            while done < len(seeds) and receiver.poll(max(0.0, end - time.monotonic())):
                seed, sort, result, wrong = receiver.recv()
                done += 1
                figures[f"{sort}: {result}"] += 1
                if wrong:
                    findings.append(f"{kind} {seed} ({sort}): {wrong}")
        except EOFError:
            pass
        if done < len(seeds):
            process.kill()
            process.join()
            findings.append(f"{kind} {seeds[done]}: hangs or dies (exit status {process.exitcode})")
            done += 1
        process.join()
        seeds = seeds[done:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--case", nargs=2, metavar=("KIND", "SEED"))
    options = parser.parse_args()
    if options.case:
        kind, seed = options.case[0], int(options.case[1])
        tracemalloc.start()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            whole = write(kind, path)
            out_of_range(kind, path)
            print(*judged(kind, seed, whole, content(kind, path), path), sep="\n")
        return
    failed = False
    for kind in [options.kind] if options.kind else KINDS:
        start, figures, findings = time.monotonic(), collections.Counter[str](), list[str]()
        first = options.seed * 10**9
        for batch in range(first, first + options.count, BATCH):
            seeds = range(batch, min(batch + BATCH, first + options.count))
            judge_batch(kind, seeds, figures, findings)
        print(f"{kind}: {sum(figures.values())} files in {time.monotonic() - start:.0f} s, {len(findings)} findings")
        for name, count in sorted(figures.items()):
            print(f"    {name} {count}")
        for finding in findings[:SHOWN]:
            print(f"    {finding}\n        python tests/fuzz/mutate_files.py --case {' '.join(finding.split()[:2])}")
        failed = failed or bool(findings)
    sys.exit(failed)


if __name__ == "__main__":
    main()
