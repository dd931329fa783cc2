"""Pictures of spectra: the probabilities of eigenvalues by rank, computed or estimated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.arrays import moduli_of
from dsentropy._checks.conversion import as_array
from dsentropy._checks.scalars import Numbers, as_nonnegative, as_numbers
from dsentropy.plotting._axes import as_floats, finish, new_axes
from dsentropy.plotting._series import as_label, claim, color_of, count_of, dashes_of, marker_of, named

_MOST_MARKERS = 40
"""Points of a line up to which they have markers."""


def spectrum(
    eigenvalues: ArrayLike,
    t: Numbers = 1,
    *,
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    r"""Draw the probabilities of a spectrum, largest first, with a line for each diffusion time.

    .. math::

        p_i = \frac{|\lambda_i|^t}{\sum_j |\lambda_j|^t}

    The axis of p ends at n eps of the largest one, so that lines at large t do not fill it with what has no part in
    any sum.

    Parameters
    ----------
    eigenvalues : array_like of shape (n,)
        Finite, not all zero. Their moduli are drawn; those below n eps of the largest are rounding and are left out.
    t : float or sequence of float, default 1
        Diffusion time, at least 0.
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
    name, ax = as_label(label), new_axes(ax, title)
    relative = moduli / moduli[0]
    rounding = len(relative) * np.finfo(float).eps
    rank = np.arange(1, len(relative) + 1)
    for number, time in enumerate(times, count_of(ax)):
        with np.errstate(under="ignore"):
            powers = relative**time
        drawn = (relative > rounding) & (powers > 0)
        p = powers[drawn] / powers.sum()
        points = {"marker": marker_of(number), "markersize": 4} if len(p) <= _MOST_MARKERS else {}
        _line(ax, rank[drawn], p, number, named(name, f"t = {time:g}", len(times)), **points)
    _stop_at_rounding(ax, rounding)
    ax.set(xlabel="rank", ylabel="probability p")
    finish(ax, title, len(times), name)
    return ax


def estimate(
    eigenvalues: ArrayLike,
    counts: ArrayLike,
    standard_errors: ArrayLike | None = None,
    t: float | Sequence[float] = 1,
    *,
    label: str | None = None,
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
    moduli, ranks = np.abs(as_floats(eigenvalues, "eigenvalues")), as_floats(counts, "counts")
    errors = None if standard_errors is None else as_floats(standard_errors, "standard_errors")
    _require_staircase(moduli, ranks, errors)
    times, _ = as_numbers(t, "t", as_nonnegative)
    name, ax = as_label(label), new_axes(ax, title)
    relative = moduli / moduli[0]
    sizes = np.diff(ranks, prepend=0)
    for number, time in enumerate(times, count_of(ax)):
        with np.errstate(under="ignore"):
            powers = relative**time
            p = powers / (sizes @ powers)
        drawn = p > 0
        heights, ends = np.repeat(p[drawn], 2), np.repeat(ranks[drawn], 2)
        color = _line(ax, [0.0, *ends[:-1]], heights, number, named(name, f"t = {time:g}", len(times)))
        if errors is not None:
            reach = 2 * np.repeat(errors[drawn], 2)[:-1]
            low, high = ends[:-1] - reach, ends[:-1] + reach
            low, high = np.maximum(low, 0), np.minimum(high, ranks[-1])
            ax.fill_betweenx(heights[1:], low, high, color=color, alpha=0.25, linewidth=0)
    _stop_at_rounding(ax, ranks[-1] * float(np.finfo(float).eps))
    ax.set(xlabel="estimated rank", ylabel="probability p")
    finish(ax, title, len(times), name)
    return ax


def _line(ax: Any, x: Any, p: Any, number: int, label: str | None, **points: Any) -> str:
    """Draw a line and return its colour."""
    color = color_of(number)
    line = ax.plot(x, p, label=label, color=color, linestyle=dashes_of(number), linewidth=1.3, **points)[0]
    claim(line, number)
    return color


def _stop_at_rounding(ax: Any, part: float) -> None:
    """Let the logarithmic axis of p end at this part of the largest one of all lines, or at the smallest one."""
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.get_lines()])
    drawn = drawn[drawn > 0]
    ax.set(yscale="log")
    ax.set_ylim(max(drawn.min(), part * drawn.max()) / 2, 2 * drawn.max(), auto=None)


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


def _moduli(eigenvalues: ArrayLike) -> NDArray[np.float64]:
    """Return moduli in descending order."""
    given = as_array(eigenvalues, "eigenvalues")
    if given.dtype.kind not in "fciub" or given.ndim != 1 or not given.any() or not np.isfinite(given).all():
        raise ValueError(f"eigenvalues must be a vector of finite numbers, not all zero, got shape {given.shape}")
    return np.sort(moduli_of(given))[::-1]
