"""Pictures of entropies beside those of a null: the mean of its draws and a band of two standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.scalars import as_nonnegative, as_numbers, as_order
from dsentropy.plotting._against_t import label_times
from dsentropy.plotting._axes import as_floats, finish, new_axes


def null_baseline(
    values: ArrayLike,
    null: ArrayLike,
    t: float | Sequence[float],
    orders: float | Sequence[float] = 1,
    *,
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
    bits, draws = as_floats(values, "values"), as_floats(null, "null")
    shape = (len(times), len(each_order))
    if bits.shape != shape:
        raise ValueError(f"values must have the shape {shape}, got {bits.shape}")
    if draws.ndim != 3 or draws.shape[1:] != shape or len(draws) < 2:
        raise ValueError(f"null must have the shape {('n_draws', *shape)}, n_draws at least 2, got {draws.shape}")
    ax = new_axes(ax, title)
    places = np.arange(len(times))
    for i, order in enumerate(each_order):
        null_band(ax, places, draws[:, :, i], f"C{i % 10}")
        ax.plot(places, bits[:, i], marker="o", markersize=4, color=f"C{i % 10}", label=f"order {order:g}")
    ax.set(ylabel="entropy (bits)")
    label_times(ax, times)
    finish(ax, title, len(each_order))
    return ax


def null_band(ax: Any, places: NDArray[Any], draws: NDArray[np.float64], color: str | None) -> None:
    """Draw the mean of draws [draws, places], dashed, and two standard deviations to either side."""
    mean, reach = draws.mean(axis=0), 2 * draws.std(axis=0, ddof=1)
    drawn = ax.plot(places, mean, linestyle="--", linewidth=1, color=color)[0]
    if len(places) == 1:
        ax.errorbar(places, mean, yerr=reach, color=drawn.get_color(), capsize=4, alpha=0.5)
    ax.fill_between(places, mean - reach, mean + reach, color=drawn.get_color(), alpha=0.25, linewidth=0)
