"""The suggested bandwidth is where data differ most, in bits, from surrogates at the same bandwidth."""

import matplotlib.figure
import numpy as np
import pytest
from dsentropy import (
    BandwidthWarning,
    Stochastic,
    diffusion_spectrum,
    estimate_bandwidth,
    null_baseline,
    suggest_bandwidth,
)
from dsentropy._data.data import Data
from dsentropy._data.surrogates import SUGGESTION_STREAM, Surrogates
from dsentropy._measures import structure_curve
from dsentropy._measures.structure_curve import _vertex
from sklearn.datasets import load_digits

DIGITS = load_digits().data[:160]
RNG = np.random.default_rng(0)
GROUPS = RNG.normal(size=(80, 5)) + 5 * np.eye(5)[np.arange(80) % 3]
NOISE = RNG.normal(size=(80, 5)) * [3, 1, 1, 0.5, 0.1]

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


def structure(X, bandwidth, t=1, seed=0):
    """Compute the structure from spectra, with the draws of a suggestion."""
    made = Surrogates(Data.of(X), "gaussian", seed, SUGGESTION_STREAM)
    null = [diffusion_spectrum(made.draw(k).given, bandwidth=bandwidth).entropy(t) for k in range(10)]
    return np.mean(null) - diffusion_spectrum(X, bandwidth=bandwidth).entropy(t)


@pytest.mark.parametrize("t", [1, 2, 5])
def test_it_is_the_largest_difference_in_bits_on_a_fine_grid(t):
    found = suggest_bandwidth(DIGITS, t)
    assert found.clear
    assert found.bandwidth == pytest.approx(found.multiple * estimate_bandwidth(DIGITS))
    assert found.structure == pytest.approx(structure(DIGITS, found.bandwidth, t), abs=1e-9)
    fine = [structure(DIGITS, sigma, t) for sigma in found.bandwidth * np.geomspace(0.6, 1.6, 9)]
    # Between points whose bandwidths differ by 13% a peak may be higher, but not by much where it is smooth.
    assert found.structure >= 0.97 * max(fine)
    curve = found.curve
    assert (np.diff(curve["bandwidth"]) > 0).all()
    assert found.structure == np.abs(curve["structure"]).max()
    assert curve["structure"] == pytest.approx(curve["null_mean"] - curve["entropy"], abs=1e-12)


def test_it_depends_on_the_seed_by_less_than_15_percent():
    each = [suggest_bandwidth(DIGITS, random_state=seed).bandwidth for seed in range(10)]
    assert max(each) / min(each) < 1.15


def test_half_of_the_rows_have_nearly_their_largest_structure_at_the_choice_of_all():
    chosen = suggest_bandwidth(DIGITS).bandwidth
    for seed in range(3):
        half = np.random.default_rng(seed).choice(DIGITS, 80, replace=False)
        assert structure(half, chosen) > 0.9 * suggest_bandwidth(half).structure


def test_fresh_draws_confirm_it_and_the_median_has_less_structure():
    found = suggest_bandwidth(DIGITS)
    fresh = null_baseline(DIGITS, bandwidth=found.bandwidth)
    assert fresh.z > 5
    assert fresh.structure > 1.2 * null_baseline(DIGITS, null_bandwidth="data").structure


def test_noise_has_no_clear_maximum():
    for seed in range(10):
        rows = np.random.default_rng([3, seed]).normal(size=(60, 4)) @ np.diag([2, 1, 1, 0.3])
        assert not suggest_bandwidth(rows, random_state=seed).clear


def test_more_entropy_than_the_null_is_reported_with_its_sign():
    found = suggest_bandwidth(NOISE, null=lambda X, rng: rng.normal(scale=0.1, size=X.shape))
    assert found.clear
    assert found.structure < 0
    assert found.z < 0


def test_tight_groups_far_apart_have_a_maximum_beyond_the_first_grid():
    rows = RNG.normal(size=(80, 4)) + 4000 * np.eye(4)[np.arange(80) % 4]
    found = suggest_bandwidth(rows)
    assert found.clear
    assert found.multiple < 0.05
    assert found.structure > 2


def test_a_search_that_finds_no_inner_maximum_is_not_clear(monkeypatch):
    """Without an extension of the first grid, its smallest bandwidth is the best one for tight groups."""
    tight = 4000 * np.eye(4)[np.arange(80) % 4] + np.random.default_rng(3).normal(size=(80, 4))
    assert suggest_bandwidth(tight).clear
    monkeypatch.setattr(structure_curve, "_EXTENSIONS", 0)
    found = suggest_bandwidth(tight)
    assert not found.clear
    assert found.bandwidth == found.curve["bandwidth"].min()


