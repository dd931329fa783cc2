"""What a null baseline of 20 draws costs, in entropies of the same data in the same run: time and memory.

    python benches/null_baselines.py [--num-threads 1]     print the table of docs/performance.md: ten minutes

Times are medians; each baseline is compared with the entropies right before and after it. Memory is the most that a
process of its own takes beyond its data, after a small problem has loaded what every problem needs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dsentropy import SaturationWarning, diffusion_spectrum, estimate_bandwidth, null_baseline
from numpy.typing import NDArray

SIZES = [
    (500, 64),
    (1000, 64),
    (1000, 512),
    (1000, 1000),
    (600, 2000),
    (1500, 512),
    (1700, 64),
    (2000, 512),
    (3000, 64),
]
"""Rows and columns."""

ROUNDS = 7
"""Baselines that are timed."""

PAGE = 4096
"""Bytes in which Linux counts the memory of a process."""


def normal(n: int, d: int) -> NDArray[np.float64]:
    """Normal rows whose columns have standard deviations from 1 to 3."""
    return np.random.default_rng(0).normal(size=(n, d)) * np.linspace(1, 3, d)


def seconds(work: Callable[[], Any], repeats: int = 1) -> float:
    """How long the work takes, as the median of several times."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def time_in_entropies(
    X: NDArray[np.float64], num_threads: int | None, bandwidth: float | None = None
) -> tuple[float, float]:
    """Milliseconds of an entropy, and a baseline's time in entropies, which are timed right before and after it."""

    def entropy() -> Any:
        return diffusion_spectrum(X, num_threads=num_threads, bandwidth=bandwidth).entropy()

    def baseline() -> Any:
        return null_baseline(X, num_threads=num_threads, bandwidth=bandwidth)

    baseline()
    ones, ratios = [seconds(entropy, 5)], []
    for _ in range(ROUNDS):
        of_baseline = seconds(baseline)
        ones.append(seconds(entropy, 5))
        ratios.append(2 * of_baseline / (ones[-2] + ones[-1]))
    return 1e3 * statistics.median(ones), statistics.median(ratios)


def resident() -> float:
    """The memory of this process in MiB, 0 where the system does not tell."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * PAGE / 2**20 if path.exists() else 0.0


def memory_here(n: int, d: int, what: str) -> float:
    """The most memory, in MiB, that an entropy or a baseline takes in this process beyond what is there."""
    works: dict[str, Callable[[NDArray[np.float64]], Any]] = {
        "entropy": lambda X: diffusion_spectrum(X).entropy(),
        "baseline": lambda X: null_baseline(X, n_draws=4),
    }
    X = normal(n, d)
    for work in works.values():
        work(normal(60, 8))
    before, most, ended = resident(), [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(5e-4):
            most[0] = max(most[0], resident() - before)

    watching = threading.Thread(target=watch)
    watching.start()
    works[what](X)
    ended.set()
    watching.join()
    return most[0]


def memory(n: int, d: int, what: str) -> float:
    """Start a process of its own that measures how much memory, in MiB, an entropy or a baseline takes."""
    command = [sys.executable, __file__, "--memory", str(n), str(d), what]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(num_threads: int | None) -> None:
    """Print the table."""
    print("| rows x columns | an entropy, ms | at the median | at a number | an entropy, MiB | a baseline, MiB |")
    print("|:--|--:|--:|--:|--:|--:|")
    for n, d in SIZES:
        X = normal(n, d)
        one, by_rule = time_in_entropies(X, num_threads)
        _, by_number = time_in_entropies(X, num_threads, estimate_bandwidth(X))
        held = [memory(n, d, what) for what in ("entropy", "baseline")]
        print(
            f"| {n} x {d} | {one:.1f} | {by_rule:.1f} | {by_number:.1f} | {held[0]:.0f} | {held[1]:.0f} |", flush=True
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--num-threads", type=int)
    parser.add_argument("--memory", nargs=3, metavar=("ROWS", "COLUMNS", "WHAT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)
        if arguments.memory:
            rows, columns, what = arguments.memory
            print(memory_here(int(rows), int(columns), what))
        else:
            main(arguments.num_threads)
