"""Spectra as tables: a row for each t and order, with errors and bounds."""

import numpy as np
import pytest
from dsentropy import EstimatedSpectrum, Spectrum, Stochastic, diffusion_spectrum

EXACT = diffusion_spectrum(np.random.default_rng(0).normal(size=(60, 4)), bandwidth=1.0)
ESTIMATE = diffusion_spectrum(
    np.random.default_rng(0).normal(size=(1500, 6)), bandwidth=2.0, solver=Stochastic(tol=1e-2)
)


@pytest.mark.parametrize("spectrum", [EXACT, ESTIMATE], ids=["exact", "estimate"])
@pytest.mark.parametrize(("t", "order"), [(1, 1), ([1, 2], 2), (0.5, [1, 2]), ([1, 1.5, 2], [1, 2])])
def test_a_row_has_the_reading_of_its_t_and_order(spectrum, t, order):
    table = spectrum.to_pandas(t, order)
    assert list(table) == ["t", "order", "entropy", "standard_error", "lower", "upper", "saturated"]
    rows = [(each, other) for each in np.ravel(t) for other in np.ravel(order)]
    assert list(zip(table.t, table.order, strict=True)) == rows
    assert table.entropy.tolist() == np.ravel(spectrum.entropy(t, order)).tolist()
    assert table.standard_error.tolist() == np.ravel(spectrum.standard_error(t, order)).tolist()
    for name, bound in zip(("lower", "upper"), spectrum.bounds(t, order), strict=True):
        assert table[name].tolist() == np.ravel(bound).tolist()
    assert table.saturated.tolist() == (np.ravel(spectrum.saturation(t, order)) != 0).tolist()
    assert spectrum.to_dict(t, order) == table.to_dict("list")


def test_an_estimate_has_an_error_and_an_exact_spectrum_none():
    assert isinstance(ESTIMATE, EstimatedSpectrum)
    assert ESTIMATE.to_dict()["standard_error"][0] > 0
    assert EXACT.to_dict()["standard_error"] == [0]


def test_a_notebook_shows_the_entropy_at_1():
    text = Spectrum([1.0, 1.0, 0.0, 0.0])._repr_html_()
    assert "<td>1</td><td>1</td><td>1</td><td>0</td><td>1</td><td>1</td><td>False</td>" in text
    assert "&lt;Spectrum of 4 eigenvalues" in text


def test_saturated_readings_are_marked_without_a_warning():
    assert Spectrum([1.0, 1.0, 1.0], parameters={"bandwidth": 1.0}).to_dict()["saturated"] == [True]
