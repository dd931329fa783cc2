"""Ties of neighbours up to rounding: a grid has the same graph whatever its scale, place and dtype."""

import numpy as np
import pytest
from dsentropy import Stochastic, adjacency_spectrum, diffusion_spectrum
from scipy.spatial.distance import cdist

GRID = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)
KNN = {"graph": "knn", "bandwidth": "knn"}

ROUNDED = {
    "translated": GRID + 0.3,
    "scaled": GRID * 0.1,
    "translated far": (GRID + 1000) * 0.1,
    "standardised": (GRID - GRID.mean(axis=0)) / GRID.std(axis=0),
    "float32": (GRID * 0.1).astype(np.float32),
    "float32, translated": (GRID * 0.1 + 100).astype(np.float32),
    "float16": (GRID * 0.1).astype(np.float16),
    "integers": GRID.astype(np.int64),
}
DISTANCES = {
    "of rows": cdist(GRID * 0.1, GRID * 0.1),
    "rounded": cdist(GRID * 0.1, GRID * 0.1).astype(np.float32),
    "of float32": cdist(ROUNDED["float32"], ROUNDED["float32"]).astype(np.float32),
}


def edges_are_those_of_the_grid(X, **metric):
    """Compare entropies of 0 and 1: edges, not bandwidths."""
    for rule in ["union", "mean"]:
        of = {"graph": "knn", "n_neighbors": 10, "symmetrize": rule}
        expected = adjacency_spectrum(GRID, **of).entropy()
        assert adjacency_spectrum(X, **of, **metric).entropy() == pytest.approx(expected, abs=1e-11)
        estimated = adjacency_spectrum(X, **of, **metric, solver=Stochastic(tol=1e-2)).entropy()
        of_grid = adjacency_spectrum(GRID, **of, solver=Stochastic(tol=1e-2)).entropy()
        assert estimated == pytest.approx(of_grid, abs=1e-11)


@pytest.mark.parametrize("name", ROUNDED)
def test_a_grid_keeps_its_graph(name):
    X = ROUNDED[name]
    edges_are_those_of_the_grid(X)
    # Affinities move with distances, of which an error is at most 4u |x| of a step.
    u = float(np.finfo(X.dtype).eps) / 2 if X.dtype.kind == "f" else 0.0
    step = float(np.abs(X[1] - X[0]).max())
    moved = 4 * max(u, 2.0**-53) * float(np.abs(X).max()) * 2**0.5 / step
    expected = diffusion_spectrum(GRID, **KNN).entropy()
    assert diffusion_spectrum(X, **KNN).entropy() == pytest.approx(expected, abs=8 * moved + 1e-12)


@pytest.mark.parametrize("name", DISTANCES)
def test_given_distances_of_a_grid_have_its_graph(name):
    edges_are_those_of_the_grid(DISTANCES[name], metric="precomputed")
    expected = diffusion_spectrum(GRID, **KNN).entropy()
    found = diffusion_spectrum(DISTANCES[name], metric="precomputed", **KNN).entropy()
    assert found == pytest.approx(expected, abs=1e-11 if name == "of rows" else 1e-5)


def test_the_length_of_directions_moves_no_tie():
    X = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), axis=-1).reshape(-1, 3)[1:]
    entropies = [diffusion_spectrum(X * scale, metric="cosine", **KNN).entropy() for scale in [1, 2, 3.7, 1 / 3]]
    assert np.ptp(entropies) <= 1e-11


def test_rows_that_are_not_near_ties_have_no_more_edges():
    """A gap of 1e-5 is far above the rounding of float64, and as far below that of a step in float16."""
    X = np.array([[0.0], [1.0], [-1.00001], [3.0], [-4.0], [6.5]])
    of = {"graph": "knn", "n_neighbors": 1, "symmetrize": "mean"}
    nudged = np.where(X == -1.00001, -1.1, X)
    assert adjacency_spectrum(X, **of).entropy() == adjacency_spectrum(nudged, **of).entropy()
    tied = adjacency_spectrum(X.astype(np.float16), **of).entropy()
    assert tied == adjacency_spectrum(np.round(X), **of).entropy() != adjacency_spectrum(X, **of).entropy()
