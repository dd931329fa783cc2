"""Values that are known: from the definition, by hand, and from published experiments.

A listed value is held to half a unit of its last digit. What rounding may do to one known by hand: each of N
eigenvalues of K is off by at most N eps and its p by twice that, as the sum is off too; from p = eps on the slope of
-p log2 p is below 53; and the shift of p by eps moves each term by at most 53 eps.
"""

import math

import numpy as np
import pytest
from dsentropy import (
    adjacency_spectral_entropy,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
)
from sklearn.datasets import load_digits

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

EPS = np.finfo(float).eps


def rounding(n):
    return 53 * n * (2 * n + 1) * EPS


@pytest.fixture(scope="module")
def digits():
    return load_digits().data


@pytest.mark.parametrize(
    ("sigma", "t", "listed", "unit"),
    [
        (10, 1, 10.452, 1e-3),
        (10, 2, 9.799, 1e-3),
        (10, 5, 8.031, 1e-3),
        (30, 1, 5.8586, 1e-4),
        (30, 2, 1.1087, 1e-4),
        (30, 5, 0.0108, 1e-4),
    ],
)
def test_digits(digits, sigma, t, listed, unit):
    assert abs(diffusion_spectral_entropy(digits, gaussian_kernel_sigma=sigma, t=t) - listed) <= unit / 2


@pytest.mark.parametrize(("factor", "listed"), [(0.1, 1.01), (1, 9.03), (20, 9.23)])
def test_digits_show_that_entropy_depends_on_scale(digits, factor, listed):
    assert abs(diffusion_spectral_entropy(factor * digits[:600]) - listed) <= 0.005


TOY = {
    102: (2.97, 0.00),
    306: (6.45, 0.00),
    614: (8.30, 0.00),
    1126: (8.90, 0.03),
    1638: (8.96, 6.47),
    2048: (8.97, 8.92),
}


@pytest.mark.parametrize("d", TOY)
def test_dimension_of_the_toy_experiment(d):
    """N = 500, D = 2048: d columns are U[-1, 1] plus noise of 1%, the others one constant.

    The listed values come from one draw of the data. So does each of five here, which say how much a draw varies: s
    is estimated from them, and listed minus mean has the standard error s sqrt(1 + 1/5). Student's t with 4 degrees
    of freedom exceeds 8.6 once in a thousand times.
    """
    draws = np.array([[diffusion_spectral_entropy(toy(d, seed), t=t) for t in (1, 5)] for seed in range(5)])
    error = 8.6 * draws.std(axis=0, ddof=1) * math.sqrt(1 + 1 / 5)
    assert (np.abs(draws.mean(axis=0) - TOY[d]) <= 0.005 + error).all()
    assert (error < 0.2).all()  # so that this tells something


def toy(d, seed):
    rng = np.random.default_rng(seed)
    X = np.full((500, 2048), 0.5)
    X[:, :d] = rng.uniform(-1, 1, size=(500, d)) + rng.normal(scale=0.01, size=(500, d))
    return X


@pytest.mark.parametrize("n", [100, 500, 1000])
def test_information_of_data_about_themselves_is_far_below_their_entropy(n):
    """DSMI is not Shannon's mutual information, where I(A; A) = H(A)."""
    A = np.random.default_rng(0).uniform(size=(n, 10))
    information, _ = diffusion_spectral_mutual_information(A, A)
    assert 0 < information < diffusion_spectral_entropy(A) / 2


@pytest.mark.parametrize("n", [2, 17, 300])
@pytest.mark.parametrize("t", [1, 2, 10])
def test_identical_rows_have_no_entropy(n, t):
    X = np.tile([0.1, -7.0, 1e5], (n, 1))
    assert abs(diffusion_spectral_entropy(X, t=t)) <= rounding(n)
    assert abs(adjacency_spectral_entropy(X)) <= rounding(n)
    assert abs(diffusion_spectral_entropy(X, classic_shannon_entropy=True)) <= rounding(n)


@pytest.mark.parametrize("n", [2, 17, 300])
@pytest.mark.parametrize("t", [0, 0.5, 1, 10])
def test_rows_far_apart_have_the_entropy_log2_n(n, t):
    """Distances of 400 sigma: exp(-80000) is 0, and K the identity."""
    X = 4000.0 * np.arange(n)[:, None]
    assert abs(diffusion_spectral_entropy(X, t=t) - math.log2(n)) <= rounding(n)
    assert abs(adjacency_spectral_entropy(X) - math.log2(n)) <= rounding(n)
    assert abs(adjacency_spectral_entropy(X, use_knn=True, knn=1) - math.log2(n)) <= rounding(n)


