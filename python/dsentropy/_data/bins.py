"""Bins of a column of numbers: of equal width, or with equally many rows each.

Bin b, from 1 on, holds edges[b - 1] <= y < edges[b], and the last one its upper edge too. Cost: O(N) and O(N log N).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.memory import require_bytes

_BYTES_OF_EDGE = 24
"""Bytes of an edge of equal-width bins: itself, and two more numbers while it is computed."""

_BYTES_OF_QUANTILE = 88
"""Bytes of a quantile: itself, and ten more numbers while NumPy interpolates it."""


def width_bins(column: NDArray[Any], n_bins: int) -> NDArray[np.intp]:
    """Return equal-width bins from minimum to maximum, numbered from 1, with the rounding of the reference."""
    if column.dtype.kind != "f":
        column = column.astype(np.float64)
    minimum, maximum = column.min(), column.max()
    if minimum == maximum:
        return np.full(column.shape, n_bins)
    with np.errstate(over="ignore"):
        extent = maximum - minimum
    if not np.isfinite(extent):  # beyond the largest number of this dtype
        column, minimum, maximum = column / 4, minimum / 4, maximum / 4
        extent = maximum - minimum
    return 1 + _edges_below((column - minimum) / extent, n_bins)


def width_edges(column: NDArray[Any], n_bins: int) -> NDArray[np.float64]:
    """Return the n_bins + 1 edges of equal-width bins, of which the first is the minimum and the last the maximum."""
    _require_edges(column, n_bins, _BYTES_OF_EDGE)
    numbers = column.astype(np.float64)
    scale = _scale(numbers)
    edges: NDArray[np.float64] = scale * np.linspace(numbers.min() / scale, numbers.max() / scale, n_bins + 1)
    return edges


def quantile_bins(column: NDArray[Any], n_bins: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return bins with equally many rows each, numbered from 1, and their edges.

    Edges are the quantiles k / n_bins, interpolated linearly between the rows. Equal numbers share a bin. Where
    several quantiles are one number, it has a bin of its own, and there may be fewer bins. Each bin has rows.
    """
    _require_edges(column, n_bins, _BYTES_OF_QUANTILE)
    numbers = column.astype(np.float64).ravel()
    values, scale = np.unique(numbers), _scale(numbers)
    quantiles = scale * np.quantile(numbers / scale, np.linspace(0, 1, n_bins + 1))
    after = np.searchsorted(values, quantiles[1:][quantiles[1:] == quantiles[:-1]], side="right")
    inner = np.unique(np.concatenate([quantiles[1:-1], values[after[after < len(values)]]]))
    inner = inner[(inner > values[0]) & (inner <= values[-1])]
    used, bins = np.unique(np.searchsorted(inner, numbers, side="right"), return_inverse=True)
    edges = np.concatenate([values[:1], inner[used[1:] - 1], values[-1:]])  # between two quantiles may be no row
    return 1 + bins, edges


def _require_edges(column: NDArray[Any], n_bins: int, of_edge: int) -> None:
    """Raise a MemoryError where arrays of all edges do not fit into memory."""
    require_bytes(f"n_clusters = {n_bins}", len(column), of_edge * (n_bins + 1), "a smaller n_clusters")


def _scale(numbers: NDArray[np.float64]) -> float:
    """Return what numbers are divided by so that their range does not overflow: 1, or 4."""
    with np.errstate(over="ignore"):
        return 1.0 if np.isfinite(np.ptp(numbers)) else 4.0


def _edges_below(fractions: NDArray[Any], n_bins: int) -> NDArray[np.intp]:
    """Return how many of the inner edges k / n_bins, k from 1 to n_bins - 1, are at most each fraction of 0 to 1.

    An edge is k times 1 / n_bins, as ``np.linspace`` rounds it. It takes no array of edges, of which there may be
    more than rows.
    """
    step = 1.0 / n_bins
    below = np.minimum(np.floor(fractions.astype(np.float64) / step), n_bins - 1.0)
    while (too_large := below * step > fractions).any():  # by the rounding of the quotient
        below -= too_large
    while (too_small := (below < n_bins - 1) & ((below + 1) * step <= fractions)).any():
        below += too_small
    return below.astype(np.intp)
