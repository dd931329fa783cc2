"""Surfaces with a null: entropies of surrogates at the same bandwidths, and what compares with them."""

import matplotlib.figure
import numpy as np
import pytest
from dsentropy import Stochastic, diffusion_spectrum, entropy_surface, estimate_bandwidth, null_baseline
from dsentropy._data.data import Data
from dsentropy._data.surrogates import SURFACE_STREAM, Surrogates

X = np.random.default_rng(0).normal(size=(70, 4)) + 6 * np.eye(4)[np.arange(70) % 3]
BANDWIDTHS = [0.5, "median", "knn", np.linspace(1, 2, 70), lambda rows: float(rows.std())]
T, ORDERS, ALPHAS = [1, 2], [1, 2, 3], [0.0, 1.0]

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


@pytest.fixture(scope="module")
def surface():
    return entropy_surface(X, BANDWIDTHS, T, ORDERS, ALPHAS, null="permuted", n_null=3)


def test_each_entropy_of_the_null_is_that_of_its_surrogate(surface):
    assert surface.null.shape == (3, 5, 2, 3, 2)
    made = Surrogates(Data.of(X), "permuted", 0, SURFACE_STREAM)
    held = [0.5, estimate_bandwidth(X), "knn", BANDWIDTHS[3], float(X.std())]
    for k in range(3):
        for b, bandwidth in enumerate(held):
            for a, alpha in enumerate(ALPHAS):
                spectrum = diffusion_spectrum(made.draw(k).given, bandwidth=bandwidth, alpha=alpha)
                assert surface.null[k, b, :, :, a] == pytest.approx(spectrum.entropy(T, ORDERS), abs=1e-9)


def test_the_entropies_of_the_data_are_those_without_a_null(surface):
    alone = entropy_surface(X, BANDWIDTHS, T, ORDERS, ALPHAS)
    assert np.array_equal(alone.values, surface.values)
    for name in [
        "null",
        "null_name",
        "null_mean",
        "null_standard_deviation",
        "structure",
        "z",
        "p_value",
        "like_noise",
    ]:
        assert getattr(alone, name) is None
    assert "noise" not in repr(alone)
    assert "structure" not in alone.to_dict()


def test_structure_and_z_compare_with_the_null(surface):
    mean, spread = surface.null.mean(axis=0), surface.null.std(axis=0, ddof=1)
    assert surface.null_mean == pytest.approx(mean)
    assert surface.structure == pytest.approx(mean - surface.values)
    assert surface.null_standard_deviation == pytest.approx(spread, abs=1e-9)
    assert surface.z[0] == pytest.approx((mean - surface.values)[0] / spread[0], rel=1e-6)
    assert np.array_equal(surface.like_noise, np.abs(surface.z) < 2)
    both = np.concatenate([surface.values[None], surface.null])
    away = np.abs(both - both.mean(axis=0))
    assert surface.p_value == pytest.approx((away >= away[0]).mean(axis=0))
    assert "as good as noise, 3 draws of 'permuted'" in repr(surface)
    table = surface.to_pandas()
    assert table.z.tolist() == surface.z.ravel().tolist()
    assert {"null_mean", "null_standard_deviation", "structure", "p_value", "like_noise"} <= set(table)


def test_a_baseline_of_one_bandwidth_has_other_draws_of_the_same_null():
    found = entropy_surface(X, 1.0, null="gaussian", n_null=40)
    other = null_baseline(X, bandwidth=1.0, n_draws=40)
    assert found.values.item() == pytest.approx(other.value)
    # Both means have the error s / sqrt(40).
    allowed = 5 * other.null_standard_deviation * np.sqrt(2 / 40)
    assert 0 < abs(found.null_mean.item() - other.null_mean) < allowed


def test_single_precision_and_estimates(capsys):
    rows = np.random.default_rng(1).normal(size=(300, 5)).astype(np.float32)
    single = entropy_surface(rows, [1.0, 3.0], null="gaussian", n_null=2, precision="single", progress=True)
    double = entropy_surface(rows, [1.0, 3.0], null="gaussian", n_null=2)
    assert single.null == pytest.approx(double.null, abs=1e-6 * 18)
    assert single.structure == pytest.approx(double.structure, abs=4e-6 * 18)
    assert "2/2" in capsys.readouterr().err
    estimated = entropy_surface(rows[:80], 1.0, null="gaussian", n_null=2, solver=Stochastic(tol=0.01))
    exact = entropy_surface(rows[:80], 1.0, null="gaussian", n_null=2)
    assert estimated.null == pytest.approx(exact.null, abs=0.1)


def test_the_picture_has_a_band_for_each_t(surface):
    axes = matplotlib.figure.Figure().add_subplot()
    surface.plot(order=2, alpha=1.0, ax=axes)
    dashed = [line for line in axes.get_lines() if line.get_linestyle() == "--"]
    numbers = [place for place, one in enumerate(surface.coords["bandwidth"]) if not isinstance(one, str)]
    numbers.sort(key=lambda place: surface.coords["bandwidth"][place])
    assert dashed[1].get_ydata() == pytest.approx(surface.null_mean[numbers, 1, 1, 1])
    assert len(axes.collections) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"n_null": 3}, ValueError, "n_null must not be given where null is None"),
        ({"null": "gaussian", "n_null": 1}, ValueError, "n_null must be at least 2"),
        ({"null": "other"}, ValueError, "null must be 'gaussian'"),
        ({"null": "gaussian", "metric": "precomputed"}, ValueError, "metric must be 'euclidean' or 'cosine'"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        entropy_surface(np.zeros((4, 4)), 1.0, **arguments)
