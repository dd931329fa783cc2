"""Spectra of affinities and of graphs of nearest neighbours follow their definitions."""

import math

import numpy as np
import pytest
from dsentropy import (
    adjacency_spectral_entropy,
    adjacency_spectrum,
)
from numpy_formulas import (
    BANDWIDTHS,
    EPS,
    NEIGHBORS,
    cloud,
    delta,
    distances,
    gaussian,
    moduli,
    neighbors_of,
    shannon,
)

SYMMETRIZE = ["union", "mutual", "mean"]


def neighbor_graph(d, k):
    """The row itself comes first; rows as far as the k-th are in."""
    return (d <= np.sort(d, axis=1)[:, [k]]).astype(float)


def symmetrized(A, how):
    return {"union": np.maximum(A, A.T), "mutual": np.minimum(A, A.T), "mean": (A + A.T) / 2}[how]


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed"])
@pytest.mark.parametrize("bandwidth", BANDWIDTHS)
def test_spectra_of_the_affinity_follow_the_formula(bandwidth, metric):
    """The Frobenius norm of G is at most n."""
    X = cloud() if metric != "precomputed" else distances(cloud())
    d = distances(X, metric)
    argument, sigma = BANDWIDTHS[bandwidth](d)
    spectrum = adjacency_spectrum(X, bandwidth=argument, **neighbors_of(argument), metric=metric)
    expected = moduli(gaussian(d, sigma))
    allowed = 2 * 80 * (delta(d, sigma, 6, rule=isinstance(argument, str)) + 80 * EPS)
    assert np.abs(spectrum.eigenvalues - expected).max() <= allowed


def test_the_spectrum_of_a_given_affinity_is_that_of_its_matrix():
    G = 1 / (1 + distances(cloud()) ** 2) - np.eye(80)
    spectrum = adjacency_spectrum(G, metric="affinity")
    assert np.abs(spectrum.eigenvalues - moduli(G)).max() <= 2 * 80 * EPS * np.linalg.norm(G)


def test_the_entropy_of_the_affinity_is_that_of_the_reference():
    """Which adds eps to each p; that moves -p log2 p by at most 53 eps."""
    X = cloud()
    ours = adjacency_spectrum(X, bandwidth=7.0).entropy()
    assert abs(ours - adjacency_spectral_entropy(X, 7.0)) <= 53 * 80 * EPS


GRAPHS = {
    "cloud": cloud(),
    "ties": np.random.default_rng(0).integers(0, 4, size=(80, 2)),
    "duplicates": np.repeat(np.random.default_rng(1).integers(0, 30, size=(8, 2)), 10, axis=0),
}


@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
@pytest.mark.parametrize("n_neighbors", [1, 7, 79])
@pytest.mark.parametrize("symmetrize", SYMMETRIZE)
@pytest.mark.parametrize("X", GRAPHS.values(), ids=GRAPHS)
def test_spectra_of_symmetric_graphs_follow_the_definition(X, symmetrize, n_neighbors, metric):
    """The entries are exact."""
    d = distances(X)
    A = symmetrized(neighbor_graph(d, n_neighbors), symmetrize)
    given = X if metric == "euclidean" else d
    spectrum = adjacency_spectrum(given, graph="knn", symmetrize=symmetrize, n_neighbors=n_neighbors, metric=metric)
    assert np.abs(spectrum.eigenvalues - moduli(A)).max() <= 2 * 80 * EPS * np.linalg.norm(A)


@pytest.mark.parametrize("symmetrize", SYMMETRIZE)
def test_graphs_of_directions_follow_the_definition(symmetrize):
    A = symmetrized(neighbor_graph(distances(cloud(), "cosine"), NEIGHBORS), symmetrize)
    spectrum = adjacency_spectrum(cloud(), graph="knn", symmetrize=symmetrize, n_neighbors=NEIGHBORS, metric="cosine")
    assert np.abs(spectrum.eigenvalues - moduli(A)).max() <= 2 * 80 * EPS * np.linalg.norm(A)


@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_the_graph_as_it_is_follows_the_definition(metric):
    """Its eigenvalues are ill conditioned: rounding moves the entropy by up to 1e-6 bits, as documented for 8 or more
    neighbours, the row itself counted, and at least 40 rows."""
    d = distances(cloud())
    given = cloud() if metric == "euclidean" else d
    A = neighbor_graph(d, 10)
    assert not np.array_equal(A, A.T)
    spectrum = adjacency_spectrum(given, graph="knn", n_neighbors=10, metric=metric)
    assert abs(spectrum.entropy() - shannon(np.abs(np.linalg.eigvals(A)))) <= 1e-6


@pytest.mark.parametrize("n_neighbors", [0, 1, 9, 79])
def test_the_entropy_of_the_graph_is_that_of_the_reference(n_neighbors):
    """Which counts the row itself, and adds eps to each p. Of a row alone only it can make a graph."""
    X = cloud()
    expected = adjacency_spectral_entropy(X, use_knn=True, knn=n_neighbors + 1)
    if n_neighbors == 0:
        assert abs(expected - math.log2(80)) <= 53 * 80 * EPS
        return
    ours = adjacency_spectrum(X, graph="knn", n_neighbors=n_neighbors).entropy()
    # Rounding below N eps of the largest eigenvalue is 0 here.
    assert abs(ours - expected) <= 53 * 80 * 80 * EPS
