"""Bandwidths that follow the data, against plain NumPy. Distances have a relative error near 1e-12."""

import random

import numpy as np
import pytest
from dsentropy import (
    adjacency_spectrum,
    diffusion_spectrum,
    estimate_bandwidth,
)
from numpy_formulas import (
    cloud,
    distances,
    median,
    self_tuning,
)
from scipy.spatial.distance import pdist


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 79, 80])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed"])
def test_the_median_bandwidth_is_the_median_of_the_distances(n, metric):
    """Of 1, 3, 6, 10, 15, 3081 and 3160 pairs."""
    X = cloud(n) if metric != "precomputed" else distances(cloud(n))
    assert estimate_bandwidth(X, metric=metric) == pytest.approx(median(distances(X, metric)), rel=1e-12)


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("n", [2, 3, 20, 31])
def test_the_median_bandwidth_leaves_duplicates_out(n, times):
    """So copies of all rows change nothing, not even where most pairs are of duplicates."""
    X = np.repeat(cloud(n), times, axis=0)
    expected = median(distances(X))
    assert expected == pytest.approx(median(distances(cloud(n))), rel=1e-12)
    assert estimate_bandwidth(X) == pytest.approx(expected, rel=1e-12)


def test_the_median_bandwidth_of_integers_is_exact():
    """Distances on a line are integers."""
    X = np.random.default_rng(0).integers(-1000, 1000, size=(60, 1))
    assert estimate_bandwidth(X) == median(distances(X))


@pytest.mark.parametrize("n_neighbors", [1, 7, 15, 79])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed"])
def test_the_bandwidth_of_neighbors_is_a_median_over_the_rows(n_neighbors, metric):
    X = cloud() if metric != "precomputed" else distances(cloud())
    sigma = self_tuning(distances(X, metric), n_neighbors)
    found = estimate_bandwidth(X, "knn", n_neighbors=n_neighbors, metric=metric)
    assert found == pytest.approx(np.median(sigma), rel=1e-12)
    each = diffusion_spectrum(X, bandwidth="knn", n_neighbors=n_neighbors, metric=metric).parameters["bandwidth"]
    np.testing.assert_allclose(each, sigma, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 7, -3])
def test_the_median_bandwidth_of_many_rows_is_that_of_a_random_4000(seed):
    X = np.random.default_rng(1).normal(size=(4500, 2))
    rows = random.Random(seed).sample(range(4500), k=4000)
    expected = np.median(pdist(X[rows]))
    assert expected != pytest.approx(np.median(pdist(X)), rel=1e-9)
    assert estimate_bandwidth(X, random_state=seed) == pytest.approx(expected, rel=1e-12)


def test_the_median_bandwidth_of_4000_rows_is_that_of_all():
    X = np.random.default_rng(2).normal(size=(4000, 2))
    assert estimate_bandwidth(X, random_state=5) == pytest.approx(np.median(pdist(X)), rel=1e-12)


def test_where_no_two_rows_differ_the_bandwidth_is_0():
    for rule in ["median", "knn"]:
        assert estimate_bandwidth(np.ones((30, 2)), rule) == 0


def test_too_few_rows_for_the_default_neighbors_name_the_default():
    for of in [
        lambda X: diffusion_spectrum(X, bandwidth="knn"),
        lambda X: diffusion_spectrum(X, graph="knn", bandwidth=1.0),
        lambda X: adjacency_spectrum(X, graph="knn"),
    ]:
        with pytest.raises(
            ValueError, match=r"X must have more rows than the 15 neighbors .* n_neighbors, from 1 to 3$"
        ):
            of(np.eye(4))
        with pytest.raises(ValueError, match="X must have at least two rows"):
            of(np.eye(1))
