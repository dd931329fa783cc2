"""Axes, titles and legends of all pictures, and arrays of numbers that are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_nonnegative

_MOST_BITS = 1024.0
"""Bits of as many samples as a float64 can count; matplotlib overflows where numbers are far larger."""

_MOST_DRAWN = 1e150
"""Numbers up to which neither standard deviations nor matplotlib's transformations overflow."""


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


def finish(ax: Any, title: str | None, n_lines: int) -> None:
    """Set the title, and a legend where there are several lines."""
    if title is not None:
        ax.set_title(title)
    if n_lines > 1:
        ax.legend()


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
