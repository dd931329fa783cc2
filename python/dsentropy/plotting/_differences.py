"""Picture of differences: each with its interval, beside 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_nonnegative, as_numbers, entries_of
from dsentropy.plotting._axes import as_drawn, finish, new_axes


def differences(
    values: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    labels: Sequence[str],
    t: float | Sequence[float],
    *,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw differences of entropies with their intervals, a row for each label and a colour for each diffusion time.

    Parameters
    ----------
    values, low, high : array_like of shape (len(labels), len(t))
        Differences in bits, and the ends of their intervals.
    labels : sequence of str
        What is compared, from top to bottom.
    t : float or sequence of float
        Diffusion times, one for each column of ``values``.
    title : str, optional
        Title of the axes.
    ax : matplotlib Axes, optional
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        Where matplotlib is not installed.
    ValueError
        Where arrays have another shape, or ``t`` is negative.
    TypeError
        Where ``t`` is no number, or a label no string.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.differences([[0.3]], [[0.2]], [[0.4]], ["A - B"], 1, ax=Figure().add_subplot())
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['A - B']
    """
    times, _ = as_numbers(t, "t", as_nonnegative)
    rows = entries_of(labels, "labels", "strings")
    if rows is None or isinstance(labels, (Mapping, Set)) or not all(isinstance(row, str) for row in rows):
        raise TypeError(f"labels must be a sequence of strings, got {printed(labels)}")
    shape = (len(rows), len(times))
    given = [as_drawn(array, name) for array, name in ((values, "values"), (low, "low"), (high, "high"))]
    for array, name in zip(given, ("values", "low", "high"), strict=True):
        if array.shape != shape:
            raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
    ax = new_axes(ax, title)
    between = 0.6 / len(times)
    for i, time in enumerate(times):
        drawn, bottom, top = (array[:, i] for array in given)
        places = np.arange(len(rows)) + between * (i - (len(times) - 1) / 2)
        color = f"C{i}" if len(times) <= 10 else None  # beyond 10 the colours of the cycle repeat
        ax.hlines(places, bottom, top, color=color, linewidth=2)
        ax.plot(drawn, places, marker="o", linestyle="", markersize=4, color=color, label=f"t = {time:g}")
    ax.axvline(0, color="0.4", linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel="difference of entropies (bits)", ylim=(len(rows) - 0.5, -0.5))
    finish(ax, title, len(times))
    return ax
