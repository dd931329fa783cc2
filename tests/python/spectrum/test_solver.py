"""Functions that are told to estimate: near what is exact, or exact where that costs less, and loud where neither."""

import inspect
import itertools
import math

import numpy as np
import pytest
from dsentropy import (
    EstimatedSpectrum,
    Spectrum,
    ToleranceWarning,
    _core,
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
    entropy_surface,
    mutual_information,
)
from dsentropy._spectrum.solver import Request, SlqOptions

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

STOCHASTIC = {"solver": "stochastic"}
ESTIMATED = 1e-6
"""Bits, far above the rounding of what is exact: what differs by more was estimated."""


def blobs(n, d=64):
    rng = np.random.default_rng(0)
    which = rng.integers(0, 10, n)
    return 3 * rng.normal(size=(10, d))[which] + 0.5 * rng.normal(size=(n, d)), which


MANY, WHICH = blobs(2000)
HALVES = WHICH % 2
X, LABELS = MANY[:900], HALVES[:900]
FEW = np.random.default_rng(1).normal(size=(200, 3))
PARTS = np.arange(200) % 3

T = [1, 2, 5]
ORDERS = [1, 2]
ALPHAS = [0.0, 1.0]
BANDWIDTHS = [6.0, 10.0, "median"]
FORCED = {**STOCHASTIC, "tol": 1e-2, "max_products": 100_000, "memory_limit": 12_000_000}
"""Of 900 rows no matrix fits."""


# Surfaces.


def is_covered(surface, exact, t=T, orders=ORDERS):
    for a, row in enumerate(np.array(surface.spectra, dtype=object).T):
        for b, spectrum in enumerate(row):
            assert type(spectrum) is EstimatedSpectrum
            lower, upper = spectrum.bounds(t, orders)
            allowed = 4 * spectrum.standard_error(t, orders) + (upper - lower) + 1e-9
            assert (np.abs(surface.values[b, :, :, a] - exact.values[b, :, :, a]) <= allowed).all()
            assert np.array_equal(surface.values[b, :, :, a], spectrum.entropy(t, orders))


def test_a_surface_is_covered_by_the_errors_of_its_spectra():
    exact = entropy_surface(X, BANDWIDTHS, T, ORDERS, ALPHAS)
    surface = entropy_surface(X, BANDWIDTHS, T, ORDERS, ALPHAS, **FORCED)
    assert surface.values.shape == exact.values.shape == (3, 3, 2, 2)
    assert surface.coords == exact.coords
    assert len(surface.to_dict()["entropy"]) == 36
    is_covered(surface, exact)
    difference = np.abs(surface.values - exact.values)
    assert ESTIMATED < difference.max() < 5 * FORCED["tol"]
    parameters = surface.spectra[1][1].parameters
    assert (parameters["bandwidth"], parameters["alpha"], parameters["tol"]) == (10.0, 1.0, 1e-2)
    assert parameters["products"] > 0


def test_a_surface_of_bandwidths_that_differ_from_row_to_row_is_covered():
    bandwidths = ["knn", 3 + np.arange(900) / 900]
    exact = entropy_surface(X, bandwidths, T)
    surface = entropy_surface(X, bandwidths, T, **{**FORCED, "tol": 3e-2})
    is_covered(surface, exact, orders=[1])
    assert surface.coords["bandwidth"] == ("knn", "adaptive 1")


def test_a_surface_is_that_of_each_spectrum():
    surface = entropy_surface(X, [6.0, 10.0], T, **FORCED, random_state=3)
    for bandwidth, (spectrum,) in zip([6.0, 10.0], surface.spectra, strict=True):
        alone = diffusion_spectrum(X, bandwidth=bandwidth, t=T, **FORCED, random_state=3)
        assert np.array_equal(spectrum.entropy(T), alone.entropy(T))
        assert spectrum.fingerprint == alone.fingerprint


def test_at_t_0_all_eigenvalues_of_a_surface_are_equal():
    surface = entropy_surface(X, [10.0], [0, 1], ORDERS, **FORCED)
    assert type(surface.spectra[0][0]) is EstimatedSpectrum
    assert (surface.values[0, 0] == np.log2(900)).all()
    assert (surface.values[0, 1] < np.log2(900) - 1).all()
    assert surface.saturated[0, :, 0, 0].tolist() == [True, False]
    assert entropy_surface(X, [10.0], 0, **FORCED).values.item() == np.log2(900)


