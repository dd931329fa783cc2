"""Compare the speed of two installed versions, call by call in turn.

Usage: ``python benches/pairwise.py BASE_PYTHON NEW_PYTHON [--rounds 15] [--only WORD]``, with the interpreters of two
virtual environments. Each version has a process of its own; both make the same call, first one and then the other,
and the order changes from round to round. A ratio is new / base; the interval of its median is the one of order
statistics (sign test), at least 95%. Run it on an idle machine: BLAS's threads spin.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from math import comb

import numpy as np

SETUP = """
import sys, time, warnings
import numpy as np
import dsentropy
warnings.simplefilter("ignore")

def rows(n, d, dtype=np.float64):
    return np.random.default_rng([n, d]).normal(size=(n, d)).astype(dtype)

def labels(n, k=10):
    return np.arange(n) % k
"""

CELLS = {
    "DSE, N = 500": ("X = rows(500, 64)", "dsentropy.diffusion_spectral_entropy(X, 5)"),
    "DSE, N = 800": ("X = rows(800, 64)", "dsentropy.diffusion_spectral_entropy(X, 5)"),
    "DSE, N = 2000": ("X = rows(2000, 512)", "dsentropy.diffusion_spectral_entropy(X, 10)"),
    "DSE, N = 3000": ("X = rows(3000, 64)", "dsentropy.diffusion_spectral_entropy(X, 5)"),
    "DSE, float32, N = 2000": ("X = rows(2000, 64, np.float32)", "dsentropy.diffusion_spectral_entropy(X, 5)"),
    "matrix entries, N = 3000": (
        "X = rows(3000, 64)",
        "dsentropy.diffusion_spectral_entropy(X, 5, matrix_entry_entropy=True)",
    ),
    "binned rows, N = 5000": (
        "X = rows(5000, 256)",
        "dsentropy.diffusion_spectral_entropy(X, classic_shannon_entropy=True)",
    ),
    "ASE, neighbours, N = 500": ("X = rows(500, 16)", "dsentropy.adjacency_spectral_entropy(X, use_knn=True)"),
    "DSMI, N = 4000": (
        "X, y = rows(4000, 64), labels(4000)",
        "dsentropy.diffusion_spectral_mutual_information(X, y, gaussian_kernel_sigma=5)",
    ),
    "surface, N = 800": (
        "X = rows(800, 64)",
        "dsentropy.entropy_surface(X, [4.0, 8.0, 16.0], t=[1, 2], orders=[1, 2], alphas=[0, 0.5])",
    ),
    "self-tuning, N = 1000": ("X = rows(1000, 64)", "dsentropy.diffusion_spectrum(X, bandwidth='knn')"),
    "kernel, N = 1500": ("K = rows(1500, 64); K = K @ K.T", "dsentropy.kernel_spectrum(K)"),
    "covariance, 5000 x 512": ("X = rows(5000, 512)", "dsentropy.covariance_spectrum(X)"),
    "neighbours, N = 5000": ("X = rows(5000, 64)", "dsentropy.nearest_neighbors(X, 15)"),
    "estimate, N = 6000": (
        "X = rows(6000, 8)",
        "dsentropy.diffusion_spectral_entropy(X, 2, max_N=None, solver='stochastic', tol=1e-2)",
    ),
    "estimate, float32 affinities, N = 9000": (
        "X = rows(9000, 8)",
        "dsentropy.diffusion_spectral_entropy(X, 4, max_N=None, solver='stochastic', tol=1e-2)",
    ),
    "estimate, sparse graph, N = 3000": (
        "X = rows(3000, 8)",
        "dsentropy.diffusion_spectrum(X, graph='knn', solver='stochastic')",
    ),
    "small calls, N = 20": ("X = rows(20, 4)", "[dsentropy.diffusion_spectral_entropy(X, 2) for _ in range(50)]"),
}

WORKER = (
    SETUP
    + """
for line in sys.stdin:
    kind, _, code = line.rstrip("\\n").partition(" ")
    if kind == "setup":
        exec(code)
        print(0.0, flush=True)
        continue
    compiled = compile(code, "call", "exec")
    start = time.perf_counter()
    exec(compiled)
    print(time.perf_counter() - start, flush=True)
"""
)


class Worker:
    """A process of one version that makes the calls it is sent."""

    def __init__(self, python: str) -> None:
        self.process = subprocess.Popen(
            [python, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
        )

    def send(self, kind: str, code: str) -> float:
        """Return the seconds that the call took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{kind} {code}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def interval(ratios: np.ndarray) -> tuple[float, float]:
    """Return the order statistics that hold the median with a probability of at least 95%."""
    n = len(ratios)
    ordered = np.sort(ratios)
    k = 0
    while 2 * sum(comb(n, i) for i in range(k + 1)) / 2**n <= 0.05:
        k += 1
    return float(ordered[max(k - 1, 0)]), float(ordered[n - 1 - max(k - 1, 0)])


def main() -> None:
    """Print a line for each cell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("new")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    print("| call | base, s | new / base | 95% interval |\n|:--|--:|--:|:--|")
    for name, (setup, call) in CELLS.items():
        if options.only not in name:
            continue
        workers = [Worker(options.base), Worker(options.new)]
        for worker in workers:
            worker.send("setup", setup)
            worker.send("call", call)
        seconds = np.empty((options.rounds, 2))
        for i in range(options.rounds):
            for which in (0, 1) if i % 2 == 0 else (1, 0):
                time.sleep(0.05)  # threads of the call before have gone to sleep
                seconds[i, which] = workers[which].send("call", call)
        for worker in workers:
            worker.close()
        ratios = seconds[:, 1] / seconds[:, 0]
        low, high = interval(ratios)
        print(f"| {name} | {np.median(seconds[:, 0]):.4g} | {np.median(ratios):.3f} | {low:.3f} to {high:.3f} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
