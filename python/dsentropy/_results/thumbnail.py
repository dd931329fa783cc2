"""Thumbnail of a spectrum as inline SVG: the probabilities on a logarithmic scale against the rank, in 400 bytes.

The line has the colour of the text around it (``currentColor``), so it is seen on light and on dark pages. It is a
staircase through at most 40 ranks, half of them spread evenly and half with equal ratios.
"""

from __future__ import annotations

import html

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 160, 48
_STEPS = 40
"""Ranks through which the line goes."""


def thumbnail(moduli: NDArray[np.float64], ranks: NDArray[np.float64], smallest: float) -> str:
    """Return the SVG of a spectrum.

    Parameters
    ----------
    moduli : ndarray of shape (k,)
        Moduli of eigenvalues in descending order, the first positive.
    ranks : ndarray of shape (k,)
        Numbers of eigenvalues that are at least as large, ascending.
    smallest : float
        Part of the largest modulus up to which moduli are rounding, and are left out.
    """
    relative = moduli / moduli[0]
    sizes = np.diff(ranks, prepend=0.0)
    total = float(sizes @ relative)
    drawn = relative > smallest
    relative, ranks = relative[drawn], ranks[drawn]
    kept = _spread(len(relative))
    depth = -np.log10(relative)
    x = np.rint(1 + (_WIDTH - 2) * ranks / ranks[-1]).astype(int)[kept]
    y = np.rint(1 + (_HEIGHT - 2) * depth / max(depth[-1], 1.0)).astype(int)[kept]
    path = f"M1 {y[0]}" + "".join(f"V{down}H{right}" for right, down in zip(x, y, strict=True))
    about = f"p on a logarithmic scale, {1 / total:.2g} to {relative[-1] / total:.2g}, by rank, 1 to {ranks[-1]:.4g}"
    return (
        f'<svg role="img" width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<title>{html.escape(about)}</title><path d="{path}" fill="none" stroke="currentColor"/></svg>'
    )


def _spread(n: int) -> NDArray[np.int64]:
    """Return places of n, the first and the last among them: half spread evenly, half with equal ratios."""
    if n <= _STEPS:
        return np.arange(n)
    half = _STEPS // 2
    both = np.concatenate([np.linspace(1, n, half), np.geomspace(1, n, half)])
    places: NDArray[np.int64] = np.unique(both.round().astype(np.int64)) - 1
    return places
