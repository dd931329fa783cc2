"""Estimates of the functions of the reference: near the exact values, or exact where that costs less."""

import inspect
import math
from dataclasses import replace

import numpy as np
import pytest
from dsentropy import (
    EstimatedSpectrum,
    Stochastic,
    ToleranceWarning,
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
)
from dsentropy._reference import solver as _solver
from dsentropy._spectrum.solver import resolve_solver

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning", "ignore::dsentropy.SubsetWarning")

STOCHASTIC = {"solver": "stochastic"}
ESTIMATED = 1e-6
"""Bits, far above the rounding of exact values: what differs by more was estimated."""


def blobs(n, d=64):
    rng = np.random.default_rng(0)
    which = rng.integers(0, 10, n)
    return 3 * rng.normal(size=(10, d))[which] + 0.5 * rng.normal(size=(n, d)), which


MANY, WHICH = blobs(2000)
HALVES = WHICH % 2
X, LABELS = MANY[:900], HALVES[:900]
FEW = np.random.default_rng(1).normal(size=(200, 3))
PARTS = np.arange(200) % 3


def dse(X, y=None, **options):
    return diffusion_spectral_entropy(X, **options)


def ase(X, y=None, **options):
    return adjacency_spectral_entropy(X, **options)


def dsmi(X, y, **options):
    return diffusion_spectral_mutual_information(X, y, num_repetitions=2, **options)[0]


def asmi(X, y, **options):
    return adjacency_spectral_mutual_information(X, y, num_repetitions=2, **options)[0]


FUNCTIONS = [dse, ase, dsmi, asmi]
OF_DIFFUSION = [dse, dsmi]
MEASURES = ["classic_shannon_entropy", "matrix_entry_entropy"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_are_within_the_tolerance_of_the_exact_value(function):
    exact = function(MANY, HALVES)
    for tol in (1e-2, 1e-3):
        estimate = function(MANY, HALVES, **STOCHASTIC, tol=tol)
        assert estimate == pytest.approx(exact, abs=5 * tol)
        assert abs(estimate - exact) > ESTIMATED


@pytest.mark.parametrize("function", OF_DIFFUSION)
def test_functions_hold_the_tolerance_at_their_t(function):
    for t in (0.5, 3):
        estimate = function(MANY, HALVES, t=t, **STOCHASTIC, tol=1e-2)
        assert estimate == pytest.approx(function(MANY, HALVES, t=t), abs=5e-2)


@pytest.mark.parametrize("function", [ase, asmi])
def test_anisotropic_adjacency_is_diffusion_estimated(function):
    of_diffusion = {ase: dse, asmi: dsmi}[function]
    options = {**STOCHASTIC, "tol": 1e-2}
    assert function(MANY, HALVES, anisotropic=True, **options) == of_diffusion(MANY, HALVES, **options)
    assert function(MANY, HALVES, **options) != of_diffusion(MANY, HALVES, **options)


def test_estimate_reads_the_estimated_spectrum():
    spectrum = diffusion_spectrum(MANY, bandwidth=10.0, solver=Stochastic(tol=1e-2, t=2), random_state=5)
    assert type(spectrum) is EstimatedSpectrum
    assert dse(MANY, t=2, **STOCHASTIC, tol=1e-2, random_seed=5) == spectrum.entropy(2)
    assert dse(MANY, t=2, **STOCHASTIC, tol=1e-2, random_seed=6) != spectrum.entropy(2)


@pytest.mark.parametrize("X", [FEW, MANY], ids=["exact", "estimated"])
def test_at_t_0_the_entropy_is_that_of_the_number_of_rows(X):
    assert dse(X, t=0, **STOCHASTIC, tol=1e-2) == pytest.approx(np.log2(len(X)), abs=1e-12)
    assert dsmi(X, np.arange(len(X)) % 2, t=0, **STOCHASTIC, tol=1e-2) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_are_exact_where_that_costs_less(function, dtype):
    rows = np.repeat(FEW, 5, axis=1).astype(dtype)
    for options in ({}, {"gaussian_kernel_sigma": 1.0}):
        exact = function(rows, PARTS, num_threads=1, **options)
        assert function(rows, PARTS, num_threads=1, **options, **STOCHASTIC, tol=1e-9) == exact


@pytest.mark.parametrize("function", [dse, ase])
def test_a_subset_of_too_many_rows_is_the_same_that_exact_values_take(function):
    exact = function(FEW, max_N=50, random_seed=4, gaussian_kernel_sigma=1.0)
    assert function(FEW, max_N=50, random_seed=4, gaussian_kernel_sigma=1.0, **STOCHASTIC, tol=1e-9) == exact
    estimate = function(MANY, max_N=1500, **STOCHASTIC, tol=1e-2)
    assert estimate == pytest.approx(function(MANY, max_N=1500), abs=5e-2)
    assert estimate == function(MANY, max_N=1500, **STOCHASTIC, tol=1e-2)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_seed_gives_the_same_bits_on_any_number_of_threads(function):
    one, two = (function(MANY, HALVES, **STOCHASTIC, tol=1e-2, num_threads=threads) for threads in (1, 2))
    assert one == two
    assert function(X, LABELS, **STOCHASTIC, tol=1e-2, random_seed=1) != function(
        X, LABELS, **STOCHASTIC, tol=1e-2, random_seed=2
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_stages_of_an_estimate_are_printed_on_request(function, capsys):
    quiet = function(X, LABELS, **STOCHASTIC, tol=1e-1)
    assert capsys.readouterr().out == ""
    assert function(X, LABELS, **STOCHASTIC, tol=1e-1, verbose=True) == quiet
    assert capsys.readouterr().out != ""


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
@pytest.mark.parametrize("function", FUNCTIONS)
def test_bad_requests_are_named(function, options, argument, error):
    with pytest.raises(error, match=rf"^{argument} must be"):
        function(FEW, PARTS, **options)


@pytest.mark.parametrize("function", OF_DIFFUSION)
def test_a_bad_tolerance_of_the_approximation_by_chebyshev_is_named(function):
    with pytest.raises(ValueError, match=r"^tol must be"):
        function(FEW, PARTS, chebyshev_approx=True, tol=0)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_bad_tolerance_is_an_error_of_the_exact_solver_too(function):
    with pytest.raises(ValueError, match=r"^tol must be"):
        function(FEW, PARTS, tol=-1)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_bad_seed_is_named_as_the_argument_is(function):
    for options in ({}, STOCHASTIC):
        with pytest.raises(TypeError, match=r"^random_seed must be"):
            function(FEW, PARTS, random_seed=1.5, **options)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_tolerance_that_is_missed_points_to_the_caller(function, monkeypatch):
    def few_products(*arguments, **options):
        found = resolve_solver(*arguments, **options)
        return replace(found, products=60, storage="tiled", memory_limit=12_000_000)

    monkeypatch.setattr(_solver, "resolve_solver", few_products)
    with pytest.warns(
        ToleranceWarning, match="tol = 1e-06 bits is not reached within .* Allow .*a larger tol, tol="
    ) as caught:
        function(X, np.zeros(900, dtype=int), **STOCHASTIC, tol=1e-6)
    (warning,) = caught
    lines, first = inspect.getsourcelines(function)
    assert warning.filename == __file__
    assert first <= warning.lineno < first + len(lines)
