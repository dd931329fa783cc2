"""Objects that multiply, and state the rounding of their products or that no eigenvalue is negative."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from dsentropy import EstimatedSpectrum, Spectrum, Stochastic, adjacency_spectrum, diffusion_spectrum, kernel_spectrum
from dsentropy._operator.linear_operators import as_operator
from scipy.sparse.linalg import LaplacianNd, LinearOperator, aslinearoperator

pytestmark = [
    pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning"),
    pytest.mark.filterwarnings("ignore::dsentropy.ToleranceWarning"),
]

N = 900
T = [0.5, 1, 2, 5]
X = np.random.default_rng(0).normal(size=(N, 4)) + 4.0 * (np.arange(N) % 3)[:, None]
DISTANCES = np.linalg.norm(X[:, None] - X, axis=-1)
NARROW, WIDE = np.exp(-(DISTANCES**2) / 2), np.exp(-(DISTANCES**2) / 32)
NO_MATRIX = 12_000_000  # bytes: an estimate fits, a matrix [N, N] beside it does not


class Multiplying:
    """An object with what it needs, and the attributes that it is given."""

    def __init__(self, matrix, **attributes):
        self.matrix, self.shape = matrix, matrix.shape
        vars(self).update(attributes)

    def matmat(self, block):
        return self.matrix @ block.astype(self.matrix.dtype)


class Noisy(Multiplying):
    """An object each of whose products has a new error, of this part of the products with random vectors."""

    def __init__(self, matrix, error, **attributes):
        super().__init__(matrix, **attributes)
        self.error, self.rng = error, np.random.default_rng(1)

    def matmat(self, block):
        noise = self.rng.normal(size=block.shape) * np.linalg.norm(block, axis=0) / N
        return self.matrix @ block + self.error * np.linalg.norm(self.matrix) * noise


def spectrum_of(kind, given, **options):
    solver = Stochastic(t=T, orders=[1, 2], memory_limit=NO_MATRIX, **options)
    if kind == "kernel":
        return kernel_spectrum(given, solver=solver)
    function = diffusion_spectrum if kind == "diffusion" else adjacency_spectrum
    return function(given, metric="affinity", solver=solver)


def exact_of(kind, G):
    scale = G.sum(axis=1) ** -0.5 if kind == "diffusion" else np.ones(len(G))
    return Spectrum(np.abs(np.linalg.eigvalsh(G * np.outer(scale, scale))))


def contains(estimate, exact, order):
    assert type(estimate) is EstimatedSpectrum
    lower, upper = estimate.bounds(T, order=order)
    sampling = 4 * estimate.standard_error(T, order=order)
    value = exact.entropy(T, order=order)
    assert (lower - sampling <= value).all(), (lower - sampling, value)
    assert (value <= upper + sampling).all(), (value, upper + sampling)


GIVEN = {
    "single": lambda G, **stated: Multiplying(G.astype(np.float32), rounding=1e-6, **stated),
    "slightly noisy": lambda G, **stated: Noisy(G, 1e-6, rounding=1e-6, **stated),
    "noisy": lambda G, **stated: Noisy(G, 1e-3, rounding=1e-3, **stated),
}


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("kind", ["diffusion", "affinity", "kernel"])
@pytest.mark.parametrize("form", GIVEN)
def test_bounds_allow_for_the_rounding_that_is_stated(form, kind, positive):
    for G in (NARROW, WIDE):
        given = GIVEN[form](G, positive_semidefinite=positive)
        estimate, exact = spectrum_of(kind, given, tol=1e-1, max_products=300), exact_of(kind, G)
        for order in (1, 2):
            contains(estimate, exact, order)


@pytest.mark.parametrize("kind", ["diffusion", "affinity", "kernel"])
def test_a_larger_rounding_widens_the_bounds(kind):
    widths = []
    for rounding in [1e-8, 1e-5, 1e-3]:
        # Products in float64, so that nothing but the statement differs.
        estimate = spectrum_of(kind, Multiplying(NARROW, rounding=rounding), tol=1e-1, max_products=224)
        lower, upper = estimate.bounds([1, 2])
        widths.append(upper - lower)
    assert (np.diff(widths, axis=0) > 0).all(), widths
    # An unresolved part r of the sum of moduli moves the entropy by r log2(N / r) to either side.
    assert (widths[2] - widths[1] > 2 * 1e-3 * np.log2(N / 1e-3) - 1e-2).all(), widths


@pytest.mark.parametrize("kind", ["diffusion", "affinity"])
def test_bounds_without_negative_eigenvalues_are_narrower(kind):
    either, positive = (
        spectrum_of(kind, Multiplying(NARROW, **stated), tol=1e-6, max_products=300)
        for stated in ({}, {"positive_semidefinite": True})
    )
    assert either.parameters["products"] == positive.parameters["products"]
    assert "through the square" in repr(either)
    assert "through the square" not in repr(positive)
    for estimate in (either, positive):
        contains(estimate, exact_of(kind, NARROW), 1)
    width = [np.diff(estimate.bounds([0.5, 1, 1.5]), axis=0) for estimate in (either, positive)]
    assert (width[1] < 0.9 * width[0]).all(), width


@pytest.mark.parametrize("kind", ["diffusion", "affinity", "kernel"])
def test_none_states_nothing(kind):
    options = {"tol": 1e-2, "max_products": 300}
    without = spectrum_of(kind, Multiplying(NARROW), **options)
    unstated = {"rounding": None, "positive_semidefinite": None}
    for stated in [unstated, {"positive_semidefinite": False}]:
        other = spectrum_of(kind, Multiplying(NARROW, **stated), **options)
        assert np.array_equal(other.bounds(T), without.bounds(T))
        assert np.array_equal(other.entropy(T), without.entropy(T))


def test_rounding_below_that_of_sums_in_float64_counts_as_that():
    exact, small = (as_operator(Multiplying(NARROW, rounding=r), "X", affinities=True) for r in (1e-15, 1e-12))
    assert exact.rounding == small.rounding == as_operator(Multiplying(NARROW), "X", affinities=True).rounding


@pytest.mark.parametrize("rounding", [1e-3, np.float32(1e-3), np.array(1e-3)])
@pytest.mark.parametrize("positive", [True, np.bool_(True), np.array(True)])
def test_numbers_of_numpy_are_numbers(rounding, positive):
    given = as_operator(Multiplying(NARROW, rounding=rounding, positive_semidefinite=positive), "X", affinities=True)
    assert given.rounding == pytest.approx(1e-3)
    assert given.positive_semidefinite is True


@pytest.mark.parametrize(
    ("attributes", "error", "text"),
    [
        ({"rounding": 0}, ValueError, "rounding must be above 0 and below 1, got 0"),
        ({"rounding": 1.0}, ValueError, "rounding must be above 0 and below 1, got 1.0"),
        ({"rounding": -1e-6}, ValueError, "rounding must be above 0 and below 1, got -1e-06"),
        ({"rounding": np.nan}, ValueError, "rounding must be above 0 and below 1, got nan"),
        ({"rounding": np.inf}, ValueError, "rounding must be above 0 and below 1, got inf"),
        ({"rounding": 1e-30}, ValueError, "rounding must be at least 1.1e-16, the unit roundoff"),
        ({"rounding": "1e-6"}, TypeError, "rounding must be a real number, got '1e-6'"),
        ({"rounding": True}, TypeError, "rounding must be a real number, got True"),
        ({"rounding": 1j}, TypeError, "rounding must be a real number, got 1j"),
        ({"rounding": [1e-6]}, TypeError, "rounding must be a real number"),
        ({"rounding": np.full(1, 1e-6)}, TypeError, "rounding must be a real number"),
        ({"rounding": lambda: 1e-6}, TypeError, "rounding must be a value, got .*make it a property"),
        ({"positive_semidefinite": lambda: True}, TypeError, "positive_semidefinite must be a value"),
        ({"positive_semidefinite": 1}, TypeError, "positive_semidefinite must be True or False, got 1"),
        ({"positive_semidefinite": "no"}, TypeError, "positive_semidefinite must be True or False, got 'no'"),
        ({"positive_semidefinite": [True]}, TypeError, "positive_semidefinite must be True or False"),
    ],
)
def test_statements_that_cannot_hold_are_named(attributes, error, text):
    for kind, name in [("diffusion", "X"), ("affinity", "X"), ("kernel", "K")]:
        with pytest.raises(error, match=rf"^{name}\.{text}"):
            spectrum_of(kind, Multiplying(np.eye(9), **attributes))


def test_products_in_single_precision_are_not_more_exact_than_it():
    with pytest.raises(ValueError, match=r"X\.rounding must be at least 6e-08, the unit roundoff .* leave it out"):
        spectrum_of("affinity", Multiplying(np.eye(9, dtype=np.float32), rounding=1e-9))


@pytest.mark.parametrize("solver", ["exact", Stochastic(memory_limit=NO_MATRIX), Stochastic(tol=1e-9)])
@pytest.mark.parametrize("function", [diffusion_spectrum, adjacency_spectrum])
def test_an_eigenvalue_below_zero_contradicts_the_statement(function, solver):
    G = np.tile([[0.1, 1.0], [1.0, 0.1]], (N // 2, N // 2))  # eigenvalues 1.1 and -0.9 of a block
    function(Multiplying(G), metric="affinity", solver=solver)
    text = r"X must be positive semi-definite, got eigenvalues from -.*leave out X\.positive_semidefinite, or state"
    with pytest.raises(ValueError, match=text):
        function(Multiplying(G, positive_semidefinite=True), metric="affinity", solver=solver)


@pytest.mark.parametrize("solver", ["exact", Stochastic(t=T, tol=1e-1, memory_limit=NO_MATRIX)])
def test_a_negative_eigenvalue_within_the_rounding_is_none(solver):
    """The eigenvalue -1e-4 is an error of 1e-4 |K|_2, and 8 sqrt(N) u is above it where u is half of the rounding."""
    K = np.diag(np.r_[-1e-4, np.linspace(0.5, 1, N - 1)])
    with pytest.raises(ValueError, match=r"K must be positive semi-definite.* or state K\.rounding"):
        kernel_spectrum(Multiplying(K), solver=solver)
    spectrum = kernel_spectrum(Multiplying(K, rounding=1e-4), solver=solver)
    assert spectrum.entropy(1) == pytest.approx(Spectrum(K.diagonal()[1:]).entropy(1), abs=1e-1)


def test_a_kernel_has_no_negative_eigenvalue_whatever_it_states():
    for attributes in ({}, {"positive_semidefinite": True}):
        with pytest.raises(ValueError, match=r"K must be positive semi-definite") as caught:
            kernel_spectrum(Multiplying(np.diag([1.0, -1.0]), **attributes))
        assert "leave out" not in str(caught.value)


def test_products_that_are_rounded_are_not_asymmetric():
    with pytest.raises(ValueError, match="X must be symmetric"):
        as_operator(Noisy(NARROW, 1e-2), "X", affinities=True)
    as_operator(Noisy(NARROW, 1e-2, rounding=1e-2), "X", affinities=True)
    with pytest.raises(ValueError, match="X must be symmetric"):
        as_operator(Multiplying(np.triu(NARROW), rounding=1e-2), "X", affinities=True)


def test_weights_keep_what_an_object_states():
    weights = 1 + np.arange(N) / N
    widths = []
    for rounding in (1e-8, 1e-3):
        given = Multiplying(NARROW, rounding=rounding, positive_semidefinite=True)
        solver = Stochastic(t=T, tol=1e-1, memory_limit=NO_MATRIX, max_products=224)
        estimate = kernel_spectrum(given, weights=weights, solver=solver)
        widths.append(np.diff(estimate.bounds(1), axis=0))
    assert widths[1] > widths[0]
    with pytest.raises(ValueError, match=r"K\.rounding must be above 0"):
        kernel_spectrum(Multiplying(NARROW, rounding=2.0), weights=weights)


def test_a_linear_operator_of_scipy_states_what_it_is_given():
    operator = aslinearoperator(NARROW)
    operator.rounding, operator.positive_semidefinite = 1e-3, True
    given = as_operator(operator, "X", affinities=True)
    assert (given.rounding, given.positive_semidefinite) == (1e-3, True)


@pytest.mark.parametrize(
    "found",
    [
        aslinearoperator(np.eye(3)),
        LinearOperator((3, 3), matvec=lambda v: v),
        LaplacianNd((3,)),
        aslinearoperator(sp.eye_array(3)) + aslinearoperator(np.eye(3)),
        sp.csr_array(np.eye(3)),
        np.eye(3),
    ],
)
def test_no_object_of_scipy_states_anything_by_accident(found):
    assert not hasattr(found, "rounding")
    assert not hasattr(found, "positive_semidefinite")


@pytest.mark.parametrize("weights", [None, np.ones(9)])
def test_products_in_bfloat16_are_refused(weights):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    given = Multiplying(np.eye(9))
    given.matmat = lambda block: block.astype(ml_dtypes.bfloat16)
    text = r"K\.matmat must return float64, .* got bfloat16: convert it to float32 and .* as K\.rounding"
    with pytest.raises(TypeError, match=text):
        kernel_spectrum(given, weights=weights)


def test_what_is_no_array_is_named():
    given = Multiplying(np.eye(9))
    given.matmat = lambda block: object()
    with pytest.raises(TypeError, match=r"X\.matmat must return real numbers, got dtype object"):
        spectrum_of("affinity", given)


def test_an_object_may_change_the_vectors_that_it_gets():
    class Changing(Multiplying):
        def matmat(self, block):
            block *= 2.0
            return self.matrix @ (block / 2)

    kept = kernel_spectrum(Multiplying(NARROW)).eigenvalues
    assert np.array_equal(kernel_spectrum(Changing(NARROW)).eigenvalues, kept)