def test_draws_that_are_not_kept_and_no_vertex_change_little(monkeypatch):
    found = suggest_bandwidth(GROUPS)
    monkeypatch.setattr(structure_curve, "_KEPT_BYTES", 0)
    again = suggest_bandwidth(GROUPS)
    assert again.bandwidth == found.bandwidth
    assert np.array_equal(again.curve["structure"], found.curve["structure"])
    monkeypatch.setattr(structure_curve, "_vertex", lambda x, y: None)
    coarser = suggest_bandwidth(GROUPS)
    assert set(coarser.curve["bandwidth"]) < set(found.curve["bandwidth"])
    assert coarser.structure <= found.structure


def test_rows_that_do_not_differ_have_no_bandwidth():
    for rows in [np.ones((6, 3)), [[1.0, 2.0]]]:
        found = suggest_bandwidth(rows)
        assert found.bandwidth == 0
        assert found.structure == 0
        assert not found.clear
        assert np.isnan(found.z)


def test_layers_have_a_multiple_of_each_median_or_one_number():
    layers = {"narrow": GROUPS, "wide": 10 * DIGITS}
    found = suggest_bandwidth(layers)
    assert found.clear
    assert found.layers == ("narrow", "wide")
    medians = {name: estimate_bandwidth(layer) for name, layer in layers.items()}
    assert found.bandwidth == pytest.approx({name: found.multiple * median for name, median in medians.items()})
    assert found.structure["wide"] == pytest.approx(structure(10 * DIGITS, found.bandwidth["wide"]), abs=1e-9)
    size = np.abs(found.curve["structure"]).mean(axis=0)
    assert found.multiple == found.curve["multiple"][0, size.argmax()]
    number = suggest_bandwidth(layers, common="number")
    assert isinstance(number.bandwidth, float)
    assert number.curve["bandwidth"][0].tolist() == number.curve["bandwidth"][1].tolist()
    assert number.structure["narrow"] == pytest.approx(structure(GROUPS, number.bandwidth), abs=1e-9)
    listed = suggest_bandwidth([GROUPS, 10 * DIGITS])
    assert listed.bandwidth == {0: found.bandwidth["narrow"], 1: found.bandwidth["wide"]}
    assert listed.clear


def test_one_layer_is_one_data_set():
    one, layer = suggest_bandwidth(GROUPS), suggest_bandwidth({"a": GROUPS})
    assert layer.bandwidth == {"a": one.bandwidth}
    assert suggest_bandwidth(GROUPS.tolist()).bandwidth == one.bandwidth
    assert suggest_bandwidth({"a": GROUPS, "b": np.ones((4, 2))}).bandwidth["a"] > 0


def test_rows_are_limited():
    few = suggest_bandwidth(DIGITS, max_samples=60)
    assert few.bandwidth == suggest_bandwidth(Data.of(DIGITS).limited(60, 0).given).bandwidth
    assert few.bandwidth != suggest_bandwidth(DIGITS, max_samples=None).bandwidth


def test_estimates_of_few_rows_are_exact_and_single_precision_is_near():
    exact = suggest_bandwidth(GROUPS)
    assert suggest_bandwidth(GROUPS, solver="stochastic").bandwidth == pytest.approx(exact.bandwidth)
    assert suggest_bandwidth(GROUPS.astype(np.float32), precision="single").bandwidth == pytest.approx(
        exact.bandwidth, rel=1e-3
    )


@pytest.mark.slow
def test_estimates_find_the_bandwidth():
    rows = np.random.default_rng(1).normal(size=(900, 8)) + 6 * np.eye(8)[np.arange(900) % 4]
    solver = Stochastic(tol=0.02, max_products=100_000, memory_limit=12_000_000)
    found = suggest_bandwidth(rows, n_draws=2, solver=solver)
    assert found.bandwidth == pytest.approx(suggest_bandwidth(rows, n_draws=2).bandwidth, rel=0.15)


def test_the_rule_structure_gives_its_number():
    assert estimate_bandwidth(GROUPS, "structure") == suggest_bandwidth(GROUPS).bandwidth
    of_time = estimate_bandwidth(GROUPS, rule="structure", t=2, metric="cosine", random_state=1)
    assert of_time == suggest_bandwidth(GROUPS, 2, metric="cosine", random_state=1).bandwidth
    for arguments, error, text in [
        ({"rule": "median", "t": 1}, ValueError, "t must not be given where rule is 'median'"),
        ({"rule": "structure", "n_neighbors": 3}, ValueError, "n_neighbors must not be given where rule is"),
        ({"rule": "structure", "metric": "precomputed"}, ValueError, "metric must be 'euclidean' or 'cosine'"),
    ]:
        with pytest.raises(error, match=text):
            estimate_bandwidth(GROUPS, **arguments)
    with pytest.raises(TypeError, match=r"X must be one array, .* suggest_bandwidth takes layers"):
        estimate_bandwidth({"a": GROUPS}, rule="structure")


