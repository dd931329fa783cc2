"""Axes, titles and legends of all pictures, and arrays of numbers that are drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Set
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_nonnegative, entries_of
from dsentropy.plotting._series import count_of

_MOST_BITS = 1024.0
"""Bits of as many samples as a float64 can count; matplotlib overflows where numbers are far larger."""

_MOST_DRAWN = 1e150
"""Numbers up to which neither standard deviations nor matplotlib's transformations overflow."""

_GAP = 1.5
"""Characters between two names."""

_MANY = 8
"""Names of a legend beyond which it has two columns."""

_REACH = 1.15
"""Widths of the axes that a title takes at most: the labels to their left leave it some room."""

_CHARACTER = 0.52
"""Mean width of a character, in sizes of the font."""

_ROUNDING = 1e-6
"""Part of the values by which rounding, in single precision, lets equal ones differ."""


def new_axes(ax: Any, title: Any) -> Any:
    """Return the axes to draw on, new ones where none were given; check the title before anything is drawn."""
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a string or None, got {printed(title)}")
    if ax is not None:
        if not (hasattr(ax, "plot") and hasattr(ax, "set_xticks")):
            raise TypeError(f"ax must be Axes of matplotlib, got {printed(ax)}")
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("a plot needs matplotlib: pip install 'dsentropy[plot]'") from error
    import matplotlib.pyplot as plt

    figure: Figure = plt.figure(figsize=(6, 4), layout="constrained")
    return figure.add_subplot()


def finish(ax: Any, title: str | None, n_lines: int, label: str | None = None) -> None:
    """Set the title, a legend where lines have names to tell them apart, and a range of values above rounding."""
    set_title(ax, title)
    if has_legend(ax, n_lines, label):
        many = len(ax.get_legend_handles_labels()[0]) > _MANY
        ax.legend(fontsize="small" if many or room(ax) < 40 else None, ncols=2 if many else 1)
    widen(ax)


def has_legend(ax: Any, n_lines: int, label: str | None) -> bool:
    """Return whether axes need a legend: there are several lines, or a name of the call, which drew ``n_lines``."""
    several = n_lines > 1 or label is not None or count_of(ax) > n_lines
    return several and bool(ax.get_legend_handles_labels()[0])


def set_title(ax: Any, title: str | None) -> None:
    """Set a title, if any, in lines that do not reach over to axes beside these."""
    if title is not None:
        most = max(int(_REACH * room(ax, "axes.titlesize")), 16)
        ax.set_title("\n".join(part for line in title.split("\n") for part in textwrap.wrap(line, most) or [""]))


def room(ax: Any, size: str = "xtick.labelsize") -> int:
    """Return about how many characters of this size of text fit side by side along the axis below."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties

    settings: Any = mpl.rcParams
    points = FontProperties(size=settings[size]).get_size_in_points()
    return int(72 * ax.bbox.width / ax.figure.dpi / (_CHARACTER * points))


def label_apart(ax: Any, positions: NDArray[Any], labels: list[str]) -> None:
    """Put a tick at each position of a logarithmic axis; of labels that would overlap, the first is shown."""
    where = np.log(positions)
    each = np.ptp(where) / max(room(ax), 1)
    shown, last = [""] * len(labels), -np.inf
    for place in np.argsort(where, kind="stable"):
        reach = 0.5 * each * (len(labels[place]) + 1)
        if where[place] - reach >= last:
            shown[place], last = labels[place], where[place] + reach
    ax.set_xticks(positions, shown)
    ax.set_xticks([], minor=True)


def name_along(ax: Any, names: list[str], what: str, most: int = 16) -> None:
    """Put a name under each place of an axis, of many at most this number, at an angle where they are long."""
    places = range(0, len(names), -(-len(names) // most))
    shown = [names[place] for place in places]
    ax.set_xticks(list(places), shown)
    widest = max((len(one) + len(other)) / 2 for one, other in pairwise([*shown, shown[-1]]))
    is_long = len(places) * (widest + _GAP) > room(ax)
    for label in ax.get_xticklabels():
        label.set(rotation=30 if is_long else 0, ha="right" if is_long else "center", rotation_mode="anchor")
    ax.set(xlabel=what, xlim=(-0.5, len(names) - 0.5))


def widen(ax: Any) -> None:
    """Give values that differ by rounding alone a range in which they are equal."""
    low, high = ax.dataLim.intervaly
    if not np.isfinite([low, high]).all():
        return
    middle = (low + high) / 2
    if ax.get_yscale() == "linear" and 0 < high - low < _ROUNDING * max(abs(middle), 1.0):
        reach = 0.05 * max(abs(middle), 1.0)
        ax.set_ylim(middle - reach, middle + reach, auto=None)


def as_names(value: Any, name: str) -> list[str]:
    """Convert to a list of strings, at least one."""
    names = entries_of(value, name, "strings")
    if names is None or isinstance(value, (Mapping, Set)) or not all(isinstance(one, str) for one in names):
        raise TypeError(f"{name} must be a sequence of strings, got {printed(value)}")
    return names


def as_bits(value: float, name: str) -> float:
    """Convert to an entropy, which is at most 1024 bits."""
    bits = as_nonnegative(value, name)
    if bits > _MOST_BITS:
        raise ValueError(f"{name} must be at most {_MOST_BITS:g} bits, got {printed(value)}")
    return bits


def as_floats(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """Convert to an array of float64, of any shape."""
    given = as_array(value, name)
    if given.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of numbers, got dtype {given.dtype}")
    with np.errstate(over="ignore"):  # of long double
        return given.astype(np.float64)


def as_drawn(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """Convert to an array of readings that are drawn: a line has a gap where one is not finite."""
    numbers = as_floats(value, name)
    drawn: NDArray[np.float64] = np.where(np.isfinite(numbers), numbers, np.nan)
    if (np.abs(drawn) > _MOST_DRAWN).any():
        raise ValueError(f"{name} must be at most {_MOST_DRAWN:g} in modulus, to be drawn")
    return drawn
