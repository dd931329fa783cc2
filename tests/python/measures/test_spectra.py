"""Spectra of kernels, graphs and covariances against plain NumPy, SciPy and other packages.

Tolerances follow from one estimate, `off`. Let every d^2 / (2 sigma_i sigma_j) be off by delta. Then every entry of G
is off by a factor exp(+-delta), a sum of a row by n eps more, every entry of G' by a factor exp(+-(1 + 2 alpha)(delta
+ n eps)), every entry of K by twice that. As the eigenvalues of K are within -1 and 1, its Frobenius norm is at most
sqrt(n), and no eigenvalue moves by more than that factor's exponent times sqrt(n) (Weyl), and by n eps in LAPACK.
"""

import math
import random
import warnings

import graphtools
import numpy as np
import pytest
from dsentropy import (
    Spectrum,
    adjacency_spectral_entropy,
    adjacency_spectrum,
    covariance_spectrum,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
    kernel_spectrum,
)
from pydiffmap.diffusion_map import DiffusionMap
from scipy.spatial.distance import cdist, pdist, squareform
from vendi_score import vendi

EPS = np.finfo(float).eps
INF = math.inf
NEIGHBORS = 7
ALPHAS = [0, 0.3, 0.5, 1]
SYMMETRIZE = ["union", "mutual", "mean"]
every_alpha = pytest.mark.parametrize("alpha", ALPHAS)


def cloud(n=80, d=6):
    return np.random.default_rng([n, d]).normal(scale=4, size=(n, d))


# What is tested, in plain NumPy.


def distances(X, metric="euclidean"):
    """[N, N]. The squared Euclidean distance of two rows of length 1 is 2 - 2 cos."""
    if metric == "precomputed":
        return X
    return squareform(np.sqrt(2 * pdist(X, "cosine")) if metric == "cosine" else pdist(X))


def median(d):
    pairs = squareform(d, checks=False)
    return np.median(pairs[pairs > 0])


def self_tuning(d, k=NEIGHBORS):
    """The first of each row's distances in order is that to itself."""
    sigma = np.sort(d, axis=1)[:, k]
    sigma[sigma == 0] = sigma[sigma > 0].min()
    return sigma


def gaussian(d, sigma):
    each = np.broadcast_to(sigma, len(d))
    return np.exp(-(d**2) / (2 * np.outer(each, each)))


def operator(G, alpha=0.0):
    q = G.sum(axis=1)
    weighted = G / np.outer(q, q) ** alpha
    degrees = weighted.sum(axis=1)
    return weighted / np.sqrt(np.outer(degrees, degrees))


def moduli(matrix):
    """Of a symmetric matrix's eigenvalues, largest first."""
    return np.sort(np.abs(np.linalg.eigvalsh(matrix)))[::-1]


def shannon(eigenvalues, t=1):
    p = eigenvalues**t / (eigenvalues**t).sum()
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


# How far from it rounding may lead.


def delta(d, sigma, columns, rule=False):
    """Of d^2 / (2 sigma_i sigma_j), where squared distances come from a Gram product of rows no longer than max d.

    Each is off by (columns + 8) eps times the squared lengths of both (src/distance.rs). Where sigma is itself a
    distance, it is off by as much relative to sigma^2, which all exponents are multiplied by.
    """
    spread = d.max() / np.min(sigma)
    own = (columns + 8) * EPS * 2 * spread**2
    return own * (1 + 4 * spread**2) if rule else own


def off(n, delta, alpha=0.0):
    """The estimate above, for the difference of two values that are both off."""
    return 2 * (2 * (1 + 2 * alpha) * (delta + n * EPS) * math.sqrt(n) + n * EPS)


def entropy_off(n, of_probabilities):
    """Of Shannon's entropy of n probabilities that are together off by twice this (Fannes & Audenaert).

    It is above n^2 eps here, and -T log2 T far above the rounding of n terms of the sum.
    """
    T = of_probabilities
    return T * math.log2(n) - T * math.log2(T) - (1 - T) * math.log2(1 - T)


def diffusion_entropy_off(n, of_eigenvalues, t=1):
    """Powers t >= 1 of eigenvalues up to 1 are off by t times as much, and their sum is at least 1."""
    return entropy_off(n, t * n * of_eigenvalues)


# The diffusion operator.

