"""The solver of a spectrum: its options, what they refuse, and progress."""

import itertools
import math
import pickle

import numpy as np
import pytest
from dsentropy import (
    EstimatedSpectrum,
    Spectrum,
    Stochastic,
    _core,
    adjacency_spectrum,
    diffusion_spectrum,
    entropy_surface,
    kernel_spectrum,
    mutual_information,
    subsampled_entropy,
)
from dsentropy._spectrum.solver import resolve_solver

RNG = np.random.default_rng(0)
WHICH = RNG.integers(0, 10, 2000)
MANY = 3 * RNG.normal(size=(10, 64))[WHICH] + 0.5 * RNG.normal(size=(2000, 64))
FEW = np.random.default_rng(1).normal(size=(200, 3))
PARTS = np.arange(200) % 3

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


def gram(X, **options):
    return kernel_spectrum(X @ X.T, **options)


def surface(X, **options):
    return entropy_surface(X, [1.0], **options)


def information(X, **options):
    return mutual_information(X, PARTS, n_repeats=2, **options)


def subsampled(X, **options):
    return subsampled_entropy(X, n_samples=50, n_repeats=2, **options)


SPECTRA = [diffusion_spectrum, adjacency_spectrum, gram]
OWN_TIMES = [surface, information, subsampled]
FUNCTIONS = [*SPECTRA, *OWN_TIMES]


@pytest.mark.parametrize(
    ("options", "argument", "error"),
    [
        ({"tol": 0}, "tol", ValueError),
        ({"tol": -1e-3}, "tol", ValueError),
        ({"tol": math.nan}, "tol", ValueError),
        ({"tol": math.inf}, "tol", ValueError),
        ({"tol": "1e-3"}, "tol", TypeError),
        ({"tol": None}, "tol", TypeError),
        ({"t": 0}, "t", ValueError),
        ({"t": "1"}, "t", TypeError),
        ({"t": []}, "t", ValueError),
        ({"orders": [1, 0]}, "orders", ValueError),
        ({"orders": -3}, "orders", ValueError),
        ({"max_products": 0}, "max_products", ValueError),
        ({"max_products": 1.5}, "max_products", TypeError),
        ({"storage": "sparse"}, "storage", ValueError),
        ({"storage": None}, "storage", TypeError),
        ({"memory_limit": 0}, "memory_limit", ValueError),
        ({"memory_limit": "1"}, "memory_limit", TypeError),
    ],
)
def test_bad_options_are_named_where_they_are_given(options, argument, error):
    with pytest.raises(error, match=rf"^{argument} must "):
        Stochastic(**options)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_solver_that_there_is_not_is_an_error_with_all_that_there_are(function):
    with pytest.raises(ValueError, match=r"^solver must be 'exact', 'stochastic' or a Stochastic, got 'fast'"):
        function(FEW, solver="fast")
    with pytest.raises(TypeError, match=r"^solver must be 'exact', 'stochastic' or a Stochastic, got None"):
        function(FEW, solver=None)


def test_an_order_of_zero_is_refused_by_the_solver():
    for name, call in [
        ("orders", lambda **options: entropy_surface(FEW, [1.0], orders=[0, 1], **options)),
        ("order", lambda **options: subsampled_entropy(FEW, n_samples=50, n_repeats=2, order=0, **options)),
    ]:
        call()
        with pytest.raises(ValueError, match=rf"^{name} must be positive where solver is 'stochastic', got 0"):
            call(solver="stochastic")


def test_options_are_values():
    """Equal options are equal, whatever held the numbers, and cannot be changed."""
    one, other = Stochastic(t=np.array([1, 2]), orders=2), Stochastic(t=(1.0, 2.0), orders=2.0)
    assert one == other == pickle.loads(pickle.dumps(one))
    assert hash(one) == hash(other)
    assert (one.t, one.orders) == ((1.0, 2.0), 2.0)
    assert repr(Stochastic()).startswith("Stochastic(tol=0.001, t=None, orders=None, max_products=None")
    with pytest.raises(AttributeError):
        one.tol = 1


@pytest.mark.parametrize(
    ("solver", "error"),
    [("lanczos", ValueError), (None, TypeError), (True, TypeError), (Stochastic, TypeError), (1e-3, TypeError)],
)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_solver_is_known(function, solver, error):
    with pytest.raises(error, match=r"^solver must be"):
        function(FEW, solver=solver)


