"""Maps of colours: an entropy over bandwidth and t, and a measure of layers over the steps of a training.

The colours (cividis) are perceptually uniform, from dark to bright also in grey and for colour-blind readers. A cell
without a value is hatched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.scalars import as_alpha, as_nonnegative, as_numbers
from dsentropy.plotting._axes import as_bits, as_drawn, new_axes, set_title
from dsentropy.plotting._surface import as_bandwidths, draws_of
from dsentropy.plotting._training import as_epochs, checked

_MOST_LABELS = 12
"""Labels along an axis, at most about."""


def surface_map(
    values: ArrayLike,
    bandwidths: Sequence[float | str],
    t: float | Sequence[float],
    *,
    max_entropy: float | None = None,
    margin: float | None = None,
    null: ArrayLike | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw entropies over bandwidth and diffusion time as colours, with outlines of saturation and of a null.

    Along each axis a coordinate has a cell of its own, in ascending order; bandwidths with a name follow the numbers.

    Parameters
    ----------
    values : array_like of shape (len(bandwidths), len(t))
        Entropies in bits.
    bandwidths : sequence of float or str
        Bandwidths.
    t : float or sequence of float
        Diffusion times, one for each column of ``values``.
    max_entropy : float, optional
        log2 N, the maximum of the entropy of N samples, up to 1024. With it, a solid line is around the cells whose
        entropy is saturated.
    margin : float, optional, default 0.02
        Fraction of ``max_entropy``, at either end, that is saturated. Refused without ``max_entropy``.
    null : array_like of shape (draws, len(bandwidths), len(t)), optional
        Entropies of at least two draws of a null: a dashed line is around the cells whose entropy is within two
        standard deviations of their mean.
    title : str, optional
        Title of the axes.
    ax : matplotlib Axes, optional
        Axes to draw on; by default new ones. A colour bar takes a part of them.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        Where matplotlib is not installed.
    ValueError
        Where arrays have another shape, ``t`` is negative, or ``margin`` is given without ``max_entropy``.
    TypeError
        Where ``t`` is no number.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> values = [[2.9, 2.8], [1.5, 1.0], [0.4, 0.1]]
    >>> axes = plotting.surface_map(values, [0.1, 1.0, 10.0], [1, 2], max_entropy=3, ax=Figure().add_subplot())
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('bandwidth (units of the data)', 't')
    """
    if margin is not None and max_entropy is None:
        raise ValueError("margin must not be given where max_entropy is None: nothing is outlined")
    times, _ = as_numbers(t, "t", as_nonnegative)
    entropies, labels = as_drawn(values, "values"), as_bandwidths(bandwidths)
    most = None if max_entropy is None else as_bits(max_entropy, "max_entropy")
    part = 0.02 if margin is None else as_alpha(margin, "margin")
    if entropies.shape != (len(labels), len(times)):
        raise ValueError(f"values must have the shape {(len(labels), len(times))}, got {entropies.shape}")
    draws = None if null is None else draws_of(null, entropies.shape)
    ax = new_axes(ax, title)
    columns = sorted(range(len(labels)), key=lambda place: _position(labels[place]))
    rows = np.argsort(times, kind="stable")
    cells = np.ix_(np.array(columns), rows)
    shown = entropies[cells].T
    _draw(ax, shown, "entropy (bits)")
    if most is not None:
        saturated = (shown <= part * most) | (shown >= (1 - part) * most)
        _outline(ax, saturated, "-", "saturated")
    if draws is not None:
        mean, spread = draws.mean(axis=0)[cells].T, draws.std(axis=0, ddof=1)[cells].T
        _outline(ax, np.abs(shown - mean) <= 2 * spread, "--", "within the null")
    _name_cells(ax.xaxis, [one if isinstance(one, str) else f"{one:.3g}" for one in (labels[i] for i in columns)])
    _name_cells(ax.yaxis, [f"{times[place]:.3g}" for place in rows])
    ax.set(xlabel="bandwidth (units of the data)", ylabel="t")
    _finish(ax, title)
    return ax