def test_a_surface_is_exact_where_that_costs_less():
    exact = entropy_surface(FEW, [0.5, 1.0, "knn"], T, ORDERS, ALPHAS)
    surface = entropy_surface(FEW, [0.5, 1.0, "knn"], T, ORDERS, ALPHAS, **STOCHASTIC, tol=1e-8)
    assert all(type(spectrum) is Spectrum for row in surface.spectra for spectrum in row)
    assert surface.values == pytest.approx(exact.values, abs=1e-9)
    assert "exact" in surface.spectra[0][0].parameters["solver"]


def test_a_surface_is_the_same_on_any_number_of_threads_and_with_a_bar(capsys):
    one, two, shown = (
        entropy_surface(X, [6.0, 10.0], T, **FORCED, **options)
        for options in ({"num_threads": 1}, {"num_threads": 2}, {"progress": True})
    )
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.values, shown.values)
    assert "2/2" in capsys.readouterr().err


def test_a_surface_of_the_exact_way_takes_rank_and_an_estimate_does_not():
    assert entropy_surface(FEW, [1.0], orders=[0, 1]).values.shape == (1, 1, 2, 1)
    with pytest.raises(ValueError, match=r"\borders\b"):
        entropy_surface(FEW, [1.0], orders=[0, 1], **STOCHASTIC)


# Mutual information.


@pytest.mark.parametrize("tol", [3e-2, 3e-3])
def test_information_is_near_and_has_the_error_of_estimates_in_its_own(tol):
    """Of the same subsets, each to within tol, in a sum whose weights are 1 and -1 together."""
    exact = mutual_information(X, LABELS, bandwidth=10.0, t=T)
    found = mutual_information(X, LABELS, bandwidth=10.0, t=T, **STOCHASTIC, tol=tol)
    assert (np.abs(found.value - exact.value) <= 3 * tol).all()
    assert np.abs(found.value - exact.value).max() > ESTIMATED
    assert (np.abs(found.value - exact.value) <= 4 * found.standard_error).all()
    assert (found.standard_error >= exact.standard_error).all()
    assert (found.standard_error <= exact.standard_error + 3 * tol).all()
    for name in ("entropy", "random_entropy"):
        assert found.per_cluster[name] == pytest.approx(exact.per_cluster[name], abs=3 * tol)


def test_equal_subsets_leave_the_error_of_estimates():
    """One cluster of all rows: the information is 0, and all that is left are estimates of one entropy."""
    one = np.zeros(900, dtype=int)
    exact = mutual_information(X, one, bandwidth=10.0, n_repetitions=3)
    found = mutual_information(X, one, bandwidth=10.0, n_repetitions=3, **FORCED)
    assert exact.standard_error < 1e-9
    assert 0 < abs(found.value) <= 4 * found.standard_error
    assert ESTIMATED < found.standard_error < 5 * FORCED["tol"]


def test_one_repetition_of_estimates_has_no_standard_error():
    found = mutual_information(X, LABELS, bandwidth=10.0, n_repetitions=1, **STOCHASTIC, tol=3e-2)
    assert math.isnan(found.standard_error)


def test_permutations_are_estimated_too():
    options = {"bandwidth": 10.0, "n_repetitions": 3, "n_permutations": 9}
    exact = mutual_information(X, LABELS, **options)
    found = mutual_information(X, LABELS, **options, **STOCHASTIC, tol=1e-2)
    assert found.p_value == exact.p_value == 0.1
    assert found.null.shape == (9,)
    assert found.null == pytest.approx(exact.null, abs=3e-2)
    assert not np.array_equal(found.null, exact.null)
    assert mutual_information(X, np.zeros(900, dtype=int), **options, **STOCHASTIC, tol=1e-2).p_value == 1


def test_information_at_t_0_is_that_of_sizes():
    found = mutual_information(X, LABELS, bandwidth=10.0, t=[0, 1], n_repetitions=2, **STOCHASTIC, tol=3e-2)
    assert found.value[0] == pytest.approx(0, abs=1e-12)
    assert found.standard_error[0] == pytest.approx(0, abs=1e-12)
    assert found.value[1] > 0.1


