"""Pictures of a training: a measure of each layer against the step, and over the depth of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_count, as_numbers, entries_of
from dsentropy.plotting._axes import as_drawn, finish, new_axes

_MOST_PROFILES = 8
"""Profiles that are drawn: of more steps, those that are spread evenly from the first to the last."""

_MOST_NAMES = 12
"""Layers up to which the axis of the depth has their names; beyond it has numbers."""


def training(
    steps: Sequence[int],
    values: ArrayLike,
    layers: Sequence[str],
    *,
    standard_errors: ArrayLike | None = None,
    ylabel: str = "entropy (bits)",
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
    at, names, drawn = _checked(steps, values, layers, ylabel)
    errors = np.zeros_like(drawn) if standard_errors is None else as_drawn(standard_errors, "standard_errors")
    if errors.shape != drawn.shape:
        raise ValueError(f"standard_errors must have the shape {drawn.shape}, got {errors.shape}")
    ax = new_axes(ax, title)
    for i, (name, color) in enumerate(zip(names, _colors(len(names)), strict=True)):
        line, error = drawn[:, i], errors[:, i]
        ax.plot(at, line, marker="o", markersize=3, color=color, label=name)
        if (error > 0).any():
            ax.fill_between(at, line - error, line + error, color=color, alpha=0.25, linewidth=0)
    ax.set(xlabel="step", ylabel=ylabel)
    finish(ax, title, len(names))
    return ax


def profile(
    layers: Sequence[str],
    values: ArrayLike,
    steps: Sequence[int],
    *,
    ylabel: str = "entropy (bits)",
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
    at, names, drawn = _checked(steps, values, layers, ylabel)
    ax = new_axes(ax, title)
    shown = np.unique(np.linspace(0, len(at) - 1, min(len(at), _MOST_PROFILES)).round().astype(np.int64))
    for i, color in zip(shown, _colors(len(shown)), strict=True):
        ax.plot(np.arange(len(names)), drawn[i], marker="o", markersize=3, color=color, label=f"step {at[i]}")
    if len(names) <= _MOST_NAMES:
        long = max(map(len, names)) * len(names) > 50  # characters that fit side by side
        ax.set_xticks(range(len(names)), names, rotation=30 if long else 0, ha="right" if long else "center")
    ax.set(xlabel="layer", ylabel=ylabel)
    finish(ax, title, len(shown))
    return ax


def _checked(steps: Any, values: Any, layers: Any, ylabel: Any) -> tuple[list[int], list[str], NDArray[np.float64]]:
    at, _ = as_numbers(steps, "steps", lambda value, name: as_count(value, name, least=0))
    names = entries_of(layers, "layers", "strings")
    if names is None or isinstance(layers, (Mapping, Set)) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"layers must be a sequence of strings, got {printed(layers)}")
    if not isinstance(ylabel, str):
        raise TypeError(f"ylabel must be a string, got {printed(ylabel)}")
    drawn = as_drawn(values, "values")
    if drawn.shape != (len(at), len(names)):
        raise ValueError(f"values must have the shape {(len(at), len(names))}, got {drawn.shape}")
    return [int(step) for step in at], names, drawn


def _colors(n: int) -> Any:
    """Return n colours from dark to bright, the brightest of which is still seen on white."""
    import matplotlib as mpl

    return mpl.colormaps["viridis"](np.linspace(0, 0.9, n))
