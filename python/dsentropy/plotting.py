"""Pictures of spectra and of entropy surfaces: arrays in, axes of matplotlib out.

The methods ``plot`` of :class:`dsentropy.Spectrum` and :class:`dsentropy.EntropySurface` call these functions, which
take plain arrays and so draw spectra and entropies from anywhere. matplotlib is imported when a function is called:
``pip install 'dsentropy[plot]'``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.arrays import moduli_of
from dsentropy._checks.conversion import as_array
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_alpha, as_nonnegative, as_numbers, entries_of

__all__ = ["estimate", "spectrum", "surface"]


def spectrum(
    eigenvalues: ArrayLike, t: float | Sequence[float] = 1, *, title: str | None = None, ax: Any = None
) -> Any:
    r"""Draw the probabilities of a spectrum, largest first, with a line for each diffusion time.

    .. math::

        p_i = \frac{|\lambda_i|^t}{\sum_j |\lambda_j|^t}

    Parameters
    ----------
    eigenvalues : array_like of shape (n,)
        Finite, not all zero. Their moduli are drawn; those below n eps of the largest are rounding and are left out.
    t : float or sequence of float, default 1
        Diffusion time, at least 0.
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
        Where ``eigenvalues`` is no vector of finite numbers that are not all zero, or ``t`` is negative.
    TypeError
        Where ``t`` is no number.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.spectrum([1.0, 0.5, 0.25], t=[1, 2], ax=Figure().add_subplot())
    >>> [line.get_label() for line in axes.get_lines()]
    ['t = 1', 't = 2']
    """
    moduli = _moduli(eigenvalues)
    times, _ = as_numbers(t, "t", as_nonnegative)
    ax = _axes(ax, title)
    relative = moduli / moduli[0]
    rounding = len(relative) * np.finfo(float).eps
    rank = np.arange(1, len(relative) + 1)
    for time in times:
        with np.errstate(under="ignore"):
            powers = relative**time
        drawn = (relative > rounding) & (powers > 0)
        p = powers[drawn] / powers.sum()
        ax.plot(rank[drawn], p, label=f"t = {time:g}", marker=".", markersize=3, linewidth=1)
    ax.set(yscale="log", xlabel="rank", ylabel="p")
    _finish(ax, title, len(times))
    return ax


def estimate(
    eigenvalues: ArrayLike,
    counts: ArrayLike,
    standard_errors: ArrayLike | None = None,
    t: float | Sequence[float] = 1,
    *,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    r"""Draw the probabilities of an estimated spectrum against the estimated rank, with a line for each time t.

    The line is a staircase. Its height is

    .. math::

        p_k = \frac{|\lambda_k|^t}{\sum_j (n_j - n_{j-1}) |\lambda_j|^t},

    from the rank :math:`n_{k-1}` to :math:`n_k`, the estimated number of eigenvalues of at least
    :math:`|\lambda_k|`. Two standard errors of the number are shaded to either side.

    Parameters
    ----------
    eigenvalues : array_like of shape (k,)
        Moduli in descending order, finite, not all zero.
    counts : array_like of shape (k,)
        Estimated number of eigenvalues whose modulus is at least as large, ascending.
    standard_errors : array_like of shape (k,), optional
        Standard errors of ``counts``. Without them nothing is shaded.
    t : float or sequence of float, default 1
        Diffusion time, at least 0.
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
        Where arrays differ in shape, are not finite or not in that order, or ``t`` is negative.
    TypeError
        Where ``t`` is no number.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.estimate([1.0, 0.1], [1.0, 7.5], [0.0, 0.4], t=[1, 2], ax=Figure().add_subplot())
    >>> axes.get_xlabel()
    'estimated rank'
    """
    moduli, ranks = np.abs(_vector(eigenvalues, "eigenvalues")), _vector(counts, "counts")
    errors = None if standard_errors is None else _vector(standard_errors, "standard_errors")
    _require_staircase(moduli, ranks, errors)
    times, _ = as_numbers(t, "t", as_nonnegative)
    ax = _axes(ax, title)
    relative = moduli / moduli[0]
    sizes = np.diff(ranks, prepend=0)
    for i, time in enumerate(times):
        with np.errstate(under="ignore"):
            powers = relative**time
            p = powers / (sizes @ powers)
        drawn = p > 0
        heights, ends = np.repeat(p[drawn], 2), np.repeat(ranks[drawn], 2)
        color = f"C{i % 10}"
        ax.plot([0.0, *ends[:-1]], heights, label=f"t = {time:g}", linewidth=1, color=color)
        if errors is not None:
            reach = 2 * np.repeat(errors[drawn], 2)[:-1]
            low, high = ends[:-1] - reach, ends[:-1] + reach
            low, high = np.maximum(low, 0), np.minimum(high, ranks[-1])
            ax.fill_betweenx(heights[1:], low, high, color=color, alpha=0.25, linewidth=0)
    ax.set(yscale="log", xlabel="estimated rank", ylabel="p")
    _finish(ax, title, len(times))
    return ax


def _vector(value: ArrayLike, name: str) -> NDArray[np.float64]:
    """Convert to an array of float64, of any shape."""
    given = as_array(value, name)
    if given.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be an array of numbers, got dtype {given.dtype}")
    with np.errstate(over="ignore"):  # of long double
        return given.astype(np.float64)


def _require_staircase(moduli: NDArray[np.float64], ranks: NDArray[np.float64], errors: Any) -> None:
    """Raise a ValueError where arrays are not those of a cumulative spectral distribution."""
    if moduli.ndim != 1 or not np.isfinite(moduli).all() or not moduli.any() or (np.diff(moduli) > 0).any():
        raise ValueError(
            f"eigenvalues must be finite, in descending order and not all zero, got {moduli.tolist()!r:.99}"
        )
    for name, values in [("counts", ranks), ("standard_errors", errors)]:
        if values is not None and (values.shape != moduli.shape or not np.isfinite(values).all()):
            raise ValueError(f"{name} must be finite and of the shape {moduli.shape}, got shape {values.shape}")
    if ranks[0] <= 0 or (np.diff(ranks) < 0).any():
        raise ValueError("counts must be positive and ascending")


def surface(
    values: ArrayLike,
    bandwidths: Sequence[float | str],
    t: float | Sequence[float],
    *,
    max_entropy: float | None = None,
    margin: float | None = None,
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
        log2 N, the maximum of the entropy of N samples. Without it nothing is shaded.
    margin : float, optional, default 0.02
        Fraction of ``max_entropy``, at either end, that is shaded: entropies there say little about the data.
        Refused without ``max_entropy``.
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
    entropies = _vector(values, "values")
    bandwidths = _bandwidths(bandwidths)
    most = None if max_entropy is None else as_nonnegative(max_entropy, "max_entropy")
    part = 0.02 if margin is None else as_alpha(margin, "margin")
    if entropies.shape != (len(bandwidths), len(times)):
        raise ValueError(f"values must have the shape {(len(bandwidths), len(times))}, got {entropies.shape}")
    ax = _axes(ax, title)
    positions, logarithmic = _positions(bandwidths)
    order = np.argsort(positions, kind="stable")
    for i, time in enumerate(times):
        color = f"C{i}" if len(times) <= 10 else None  # beyond 10 the colours of the cycle repeat
        ax.plot(positions[order], entropies[order, i], marker="o", markersize=4, color=color, label=f"t = {time:g}")
    if most is not None:
        _shade(ax, most or 1.0, part)
    ax.set(xlabel="bandwidth", ylabel="entropy (bits)")
    if logarithmic:
        ax.set_xscale("log")
    if not logarithmic or len(bandwidths) <= 12:
        _label_bandwidths(ax, bandwidths, positions, order, logarithmic)
    _finish(ax, title, len(times))
    return ax


def _moduli(eigenvalues: ArrayLike) -> NDArray[np.float64]:
    """Return moduli in descending order."""
    given = as_array(eigenvalues, "eigenvalues")
    if given.dtype.kind not in "fciub" or given.ndim != 1 or not given.any() or not np.isfinite(given).all():
        raise ValueError(f"eigenvalues must be a vector of finite numbers, not all zero, got shape {given.shape}")
    return np.sort(moduli_of(given))[::-1]


def _bandwidths(bandwidths: Any) -> list[float | str]:
    """Convert the labels of the bandwidths to a list of numbers and strings."""
    entries = entries_of(bandwidths, "bandwidths", "numbers and strings")
    if entries is None or isinstance(bandwidths, (Mapping, Set)):
        raise TypeError(f"bandwidths must be a sequence of numbers and strings, got {printed(bandwidths)}")
    return [one if isinstance(one, str) else as_nonnegative(one, "bandwidths") for one in entries]


def _axes(ax: Any, title: Any) -> Any:
    """Return the axes to draw on, new ones where none were given; check the title before anything is drawn."""
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a string or None, got {printed(title)}")
    if ax is not None:
        if not (hasattr(ax, "plot") and hasattr(ax, "set_xticks")):
            raise TypeError(f"ax must be Axes of matplotlib, got {printed(ax)}")
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("a plot needs matplotlib: pip install 'dsentropy[plot]'") from error
    import matplotlib.pyplot as plt

    figure: Figure = plt.figure(figsize=(6, 4), layout="constrained")
    return figure.add_subplot()


def _finish(ax: Any, title: str | None, n_lines: int) -> None:
    if title is not None:
        ax.set_title(title)
    if n_lines > 1:
        ax.legend()


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