def test_information_is_exact_where_that_costs_less():
    """No estimate is as good as is asked for."""
    exact = mutual_information(FEW, PARTS, bandwidth=1.0, t=T, n_permutations=9)
    found = mutual_information(FEW, PARTS, bandwidth=1.0, t=T, n_permutations=9, **STOCHASTIC, tol=1e-12)
    assert found.value == pytest.approx(exact.value, abs=1e-9)
    assert found.standard_error == pytest.approx(exact.standard_error, abs=1e-9)
    assert found.null == pytest.approx(exact.null, abs=1e-9)
    assert np.array_equal(found.p_value, exact.p_value)


def test_a_seed_gives_the_same_information_on_any_number_of_threads_and_with_a_bar(capsys):
    def found(**options):
        return mutual_information(X, LABELS, bandwidth=10.0, n_repetitions=4, **STOCHASTIC, tol=1e-2, **options)

    one = found(num_threads=1)
    for other in (found(num_threads=2), found(num_threads=2, progress=True)):
        assert (other.value, other.standard_error) == (one.value, one.standard_error)
    assert "entropies" in capsys.readouterr().err
    assert found(random_state=1).value != one.value


# The familiar functions.


def dse(X, y=None, **options):
    return diffusion_spectral_entropy(X, **options)


def ase(X, y=None, **options):
    return adjacency_spectral_entropy(X, **options)


def dsmi(X, y, **options):
    return diffusion_spectral_mutual_information(X, y, num_repetitions=2, **options)[0]


def asmi(X, y, **options):
    return adjacency_spectral_mutual_information(X, y, num_repetitions=2, **options)[0]


FAMILIAR = [dse, ase, dsmi, asmi]
OF_DIFFUSION = [dse, dsmi]
MEASURES = ["classic_shannon_entropy", "matrix_entry_entropy"]


@pytest.mark.parametrize("function", FAMILIAR)
def test_familiar_functions_are_within_the_tolerance_of_the_exact_value(function):
    exact = function(MANY, HALVES)
    for tol in (1e-2, 1e-3):
        estimate = function(MANY, HALVES, **STOCHASTIC, tol=tol)
        assert estimate == pytest.approx(exact, abs=5 * tol)
        assert abs(estimate - exact) > ESTIMATED


@pytest.mark.parametrize("function", OF_DIFFUSION)
def test_familiar_functions_hold_the_tolerance_at_their_t(function):
    for t in (0.5, 3):
        estimate = function(MANY, HALVES, t=t, **STOCHASTIC, tol=1e-2)
        assert estimate == pytest.approx(function(MANY, HALVES, t=t), abs=5e-2)


@pytest.mark.parametrize("function", [ase, asmi])
def test_anisotropic_adjacency_is_diffusion_estimated(function):
    of_diffusion = {ase: dse, asmi: dsmi}[function]
    options = {**STOCHASTIC, "tol": 1e-2}
    assert function(MANY, HALVES, anisotropic=True, **options) == of_diffusion(MANY, HALVES, **options)
    assert function(MANY, HALVES, **options) != of_diffusion(MANY, HALVES, **options)


def test_a_familiar_estimate_is_that_of_the_spectrum():
    spectrum = diffusion_spectrum(MANY, bandwidth=10.0, t=2, **STOCHASTIC, tol=1e-2, random_state=5)
    assert type(spectrum) is EstimatedSpectrum
    assert dse(MANY, t=2, **STOCHASTIC, tol=1e-2, random_seed=5) == spectrum.entropy(2)
    assert dse(MANY, t=2, **STOCHASTIC, tol=1e-2, random_seed=6) != spectrum.entropy(2)


@pytest.mark.parametrize("X", [FEW, MANY], ids=["exact", "estimated"])
def test_at_t_0_the_familiar_entropy_is_that_of_the_number_of_rows(X):
    assert dse(X, t=0, **STOCHASTIC, tol=1e-2) == pytest.approx(np.log2(len(X)), abs=1e-12)
    assert dsmi(X, np.arange(len(X)) % 2, t=0, **STOCHASTIC, tol=1e-2) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", FAMILIAR)
def test_familiar_functions_are_exact_where_that_costs_less(function, dtype):
    rows = np.repeat(FEW, 5, axis=1).astype(dtype)
    for options in ({}, {"gaussian_kernel_sigma": 1.0}):
        exact = function(rows, PARTS, num_threads=1, **options)
        assert function(rows, PARTS, num_threads=1, **options, **STOCHASTIC, tol=1e-9) == exact


