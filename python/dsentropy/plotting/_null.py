"""Pictures of entropies beside those of a null: the mean of its draws and a band of two standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_nonnegative, as_numbers, as_order, as_positive, entries_of
from dsentropy.plotting._against_t import label_times
from dsentropy.plotting._axes import as_drawn, finish, new_axes
from dsentropy.plotting._series import along, as_label, claim, color_of, count_of, draw_null, marker_of, named


def null_baseline(
    values: ArrayLike,
    null: ArrayLike,
    t: float | Sequence[float],
    orders: float | Sequence[float] = 1,
    *,
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw entropies against t beside those of a null, a line and a band for each Renyi order.

    The band reaches two standard deviations to either side of the mean of the draws, which is dashed. At one t it is
    a bar.

    Parameters
    ----------
    values : array_like of shape (len(t), len(orders))
        Entropies of the data in bits.
    null : array_like of shape (n_draws, len(t), len(orders))
        Entropies of the draws of the null, at least two.
    t, orders : float or sequence of float
        Diffusion times and Renyi orders, at least 0.
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
        Where arrays have other shapes, or ``t`` or ``orders`` is negative.
    TypeError
        Where ``t`` or ``orders`` is no number.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> null = [[[3.0], [2.5]], [[3.2], [2.6]]]
    >>> axes = plotting.null_baseline([[2.9], [1.5]], null, [1, 2], ax=Figure().add_subplot())
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('t', 'entropy (bits)')
    """
    times, _ = as_numbers(t, "t", as_nonnegative)
    each_order, _ = as_numbers(orders, "orders", as_order)
    bits, draws = as_drawn(values, "values"), as_drawn(null, "null")
    shape = (len(times), len(each_order))
    if bits.shape != shape:
        raise ValueError(f"values must have the shape {shape}, got {bits.shape}")
    if draws.ndim != 3 or draws.shape[1:] != shape or len(draws) < 2:
        raise ValueError(f"null must have the shape {('n_draws', *shape)}, n_draws at least 2, got {draws.shape}")
    name, ax = as_label(label), new_axes(ax, title)
    places, every = along(ax, times)
    for i, order in enumerate(each_order):
        number = count_of(ax)
        color, marker = color_of(number), marker_of(number)
        null_band(ax, places, draws[:, :, i], color)
        called = named(name, f"order {order:g}", len(each_order))
        line = ax.plot(places, bits[:, i], marker=marker, markersize=4, color=color, label=called)[0]
        claim(line, number, times)
    ax.set(ylabel="entropy (bits)")
    label_times(ax, every)
    finish(ax, title, len(each_order), name)
    return ax


def structure(
    structures: ArrayLike,
    spreads: ArrayLike,
    multiples: ArrayLike,
    *,
    suggested: float | None = None,
    labels: Sequence[str] | None = None,
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw structures, null mean minus entropy, against the bandwidth, with two standard deviations of each null.

    Parameters
    ----------
    structures, spreads : array_like of shape (layers, len(multiples))
        Structures, and standard deviations of the null, in bits.
    multiples : array_like of shape (k,)
        Bandwidths in medians of the distances, positive.
    suggested : float, optional
        A bandwidth that is marked.
    labels : sequence of str, optional
        Names of the layers.
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
        Where arrays have other shapes, or a bandwidth is not positive.
    TypeError
        Where ``suggested`` is no number or ``labels`` no strings.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.structure([[0.1, 0.6, 0.2]], [[0.1, 0.1, 0.1]], [0.1, 0.5, 2], ax=Figure().add_subplot())
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('bandwidth (medians of the distances)', 'structure (bits)')
    """
    medians = as_drawn(multiples, "multiples")
    bits, reach = as_drawn(structures, "structures"), as_drawn(spreads, "spreads")
    marked = None if suggested is None else float(as_drawn(as_positive(suggested, "suggested"), "suggested"))
    if medians.ndim != 1 or not (medians > 0).all():
        raise ValueError(f"multiples must be positive, in one dimension, got shape {medians.shape}")
    if bits.ndim != 2 or bits.shape[1:] != medians.shape:
        raise ValueError(
            f"structures must have the shape (layers, multiples), {len(medians)} multiples, got {bits.shape}"
        )
    if reach.shape != bits.shape:
        raise ValueError(f"spreads must have the shape {bits.shape} of structures, got {reach.shape}")
    names = [None] * len(bits) if labels is None else _labels(labels, len(bits))
    of_call, ax = as_label(label), new_axes(ax, title)
    for i, name in enumerate(names):
        number = count_of(ax)
        color, marker = color_of(number), marker_of(number)
        claim(
            ax.plot(
                medians, bits[i], marker=marker, markersize=3, color=color, label=named(of_call, name, len(names))
            )[0],
            number,
        )
        ax.fill_between(medians, -2 * reach[i], 2 * reach[i], color=color, alpha=0.5 / len(bits), linewidth=0)
    ax.axhline(0, color="0.4", linewidth=0.8, linestyle=":")
    if marked is not None:
        ax.axvline(marked, color="0.4", linewidth=0.8, linestyle="--")
    ax.set(xscale="log", xlabel="bandwidth (medians of the distances)", ylabel="structure (bits)")
    finish(ax, title, 1 if labels is None else len(names), of_call)
    return ax


def _labels(labels: Any, n: int) -> list[str]:
    entries = entries_of(labels, "labels", "strings")
    if entries is None or not all(isinstance(label, str) for label in entries):
        raise TypeError(f"labels must be a sequence of strings, got {printed(labels)}")
    if len(entries) != n:
        raise ValueError(f"labels must have one name for each of {n} layers, got {len(entries)}")
    return entries


def null_band(ax: Any, places: NDArray[Any], draws: NDArray[np.float64], color: str | None) -> None:
    """Draw the mean of draws [draws, places], dashed, and two standard deviations to either side."""
    mean, reach = draws.mean(axis=0), 2 * draws.std(axis=0, ddof=1)
    drawn = draw_null(ax, places, mean, color)
    if len(places) == 1:
        ax.errorbar(places, mean, yerr=reach, color=drawn.get_color(), capsize=4, alpha=0.5)
    ax.fill_between(places, mean - reach, mean + reach, color=drawn.get_color(), alpha=0.25, linewidth=0)
