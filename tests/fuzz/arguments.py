"""Arguments of the public functions, by name: values that are meant to be accepted, and values at an edge.

A function is called with a random part of its parameters. Most drawn values are valid together; what is not is
refused by name, which is a property that is tested, too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arrays
import dsentropy
import numpy as np
from arrays import Floats


def times(draw: random.Random) -> Any:
    """Draw a diffusion time, or several."""
    one = draw.choice([0, 0.5, 1, 1, 2, 3.7, 10, 1000, 1e12, 1e-9, np.float32(2), np.int64(3)])
    return [one, draw.choice([1, 2.5, 40])] if draw.random() < 0.3 else one


def orders(draw: random.Random) -> Any:
    """Draw a Renyi order, or several."""
    one = draw.choice([1, 1, 0, 0.5, 2, 2.5, 100, float("inf"), 1 + 1e-9])
    return (one, 2) if draw.random() < 0.3 else one


def solver(draw: random.Random) -> Any:
    """Draw a solver of the spectral functions."""
    if draw.random() < 0.6:
        return draw.choice(["exact", "exact", "stochastic"])
    return dsentropy.Stochastic(
        tol=draw.choice([1e-1, 1e-2, 1e-3, 1e-4]),
        t=draw.choice([None, 1, [1, 2]]),
        orders=draw.choice([None, 1, [0.5, 2]]),
        max_products=draw.choice([None, 1, 10, 200]),
        storage=draw.choice(["auto", "dense", "tiled"]),
        memory_limit=draw.choice([None, 10**9]),
    )


def bandwidth(draw: random.Random, X: Floats) -> Any:
    """Draw a bandwidth: a number, a rule, one number a row, a callable."""
    kind = draw.randrange(8)
    if kind < 4:
        return draw.choice([0.1, 1, 1.0, 3.0, 10, 1e-6, 1e6, np.float32(2)])
    if kind == 4:
        return "median"
    if kind == 5:
        return "knn"
    if kind == 6:
        return arrays.generator(draw).uniform(0.5, 2, size=len(X))
    return lambda rows: 1.0 + rows.shape[0] / 100


def null(draw: random.Random) -> Any:
    """Draw surrogates: a name, or a callable that makes them."""
    names = ["gaussian", "gaussian", "permuted", "sphere"]
    return draw.choice([*names, lambda rows, rng: rng.normal(size=rows.shape)])


def layers(draw: random.Random, X: Floats) -> Any:
    """Draw layers: rows, and at times the tokens of sequences."""
    found = {"rows": X, 2: X[:, :1]}
    if draw.random() < 0.3:
        found["tokens"] = np.stack([X, X[::-1]], axis=1)
    return found


def seed(draw: random.Random) -> Any:
    """Draw a seed, or a generator in a state that is drawn."""
    number = draw.choice([0, 1, 42, 2**32 - 1])
    kind = draw.randrange(8)
    return number if kind < 6 else [np.random.default_rng(number), np.random.RandomState(number)][kind - 6]


def neighbors(draw: random.Random, X: Floats) -> Any:
    """Draw given neighbours: distances and indices, or a sparse matrix of distances."""
    k = min(3, len(X) - 1)
    if k < 1:
        return None
    pair = dsentropy.nearest_neighbors(np.clip(X, -1e100, 1e100), k)
    if draw.random() < 0.5:
        return pair
    import scipy.sparse

    rows = np.repeat(np.arange(len(X)), k)
    return scipy.sparse.csr_array((pair[0].ravel(), (rows, pair[1].ravel())), shape=(len(X), len(X)))


def target(draw: random.Random, n: int) -> Any:
    """Draw labels of the rows, of several types, or vectors."""
    rng, kind = arrays.generator(draw), draw.randrange(8)
    labels = rng.integers(0, draw.choice([1, 2, 3, max(1, n)]), size=n)
    if kind == 0:
        return rng.normal(size=(n, 2))
    if kind == 1:
        return rng.normal(size=n)
    if kind == 2:
        return labels.astype(str)
    if kind == 3:
        return labels.astype(float)
    if kind == 4:
        return labels.tolist()
    if kind == 5:
        import pandas

        return pandas.Series(labels).astype("category")
    if draw.random() < 0.2:
        return np.stack([labels, labels[::-1]], axis=1)
    return labels.astype(draw.choice([np.int8, np.uint16, np.int64, bool]))


def clusterer(draw: random.Random) -> Any:
    """Draw a clusterer of scikit-learn."""
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(draw.randint(1, 3))


PARAMETERS: dict[str, Callable[[random.Random, Floats, Path], Any]] = {
    "X": lambda draw, X, _: X,
    "A": lambda draw, X, _: X,
    "B": lambda draw, X, _: X[:, :1] ** 2 if draw.random() < 0.8 else X[: max(1, len(X) // 2)],
    "against": lambda draw, X, _: None,
    "sizes": lambda draw, X, _: draw.choice([None, [max(1, len(X) // 3), len(X)]]),
    "reading": lambda draw, X, _: draw.choice([None, None, lambda spectrum: spectrum.participation_ratio()]),
    "tolerance": lambda draw, X, _: draw.choice([1e-6, 0.05, 1]),
    "bandwidth_of": lambda draw, X, _: draw.choice(["all", "all", "subset"]),
    "mean": lambda draw, X, _: X[:1, :1],
    "standard_deviation": lambda draw, X, _: X[:1, :1],
    "ylabel": lambda draw, X, _: "bits",
    "label": lambda draw, X, _: draw.choice([None, "first"]),
    "n_left_out": lambda draw, X, _: draw.choice([None, 1, max(1, len(X) // 2)]),
    "paired": lambda draw, X, _: draw.choice([True, False]),
    "labels": lambda draw, X, _: ["A - B"],
    "low": lambda draw, X, _: X[:1, :1],
    "high": lambda draw, X, _: X[:1, :1],
    "K": lambda draw, X, _: draw.choice([arrays.gram, arrays.affinities])(X),
    "embedding_vectors": lambda draw, X, _: X,
    "eigenvalues": lambda draw, X, _: X[:, 0] if draw.random() < 0.3 else np.abs(X[:, 0]),
    "target": lambda draw, X, _: target(draw, len(X)),
    "reference_vectors": lambda draw, X, _: target(draw, len(X)),
    "precomputed_clusters": lambda draw, X, _: target(draw, len(X)),
    "reference_discrete": lambda draw, X, _: draw.choice([None, True, False]),
    "target_discrete": lambda draw, X, _: draw.choice([None, True, False]),
    "gaussian_kernel_sigma": lambda draw, X, _: draw.choice([0.1, 1, 10, 1e-5, 1e5, np.float32(3)]),
    "bandwidth": lambda draw, X, _: bandwidth(draw, X),
    "bandwidths": lambda draw, X, _: [bandwidth(draw, X) for _ in range(draw.randint(1, 3))],
    "n_neighbors": lambda draw, X, _: draw.randint(1, max(1, min(len(X) - 1, 20))),
    "knn": lambda draw, X, _: draw.randint(1, max(1, min(len(X) - 1, 20))),
    "neighbors": lambda draw, X, _: neighbors(draw, X),
    "weights": lambda draw, X, _: arrays.generator(draw).uniform(0.5, 2, size=len(X)),
    "center": lambda draw, X, _: draw.choice([True, False]),
    "layers": lambda draw, X, _: layers(draw, X),
    "masks": lambda draw, X, _: np.ones((len(X), 2)) if draw.random() < 0.2 else None,
    "tokens": lambda draw, X, _: draw.choice([None, None, "rows", "mean"]),
    "normalize": lambda draw, X, _: draw.choice([True, False]),
    "n_null": lambda draw, X, _: draw.randint(2, 4),
    "names": lambda draw, X, _: ["a"],
    "measures": lambda draw, X, _: draw.choice([["dse"], ["dse", "dsmi"], "dsmi"]),
    "inputs": lambda draw, X, _: X[:, :2],
    "null_mean": lambda draw, X, _: X[:1, :1],
    "null_standard_deviation": lambda draw, X, _: np.abs(X[:1, :1]),
    "saturated": lambda draw, X, _: None,
    "alpha": lambda draw, X, _: draw.choice([0, 0.5, 1, 1.0, 0.3]),
    "alphas": lambda draw, X, _: draw.choice([0, [0, 1], (0.5,)]),
    "metric": lambda draw, X, _: draw.choice(["euclidean", "euclidean", "cosine", "precomputed", "affinity"]),
    "graph": lambda draw, X, _: draw.choice(["gaussian", "knn"]),
    "symmetrize": lambda draw, X, _: draw.choice(["union", "mutual", "mean"]),
    "rule": lambda draw, X, _: draw.choice(["median", "knn", "structure"]),
    "precision": lambda draw, X, _: draw.choice(["auto", "auto", "single", "double"]),
    "solver": lambda draw, X, _: solver(draw),
    "device": lambda draw, X, _: draw.choice([None, "cpu"]),
    "tol": lambda draw, X, _: draw.choice([1e-1, 1e-2, 1e-3, 1e-4]),
    "t": lambda draw, X, _: times(draw),
    "order": lambda draw, X, _: orders(draw),
    "orders": lambda draw, X, _: orders(draw),
    "base": lambda draw, X, _: draw.choice([2, 10, np.e, 1.5]),
    "normalized": lambda draw, X, _: draw.choice([True, False]),
    "threshold": lambda draw, X, _: draw.choice([0, 0.1, 0.5, 1, [0.1, 0.2]]),
    "confidence": lambda draw, X, _: draw.choice([0.5, 0.95, 0.999, 1e-3]),
    "n_samples": lambda draw, X, _: draw.randint(1, max(1, len(X))),
    "max_samples": lambda draw, X, _: draw.choice([1, 2, max(1, len(X) // 2), 10**6]),
    "max_N": lambda draw, X, _: draw.choice([None, 1, 2, max(1, len(X) // 2), 10**6]),
    "n_repeats": lambda draw, X, _: draw.randint(1, 6),
    "num_repetitions": lambda draw, X, _: draw.randint(1, 6),
    "null": lambda draw, X, _: null(draw),
    "null_bandwidth": lambda draw, X, _: draw.choice(["own", "data"]),
    "n_draws": lambda draw, X, _: draw.randint(2, 4),
    "common": lambda draw, X, _: draw.choice(["multiple", "number"]),
    "n_permutations": lambda draw, X, _: draw.choice([0, 1, 5]),
    "given": lambda draw, X, _: target(draw, len(X)),
    "given_discrete": lambda draw, X, _: draw.choice([None, True, False]),
    "clusters": lambda draw, X, _: None if draw.random() < 0.7 else target(draw, len(X)),
    "binning": lambda draw, X, _: draw.choice(["width", "quantile"]),
    "clustering": lambda draw, X, _: clusterer(draw),
    "n_clusters": lambda draw, X, _: draw.choice([1, 2, 3, 10, max(1, len(X))]),
    "num_bins_per_dim": lambda draw, X, _: draw.choice([1, 2, 3, 100]),
    "random_state": lambda draw, X, _: seed(draw),
    "random_seed": lambda draw, X, _: seed(draw),
    "num_threads": lambda draw, X, _: draw.choice([None, 1, 2, 3, np.int64(2)]),
    "anisotropic": lambda draw, X, _: draw.choice([True, False]),
    "use_knn": lambda draw, X, _: draw.choice([True, False]),
    "chebyshev_approx": lambda draw, X, _: False,
    "classic_shannon_entropy": lambda draw, X, _: draw.choice([True, False]),
    "matrix_entry_entropy": lambda draw, X, _: draw.choice([True, False]),
    "eigval_save_path": lambda draw, X, folder: folder / draw.choice(["e.npz", "new/e.npz", "e"]),
    "eigval_save_precision": lambda draw, X, _: draw.choice([np.float16, np.float32, "f8", np.float64]),
    "verbose": lambda draw, X, _: False,
    "progress": lambda draw, X, _: False,
    "max_products": lambda draw, X, _: draw.choice([None, 1, 100]),
    "storage": lambda draw, X, _: draw.choice(["auto", "dense", "tiled"]),
    "memory_limit": lambda draw, X, _: draw.choice([None, 10**6, 10**9]),
    "parameters": lambda draw, X, _: draw.choice([None, {"bandwidth": 1.0}]),
    "fingerprint": lambda draw, X, _: draw.choice([None, "0123"]),
    "path": lambda draw, X, folder: folder / draw.choice(["s.npz", "new/s.npz", "s"]),
    "counts": lambda draw, X, _: np.abs(X[:, 0]),
    "standard_errors": lambda draw, X, _: np.abs(X[:, -1]),
    "values": lambda draw, X, _: X[: min(len(X), 4), :3],
    "interval": lambda draw, X, _: X[:2, :3],
    "value": lambda draw, X, _: X[:1, 0],
    "standard_error": lambda draw, X, _: np.abs(X[:1, 0]),
    "ceiling": lambda draw, X, _: draw.choice([None, 1.0, 0]),
    "structures": lambda draw, X, _: X[:2],
    "spreads": lambda draw, X, _: X[:2],
    "multiples": lambda draw, X, _: X[0],
    "suggested": lambda draw, X, _: draw.choice([None, 0.4]),
    "steps": lambda draw, X, _: [0, 10, 20],
    "epochs": lambda draw, X, _: draw.choice([None, [0, 0.5, 1]]),
    "null_label": lambda draw, X, _: draw.choice(["null", "noise"]),
    "max_entropy": lambda draw, X, _: draw.choice([None, 1.0, 5.0]),
    "margin": lambda draw, X, _: draw.choice([None, 0.1]),
    "title": lambda draw, X, _: draw.choice([None, "title"]),
    "ax": lambda draw, X, _: None,
}
"""Makers of values by the name of the parameter, from the data of the call and a folder for files."""

ARRAYS = {
    "X",
    "A",
    "B",
    "K",
    "embedding_vectors",
    "eigenvalues",
    "target",
    "given",
    "reference_vectors",
    "counts",
    "values",
}
"""Parameters that take an array."""

STRINGS = {
    "bandwidth_of",
    "tokens",
    "null",
    "null_bandwidth",
    "binning",
    "common",
    "metric",
    "graph",
    "symmetrize",
    "rule",
    "precision",
    "device",
    "solver",
    "storage",
}
"""Parameters that take one of several strings."""


def of_metric(name: str | None, X: Floats) -> Floats:
    """Return the data that a metric takes: rows, distances or affinities."""
    if name == "precomputed":
        return arrays.distances(X)
    return arrays.affinities(X) if name == "affinity" else X
