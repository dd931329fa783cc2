"""Eigenvalues that rounding of given entries explains are 0, for kernels and affinities of each kind and dtype."""

import math

import ml_dtypes
import numpy as np
import pytest
import scipy.sparse as sp
from dsentropy import (
    EstimatedSpectrum,
    Spectrum,
    Stochastic,
    adjacency_spectrum,
    covariance_spectrum,
    diffusion_spectrum,
    kernel_spectrum,
)
from dsentropy._spectrum.estimated import _info_array, _info_from_array
from dsentropy._spectrum.rounding import without_rounding
from scipy.sparse.linalg import aslinearoperator

ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}


class Products:
    """A matrix that is known by its products, which it computes in its dtype."""

    def __init__(self, matrix):
        self.matrix, self.shape, self.dtype = matrix, matrix.shape, matrix.dtype

    def matmat(self, vectors):
        return self.matrix @ vectors.astype(self.dtype)


def rows(n, rank):
    return np.random.default_rng(n + rank).normal(size=(n, rank))


def low_rank(n, rank, dtype, scale=1.0):
    """Return the kernel of random rows, and its eigenvalues that are not 0 before it is rounded to the dtype."""
    X = rows(n, rank) * scale
    return (X @ X.T).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype), np.linalg.svd(X)[1] ** 2


def rank(spectrum):
    return round(2 ** spectrum.entropy(order=0))


@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize(("n", "r"), [(50, 1), (50, 20), (250, 10)])
@pytest.mark.parametrize("scale", [1.0, 0.1, 8.0])
def test_a_rounded_kernel_has_its_rank_and_its_entropies(dtype, n, r, scale):
    """Each eigenvalue is off by at most u |K|_F (Weyl), so each p by twice that over the trace."""
    K, expected = low_rank(n, r, dtype, scale)
    found = kernel_spectrum(K)
    assert rank(found) == r
    off = 2 * ROUNDOFF[dtype] * np.linalg.norm(expected) + n * 2e-16 * expected[0]
    assert np.abs(found.eigenvalues[:r] - expected).max() <= off
    assert not found.eigenvalues[r:].any()


def test_products_in_single_precision_have_the_rank_of_the_rows():
    X = rows(300, 10).astype(np.float32)
    found = kernel_spectrum(X @ X.T)
    exact = Spectrum(np.linalg.svd(X.astype(float))[1] ** 2)
    assert rank(found) == 10
    assert found.entropy(t=[0.1, 0.5, 1], order=[0.1, 1]) == pytest.approx(
        exact.entropy(t=[0.1, 0.5, 1], order=[0.1, 1]), abs=1e-5
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize(("n", "r"), [(2, 1), (3, 1), (5, 1), (10, 2), (50, 20)])
def test_noise_without_negative_eigenvalues_is_rounding(dtype, n, r):
    """Of few dimensions of noise all may be positive: negative eigenvalues alone would show too little."""
    for seed in range(60):
        X = np.random.default_rng(seed).normal(size=(n, r))
        K = (X @ X.T).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
        found = kernel_spectrum(K)
        assert rank(found) <= r
        assert found.entropy(0.1, order=1) <= np.log2(r) + 1e-12


def test_multiples_of_one_row_in_single_precision_have_rank_one():
    K = (np.array([[1, 3], [3, 9]]) / 7).astype(np.float32)
    assert np.linalg.eigvalsh(K.astype(float)).min() > 0
    for given in (np.asarray, sp.csr_array, aslinearoperator, Products):
        for solver in ("exact", Stochastic(t=0.5)):
            found = kernel_spectrum(given(K), solver=solver)
            assert found.eigenvalues[1] == 0
            assert found.entropy([0.1, 1]) == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize(("n", "r"), [(10, 8), (50, 45), (100, 99)])
def test_a_kernel_of_nearly_full_rank_in_single_precision_has_its_rank(n, r):
    for seed in range(20):
        X = np.random.default_rng(seed).normal(size=(n, r))
        assert rank(kernel_spectrum((X @ X.T).astype(np.float32))) == r
        single = X.astype(np.float32)
        assert rank(kernel_spectrum(single @ single.T)) == r


@pytest.mark.parametrize(
    ("dtype", "scale", "given"),
    [
        ("float16", 1e-7, np.asarray),
        ("float16", 1e-6, np.asarray),
        ("bfloat16", 1e-37, np.asarray),
        ("float32", 1e-41, np.asarray),
        ("float32", 1e-41, sp.csr_array),
    ],
)
def test_subnormal_entries_are_rounded_to_a_common_distance(dtype, scale, given):
    X = rows(600, 10)
    found = kernel_spectrum(given((X @ X.T * scale).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)))
    assert rank(found) == 10
    assert found.entropy() == pytest.approx(Spectrum(np.linalg.svd(X)[1] ** 2).entropy(), abs=1e-2)


