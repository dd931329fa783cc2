"""What the machine allows, and how near to it the large problems come, in one run.

    python benches/roofline.py                eigenvalues, neighbours, and an entropy of 10,000 rows
    python benches/roofline.py eigenvalues    only what the word names

Eigenvalues, N = 8000: the time over that of 4/3 N^3 flops at the rate of this machine's matrix product.
Neighbours, the ten nearest of 20,000 rows, float32: against the flat index of faiss-cpu, where that is installed.
Entropy, N = 10,000, D = 512: against the reference.

Each measurement is a process of its own, and competitors take turns. Times are the best of a few. Nothing else should
run on the machine meanwhile. Needs `pip install "dsentropy[test]"`, and `pip install faiss-cpu` for the second.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from against_reference import blobs, peak_megabytes

EIGENVALUES = 8000
NEIGHBORS = 20_000
ENTROPY = 10_000


def best(compute: Callable[[], Any], repeats: int) -> float:
    """Seconds, the least of several."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        compute()
        times.append(time.perf_counter() - start)
    return min(times)


def product() -> float:
    """Flops a second of a product of matrices in float64, by NumPy's BLAS."""
    n = 4000
    a = np.random.default_rng(0).normal(size=(n, n))
    return 2 * n**3 / best(lambda: a @ a, 5)


def eigenvalues() -> float:
    """Seconds for all eigenvalues of a Gaussian kernel."""
    from dsentropy import _core

    x = np.random.default_rng(0).uniform(size=(EIGENVALUES, 3))
    squares = (x**2).sum(axis=1)
    kernel = np.exp(-50 * np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0))
    kernel = (kernel + kernel.T) / 2
    return best(lambda: _core.symmetric_eigenvalues(kernel, None), 2)


def neighbors(package: str, d: int) -> float:
    """Seconds for the ten nearest neighbours of each row."""
    x = np.random.default_rng(0).normal(size=(NEIGHBORS, d)).astype(np.float32)
    if package == "dsentropy":
        import dsentropy

        return best(lambda: dsentropy.nearest_neighbors(x, 10), 5)
    import faiss

    def search() -> Any:
        index = faiss.IndexFlatL2(d)
        index.add(x)
        return index.search(x, 11)

    return best(search, 5)


def entropy(package: str, precision: str) -> float:
    """Seconds for one entropy."""
    x = blobs(ENTROPY, 512).astype(precision)
    module = __import__(package)
    return best(lambda: module.diffusion_spectral_entropy(x), 1 if package == "dse_dsmi" else 2)


MEASURES: dict[str, Callable[..., float]] = {
    measure.__name__: measure for measure in (product, eigenvalues, neighbors, entropy)
}


def measured(name: str, *arguments: Any) -> tuple[float, float]:
    """What a measure gives in a process of its own, and that process's peak of memory in megabytes."""
    command = [sys.executable, __file__, "--measure", json.dumps([name, *arguments])]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    value, megabytes = json.loads(output.splitlines()[-1])
    return value, megabytes


def report_eigenvalues() -> None:
    """Print the time of the eigenvalues, and the bound."""
    rate, _ = measured("product")
    seconds, _ = measured("eigenvalues")
    bound = 4 / 3 * EIGENVALUES**3 / rate
    at = f"at {rate / 1e9:.0f} Gflop/s {bound:.2f} s"
    print(f"eigenvalues, N = {EIGENVALUES}: {seconds:.2f} s; {at}: {seconds / bound:.2f}", flush=True)


def report_neighbors() -> None:
    """Print the times of both searches."""
    for d in (64, 512):
        ours, _ = measured("neighbors", "dsentropy", d)
        line = f"neighbours, N = {NEIGHBORS}, D = {d}: {ours:.3f} s"
        if importlib.util.find_spec("faiss"):
            theirs, _ = measured("neighbors", "faiss", d)
            line += f"; faiss-cpu {theirs:.3f} s: {theirs / ours:.2f}x"
        print(line, flush=True)


def report_entropy() -> None:
    """Print the times and peaks of both packages."""
    theirs, their_peak = measured("entropy", "dse_dsmi", "float64")
    for precision in ("float64", "float32"):
        ours, peak = measured("entropy", "dsentropy", precision)
        print(
            f"entropy, N = {ENTROPY}, D = 512, {precision}: {ours:.1f} s, {peak:.0f} MB; dse-dsmi in float64 "
            f"{theirs:.1f} s, {their_peak:.0f} MB: {theirs / ours:.2f}x",
            flush=True,
        )


REPORTS = {"eigenvalues": report_eigenvalues, "neighbours": report_neighbors, "entropy": report_entropy}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="*", default=list(REPORTS), help=f"of {', '.join(REPORTS)}")
    parser.add_argument("--measure", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, *arguments = options.measure
        print(json.dumps([MEASURES[name](*arguments), peak_megabytes()]))
        return
    for report in options.reports:
        REPORTS[report]()


if __name__ == "__main__":
    main()
