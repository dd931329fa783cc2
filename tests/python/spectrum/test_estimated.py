"""Estimated spectra: the error is what they say it is, and the tolerance is kept or it is said that it is not."""

import copy
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from dsentropy import (
    EstimatedSpectrum,
    Spectrum,
    Stochastic,
    ToleranceWarning,
    diffusion_spectral_entropy,
    diffusion_spectrum,
    kernel_spectrum,
)
from sklearn.datasets import load_digits

T = [1, 2, 5]
ORDERS = [1, 2]

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


def blobs(n, d):
    rng = np.random.default_rng(0)
    return 3 * rng.normal(size=(10, d))[rng.integers(0, 10, n)] + 0.5 * rng.normal(size=(n, d))


RNG = np.random.default_rng(0)
DATA = {
    "digits, 10": (load_digits().data[:900], 10.0),
    "digits, 30": (load_digits().data[:900], 30.0),
    "uniform": (RNG.uniform(size=(900, 64)), 2.0),
    "rank 10": (RNG.normal(size=(900, 10)) @ RNG.normal(size=(10, 64)), 15.0),
    "blobs": (blobs(900, 64), 10.0),
    "blobs, narrow": (blobs(900, 64), 4.0),
    "plane": (RNG.normal(size=(900, 2)), 0.3),
    "duplicates": (RNG.normal(size=(60, 4))[RNG.integers(0, 60, 900)], 1.0),
    "identical rows": (np.ones((900, 3)), 1.0),
    "rows far apart": (1e3 * np.arange(900.0)[:, None], 1.0),
}


FORCED = Stochastic(t=T, orders=ORDERS, storage="tiled", memory_limit=12_000_000, max_products=50_000)
"""Never the exact solver: where memory has no room for a matrix there is none."""


def estimate(
    X, bandwidth, *, alpha=0.0, metric="euclidean", graph="gaussian", random_state=0, num_threads=None, **slq
):
    if graph == "knn":  # a sparse operator is always stored
        slq = {"storage": "auto", **slq}
    return diffusion_spectrum(
        X,
        bandwidth=bandwidth,
        alpha=alpha,
        metric=metric,
        graph=graph,
        random_state=random_state,
        num_threads=num_threads,
        solver=replace(FORCED, **slq),
    )