def test_a_well_conditioned_kernel_of_full_rank_loses_nothing():
    for n in (2, 10, 200):
        X = np.random.default_rng(n).normal(size=(n, 4 * n))
        for dtype in ("float16", ml_dtypes.bfloat16, "float32"):
            for K in (X @ X.T, np.eye(n), np.exp(-np.abs(np.subtract.outer(np.arange(n), np.arange(n))))):
                assert rank(kernel_spectrum(K.astype(dtype))) == n


@pytest.mark.parametrize("given", [np.asarray, sp.csr_array, aslinearoperator, Products], ids=lambda f: f.__name__)
@pytest.mark.parametrize("solver", ["exact", Stochastic(t=0.5)], ids=["exact", "fallback"])
def test_every_kind_of_a_kernel_and_every_solver_take_the_same_eigenvalues_as_rounding(given, solver):
    X = rows(300, 10).astype(np.float32)
    K = X @ X.T
    dense = kernel_spectrum(K)
    found = kernel_spectrum(given(K), solver=solver)
    assert type(found) is Spectrum
    assert rank(found) == 10
    assert found.entropy([0.1, 0.5, 1]) == pytest.approx(dense.entropy([0.1, 0.5, 1]), abs=1e-6)


@pytest.mark.parametrize("given", [np.asarray, Products], ids=lambda f: f.__name__)
def test_a_half_kernel_has_the_same_entropy_exact_and_where_the_exact_solver_costs_less(given):
    X = np.random.default_rng(0).normal(size=(600, 10))
    K = (X @ X.T / 10).astype(np.float16)
    expected = Spectrum(np.linalg.svd(X)[1] ** 2).entropy([0.5, 1])
    for solver in ["exact", Stochastic(t=0.5), "stochastic"]:
        found = kernel_spectrum(given(K), solver=solver)
        assert found.parameters["solver"] == "exact"
        assert found.entropy([0.5, 1]) == pytest.approx(expected, abs=1e-4)


def test_the_bounds_of_an_estimate_include_the_rounding_of_a_half_kernel():
    """The distance to the kernel before it was rounded is within them, with and without its noise."""
    X = np.random.default_rng(0).normal(size=(600, 10))
    K = (X @ X.T / 10).astype(np.float16)
    found = kernel_spectrum(K, solver=Stochastic(tol=0.5))
    assert type(found) is EstimatedSpectrum
    lower, upper = found.bounds()
    noisy = Spectrum(np.maximum(np.linalg.eigvalsh(K.astype(float)), 0))
    for exact in (kernel_spectrum(K), noisy):
        assert lower <= exact.entropy() <= upper
    assert found.entropy() == pytest.approx(kernel_spectrum(K).entropy(), abs=1e-3)


@pytest.mark.parametrize("given", [np.asarray, sp.csr_array, Products], ids=lambda f: f.__name__)
def test_estimates_of_single_precision_cover_the_exact_entropy(given):
    X = rows(800, 12).astype(np.float32)
    K = X @ X.T
    exact = kernel_spectrum(K).entropy([1, 2])
    found = kernel_spectrum(given(K), solver="stochastic")
    assert type(found) is EstimatedSpectrum
    lower, upper = found.bounds([1, 2])
    reach = np.maximum(upper - found.entropy([1, 2]), found.entropy([1, 2]) - lower)
    assert (np.abs(found.entropy([1, 2]) - exact) <= 2 * found.standard_error([1, 2]) + reach).all()
    assert (reach < 1e-3).all()


