"""Time of exact results on two threads as a multiple of that on one: idle, and beside a process that spins on a core.

    python benches/busy.py [--repeats R] [--sizes N ...]

Each row is a kind of result and a size. The times of one and of two threads are medians of runs that alternate in one
process. "idle" needs a machine on which nothing else runs; "busy" has a process pinned to the first core that this
process may use.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from dsentropy import covariance_spectrum, diffusion_spectral_mutual_information, kernel_spectrum

SIZES = [300, 600, 1200, 2000, 3000]
THREADS = [1, 2]


def spin(core: int) -> None:
    """Use one core until this process is ended."""
    os.sched_setaffinity(0, {core})
    while True:
        pass


@contextmanager
def busy_core() -> Iterator[None]:
    """Keep the first core of this process busy."""
    core = min(os.sched_getaffinity(0))
    process = multiprocessing.get_context("spawn").Process(target=spin, args=(core,), daemon=True)
    process.start()
    time.sleep(1.0)  # its interpreter starts
    try:
        yield
    finally:
        process.kill()
        process.join()


def calls(n: int) -> dict[str, Callable[[int], object]]:
    """Return the calls that are timed, each of a number of threads."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, n + 10))
    kernel = np.cov(x)
    labels = rng.integers(4, size=n)
    return {
        "exact spectrum": lambda threads: kernel_spectrum(kernel, num_threads=threads),
        "covariance": lambda threads: covariance_spectrum(x, num_threads=threads),
        "DSMI": lambda threads: diffusion_spectral_mutual_information(x[:, :8], labels, num_threads=threads),
    }


def medians(call: Callable[[int], object], repeats: int) -> list[float]:
    """Return the median time on each number of threads, from runs that alternate."""
    times: list[list[float]] = [[] for _ in THREADS]
    for threads in THREADS:
        call(threads)
    for _ in range(repeats):
        for threads, found in zip(THREADS, times, strict=True):
            start = time.perf_counter()
            call(threads)
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="runs of each (default 7)")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="rows")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| | N | idle: one thread | two threads | ratio | busy core: one thread | two threads | ratio |")
    print("|:--|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for n in given.sizes:
        for name, call in calls(n).items():
            idle = medians(call, given.repeats)
            with busy_core():
                busy = medians(call, given.repeats)
            cells = [f"{1e3 * one:.1f} ms | {1e3 * two:.1f} ms | {two / one:.2f}" for one, two in [idle, busy]]
            print(f"| {name} | {n} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
