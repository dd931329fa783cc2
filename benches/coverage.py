"""How often intervals of 95% cover the truth.

    python benches/coverage.py --compare        differences of `compare`: 500 repetitions, a minute on one core

The rows are 400 digits of scikit-learn: their pixels, and two layers of random weights. The truth is the mean
difference over 10,000 other random subsets of 100 rows. A repetition has a seed of its own and 20 subsets. The
bandwidth is half the median distance of each set, at which no entropy is saturated.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
from dsentropy import compare, estimate_bandwidth
from sklearn.datasets import load_digits

N_SAMPLES = 100


def layers(n: int) -> dict[str, np.ndarray]:
    """Rows of digits: pixels, a layer of ReLU and a narrow layer of tanh."""
    rng = np.random.default_rng(0)
    pixels = load_digits().data[:n]
    hidden = np.maximum(pixels @ rng.normal(size=(64, 32)), 0)
    return {"pixels": pixels, "relu": hidden, "tanh": np.tanh(hidden @ rng.normal(size=(32, 5)) / 200)}


def of_differences(repetitions: int, n_truth: int, n_repeats: int) -> None:
    """Print how many intervals of each difference cover it, with the same rows in both sets and with others."""
    sets = layers(400)
    bandwidth = {name: estimate_bandwidth(rows) / 2 for name, rows in sets.items()}
    for paired in (True, False):
        options = {"n_samples": N_SAMPLES, "bandwidth": bandwidth, "t": [1, 5], "order": [1, 2], "paired": paired}
        truth = compare(sets, n_repeats=n_truth, random_state=10**6, **options)
        found = [compare(sets, n_repeats=n_repeats, random_state=seed, **options) for seed in range(repetitions)]
        low, high = (np.array([one.interval[side] for one in found]) for side in (0, 1))
        covered = 100 * ((low <= truth.difference) & (truth.difference <= high)).mean(axis=0)
        width = (high - low).mean(axis=0)
        print(f"\npaired={paired}\n| pair | t | order | difference | width of the interval | covered |")
        print("|:--|--:|--:|--:|--:|--:|")
        for pair, (first, second) in enumerate(truth.names):
            for time, order in np.ndindex(len(truth.t), len(truth.order)):
                place = pair, time, order
                print(
                    f"| {first} - {second} | {truth.t[time]:g} | {truth.order[order]:g} "
                    f"| {truth.difference[place]:.4f} | {width[place]:.4f} | {covered[place]:.1f}% |"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--compare", action="store_true", help="intervals of differences")
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--truth", type=int, default=10_000, help="subsets of the truth")
    parser.add_argument("--repeats", type=int, default=20, help="subsets of an interval")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of saturation, which coverage does not depend on
    if arguments.compare:
        of_differences(arguments.repetitions, arguments.truth, arguments.repeats)