BANDWIDTHS = {
    "number": lambda d: (float(0.7 * median(d)),) * 2,
    "median": lambda d: ("median", median(d)),
    "knn": lambda d: ("knn", self_tuning(d)),
    "array": lambda d: (median(d) * np.linspace(0.5, 1.5, len(d)),) * 2,
    "callable": lambda d: (lambda rows: np.sqrt(np.arange(1, len(rows) + 1)), np.sqrt(np.arange(1, len(d) + 1))),
    "callable of one number": lambda d: (lambda rows: 6 + len(rows) / 100, 6 + len(d) / 100),
}


@every_alpha
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed"])
@pytest.mark.parametrize("bandwidth", BANDWIDTHS)
def test_diffusion_spectra_follow_the_formula(bandwidth, metric, alpha):
    X = cloud() if metric != "precomputed" else cdist(cloud(), cloud(), "cityblock") / 3
    d = distances(X, metric)
    n, columns = len(X), 6
    argument, sigma = BANDWIDTHS[bandwidth](d)
    if metric == "cosine" and bandwidth.startswith("callable"):  # those are of the scale of the cloud
        argument, sigma = (lambda rows, given=argument: given(rows) / 8), sigma / 8
    spectrum = diffusion_spectrum(X, bandwidth=argument, n_neighbors=NEIGHBORS, alpha=alpha, metric=metric)
    expected = moduli(operator(gaussian(d, sigma), alpha))
    allowed = off(n, delta(d, sigma, columns, rule=isinstance(argument, str)), alpha)
    assert np.abs(spectrum.eigenvalues - expected).max() <= allowed
    for t in [1, 2]:
        assert abs(spectrum.entropy(t) - shannon(expected, t)) <= diffusion_entropy_off(n, allowed, t)


@every_alpha
@pytest.mark.parametrize("scale", [1e-200, 1, 1e200])
def test_spectra_of_given_affinities_follow_the_formula(alpha, scale):
    """Whatever their unit, and where they are not positive definite. Entries are rounded once, by the unit."""
    G = 1 / (1 + distances(cloud()) ** 2) - np.eye(80)
    assert np.linalg.eigvalsh(G)[0] < 0
    spectrum = diffusion_spectrum(G * scale, metric="affinity", alpha=alpha)
    expected = moduli(operator(G, alpha))
    allowed = off(80, EPS, alpha)
    assert np.abs(spectrum.eigenvalues - expected).max() <= allowed
    assert abs(spectrum.entropy() - shannon(expected)) <= diffusion_entropy_off(80, allowed)


@every_alpha
@pytest.mark.parametrize("bandwidth", [9.5, "median", "knn"])
def test_a_surface_holds_the_entropies_of_each_spectrum(bandwidth, alpha):
    X = cloud()
    times, orders = [0.5, 1], [1, 2]
    surface = entropy_surface(X, [20.0, bandwidth], times, orders, [0.8, alpha], n_neighbors=NEIGHBORS)
    d = distances(X)
    sigma = {"median": median(d), "knn": self_tuning(d)}.get(bandwidth, bandwidth)
    expected = moduli(operator(gaussian(d, sigma), alpha))
    allowed = off(80, delta(d, sigma, 6, rule=True), alpha)
    spectrum = surface.spectra[1][1]
    assert np.abs(spectrum.eigenvalues - expected).max() <= allowed
    assert np.array_equal(surface.values[1, :, :, 1], spectrum.entropy(times, orders))


def test_rows_with_many_duplicates_take_the_smallest_positive_bandwidth():
    X = cloud()
    X[:20] = X[0]
    d = distances(X)
    assert (np.sort(d, axis=1)[:20, NEIGHBORS] == 0).all()
    sigma = self_tuning(d)
    spectrum = diffusion_spectrum(X, bandwidth="knn", n_neighbors=NEIGHBORS)
    assert np.abs(spectrum.parameters["bandwidth"] - sigma).max() <= 1e-12 * sigma.max()
    expected = moduli(operator(gaussian(d, sigma)))
    assert np.abs(spectrum.eigenvalues - expected).max() <= off(80, delta(d, sigma, 6, rule=True))


