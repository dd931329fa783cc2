"""What an entropy surface costs, in units of one diffusion spectral entropy of the same rows, in one process.

    python benches/surface.py

6 bandwidths x 5 t x 2 orders at N = 2000, D = 512; best and median of 5, taking turns. Nothing else should run on the
machine meanwhile.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from dsentropy import diffusion_spectral_entropy, diffusion_spectrum, entropy_surface

N, D, REPEATS = 2000, 512, 5
BANDWIDTHS = [2.5, 5.0, 10.0, 20.0, 40.0, 80.0]
T = [1, 2, 3, 5, 10]
ORDERS = [1, 2]


def seconds(compute: Callable[[], Any]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    compute()
    return time.perf_counter() - start


def main() -> None:
    """Print both times and their ratio."""
    X = np.random.default_rng(0).normal(size=(N, D))
    spectrum = diffusion_spectrum(X)
    cases: dict[str, Callable[[], Any]] = {
        "one entropy": lambda: diffusion_spectral_entropy(X, 10.0),
        "surface": lambda: entropy_surface(X, BANDWIDTHS, T, ORDERS),
        "reading 5 t x 2 orders off a spectrum": lambda: spectrum.entropy([1, 1.1, 1.2, 1.3, 1.4], ORDERS),
    }
    for compute in cases.values():
        compute()
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(REPEATS):
        for name, compute in cases.items():
            times[name].append(seconds(compute))
    for name, taken in times.items():
        print(f"{name}: best {min(taken):.6f} s, median {statistics.median(taken):.6f} s")
    best, middle = (of(times["surface"]) / of(times["one entropy"]) for of in (min, statistics.median))
    print(f"surface / one entropy: {best:.2f} of the best times, {middle:.2f} of the medians (to be at most 6.5)")


if __name__ == "__main__":
    main()
