"""Estimated surfaces: covered by the uncertainty of their spectra, or exact where that costs less."""

from dataclasses import replace

import numpy as np
import pytest
from dsentropy import EstimatedSpectrum, Spectrum, Stochastic, ToleranceWarning, diffusion_spectrum, entropy_surface

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

ESTIMATED = 1e-6
"""Bits, far above the rounding of exact values: what differs by more was estimated."""

RNG = np.random.default_rng(0)
WHICH = RNG.integers(0, 10, 2000)
X = (3 * RNG.normal(size=(10, 64))[WHICH] + 0.5 * RNG.normal(size=(2000, 64)))[:900]
FEW = np.random.default_rng(1).normal(size=(200, 3))

T = [1, 2, 5]
ORDERS = [1, 2]
ALPHAS = [0.0, 1.0]
BANDWIDTHS = [6.0, 10.0, "median"]
FORCED = Stochastic(tol=1e-2, max_products=100_000, memory_limit=12_000_000)
"""For 900 rows no matrix fits."""


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
    surface = entropy_surface(X, BANDWIDTHS, T, ORDERS, ALPHAS, solver=FORCED)
    assert surface.values.shape == exact.values.shape == (3, 3, 2, 2)
    assert surface.coords == exact.coords
    table = surface.to_dict()
    assert len(table["entropy"]) == 36
    spectrum, place = surface.spectra[1][1], (1, 2, 1, 1)
    row = np.ravel_multi_index(place, surface.values.shape)
    assert table["standard_error"][row] == spectrum.standard_error(T[2], ORDERS[1]) > 0
    assert (table["lower"][row], table["upper"][row]) == spectrum.bounds(T[2], ORDERS[1])
    is_covered(surface, exact)
    difference = np.abs(surface.values - exact.values)
    assert ESTIMATED < difference.max() < 5 * FORCED.tol
    parameters = surface.spectra[1][1].parameters
    assert (parameters["bandwidth"], parameters["alpha"], parameters["tol"]) == (10.0, 1.0, 1e-2)
    assert parameters["products"] > 0


def test_a_surface_of_bandwidths_that_differ_from_row_to_row_is_covered():
    bandwidths = ["knn", 3 + np.arange(900) / 900]
    exact = entropy_surface(X, bandwidths, T)
    surface = entropy_surface(X, bandwidths, T, solver=replace(FORCED, tol=3e-2))
    is_covered(surface, exact, orders=[1])
    assert surface.coords["bandwidth"] == ("knn", "adaptive 1")


def test_a_surface_is_that_of_each_spectrum():
    surface = entropy_surface(X, [6.0, 10.0], T, solver=FORCED, random_state=3)
    for bandwidth, (spectrum,) in zip([6.0, 10.0], surface.spectra, strict=True):
        alone = diffusion_spectrum(X, bandwidth=bandwidth, solver=replace(FORCED, t=T), random_state=3)
        assert np.array_equal(spectrum.entropy(T), alone.entropy(T))
        assert spectrum.fingerprint == alone.fingerprint


def test_at_t_0_all_eigenvalues_of_a_surface_are_equal():
    surface = entropy_surface(X, [10.0], [0, 1], ORDERS, solver=FORCED)
    assert type(surface.spectra[0][0]) is EstimatedSpectrum
    assert (surface.values[0, 0] == np.log2(900)).all()
    assert (surface.values[0, 1] < np.log2(900) - 1).all()
    assert surface.saturated[0, :, 0, 0].tolist() == [True, False]
    assert entropy_surface(X, [10.0], 0, solver=FORCED).values.item() == np.log2(900)


def test_a_surface_is_exact_where_that_costs_less():
    exact = entropy_surface(FEW, [0.5, 1.0, "knn"], T, ORDERS, ALPHAS)
    surface = entropy_surface(FEW, [0.5, 1.0, "knn"], T, ORDERS, ALPHAS, solver=Stochastic(tol=1e-8))
    assert all(type(spectrum) is Spectrum for row in surface.spectra for spectrum in row)
    assert surface.values == pytest.approx(exact.values, abs=1e-9)
    parameters = surface.spectra[0][0].parameters
    assert (parameters["solver"], parameters["requested_solver"]) == ("exact", "stochastic")


def test_a_surface_is_the_same_on_any_number_of_threads_and_with_a_bar(capsys):
    one, two, shown = (
        entropy_surface(X, [6.0, 10.0], T, solver=FORCED, **options)
        for options in ({"num_threads": 1}, {"num_threads": 2}, {"progress": True})
    )
    assert np.array_equal(one.values, two.values)
    assert np.array_equal(one.values, shown.values)
    assert "2/2" in capsys.readouterr().err


def test_an_exact_surface_has_orders_of_0_and_an_estimate_does_not():
    assert entropy_surface(FEW, [1.0], orders=[0, 1]).values.shape == (1, 1, 2, 1)
    with pytest.raises(ValueError, match=r"\borders\b"):
        entropy_surface(FEW, [1.0], orders=[0, 1], solver="stochastic")


def test_memory_is_bounded():
    for options in ({"memory_limit": 1000}, {"memory_limit": 12_000_000, "storage": "dense"}):
        with pytest.raises(MemoryError, match="900 rows need"):
            entropy_surface(X, [1.0], solver=Stochastic(**options))


def test_the_warning_of_an_estimate_that_did_not_converge_points_to_the_caller():
    options = Stochastic(tol=1e-6, max_products=60, memory_limit=12_000_000)
    with pytest.warns(ToleranceWarning, match="tol = 1e-06 bits is not reached within") as caught:
        entropy_surface(X, [10.0], solver=options)
    assert [warning.filename for warning in caught] == [__file__]