@pytest.mark.parametrize("name", ["tol", "t", "orders", "max_products", "storage", "memory_limit"])
@pytest.mark.parametrize("function", SPECTRA)
def test_options_of_an_estimate_are_none_of_the_function(function, name):
    with pytest.raises(TypeError, match=name):
        function(FEW, **{name: 1})


@pytest.mark.parametrize("options", [{"t": 2}, {"orders": 2}])
@pytest.mark.parametrize("function", OWN_TIMES)
def test_times_and_orders_are_given_once(function, options):
    (name,) = options
    with pytest.raises(ValueError, match=rf"^{name} must not be given in Stochastic"):
        function(FEW, solver=Stochastic(**options))


@pytest.mark.parametrize("function", SPECTRA)
def test_parameters_say_which_solver_found_a_spectrum(function):
    exact = function(FEW)
    assert exact.parameters["solver"] == "exact"
    assert "requested_solver" not in exact.parameters
    instead = function(FEW, solver=Stochastic(tol=1e-12))
    assert type(instead) is Spectrum
    assert (instead.parameters["solver"], instead.parameters["requested_solver"]) == ("exact", "stochastic")
    assert "solver=exact, requested_solver=stochastic" in repr(instead)
    estimated = function(MANY, solver=Stochastic(tol=3e-2))
    if type(estimated) is EstimatedSpectrum:
        assert (estimated.parameters["solver"], estimated.parameters["tol"]) == ("stochastic", 3e-2)
        assert "requested_solver" not in estimated.parameters


def test_a_name_is_short_for_the_default_options():
    named, options = (diffusion_spectrum(MANY, solver=solver) for solver in ("stochastic", Stochastic()))
    assert type(named) is EstimatedSpectrum
    assert named.entropy() == options.entropy()
    assert named.parameters == options.parameters


def test_the_tolerance_holds_at_the_times_and_orders_of_the_options():
    X, exact = MANY[:1500], diffusion_spectrum(MANY[:1500], bandwidth=10.0)
    estimate = diffusion_spectrum(X, bandwidth=10.0, solver=Stochastic(tol=1e-2, t=[1, 5], orders=[1, 2]))
    assert estimate.entropy([1, 5], [1, 2]) == pytest.approx(exact.entropy([1, 5], [1, 2]), abs=5e-2)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        (diffusion_spectrum, {"graph": "knn"}),
        (adjacency_spectrum, {"graph": "knn", "symmetrize": "union"}),
    ],
)
def test_a_storage_that_plays_no_part_is_refused(function, options):
    for storage in ("dense", "tiled"):
        with pytest.raises(ValueError, match=r"^storage must be 'auto' where"):
            function(FEW, solver=Stochastic(storage=storage), **options)


def estimated(progress):
    operator = _core.OperatorSpec.diffusion(10.0, 0.0, "double")
    options = resolve_solver("stochastic", 0)
    return _core.estimate_spectrum(MANY, "euclidean", operator, options, progress=progress, num_threads=1)


def test_progress_has_products_and_uncertainty():
    calls = []
    solution = estimated(lambda *progress: calls.append(progress))
    assert solution.converged
    with pytest.raises(AttributeError, match="an estimated spectrum has no eigenvalues"):
        _ = solution.eigenvalues
    products, uncertainties = zip(*calls, strict=True)
    assert all(before < after for before, after in itertools.pairwise(products))
    assert products[-1] == solution.estimate.info.products
    assert all(type(uncertainty) is float and uncertainty > 0 for uncertainty in uncertainties)
    assert uncertainties[-1] <= 1e-3
    one, other = (found.estimate.read([1.0], [1.0]) for found in (estimated(None), solution))
    for field in ("entropy", "standard_error", "lower", "upper"):
        assert np.array_equal(getattr(one, field), getattr(other, field))


def test_what_progress_raises_is_raised():
    def progress(products, uncertainty):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        estimated(progress)


def test_a_bar_counts_products_and_shows_the_error(capsys):
    shown = diffusion_spectrum(MANY, bandwidth=10.0, solver="stochastic", progress=True)
    err = capsys.readouterr().err
    assert "products: " in err
    assert "{0}/{0} ".format(shown.parameters["products"]) in err
    assert "uncertainty " in err
    assert " bits" in err
    quiet = diffusion_spectrum(MANY, bandwidth=10.0, solver="stochastic")
    assert shown.entropy() == quiet.entropy()
    assert capsys.readouterr().err == ""