@pytest.mark.parametrize("function", [dse, ase])
def test_a_subset_of_too_many_rows_is_the_same_that_the_exact_way_takes(function):
    exact = function(FEW, max_N=50, random_seed=4, gaussian_kernel_sigma=1.0)
    assert function(FEW, max_N=50, random_seed=4, gaussian_kernel_sigma=1.0, **STOCHASTIC, tol=1e-9) == exact
    estimate = function(MANY, max_N=1500, **STOCHASTIC, tol=1e-2)
    assert estimate == pytest.approx(function(MANY, max_N=1500), abs=5e-2)
    assert estimate == function(MANY, max_N=1500, **STOCHASTIC, tol=1e-2)


@pytest.mark.parametrize("function", FAMILIAR)
def test_a_seed_gives_the_same_familiar_bits_on_any_number_of_threads(function):
    one, two = (function(MANY, HALVES, **STOCHASTIC, tol=1e-2, num_threads=threads) for threads in (1, 2))
    assert one == two
    assert function(X, LABELS, **STOCHASTIC, tol=1e-2, random_seed=1) != function(
        X, LABELS, **STOCHASTIC, tol=1e-2, random_seed=2
    )


@pytest.mark.parametrize("function", FAMILIAR)
def test_stages_of_an_estimate_are_printed_where_that_is_asked_for(function, capsys):
    quiet = function(X, LABELS, **STOCHASTIC, tol=1e-1)
    assert capsys.readouterr().out == ""
    assert function(X, LABELS, **STOCHASTIC, tol=1e-1, verbose=True) == quiet
    assert capsys.readouterr().out != ""


# The approximation of the reference.


@pytest.mark.parametrize("function", OF_DIFFUSION)
def test_the_approximation_by_chebyshev_is_the_estimate(function, recwarn):
    for t in (1, 2):
        estimate = function(MANY, HALVES, t=t, **STOCHASTIC, tol=1e-2)
        assert function(MANY, HALVES, t=t, chebyshev_approx=True, tol=1e-2) == estimate
        assert function(MANY, HALVES, t=t, chebyshev_approx=True, **STOCHASTIC, tol=1e-2) == estimate
    assert not recwarn.list


