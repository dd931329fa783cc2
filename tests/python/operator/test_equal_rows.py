"""Sparse graphs of neighbours where rows are equal or tied: every row counts, and none by its number.

The expected operators are dense, in NumPy, with one row and one column for each row of the data. Their entries and
those of the sparse ones are off by n eps each (see `numpy_formulas.off`).
"""

import numpy as np
import pytest
from dsentropy import (
    NeighborWarning,
    Stochastic,
    adjacency_spectrum,
    diffusion_spectrum,
    estimate_bandwidth,
    nearest_neighbors,
    subsampled_entropy,
)
from dsentropy._data.data import Data
from dsentropy._data.distinct import Groups, joined_directions
from numpy_formulas import EPS, cloud, delta, distances, gaussian, moduli, off, operator, self_tuning
from scipy.sparse import coo_array
from scipy.spatial.distance import cdist

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")  # where the entropy is 0

RNG = np.random.default_rng(0)
DATA = {
    "few places": RNG.integers(0, 5, size=(150, 2)).astype(float),
    "a grid": np.stack(np.meshgrid(np.arange(11.0), np.arange(9.0)), axis=-1).reshape(-1, 2),
    "a place and others": np.where(np.arange(90)[:, None] % 3 > 0, 0.0, RNG.integers(-5, 6, size=(90, 3))),
    "one hot": np.eye(7)[RNG.integers(0, 7, size=40)],
    "all different": RNG.normal(size=(90, 3)),
}
K = 7


def kept(d, k=K):
    """Whether an affinity is kept: one row is within the distance of the k-th nearest other row of the other."""
    near = d <= np.sort(d, axis=1)[:, k, None]
    return near | near.T


def expected_moduli(d, sigma, alpha=0.0, k=K):
    return moduli(operator(np.where(kept(d, k), gaussian(d, sigma), 0.0), alpha))


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("bandwidth", ["knn", 1.3, "each row", "each place"])
@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_the_spectrum_is_that_of_all_rows(name, alpha, bandwidth, metric):
    X = DATA[name]
    d = cdist(X, X)
    of_place = 1 + np.abs(X).sum(axis=1) % 1.7
    argument = {"each row": np.linspace(0.5, 2, len(X)), "each place": of_place}.get(bandwidth, bandwidth)
    sigma = self_tuning(d, K) if bandwidth == "knn" else argument
    given = X if metric == "euclidean" else d
    spectrum = diffusion_spectrum(given, graph="knn", bandwidth=argument, n_neighbors=K, alpha=alpha, metric=metric)
    allowed = off(len(X), delta(d, sigma, X.shape[1]), alpha)
    assert len(spectrum.eigenvalues) == spectrum.n_samples == len(X)
    assert np.abs(spectrum.eigenvalues - expected_moduli(d, sigma, alpha)).max() <= allowed
    if bandwidth == "knn":
        np.testing.assert_allclose(spectrum.parameters["bandwidth"], sigma, rtol=1e-12)


def test_where_all_rows_have_enough_copies_each_place_is_a_component():
    """No distance to the 7th neighbour is positive, so each bandwidth is 0."""
    X = np.repeat(cloud(5, 3), [8, 9, 10, 11, 20], axis=0)
    for graph in ["knn", "gaussian"]:
        spectrum = diffusion_spectrum(X, graph=graph, bandwidth="knn", n_neighbors=K)
        assert np.abs(spectrum.eigenvalues - np.repeat([1.0, 0.0], [5, 53])).max() <= off(58, 0.0)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_an_estimate_is_that_of_all_rows(name, alpha):
    X = DATA[name]
    arguments = {"graph": "knn", "bandwidth": "knn", "n_neighbors": K, "alpha": alpha}
    exact = diffusion_spectrum(X, **arguments)
    estimate = diffusion_spectrum(X, **arguments, solver=Stochastic(tol=0.05, max_products=20_000))
    for t in [1, 2]:
        low, high = estimate.bounds(t)
        reach = 4 * estimate.standard_error(t) + (high - low) / 2
        assert abs(estimate.entropy(t) - exact.entropy(t)) <= reach + 1e-9
    assert estimate.n_samples == len(X)