@pytest.mark.parametrize("n", [2, 17, 300])
def test_matrix_entries_of_rows_far_apart_have_the_entropy_log2_n(n):
    """N entries of 1/N, and N^2 - N zeros, each of which the shift gives 52 eps."""
    entropy = diffusion_spectral_entropy(4000.0 * np.arange(n)[:, None], matrix_entry_entropy=True)
    assert abs(entropy - math.log2(n) - (n * n - n) * 52 * EPS) <= rounding(n)


@pytest.mark.parametrize("n", [2, 17, 300])
def test_matrix_entries_of_identical_rows_have_the_entropy_2_log2_n(n):
    """N^2 entries of 1/N^2. The shift adds eps (2 log2 N - 1/ln 2) to each."""
    entropy = diffusion_spectral_entropy(np.ones((n, 3)), matrix_entry_entropy=True)
    shift = n * n * EPS * (2 * math.log2(n) - 1 / math.log(2))
    assert abs(entropy - 2 * math.log2(n) - shift) <= rounding(n)


@pytest.mark.parametrize("sizes", [[50, 50], [20, 20, 20, 20], [3, 60, 17, 1, 29]])
def test_separated_clusters_have_the_entropy_log2_of_their_number_at_large_t(sizes):
    """Diameters of at most sigma / 2, distances of 100 sigma.

    Each cluster has the eigenvalue 1. Its entries of D^-1 G are at least exp(-1/8) / size, so by Doeblin its other
    eigenvalues are at most 1 - exp(-1/8) = 0.12, and vanish at t = 50. The power multiplies the error of the ones
    by t.
    """
    t, rng = 50, np.random.default_rng(0)
    offsets = rng.uniform(0, 5 / math.sqrt(3), size=(sum(sizes), 3))
    X = offsets + 1000 * np.repeat(np.arange(len(sizes)), sizes)[:, None]
    assert abs(diffusion_spectral_entropy(X, t=t) - math.log2(len(sizes))) <= t * rounding(sum(sizes))


@pytest.mark.parametrize("t", [0, 0.5, 1, 100])
def test_one_row_shows_the_shift_of_p_that_is_not_renormalised(t):
    """-(1 + eps) log2 (1 + eps) = -3.2e-16."""
    X = [[3.0, -4.0]]
    expected = pytest.approx(-EPS / math.log(2), rel=4 * EPS, abs=0)
    assert diffusion_spectral_entropy(X, t=t) == expected
    assert diffusion_spectral_entropy(X, matrix_entry_entropy=True) == expected
    assert diffusion_spectral_entropy(X, classic_shannon_entropy=True) == expected
    assert adjacency_spectral_entropy(X) == expected
    assert adjacency_spectral_entropy(X, anisotropic=True) == expected
    assert adjacency_spectral_entropy(X, use_knn=True, knn=1) == expected


@pytest.mark.parametrize("d", [0.1, 1.0, 2.5])
def test_two_rows_by_hand(d):
    """G = [[1, g], [g, 1]], g = exp(-d^2 / 2) at sigma = 1: K has the eigenvalues 1 and (1 - g) / (1 + g)."""
    g = math.exp(-d * d / 2)
    X = [[0.0], [d]]
    for t in (1, 2, 3.5):
        assert abs(diffusion_spectral_entropy(X, 1, t) - bits(1, ((1 - g) / (1 + g)) ** t)) <= rounding(2)
    assert abs(adjacency_spectral_entropy(X, 1) - bits(1 + g, 1 - g)) <= rounding(2)
    assert abs(diffusion_spectral_entropy(X, 1, matrix_entry_entropy=True) - bits(1, 1, g, g)) <= rounding(2)


def test_binned_rows_by_hand():
    """Bins of halves: (0, 0), (0, 0), (0, 1) and (1, 0), where the edge itself belongs above."""
    X = [[0.0, 0.0], [0.4, 0.2], [0.1, 1.0], [1.0, 0.3], [0.5, 0.1]]
    expected = bits(2, 1, 2)
    assert abs(diffusion_spectral_entropy(X, classic_shannon_entropy=True) - expected) <= rounding(5)


def test_chain_of_neighbors_by_hand():
    """On 1, 2, 4, ..., 32 the nearest row but itself is the one before; that of the first is the second.

    So A is a block [[1, 1], [1, 1]] of eigenvalues 0 and 2, and a triangle with ones on its diagonal.
    """
    X = 2.0 ** np.arange(6)[:, None]
    assert abs(adjacency_spectral_entropy(X, use_knn=True, knn=2) - bits(2, 1, 1, 1, 1)) <= rounding(6)


def bits(*weights):
    total = math.fsum(weights)
    return -math.fsum(w / total * math.log2(w / total) for w in weights)
