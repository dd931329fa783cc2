"""Time one call on 1, 2, 4, ... threads, up to the number of cores: what scales, and what does not.

Usage: ``python benches/cores.py [--rounds 3] [--only WORD] [--largest THREADS]``. Numbers of threads take turns
within a round, and a cell is the median of the rounds, with the speed-up over one thread. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import dsentropy
import numpy as np
from dsentropy import Stochastic, _core

Call = Callable[[int], Any]


def rows(n: int, d: int, dtype: Any = np.float64) -> Any:
    return np.random.default_rng([n, d]).normal(size=(n, d)).astype(dtype)


def exact(n: int, dtype: Any = np.float64) -> Call:
    """An entropy by the exact solver."""
    X = rows(n, 64, dtype)
    return lambda threads: dsentropy.diffusion_spectral_entropy(X, 5, num_threads=threads)


def information(n: int) -> Call:
    """A mutual information: ten classes and as many random subsets."""
    X, y = rows(n, 64), np.arange(n) % 10
    return lambda threads: dsentropy.diffusion_spectral_mutual_information(
        X, y, gaussian_kernel_sigma=5, num_threads=threads
    )


def estimate(n: int, storage: Any, d: int = 64) -> Call:
    """An estimate from products with the dense affinity."""
    rng = np.random.default_rng(0)
    X = 3 * rng.normal(size=(10, d))[rng.integers(0, 10, n)] + 0.5 * rng.normal(size=(n, d))
    solver = Stochastic(tol=1e-2, storage=storage)
    return lambda threads: dsentropy.diffusion_spectrum(
        X, bandwidth=5.0, solver=solver, random_state=0, num_threads=threads
    )


def graph(n: int) -> Call:
    """An estimate from products with the sparse affinity of nearest neighbours."""
    X, solver = rows(n, 8), Stochastic(tol=1e-2)
    return lambda threads: dsentropy.diffusion_spectrum(
        X, graph="knn", bandwidth="knn", solver=solver, random_state=0, num_threads=threads
    )


def neighbors(n: int, d: int) -> Call:
    """The 15 nearest neighbours of each row."""
    X = rows(n, d, np.float32)
    return lambda threads: dsentropy.nearest_neighbors(X, 15, num_threads=threads)


def covariance(n: int, d: int) -> Call:
    """The eigenvalues of a covariance matrix."""
    X = rows(n, d)
    return lambda threads: dsentropy.covariance_spectrum(X, num_threads=threads)


CELLS: dict[str, Callable[[], Call]] = {
    "exact, N = 300": lambda: exact(300),
    "exact, N = 800": lambda: exact(800),
    "exact, N = 2000": lambda: exact(2000),
    "exact, N = 5000": lambda: exact(5000),
    "exact, float32, N = 5000": lambda: exact(5000, np.float32),
    "DSMI, N = 4000": lambda: information(4000),
    "covariance, 20,000 x 1024": lambda: covariance(20_000, 1024),
    "estimate, stored, N = 10,000": lambda: estimate(10_000, "dense"),
    "estimate, tiled, N = 20,000, D = 64": lambda: estimate(20_000, "tiled"),
    "estimate, tiled, N = 10,000, D = 512": lambda: estimate(10_000, "tiled", 512),
    "estimate, graph, N = 20,000": lambda: graph(20_000),
    "neighbours, N = 50,000, D = 64": lambda: neighbors(50_000, 64),
}


def medians(call: Call, threads: list[int], rounds: int) -> list[float]:
    """Time a call with each number of threads, in turn."""
    times: dict[int, list[float]] = {count: [] for count in threads}
    call(threads[-1])  # the first call starts threads and touches memory
    for _ in range(rounds):
        for count in threads:
            start = time.perf_counter()
            call(count)
            times[count].append(time.perf_counter() - start)
    return [statistics.median(times[count]) for count in threads]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="cells whose name has this word")
    parser.add_argument("--largest", type=int, default=os.cpu_count() or 1, help="the most threads")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    threads = [2**i for i in range(options.largest.bit_length()) if 2**i <= options.largest]
    print(f"cores: {os.cpu_count()}; OpenBLAS: {getattr(_core.blas_config(), 'core', None)}")
    print("| call | " + " | ".join(f"{count} threads" if count > 1 else "1 thread" for count in threads) + " |")
    print("|:--|" + "--:|" * len(threads))
    for name, make in CELLS.items():
        if options.only in name:
            times = medians(make(), threads, options.rounds)
            cells = [f"{seconds:.3g} s ({times[0] / seconds:.1f}x)" for seconds in times]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
