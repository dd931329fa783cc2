"""How often intervals of 95% cover the truth.

    python benches/coverage.py --compare                       differences of `compare`: a minute on an idle core
    python benches/coverage.py --entropy [--multiple 0.35]     `population_interval` of entropies: 10 minutes
    python benches/coverage.py --difference [--multiple 0.35]  `compare(interval="population")`: 20 minutes
    python benches/coverage.py --information                   `population_interval` of informations: 10 minutes

`--compare`: 400 digits of scikit-learn, their pixels and two layers of random weights. The truth is the mean
difference over 10,000 other random subsets of 100 rows. A repetition has a seed of its own and 20 subsets. The
bandwidth is half the median distance of each set, at which no entropy is saturated.

`--entropy`, `--difference` and `--information`: six populations that can be drawn again, 300 rows each: normal rows
in 10 dimensions, five blobs, normal rows whose variances fall as 1 / k in 50 dimensions (a power law), a sphere,
digits (300 of 1797 without replacement, so that the truth varies less than an infinite population would), and the
hidden layer of a trained network. The truth is the mean over fresh samples. The bandwidth is a multiple of each
sample's median distance. The difference is that of a sample and of 16 units of ReLU with random weights.
Classes are the blob, the digit, or the sign of the first column.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from dsentropy import compare, diffusion_spectrum, estimate_bandwidth, mutual_information, population_interval
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

N_SAMPLES = 100
N = 300
T = [1, 5]
ORDERS = [1, 2]

Sample = tuple[np.ndarray, np.ndarray]
"""Rows and their classes."""


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
        options = {"n_samples": N_SAMPLES, "bandwidth": bandwidth, "t": T, "order": ORDERS, "paired": paired}
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


CENTRES = 2.5 * np.random.default_rng(99).normal(size=(5, 10))


@cache
def network() -> MLPClassifier:
    """A hidden layer of 32 units that was trained to tell noisy blobs apart."""
    rng = np.random.default_rng(98)
    classes = rng.integers(5, size=3000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it need not converge
        return MLPClassifier((32,), max_iter=40, random_state=0).fit(_blobs(rng, classes, 1.5), classes)


def _blobs(rng: np.random.Generator, classes: np.ndarray, noise: float) -> np.ndarray:
    return CENTRES[classes] + noise * rng.normal(size=(len(classes), 10))


def _halves(rows: np.ndarray) -> Sample:
    return rows, (rows[:, 0] > 0).astype(int)


def normal(rng: np.random.Generator) -> Sample:
    return _halves(rng.normal(size=(N, 10)))


def blobs(rng: np.random.Generator) -> Sample:
    classes = rng.integers(5, size=N)
    return _blobs(rng, classes, 1.0), classes


def power_law(rng: np.random.Generator) -> Sample:
    return _halves(rng.normal(size=(N, 50)) * np.arange(1, 51) ** -0.5)


def sphere(rng: np.random.Generator) -> Sample:
    rows = rng.normal(size=(N, 3))
    return _halves(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def digits(rng: np.random.Generator) -> Sample:
    data = load_digits()
    chosen = rng.choice(len(data.data), N, replace=False)
    return data.data[chosen], data.target[chosen]


def activations(rng: np.random.Generator) -> Sample:
    classes, of = rng.integers(5, size=N), network()
    return np.maximum(_blobs(rng, classes, 1.5) @ of.coefs_[0] + of.intercepts_[0], 0), classes


POPULATIONS = {of.__name__: of for of in (normal, blobs, power_law, sphere, digits, activations)}


def of_populations(
    names: list[str],
    repetitions: int,
    n_truth: int,
    value: Callable[[Sample, int], Any],
    interval: Callable[[Sample, int], Any],
) -> None:
    """Print how many intervals of each population cover the mean of fresh samples, and how large their errors are."""
    print("| population | t | order | mean | deviation | standard error / deviation | covered |")
    print("|:--|--:|--:|--:|--:|--:|--:|")
    for population in (POPULATIONS[name] for name in names):
        fresh = np.array([value(population(np.random.default_rng([1, k])), k) for k in range(n_truth)])
        truth, deviation = fresh.mean(axis=0), fresh.std(axis=0, ddof=1)
        found = [interval(population(np.random.default_rng([2, k])), k) for k in range(repetitions)]
        low, high = (np.array([one.interval[side] for one in found]) for side in (0, 1))
        covered = 100 * ((low <= truth) & (truth <= high)).mean(axis=0)
        ratio = np.sqrt((np.array([one.standard_error for one in found]) ** 2).mean(axis=0)) / deviation
        for place in np.ndindex(truth.shape):
            order = ORDERS[place[1]] if len(place) > 1 else 1
            print(
                f"| {population.__name__} | {T[place[0]]} | {order} | {truth[place]:.4f} | {deviation[place]:.4f} "
                f"| {ratio[place]:.2f} | {covered[place]:.1f}% |",
                flush=True,
            )


def of_entropies(
    names: list[str], repetitions: int, n_truth: int, n_repeats: int, multiple: float, left_out: int | None
) -> None:
    """Print the coverage of intervals of entropies."""

    def bandwidth(rows: np.ndarray) -> float:
        return multiple * estimate_bandwidth(rows)

    options = {"bandwidth": bandwidth, "num_threads": 1}
    of_populations(
        names,
        repetitions,
        n_truth,
        lambda sample, _: diffusion_spectrum(sample[0], **options).entropy(T, ORDERS),
        lambda sample, seed: population_interval(
            sample[0], t=T, order=ORDERS, n_repeats=n_repeats, n_left_out=left_out, random_state=seed, **options
        ),
    )


def of_population_differences(
    names: list[str], repetitions: int, n_truth: int, n_repeats: int, multiple: float
) -> None:
    """Print the coverage of intervals of the differences of samples and of a layer that sees them."""

    def bandwidth(rows: np.ndarray) -> float:
        return multiple * estimate_bandwidth(rows)

    def layer(rows: np.ndarray) -> np.ndarray:
        weights = np.random.default_rng(97).normal(size=(rows.shape[1], 16))
        return np.maximum(rows @ weights, 0)

    def difference(sample: Sample, _: int) -> np.ndarray:
        both = (diffusion_spectrum(rows, **options).entropy(T, ORDERS) for rows in (sample[0], layer(sample[0])))
        return next(both) - next(both)

    def interval(sample: Sample, seed: int) -> Any:
        more = {"interval": "population", "n_repeats": n_repeats, "random_state": seed, "t": T, "order": ORDERS}
        found = compare(sample[0], layer(sample[0]), **more, **options)
        error = found.standard_deviation * np.sqrt(found.n_samples / (N - found.n_samples))
        return SimpleNamespace(interval=found.interval, standard_error=error)

    options = {"bandwidth": bandwidth, "num_threads": 1}
    of_populations(names, repetitions, n_truth, difference, interval)


def of_informations(names: list[str], repetitions: int, n_truth: int, n_repeats: int) -> None:
    """Print the coverage of intervals of informations."""
    of_populations(
        names,
        repetitions,
        n_truth,
        lambda sample, seed: mutual_information(*sample, t=T, random_state=seed, num_threads=1).value,
        lambda sample, seed: population_interval(*sample, t=T, n_repeats=n_repeats, random_state=seed, num_threads=1),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--compare", action="store_true", help="intervals of differences")
    parser.add_argument("--entropy", action="store_true", help="intervals of a population's entropy")
    parser.add_argument("--difference", action="store_true", help="intervals of a population's difference")
    parser.add_argument("--information", action="store_true", help="intervals of a population's information")
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--truth", type=int, help="subsets, or fresh samples, of the truth")
    parser.add_argument("--repeats", type=int, help="subsets of an interval")
    parser.add_argument("--multiple", type=float, default=1.0, help="bandwidth in median distances")
    parser.add_argument("--populations", nargs="+", choices=list(POPULATIONS), default=list(POPULATIONS))
    parser.add_argument("--left-out", type=int, help="rows that each subset of an entropy's interval leaves out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # of saturation, which coverage does not depend on
    count = arguments.repetitions
    if arguments.compare:
        of_differences(count, arguments.truth or 10_000, arguments.repeats or 20)
    if arguments.entropy:
        n_truth, n_repeats = arguments.truth or 2000, arguments.repeats or 40
        of_entropies(arguments.populations, count, n_truth, n_repeats, arguments.multiple, arguments.left_out)
    if arguments.difference:
        n_truth, n_repeats = arguments.truth or 2000, arguments.repeats or 40
        of_population_differences(arguments.populations, count, n_truth, n_repeats, arguments.multiple)
    if arguments.information:
        of_informations(arguments.populations, count, arguments.truth or 1000, arguments.repeats or 40)
