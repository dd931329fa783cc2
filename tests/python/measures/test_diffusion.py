"""Diffusion spectra follow their formula, and are those of other packages."""

import math
import random

import graphtools
import numpy as np
import pytest
from dsentropy import (
    Spectrum,
    diffusion_spectrum,
    entropy_surface,
)
from numpy_formulas import (
    BANDWIDTHS,
    EPS,
    NEIGHBORS,
    cloud,
    delta,
    diffusion_entropy_off,
    distances,
    gaussian,
    median,
    moduli,
    neighbors_of,
    off,
    operator,
    self_tuning,
    shannon,
)
from pydiffmap.diffusion_map import DiffusionMap
from scipy.spatial.distance import cdist

ALPHAS = [0, 0.3, 0.5, 1]
every_alpha = pytest.mark.parametrize("alpha", ALPHAS)


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
    spectrum = diffusion_spectrum(X, bandwidth=argument, **neighbors_of(argument), alpha=alpha, metric=metric)
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
    surface = entropy_surface(X, [20.0, bandwidth], times, orders, [0.8, alpha], **neighbors_of(bandwidth))
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
    one, other = (diffusion_spectrum(Y, bandwidth=bandwidth, **neighbors_of(bandwidth)) for Y in (X, X * factor))
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
    one, other = (
        diffusion_spectrum(Y, bandwidth=bandwidth, **neighbors_of(bandwidth, 9), alpha=alpha) for Y in (X, X + far)
    )
    allowed = off(80, 2 * delta(d, np.minimum(9.0, self_tuning(d, 9)), 6, rule=True), alpha)
    assert np.abs(one.eigenvalues - other.eigenvalues).max() <= allowed


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "longdouble"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed", "affinity"])
@pytest.mark.parametrize("bandwidth", [9.0, "median", "knn"])
def test_numbers_of_other_types_are_those_numbers(dtype, metric, bandwidth):
    X = cloud().astype(dtype)
    if metric in ("precomputed", "affinity"):
        X = (distances(cloud()) if metric == "precomputed" else 9 * gaussian(distances(cloud()), 9.0)).astype(dtype)
    options = {"metric": metric} if metric == "affinity" else {"metric": metric, "bandwidth": bandwidth}
    one, other = (diffusion_spectrum(Y, **options) for Y in (X, X.astype(float)))
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
    """Spectra of eigenvalues alone have no parameters, so no warning where t saturates the entropy."""
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


# Other ways to the diffusion operator.


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
