"""Pictures of spectra and of entropy surfaces, with matplotlib, which is imported only here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from dsentropy._measures.surface import EntropySurface
    from dsentropy._spectrum.spectrum import Spectrum


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("a plot needs matplotlib: pip install 'dsentropy[plot]'") from error
    import matplotlib.pyplot as plt

    figure: Figure = plt.figure(figsize=(6, 4), layout="constrained")
    return figure.add_subplot()


def spectrum(found: Spectrum, times: list[float], ax: Any) -> Any:
    """The probabilities, largest first, a line for each t."""
    ax = _axes(ax)
    relative = found.eigenvalues / found.eigenvalues[0]
    rounding = len(relative) * np.finfo(float).eps
    rank = np.arange(1, len(relative) + 1)
    for t in times:
        with np.errstate(under="ignore"):
            powers = relative**t
        shown = (relative > rounding) & (powers > 0)
        ax.plot(
            rank[shown], (powers / powers.sum())[shown], label=f"t = {t:g}", marker=".", markersize=3, linewidth=1
        )
    ax.set(yscale="log", xlabel="rank", ylabel="p", title=f"spectrum of {found.n_samples} samples")
    if len(times) > 1:
        ax.legend()
    return ax


def surface(found: EntropySurface, order: int, alpha: int, ax: Any) -> Any:
    """The entropy against the bandwidth, a line for each t; where it is saturated, the ground is shaded."""
    from dsentropy._spectrum.spectrum import SATURATED

    ax = _axes(ax)
    bandwidths = found.coords["bandwidth"]
    numbers = [bandwidth for bandwidth in bandwidths if isinstance(bandwidth, float)]
    on_a_scale = len(numbers) == len(bandwidths) and min(numbers) > 0
    places = np.array(numbers) if on_a_scale else np.arange(len(bandwidths))
    along = np.argsort(places, kind="stable")
    most = float(np.log2(found.n_samples)) or 1.0
    times = found.coords["t"]
    for i, t in enumerate(times):
        colour = f"C{i}" if len(times) <= 10 else None
        line = found.values[along, i, order, alpha]
        ax.plot(places[along], line, marker="o", markersize=4, color=colour, label=f"t = {t:g}")
    for low, high in [(-0.05 * most, SATURATED * most), ((1 - SATURATED) * most, 1.05 * most)]:
        ax.axhspan(low, high, color="0.5", alpha=0.25, linewidth=0)
    ax.axhline(most, color="0.4", linewidth=0.8, linestyle=":")
    ax.annotate("log2 N", (0.99, most), xycoords=("axes fraction", "data"), ha="right", va="bottom", color="0.3")
    ax.set(ylim=(-0.05 * most, 1.08 * most), xlabel="bandwidth", ylabel="entropy (bits)")
    if on_a_scale:
        ax.set_xscale("log")
    if not on_a_scale or len(bandwidths) <= 12:
        labels = [f"{bandwidth:.3g}" if isinstance(bandwidth, float) else bandwidth for bandwidth in bandwidths]
        if on_a_scale:  # of those that would overlap, the first is named
            positions = np.log(places[along])
            room, last = 0.07 * np.ptp(positions), -np.inf
            for place, position in zip(along, positions, strict=True):
                labels[place], last = ("", last) if position - last < room else (labels[place], position)
        ax.set_xticks(places, labels)
        ax.set_xticks([], minor=True)
    title = f"{found.n_samples} samples"
    if len(found.coords["order"]) > 1 or found.coords["order"][0] != 1:
        title += f", order {found.coords['order'][order]:g}"
    if len(found.coords["alpha"]) > 1 or found.coords["alpha"][0] != 0:
        title += f", alpha {found.coords['alpha'][alpha]:g}"
    ax.set_title(f"{title}; saturated where shaded")
    if len(times) > 1:
        ax.legend()
    return ax
