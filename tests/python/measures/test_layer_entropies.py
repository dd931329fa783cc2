"""Entropies of layers: the numbers of the functions for one layer, tokens with masks, the table and the picture."""

import numpy as np
import pytest
from dsentropy import (
    LayerEntropies,
    SaturationWarning,
    Stochastic,
    diffusion_spectrum,
    entropy_surface,
    layer_entropies,
    null_baseline,
    suggest_bandwidth,
)
from matplotlib.figure import Figure

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(40, 5))
LAYERS = {"input": ROWS, "hidden": np.tanh(ROWS @ RNG.normal(size=(5, 8))), 3: ROWS[:, :2] ** 3}
TOKENS = RNG.normal(size=(12, 4, 5))
MASK = np.arange(4) < RNG.integers(1, 5, size=12)[:, None]
TIMES, ORDERS = [0.5, 2.0], [1.0, 2.0]


def test_each_layer_has_the_entropies_of_its_surface():
    found = layer_entropies(LAYERS, [0.7, "median", "knn"], TIMES, ORDERS, n_neighbors=4, alpha=0.5)
    assert found.names == tuple(LAYERS)
    for place, rows in enumerate(LAYERS.values()):
        surface = entropy_surface(rows, [0.7, "median", "knn"], TIMES, ORDERS, 0.5, n_neighbors=4)
        assert found.entropy[place] == pytest.approx(surface.values[..., 0], abs=1e-12)
        assert np.array_equal(found.saturated[place], surface.saturated[..., 0])
        assert found.bandwidth[place] == surface.coords["bandwidth"]
    assert not found.standard_error.any()
    assert np.array_equal(found.lower, found.entropy)
    assert found.structure is found.null is found.null_name is None
    assert found.n_samples == (40, 40, 40)


@pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")
@pytest.mark.parametrize("null", ["gaussian", "permuted", "sphere", lambda rows, rng: rng.normal(size=rows.shape)])
@pytest.mark.parametrize("kept", ["own", "data"])
def test_the_null_is_that_of_the_baseline(null, kept):
    arguments = {"null": null, "null_bandwidth": kept, "t": TIMES, "orders": ORDERS, "random_state": 3}
    found = layer_entropies(LAYERS, ["median", 0.7], n_null=3, **arguments)
    for place, rows in enumerate(LAYERS.values()):
        for column, bandwidth in enumerate(["median", 0.7]):
            expected = null_baseline(rows, bandwidth=bandwidth, n_draws=3, **arguments)
            for name in ("null_mean", "null_standard_deviation", "structure", "z", "p_value", "like_noise"):
                assert getattr(found, name)[place, column] == pytest.approx(getattr(expected, name), abs=1e-12)
            assert found.null[place][:, column] == pytest.approx(expected.null, abs=1e-12)
    assert found.null_name == ("<lambda>" if callable(null) else null)


def test_surrogates_may_follow_a_callable_bandwidth():
    found = layer_entropies({"a": ROWS}, lambda rows: rows.std() * 3, null="gaussian", n_null=2)
    expected = null_baseline(ROWS, bandwidth=lambda rows: rows.std() * 3, n_draws=2)
    assert found.structure.item() == pytest.approx(expected.structure, abs=1e-12)


def test_cosine_distances_and_normalised_rows_have_equal_entropies():
    one = layer_entropies(LAYERS, normalize=True).entropy
    assert one == pytest.approx(layer_entropies(LAYERS, metric="cosine").entropy, abs=1e-9)
    directions = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    assert one[0].item() == pytest.approx(layer_entropies({"a": directions}).entropy.item(), abs=1e-9)
    small = layer_entropies({"a": ROWS.astype(np.float32) * np.float32(1e-30)}, normalize=True)
    assert small.entropy.item() == pytest.approx(one[0].item(), abs=1e-5)


