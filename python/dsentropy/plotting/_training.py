"""Pictures of a training: a measure of each layer against the step, and over the depth of the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_count, as_numbers
from dsentropy.plotting._axes import as_drawn, as_names, finish, name_along, new_axes
from dsentropy.plotting._series import along, as_label, claim, count_of, dashes_of, marker_of, named, ramp

_MOST_NAMES = 12
"""Names of layers under the axis, at most."""

_MOST_PROFILES = 8
"""Profiles that are drawn: of more steps, those that are spread evenly from the first to the last."""


def training(
    steps: Sequence[int],
    values: ArrayLike,
    layers: Sequence[str],
    *,
    standard_errors: ArrayLike | None = None,
    ylabel: str = "entropy (bits)",
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw values against the step, a line for each layer; the colours go from the first layer to the last.

    Parameters
    ----------
    steps : sequence of int
        Steps of the training, at least 0.
    values : array_like of shape (len(steps), len(layers))
        What is drawn; a line has a gap where a value is NaN.
    layers : sequence of str
        Names of the layers, by depth.
    standard_errors : array_like of shape (len(steps), len(layers)), optional
        Half the width of what is shaded about each line; nothing where it is NaN.
    ylabel : str, default "entropy (bits)"
        Label of the vertical axis.
    label : str, optional
        The name of what is drawn, for a legend where several runs are drawn on the same axes; each has dashes of its
        own.
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
        Where arrays have another shape, or a step is negative.
    TypeError
        Where a step is no integer, or a name no string.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.training([0, 10], [[5.1, 4.0], [4.8, 2.9]], ["conv", "fc"], ax=Figure().add_subplot())
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['conv', 'fc']
    """
    at, names, drawn = checked(steps, values, layers, ylabel)
    errors = np.zeros_like(drawn) if standard_errors is None else as_drawn(standard_errors, "standard_errors")
    if errors.shape != drawn.shape:
        raise ValueError(f"standard_errors must have the shape {drawn.shape}, got {errors.shape}")
    of_call, ax = as_label(label), new_axes(ax, title)
    overlaid = count_of(ax)
    for i, (name, color) in enumerate(zip(names, ramp(len(names)), strict=True)):
        line, error = drawn[:, i], errors[:, i]
        marker, dashes = marker_of(i), dashes_of(overlaid // max(len(names), 1))
        called = named(of_call, name, len(names))
        points = {"marker": marker, "markersize": 4, "linestyle": dashes}
        claim(ax.plot(at, line, color=color, label=called, **points)[0], overlaid + i)
        if (error > 0).any():
            ax.fill_between(at, line - error, line + error, color=color, alpha=0.25, linewidth=0)
    ax.set(xlabel="step", ylabel=ylabel)
    finish(ax, title, len(names), of_call)
    return ax


def profile(
    layers: Sequence[str],
    values: ArrayLike,
    steps: Sequence[int],
    *,
    ylabel: str = "entropy (bits)",
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw values over the depth, a line for each step, of which at most eight; colours go from early to late.

    Parameters
    ----------
    layers : sequence of str
        Names of the layers, by depth.
    values : array_like of shape (len(steps), len(layers))
        What is drawn; a line has a gap where a value is NaN.
    steps : sequence of int
        Steps of the training, at least 0. Of more than eight, eight are drawn, the first and the last among them.
    ylabel : str, default "entropy (bits)"
        Label of the vertical axis.
    label : str, optional
        The name of what is drawn, for a legend where several runs are drawn on the same axes; each has dashes of its
        own.
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
        Where arrays have another shape, or a step is negative.
    TypeError
        Where a step is no integer, or a name no string.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.profile(["conv", "fc"], [[5.1, 4.0], [4.8, 2.9]], [0, 10], ax=Figure().add_subplot())
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['step 0', 'step 10']
    """
    at, names, drawn = checked(steps, values, layers, ylabel)
    of_call, ax = as_label(label), new_axes(ax, title)
    (places, every), overlaid = along(ax, names), count_of(ax)
    shown = np.unique(np.linspace(0, len(at) - 1, min(len(at), _MOST_PROFILES)).round().astype(np.int64))
    dashes = dashes_of(overlaid // len(shown))
    for k, (i, color) in enumerate(zip(shown, ramp(len(shown)), strict=True)):
        points = {"marker": marker_of(k), "markersize": 4, "linestyle": dashes}
        called = named(of_call, f"step {at[i]}", len(shown))
        claim(ax.plot(places, drawn[i], color=color, label=called, **points)[0], overlaid + k, names)
    name_along(ax, every, "layer", _MOST_NAMES)
    ax.set(ylabel=ylabel)
    finish(ax, title, len(shown), of_call)
    return ax


def checked(steps: Any, values: Any, layers: Any, ylabel: Any) -> tuple[list[int], list[str], NDArray[np.float64]]:
    """Check steps, names of layers, and values [steps, layers]."""
    at, _ = as_numbers(steps, "steps", lambda value, name: as_count(value, name, least=0))
    names = as_names(layers, "layers")
    if not isinstance(ylabel, str):
        raise TypeError(f"ylabel must be a string, got {printed(ylabel)}")
    drawn = as_drawn(values, "values")
    if drawn.shape != (len(at), len(names)):
        raise ValueError(f"values must have the shape {(len(at), len(names))}, got {drawn.shape}")
    return [int(step) for step in at], names, drawn