def training_map(
    steps: Sequence[int],
    values: ArrayLike,
    layers: Sequence[str],
    *,
    epochs: Sequence[float] | None = None,
    ylabel: str = "entropy (bits)",
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw values over the steps of a training and the layers as colours, the first layer on top.

    Each step has a cell of its own, whatever lies between it and the next.

    Parameters
    ----------
    steps : sequence of int
        Steps of the training, at least 0.
    values : array_like of shape (len(steps), len(layers))
        What is drawn; a cell is hatched where a value is NaN.
    layers : sequence of str
        Names of the layers, by depth.
    epochs : sequence of float, optional
        The epoch of each step, ascending: they are the axis in place of the steps.
    ylabel : str, default "entropy (bits)"
        Label of the colour bar.
    title : str, optional
        Title of the axes.
    ax : matplotlib Axes, optional
        Axes to draw on; by default new ones. A colour bar takes a part of them.

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
    >>> axes = plotting.training_map([0, 10], [[5.1, 4.0], [4.8, 2.9]], ["conv", "fc"], ax=Figure().add_subplot())
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['conv', 'fc']
    """
    at, names, drawn = checked(steps, values, layers, ylabel)
    moments = [str(step) for step in at] if epochs is None else [f"{one:.6g}" for one in as_epochs(epochs, len(at))]
    ax = new_axes(ax, title)
    order = np.argsort(at, kind="stable")
    _draw(ax, drawn[order].T, ylabel)
    ax.invert_yaxis()
    _name_cells(ax.xaxis, [moments[place] for place in order])
    _name_cells(ax.yaxis, names)
    ax.set(xlabel="step" if epochs is None else "epoch", ylabel="layer")
    _finish(ax, title)
    return ax


def _position(bandwidth: float | str) -> tuple[bool, float]:
    """Return what bandwidths are sorted by: numbers first."""
    return (True, 0.0) if isinstance(bandwidth, str) else (False, bandwidth)


def _draw(ax: Any, cells: NDArray[np.float64], label: str) -> None:
    """Draw cells [rows, columns] with a colour bar; those without a value show the hatched background."""
    n_rows, n_columns = cells.shape
    ax.patch.set(hatch="///", facecolor="white", edgecolor="0.6")
    known = cells[np.isfinite(cells)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    if high - low < 1e-6 * max(abs(low), 1.0):  # a range of rounding alone
        low, high = low - 0.05 * max(abs(low), 1.0), high + 0.05 * max(abs(low), 1.0)
    edges = np.arange(n_columns + 1) - 0.5, np.arange(n_rows + 1) - 0.5
    mesh = ax.pcolormesh(*edges, np.ma.masked_invalid(cells), cmap="cividis", vmin=low, vmax=high)
    ax.figure.colorbar(mesh, ax=ax, label=label)


def _outline(ax: Any, chosen: NDArray[np.bool_], dashes: str, label: str) -> None:
    """Draw a line around the cells [rows, columns] that are chosen, white on black to be seen on all colours."""
    inside = np.pad(chosen, 1)
    across, down = np.nonzero(inside[:, 1:] != inside[:, :-1]), np.nonzero(inside[1:] != inside[:-1])
    upright = [[(j - 0.5, i - 1.5), (j - 0.5, i - 0.5)] for i, j in zip(*across, strict=True)]
    level = [[(j - 1.5, i - 0.5), (j - 0.5, i - 0.5)] for i, j in zip(*down, strict=True)]
    if not upright:
        return
    xs, ys = np.array([[*zip(*line, strict=True)] for line in upright + level], dtype=float).transpose(1, 0, 2)
    gap = np.full((len(xs), 1), np.nan)
    path = [np.hstack([part, gap]).ravel() for part in (xs, ys)]
    ax.plot(*path, color="black", linewidth=3.2, solid_capstyle="projecting", clip_on=False)
    ax.plot(*path, color="white", linewidth=1.6, linestyle=dashes, clip_on=False, label=label)


def _name_cells(axis: Any, names: list[str]) -> None:
    """Put names at the middle of cells, at most about twelve."""
    places = range(0, len(names), -(-len(names) // _MOST_LABELS))
    axis.set_ticks(list(places), [names[place] for place in places])


def _finish(ax: Any, title: str | None) -> None:
    set_title(ax, title)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, facecolor="0.7", fontsize="small")
        if title is not None:
            ax.title.set_position((0.5, 1.0))
            ax.set_title(ax.get_title(), pad=28)