def test_tokens_are_rows_without_padding():
    padded = np.where(MASK[..., None], TOKENS, np.nan)
    found = layer_entropies({"a": padded}, masks=MASK, tokens="rows", t=2)
    assert found.n_samples == (MASK.sum(),)
    assert found.entropy.item() == layer_entropies({"a": TOKENS[MASK]}, t=2).entropy.item()
    everything = layer_entropies({"a": TOKENS}, tokens="rows")
    assert everything.entropy.item() == layer_entropies({"a": TOKENS.reshape(-1, 5)}).entropy.item()


@pytest.mark.parametrize("mask", [MASK, MASK.astype(int), MASK.astype(np.float32), MASK.tolist()])
def test_tokens_are_averaged_without_padding(mask):
    padded = np.where(MASK[..., None], TOKENS, np.inf)
    means = (TOKENS * MASK[..., None]).sum(axis=1) / MASK.sum(axis=1, keepdims=True)
    found = layer_entropies({"a": padded, "rows": ROWS}, masks={"a": mask}, tokens="mean")
    assert found.entropy[0].item() == pytest.approx(layer_entropies({"a": means}).entropy.item(), abs=1e-12)
    assert found.n_samples == (12, 40)
    narrow = layer_entropies({"a": TOKENS.astype(np.float16).tolist()}, masks=mask, tokens="mean")
    assert narrow.entropy.item() == pytest.approx(found.entropy[0].item(), abs=0.01)


def test_means_of_narrow_tokens_are_float32():
    """Their entropies are those of the means in float32, to the bit."""
    narrow = TOKENS.astype(np.float16)
    means = narrow.astype(np.float64).mean(axis=1).astype(np.float32)
    assert np.array_equal(
        layer_entropies({"a": narrow}, tokens="mean").entropy, layer_entropies({"a": means}).entropy
    )


def test_layers_may_have_bandwidths_of_their_own():
    each = {"input": [1.0, 2.0], "hidden": [0.5, "median"], 3: np.array([3.0, 4.0])}
    found = layer_entropies(LAYERS, each)
    assert found.bandwidth[0] == (1.0, 2.0)
    assert found.bandwidth[2] == (3.0, 4.0)
    assert found.entropy[1, 0].item() == diffusion_spectrum(LAYERS["hidden"], bandwidth=0.5).bits([1], [1]).item()
    a_row = layer_entropies({"a": ROWS}, [np.linspace(1, 2, 40)])
    assert a_row.bandwidth == (("adaptive",),)


@pytest.mark.filterwarnings("ignore:layers.'flat'. has collapsed:dsentropy.SaturationWarning")
@pytest.mark.parametrize("null", [None, "permuted"])
def test_the_structure_rule_is_the_suggestion_for_all_layers(null):
    small = {"groups": ROWS + 8 * np.eye(5)[np.arange(40) % 3], "noise": ROWS, "flat": np.ones((9, 2))}
    drawn = {} if null is None else {"null": null, "n_null": 2}
    found = layer_entropies(small, [1.0, "structure"], [2.0, 1.0], random_state=5, **drawn)
    expected = suggest_bandwidth(small, 2.0, null or "gaussian", random_state=5)
    assert found.suggestion.multiple == expected.multiple
    assert [one[1] for one in found.bandwidth] == list(expected.bandwidth.values())
    own = layer_entropies(small, expected.bandwidth, [2.0, 1.0], random_state=5, **drawn)
    assert np.array_equal(own.entropy[:, 0], found.entropy[:, 1])
    if null is not None:
        assert np.array_equal(own.structure[:, 0], found.structure[:, 1])
    assert found.rules == ("1", "structure")
    assert own.rules == (None,)
    assert "bandwidth structure" in found.plot(bandwidth=1, ax=Figure().add_subplot()).get_title()
    assert "bandwidth" not in own.plot(ax=Figure().add_subplot()).get_title()
    assert layer_entropies({"flat": np.ones((9, 2))}, "structure").bandwidth == ((1.0,),)
    with pytest.raises(ValueError, match="bandwidths must not have 'structure' in a mapping"):
        layer_entropies({"a": ROWS}, {"a": "structure"})


