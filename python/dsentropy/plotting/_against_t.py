"""Pictures of entropies and informations against the diffusion time, with their uncertainty.

Each t has a place of its own along the axis, in the order given, so that one t is drawn like several. Where axes are
drawn on again, each t keeps its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.scalars import as_nonnegative, as_numbers, as_order
from dsentropy.plotting._axes import as_bits, as_drawn, finish, new_axes, room
from dsentropy.plotting._series import along, as_label, beside, claim, color_of, count_of, marker_of, named


def subsampled(
    values: ArrayLike,
    interval: ArrayLike,
    t: float | Sequence[float],
    order: float | Sequence[float] = 1,
    *,
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw the mean entropy of random subsets and its interval against t, a line for each Renyi order.

    Parameters
    ----------
    values : array_like of shape (n_repeats, len(t), len(order))
        The entropy of each subset in bits: dots.
    interval : array_like of shape (2, len(t), len(order))
        The ends of the interval of each mean.
    t : float or sequence of float
        Diffusion times, at least 0.
    order : float or sequence of float, default 1
        Renyi orders.
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
        Where arrays have other shapes, or ``t`` or ``order`` is negative.
    TypeError
        Where ``t`` or ``order`` is no number.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.subsampled([[[2.0]], [[2.2]]], [[[1.9]], [[2.3]]], 1, ax=Figure().add_subplot())
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('t', 'entropy (bits)')
    """
    times, _ = as_numbers(t, "t", as_nonnegative)
    orders, _ = as_numbers(order, "order", as_order)
    bits, ends = as_drawn(values, "values"), as_drawn(interval, "interval")
    shape = (len(times), len(orders))
    _require_shape(bits, "values", (max(len(bits) if bits.ndim else 0, 1), *shape))
    _require_shape(ends, "interval", (2, *shape))
    name, ax = as_label(label), new_axes(ax, title)
    mean, (places, every) = bits.mean(axis=0), along(ax, times)
    for i, each in enumerate(orders):
        number = count_of(ax)
        at, color = places + beside(number), color_of(number)
        reach = np.abs(ends[:, :, i] - mean[:, i])
        ax.plot(np.tile(at, (len(bits), 1)).T, bits[:, :, i].T, ".", color=color, alpha=0.3, markersize=4)
        called = named(name, f"order {each:g}", len(orders))
        marker = marker_of(number)
        bars = ax.errorbar(at, mean[:, i], yerr=reach, marker=marker, capsize=4, color=color, label=called)
        claim(bars[0], number, times)
    ax.set(ylabel="entropy (bits)")
    label_times(ax, every)
    finish(ax, title, len(orders), name)
    return ax


def information(
    value: ArrayLike,
    standard_error: ArrayLike,
    t: float | Sequence[float],
    *,
    null: ArrayLike | None = None,
    ceiling: float | None = None,
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw an information against t with its standard error, beside that of permuted classes.

    Parameters
    ----------
    value, standard_error : array_like of shape (len(t),)
        Bits. An error of NaN is not drawn.
    t : float or sequence of float
        Diffusion times, at least 0.
    null : array_like of shape (n_permutations, len(t)), optional
        Informations of permuted classes: a bar has 95% of them, from the quantile of 2.5% to that of 97.5%, and a
        dash at their mean.
    ceiling : float, optional
        Entropy of the classes in bits: a dotted line.
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
        Where arrays have other shapes, or ``t`` is negative.
    TypeError
        Where ``t`` is no number.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.information([0.5, 0.7], [0.1, 0.1], [1, 2], ceiling=1, ax=Figure().add_subplot())
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('t', 'information (bits)')
    """
    times, _ = as_numbers(t, "t", as_nonnegative)
    bits, errors = as_drawn(value, "value"), as_drawn(standard_error, "standard_error")
    permuted = None if null is None else as_drawn(null, "null")
    most = None if ceiling is None else as_bits(ceiling, "ceiling")
    for array, argument in [(bits, "value"), (errors, "standard_error")]:
        _require_shape(array, argument, (len(times),))
    if permuted is not None:
        _require_shape(permuted, "null", (max(len(permuted) if permuted.ndim else 0, 1), len(times)))
    name, ax = as_label(label), new_axes(ax, title)
    number, (places, every) = count_of(ax), along(ax, times)
    at, color = places + beside(number), color_of(number)
    of_call = "" if name is None else f"{name}: "
    if permuted is not None:
        low, high = np.quantile(permuted, [0.025, 0.975], axis=0)
        shade = {"color": "0.8" if number == 0 else color, "alpha": 1 if number == 0 else 0.25}
        ax.bar(at, high - low, bottom=low, width=0.3, label=f"{of_call}permuted classes, 95%", **shade)
        ax.hlines(permuted.mean(axis=0), at - 0.15, at + 0.15, color="0.5" if number == 0 else color)
    called = f"{of_call}information, standard error"
    reach, marker = np.where(np.isnan(errors), 0, errors), marker_of(number)
    claim(ax.errorbar(at, bits, yerr=reach, marker=marker, capsize=4, color=color, label=called)[0], number, times)
    if most is not None:
        ax.axhline(
            most, color="0.4" if number == 0 else color, linewidth=0.8, linestyle=":", label=f"{of_call}ceiling"
        )
    ax.set(ylabel="information (bits)")
    ax.use_sticky_edges = False  # so that bars at the bottom have a margin
    ax.margins(y=0.08)
    label_times(ax, every)
    finish(ax, title, 2, name)
    return ax


def _require_shape(array: NDArray[np.float64], name: str, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")


def label_times(ax: Any, times: list[float]) -> None:
    """Put a tick at each t, and of many at as many as fit side by side, at most about 12."""
    names = [f"{time:.4g}" for time in times]
    most = min(12, max(room(ax) // (2 + max(map(len, names))), 1))
    places = range(0, len(times), -(-len(times) // most))
    ax.set_xticks(list(places), [names[place] for place in places])
    ax.set(xlabel="t", xlim=(-0.5, len(times) - 0.5))
