"""Distances of rows on a device in float64, with relative errors near 1e-12, and two rules that need some of them.

A matrix product gives ``|x|^2 + |y|^2 - 2 <x, y>`` of centred rows, with an error of at most::

    (D + 8) 2^-53 (|x| + |y|)^2

(Higham, "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1). So each distance is between two
bounds. Distances that cancel, or that bounds do not decide on, are computed again as the norms of differences.
float64 obeys no setting of PyTorch, such as TensorFloat32 or autocast. Cost: 2 N^2 D flops, and N^2 comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

RECOMPUTE_BELOW = 1 / 4096
"""Squares of distances below this part of ``|x|^2 + |y|^2`` are computed again, as by the core."""

TILE_ENTRIES = 2**25
"""Numbers of a tile, and of the differences that are formed at once."""

_RELATIVE_ERROR = 2.0**-36
"""Part of a distance up to which another one is as near."""


@dataclass(frozen=True, eq=False)
class DevicePoints:
    """Rows on a device, in units of a power of two, so that no square overflows."""

    rows: torch.Tensor
    """The rows [N, D] in float64."""
    centred: torch.Tensor
    """The rows less their mean."""
    squares: torch.Tensor
    """The squared norms of centred rows."""
    exponent: int
    """The binary exponent of the unit."""

    @classmethod
    def of(cls, tensor: torch.Tensor) -> DevicePoints:
        """Prepare rows [N, D] that are finite."""
        import torch

        exponent = int(np.frexp(largest_modulus(tensor))[1])
        half = -exponent // 2  # 2^-exponent itself may be infinite
        rows = tensor.to(torch.float64) * math.ldexp(1.0, half) * math.ldexp(1.0, -exponent - half)
        centred = rows - rows.mean(dim=0)
        return cls(rows, centred, (centred * centred).sum(dim=1), exponent)

    def __len__(self) -> int:
        return len(self.rows)

    def given(self, number: float) -> float:
        """Return a length in units of the data."""
        return math.ldexp(number, self.exponent)

    def products(self, part: slice) -> torch.Tensor:
        """Return squares of distances [m, N] of some rows from all, by a matrix product, with rounding errors."""
        inner = self.centred[part] @ self.centred.T
        return inner.mul_(-2).add_(self.squares[part, None]).add_(self.squares)

    def errors(self, part: slice) -> torch.Tensor:
        """Return upper bounds [m, N] of the errors of :meth:`products`."""
        norms = self.squares.sqrt()
        return (norms[part, None] + norms).square_().mul_((self.rows.shape[1] + 8) * 2.0**-53)

    def squared_distances(self, part: slice) -> torch.Tensor:
        """Return squares of distances [m, N] of some rows from all, in the square of the unit."""
        import torch

        found = self.products(part)
        cancels = found < RECOMPUTE_BELOW * (self.squares[part, None] + self.squares)
        one, other = torch.nonzero(cancels, as_tuple=True)
        found[one, other] = self.distances(one + (part.start or 0), other).square_()
        return found

    def distances(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return the distances of pairs of rows, by their numbers, as norms of differences.

        Differences are divided by the largest, so that no square underflows.
        """
        import torch

        found = torch.empty(len(one), dtype=torch.float64, device=self.rows.device)
        step = max(1, TILE_ENTRIES // self.rows.shape[1])
        for start in range(0, len(one), step):
            part = slice(start, start + step)
            found[part] = _norms(self.rows[one[part]] - self.rows[other[part]])
        return found

    def parts(self) -> Iterator[slice]:
        """Yield all rows in order, as many at once as a tile has room for."""
        step = max(1, TILE_ENTRIES // len(self))
        for start in range(0, len(self), step):
            yield slice(start, min(start + step, len(self)))


def largest_modulus(tensor: torch.Tensor) -> float:
    """Return the largest modulus of an entry."""
    import torch

    smallest, largest = map(float, torch.aminmax(tensor))
    return max(-smallest, largest)


def _norms(differences: torch.Tensor) -> torch.Tensor:
    largest = differences.abs().amax(dim=1)
    unit = largest.masked_fill(largest == 0, 1.0)
    return (differences / unit[:, None]).square_().sum(dim=1).sqrt_().mul_(unit)


def median_bytes(n: int, d: int) -> int:
    """Return the bytes that :func:`median_distance` takes on the device, besides the rows."""
    return 8 * (3 * n * d + 10 * n * n + TILE_ENTRIES)


def neighbor_bytes(n: int, d: int) -> int:
    """Return the bytes that :func:`neighbor_distances` takes on the device, besides the rows."""
    return 8 * (3 * n * d + 8 * TILE_ENTRIES)


def median_distance(tensor: torch.Tensor) -> float:
    """Compute the median of the positive distances of all pairs of rows, or 0 where there are none.

    The numbers that lie between the bounds of the median are computed again.
    """
    import torch

    points = DevicePoints.of(tensor)
    whole = slice(0, len(points))
    one, other = torch.triu_indices(len(points), len(points), 1, device=tensor.device)
    squares, errors = points.products(whole)[one, other], points.errors(whole)[one, other]
    lower, upper = (squares - errors).clamp_(min=0).sqrt_(), (squares + errors).clamp_(min=0).sqrt_()
    near = lower == 0
    lower[near] = upper[near] = points.distances(one[near], other[near])
    is_positive = upper > 0
    one, other, lower, upper = (numbers[is_positive] for numbers in (one, other, lower, upper))
    if not len(one):
        return 0.0
    first, last = (len(one) - 1) // 2, len(one) // 2
    least, most = lower.sort().values[first], upper.sort().values[last]
    may_be = (lower <= most) & (upper >= least)
    upper[may_be] = points.distances(one[may_be], other[may_be])
    ordered = upper.sort().values
    return points.given((float(ordered[first]) + float(ordered[last])) / 2)


def neighbor_distances(tensor: torch.Tensor, n_neighbors: int) -> NDArray[np.float64]:
    """Compute the distance of each row to its ``n_neighbors``-th nearest other row; ``n_neighbors`` is below N.

    Candidates are the rows with the smallest lower bounds. Where the distance that is found is above the lower bounds
    of others by more than rounding, it is found among all rows whose lower bound is not above it.
    """
    import torch

    points = DevicePoints.of(tensor)
    candidates = min(len(points) - 1, 2 * n_neighbors + 16)
    found = torch.empty(len(points), dtype=torch.float64, device=tensor.device)
    for part in points.parts():
        numbers = torch.arange(part.start, part.stop, device=tensor.device)
        bounds = points.products(part).sub_(points.errors(part))
        bounds[numbers - part.start, numbers] = torch.inf
        nearest = bounds.topk(candidates, dim=1, largest=False)
        pairs = numbers[:, None].expand_as(nearest.indices).reshape(-1), nearest.indices.reshape(-1)
        distances = points.distances(*pairs).reshape(nearest.indices.shape)
        of_part = distances.sort(dim=1).values[:, n_neighbors - 1]
        others = nearest.values.amax(dim=1)
        others = (
            others.masked_fill(of_part == 0, torch.inf)
            if candidates < len(points) - 1
            else torch.full_like(others, torch.inf)
        )
        open_rows = torch.nonzero(of_part.square() > others * (1 + _RELATIVE_ERROR))[:, 0]
        if len(open_rows):
            of_part[open_rows] = _among_all(points, bounds, part.start, open_rows, of_part[open_rows], n_neighbors)
        found[part] = of_part
    in_units: NDArray[np.float64] = found.cpu().numpy()
    return np.ldexp(in_units, points.exponent)


def _among_all(
    points: DevicePoints,
    bounds: torch.Tensor,
    first: int,
    rows: torch.Tensor,
    at_most: torch.Tensor,
    n_neighbors: int,
) -> torch.Tensor:
    """Return the distances to the neighbour of a number of those rows of a tile, which are not above ``at_most``.

    Parameters
    ----------
    points : DevicePoints
        All rows.
    bounds : tensor of shape (m, N)
        Lower bounds of squares of distances of the rows of the tile, which begins at row ``first``.
    rows : tensor of shape (r,)
        Rows of the tile.
    at_most : tensor of shape (r,)
        Upper bounds of the distances that are sought.
    n_neighbors : int
        The number of the neighbour.
    """
    may_be = bounds[rows] <= at_most.square()[:, None] * (1 + _RELATIVE_ERROR)
    row, other = may_be.nonzero(as_tuple=True)
    distances = points.distances(rows[row] + first, other)
    order = distances.argsort()
    order = order[row[order].argsort(stable=True)]  # by row, and by distance within each
    counts = may_be.sum(dim=1)
    return distances[order[counts.cumsum(dim=0) - counts + n_neighbors - 1]]
