"""Pictures of a training: a measure of each layer against the step, and over the depth of the network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_count, as_nonnegative, as_numbers
from dsentropy.plotting._axes import as_drawn, as_names, name_along, new_axes
from dsentropy.plotting._legend import finish_apart
from dsentropy.plotting._series import (
    along,
    as_label,
    claim,
    count_of,
    dashes_of,
    draw_hollow,
    draw_null,
    marker_of,
    named,
    ramp,
)

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
    null_mean: ArrayLike | None = None,
    null_label: str = "null",
    saturated: ArrayLike | None = None,
    epochs: Sequence[float] | None = None,
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
    null_mean : array_like of shape (len(steps), len(layers)), optional
        Means of a null, which are dashed.
    null_label : str, default "null"
        What a legend calls the null.
    saturated : array_like of shape (len(steps), len(layers)), optional
        Which values say little: they are drawn hollow, and a legend says so.
    epochs : sequence of float, optional
        The epoch of each step, ascending: they are the axis in place of the steps.
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
        Where arrays have another shape, a step is negative, epochs do not ascend, or the axes have steps where epochs
        are given, or epochs where none are.
    TypeError
        Where a step is no integer, an epoch no number, or a name no string.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.training([0, 10], [[5.1, 4.0], [4.8, 2.9]], ["conv", "fc"], ax=Figure().add_subplot())
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['conv', 'fc']
    """
    at, names, drawn = checked(steps, values, layers, ylabel)
    errors, null, mask = (
        np.zeros_like(drawn) if given is None else _like(given, argument, drawn)
        for given, argument in (
            (standard_errors, "standard_errors"),
            (null_mean, "null_mean"),
            (saturated, "saturated"),
        )
    )
    of_null, places = _as_text(null_label, "null_label"), at if epochs is None else as_epochs(epochs, len(at))
    of_call, ax = as_label(label), new_axes(ax, title)
    overlaid, axis, other = count_of(ax), *(("step", "epoch") if epochs is None else ("epoch", "step"))
    if overlaid and ax.get_xlabel() == other:
        raise ValueError(
            f"epochs must be given for all that is drawn on the same axes, or for none: these have {other}s"
        )
    for i, (name, color) in enumerate(zip(names, ramp(len(names)), strict=True)):
        line, error = drawn[:, i], errors[:, i]
        points = {"marker": marker_of(i), "markersize": 4, "color": color}
        dashes, called = dashes_of(overlaid // max(len(names), 1)), named(of_call, name, len(names))
        claim(ax.plot(places, line, label=called, linestyle=dashes, **points)[0], overlaid + i)
        draw_hollow(ax, places, line, mask[:, i] != 0, **points)
        if (error > 0).any():
            ax.fill_between(places, line - error, line + error, color=color, alpha=0.25, linewidth=0)
    if null_mean is not None:
        for i, color in enumerate(ramp(len(names))):
            draw_null(ax, places, null[:, i], color, named(of_call, of_null, 2) if i == len(names) - 1 else None)
    ax.set(xlabel=axis, ylabel=ylabel)
    finish_apart(ax, title, len(names) + (null_mean is not None), of_call)
    return ax


def profile(
    layers: Sequence[str],
    values: ArrayLike,
    steps: Sequence[int],
    *,
    saturated: ArrayLike | None = None,
    epochs: Sequence[float] | None = None,
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
        Steps of the training, at least 0. Of more than eight, eight are drawn, the first and the last among them, and
        the title of the legend has their number.
    saturated : array_like of shape (len(steps), len(layers)), optional
        Which values say little: they are drawn hollow, and a legend says so.
    epochs : sequence of float, optional
        The epoch of each step, ascending, by which the legend names them.
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
        Where arrays have another shape, a step is negative, or epochs do not ascend.
    TypeError
        Where a step is no integer, an epoch no number, or a name no string.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.profile(["conv", "fc"], [[5.1, 4.0], [4.8, 2.9]], [0, 10], ax=Figure().add_subplot())
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['step 0', 'step 10']
    """
    at, names, drawn = checked(steps, values, layers, ylabel)
    mask = np.zeros_like(drawn) if saturated is None else _like(saturated, "saturated", drawn)
    moments = [f"step {step}" for step in at]
    if epochs is not None:
        moments = [f"epoch {epoch:.6g}" for epoch in as_epochs(epochs, len(at))]
    of_call, ax = as_label(label), new_axes(ax, title)
    (places, every), overlaid = along(ax, names), count_of(ax)
    shown = np.unique(np.linspace(0, len(at) - 1, min(len(at), _MOST_PROFILES)).round().astype(np.int64))
    dashes = dashes_of(overlaid // len(shown))
    for k, (i, color) in enumerate(zip(shown, ramp(len(shown)), strict=True)):
        points = {"marker": marker_of(k), "markersize": 4, "color": color}
        called = named(of_call, moments[i], len(shown))
        claim(ax.plot(places, drawn[i], linestyle=dashes, label=called, **points)[0], overlaid + k, names)
        draw_hollow(ax, places, drawn[i], mask[i] != 0, **points)
    name_along(ax, every, "layer", _MOST_NAMES)
    ax.set(ylabel=ylabel)
    left_out = len(shown) < len(at)
    finish_apart(ax, title, len(shown), of_call, heading=f"{len(shown)} of {len(at)} steps" if left_out else None)
    return ax


def checked(steps: Any, values: Any, layers: Any, ylabel: Any) -> tuple[list[int], list[str], NDArray[np.float64]]:
    """Check steps, names of layers, and values [steps, layers]."""
    at, _ = as_numbers(steps, "steps", lambda value, name: as_count(value, name, least=0))
    names = as_names(layers, "layers")
    _as_text(ylabel, "ylabel")
    drawn = as_drawn(values, "values")
    if drawn.shape != (len(at), len(names)):
        raise ValueError(f"values must have the shape {(len(at), len(names))}, got {drawn.shape}")
    return [int(step) for step in at], names, drawn


def _as_text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {printed(value)}")
    return value


def _like(value: ArrayLike, name: str, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert to an array of the shape of the values."""
    array = as_drawn(value, name)
    if array.shape != drawn.shape:
        raise ValueError(f"{name} must have the shape {drawn.shape}, got {array.shape}")
    return array


def as_epochs(value: Any, n: int) -> list[float]:
    """Convert to as many ascending numbers as there are steps."""
    epochs, _ = as_numbers(value, "epochs", as_nonnegative)
    if len(epochs) != n:
        raise ValueError(f"epochs must be one for each of {n} steps, got {len(epochs)}")
    if any(later <= epoch for epoch, later in pairwise(epochs)):
        raise ValueError(f"epochs must ascend, got {printed(epochs)}: without them the axis has the steps")
    return epochs
