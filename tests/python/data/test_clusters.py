"""Bins of a continuous target, where the reference implementation gives no answer to compare with."""

import sys

import numpy as np
import pytest
from dsentropy import diffusion_spectral_entropy, diffusion_spectral_mutual_information
from dsentropy._data.bins import width_bins

X = np.random.default_rng(0).normal(size=(40, 3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_range_beyond_the_largest_number_is_cut_into_equal_bins(dtype):
    """Twice the largest number overflows; in quarters nothing does, and quarters round nothing."""
    fractions = np.repeat([-1, -0.45, 0.05, 0.55, 1], 8).astype(dtype)
    _, bins = diffusion_spectral_mutual_information(X, fractions * np.finfo(dtype).max, n_clusters=4)
    assert bins.ravel().tolist() == np.repeat([1, 2, 3, 4, 4], 8).tolist()


@pytest.mark.parametrize("dtype", [np.int8, np.int64])
def test_integers_that_are_not_labels_do_not_wrap(dtype):
    limits = np.iinfo(dtype)
    reference = np.array([limits.min, limits.max] * 20, dtype=dtype)
    _, bins = diffusion_spectral_mutual_information(X, reference, reference_discrete=False)
    assert bins.ravel().tolist() == [1, 10] * 20


def test_limit_beyond_any_machine_is_no_limit():
    assert diffusion_spectral_entropy(X, max_N=10**30) == diffusion_spectral_entropy(X, max_N=None)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, np.int8])
def test_bins_are_those_of_edges_that_are_stored(dtype):
    """Numbers at the edges, and next to them, where rounding decides; the reference stores the edges."""
    for n_bins in [*range(1, 80), 1000, 9973]:
        edges = np.linspace(0, 1, n_bins + 1)
        beside = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges[:-1], 1)])
        column = (100 * beside).astype(dtype)[:, None] if dtype is np.int8 else beside.astype(dtype)[:, None]
        numbers = column.astype(np.float64) if dtype is np.int8 else column
        fractions = (numbers - numbers.min()) / (numbers.max() - numbers.min())
        np.testing.assert_array_equal(width_bins(column, n_bins), np.digitize(fractions, edges[:-1]))


def test_bins_may_be_as_many_as_integers_of_float64():
    column = np.array([[0.0], [0.5], [1.0]])
    assert width_bins(column, 2**53).ravel().tolist() == [1, 2**52 + 1, 2**53]


# Many equal rows: the graph falls into parts, each with an eigenvalue of 1. In this order ARPACK restarts.
POINTS = np.array([[-1, -1], [-1, 0], [-1, 2], [0, -2], [0, -1], [0, 0], [0, 1], [1, -1], [1, 0], [2, 1]])
EQUAL_ROWS = np.random.default_rng(0).permutation(np.repeat(POINTS, [1, 4, 1, 1, 1, 22, 1, 2, 7, 1], axis=0))


def clusters_of_equal_rows():
    X = np.random.default_rng(0).normal(size=(len(EQUAL_ROWS), 3))
    return diffusion_spectral_mutual_information(X, EQUAL_ROWS, reference_discrete=False, num_threads=1)[1]


def test_clusters_of_equal_rows_are_the_same_each_time():
    expected = clusters_of_equal_rows()
    for _ in range(10):
        assert np.array_equal(clusters_of_equal_rows(), expected)


def test_eigsh_of_scikit_learn_stays_as_it_is(monkeypatch):
    clusters_of_equal_rows()
    module = sys.modules["sklearn.manifold._spectral_embedding"]
    found, called = module.eigsh, []
    assert found.__module__.startswith("scipy.sparse.linalg")

    def eigsh_without_rng(A, k, sigma, which, tol, v0):  # of an earlier SciPy
        called.append(k)
        return found(A, k=k, sigma=sigma, which=which, tol=tol, v0=v0)

    monkeypatch.setattr(module, "eigsh", eigsh_without_rng)
    clusters_of_equal_rows()
    assert called
    assert module.eigsh is eigsh_without_rng