@every_alpha
def test_where_all_rows_have_many_duplicates_those_are_told_apart_from_all_else(alpha):
    """K is block diagonal, with blocks of 1/8: the eigenvalue 1 for each, and zeros."""
    X = np.repeat(cloud(10), 8, axis=0)
    spectrum = diffusion_spectrum(X, bandwidth="knn", n_neighbors=NEIGHBORS, alpha=alpha)
    assert np.abs(spectrum.eigenvalues - np.repeat([1.0, 0.0], [10, 70])).max() <= off(80, 0, alpha)


@every_alpha
@pytest.mark.parametrize("bandwidth", [3.0, "median", "knn"])
def test_equal_rows_have_one_eigenvalue_that_is_not_zero(bandwidth, alpha):
    spectrum = diffusion_spectrum(np.full((40, 3), 1.7), bandwidth=bandwidth, alpha=alpha)
    assert np.abs(spectrum.eigenvalues - np.eye(40)[0]).max() <= off(40, 0, alpha)


@every_alpha
def test_equal_bandwidths_of_all_rows_are_one_bandwidth(alpha):
    X = cloud()
    one = diffusion_spectrum(X, bandwidth=9.0, alpha=alpha)
    each = diffusion_spectrum(X, bandwidth=np.full(80, 9.0), alpha=alpha)
    allowed = off(80, delta(distances(X), 9.0, 6), alpha)
    assert np.abs(one.eigenvalues - each.eigenvalues).max() <= allowed


@pytest.mark.parametrize("factor", [1e-120, 1 / 3, 7, 1e120])
@pytest.mark.parametrize("bandwidth", ["median", "knn"])
def test_bandwidths_that_follow_the_data_make_the_spectrum_independent_of_scale(bandwidth, factor):
    """Scaling rounds an entry by eps / 2 of it, and so a row by eps of its length: as much as delta again."""
    X = cloud()
    one, other = (diffusion_spectrum(Y, bandwidth=bandwidth, n_neighbors=NEIGHBORS) for Y in (X, X * factor))
    d = distances(X)
    allowed = off(80, 2 * delta(d, self_tuning(d), 6, rule=True))
    assert np.abs(one.eigenvalues - other.eigenvalues).max() <= allowed


@pytest.mark.parametrize("exponent", [-300, -1, 9, 300])
@pytest.mark.parametrize("bandwidth", ["median", "knn"])
def test_scaling_by_a_power_of_two_changes_no_bit_of_the_spectrum(bandwidth, exponent):
    X = cloud()
    one, other = (diffusion_spectrum(Y, bandwidth=bandwidth) for Y in (X, X * 2.0**exponent))
    assert np.array_equal(one.eigenvalues, other.eigenvalues)
    assert np.array_equal(other.parameters["bandwidth"], one.parameters["bandwidth"] * 2.0**exponent)


@every_alpha
@pytest.mark.parametrize("bandwidth", [9.0, "median", "knn"])
@pytest.mark.parametrize("far", [1e7, -1e9])
def test_translation_changes_nothing(far, bandwidth, alpha):
    """It rounds nothing: entries are multiples of 2^-20, which numbers up to 2^32 have. What the mean is off by moves
    all rows alike.
    """
    X = np.round(cloud() * 2**20) / 2**20
    assert np.array_equal((X + far) - far, X)
    d = distances(X)
    one, other = (diffusion_spectrum(Y, bandwidth=bandwidth, n_neighbors=9, alpha=alpha) for Y in (X, X + far))
    allowed = off(80, 2 * delta(d, np.minimum(9.0, self_tuning(d, 9)), 6, rule=True), alpha)
    assert np.abs(one.eigenvalues - other.eigenvalues).max() <= allowed


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "longdouble"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed", "affinity"])
@pytest.mark.parametrize("bandwidth", [9.0, "median", "knn"])
def test_numbers_of_other_types_are_those_numbers(dtype, metric, bandwidth):
    X = cloud().astype(dtype)
    if metric in ("precomputed", "affinity"):
        X = (distances(cloud()) if metric == "precomputed" else 9 * gaussian(distances(cloud()), 9.0)).astype(dtype)
    one, other = (diffusion_spectrum(Y, metric=metric, bandwidth=bandwidth) for Y in (X, X.astype(float)))
    assert np.array_equal(one.eigenvalues, other.eigenvalues)


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "rows backwards": lambda X: X[::-1].copy()[::-1],
    "columns backwards": lambda X: X[:, ::-1].copy()[:, ::-1],
    "every other one": lambda X: np.kron(X, np.ones((2, 2)))[::2, 1::2],
    "not aligned": lambda X: np.frombuffer(b"\0" + X.tobytes(), np.uint8)[1:].view(float).reshape(X.shape),
    "read only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed", "affinity"])
