"""Distances that differ by so many orders of magnitude that their squares are not in the range of float64 together.

Exponents are made of distances that are divided by bandwidths before they are multiplied; entries are off by a few
eps, and those of distances that are infinite against a bandwidth are 0.
"""

import random

import numpy as np
import pytest
from dsentropy import Stochastic, adjacency_spectrum, diffusion_spectrum, entropy_surface, estimate_bandwidth
from dsentropy._operator import bandwidth as _bandwidth
from numpy_formulas import EPS, moduli, off, operator, shannon

PLACES = np.array([[0.0], [1.0], [3.0], [7.0]])
EACH = np.array([1.0, 2.0, 1.0, 3.0, 1.0])
FAR = [1e100, 1e170, 1e300]
BASES = [1e-10, 1.0, 1e10]


def rows(base, far):
    return np.vstack([base * PLACES, [[far]]])


def expected_moduli(d, sigma):
    each = np.broadcast_to(sigma, len(d))
    with np.errstate(over="ignore", under="ignore"):
        return moduli(operator(np.exp(-(d / each[:, None]) * (d / each) / 2)))


def bandwidths(d, base):
    pairs = d[np.triu_indices(5, 1)]
    return [
        (2 * base, 2 * base, {}),
        (base * EACH, base * EACH, {}),
        ("median", np.median(pairs), {}),
        ("knn", np.sort(d, axis=1)[:, 2], {"n_neighbors": 2}),
    ]


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("base", BASES)
def test_spectra_keep_small_distances_beside_large_ones(base, far):
    X = rows(base, far)
    d = np.abs(X - X.T)
    for argument, sigma, of_knn in bandwidths(d, base):
        expected = expected_moduli(d, sigma)
        spectra = [
            diffusion_spectrum(X, bandwidth=argument, **of_knn),
            diffusion_spectrum(d, metric="precomputed", bandwidth=argument, **of_knn),
            entropy_surface(X, [argument], [1.0], **of_knn).spectra[0][0],
            entropy_surface(d, [argument, 1e200], [1.0], metric="precomputed", **of_knn).spectra[0][0],
        ]
        for spectrum in spectra:
            assert np.abs(spectrum.eigenvalues - expected).max() <= off(5, 100 * EPS)
        estimate = diffusion_spectrum(X, bandwidth=argument, solver=Stochastic(tol=1e-2), **of_knn)
        assert estimate.entropy() == pytest.approx(shannon(expected), abs=1e-2)


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("base", BASES)
def test_bandwidths_keep_small_distances_beside_large_ones(base, far):
    X = rows(base, far)
    d = np.abs(X - X.T)
    for given, metric in [(X, "euclidean"), (d, "precomputed")]:
        assert estimate_bandwidth(given, metric=metric) == pytest.approx(np.median(d[np.triu_indices(5, 1)]))
        nearest = np.median(np.sort(d, axis=1)[:, 2])
        assert estimate_bandwidth(given, "knn", n_neighbors=2, metric=metric) == pytest.approx(nearest)


def test_the_median_of_distinct_rows_keeps_small_distances(monkeypatch):
    """Rows that are drawn are 0. Of the pairs of all rows 998 are at 1e-160, 997 at 2e-160, 999 at 1e170."""
    monkeypatch.setattr(_bandwidth, "MEDIAN_ROWS", 4)
    drawn = random.Random(0).sample(range(1000), k=4)
    X = np.zeros((1000, 1))
    X[[i for i in range(1000) if i not in drawn][:3], 0] = 1e-160, 2e-160, 1e170
    assert estimate_bandwidth(X) == 2e-160


@pytest.mark.parametrize("far", FAR)
def test_graphs_of_neighbors_keep_small_distances_beside_large_ones(far):
    X = rows(1.0, far)
    d = np.abs(X - X.T)
    near = d <= np.sort(d, axis=1)[:, 1, None]
    expected = moduli(np.where(near | near.T, 1.0, 0.0))
    found = adjacency_spectrum(X, graph="knn", n_neighbors=1, symmetrize="union")
    np.testing.assert_allclose(found.eigenvalues, expected, atol=1e-13)
    sigma = np.sort(d, axis=1)[:, 1]
    with np.errstate(over="ignore", under="ignore"):
        G = np.where(near | near.T, np.exp(-(d / sigma[:, None]) * (d / sigma) / 2), 0.0)
    sparse = diffusion_spectrum(X, graph="knn", bandwidth="knn", n_neighbors=1)
    assert np.abs(sparse.eigenvalues - moduli(operator(G))).max() <= off(5, 100 * EPS)


@pytest.mark.parametrize("largest", [0.0, 5e-324, 1e-310, 1e-300, 1.0])
@pytest.mark.parametrize("sigma", [1e300, 1e308, 2.0**1023])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")
def test_rows_far_below_the_bandwidth_are_one_in_an_estimate(largest, sigma, alpha):
    given = largest * np.array([[0.0], [1.0], [-1.0]])
    with np.errstate(under="ignore"):
        estimate = diffusion_spectrum(given, bandwidth=sigma, alpha=alpha, solver="stochastic", num_threads=1)
    assert estimate.bits([1], [1]) == pytest.approx(0, abs=1e-12)
