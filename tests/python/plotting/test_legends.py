"""Legends above the axes or above the points: they cover neither points nor titles."""

import pickle

import numpy as np
import pytest
from dsentropy import plotting
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

VALUES = np.array([[4.0, 3.9, 3.8], [3.9, 1.0, 4.0], [4.0, 4.0, 0.1]])
NAMES = ["first", "second", "third"]


def drawn_layers(ax):
    null = {"null_mean": VALUES + 0.1, "null_standard_deviation": np.full((3, 3), 0.05)}
    plotting.layers(VALUES, NAMES, [1, 2, 5], title="by depth", ax=ax, **null)


def drawn_convergence(ax):
    plotting.convergence([10, 20, 40], VALUES, np.full((3, 3), 0.1), NAMES, title="rows", ax=ax)


def drawn_training(ax):
    plotting.training([0, 1, 2], VALUES, NAMES, null_mean=VALUES + 0.2, saturated=VALUES < 2, title="t = 1", ax=ax)


def drawn_profile(ax):
    plotting.profile(NAMES, np.tile(VALUES, (4, 1)), range(12), title="t = 1", ax=ax)


DRAWN = [drawn_layers, drawn_convergence, drawn_training, drawn_profile]


def figure_of(draw, layout, size=(6, 4)):
    figure = Figure(figsize=size, layout=layout)
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    draw(ax)
    return figure, ax


def points_of(ax):
    """The points of all lines in pixels."""
    return np.concatenate(
        [ax.transData.transform(np.column_stack(line.get_data())) for line in ax.get_lines() if len(line.get_xdata())]
    )


def covered(ax):
    """How many points lie in the legend."""
    box = ax.get_legend().get_window_extent()
    x, y = points_of(ax).T
    return int(np.sum((box.x0 <= x) & (x <= box.x1) & (box.y0 <= y) & (y <= box.y1)))


@pytest.mark.parametrize("layout", [None, "constrained", "tight", "compressed"])
@pytest.mark.parametrize("size", [(6, 4), (3, 2.5), (9, 3)])
@pytest.mark.parametrize("draw", DRAWN)
def test_a_legend_covers_no_point(draw, size, layout):
    figure, ax = figure_of(draw, layout, size)
    figure.canvas.draw()
    assert covered(ax) == 0


@pytest.mark.parametrize("draw", DRAWN)
@pytest.mark.parametrize("later", [None, "title of a user"])
def test_a_title_is_above_the_legend(draw, later):
    figure, ax = figure_of(draw, "constrained")
    if later is not None:
        ax.set_title(later)
    figure.canvas.draw()
    legend, title = ax.get_legend().get_window_extent(), ax.title.get_window_extent()
    assert ax.get_window_extent().y1 <= legend.y0
    assert legend.y1 <= title.y0 + 1  # a pixel of rounding
    assert title.y1 <= figure.bbox.y1


@pytest.mark.parametrize("replaced", [lambda ax: ax.get_legend().remove(), lambda ax: ax.legend(loc="lower left")])
def test_a_title_goes_down_where_the_legend_is_removed_or_replaced(replaced):
    figure, ax = figure_of(drawn_convergence, "constrained")
    replaced(ax)
    figure.canvas.draw()
    assert ax.title.get_window_extent().y0 - ax.get_window_extent().y1 < 20


def test_the_legend_of_a_later_call_has_all_lines():
    figure, ax = figure_of(drawn_convergence, "constrained")
    drawn_convergence(ax)
    figure.canvas.draw()
    assert len(ax.get_legend().get_texts()) == 6
    assert len(ax.child_axes) == 1
    assert covered(ax) == 0
    assert len(figure.axes) == 1


def test_a_range_that_is_fixed_stays():
    figure = Figure()
    ax = figure.add_subplot()
    ax.set_ylim(0, 5)
    drawn_convergence(ax)
    assert ax.get_ylim() == (0, 5)
    assert len(ax.get_legend().get_texts()) == 3


def test_axes_drawn_on_again_have_room_for_one_legend():
    figure, ax = figure_of(drawn_convergence, None)
    once = ax.get_ylim()[1]
    drawn_convergence(ax)
    figure.canvas.draw()
    assert ax.get_ylim()[1] < 3 * once
    assert covered(ax) == 0


def test_the_axes_of_many_layers_keep_most_of_the_figure():
    names = [f"blocks.{k}.mlp" for k in range(24)]
    figure, ax = figure_of(lambda ax: plotting.training([0, 1], np.ones((2, 24)), names, ax=ax), "constrained")
    figure.canvas.draw()
    assert ax.bbox.height > figure.bbox.height / 2


def test_a_figure_with_a_legend_above_can_be_pickled():
    figure, _ = figure_of(drawn_layers, "constrained")
    again = pickle.loads(pickle.dumps(figure))
    assert len(again.axes[0].get_legend().get_texts()) == 6


def test_short_names_have_many_columns_and_long_ones_few():
    def columns(names):
        _, ax = figure_of(
            lambda ax: plotting.convergence([10, 20], np.ones((2, 8)), np.zeros((2, 8)), names, ax=ax), "tight"
        )
        return ax.get_legend()._ncols

    assert columns([f"{k}" for k in range(8)]) > columns(["a name of a layer " * 2] * 8) >= 1
    assert columns(["a name that is longer than the axes are wide " * 3] * 8) == 1
