"""Entropy surfaces: each value is that of its spectrum, and the table and the picture show it."""

import matplotlib.figure
import numpy as np
import pytest
from dsentropy import (
    Spectrum,
    diffusion_spectral_entropy,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
)

X = np.random.default_rng(0).normal(size=(120, 5))
BANDWIDTHS = [0.01, 1.0, "median", "knn", 300.0]
T = [0.5, 1, 3]
ORDERS = [1, 2, float("inf")]
ALPHAS = [0.0, 0.5]

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning", "ignore::dsentropy.SubsetWarning")


@pytest.fixture(scope="module")
def surface():
    return entropy_surface(X, BANDWIDTHS, T, ORDERS, ALPHAS)


def test_each_value_is_that_of_its_spectrum(surface):
    assert surface.values.shape == (5, 3, 3, 2)
    for b, bandwidth in enumerate(BANDWIDTHS):
        for a, alpha in enumerate(ALPHAS):
            spectrum = diffusion_spectrum(X, bandwidth=bandwidth, alpha=alpha)
            # Rounding of the eigenvalues, magnified by t = 1/2.
            assert surface.values[b, :, :, a] == pytest.approx(spectrum.entropy(T, ORDERS), abs=1e-6)
            assert surface.values[b, 1:, :, a] == pytest.approx(spectrum.entropy(T[1:], ORDERS), abs=1e-11)
            assert surface.spectra[b][a].eigenvalues == pytest.approx(spectrum.eigenvalues, abs=1e-13)
            assert surface.spectra[b][a].fingerprint == spectrum.fingerprint


def test_axes_are_named(surface):
    assert surface.dims == ("bandwidth", "t", "order", "alpha")
    assert surface.coords["bandwidth"] == (0.01, 1.0, estimate_bandwidth(X), "knn", 300.0)
    assert surface.coords["t"] == (0.5, 1.0, 3.0)
    assert surface.coords["order"] == (1.0, 2.0, float("inf"))
    assert surface.coords["alpha"] == (0.0, 0.5)
    assert surface.n_samples == 120
    ends = f"smallest entropy {surface.values.min():.4g} bits, largest {surface.values.max():.4g} bits"
    assert f"(5 bandwidth, 3 t, 3 order, 2 alpha) of 120 samples: {ends}, at most 6.907>" in repr(surface)


def test_numbers_in_place_of_sequences_keep_their_axes():
    one = entropy_surface(X, 2.0)
    assert one.values.shape == (1, 1, 1, 1)
    assert one.values.item() == pytest.approx(diffusion_spectral_entropy(X, 2.0), abs=1e-11)
    assert entropy_surface(X, "median").coords["bandwidth"] == (estimate_bandwidth(X),)
    assert entropy_surface(X, [lambda rows: np.full(len(rows), 2.0)]).coords["bandwidth"] == ("adaptive 0",)
    assert entropy_surface(X, lambda rows: 2.0).values.item() == pytest.approx(one.values.item(), abs=1e-12)


def test_values_cannot_be_changed(surface):
    with pytest.raises(ValueError, match="read-only"):
        surface.values[0] = 1
    with pytest.raises(AttributeError):
        surface.values = 1


def test_table_has_a_row_for_each_value(surface):
    table = surface.to_pandas()
    of_entropy = ["entropy", "standard_error", "lower", "upper", "saturated"]
    assert list(table) == ["bandwidth", "t", "order", "alpha", *of_entropy]
    assert (table.standard_error == 0).all()
    assert (table.lower == table.entropy).all()
    assert (table.upper == table.entropy).all()
    assert len(table) == surface.values.size
    row = table[(table.bandwidth == 1.0) & (table.t == 3) & (table.order == 2) & (table.alpha == 0.5)]
    assert row.entropy.item() == surface.values[1, 2, 1, 1]
    assert surface.to_dict()["entropy"] == table.entropy.tolist()


def test_saturation_is_where_it_is(surface):
    most = np.log2(120)
    expected = (surface.values <= 0.02 * most) | (surface.values >= 0.98 * most)
    assert np.array_equal(surface.saturated, expected)
    assert surface.saturated[0].all()
    assert not surface.saturated[1, 1].any()


