"""Pictures of a training from plain arrays."""

import matplotlib.figure
import numpy as np
import pytest
from dsentropy import plotting


@pytest.fixture
def ax():
    return matplotlib.figure.Figure().add_subplot()


def test_a_training_has_a_line_for_each_layer(ax):
    values = np.array([[5.0, 4.0], [4.5, np.nan], [4.0, 2.0]])
    assert plotting.training([0, 10, 20], values, ["conv", "fc"], title="t = 1", ax=ax) is ax
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["conv", "fc"]
    np.testing.assert_array_equal([line.get_ydata() for line in ax.get_lines()], values.T)
    assert not ax.collections
    plotting.training([0, 10, 20], values, ["conv", "fc"], standard_errors=[[0.1, np.nan]] * 3, ax=ax)
    assert len(ax.collections) == 1  # shaded


def test_a_profile_has_at_most_eight_steps(ax):
    steps, layers = list(range(0, 200, 10)), [f"layer_{i:02d}" for i in range(4)]
    values = np.arange(80.0).reshape(20, 4)
    plotting.profile(layers, values, steps, ax=ax)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert (len(texts), texts[0], texts[-1]) == (8, "step 0", "step 190")
    assert ax.get_legend().get_title().get_text() == "8 of 20 steps"
    assert [label.get_text() for label in ax.get_xticklabels()] == layers
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {0}


def test_names_of_many_layers_are_turned_or_left_out(ax):
    plotting.profile([f"encoder.block_{i}" for i in range(6)], np.ones((1, 6)), [0], ax=ax)
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {30}
    ax.clear()
    plotting.profile([f"{i}" for i in range(13)], np.ones((1, 13)), [0], ax=ax)
    assert ax.get_legend() is None
    assert len(ax.get_xticks()) != 13


@pytest.mark.parametrize("draw", [plotting.training, lambda s, v, n, **given: plotting.profile(n, v, s, **given)])
@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"steps": [-1]}, ValueError, "steps must be at least 0"),
        ({"steps": [0.5]}, TypeError, "steps must be an integer"),
        ({"layers": "a"}, TypeError, "layers must be a sequence of strings"),
        ({"layers": [1]}, TypeError, "layers must be a sequence of strings"),
        ({"layers": {"a"}}, TypeError, "layers must be a sequence of strings"),
        ({"values": [1.0]}, ValueError, r"values must have the shape \(1, 1\), got \(1,\)"),
        ({"ylabel": 3}, TypeError, "ylabel must be a string"),
    ],
)
def test_pictures_of_a_training_refuse_other_shapes_and_types(draw, given, error, text):
    arguments = {"steps": [0], "values": [[1.0]], "layers": ["a"], **given}
    ylabel = {"ylabel": arguments["ylabel"]} if "ylabel" in arguments else {}
    with pytest.raises(error, match=text):
        draw(arguments["steps"], arguments["values"], arguments["layers"], **ylabel)


@pytest.mark.parametrize("name", ["standard_errors", "null_mean", "saturated"])
def test_arrays_beside_the_values_have_their_shape(name):
    with pytest.raises(ValueError, match=f"{name} must have the shape"):
        plotting.training([0], [[1.0]], ["a"], **{name: [1.0]})


def test_a_null_has_a_name():
    with pytest.raises(TypeError, match="null_label must be a string, got 3"):
        plotting.training([0], [[1.0]], ["a"], null_label=3)


DRAWN = [
    plotting.training,
    plotting.training_map,
    lambda steps, values, layers, **given: plotting.profile(layers, values, steps, **given),
]


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize(
    ("epochs", "error", "text"),
    [
        ([0.5], ValueError, "epochs must be one for each of 2 steps, got 1"),
        ([1, 1], ValueError, r"epochs must ascend, got \[1.0, 1.0\]: without them the axis has the steps"),
        ([-1, 1], ValueError, "epochs must be at least 0|epochs must be finite and at least 0"),
        (["a", 1], TypeError, "epochs must be"),
    ],
)
def test_epochs_ascend_with_the_steps(draw, epochs, error, text):
    with pytest.raises(error, match=text):
        draw([0, 10], [[1.0], [2.0]], ["a"], epochs=epochs)


def test_steps_and_epochs_do_not_share_axes(ax):
    plotting.training([0, 10], [[1.0], [2.0]], ["a"], epochs=[0, 0.5], ax=ax)
    assert ax.get_xlabel() == "epoch"
    assert ax.get_lines()[0].get_xdata().tolist() == [0, 0.5]
    with pytest.raises(ValueError, match=r"epochs must be given for all .* or for none: these have epochs"):
        plotting.training([0, 10], [[1.0], [2.0]], ["a"], ax=ax)


def test_epochs_name_the_lines_of_a_profile_and_the_cells_of_a_map(ax):
    plotting.profile(["a", "b"], np.ones((2, 2)), [0, 10], epochs=[0, 1 / 3], ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["epoch 0", "epoch 0.333333"]
    assert ax.get_legend().get_title().get_text() == ""


@pytest.mark.parametrize("draw", [DRAWN[0], DRAWN[2]])
def test_saturated_values_are_hollow(draw, ax):
    values, saturated = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, False], [True, True]])
    draw([0, 10], values, ["a", "b"], saturated=saturated, ax=ax)
    hollow = [line for line in ax.get_lines() if hasattr(line, "_dsentropy_hollow")]
    points = np.concatenate([line.get_ydata() for line in hollow])
    assert sorted(points) == sorted(values[saturated])
    assert [line.get_linestyle() for line in hollow] == ["None"] * 2
    assert [line.get_markerfacecolor() for line in hollow] == [ax.get_facecolor()] * 2
    assert ax.get_legend().get_texts()[-1].get_text() == "saturated: says little"


def test_one_line_has_a_legend_where_a_point_is_hollow(ax):
    plotting.training([0, 10], [[1.0], [2.0]], ["a"], saturated=[[0], [1]], ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "saturated: says little"]
