"""Picture of an entropy surface: entropies against the bandwidth, with saturated regions shaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_alpha, as_nonnegative, as_numbers, entries_of
from dsentropy.plotting._axes import as_bits, as_drawn, finish, new_axes
from dsentropy.plotting._null import null_band


def surface(
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
    """Draw entropies against the bandwidth, with a line for each diffusion time and saturated regions shaded.

    Parameters
    ----------
    values : array_like of shape (len(bandwidths), len(t))
        Entropies in bits.
    bandwidths : sequence of float or str
        Bandwidths. Where all are positive numbers the axis is logarithmic; else they are labels, in the order given.
    t : float or sequence of float
        Diffusion times, one for each column of ``values``.
    max_entropy : float, optional
        log2 N, the maximum of the entropy of N samples, up to 1024. Without it nothing is shaded.
    margin : float, optional, default 0.02
        Fraction of ``max_entropy``, at either end, that is shaded: entropies there say little about the data.
        Refused without ``max_entropy``.
    null : array_like of shape (draws, len(bandwidths), len(t)), optional
        Entropies of at least two draws of a null: their mean is dashed, with two standard deviations to either side.
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
        Where ``values`` has another shape, ``t`` is negative, or ``margin`` is given without ``max_entropy``.
    TypeError
        Where ``t`` is no number.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> values = [[2.9, 2.8], [1.5, 1.0], [0.4, 0.1]]
    >>> axes = plotting.surface(values, [0.1, 1.0, 10.0], [1, 2], max_entropy=3, ax=Figure().add_subplot())
    >>> axes.get_xscale(), axes.get_ylabel()
    ('log', 'entropy (bits)')
    """
    if margin is not None and max_entropy is None:
        raise ValueError("margin must not be given where max_entropy is None: nothing is shaded")
    times, _ = as_numbers(t, "t", as_nonnegative)
    entropies = as_drawn(values, "values")
    bandwidths = _bandwidths(bandwidths)
    most = None if max_entropy is None else as_bits(max_entropy, "max_entropy")
    part = 0.02 if margin is None else as_alpha(margin, "margin")
    if entropies.shape != (len(bandwidths), len(times)):
        raise ValueError(f"values must have the shape {(len(bandwidths), len(times))}, got {entropies.shape}")
    draws = None if null is None else _draws(null, entropies.shape)
    ax = new_axes(ax, title)
    positions, logarithmic = _positions(bandwidths)
    order = np.argsort(positions, kind="stable")
    for i, time in enumerate(times):
        color = f"C{i}" if len(times) <= 10 else None  # beyond 10 the colours of the cycle repeat
        ax.plot(positions[order], entropies[order, i], marker="o", markersize=4, color=color, label=f"t = {time:g}")
        if draws is not None:
            null_band(ax, positions[order], draws[:, order, i], ax.get_lines()[-1].get_color())
    if most is not None:
        _shade(ax, most or 1.0, part)
    ax.set(xlabel="bandwidth", ylabel="entropy (bits)")
    if logarithmic:
        ax.set_xscale("log")
    if not logarithmic or len(bandwidths) <= 12:
        _label_bandwidths(ax, bandwidths, positions, order, logarithmic)
    finish(ax, title, len(times))
    return ax


def _draws(null: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Convert draws of a null to an array, and check its shape."""
    draws = as_drawn(null, "null")
    if draws.ndim != 3 or draws.shape[1:] != shape or len(draws) < 2:
        raise ValueError(f"null must have the shape {('draws', *shape)}, draws at least 2, got {draws.shape}")
    return draws


def _bandwidths(bandwidths: Any) -> list[float | str]:
    """Convert the labels of the bandwidths to a list of numbers and strings."""
    entries = entries_of(bandwidths, "bandwidths", "numbers and strings")
    if entries is None or isinstance(bandwidths, (Mapping, Set)):
        raise TypeError(f"bandwidths must be a sequence of numbers and strings, got {printed(bandwidths)}")
    return [one if isinstance(one, str) else as_nonnegative(one, "bandwidths") for one in entries]


def _shade(ax: Any, max_entropy: float, margin: float) -> None:
    """Shade where entropies are saturated, and mark the maximum."""
    low, high = -0.05 * max_entropy, 1.05 * max_entropy
    for bottom, top in [(low, margin * max_entropy), ((1 - margin) * max_entropy, high)]:
        ax.axhspan(bottom, top, color="0.5", alpha=0.25, linewidth=0)
    ax.axhline(max_entropy, color="0.4", linewidth=0.8, linestyle=":")
    place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
    ax.annotate("log2 N", (0.99, max_entropy), color="0.3", **place)
    ax.set(ylim=(low, 1.08 * max_entropy))


def _positions(bandwidths: Sequence[float | str]) -> tuple[NDArray[Any], bool]:
    """Return where each bandwidth is drawn, and whether the axis is logarithmic."""
    numbers = [bandwidth for bandwidth in bandwidths if not isinstance(bandwidth, str)]
    logarithmic = 0 < len(numbers) == len(bandwidths) and min(numbers) > 0
    return np.array(numbers) if logarithmic else np.arange(len(bandwidths)), logarithmic


def _label_bandwidths(
    ax: Any,
    bandwidths: Sequence[float | str],
    positions: NDArray[Any],
    order: NDArray[np.intp],
    logarithmic: bool,
) -> None:
    """Put a tick at each bandwidth. Of labels that would overlap, the first is shown."""
    labels = [bandwidth if isinstance(bandwidth, str) else f"{bandwidth:.3g}" for bandwidth in bandwidths]
    if logarithmic:
        along = np.log(positions[order])
        distance, last = 0.07 * np.ptp(along), -np.inf
        for place, position in zip(order, along, strict=True):
            if position - last < distance:
                labels[place] = ""
            else:
                last = position
    ax.set_xticks(positions, labels)
    ax.set_xticks([], minor=True)
