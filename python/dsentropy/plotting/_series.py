"""Lines of a picture: colours, markers and dashes, and names that go on where axes are drawn on again.

Colours are those of Okabe & Ito (2008), which colour-blind readers tell apart, without yellow, which is not seen on
white, and with grey in place of black, which is not seen on dark axes. Each colour has a marker or dashes as well, so
that lines differ in grey, too. A line keeps its number as an attribute, so cleared axes begin again.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.printing import printed

_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#737373")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("-", "--", "-.", ":")


def color_of(number: int) -> str:
    """Return the colour of a line."""
    return _COLORS[number % len(_COLORS)]


def marker_of(number: int) -> str:
    """Return the marker of a line: where colours begin again, another one than before."""
    return _MARKERS[(number + number // len(_COLORS)) % len(_MARKERS)]


def dashes_of(number: int) -> str:
    """Return the dashes of a line without markers."""
    return _DASHES[number % len(_DASHES)]


def ramp(n: int) -> Any:
    """Return n colours from dark to bright, the brightest of which is still seen on white."""
    import matplotlib as mpl

    return mpl.colormaps["viridis"](np.linspace(0, 0.85, n))


def count_of(ax: Any) -> int:
    """Return how many lines pictures have drawn on axes."""
    return 1 + max((getattr(line, "_dsentropy_number", -1) for line in ax.get_lines()), default=-1)


def claim(line: Any, number: int, keys: Sequence[Hashable] = ()) -> None:
    """Give a line its number and, on an axis of names, the names of its points."""
    line._dsentropy_number, line._dsentropy_keys = number, tuple(keys)


def draw_hollow(ax: Any, places: Any, values: NDArray[np.float64], mask: NDArray[np.bool_], **points: Any) -> None:
    """Draw the points of a mask hollow, over a line with the same points: readings that say little."""
    if mask.any():
        given = {"linestyle": "", "markerfacecolor": ax.get_facecolor(), **points}
        hollow = ax.plot(np.asarray(places)[mask], values[mask], **given)[0]
        hollow._dsentropy_hollow = True


def has_hollow(ax: Any) -> bool:
    """Return whether pictures have drawn hollow points on axes."""
    return any(hasattr(line, "_dsentropy_hollow") for line in ax.get_lines())


def hollow_sample() -> Any:
    """Return a hollow point for a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", marker="o", markersize=5, color="0.5", markerfacecolor="none")


def draw_null(ax: Any, places: Any, mean: NDArray[np.float64], color: Any, label: str | None = None) -> Any:
    """Draw the mean of a null, dashed, and return the line."""
    return ax.plot(places, mean, linestyle="--", linewidth=1, color=color, label=label)[0]


def along(ax: Any, keys: Sequence[Hashable]) -> tuple[NDArray[np.int64], list[Any]]:
    """Return the places of names on an axis, and all names on it: those that lines before have keep their places."""
    before = dict.fromkeys(key for line in ax.get_lines() for key in getattr(line, "_dsentropy_keys", ()))
    if not before:
        return np.arange(len(keys)), list(keys)
    every = list(dict.fromkeys([*before, *keys]))
    return np.array([every.index(key) for key in keys]), every


def beside(number: int) -> float:
    """Return how far to the side a line is drawn, so that error bars do not cover each other: 0, right, left, ..."""
    step = (number % 7 + 1) // 2
    return 0.09 * (step if number % 2 else -step)


def as_label(value: Any) -> str | None:
    """Check the name of all lines of a call."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"label must be a string or None, got {printed(value)}")
    return value


def named(label: str | None, name: str | None, n_lines: int) -> str | None:
    """Return what a legend calls a line: the name of the call before its own, unless it is the only one.

    A name such as ``_orig_mod.fc``, of a compiled module, gets a space before it: matplotlib leaves out of legends
    what begins with an underscore.
    """
    if label is None and name is not None and name.startswith("_"):
        return f" {name}"
    if label is None or name is None:
        return name if label is None else label
    return label if n_lines == 1 else f"{label}, {name}"
