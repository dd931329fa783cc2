"""Picture of a reading against the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_count, as_numbers
from dsentropy.plotting._axes import as_drawn, as_names, label_apart, new_axes
from dsentropy.plotting._legend import finish_apart
from dsentropy.plotting._series import along, as_label, claim, color_of, count_of, marker_of, named


def convergence(
    sizes: Sequence[int],
    mean: ArrayLike,
    standard_deviation: ArrayLike,
    labels: Sequence[str],
    *,
    ylabel: str = "entropy (bits)",
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw means against the number of rows, a line for each label, with their standard deviations shaded.

    Parameters
    ----------
    sizes : sequence of int
        Numbers of rows; the axis is logarithmic.
    mean, standard_deviation : array_like of shape (len(sizes), len(labels))
        What is drawn, and half the width of what is shaded.
    labels : sequence of str
        Names of the lines.
    ylabel : str, default "entropy (bits)"
        Label of the vertical axis.
    label : str, optional
        The name of what is drawn, for a legend where several calls draw on the same axes; colours go on from one
        call to the next.
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
        Where arrays have another shape, or a size is not positive.
    TypeError
        Where a size is no integer, or a label no string.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> mean, spread = [[3.0], [3.1]], [[0.2], [0.1]]
    >>> axes = plotting.convergence([100, 200], mean, spread, ["t = 1"], ax=Figure().add_subplot())
    >>> axes.get_xscale()
    'log'
    """
    rows, _ = as_numbers(sizes, "sizes", as_count)
    lines = as_names(labels, "labels")
    if not isinstance(ylabel, str):
        raise TypeError(f"ylabel must be a string, got {printed(ylabel)}")
    shape = (len(rows), len(lines))
    drawn, spread = as_drawn(mean, "mean"), as_drawn(standard_deviation, "standard_deviation")
    for array, argument in ((drawn, "mean"), (spread, "standard_deviation")):
        if array.shape != shape:
            raise ValueError(f"{argument} must have the shape {shape}, got {array.shape}")
    name, ax = as_label(label), new_axes(ax, title)
    every = sorted({*rows, *along(ax, rows)[1]})
    for i, line in enumerate(lines):
        number = count_of(ax)
        color, marker = color_of(number), marker_of(number)
        called = named(name, line, len(lines))
        claim(ax.plot(rows, drawn[:, i], marker=marker, markersize=4, color=color, label=called)[0], number, rows)
        low, high = drawn[:, i] - spread[:, i], drawn[:, i] + spread[:, i]
        ax.fill_between(rows, low, high, color=color, alpha=0.25, linewidth=0)
    ax.set_xscale("log", base=2)
    if len(every) <= 12:
        label_apart(ax, np.array(every), [f"{size:d}" for size in np.array(every, dtype=np.int64)])
    ax.set(xlabel="rows", ylabel=ylabel)
    finish_apart(ax, title, len(lines), name)
    return ax
