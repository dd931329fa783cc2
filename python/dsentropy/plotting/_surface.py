"""Picture of an entropy surface: entropies against the bandwidth, with saturated regions shaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_alpha, as_nonnegative, as_numbers, entries_of
from dsentropy.plotting._axes import as_bits, as_drawn, finish, label_apart, name_along, new_axes
from dsentropy.plotting._null import null_band
from dsentropy.plotting._series import along, as_label, claim, color_of, count_of, marker_of, named

_LEVELS: tuple[Any, ...] = ("-.", ":", (0, (6, 1, 1, 1, 1, 1)))
"""Dashes of levels, unlike those of nulls."""

_MOST_TICKS = 12
"""Bandwidths each of which has a tick; more have those of matplotlib."""


def surface(
    values: ArrayLike,
    bandwidths: Sequence[float | str],
    t: float | Sequence[float],
    *,
    max_entropy: float | None = None,
    margin: float | None = None,
    null: ArrayLike | None = None,
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw entropies against the bandwidth, with a line for each diffusion time and saturated regions shaded.

    Parameters
    ----------
    values : array_like of shape (len(bandwidths), len(t))
        Entropies in bits.
    bandwidths : sequence of float or str
        Bandwidths. Positive numbers are points of a line, on a logarithmic axis; a bandwidth with a name, such as
        ``"knn"``, has no place among them and is a horizontal level. Without positive numbers all are points, side by
        side.
    t : float or sequence of float
        Diffusion times, one for each column of ``values``.
    max_entropy : float, optional
        log2 N, the maximum of the entropy of N samples, up to 1024. Without it nothing is shaded.
    margin : float, optional, default 0.02
        Fraction of ``max_entropy``, at either end, that is shaded: entropies there say little about the data.
        Refused without ``max_entropy``.
    null : array_like of shape (draws, len(bandwidths), len(t)), optional
        Entropies of at least two draws of a null: their mean is dashed, with two standard deviations to either side.
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
    bandwidths = as_bandwidths(bandwidths)
    most = None if max_entropy is None else as_bits(max_entropy, "max_entropy")
    part = 0.02 if margin is None else as_alpha(margin, "margin")
    if entropies.shape != (len(bandwidths), len(times)):
        raise ValueError(f"values must have the shape {(len(bandwidths), len(times))}, got {entropies.shape}")
    draws = None if null is None else draws_of(null, entropies.shape)
    name, ax = as_label(label), new_axes(ax, title)
    first, numeric = count_of(ax), [not isinstance(one, str) and one > 0 for one in bandwidths]
    for i, time in enumerate(times):
        of_null = None if draws is None else draws[:, :, i]
        line = _Line(ax, first + i, entropies[:, i], of_null, named(name, f"t = {time:g}", len(times)))
        if any(numeric):
            line.curve(bandwidths, numeric)
            line.levels(bandwidths, numeric, ("" if name is None else f"{name}, ") if i == 0 else None)
        else:
            line.points(bandwidths)
    if most is not None:
        _shade(ax, most or 1.0, part)
    ax.set(xlabel="bandwidth (units of the data)", ylabel="entropy (bits)")
    finish(ax, title, len(times) + (any(numeric) and not all(numeric)), name)
    return ax


@dataclass
class _Line:
    """Entropies of one t, and those of a null, on axes."""

    ax: Any
    number: int
    bits: NDArray[np.float64]
    """Entropies by bandwidth."""
    null: NDArray[np.float64] | None
    """Entropies of draws, [draws, bandwidths]."""
    label: str | None

    @property
    def style(self) -> dict[str, Any]:
        return {"color": color_of(self.number), "marker": marker_of(self.number), "markersize": 4}

    def curve(self, bandwidths: list[Any], numeric: list[bool]) -> None:
        """Draw the points at positive numbers, on a logarithmic axis."""
        given = [place for place in range(len(bandwidths)) if numeric[place]]
        chosen = sorted(given, key=lambda place: bandwidths[place])
        numbers, every = (
            [bandwidths[place] for place in chosen],
            along(self.ax, [bandwidths[place] for place in given])[1],
        )
        line = self.ax.plot(numbers, self.bits[chosen], label=self.label, **self.style)[0]
        claim(line, self.number, [bandwidths[place] for place in given])
        if self.null is not None:
            null_band(self.ax, np.array(numbers), self.null[:, chosen], self.style["color"])
        self.ax.set_xscale("log")
        if len(every) <= _MOST_TICKS:
            label_apart(self.ax, np.array(every), [f"{number:.3g}" for number in every])

    def levels(self, bandwidths: list[Any], numeric: list[bool], label: str | None) -> None:
        """Draw bandwidths that have no number as horizontal levels, named in the legend by the first line."""
        chosen = [place for place in range(len(bandwidths)) if not numeric[place]]
        for level, place in enumerate(chosen):
            style = {"color": self.style["color"], "linestyle": _LEVELS[level % len(_LEVELS)]}
            called = None if label is None else f"{label}{bandwidths[place]}"
            self.ax.axhline(self.bits[place], label=called, **style)
            if self.null is not None:
                mean, reach = self.null[:, place].mean(), 2 * self.null[:, place].std(ddof=1)
                self.ax.axhspan(mean - reach, mean + reach, color=self.style["color"], alpha=0.12, linewidth=0)

    def points(self, bandwidths: list[Any]) -> None:
        """Draw bandwidths none of which has a number side by side, without a line between them."""
        places, every = along(self.ax, bandwidths)
        line = self.ax.plot(places, self.bits, linestyle="", label=self.label, **self.style)[0]
        claim(line, self.number, bandwidths)
        if self.null is not None:
            mean, reach = self.null.mean(axis=0), 2 * self.null.std(axis=0, ddof=1)
            self.ax.errorbar(places, mean, yerr=reach, linestyle="", color=self.style["color"], capsize=4, alpha=0.5)
        name_along(self.ax, [one if isinstance(one, str) else f"{one:g}" for one in every], "bandwidth")


def draws_of(null: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Convert draws of a null to an array, and check its shape."""
    draws = as_drawn(null, "null")
    if draws.ndim != 3 or draws.shape[1:] != shape or len(draws) < 2:
        raise ValueError(f"null must have the shape {('draws', *shape)}, draws at least 2, got {draws.shape}")
    return draws