def test_bandwidths_may_be_of_further_layers():
    each = {"other": 9.0, **dict.fromkeys(LAYERS, "median")}
    assert np.array_equal(layer_entropies(LAYERS, each).entropy, layer_entropies(LAYERS).entropy)
    with pytest.raises(ValueError, match=r"bandwidths must have the names of the layers, \['input', 'hidden', 3\]"):
        layer_entropies(LAYERS, {"input": 1.0, "hidden": 1.0})


def test_layers_whose_rows_are_equal_have_a_warning():
    rounded = np.full((30, 4), 0.1) * (1 + 1e-17)
    for rows, text in [(rounded, "has collapsed: all its rows are equal"), (np.ones((1, 2)), "has one row")]:
        with pytest.warns(SaturationWarning) as caught:
            found = layer_entropies({"rows": ROWS, "act1": rows})
        assert [str(one.message) for one in caught] == [
            f"layers['act1'] {text}, so its entropy is 0 whatever the bandwidth"
        ]
        assert found.entropy[1].item() == pytest.approx(0, abs=1e-12)


def test_layers_of_a_list_are_numbered():
    listed = layer_entropies([ROWS, 2 * ROWS], 1.0)
    assert listed.names == (0, 1)
    assert np.array_equal(listed.entropy, layer_entropies({"a": ROWS, "b": 2 * ROWS}, 1.0).entropy)
    with pytest.raises(ValueError, match="layers must have at least one layer"):
        layer_entropies([])


def test_subsets_are_of_equal_rows_in_all_layers():
    found = layer_entropies({"a": ROWS, "b": 2 * ROWS}, max_samples=20, null="gaussian", n_null=2)
    assert found.n_samples == (20, 20)
    assert found.entropy[0] == pytest.approx(found.entropy[1], abs=1e-12)
    assert found.structure[0] == pytest.approx(found.structure[1], abs=1e-12)
    assert found.entropy[0].item() == diffusion_spectrum(ROWS, max_samples=20).bits([1], [1]).item()
    fresh = [layer_entropies(LAYERS, null="gaussian", n_null=2, random_state=None).structure for _ in range(2)]
    assert (fresh[0] != fresh[1]).all()


def test_results_do_not_depend_on_threads_or_on_other_layers():
    arguments = {"t": TIMES, "null": "gaussian", "n_null": 2}
    one, two = (layer_entropies(LAYERS, num_threads=threads, **arguments) for threads in (1, 2))
    assert np.array_equal(one.structure, two.structure)
    alone = layer_entropies({"hidden": LAYERS["hidden"]}, **arguments)
    assert np.array_equal(alone.structure[0], one.structure[1])


def test_estimates_have_errors_in_the_table():
    rows = np.random.default_rng(1).normal(size=(1200, 2))
    options = Stochastic(tol=0.05, memory_limit=14_000_000, storage="tiled")
    found = layer_entropies({"a": rows}, 0.5, null="gaussian", n_null=2, solver=options)
    exact = layer_entropies({"a": rows}, 0.5)
    table = found.to_dict()
    reach = 5 * table["standard_error"][0] + 1e-9
    assert table["lower"][0] - reach <= exact.entropy.item() <= table["upper"][0] + reach
    assert table["standard_error"][0] + table["upper"][0] - table["lower"][0] > 0


def test_the_table_has_a_row_for_each_reading():
    found = layer_entropies(LAYERS, [0.7, "median"], TIMES, ORDERS, null="gaussian", n_null=3)
    table = found.to_pandas()
    assert len(table) == 3 * 2 * 2 * 2
    one = table[(table.layer == "hidden") & (table.t == 2.0) & (table.order == 1.0)]
    assert one.bandwidth.tolist() == list(found.bandwidth[1])
    for name in ("entropy", "structure", "z", "p_value", "like_noise", "saturated", "null_mean"):
        assert one[name].tolist() == getattr(found, name)[1, :, 1, 0].tolist()
    assert "null_mean" not in layer_entropies(LAYERS).to_dict()
    assert "<table>" in found._repr_html_()
    with pytest.raises(ValueError, match="read-only"):
        found.entropy[0] = 1