def test_how_an_array_lies_in_memory_does_not_matter(layout, metric):
    X = cloud()
    if metric in ("precomputed", "affinity"):
        X = distances(X) if metric == "precomputed" else gaussian(distances(X), 9.0)
    again = layout(X)
    assert np.array_equal(X, again)
    assert X.strides != again.strides or not again.flags.aligned or not again.flags.writeable
    one, other = (diffusion_spectrum(Y, metric=metric, alpha=0.5) for Y in (X, again))
    assert np.array_equal(one.eigenvalues, other.eigenvalues)


def test_a_callable_is_given_the_rows_that_are_used():
    X, seen = cloud(), []
    diffusion_spectrum(X, bandwidth=lambda rows: seen.append(rows) or 5.0, max_samples=30, random_state=4)
    diffusion_spectrum(distances(X), bandwidth=lambda rows: seen.append(rows) or 5.0, metric="precomputed")
    assert np.array_equal(seen[0], X[random.Random(4).sample(range(80), k=30)])
    assert np.array_equal(seen[1], distances(X))


@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_a_subset_takes_its_own_bandwidths_along(metric):
    X = cloud() if metric == "euclidean" else distances(cloud())
    sigma = np.linspace(5, 15, 80)
    spectrum = diffusion_spectrum(X, bandwidth=sigma, metric=metric, max_samples=30, random_state=4)
    rows = random.Random(4).sample(range(80), k=30)
    part = X[rows] if metric == "euclidean" else X[np.ix_(rows, rows)]
    expected = diffusion_spectrum(part, bandwidth=sigma[rows], metric=metric)
    assert spectrum.n_samples == 30
    assert np.array_equal(spectrum.eigenvalues, expected.eigenvalues)


