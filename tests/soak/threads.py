"""Many threads at once, each with a mixture of functions: the values are those of one call after the other.

    python tests/soak/threads.py [COUNT] [--seed SEED]

The count is that of calls of each thread. Half of the threads share the arrays.
"""

from __future__ import annotations

import argparse
import sys

from programs import Tally, options, report, run

PROGRAM = """
import random, sys, threading, warnings
warnings.simplefilter("ignore")
import numpy as np
import scipy.sparse
from dsentropy import (
    Stochastic,
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    adjacency_spectrum,
    covariance_spectrum,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
    kernel_spectrum,
    mutual_information,
    nearest_neighbors,
    subsampled_entropy,
)

count, seed, n_threads = map(int, sys.argv[1:])
rng = np.random.default_rng(seed)
shared = rng.normal(size=(300, 6))
target = np.arange(300) % 3

class Twice:
    shape, dtype = (30, 30), np.dtype(float)

    def matmat(self, block):
        return 2 * block

def calls(X, threads):
    own = {"num_threads": threads}
    return [
        lambda: diffusion_spectral_entropy(X, **own),
        lambda: diffusion_spectral_entropy(X, t=3, solver="stochastic", **own),
        lambda: diffusion_spectral_entropy(X, matrix_entry_entropy=True, **own),
        lambda: adjacency_spectral_entropy(X, use_knn=True, **own),
        lambda: diffusion_spectral_mutual_information(X, target, **own)[0],
        lambda: adjacency_spectral_mutual_information(X, target, **own)[0],
        lambda: adjacency_spectrum(X, graph="knn", n_neighbors=5, **own).entropy(),
        lambda: covariance_spectrum(X, **own).entropy(),
        lambda: diffusion_spectrum(X, bandwidth="knn", n_neighbors=5, **own).entropy(),
        lambda: diffusion_spectrum(X, bandwidth=2.0, solver=Stochastic(t=1, tol=1e-5), **own).entropy(),
        lambda: entropy_surface(X, [1.0, 2.0], [1, 2], **own).values.tolist(),
        lambda: estimate_bandwidth(X, **own),
        lambda: kernel_spectrum(X @ X.T, **own).entropy(),
        lambda: kernel_spectrum(scipy.sparse.diags_array(np.arange(1.0, 41.0)), **own).entropy(),
        lambda: kernel_spectrum(Twice(), **own).entropy(),
        lambda: mutual_information(X, target, n_permutations=5, **own).value,
        lambda: nearest_neighbors(X, 4, **own)[0].tolist(),
        lambda: subsampled_entropy(X, n_samples=50, n_repeats=4, **own).mean,
    ]

arrays = [shared] * (n_threads // 2) + [shared + i for i in range(n_threads - n_threads // 2)]
of_threads = [calls(X, 1 + i % 2) for i, X in enumerate(arrays)]
expected = [[call() for call in own] for own in of_threads]
changed, done = [], []

def work(i):
    draw = random.Random(seed + i)
    for _ in range(count):
        j = draw.randrange(len(of_threads[i]))
        try:
            value = of_threads[i][j]()
        except BaseException as error:
            value = repr(error)
        if value != expected[i][j]:
            changed.append(f"thread {i}, call {j}: {value} for {expected[i][j]}")
        done.append(None)

threads = [threading.Thread(target=work, args=(i,)) for i in range(n_threads)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(done))
print(*changed, sep="\\n")
"""


def threads(count: int, seed: int, n_threads: int) -> Tally:
    """Run a mixture of calls in many threads of one process."""
    tally = Tally(f"{n_threads} threads")
    ended = run(PROGRAM, count, seed, n_threads, timeout=120 + 10 * count)
    if ended.status != 0:
        tally.add(ended.text())
        return tally
    done, *changed = ended.out.split("\n")
    tally.trials = int(done)
    tally.failures = [line for line in changed if line]
    return tally


def main(arguments: argparse.Namespace) -> int:
    """Run with few threads, and with more than there are cores."""
    failed = 0
    for n_threads in (2, 8, 24):
        failed |= report([threads(arguments.count, arguments.seed, n_threads)])
    return failed


if __name__ == "__main__":
    sys.exit(main(options(__doc__ or "", count=20).parse_args()))
