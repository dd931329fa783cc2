"""Tiles of the Gaussian affinity of rows on a device, in float32 or float64.

    G_ij = exp(2 <y_i, y_j> - |y_i|^2 - |y_j|^2),     y = (x - m) / (sigma sqrt 2),     m near the mean row

With one bandwidth a row, y is divided by the smallest, and the exponent is multiplied by c_i c_j, c = min sigma /
sigma. A tile is one product of matrices, and an exponential in place. Cost: 2 D flops and one exponential an entry.

**Error of an entry.** With u the unit roundoff and R^2 the largest |y|^2, the exponent has these rounding errors,
taken as independent with mean zero (Higham & Mary, "A new approach to probabilistic rounding error analysis", SIAM J.
Sci. Comput. 41, 2019, doi 10.1137/18M1226312):

    2 <y_i, y_j>      2 u sqrt(D) R^2      of D products and their sum
    |y_i|^2, |y_j|^2  u R^2 each           of rounded rows, computed in float64 and rounded
    the two sums      u 3 R^2, u 4 R^2     by the size of their results
    rows y            u 4 R^2              rounded to u |y|, times the derivative of |y_i - y_j|^2, at most 4 R

The squares of the last four add up to (6.6 u R^2)^2, at a standard deviation of a third of the largest error or less.
So the relative error of G_ij is at most 2 u (sqrt(D) + 4) R^2, and that of the exponential itself. Distances that
cancel need no other treatment: what counts is the absolute error of the exponent, which is bounded; it may be above 0
by as much, and entries above 1. In float64, where
this exceeds 1e-11 since rows are very many bandwidths apart, distances below 1/64 of the length of the rows are
computed again from differences of the rows as they were given. Then the relative error of a squared distance is 4096
* 2 u sqrt(D), and an exponent that yields more than 1e-7 is at most 16.

**Error of a product.** Entries of float32 are summed over at most ``CELL`` columns in float32 and beyond in float64.
With entries and vectors rounded, |G v - computed| <= (sqrt(CELL) + 1) u |G| |v|, by the same analysis, and |G| |v|
has at most the norm of v times that of G, whose entries are not negative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsentropy._data.device_rows import PIECE, DeviceRows, pieces, uploaded
from dsentropy._operator.bandwidth import Bandwidth

if TYPE_CHECKING:
    import torch

CELL = 128
"""Columns over which a product is summed in the precision of a tile. Tiles have a multiple of rows and of columns."""

RECOMPUTED_FROM = 1e-11
"""The relative error of entries in float64 from which near pairs are computed again."""

_NEAR = 1 / 4096
"""The part of |y_i|^2 + |y_j|^2 up to which a squared distance is computed again."""

_SMALLEST_NORM = 1e-280
"""Sums of squared norms below this have lost digits to underflow."""

_RECOMPUTED_ERROR = 16 * 4096 * 2.0**-52
"""The relative error of entries with near pairs computed again, for one column."""

_LARGEST_FOLD = 2.0**400
"""The factor up to which rows are multiplied, so that no square overflows."""

_SMALLEST_QUOTIENT = 2.0**-1000
"""The smallest quotient of two bandwidths that is far from the end of the range."""

_EXPONENTIAL_ERRORS = {"mps": 5e-6}
"""The relative error of exponentials in float32 by the type of device; elsewhere they are within two units.

