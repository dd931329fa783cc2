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


def test_standard_errors_of_a_training_have_the_shape_of_the_values():
    with pytest.raises(ValueError, match="standard_errors must have the shape"):
        plotting.training([0], [[1.0]], ["a"], standard_errors=[1.0])