DECAYING = ["digits, 30", "uniform", "blobs", "duplicates", "identical rows", "rows far apart"]
INDEFINITE = {
    "self-tuning": {"bandwidth": "knn"},
    "graph of neighbours": {"bandwidth": "knn", "graph": "knn"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tol"),
    [
        *((name, tol) for name in DATA for tol in (1e-2, 3e-3)),
        *((name, tol) for name in DECAYING for tol in (1e-3, 3e-4)),
        *((name, 1e-2) for name in INDEFINITE),
    ],
)
def test_errors_are_covered_and_below_the_tolerance(name, tol):
    """Over 20 seeds: within three standard errors and the bracket in 95%, and below tol in the mean square."""
    made = INDEFINITE.get(name)
    X, sigma = DATA["digits, 10" if made else name]
    made = made or {"bandwidth": sigma}
    exact = diffusion_spectrum(X, **made).entropy(T, ORDERS)
    covered, squared = [], []
    for seed in range(20):
        spectrum = estimate(X, **made, tol=tol, random_state=seed)
        assert type(spectrum) is EstimatedSpectrum
        error = np.abs(spectrum.entropy(T, ORDERS) - exact)
        lower, upper = spectrum.bounds(T, ORDERS)
        allowed = 3 * spectrum.standard_error(T, ORDERS) + 1e-9
        covered.append((lower - allowed <= exact) & (exact <= upper + allowed))
        squared.append(error**2)
    assert np.mean(covered, axis=0).min() >= 0.95
    assert np.sqrt(np.mean(squared, axis=0)).max() <= tol


def test_an_estimate_says_what_it_is():
    X, sigma = DATA["blobs"]
    spectrum = estimate(X, sigma, tol=1e-2)
    assert isinstance(spectrum, Spectrum)
    assert "estimate: standard error" in repr(spectrum)
    assert f"products={spectrum.parameters['products']}" in repr(spectrum)
    assert len(spectrum) == spectrum.n_samples == 900
    lower, upper = spectrum.bounds()
    assert lower <= spectrum.entropy() <= upper
    assert spectrum.standard_error(T, ORDERS).shape == (3, 2)
    assert spectrum.entropy(0) == np.log2(900)
    assert spectrum.standard_error(0) == 0
    assert spectrum.bounds(0) == (np.log2(900), np.log2(900))


def test_what_cannot_be_estimated_is_an_error():
    X, sigma = DATA["blobs"]
    spectrum = estimate(X, sigma, tol=1e-1)
    with pytest.raises(AttributeError, match="has no eigenvalues"):
        _ = spectrum.eigenvalues
    with pytest.raises(AttributeError, match="other"):
        _ = spectrum.other
    with pytest.raises(ValueError, match="threshold"):
        spectrum.count(0.5)
    with pytest.raises(ValueError, match="order must be positive"):
        spectrum.entropy(order=[0, 1])
    with pytest.raises(AttributeError, match="cannot be changed"):
        spectrum.n_samples = 3


def test_an_exact_spectrum_has_no_uncertainty():
    spectrum = diffusion_spectrum(DATA["plane"][0], bandwidth=1.0)
    assert spectrum.standard_error() == 0
    assert spectrum.bounds() == (spectrum.entropy(), spectrum.entropy())


def test_the_exact_solver_is_taken_where_it_costs_less_and_is_reported():
    X, sigma = DATA["plane"]
    spectrum = diffusion_spectrum(X, bandwidth=sigma, solver=Stochastic(tol=1e-8))
    assert type(spectrum) is Spectrum
    assert "solver=exact, requested_solver=stochastic" in repr(spectrum)
    assert spectrum.entropy() == pytest.approx(diffusion_spectral_entropy(X, sigma), abs=1e-10)


def test_a_tolerance_that_is_missed_is_said():
    X, sigma = DATA["digits, 10"]
    with pytest.warns(ToleranceWarning, match="tol = 1e-06 bits is not reached within") as caught:
        spectrum = estimate(X, sigma, tol=1e-6, max_products=300)
    assert caught[0].filename == __file__
    assert spectrum.parameters["products"] >= 300
    exact = diffusion_spectral_entropy(X, sigma)
    lower, upper = spectrum.bounds()
    assert abs(spectrum.entropy() - exact) <= 4 * spectrum.standard_error() + (upper - lower)


def test_a_seed_gives_the_same_bits_on_any_number_of_threads():
    X, sigma = DATA["rank 10"]
    one, two = (estimate(X, sigma, tol=1e-2, num_threads=threads) for threads in (1, 2))
    assert np.array_equal(one.entropy(T, ORDERS), two.entropy(T, ORDERS))
    other = estimate(X, sigma, tol=1e-2, random_state=1)
    assert not np.array_equal(one.entropy(T, ORDERS), other.entropy(T, ORDERS))


def test_storage_changes_nothing_beyond_rounding():
    X, sigma = DATA["blobs"]
    tiled, dense = (estimate(X, sigma, storage=storage, memory_limit=None) for storage in ("tiled", "dense"))
    if type(tiled) is EstimatedSpectrum:
        assert tiled.entropy(T) == pytest.approx(dense.entropy(T), abs=1e-9)


def test_alpha_and_cosine():
    X = DATA["blobs"][0]
    for options in [{"alpha": 1.0}, {"alpha": 0.5, "metric": "cosine"}]:
        sigma = 10.0 if len(options) == 1 else 0.7
        exact = diffusion_spectrum(X, bandwidth=sigma, **options)
        spectrum = estimate(X, sigma, tol=1e-3, **options)
        lower, upper = spectrum.bounds(T)
        allowed = 4 * spectrum.standard_error(T) + (upper - lower) + 1e-9
        assert (np.abs(spectrum.entropy(T) - exact.entropy(T)) <= allowed).all()


def test_readings_that_were_not_asked_for_tell_their_error():
    X, sigma = DATA["digits, 10"]
    exact = diffusion_spectrum(X, bandwidth=sigma)
    spectrum = estimate(X, sigma, tol=1e-2)
    t, order = [0.5, 1, 3.5], [0.5, 1 + 1e-9, 3, np.inf]
    lower, upper = spectrum.bounds(t, order)
    allowed = 4 * spectrum.standard_error(t, order) + (upper - lower) + 1e-6
    assert (np.abs(spectrum.entropy(t, order) - exact.entropy(t, order)) <= allowed).all()
    assert spectrum.effective_rank() == pytest.approx(2 ** spectrum.entropy())
    assert spectrum.participation_ratio() == pytest.approx(2 ** spectrum.entropy(order=2))


def test_files_copies_and_pickles_are_the_same(tmp_path):
    X, sigma = DATA["blobs"]
    spectrum = estimate(X, sigma, tol=1e-2)
    spectrum.save(tmp_path / "estimate")
    loaded = Spectrum.load(tmp_path / "estimate", X=X)
    for other in [loaded, copy.deepcopy(spectrum), pickle.loads(pickle.dumps(spectrum))]:
        assert type(other) is EstimatedSpectrum
        assert np.array_equal(other.entropy(T, ORDERS), spectrum.entropy(T, ORDERS))
        assert np.array_equal(other.standard_error(T, ORDERS), spectrum.standard_error(T, ORDERS))
        assert (other.parameters, other.fingerprint) == (spectrum.parameters, spectrum.fingerprint)
    with pytest.raises(ValueError, match="made from other data"):
        Spectrum.load(tmp_path / "estimate", X=X + 1)


@pytest.mark.parametrize(
    ("options", "argument", "error"),
    [
        ({"tol": 0}, "tol", ValueError),
        ({"tol": "1"}, "tol", TypeError),
        ({"t": 0}, "t", ValueError),
        ({"orders": [1, 0]}, "orders", ValueError),
        ({"max_products": 0}, "max_products", ValueError),
        ({"storage": "sparse"}, "storage", ValueError),
        ({"memory_limit": 0}, "memory_limit", ValueError),
    ],
)
def test_bad_requests_are_named(options, argument, error):
    X, sigma = DATA["blobs"]
    with pytest.raises(error, match=rf"\b{argument}\b"):
        diffusion_spectrum(X, bandwidth=sigma, solver=Stochastic(**options))


def test_memory_is_bounded():
    X, sigma = DATA["blobs"]
    with pytest.raises(MemoryError, match="900 rows need"):
        estimate(X, sigma, memory_limit=1_000_000)
    with pytest.raises(MemoryError, match="900 rows need"):
        estimate(X, sigma, memory_limit=10_000_000, storage="dense")


@pytest.mark.parametrize("n", [1, 2, 3, 17, 100])
def test_few_rows(n):
    X = DATA["plane"][0][:n]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ToleranceWarning)
        spectrum = estimate(X, 1.0, tol=1e-4)
    exact = diffusion_spectrum(X, bandwidth=1.0)
    assert spectrum.entropy(T) == pytest.approx(exact.entropy(T), abs=1e-4)