def test_estimates_of_many_copies_do_not_need_the_copies():
    """Of 30 places with 700 rows each there are 21,000 rows, whose dense operator would take 3.5 GB."""
    places = cloud(30, 4)
    X = np.repeat(places, 700, axis=0)
    exact = diffusion_spectrum(X, graph="knn", bandwidth="knn", n_neighbors=800)
    estimate = diffusion_spectrum(X, graph="knn", bandwidth="knn", n_neighbors=800, solver="stochastic")
    d = distances(places)
    nearest = np.sort(d, axis=1)[:, 1]
    G = np.where(d <= np.maximum(nearest[:, None], nearest), gaussian(d, nearest), 0.0)
    expected = moduli(operator(G))
    assert np.count_nonzero(exact.eigenvalues) == np.count_nonzero(expected > 30 * EPS)
    np.testing.assert_allclose(exact.eigenvalues[:30], expected, atol=off(30, delta(d, nearest, 4)))
    assert estimate.entropy() == pytest.approx(exact.entropy(), abs=1e-3)


@pytest.mark.parametrize("bandwidth", ["knn", "median", 2.0])
@pytest.mark.parametrize("solver", ["exact", "stochastic"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed"])
def test_a_collapsed_layer_has_no_entropy(bandwidth, solver, metric):
    """One distinct row, so one eigenvalue, and no other."""
    X = np.zeros((400, 400)) if metric == "precomputed" else np.full((400, 8), 0.3)
    arguments = {"bandwidth": bandwidth, "metric": metric}
    for graph in ["knn", "gaussian"]:
        spectrum = diffusion_spectrum(X, graph=graph, solver=solver, **arguments)
        assert spectrum.entropy() == pytest.approx(0, abs=1e-9)
        if solver == "exact":
            assert np.count_nonzero(spectrum.eigenvalues) == 1
    assert subsampled_entropy(X, n_samples=200, n_repeats=2, **arguments).mean == pytest.approx(0, abs=1e-9)


def test_the_graph_of_a_collapsed_layer_has_one_eigenvalue():
    X = np.zeros((1000, 8))
    estimate = adjacency_spectrum(X, graph="knn", symmetrize="union", solver="stochastic")
    assert estimate.entropy() == pytest.approx(0, abs=1e-9)
    exact = adjacency_spectrum(X, graph="knn", symmetrize="union")
    assert exact.eigenvalues[:2] == pytest.approx([1000, 0])


@pytest.mark.parametrize("symmetrize", ["union", "mutual", "mean"])
@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
@pytest.mark.parametrize("name", DATA)
def test_estimates_of_adjacency_count_equal_rows(name, symmetrize, metric):
    X = DATA[name] if metric == "euclidean" else cdist(DATA[name], DATA[name])
    arguments = {"graph": "knn", "n_neighbors": K, "symmetrize": symmetrize, "metric": metric}
    exact = adjacency_spectrum(X, **arguments)
    estimate = adjacency_spectrum(X, **arguments, solver=Stochastic(tol=0.05, max_products=20_000))
    low, high = estimate.bounds()
    reach = 4 * estimate.standard_error() + (high - low) / 2
    assert abs(estimate.entropy() - exact.entropy()) <= reach + 1e-9


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("bandwidth", ["knn", "median"])
def test_the_order_of_the_rows_does_not_matter(name, bandwidth):
    """Sums of n terms are rounded in another order."""
    X = DATA[name]
    entropies = [
        diffusion_spectrum(X[np.random.default_rng(seed).permutation(len(X))], graph="knn", bandwidth=bandwidth)
        for seed in range(4)
    ]
    for spectrum in entropies[1:]:
        assert np.abs(spectrum.eigenvalues - entropies[0].eigenvalues).max() <= off(len(X), len(X) * EPS)


def test_given_neighbors_are_used_as_they_are():
    """A row with two of its three equally near neighbours has no third."""
    distances, indices = np.ones((4, 2)), np.array([[1, 2], [0, 2], [0, 1], [0, 1]])
    spectrum = diffusion_spectrum(np.eye(4), graph="knn", neighbors=(distances, indices), bandwidth=1.0)
    keep = np.eye(4, dtype=bool)
    keep[np.arange(4)[:, None], indices] = True
    expected = moduli(operator(np.where(keep | keep.T, gaussian(1 - np.eye(4), 1.0), 0.0)))
    np.testing.assert_allclose(spectrum.eigenvalues, expected, atol=off(4, 4 * EPS))


@pytest.mark.parametrize("bandwidth", ["knn", 1.0])
def test_given_neighbors_that_leave_out_duplicates_warn(bandwidth):
    """A collapsed layer has the entropy 0; of 15 neighbours at distance 0 each, it seems to be diverse."""
    collapsed = np.zeros((200, 2))
    places = np.repeat(RNG.normal(size=(10, 2)), 40, axis=0)
    arguments = {"graph": "knn", "bandwidth": bandwidth}
    for X in (collapsed, places):
        text = (
            rf"all that are given of {len(X)} of {len(X)} rows are at distance 0.*row 0 has 15 neighbors, and X has"
        )
        with pytest.warns(NeighborWarning, match=text):
            spectrum = diffusion_spectrum(X, neighbors=nearest_neighbors(X, 15), **arguments)
        assert spectrum.entropy() > diffusion_spectrum(X, n_neighbors=15, **arguments).entropy() + 3
    numbers = np.arange(200.0)[:, None]  # of rows that are elsewhere
    with pytest.warns(NeighborWarning, match="X has 0 other rows equal to it"):
        diffusion_spectrum(numbers, neighbors=nearest_neighbors(collapsed, 15), **arguments)


def test_given_neighbors_that_are_all_duplicates():
    X = np.repeat(RNG.normal(size=(10, 2)), 4, axis=0)
    for k in (3, 4, 12):  # with no other row, and with others
        given = diffusion_spectrum(X, graph="knn", bandwidth=1.0, neighbors=nearest_neighbors(X, k))
        assert given.parameters["neighbors"] == "given"
    alone = coo_array((np.ones(1), ([0], [1])), shape=(40, 40))
    diffusion_spectrum(RNG.normal(size=(40, 2)), graph="knn", bandwidth=1.0, neighbors=alone)
    with pytest.warns(NeighborWarning, match="of 39 of 40 rows.*row 1 has 0 neighbors, and X has 3 other"):
        diffusion_spectrum(X, graph="knn", bandwidth=1.0, neighbors=alone)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bandwidth", ["knn", "median"])
@pytest.mark.parametrize("graph", ["knn", "gaussian"])
def test_parallel_rows_are_equal_under_cosine_distance(dtype, bandwidth, graph):
    """Rounding of their lengths is not diversity; two directions are two places."""
    lengths = RNG.uniform(0.1, 10, size=(300, 1))
    one, other = RNG.normal(size=(2, 24))
    X = (lengths * one).astype(dtype)
    assert diffusion_spectrum(X, metric="cosine", bandwidth=bandwidth, graph=graph).entropy() == pytest.approx(0)
    assert estimate_bandwidth(X, "knn" if bandwidth == "knn" else "median", metric="cosine") == 0
    two = np.where(np.arange(300)[:, None] < 100, one, other)
    X = (lengths * two).astype(dtype)
    expected = diffusion_spectrum(np.repeat(X[[0, 200]], [100, 200], axis=0), metric="cosine", bandwidth=0.5)
    found = diffusion_spectrum(X, metric="cosine", bandwidth=0.5)
    assert np.count_nonzero(found.eigenvalues) == 2
    np.testing.assert_allclose(found.eigenvalues, expected.eigenvalues, atol=100 * np.finfo(dtype).eps)


def test_directions_that_differ_by_more_than_rounding_stay():
    rows = RNG.normal(size=(500, 4))
    data = Data.of(rows, "cosine")
    lengths = np.abs(rows).max(axis=1, keepdims=True)
    scaled = rows / lengths
    assert np.array_equal(data.rows, scaled / np.linalg.norm(scaled, axis=1, keepdims=True))
    near = np.array([[1.0, 0.0], [1.0, 4e-16], [1.0, 4e-15]])
    assert joined_directions(near, 8e-16).tolist() == [[1.0, 0.0], [1.0, 0.0], [1.0, 4e-15]]


def test_groups_hold_the_first_row_the_sizes_and_the_rows():
    X = np.array([[1.0, 0.0], [2.0, 2.0], [1.0, -0.0], [2.0, 2.0], [3.0, 0.0]])
    groups = Groups.of(X)
    assert groups is not None
    assert (groups.first.tolist(), groups.of_rows.tolist()) == ([0, 1, 4], [0, 1, 0, 1, 2])
    assert groups.sizes.tolist() == [2, 2, 1]
    of_numbers = Groups.of(X, np.array([1.0, 1.0, 2.0, 1.0, 1.0]))
    assert of_numbers is not None
    assert of_numbers.first.tolist() == [0, 1, 2, 4]
    assert Groups.of(X[[0, 1, 4]]) is None