Metal allows 3 + 2 |x| units in its fast mode, of which x = -16 is taken: smaller entries are below 2e-7.
"""


@dataclass(frozen=True)
class Scaling:
    """How rows are centred and scaled for a bandwidth, in units of a power of two."""

    exponent: int
    """The binary exponent of the largest entry, by which entries are divided."""
    mean: torch.Tensor
    """A row [D] near the mean, in that unit."""
    fold: float
    """What centred rows are multiplied by."""
    factors: NDArray[np.float64] | None
    """Numbers [N] whose products multiply the exponents; None where they are 1."""
    longest: float
    """R^2, the largest squared norm of a row that is divided by the smallest bandwidth."""

    @classmethod
    def of(cls, rows: DeviceRows, bandwidth: Bandwidth, wide: torch.dtype) -> Scaling:
        """Scale rows for one bandwidth or one a row, positive, in the widest dtype of the device."""
        x = rows.tensor
        largest = max(abs(float(x.min())), abs(float(x.max())))
        exponent = math.frexp(largest)[1]
        mantissas, exponents = np.frexp(np.float64(math.sqrt(2.0)) * bandwidth)
        with np.errstate(over="ignore", under="ignore"):
            inverse = np.minimum(np.ldexp(1 / mantissas, exponent - exponents), np.finfo(np.float64).max)
        shortest, longest = float(np.max(inverse)), float(np.min(inverse))
        # Of bandwidths whose quotient is no number, the geometric mean keeps both in range.
        unit = shortest if longest >= shortest * _SMALLEST_QUOTIENT else math.sqrt(shortest) * math.sqrt(longest)
        fold = min(unit, _LARGEST_FOLD) or 1.0
        factors = np.broadcast_to(inverse / fold, (rows.n_samples,))
        total = sum(_in_unit(piece, exponent, wide).sum(dim=0) for piece in pieces(x))
        mean = total / rows.n_samples
        parts = [float(((_in_unit(piece, exponent, wide) - mean) ** 2).sum(dim=1).max()) for piece in pieces(x)]
        squared = max(parts) * shortest * shortest if max(parts) else 0.0
        return cls(exponent, mean, fold, None if (factors == 1).all() else factors, squared)

    @property
    def has_near_pairs(self) -> bool:
        """Return whether distances in float64 that cancel are computed again."""
        return self.entry_error(False, "cpu") > RECOMPUTED_FROM

    def entry_error(self, single: bool, device: str) -> float:
        """Return the relative error of an entry that is computed in float32 or float64."""
        unit = 2.0**-23 if single else 2.0**-52
        kind = device.partition(":")[0]
        exponential = _EXPONENTIAL_ERRORS.get(kind, 2 * unit) if single else 2 * unit
        return unit * (math.sqrt(len(self.mean)) + 4) * self.longest + exponential


@dataclass(frozen=True)
class Tiles:
    """The affinity of rows as tiles that are computed when they are needed."""

    scaled: torch.Tensor
    """The rows y [P, D], filled up with zeros to a multiple of ``CELL``."""
    squared_norms: torch.Tensor
    factors: torch.Tensor | None
    n_samples: int
    near: NearPairs | None
    """Pairs of near rows, where they are computed again."""
    error: float
    """The relative error of an entry."""

    @classmethod
    def of(cls, rows: DeviceRows, bandwidth: Bandwidth, scaling: Scaling, dtype: torch.dtype) -> Tiles:
        """Prepare rows in a precision."""
        import torch

        device, n = rows.device, rows.n_samples
        single, wide = dtype == torch.float32, scaling.mean.dtype
        scaled = torch.zeros(padded(n), rows.tensor.shape[1], dtype=dtype, device=device)
        squared_norms = torch.zeros(len(scaled), dtype=dtype, device=device)
        start = 0
        for piece in pieces(rows.tensor):
            end = start + len(piece)
            scaled[start:end] = (_in_unit(piece, scaling.exponent, wide) - scaling.mean) * scaling.fold
            # Norms are those of the rounded rows, so that equal rows have an affinity near 1.
            squared_norms[start:end] = (scaled[start:end].to(wide) ** 2).sum(dim=1)
            start = end
        factors = None
        if scaling.factors is not None:
            factors = torch.ones(len(scaled), dtype=dtype, device=device)
            factors[:n] = uploaded(scaling.factors, "cpu").to(dtype).to(device)
        if single or not scaling.has_near_pairs:
            return cls(scaled, squared_norms, factors, n, None, scaling.entry_error(single, device))
        near = NearPairs(rows.tensor, _roots(bandwidth, rows))
        return cls(scaled, squared_norms, factors, n, near, _RECOMPUTED_ERROR * math.sqrt(scaled.shape[1]))

    def tile(self, i: slice, j: slice) -> torch.Tensor:
        """Compute the affinities of rows to columns, at or right of the diagonal."""
        import torch

        left, right = self.scaled[i], self.scaled[j]
        tile = torch.addmm(-self.squared_norms[j], left, right.T, alpha=2.0).sub_(self.squared_norms[i, None])
        if self.near is not None:
            sums = self.squared_norms[i, None] + self.squared_norms[j]
            is_near = (-tile <= _NEAR * sums) | (sums < _SMALLEST_NORM)
            tile = self._multiplied(tile, i, j)
            self.near.compute_again(tile, is_near, i, j)
        else:
            tile = self._multiplied(tile, i, j)
        tile.exp_()
        if i == j:
            tile = torch.triu(tile, diagonal=1)
            tile = (tile + tile.T).fill_diagonal_(1.0)
        return tile

    def _multiplied(self, tile: torch.Tensor, i: slice, j: slice) -> torch.Tensor:
        """Multiply exponents by the factors of their row and column."""
        if self.factors is None:
            return tile
        if self.near is None:
            return tile.mul_(self.factors[i, None]).mul_(self.factors[j])
        # One factor may be as large as the other is small.
        return tile.mul_(self.factors[i, None] * self.factors[j])


@dataclass(frozen=True)
class NearPairs:
    """Rows as they were given, for distances of near ones."""

    rows: torch.Tensor
    roots: torch.Tensor
    """The root of sqrt(2) times the bandwidth: one number [1] or one a row [N]."""

    def compute_again(self, exponents: torch.Tensor, is_near: torch.Tensor, i: slice, j: slice) -> None:
        """Replace the exponents of near pairs by those of differences of rows."""
        import torch

        n = len(self.rows)
        is_near[max(n - i.start, 0) :] = False  # rows that fill up the last tile
        is_near[:, max(n - j.start, 0) :] = False
        several = len(self.roots) > 1
        for pairs in pieces(torch.nonzero(is_near), 2 * max(1, PIECE // self.rows.shape[1])):
            one, other = pairs[:, 0], pairs[:, 1]
            differences = self.rows[one + i.start].to(torch.float64) - self.rows[other + j.start].to(torch.float64)
            roots = self.roots[one + i.start, None] if several else self.roots
            others = self.roots[other + j.start, None] if several else self.roots
            exponents[one, other] = -((differences / roots / others) ** 2).sum(dim=1)


def padded(n: int) -> int:
    """Return a number of rows as a multiple of ``CELL``."""
    return -(-n // CELL) * CELL


def cell_products(tile: torch.Tensor, block: torch.Tensor) -> torch.Tensor:
    """Multiply a tile [r, c] with vectors [c, b], each ``CELL`` columns by themselves: [c / CELL, r, b]."""
    import torch

    columns = tile.shape[1]
    cells = tile.unflatten(1, (columns // CELL, CELL)).transpose(0, 1)
    return torch.bmm(cells, block.reshape(columns // CELL, CELL, block.shape[1]))


def dtype_of(single: bool) -> torch.dtype:
    """Return float32 or float64."""
    import torch

    return torch.float32 if single else torch.float64


def _in_unit(piece: torch.Tensor, exponent: int, dtype: torch.dtype) -> torch.Tensor:
    """Divide entries by a power of two, in two steps since it may be beyond the range of the dtype."""
    half = exponent // 2
    return piece.to(dtype) * 2.0**-half * 2.0 ** (half - exponent)


def _roots(bandwidth: Bandwidth, rows: DeviceRows) -> torch.Tensor:
    roots = np.sqrt(np.atleast_1d(np.asarray(bandwidth, dtype=np.float64))) * 2.0**0.25
    return uploaded(roots, rows.device)