def test_reprs_show_no_range_over_t():
    found = layer_entropies(LAYERS, t=TIMES, null="gaussian", n_null=3)
    assert repr(found).startswith("<LayerEntropies of 3 layers of 40 samples, 2 readings each: ")
    assert "3 draws of 'gaussian'>" in repr(found)
    unequal = layer_entropies({"a": ROWS, "b": ROWS[:9]})
    assert repr(unequal).startswith("<LayerEntropies of 2 layers of 9 or more samples, 1 reading each: ")
    near = layer_entropies({"a": ROWS}, 1e-3)
    assert "1 of 1 entropies saturated" in repr(near)


def noise(rows, rng):
    return rng.normal(size=rows.shape)


@pytest.mark.parametrize(
    ("null", "name"),
    [
        ("gaussian", "normal noise of equal covariance"),
        ("permuted", "columns shuffled"),
        ("sphere", "noise on a sphere"),
        (noise, "noise"),
    ],
)
def test_a_legend_has_the_null_in_words(null, name):
    axes = layer_entropies({"a": ROWS, "b": 2 * ROWS}, null=null, n_null=2).plot(ax=Figure().add_subplot())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["entropy", name]
    layer_entropies({"a": ROWS}, null=null, n_null=2).plot(label="later", ax=axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()][2:] == ["later", f"later, {name}"]


def test_the_title_of_the_bandwidth_by_structure_has_its_multiple():
    found = layer_entropies(LAYERS, ["median", "structure"])
    axes = found.plot(bandwidth=1, ax=Figure().add_subplot())
    assert axes.get_title() == f"entropy by depth, bandwidth structure, {found.suggestion.multiple:.3g} medians"
    assert found.plot(ax=Figure().add_subplot()).get_title() == "entropy by depth, bandwidth median"


def test_the_picture_has_a_line_for_each_t_and_the_null():
    found = layer_entropies(LAYERS, [0.7, "median"], TIMES, ORDERS, null="gaussian", n_null=3)
    axes = found.plot(order=2, bandwidth=1, ax=Figure().add_subplot())
    assert [label.get_text() for label in axes.get_xticklabels()] == ["input", "hidden", "3"]
    lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    assert lines["t = 2"].tolist() == found.entropy[:, 1, 1, 1].tolist()
    for place, t in enumerate(TIMES):
        null = lines[f"normal noise of equal covariance, t = {t:g}"]
        assert null.tolist() == found.null_mean[:, 1, place, 1].tolist()
    assert axes.get_title() == "entropy of order 2 by depth, bandwidth median"
    plain = layer_entropies({"a": ROWS}).plot(ax=Figure().add_subplot())
    assert plain.get_title() == "entropy by depth, bandwidth median"
    assert plain.get_lines()[0].get_label() == "entropy"
    assert plain.get_legend() is None
    one = layer_entropies({"a": ROWS}, null="gaussian", n_null=2).plot(ax=Figure().add_subplot())
    assert len(one.containers) == 1
    many = {f"encoder.layer.{i}": ROWS for i in range(40)}
    axes = layer_entropies(many).plot(ax=Figure().add_subplot())
    assert len(axes.get_xticklabels()) < 17
    assert axes.get_xticklabels()[0].get_rotation() == 30
    with pytest.raises(ValueError, match="order must be one of"):
        found.plot(order=3)
    with pytest.raises(ValueError, match="bandwidth must be a number from 0 to 1, got 2"):
        found.plot(bandwidth=2)