def test_a_saved_estimate_keeps_the_roundoff_and_older_files_are_of_float64(tmp_path):
    X = rows(400, 6).astype(np.float32)
    found = kernel_spectrum(X @ X.T, solver="stochastic")
    found.save(tmp_path / "estimate")
    loaded = Spectrum.load(tmp_path / "estimate")
    assert loaded._estimate.info == found._estimate.info
    assert loaded._estimate.info.unit_roundoff == ROUNDOFF["float32"]
    assert (loaded.entropy(), loaded.bounds()) == (found.entropy(), found.bounds())
    numbers = _info_array(found._estimate.info)
    assert _info_from_array(numbers) == found._estimate.info
    earlier = _info_from_array(np.array([*numbers[:5], 4.0, 6.0, numbers[5]]))  # with the degrees of the rules
    assert (earlier.unit_roundoff, earlier.largest_modulus) == (ROUNDOFF["float64"], numbers[5])


def test_eigenvalues_above_the_noise_of_a_rounded_kernel_are_kept():
    """A Gaussian kernel of full rank: what is dropped and what noise adds are within 1% of the entropy."""
    X = rows(400, 10)
    G = np.exp(-((X[:, None] - X) ** 2).sum(axis=-1) / 18)
    exact = kernel_spectrum(G)
    assert rank(exact) == 400
    for dtype, allowed in [("float32", 1e-5), ("float16", 1e-2)]:
        assert kernel_spectrum(G.astype(dtype)).entropy() == pytest.approx(exact.entropy(), rel=allowed)


def test_entries_of_float64_and_integers_have_the_rounding_of_the_solver_alone():
    values = np.random.default_rng(0).normal(size=40) ** 3
    limit = len(values) * np.finfo(float).eps * np.abs(values).max()
    values[:3] = [limit * 0.9, -limit * 0.9, limit * 1.1]
    expected = np.where(np.abs(values) > limit, np.abs(values), 0)
    assert (without_rounding(values) == expected).all()
    assert (without_rounding(values, 0.0) == expected).all()
    assert (without_rounding(np.zeros(3), 2.0**-24) == 0).all()
    ones = np.kron(np.eye(30), np.ones((4, 4)))
    for given in (ones.astype(int), ones.astype(bool), ones.astype(np.int8)):
        assert rank(kernel_spectrum(given)) == 30


def test_negative_eigenvalues_beyond_rounding_are_an_error_for_every_kind_and_solver():
    K = np.diag(np.r_[np.ones(99), -0.1])
    for dtype in (np.float32, np.float64, np.float16):
        for given in (np.asarray, aslinearoperator):
            for solver in ("exact", "stochastic"):
                with pytest.raises(ValueError, match=r"^K must be positive semi-definite"):
                    kernel_spectrum(given(K.astype(dtype)), solver=solver)


def test_given_affinities_are_read_as_numbers_of_float64():
    X = np.abs(rows(100, 5))
    G = (X @ X.T).astype(np.float32)
    for function in (diffusion_spectrum, adjacency_spectrum):
        for given in (np.asarray, sp.csr_array, aslinearoperator):
            found = function(given(G), metric="affinity").eigenvalues
            assert (found == function(given(G.astype(float)), metric="affinity").eigenvalues).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_rank_of_a_covariance_is_that_of_the_rows_before_they_were_rounded(dtype):
    X = rows(200, 3) @ rows(3, 10) + 1.0
    given = X.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    found, exact = covariance_spectrum(given), covariance_spectrum(X)
    assert rank(found) == rank(exact) == 3
    off = ROUNDOFF[dtype] * np.linalg.norm(X) / math.sqrt(199)
    assert np.abs(np.sqrt(found.eigenvalues) - np.sqrt(exact.eigenvalues)).max() <= off + 1e-7