@pytest.mark.changes_process  # Python's global generator
def test_no_seed_draws_one():
    X, sigma = DATA["blobs"]
    one, two = (estimate(X, sigma, tol=1e-2, random_state=None) for _ in range(2))
    assert not np.array_equal(one.entropy(T), two.entropy(T))


def test_the_largest_eigenvalue_is_uncertain_where_it_is_not_known():
    n = 400
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(n, n)))[0]
    for eigenvalues in (np.linspace(1e-6, 1, n), np.r_[1, np.linspace(0, 0.3, n - 1)]):
        matrix = (rotation * eigenvalues) @ rotation.T
        matrix = (matrix + matrix.T) / 2
        exact = kernel_spectrum(matrix).entropy(1, np.inf)
        for order in (np.inf, 1):  # asked for or not
            solver = Stochastic(tol=1e-2, orders=order, memory_limit=8 * n * (n + 700))
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ToleranceWarning)
                found = kernel_spectrum(matrix, solver=solver)
            assert isinstance(found, EstimatedSpectrum)
            # Nothing proves that the largest Ritz value is the largest eigenvalue of a kernel.
            assert len(caught) == (order == np.inf)
            lower, upper = found.bounds(1, np.inf)
            error = 3 * found.standard_error(1, np.inf) + 1e-9
            assert lower - error <= exact <= upper + error