def test_picture_shows_each_t_over_the_bandwidths_and_shades_what_is_saturated(surface):
    axes = matplotlib.figure.Figure().add_subplot()
    assert surface.plot(order=2, alpha=0.5, ax=axes) is axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    numbers = [not isinstance(bandwidth, str) for bandwidth in surface.coords["bandwidth"]]
    assert np.array_equal(lines["t = 3"].get_ydata(), surface.values[numbers, 2, 1, 1])
    assert len(axes.patches) == 2
    knn = surface.values[surface.coords["bandwidth"].index("knn"), 0, 1, 1]
    assert set(lines["knn"].get_ydata()) == {knn}
    assert "knn" not in [label.get_text() for label in axes.get_xticklabels()]
    picture = surface.plot_map(order=2, alpha=0.5, ax=matplotlib.figure.Figure().add_subplot())
    assert picture.get_xticklabels()[-1].get_text() == "knn"
    for name in ["order", "alpha"]:
        with pytest.raises(ValueError, match=f"{name} must be one of"):
            surface.plot(**{name: 0.77}, ax=axes)


def test_picture_of_numbers_has_them_on_a_logarithmic_scale_in_order():
    axes = entropy_surface(X, [10.0, 1.0]).plot(ax=matplotlib.figure.Figure().add_subplot())
    assert axes.get_xscale() == "log"
    assert axes.get_lines()[0].get_xdata().tolist() == [1.0, 10.0]
    assert axes.get_legend() is None


def test_single_precision_is_taken_where_it_is_asked_for():
    rows = np.random.default_rng(1).normal(size=(600, 8)).astype(np.float32)
    double = entropy_surface(rows, [2.0, 4.0], [1, 2])
    single = entropy_surface(rows, [2.0, 4.0], [1, 2], precision="single")
    assert single.values == pytest.approx(double.values, abs=1e-6 * np.sqrt(600))
    assert not np.array_equal(single.values, double.values)
    assert np.array_equal(double.values, entropy_surface(rows, [2.0, 4.0], [1, 2], precision="double").values)


def test_rows_are_a_seeded_subset_where_there_are_too_many():
    one = entropy_surface(X, [1.0, 2.0], max_samples=50, random_state=4)
    assert one.n_samples == 50
    assert np.array_equal(one.values, entropy_surface(X, [1.0, 2.0], max_samples=50, random_state=4).values)
    assert one.values[0, 0, 0, 0] == pytest.approx(
        diffusion_spectral_entropy(X, 1.0, max_N=50, random_seed=4), abs=1e-11
    )
    each = entropy_surface(X, [np.arange(1.0, 121.0)], max_samples=50)
    assert len(each.spectra[0][0].parameters["bandwidth"]) == 50


def test_progress_changes_nothing(surface, capsys):
    shown = entropy_surface(X, BANDWIDTHS, T, ORDERS, ALPHAS, progress=True)
    assert np.array_equal(shown.values, surface.values)
    assert "10/10" in capsys.readouterr().err


def test_many_rows_are_decomposed_in_turn():
    rows = np.random.default_rng(2).normal(size=(4100, 2)).astype(np.float32)
    surface = entropy_surface(rows, [1.0], precision="single")
    assert surface.values.item() == pytest.approx(diffusion_spectral_entropy(rows, 1.0), abs=1e-5)


def test_spectra_know_their_rows(tmp_path):
    found = entropy_surface(X, [1.0], max_samples=50).spectra[0][0]
    found.save(tmp_path / "spectrum")
    assert np.array_equal(Spectrum.load(tmp_path / "spectrum", X=X).eigenvalues, found.eigenvalues)


def test_names_of_near_bandwidths_do_not_overlap():
    axes = entropy_surface(X, [1.0, 1.05, 10.0]).plot(ax=matplotlib.figure.Figure().add_subplot())
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "", "10"]


def test_many_bandwidths_are_not_named_one_by_one():
    axes = entropy_surface(X[:20], np.geomspace(1, 100, 13)).plot(ax=matplotlib.figure.Figure().add_subplot())
    assert len(axes.get_xticks()) < 13