def test_progress_counts_data_sets(capfd):
    layer_entropies(LAYERS, null="gaussian", n_null=2, progress=True)
    assert "9/9" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("layers", "arguments", "error", "message"),
    [
        (ROWS, {}, TypeError, "layers must be a mapping of names to arrays, or a list of arrays, got"),
        ({}, {}, ValueError, "layers must have at least one layer"),
        ({"a": ROWS[0]}, {}, ValueError, r"layers\['a'\] must have two dimensions \[N, D\], got shape \(5,\)"),
        ({"a": ROWS * np.nan}, {}, ValueError, r"layers\['a'\] must be finite"),
        ({"a": TOKENS}, {}, ValueError, r"layers\['a'\] must have two dimensions .* tokens='mean' takes"),
        ({"a": ROWS}, {"tokens": "mean"}, ValueError, r"tokens must not be given where no layer has the shape"),
        ({"a": ROWS}, {"masks": MASK}, ValueError, r"masks must not be given where no layer has the shape"),
        ({"a": TOKENS}, {"tokens": "mean", "masks": MASK[:3]}, ValueError, r"masks must have the shape \(12, 4\)"),
        ({"a": TOKENS}, {"tokens": "mean", "masks": MASK * 2}, ValueError, r"masks must be 1 \(or True\) for tokens"),
        (
            {"a": TOKENS},
            {"tokens": "mean", "masks": MASK * 0},
            ValueError,
            r"masks must be 1 for a token of each seq",
        ),
        ({"a": TOKENS}, {"tokens": "rows", "masks": MASK * 0}, ValueError, r"masks must be 1 for at least one token"),
        ({"a": TOKENS}, {"tokens": "mean", "masks": {"b": MASK}}, ValueError, r"masks must have names of layers"),
        (
            {"a": ROWS, "b": TOKENS},
            {"tokens": "mean", "masks": {"a": MASK}},
            ValueError,
            r"masks must be None for layers\['a'\], which has no tokens",
        ),
        ({"a": TOKENS.astype(str)}, {"tokens": "mean"}, TypeError, r"layers\['a'\] must be an array of real numbers"),
        ({"a": ROWS * 0}, {"normalize": True}, ValueError, r"layers\['a'\] must have no zero row where normalize"),
        ({"a": ROWS}, {"bandwidths": {"b": 1.0}}, ValueError, r"bandwidths must have the names of the layers"),
        (
            {"a": ROWS, "b": ROWS},
            {"bandwidths": {"a": 1.0, "b": [1.0, 2.0]}},
            ValueError,
            "bandwidths must be equally many for each layer, got from 1 to 2",
        ),
        ({"a": ROWS}, {"bandwidths": [None]}, TypeError, "bandwidths must be numbers, rules, arrays or callables"),
        ({"a": ROWS}, {"n_null": 3}, ValueError, "n_null must not be given where null is None"),
        ({"a": ROWS}, {"null_bandwidth": "own"}, ValueError, "null_bandwidth must not be given where null is None"),
        (
            {"a": ROWS},
            {"null": "gaussian", "null_bandwidth": "data", "bandwidths": "knn"},
            ValueError,
            "null_bandwidth must be 'own' where a rule of bandwidths gives one number a row",
        ),
        ({"a": ROWS}, {"metric": "precomputed"}, ValueError, "metric must be 'euclidean' or 'cosine'"),
    ],
)
def test_bad_arguments_are_named(layers, arguments, error, message):
    with pytest.raises(error, match=message):
        layer_entropies(layers, **arguments)


def test_a_mapping_that_cannot_be_read_is_refused():
    class Unreadable(dict):
        def items(self):
            raise OSError("disk")

    with pytest.raises(TypeError, match=r"layers must be a mapping of names to arrays, .*disk"):
        layer_entropies(Unreadable(a=1))
    with pytest.raises(ValueError, match=r"must be convertible"):
        layer_entropies({"a": [[1.0, 2.0], [3.0]]})


def test_the_class_is_public():
    assert isinstance(layer_entropies({"a": ROWS}), LayerEntropies)


def test_a_layer_of_one_row_is_named_where_it_has_no_neighbors():
    with pytest.raises(ValueError, match=r"^layers\['a'\] must have at least two rows"):
        layer_entropies({"a": np.ones((1, 2))}, bandwidths="knn")
