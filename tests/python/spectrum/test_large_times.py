"""Estimates at large t, of spectra that are dense near 1: their bounds hold, and are reached or warned of."""

import warnings

import numpy as np
import pytest
from dsentropy import (
    EstimatedSpectrum,
    Stochastic,
    ToleranceWarning,
    diffusion_spectral_entropy,
    diffusion_spectrum,
    estimate_bandwidth,
    kernel_spectrum,
)
from sklearn.datasets import load_digits, make_swiss_roll

T = [8.0, 10.0, 20.0, 30.0, 100.0, 300.0]
ORDERS = [0.5, 1.0, 2.0, np.inf]
N = 400

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

RNG = np.random.default_rng(0)
PLACE = np.sort(RNG.uniform(size=N))
GRID = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)
ROLL = make_swiss_roll(N, random_state=0)[0]
GRAPH = {"graph": "knn", "bandwidth": "knn"}
DATA = {
    "swiss roll, graph": (ROLL, GRAPH),
    "swiss roll": (ROLL, {"bandwidth": 1.5}),
    "line": (N * PLACE[:, None], {"bandwidth": 3.0}),
    "curve": (np.stack([np.cos(5 * PLACE), np.sin(7 * PLACE), PLACE], axis=1), {"bandwidth": 0.05}),
    "curve, self-tuning": (np.stack([np.cos(5 * PLACE), np.sin(7 * PLACE)], axis=1), {"bandwidth": "knn"}),
    "grid, alpha 1": (GRID, {"bandwidth": 0.1 * estimate_bandwidth(GRID), "alpha": 1.0}),
    "random walk, graph": (RNG.normal(size=(N, 16)).cumsum(axis=0), GRAPH),
    "digits, graph": (load_digits().data[:N], GRAPH),
}
# The memory that an estimate of N rows may use, which has no room for the matrix of the exact solver.
NO_ROOM = 8 * N * (N + 700) + 16 * N * 64


@pytest.mark.slow
@pytest.mark.parametrize("asked", [[1.0], T], ids=["t = 1 asked", "all t asked"])
@pytest.mark.parametrize("name", DATA)
def test_errors_are_within_two_standard_errors_and_the_bounds(name, asked):
    """In 95% of 20 seeds for each t and order, whether the estimate was made for that t or not."""
    X, made = DATA[name]
    exact = diffusion_spectrum(X, **made).entropy(T, ORDERS)
    solver = Stochastic(tol=1e-2, t=asked, orders=ORDERS, memory_limit=NO_ROOM, max_products=1500)
    covered = []
    for seed in range(20):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ToleranceWarning)  # not every bound closes within these products
            spectrum = diffusion_spectrum(X, **made, solver=solver, random_state=seed, num_threads=1)
        assert type(spectrum) is EstimatedSpectrum
        value, (lower, upper) = spectrum.entropy(T, ORDERS), spectrum.bounds(T, ORDERS)
        assert (lower <= value).all()
        assert (value <= upper).all()
        reach = np.maximum(upper - value, value - lower)
        covered.append(np.abs(value - exact) <= 2 * spectrum.standard_error(T, ORDERS) + reach + 1e-12)
    assert np.mean(covered, axis=0).min() >= 0.95


@pytest.mark.parametrize("t", [20, 100, 300])
def test_a_graph_of_neighbours_has_its_entropy_at_large_t(t):
    """At the default settings: an estimate within its uncertainty, or the exact solver, and no warning."""
    X = make_swiss_roll(2000, random_state=0)[0]
    exact = diffusion_spectrum(X, **GRAPH).entropy(t)
    spectrum = diffusion_spectrum(X, **GRAPH, solver=Stochastic(tol=1e-2, t=t))
    lower, upper = spectrum.bounds(t)
    reach = max(upper - spectrum.entropy(t), spectrum.entropy(t) - lower)
    assert abs(spectrum.entropy(t) - exact) <= 3 * spectrum.standard_error(t) + reach + 1e-12
    assert spectrum.standard_error(t) + reach <= 1e-2


def test_the_reference_at_a_very_large_t_is_estimated_or_computed():
    points = np.random.default_rng(0).uniform(0, 2000, size=(2000, 1))
    made = {"gaussian_kernel_sigma": 3, "t": 10_000}
    exact = diffusion_spectral_entropy(points, **made)
    assert exact > 2
    estimate = diffusion_spectral_entropy(points, **made, solver="stochastic", tol=1e-2)
    assert abs(estimate - exact) <= 3e-2


def test_a_tolerance_that_bounds_do_not_reach_gives_a_warning():
    X, made = DATA["swiss roll"]
    solver = Stochastic(tol=1e-2, t=300, memory_limit=NO_ROOM, max_products=100)
    with pytest.warns(ToleranceWarning, match="is not reached"):
        spectrum = diffusion_spectrum(X, **made, solver=solver)
    lower, upper = spectrum.bounds(300)
    assert upper - lower > 1e-2
    assert lower <= diffusion_spectrum(X, **made).entropy(300) <= upper


@pytest.mark.parametrize("t", [0.5, 0.7, 1.0, 2.0])
def test_copies_of_a_small_eigenvalue_are_not_dropped(t):
    """The Krylov space of 16 vectors on equal classes is invariant, and holds 16 of 99 equal eigenvalues."""
    classes = np.arange(500) % 100
    distances = np.sqrt(2.0) * (classes[:, None] != classes)
    made = {"metric": "precomputed", "bandwidth": 500.0}
    exact = diffusion_spectrum(distances, **made).entropy(t)
    spectrum = diffusion_spectrum(distances, **made, solver=Stochastic(tol=1e-2, t=t))
    lower, upper = spectrum.bounds(t)
    allowed = 3 * spectrum.standard_error(t) + 1e-9
    assert lower - allowed <= exact <= upper + allowed


def test_values_are_entropies_where_nothing_is_proved():
    """Readings at times and orders that were not asked for are between 0 and log2 N, and fall with t."""
    X, made = DATA["swiss roll"]
    spectrum = diffusion_spectrum(X, **made, solver=Stochastic(tol=1e-2, t=1, memory_limit=NO_ROOM))
    times = [30.0, 100.0, 300.0, 1e3, 1e4]
    for order in (0.9, 1.0, 1.1, np.inf):
        values = spectrum.entropy(times, order=order)
        assert (values >= 0).all()
        assert (values <= np.log2(N)).all()
        assert (np.diff(values) < 0.1).all()


class Products:
    """A matrix that is known by its products alone."""

    def __init__(self, matrix):
        self.matrix, self.shape, self.dtype = matrix, matrix.shape, matrix.dtype

    def matmat(self, block):
        return self.matrix @ block


def test_products_alone_have_no_bound_above_their_degree():
    """Nothing bounds the eigenvalues of an object, so only their number bounds the entropy of large powers."""
    rows = np.random.default_rng(0).normal(size=(N, 12))
    K = np.exp(-((rows[:, None] - rows[None]) ** 2).sum(axis=2) / 8)
    solver = Stochastic(tol=1e-2, memory_limit=NO_ROOM)
    spectrum = kernel_spectrum(Products(K), solver=solver)
    assert type(spectrum) is EstimatedSpectrum
    lower, upper = spectrum.bounds(300, order=np.inf)
    assert (lower, upper) == (0, np.log2(N))
    for t in (1, 1.5):
        lower, upper = spectrum.bounds(t)
        assert upper - lower < 2e-2