def as_bandwidths(bandwidths: Any) -> list[float | str]:
    """Convert the labels of the bandwidths to a list of numbers and strings."""
    entries = entries_of(bandwidths, "bandwidths", "numbers and strings")
    if entries is None or isinstance(bandwidths, (Mapping, Set)):
        raise TypeError(f"bandwidths must be a sequence of numbers and strings, got {printed(bandwidths)}")
    return [one if isinstance(one, str) else as_nonnegative(one, "bandwidths") for one in entries]


def _shade(ax: Any, max_entropy: float, margin: float) -> None:
    """Shade where entropies are saturated, and mark the maximum, once on the same axes."""
    if any(getattr(line, "_dsentropy_maximum", None) == max_entropy for line in ax.get_lines()):
        return
    low, high = -0.05 * max_entropy, 1.05 * max_entropy
    for bottom, top in [(low, margin * max_entropy), ((1 - margin) * max_entropy, high)]:
        ax.axhspan(bottom, top, color="0.5", alpha=0.25, linewidth=0)
    line = ax.axhline(max_entropy, color="0.4", linewidth=0.8, linestyle=":")
    line._dsentropy_maximum = max_entropy
    place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
    ax.annotate("log2 N", (0.99, max_entropy), color="0.3", **place)
    ax.set_ylim(low, 1.08 * max(max_entropy, ax.dataLim.y1 / 1.05), auto=None)
