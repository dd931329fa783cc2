"""Ctrl-C during exact spectra beside a busy core: each interrupt is answered within a second.

    python tests/soak/interrupts.py [COUNT] [--seed SEED] [--rows N] [--threads T ...] [--kinds KIND ...]

A process spins on one of the cores. An interrupt is sent at a random time of the solution; the figure is the longest
time until the call has raised KeyboardInterrupt. Where the solution ended before, another interrupt is sent.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from programs import Tally, options, report, run

KINDS = ["kernel", "diffusion", "covariance"]

WITHIN = 1.0
"""The longest time in seconds from the interrupt to the exception that passes."""

INTERRUPTS = """
import json, os, random, signal, sys, threading, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from dsentropy import covariance_spectrum, diffusion_spectrum, kernel_spectrum

count, seed, n_rows, threads = map(int, sys.argv[1:5])
draw = random.Random(seed)
X = np.random.default_rng(seed).normal(size=(n_rows, n_rows + 10))
K = np.cov(X) if sys.argv[5] == "kernel" else None
work = {
    "kernel": lambda: kernel_spectrum(K, num_threads=threads),
    "diffusion": lambda: diffusion_spectrum(X[:, :8], bandwidth=3.0, num_threads=threads),
    "covariance": lambda: covariance_spectrum(X, num_threads=threads),
}[sys.argv[5]]
start = time.monotonic()
work()
whole = time.monotonic() - start
sent = []

def interrupt():
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

answers, missed = [], 0
while len(answers) < count and missed < 5 * count:
    sent.clear()
    timer = threading.Timer(draw.uniform(0.02, 0.8 * whole), interrupt)
    timer.start()
    try:
        work()
        timer.cancel()
        timer.join()
        missed += 1
    except KeyboardInterrupt:
        answers.append(time.monotonic() - sent[0])
print(json.dumps(answers))
"""


def spin(cores: set[int]) -> None:
    """Use a core until this process is ended."""
    if cores:
        os.sched_setaffinity(0, cores)
    while True:
        pass


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep one of the cores of this process busy."""
    cores = {min(os.sched_getaffinity(0))} if hasattr(os, "sched_getaffinity") else set()
    process = multiprocessing.get_context("spawn").Process(target=spin, args=(cores,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def interrupts(kind: str, count: int, seed: int, rows: int, threads: int) -> Tally:
    """Interrupt one kind of spectrum many times."""
    tally = Tally(f"interrupts, {kind}, N = {rows}, {threads} threads")
    with busy_core():
        ended = run(INTERRUPTS, count, seed, rows, threads, kind, timeout=60 + 120 * count)
    if ended.status != 0:
        tally.add(ended.text())
        return tally
    answers = json.loads(ended.out.splitlines()[-1])
    for answer in answers:
        tally.add(f"answered after {answer:.2f} s" if answer > WITHIN else None)
    if len(answers) < count:
        tally.add(f"{count - len(answers)} interrupts came after the solution had ended")
    tally.figures["longest"] = f"{max(answers, default=0.0):.3f} s"
    return tally


def main() -> int:
    """Interrupt each kind of spectrum on each number of threads."""
    parser = options(__doc__, 20)
    parser.add_argument("--rows", type=int, default=3000, help="rows of the matrix (default 3000)")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2], help="numbers of threads (default 1 2)")
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS, help="kinds of spectra (default all)")
    given = parser.parse_args()
    cases = [(kind, threads) for kind in given.kinds for threads in given.threads]
    return report([interrupts(kind, given.count, given.seed, given.rows, threads) for kind, threads in cases])


if __name__ == "__main__":
    sys.exit(main())