def test_the_rule_structure_warns_where_no_maximum_is_clear():
    with pytest.warns(BandwidthWarning, match="at no bandwidth does X differ clearly from gaussian noise"):
        bandwidth = estimate_bandwidth(NOISE, "structure")
    found = suggest_bandwidth(NOISE)
    assert not found.clear
    assert bandwidth == found.bandwidth
    assert estimate_bandwidth(np.ones((9, 2)), "structure") == 0
    assert repr(suggest_bandwidth(np.ones((9, 2)))).startswith(
        "<BandwidthSuggestion 0.0: no bandwidth shows structure"
    )


def test_table_and_picture(capsys):
    found = suggest_bandwidth(GROUPS, progress=True, n_draws=3)
    assert "sets" in capsys.readouterr().err
    assert "medians), structure" in repr(found).replace("):", "),")
    table = found.to_pandas()
    assert list(table)[:3] == ["bandwidth", "multiple", "entropy"]
    assert table.structure.tolist() == found.curve["structure"].tolist()
    axes = matplotlib.figure.Figure().add_subplot()
    assert found.plot(ax=axes) is axes
    assert axes.get_lines()[0].get_ydata().tolist() == found.curve["structure"].tolist()
    assert axes.get_lines()[-1].get_xdata()[0] == found.multiple
    layers = suggest_bandwidth({"a": GROUPS, "b": NOISE}, n_draws=3)
    assert "2 layers" in repr(layers)
    assert layers.to_dict()["layer"][0] == "a"
    assert len(layers.to_dict()["z"]) == layers.curve["z"].size
    legend = layers.plot(ax=matplotlib.figure.Figure().add_subplot()).get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b"]


class Unreadable(dict):
    def items(self):
        raise OSError("no such file")


@pytest.mark.parametrize(
    ("X", "arguments", "error", "text"),
    [
        (NOISE, {"t": 0}, ValueError, "t must be positive"),
        (NOISE, {"order": 0}, ValueError, "order must be positive"),
        (NOISE, {"n_draws": 1}, ValueError, "n_draws must be at least 2"),
        (NOISE, {"common": "number"}, ValueError, "common must not be given where X is one data set"),
        ({"a": NOISE}, {"common": "median"}, ValueError, "common must be 'multiple' or 'number'"),
        ({}, {}, ValueError, "X must have at least one layer"),
        (Unreadable(), {}, TypeError, "X must be an array or a mapping of names to arrays"),
        ({"a": NOISE, "b": [[np.nan]]}, {}, ValueError, r"X\['b'\] must be finite"),
        (NOISE, {"metric": "affinity"}, ValueError, "metric must be 'euclidean' or 'cosine'"),
        (NOISE, {"null": "white"}, ValueError, "null must be 'gaussian'"),
        (NOISE, {"solver": "stochastic", "precision": "double"}, ValueError, "precision must be 'auto'"),
        (NOISE, {"solver": Stochastic(t=2)}, ValueError, "t must not be given in Stochastic"),
    ],
)
def test_bad_arguments_are_refused(X, arguments, error, text):
    with pytest.raises(error, match=text):
        suggest_bandwidth(X, **arguments)


def test_the_vertex_of_a_parabola_is_between_its_points():
    x = np.array([0.0, 1.0, 3.0])
    assert _vertex(x, -((x - 1.2) ** 2)) == pytest.approx(1.2)
    assert _vertex(x, -((x - 1) ** 2)) is None  # a point itself
    assert _vertex(x, x) is None
    assert _vertex(x, -((x - 5) ** 2)) is None


@pytest.mark.parametrize(
    "rows",
    [NOISE[np.arange(100) % 75], np.random.default_rng(1).integers(0, 2, size=(100, 5))],
    ids=["duplicates", "binary"],
)
def test_a_structure_of_duplicates_that_stays_at_small_bandwidths_is_no_clear_maximum(rows):
    found = suggest_bandwidth(rows)
    counted = np.log2(len(rows) / len(np.unique(rows, axis=0)))  # each distinct row is an eigenvalue 1
    assert found.curve["structure"][0] == pytest.approx(counted, abs=1e-9)
    assert found.structure == pytest.approx(counted, abs=1e-9)
    assert not found.clear
