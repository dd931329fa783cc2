"""Pictures of entropies and informations against the diffusion time, with their uncertainty.

Each t has a place of its own along the axis, in the order given, so that one t is drawn like several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.scalars import as_nonnegative, as_numbers, as_order
from dsentropy.plotting._axes import as_floats, finish, new_axes


def subsampled(
    values: ArrayLike,
    interval: ArrayLike,
    t: float | Sequence[float],
    order: float | Sequence[float] = 1,
    *,
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
    bits, ends = as_floats(values, "values"), as_floats(interval, "interval")
    shape = (len(times), len(orders))
    _require_shape(bits, "values", (max(len(bits) if bits.ndim else 0, 1), *shape))
    _require_shape(ends, "interval", (2, *shape))
    ax = new_axes(ax, title)
    mean, places = bits.mean(axis=0), np.arange(len(times))
    for i, each in enumerate(orders):
        at = places + _beside(i, len(orders))
        color = f"C{i % 10}"
        reach = np.abs(ends[:, :, i] - mean[:, i])
        ax.plot(np.tile(at, (len(bits), 1)).T, bits[:, :, i].T, ".", color=color, alpha=0.3, markersize=4)
        ax.errorbar(at, mean[:, i], yerr=reach, marker="o", capsize=4, color=color, label=f"order {each:g}")
    ax.set(ylabel="entropy (bits)")
    label_times(ax, times)
    finish(ax, title, len(orders))
    return ax


def _require_shape(array: NDArray[np.float64], name: str, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")


def _beside(i: int, n: int) -> float:
    """Return how far to the side line i of n is drawn, so that error bars do not cover each other."""
    return 0.3 * ((i + 0.5) / n - 0.5)


def label_times(ax: Any, times: list[float]) -> None:
    """Put a tick at each t, and at most at about 12 of many."""
    places = range(0, len(times), -(-len(times) // 12))
    ax.set_xticks(list(places), [f"{times[place]:.4g}" for place in places])
    ax.set(xlabel="t", xlim=(-0.5, len(times) - 0.5))
