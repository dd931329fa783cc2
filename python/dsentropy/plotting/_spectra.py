"""Pictures of spectra: the probabilities of eigenvalues by rank, computed or estimated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.arrays import moduli_of
from dsentropy._checks.conversion import as_array
from dsentropy._checks.scalars import as_nonnegative, as_numbers
from dsentropy.plotting._axes import as_floats, finish, new_axes


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
    ax = new_axes(ax, title)
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
    finish(ax, title, len(times))
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
    moduli, ranks = np.abs(as_floats(eigenvalues, "eigenvalues")), as_floats(counts, "counts")
    errors = None if standard_errors is None else as_floats(standard_errors, "standard_errors")
    _require_staircase(moduli, ranks, errors)
    times, _ = as_numbers(t, "t", as_nonnegative)
    ax = new_axes(ax, title)
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
    finish(ax, title, len(times))
    return ax


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
