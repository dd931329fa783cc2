"""Pictures drawn on the same axes: names, colours that go on, and axes of names that are merged."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from dsentropy import (
    Spectrum,
    Stochastic,
    compare,
    convergence,
    diffusion_spectrum,
    entropy_surface,
    layer_entropies,
    mutual_information,
    null_baseline,
    plotting,
    population_interval,
    subsampled_entropy,
    suggest_bandwidth,
)
from dsentropy.monitor import Monitor
from matplotlib.figure import Figure

X = np.random.default_rng(0).normal(size=(40, 3))
LABELS = np.arange(40) % 2


@pytest.fixture
def ax() -> Any:
    return Figure().add_subplot()


def colours(ax: Any) -> list[str]:
    return [line.get_color() for line in ax.get_lines() if hasattr(line, "_dsentropy_number")]


def legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


TWO = np.array([[2.0, 1.0], [1.5, 0.5]])
DRAWS = np.array([TWO - 0.1, TWO + 0.1])
DRAWINGS = {
    "spectrum": lambda **to: plotting.spectrum([1.0, 0.5], [1, 2], **to),
    "estimate": lambda **to: plotting.estimate([1.0, 0.5], [1.0, 3.0], t=[1, 2], **to),
    "surface": lambda **to: plotting.surface(TWO, [1.0, 2.0], [1, 2], **to),
    "convergence": lambda **to: plotting.convergence([10, 20], TWO, 0 * TWO, ["t = 1", "t = 2"], **to),
    "differences": lambda **to: plotting.differences(TWO, TWO, TWO, ["A - B", "A - C"], [1, 2], **to),
    "layers": lambda **to: plotting.layers(TWO, ["a", "b"], [1, 2], **to),
    "clusters": lambda **to: plotting.clusters(TWO, ["a", "b"], [1, 2], **to),
}


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_colours_go_on_where_axes_are_drawn_on_again(ax: Any, draw: Any) -> None:
    draw(ax=ax, label="first")
    draw(ax=ax, label="second")
    assert len(set(colours(ax))) == len(colours(ax)) == 4
    assert legend(ax) == ["first, t = 1", "first, t = 2", "second, t = 1", "second, t = 2"]
    ax.clear()
    draw(ax=ax)
    assert legend(ax) == ["t = 1", "t = 2"]
    again = Figure().add_subplot()
    draw(ax=again)
    assert colours(ax) == colours(again)


def test_orders_and_informations_go_on(ax: Any) -> None:
    for label in ("first", "second"):
        plotting.subsampled(DRAWS, DRAWS, [1, 2], [1, 2], label=label, ax=ax)
    assert legend(ax) == ["first, order 1", "first, order 2", "second, order 1", "second, order 2"]
    assert len(set(colours(ax))) == 4
    ax.clear()
    for label in ("first", "second"):
        plotting.null_baseline(TWO, DRAWS, [1, 2], [1, 2], label=label, ax=ax)
    assert legend(ax) == ["first, order 1", "first, order 2", "second, order 1", "second, order 2"]
    ax.clear()
    for label in ("first", "second"):
        plotting.information([1.0, 2.0], [0.1, 0.1], [1, 2], null=DRAWS[:, 0], ceiling=3, label=label, ax=ax)
    assert len(set(colours(ax))) == 2
    assert {text.split(": ")[0] for text in legend(ax)} == {"first", "second"}
    places = [line.get_xdata()[0] for line in ax.get_lines() if hasattr(line, "_dsentropy_number")]
    assert places[0] != places[1]  # so that bars do not cover each other


def test_one_line_of_a_call_has_its_name_alone(ax: Any) -> None:
    for label in ("first", "second"):
        plotting.spectrum([1.0, 0.5], label=label, ax=ax)
    assert legend(ax) == ["first", "second"]


def test_a_second_call_without_a_name_has_a_legend_too(ax: Any) -> None:
    plotting.spectrum([1.0, 0.5], ax=ax)
    assert ax.get_legend() is None
    plotting.spectrum([1.0, 0.5], 2, ax=ax)
    assert legend(ax) == ["t = 1", "t = 2"]
    plain = Figure().add_subplot()
    for _ in range(2):
        plotting.structure([[1.0, 2.0]], [[1.0, 1.0]], [1.0, 2.0], ax=plain)  # lines without names
    assert plain.get_legend() is None


def test_runs_have_dashes_of_their_own(ax: Any) -> None:
    for draw in (
        lambda **to: plotting.training([0, 1], TWO, ["a", "b"], ax=ax, **to),
        lambda **to: plotting.profile(["a", "b"], TWO, [0, 1], ax=ax, **to),
    ):
        ax.clear()
        draw(label="one")
        draw(label="two")
        looks = [(line.get_linestyle(), line.get_marker(), tuple(line.get_color())) for line in ax.get_lines()]
        assert [dashes for dashes, _, _ in looks] == ["-", "-", "--", "--"]
        assert looks[0][1:] == looks[2][1:]
        assert legend(ax)[0].startswith("one, ")


def test_levels_without_a_null_and_a_null_of_one_layer(ax: Any) -> None:
    plotting.surface([[1.0]], ["knn"], 1, ax=ax)
    assert not ax.containers
    plotting.layers(
        [[1.0]], ["a"], 1, null_mean=[[2.0]], null_standard_deviation=[[0.1]], ax=(one := Figure().add_subplot())
    )
    (bars,) = one.containers
    assert bars[2][0].get_segments()[0][:, 1] == pytest.approx([1.8, 2.2])


def test_times_and_names_of_both_calls_share_an_axis(ax: Any) -> None:
    plotting.null_baseline([[2.0], [1.0]], DRAWS[:, :, :1], [1, 5], ax=ax)
    plotting.null_baseline([[2.0], [1.0]], DRAWS[:, :, :1], [5, 2], ax=ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "5", "2"]
    lines = [line for line in ax.get_lines() if hasattr(line, "_dsentropy_number")]
    assert [line.get_xdata().tolist() for line in lines] == [[0, 1], [1, 2]]
    ax.clear()
    plotting.layers([[1.0], [2.0]], ["a", "b"], 1, ax=ax)
    plotting.layers([[1.0], [2.0]], ["b", "c"], 1, ax=ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]


def test_the_maximum_of_a_surface_is_marked_once(ax: Any) -> None:
    for most in (3, 3, 4):
        plotting.surface(TWO, [1.0, 2.0], [1, 2], max_entropy=most, ax=ax)
    assert len(ax.patches) == 4  # two for each maximum
    assert ax.get_ylim()[1] > 4


def test_axes_can_be_pickled_between_calls(ax: Any) -> None:
    plotting.spectrum([1.0, 0.5], ax=ax)
    other = pickle.loads(pickle.dumps(ax.figure)).axes[0]
    plotting.spectrum([1.0, 0.5], 2, ax=other)
    assert len(set(colours(other))) == 2


def results() -> Any:
    with Monitor(num_threads=1) as monitor:
        monitor.observe(0, {"a": X, "b": X[:, :2]})
    yield diffusion_spectrum(X)
    yield diffusion_spectrum(
        np.random.default_rng(0).normal(size=(1500, 6)), bandwidth=2.0, solver=Stochastic(tol=1e-2)
    )
    yield entropy_surface(X, [1.0, 2.0])
    yield mutual_information(X, LABELS, n_repeats=2, bandwidth=1.0)
    yield subsampled_entropy(X, n_samples=20, n_repeats=2, bandwidth=1.0)
    yield compare(X, X[::-1], n_samples=20, n_repeats=3)
    yield convergence(X, sizes=[10, 20], n_repeats=2)
    yield layer_entropies({"a": X})
    yield null_baseline(X, n_draws=2)
    yield population_interval(X, n_repeats=3)
    yield suggest_bandwidth(X, n_draws=2)
    yield suggest_bandwidth({"a": X, "b": X[:, :2]}, n_draws=2)
    yield monitor.curves("dse")
    yield monitor.profile("dse")


@pytest.mark.filterwarnings("ignore::UserWarning")  # of samples this small; not what is tested
def test_each_result_is_drawn_beside_another_by_its_name() -> None:
    shown = list(results())
    assert len(shown) == 14
    for result in shown:
        ax = Figure().add_subplot()
        result.plot(label="first", ax=ax)
        result.plot(label="second", ax=ax)
        assert any(text.startswith("first") for text in legend(ax))
        assert any(text.startswith("second") for text in legend(ax))
        assert ax.get_title() == ""
        result.plot(ax=ax)
    with pytest.raises(TypeError, match=r"^label must be a string or None, got 3$"):
        Spectrum([1.0]).plot(label=3)  # type: ignore[arg-type]


def test_titles_of_small_axes_are_broken_into_lines() -> None:
    figure = Figure(figsize=(9, 3))
    for place in range(3):
        axes = figure.add_subplot(1, 3, place + 1)
        Spectrum([1.0, 0.5]).plot(ax=axes)
        plotting.spectrum([1.0], title="a long title of a picture, which is small\nwith a second line", ax=axes)
    lines = figure.axes[0].get_title().split("\n")
    assert lines[-1] == "with a second line"
    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    boxes = [axes.title.get_window_extent(renderer) for axes in figure.axes]
    assert boxes[0].x1 < boxes[1].x0
    assert boxes[1].x1 < boxes[2].x0


@pytest.mark.parametrize("width", [2.5, 4, 9])
def test_labels_below_small_axes_do_not_overlap(width: float) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    times = np.arange(1.0, 10.0) / 7
    for draw in (
        lambda ax: plotting.surface(np.ones((8, 1)), np.geomspace(0.123, 4.56, 8), 1, ax=ax),
        lambda ax: plotting.null_baseline(np.ones((9, 1)), np.ones((2, 9, 1)), times, ax=ax),
        lambda ax: plotting.convergence([100, 110, 200, 400, 10_000], np.ones((5, 1)), np.ones((5, 1)), ["a"], ax=ax),
    ):
        figure = Figure(figsize=(width, 3))
        renderer = FigureCanvasAgg(figure).get_renderer()
        ax = figure.add_subplot()
        draw(ax)
        labels = [tick for tick in ax.get_xticklabels() if tick.get_text()]
        assert labels
        boxes = sorted((tick.get_window_extent(renderer) for tick in labels), key=lambda box: box.x0)
        assert all(one.x1 <= other.x0 for one, other in pairwise(boxes))


def test_the_range_of_probabilities_ends_at_rounding(ax: Any) -> None:
    """At a large t powers fall by hundreds of decades, which have no part in any sum."""
    eigenvalues = np.geomspace(1, 1e-10, 50)
    plotting.spectrum(eigenvalues, [1, 20], ax=ax)
    low, high = ax.get_ylim()
    assert low >= 50 * np.finfo(float).eps / 4
    assert high <= 2
    plotting.spectrum([1.0, 1e-6], ax=ax)
    assert ax.get_ylim()[1] >= 1


@pytest.mark.parametrize("value", [0.0, 2.0, 1e6])
def test_values_that_differ_by_rounding_look_equal(ax: Any, value: float) -> None:
    plotting.surface([[value], [value + 1e-15 * max(value, 1)]], [1.0, 2.0], 1, ax=ax)
    low, high = ax.get_ylim()
    assert high - low >= 0.1 * max(value, 1)
    plotting.surface([[value + 5], [value]], [1.0, 2.0], 1, ax=ax)  # the range follows what is drawn then
    assert ax.get_ylim()[1] >= value + 5


def test_names_that_begin_with_an_underscore_are_in_the_legend(ax: Any) -> None:
    plotting.training([0, 1], [[1.0, 2.0], [2.0, 1.0]], ["_orig_mod.conv", "_orig_mod.fc"], ax=ax)
    assert [text.get_text().strip() for text in ax.get_legend().get_texts()] == ["_orig_mod.conv", "_orig_mod.fc"]