def test_with_a_file_the_approximation_by_chebyshev_is_exact(tmp_path):
    options = {"eigval_save_path": tmp_path / "eigenvalues.npy", "eigval_save_precision": np.float64}
    for _ in ("writes", "reads"):
        assert dse(MANY, chebyshev_approx=True, tol=1e-2, **options) == pytest.approx(dse(MANY), abs=1e-9)
        assert options["eigval_save_path"].exists()
    assert dse(None, chebyshev_approx=True, **options) == pytest.approx(dse(MANY), abs=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("function", OF_DIFFUSION)
def test_the_approximation_by_chebyshev_leaves_other_entropies_alone(function, measure):
    assert function(X, LABELS, chebyshev_approx=True, **{measure: True}) == function(X, LABELS, **{measure: True})


# What is refused.


@pytest.mark.parametrize(
    ("function", "options"),
    [
        *((function, {name: True}) for function in OF_DIFFUSION for name in MEASURES),
        *((function, {"eigval_save_path": "eigenvalues.npy"}) for function in (dse, ase)),
        *((function, {"use_knn": True}) for function in (ase, asmi)),
    ],
)
def test_what_has_no_estimate_is_refused(function, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"^solver must be 'exact' where"):
        function(FEW, PARTS, **STOCHASTIC, **options)
    assert list(tmp_path.iterdir()) == []
    function(FEW, PARTS, solver="exact", **options)


def surface(X, y, **options):
    return entropy_surface(X, [1.0], **options)


BAD = [
    ({"solver": "lanczos"}, "solver", ValueError),
    ({"solver": None}, "solver", TypeError),
    ({"solver": True}, "solver", TypeError),
    ({**STOCHASTIC, "tol": 0}, "tol", ValueError),
    ({**STOCHASTIC, "tol": -1e-3}, "tol", ValueError),
    ({**STOCHASTIC, "tol": math.nan}, "tol", ValueError),
    ({**STOCHASTIC, "tol": math.inf}, "tol", ValueError),
    ({**STOCHASTIC, "tol": "1e-3"}, "tol", TypeError),
    ({**STOCHASTIC, "tol": None}, "tol", TypeError),
]


@pytest.mark.parametrize(("options", "argument", "error"), BAD)
@pytest.mark.parametrize("function", [*FAMILIAR, surface, mutual_information])
def test_bad_requests_are_named(function, options, argument, error):
    with pytest.raises(error, match=rf"^{argument} must be"):
        function(FEW, PARTS, **options)


@pytest.mark.parametrize(
    ("options", "argument", "error"),
    [
        ({"max_products": 0}, "max_products", ValueError),
        ({"max_products": 1.5}, "max_products", TypeError),
        ({"storage": "sparse"}, "storage", ValueError),
        ({"storage": None}, "storage", TypeError),
        ({"memory_limit": 0}, "memory_limit", ValueError),
        ({"memory_limit": "1"}, "memory_limit", TypeError),
    ],
)
@pytest.mark.parametrize("function", [surface, mutual_information])
def test_bad_limits_are_named(function, options, argument, error):
    with pytest.raises(error, match=rf"^{argument} must be"):
        function(FEW, PARTS, **STOCHASTIC, **options)


@pytest.mark.parametrize("function", OF_DIFFUSION)
def test_a_bad_tolerance_of_the_approximation_by_chebyshev_is_named(function):
    with pytest.raises(ValueError, match=r"^tol must be"):
        function(FEW, PARTS, chebyshev_approx=True, tol=0)


@pytest.mark.parametrize("function", FAMILIAR)
def test_a_bad_seed_is_named_as_the_argument_is(function):
    for options in ({}, STOCHASTIC):
        with pytest.raises(TypeError, match=r"^random_seed must be"):
            function(FEW, PARTS, random_seed=1.5, **options)


@pytest.mark.parametrize("function", [surface, mutual_information])
def test_memory_is_bounded(function):
    for options in ({"memory_limit": 1000}, {"memory_limit": 12_000_000, "storage": "dense"}):
        with pytest.raises(MemoryError, match="900 rows need"):
            function(X, np.zeros(900, dtype=int), **STOCHASTIC, **options)


# What is missed is said where the call stands.


MISSED = {"tol": 1e-6, "max_products": 60, "memory_limit": 12_000_000}


def test_a_tolerance_that_is_missed_is_said_to_who_called():
    with pytest.warns(ToleranceWarning, match="tol = 1e-06 bits is not reached within") as of_surface:
        entropy_surface(X, [10.0], **STOCHASTIC, **MISSED)
    with pytest.warns(ToleranceWarning, match="tol = 1e-06 bits is not reached within") as of_information:
        mutual_information(X, np.zeros(900, dtype=int), bandwidth=10.0, n_repetitions=2, **STOCHASTIC, **MISSED)
    for caught in (of_surface, of_information):
        assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("function", FAMILIAR)
def test_a_familiar_tolerance_that_is_missed_is_said_to_who_called(function, monkeypatch):
    def of_little(self, max_products=None):
        return SlqOptions(self.tol, self.times, self.orders, 60, self.seed, "tiled", 12_000_000)

    monkeypatch.setattr(Request, "core", of_little)
    with pytest.warns(ToleranceWarning, match="tol = 1e-06 bits is not reached within") as caught:
        function(X, np.zeros(900, dtype=int), **STOCHASTIC, tol=1e-6)
    (warning,) = caught
    lines, first = inspect.getsourcelines(function)
    assert warning.filename == __file__
    assert first <= warning.lineno < first + len(lines)


# Progress.


def estimated(progress, tol=1e-3):
    operator = _core.OperatorSpec.diffusion(10.0, 0.0, "double")
    options = SlqOptions(tol, [1.0], [1.0], 5000, 0, "auto", None)
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
    shown = diffusion_spectrum(MANY, bandwidth=10.0, **STOCHASTIC, progress=True)
    err = capsys.readouterr().err
    assert "products: " in err
    assert f"{shown.parameters['products']}it" in err
    assert "uncertainty " in err
    assert " bits" in err
    quiet = diffusion_spectrum(MANY, bandwidth=10.0, **STOCHASTIC)
    assert shown.entropy() == quiet.entropy()
    assert capsys.readouterr().err == ""
