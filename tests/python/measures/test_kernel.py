"""Spectra of kernel matrices: the Vendi score, ranks and eigenvalues."""

import math
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from dsentropy import Spectrum, Stochastic, adjacency_spectrum, kernel_spectrum
from numpy_formulas import (
    EPS,
    cloud,
    distances,
    entropy_off,
    gaussian,
)
from scipy.sparse.linalg import aslinearoperator
from vendi_score import vendi

INF = math.inf


def cosine_kernel(X):
    directions = X / np.linalg.norm(X, axis=1, keepdims=True)
    K = directions @ directions.T
    np.fill_diagonal(K, 1)
    return K


KERNELS = {
    "cosine": cosine_kernel(cloud(60, 200)),
    "cosine of low rank": cosine_kernel(cloud(60, 3)),
    "gaussian": gaussian(distances(cloud()), 9.0),
    "gaussian of low rank": gaussian(distances(cloud(60, 1)), 40.0),
    "duplicates": gaussian(distances(np.repeat(cloud(20), 4, axis=0)), 5.0),
    "all different": np.eye(50),
    "all the same": np.ones((50, 50)),
}


@pytest.mark.parametrize("K", KERNELS.values(), ids=KERNELS)
def test_the_effective_rank_of_a_kernel_is_its_vendi_score(K):
    """Each lambda / n is off by n eps, as the norm of K is at most its trace n, and all together by n times that.

    Of order 2 and infinity the sum, or the largest, is at least 1 / n, and off by at most 4 T.
    """

    def score(q):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # it asks for scipy.sparse.csr
            return math.log2(vendi.score_K(K, q=q))

    n = len(K)
    T = n * n * EPS
    spectrum = kernel_spectrum(K)
    assert abs(math.log2(spectrum.effective_rank()) - score(1)) <= entropy_off(n, T)
    assert abs(spectrum.entropy() - score(1)) <= entropy_off(n, T)
    assert abs(spectrum.entropy(order=2) - score(2)) <= 4 * T * n / math.log(2)
    assert abs(math.log2(spectrum.participation_ratio()) - score(2)) <= 4 * T * n / math.log(2)
    assert abs(spectrum.entropy(order=INF) - score("inf")) <= 4 * T * n / math.log(2)


def test_the_entropy_of_order_0_of_a_kernel_is_the_logarithm_of_its_rank():
    for name, rank in {"cosine of low rank": 3, "all the same": 1, "all different": 50}.items():
        assert abs(kernel_spectrum(KERNELS[name]).entropy(order=0) - math.log2(rank)) <= 4 * EPS * math.log2(50)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_spectrum_of_a_kernel_is_that_of_its_matrix(dtype):
    """The least ones come out on either side of 0, by the rounding of the matrix, and are 0."""
    K = KERNELS["cosine of low rank"].astype(dtype)
    expected = np.linalg.eigvalsh(K.astype(float))[::-1]
    assert expected[-1] < 0
    expected[3:] = 0
    spectrum = kernel_spectrum(K)
    assert np.abs(spectrum.eigenvalues - expected).max() <= 2 * 60 * EPS * np.linalg.norm(K)


@pytest.mark.parametrize("solver", ["exact", "stochastic"])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, aslinearoperator])
def test_the_error_for_negative_eigenvalues_has_them_in_the_units_that_were_given(kind, solver):
    K = np.diag([4.0, -3.0, 1.0, 20.0])
    for scale, found in [(1, "-3 to 20"), (1e-200, "-3e-200 to 2e-199"), (1e200, "-3e+200 to 2e+201")]:
        with pytest.raises(ValueError, match=re.escape(f"got eigenvalues from {found}, and rounding explains")):
            kernel_spectrum(kind(K * scale), solver=solver)
    with pytest.raises(ValueError, match="from -20 to -1: where its entries were computed in less than float64"):
        kernel_spectrum(kind(-np.abs(K)), solver="exact")


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.coo_array, aslinearoperator])
def test_eigenvalues_have_the_units_that_were_given(kind):
    moduli = np.array([20.0, 4, 3, 1])
    for scale in (1, 7.0, 1e-200, 1e200, 1e-307, 4e306):
        K = np.diag(moduli) * scale
        for solver in ("exact", Stochastic(t=0.5)):
            kernel = kernel_spectrum(kind(K), solver=solver)
            adjacency = adjacency_spectrum(kind(K), metric="affinity", solver=solver)
            for found in (kernel, adjacency):
                assert found.entropy() == pytest.approx(Spectrum(moduli).entropy(), rel=1e-13)
                if scale >= 1e-200 and type(found) is Spectrum:
                    assert found.eigenvalues == pytest.approx(moduli * scale, rel=1e-13)
    largest = np.full((4, 4), 1.5e308)
    if kind is not np.asarray and kind is not aslinearoperator:
        assert kernel_spectrum(kind(largest)).entropy() == pytest.approx(0, abs=1e-12)  # of an eigenvalue of 6e308
