"""Picture of entropies by depth: a line for each diffusion time, beside the null of each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_nonnegative, as_numbers
from dsentropy.plotting._axes import as_drawn, as_names, name_along, new_axes
from dsentropy.plotting._legend import finish_apart
from dsentropy.plotting._series import (
    along,
    as_label,
    claim,
    color_of,
    count_of,
    draw_hollow,
    draw_null,
    marker_of,
    named,
)


def layers(
    values: ArrayLike,
    names: Sequence[str],
    t: float | Sequence[float],
    *,
    null_mean: ArrayLike | None = None,
    null_standard_deviation: ArrayLike | None = None,
    null_label: str = "null",
    saturated: ArrayLike | None = None,
    ylabel: str = "entropy (bits)",
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw entropies against the layers, in their order, with a line for each diffusion time.

    Parameters
    ----------
    values : array_like of shape (len(names), len(t))
        Entropies in bits.
    names : sequence of str
        Names of the layers, from the first to the last.
    t : float or sequence of float
        Diffusion times, one for each column of ``values``.
    null_mean, null_standard_deviation : array_like of shape (len(names), len(t)), optional
        Mean and spread of the entropies of a null: a dashed line and a band of two standard deviations to either
        side. Given together.
    null_label : str, default "null"
        What a legend calls the null; with several t it has an entry for each.
    saturated : array_like of shape (len(names), len(t)), optional
        Which entropies say little: they are drawn hollow, and a legend says so.
    ylabel : str, default "entropy (bits)"
        Label of the axis of the values.
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
        Where arrays have other shapes, one of the two of a null is missing, or ``t`` is negative.
    TypeError
        Where ``t`` is no number, or a name no string.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.layers([[2.9], [1.5]], ["hidden", "logits"], 1, ax=Figure().add_subplot())
    >>> [label.get_text() for label in axes.get_xticklabels()]
    ['hidden', 'logits']
    """
    times, _ = as_numbers(t, "t", as_nonnegative)
    each = as_names(names, "names")
    for argument, text in (("ylabel", ylabel), ("null_label", null_label)):
        if not isinstance(text, str):
            raise TypeError(f"{argument} must be a string, got {printed(text)}")
    if (null_mean is None) != (null_standard_deviation is None):
        missing, given = ("null_mean", "null_standard_deviation")[:: 1 if null_mean is None else -1]
        raise ValueError(f"{missing} must be given where {given} is")
    shape = (len(each), len(times))
    bits = _of_shape(values, "values", shape)
    hollow = np.zeros(shape) if saturated is None else _of_shape(saturated, "saturated", shape)
    band = None
    if null_mean is not None and null_standard_deviation is not None:
        mean = _of_shape(null_mean, "null_mean", shape)
        band = mean, 2 * _of_shape(null_standard_deviation, "null_standard_deviation", shape)
    name, ax = as_label(label), new_axes(ax, title)
    places, every = along(ax, each)
    for i, time in enumerate(times):
        number, of_time = count_of(ax), f"t = {time:g}" if len(times) > 1 else None
        called = named(name, of_time or "entropy", len(times))
        _draw(ax, places, bits[:, i], hollow[:, i] != 0, number, called, each)
        if band is not None:
            of_null = named(name, ", ".join(part for part in (null_label, of_time) if part), 2)
            _draw_null(ax, places, band[0][:, i], band[1][:, i], color_of(number), of_null)
    name_along(ax, every, "layer")
    ax.set(ylabel=ylabel)
    finish_apart(ax, title, len(times) * (1 if band is None else 2), name)
    return ax


def _draw(
    ax: Any,
    places: NDArray[np.int64],
    bits: NDArray[np.float64],
    hollow: NDArray[np.bool_],
    number: int,
    label: str | None,
    names: list[str],
) -> None:
    color, marker = color_of(number), marker_of(number)
    points = {"color": color, "marker": marker, "markersize": 5}
    claim(ax.plot(places, bits, label=label, **points)[0], number, names)
    draw_hollow(ax, places, bits, hollow, **points)


def _draw_null(
    ax: Any,
    places: NDArray[np.int64],
    mean: NDArray[np.float64],
    reach: NDArray[np.float64],
    color: str,
    label: str | None,
) -> None:
    if len(places) == 1:
        ax.errorbar(places, mean, yerr=reach, color=color, capsize=4, alpha=0.5, label=label)
        return
    draw_null(ax, places, mean, color, label)
    ax.fill_between(places, mean - reach, mean + reach, color=color, alpha=0.25, linewidth=0)


def _of_shape(value: ArrayLike, name: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    array = as_drawn(value, name)
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
    return array
