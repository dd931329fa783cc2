"""Picture of differences: each with its interval, beside 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from dsentropy._checks.scalars import as_nonnegative, as_numbers
from dsentropy.plotting._axes import as_drawn, as_names, finish, new_axes
from dsentropy.plotting._series import along, as_label, beside, claim, color_of, count_of, marker_of, named


def differences(
    values: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    labels: Sequence[str],
    t: float | Sequence[float],
    *,
    label: str | None = None,
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
    rows = as_names(labels, "labels")
    shape = (len(rows), len(times))
    given = [as_drawn(array, name) for array, name in ((values, "values"), (low, "low"), (high, "high"))]
    for array, argument in zip(given, ("values", "low", "high"), strict=True):
        if array.shape != shape:
            raise ValueError(f"{argument} must have the shape {shape}, got {array.shape}")
    name, ax = as_label(label), new_axes(ax, title)
    (at, every), first = along(ax, rows), count_of(ax)
    for i, time in enumerate(times):
        drawn, bottom, top = (array[:, i] for array in given)
        number = first + i
        places = at + (beside(number) if first else 0.6 * ((i + 0.5) / len(times) - 0.5))
        color, called = color_of(number), named(name, f"t = {time:g}", len(times))
        ax.hlines(places, bottom, top, color=color, linewidth=2)
        points = {"marker": marker_of(number), "linestyle": "", "markersize": 5}
        claim(ax.plot(drawn, places, color=color, label=called, **points)[0], number, rows)
    ax.axvline(0, color="0.4", linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(every)), every)
    ax.set(xlabel="difference of entropies (bits)", ylim=(len(every) - 0.5, -0.5))
    finish(ax, title, len(times), name)
    return ax