@every_alpha
@pytest.mark.parametrize("bandwidth", [4.0, "median"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("t", [1, 2.5, 5, 10])
def test_single_precision_has_the_accuracy_that_is_promised(t, metric, bandwidth, alpha):
    """The same eigenvalues without parameters, as the entropy would say where t saturates it."""
    X = cloud(300)
    single, double = (
        Spectrum(
            diffusion_spectrum(X, bandwidth=bandwidth, alpha=alpha, metric=metric, precision=precision).eigenvalues
        )
        for precision in ("single", "double")
    )
    assert not np.array_equal(single.eigenvalues, double.eigenvalues)
    orders = [1, 1.5, 2]
    assert np.abs(single.entropy(t, orders) - double.entropy(t, orders)).max() <= 1e-6 * math.sqrt(300)


# Bandwidths that follow the data. Distances have a relative error near 1e-12 (src/distance.rs).


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


# The same operator elsewhere.


def random_walk(X, sigma, alpha, **options):
    """pydiffmap's, dense. Its kernel is exp(-d^2 / (4 epsilon)), its neighbours count the row itself."""
    options = {"k": len(X), "epsilon": sigma**2 / 2, "neighbor_params": {"algorithm": "kd_tree"}, **options}
    built = DiffusionMap.from_sklearn(alpha=alpha, **options).construct_Lmat(X)  # L = (P - 1) / epsilon
    return np.eye(len(X)) + built.L.toarray() * built.epsilon_fitted


def difference(P, spectrum):
    """Of the moduli of the eigenvalues of a random walk matrix."""
    return np.abs(np.sort(np.abs(np.linalg.eigvals(P)))[::-1] - spectrum.eigenvalues).max()


def random_walk_off(X, sigma, alpha):
    """P = D^-1/2 K D^1/2: its norm, and how its eigenvalues move (Bauer & Fike), grow by sqrt(max D / min D) each."""
    d = distances(X)
    G = gaussian(d, sigma)
    q = G.sum(axis=1)
    degrees = (G / np.outer(q, q) ** alpha).sum(axis=1)
    return degrees.max() / degrees.min() * off(len(X), delta(d, sigma, X.shape[1]), alpha)


@every_alpha
@pytest.mark.parametrize("sigma", [3.0, 9.0])
def test_alpha_is_that_of_pydiffmap(sigma, alpha):
    """Its random walk matrix P is similar to K: it weights the columns of G by q^-alpha, and the factor of a row
    cancels where rows are normalised. Its kernel must be dense (k = N) and epsilon = sigma^2 / 2. With fewer
    neighbours, or its variable bandwidth of a density estimate, it is another operator.
    """
    X = cloud()
    spectrum = diffusion_spectrum(X, bandwidth=sigma, alpha=alpha)
    allowed = random_walk_off(X, sigma, alpha)
    assert difference(random_walk(X, sigma, alpha), spectrum) <= allowed
    assert difference(random_walk(X, sigma, alpha, k=20), spectrum) > allowed


@every_alpha
def test_one_bandwidth_a_row_is_that_of_pydiffmap(alpha):
    """It divides distances by sqrt(rho_i rho_j), so epsilon = 1/2. With a variable bandwidth its q are row sums over
    rho^2, which is another operator where alpha is not 0; told that the density is the row sums, it is this one.
    """
    X = cloud()
    sigma = self_tuning(distances(X))
    G = gaussian(distances(X), sigma)
    spectrum = diffusion_spectrum(X, bandwidth=sigma, alpha=alpha)
    allowed = random_walk_off(X, sigma, alpha)
    rho = {"bandwidth_type": lambda rows: sigma}
    plain = difference(random_walk(X, 1.0, alpha, **rho), spectrum)
    assert (plain <= allowed) if alpha == 0 else (plain > allowed)
    assert difference(random_walk(X, 1.0, alpha, **rho, density_fxn=lambda rows: G.sum(axis=1)), spectrum) <= allowed


@every_alpha
@pytest.mark.parametrize("sigma", [3.0, 9.0])
def test_alpha_is_the_anisotropy_of_graphtools(sigma, alpha):
    """Its kernel is exp(-(d / bandwidth)^decay), so decay = 2 and bandwidth = sqrt(2) sigma; its P is similar to K. A
    bandwidth a row is another operator: it scales rows, and takes the mean of that and its transpose.
    """
    X = cloud()

    def walk(bandwidth):
        graph = graphtools.Graph(
            X, graphtype="exact", knn=None, decay=2, bandwidth=bandwidth, thresh=0, anisotropy=alpha, verbose=0
        )
        return graph.P

    allowed = random_walk_off(X, sigma, alpha)
    assert difference(walk(math.sqrt(2) * sigma), diffusion_spectrum(X, bandwidth=sigma, alpha=alpha)) <= allowed
    each = sigma * np.linspace(0.5, 1.5, 80)
    allowed = random_walk_off(X, each, alpha)
    assert difference(walk(math.sqrt(2) * each), diffusion_spectrum(X, bandwidth=each, alpha=alpha)) > allowed


# Kernels as they are.


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
    """The least ones come out below 0, by the rounding of the matrix, and are 0."""
    K = KERNELS["cosine of low rank"].astype(dtype)
    expected = np.linalg.eigvalsh(K.astype(float))[::-1]
    assert expected[-1] < 0
    spectrum = kernel_spectrum(K)
    assert np.abs(spectrum.eigenvalues - np.maximum(expected, 0)).max() <= 2 * 60 * EPS * np.linalg.norm(K)


# Covariances.

SHAPES = pytest.mark.parametrize(("n", "d"), [(80, 6), (7, 30), (40, 40), (2, 5), (300, 1)])


def covariance_off(X):
    """An entry of X_c' X_c is off by n eps of the lengths of two columns, so the matrix by n eps of its trace; either
    by d in place of n where the other Gram matrix is taken.
    """
    return 2 * sum(X.shape) * EPS * X.var(axis=0, ddof=1).sum()


@SHAPES
@pytest.mark.parametrize("far", [0, 1000])
def test_covariance_spectra_are_those_of_numpy(n, d, far):
    """Far from the origin the rows themselves, and their mean, are rounded to eps of the distance."""
    X = cloud(n, d) * np.linspace(1, 3, d) + far
    expected = moduli(np.atleast_2d(np.cov(X.T)))
    spectrum = covariance_spectrum(X)
    assert len(spectrum) == d
    assert spectrum.n_samples == n
    moved = 4 * far * EPS * math.sqrt(d * np.atleast_2d(np.cov(X.T)).trace())
    assert np.abs(spectrum.eigenvalues - expected).max() <= covariance_off(X) + moved


@SHAPES
def test_linear_measures_of_dimension_follow_their_formulas(n, d):
    """Singular values are off by at most sqrt(off), and by off / sqrt(lambda) where lambda is not 0."""
    X = cloud(n, d) * np.linspace(1, 3, d)
    spectrum = covariance_spectrum(X)
    C = np.atleast_2d(np.cov(X.T))
    ratio = C.trace() ** 2 / (C**2).sum()
    allowed = covariance_off(X)
    assert abs(spectrum.participation_ratio() - ratio) <= 8 * d * allowed / C.trace() * ratio**2
    singular = np.zeros(d)
    singular[: min(n, d)] = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) / math.sqrt(n - 1)
    p = singular / singular.sum()
    roy_vetterli = math.exp(-sum(x * math.log(x) for x in p if x > 0))
    moved = np.minimum(math.sqrt(allowed), allowed / np.maximum(singular, 1e-300)).sum()
    if d > 1:  # of one alone it is 1
        bits = abs(math.log2(spectrum.effective_rank(0.5)) - math.log2(roy_vetterli))
        assert bits <= entropy_off(d, min(2 * moved / singular.sum(), 0.5))
    else:
        assert spectrum.effective_rank(0.5) == roy_vetterli == 1


# Affinities and graphs of neighbours.


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
    spectrum = adjacency_spectrum(X, bandwidth=argument, n_neighbors=NEIGHBORS, metric=metric)
    expected = moduli(gaussian(d, sigma))
    allowed = 2 * 80 * (delta(d, sigma, 6, rule=isinstance(argument, str)) + 80 * EPS)
    assert np.abs(spectrum.eigenvalues - expected).max() <= allowed


def test_the_spectrum_of_a_given_affinity_is_that_of_its_matrix():
    G = 1 / (1 + distances(cloud()) ** 2) - np.eye(80)
    spectrum = adjacency_spectrum(G, metric="affinity")
    assert np.abs(spectrum.eigenvalues - moduli(G)).max() <= 2 * 80 * EPS * np.linalg.norm(G)


def test_the_entropy_of_the_affinity_is_that_of_the_familiar_function():
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
def test_the_entropy_of_the_graph_is_that_of_the_familiar_function(n_neighbors):
    """Which counts the row itself, and adds eps to each p. Of a row alone only it can make a graph."""
    X = cloud()
    familiar = adjacency_spectral_entropy(X, use_knn=True, knn=n_neighbors + 1)
    if n_neighbors == 0:
        assert abs(familiar - math.log2(80)) <= 53 * 80 * EPS
        return
    ours = adjacency_spectrum(X, graph="knn", n_neighbors=n_neighbors).entropy()
    # Rounding below N eps of the largest eigenvalue is 0 here.
    assert abs(ours - familiar) <= 53 * 80 * 80 * EPS


# What is read off a spectrum, in closed form.


def log_of_powers(q, n, ratio):
    """log2 of 1 + r + ... + r^(n-1), with r = ratio^q."""
    log = q * math.log(ratio)
    return math.log2(math.expm1(n * log) / math.expm1(log))


def renyi_off(order, t, eigenvalues):
    """Logarithms of moduli are off by 2 eps of themselves, those of p by t times that and by the rounding of their
    sum; sums of p^q, in the closed form as well, by q times that, and the entropy by that over |q - 1|.
    """
    of_logs = EPS * (len(eigenvalues) + 2 * t * abs(math.log2(eigenvalues.min())))
    if order == 1:
        return 4 * of_logs * (1 + math.log2(len(eigenvalues)))
    return 4 * of_logs if order == INF else 4 * of_logs * (1 + order) / abs(order - 1)


@pytest.mark.parametrize("order", [0.5, 0.95, 1.05, 2, 3.5, 20, INF])
@pytest.mark.parametrize("t", [0.5, 1, 3])
@pytest.mark.parametrize(("ratio", "n"), [(0.5, 5), (0.5, 40), (0.9, 40)])
def test_renyi_entropies_of_a_geometric_spectrum(ratio, n, t, order):
    eigenvalues = 3.7 * ratio ** np.arange(n)
    if order == INF:
        expected = log_of_powers(t, n, ratio)
    else:
        expected = (log_of_powers(order * t, n, ratio) - order * log_of_powers(t, n, ratio)) / (1 - order)
    assert abs(Spectrum(eigenvalues).entropy(t, order) - expected) <= renyi_off(order, t, eigenvalues / 3.7)


@pytest.mark.parametrize("t", [0.5, 1, 3])
@pytest.mark.parametrize(("ratio", "n"), [(0.5, 5), (0.5, 40), (0.9, 40)])
def test_shannon_entropy_of_a_geometric_spectrum(ratio, n, t):
    """H = log2 S - (sum of i r^i / S) log2 r, r = ratio^t, S the sum of r^i; and what orders 1 and 2 define."""
    eigenvalues = ratio ** np.arange(n)
    r = ratio**t
    S = (1 - r**n) / (1 - r)
    weighted = r * (1 - n * r ** (n - 1) + (n - 1) * r**n) / (1 - r) ** 2
    expected = math.log2(S) - weighted / S * math.log2(r)
    spectrum = Spectrum(eigenvalues)
    # 1 - r is at least 1/20, and its square divides.
    allowed = renyi_off(1, t, eigenvalues) + 400 * 8 * EPS
    assert abs(spectrum.entropy(t) - expected) <= allowed
    assert spectrum.effective_rank(t) == pytest.approx(2**expected, rel=allowed)
    assert spectrum.participation_ratio(t) == pytest.approx(2 ** spectrum.entropy(t, 2), rel=8 * EPS)


@pytest.mark.parametrize("order", [0, 0.5, 1, 2, 7, INF])
@pytest.mark.parametrize("t", [0.1, 1, 30])
@pytest.mark.parametrize("zeros", [0, 3])
@pytest.mark.parametrize("n", [1, 2, 8, 13])
def test_n_equal_eigenvalues_have_the_entropy_log_n_of_every_order(n, zeros, t, order):
    """Zeros beside them count where t is 0 only."""
    spectrum = Spectrum([0.3] * n + [0.0] * zeros)
    allowed = 4 * n * EPS * (1 + order if order < INF else 1)
    assert abs(spectrum.entropy(t, order) - math.log2(n)) <= allowed
    assert abs(spectrum.entropy(0, order) - math.log2(n + zeros)) <= allowed
    for base in [math.e, 10, 7.5]:
        assert abs(spectrum.entropy(t, order, base=base) - math.log(n, base)) <= allowed
    most = math.log2(n + zeros)
    assert abs(spectrum.entropy(t, order, normalized=True) - (math.log2(n) / most if most else 0)) <= allowed


@pytest.mark.parametrize("order", [0.5, 0.999, 1, 1.001, 2, 9, INF])
@pytest.mark.parametrize("t", [0.5, 1, 2])
@pytest.mark.parametrize("p", [0.5, 0.75, 0.999, 1 - 2**-30])
def test_renyi_entropies_of_two_probabilities(p, t, order):
    eigenvalues = np.array([p, -(1 - p)])
    eigenvalues = np.sign(eigenvalues) * np.abs(eigenvalues) ** (1 / t)
    if order == 1:
        expected = -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    elif order == INF:
        expected = -math.log2(p)
    else:
        expected = math.log2(p**order + (1 - p) ** order) / (1 - order)
    spectrum = Spectrum(eigenvalues)
    allowed = renyi_off(order, t, np.abs(eigenvalues))
    assert abs(spectrum.entropy(t, order) - expected) <= allowed
    assert abs(spectrum.entropy(t, order, normalized=True) - expected) <= allowed
    assert abs(spectrum.entropy(t, order, base=4) - expected / 2) <= allowed


def test_entropies_of_several_times_and_orders_are_those_of_each():
    spectrum = Spectrum(0.8 ** np.arange(20))
    times, orders = [0, 0.5, 2], [0, 1, 2, INF]
    table = spectrum.entropy(times, orders)
    assert table.tolist() == [[spectrum.entropy(t, order) for order in orders] for t in times]
    assert spectrum.entropy(times).tolist() == table[:, 1].tolist()
    assert spectrum.entropy(2, orders).tolist() == table[2].tolist()
