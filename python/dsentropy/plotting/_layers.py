"""Picture of entropies by depth: a line for each diffusion time, beside the null of each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_nonnegative, as_numbers, entries_of
from dsentropy.plotting._axes import as_drawn, finish, new_axes

_MOST_LABELS = 16
"""Names of layers that are drawn under the axis, at most about."""

_ROOM = 66
"""Characters that fit under the axis, with two for each gap; longer names are drawn at an angle."""


def layers(
    values: ArrayLike,
    names: Sequence[str],
    t: float | Sequence[float],
    *,
    null_mean: ArrayLike | None = None,
    null_standard_deviation: ArrayLike | None = None,
    saturated: ArrayLike | None = None,
    ylabel: str = "entropy (bits)",
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
    saturated : array_like of shape (len(names), len(t)), optional
        Which entropies say little: they are drawn hollow.
    ylabel : str, default "entropy (bits)"
        Label of the axis of the values.
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
    each = entries_of(names, "names", "strings")
    if each is None or isinstance(names, (Mapping, Set)) or not all(isinstance(name, str) for name in each):
        raise TypeError(f"names must be a sequence of strings, got {printed(names)}")
    if not isinstance(ylabel, str):
        raise TypeError(f"ylabel must be a string, got {printed(ylabel)}")
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
    ax = new_axes(ax, title)
    _draw(ax, bits, hollow != 0, times, band)
    _name_layers(ax, each)
    ax.set(ylabel=ylabel)
    finish(ax, title, len(times) + (band is not None))
    return ax


def _draw(
    ax: Any,
    bits: NDArray[np.float64],
    hollow: NDArray[np.bool_],
    times: list[float],
    band: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
) -> None:
    places = np.arange(len(bits))
    for i, time in enumerate(times):
        color = ax.plot(places, bits[:, i], label=f"t = {time:g}")[0].get_color()
        for drawn, face in ((~hollow[:, i], color), (hollow[:, i], "white")):
            ax.plot(places[drawn], bits[drawn, i], "o", color=color, markerfacecolor=face, markersize=5)
        if band is not None:
            mean, reach = band[0][:, i], band[1][:, i]
            label = "null" if i == 0 else None
            if len(places) == 1:
                ax.errorbar(places, mean, yerr=reach, color=color, capsize=4, alpha=0.5, label=label)
                continue
            ax.plot(places, mean, "--", linewidth=1, color=color, label=label)
            ax.fill_between(places, mean - reach, mean + reach, color=color, alpha=0.25, linewidth=0)


def _of_shape(value: ArrayLike, name: str, shape: tuple[int, int]) -> NDArray[np.float64]:
    array = as_drawn(value, name)
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")
    return array


def _name_layers(ax: Any, names: list[str]) -> None:
    """Put the name under each layer, and at most about sixteen of many."""
    places = range(0, len(names), -(-len(names) // _MOST_LABELS))
    ax.set_xticks(list(places), [names[place] for place in places])
    if len(places) * (2 + max(len(names[place]) for place in places)) > _ROOM:
        for label in ax.get_xticklabels():
            label.set(rotation=30, ha="right", rotation_mode="anchor")
    ax.set(xlabel="layer", xlim=(-0.5, len(names) - 0.5))
