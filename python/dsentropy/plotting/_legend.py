"""Legends that cover no point: above the axes where the figure makes room, else inside, above all points.

A layout engine of matplotlib, such as ``layout="constrained"``, shrinks axes until what is above them fits in.
Without one the size of the axes is fixed, and so is the height of a legend in it, by which the range of values is
extended.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from dsentropy.plotting._axes import has_legend, room, set_title, widen
from dsentropy.plotting._series import has_hollow, hollow_sample

_SATURATED = "saturated: says little"
"""What a legend calls hollow points."""

_SAMPLE = 6
"""Characters that the sample of a line takes, with the gap to the next column."""

_WIDTH = 1.2
"""Width that a legend takes at most, in that of the axes with the labels of ticks: its characters are smaller."""

_MANY = 8
"""Names beyond which a legend is smaller."""

_WIDTH_OF_MANY = 1.45
"""The width of a smaller one."""

_HIGHEST = 0.6
"""Part of the height of the axes for which a legend inside makes room at most."""

_GAP = 0.03
"""Gap between a legend inside and the points, in heights of the axes."""


class _PlaceOf:
    """A locator of child axes, by which they have the place of the legend of their parent."""

    def __init__(self, parent: Any, legend: Any) -> None:
        self._parent, self._legend = parent, legend

    def __call__(self, _: Any, renderer: Any) -> Any:
        if self._parent.get_legend() is not self._legend:
            return self._parent.get_position()
        return self._legend.get_window_extent(renderer).transformed(self._parent.figure.transSubfigure.inverted())


def finish_apart(
    ax: Any, title: str | None, n_lines: int, label: str | None = None, *, heading: str | None = None
) -> None:
    """Finish axes as :func:`finish` does, with a legend that covers no point, and that names hollow points.

    Parameters
    ----------
    ax : matplotlib Axes
        The axes.
    title : str or None
        Their title.
    n_lines : int
        How many lines with names the call has drawn.
    label : str or None
        The name of all lines of the call.
    heading : str, optional
        The title of the legend.
    """
    set_title(ax, title)
    widen(ax)
    for spacer in [child for child in ax.child_axes if isinstance(child.get_axes_locator(), _PlaceOf)]:
        spacer.remove()
    handles, names = ax.get_legend_handles_labels()
    if has_hollow(ax):
        handles, names = [*handles, hollow_sample()], [*names, _SATURATED]
    elif not has_legend(ax, n_lines, label):
        return
    many = len(names) > _MANY
    size, width = ("x-small", _WIDTH_OF_MANY) if many else ("small", _WIDTH)
    given: dict[str, Any] = {
        "fontsize": size,
        "title": heading,
        "title_fontsize": size,
        "ncols": _columns(names, width * room(ax)),
    }
    if many:
        given |= {"labelspacing": 0.2, "columnspacing": 1.2, "handlelength": 1.6}
    if ax.figure.get_layout_engine() is None:
        _inside(ax, handles, names, given)
        return
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.3, "frameon": False}
    legend = ax.legend(handles, names, **place, **given)
    _keep_titles_above(ax, legend)


def _columns(names: list[str], most: float) -> int:
    """Return the largest number of columns whose names fit in so many characters; names go down the columns."""
    for columns in range(len(names), 1, -1):
        height, longer = divmod(len(names), columns)
        ends = [k * height + min(k, longer) for k in range(columns + 1)]
        widths = [max(map(len, names[first:end])) + _SAMPLE for first, end in pairwise(ends)]
        if sum(widths) <= most:
            return columns
    return 1


def _keep_titles_above(ax: Any, legend: Any) -> None:
    """Keep titles above a legend, also those that are set later: matplotlib puts them above child axes."""
    spacer = ax.inset_axes((0, 1, 1, 0.1))
    spacer.set(visible=False, in_layout=False, navigate=False)
    spacer.set_axes_locator(_PlaceOf(ax, legend))


def _inside(ax: Any, handles: list[Any], names: list[str], given: dict[str, Any]) -> None:
    """Draw a legend inside the axes, and extend the range of values up by its height, if they are not fixed."""
    if not ax.get_autoscaley_on():
        ax.legend(handles, names, loc="best", **given)
        return
    legend = ax.legend(handles, names, loc="upper right", **given)
    ax.autoscale_view(scalex=False)
    part = min(legend.get_window_extent().height / ax.bbox.height + _GAP, _HIGHEST)
    low, high = ax.get_ylim()
    ax.set_ylim(low, low + (high - low) / (1 - part), auto=None)
