"""Matrices of all pairs of rows: kernels, distances and affinities, checked and repaired.

Entries are rounded to the dtype in which they are given, of unit roundoff u. What that explains is repaired in a
copy, and what it does not explain is an error. With m the largest modulus of an entry::

    |G_ij - G_ji| <= sqrt(2 u) m       the entry above the diagonal counts
    d_ij >= -sqrt(2 u) m               a distance is clipped to 0
    |d_ii| <= 8 sqrt(2 u) m            the diagonal of distances is set to 0
    G_ij >= -32 u m                    an affinity is clipped to 0

The square of a distance ``|x|^2 + |y|^2 - 2 x.y`` is off by a few ``u |x|^2``, so the distance itself by the root.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.arrays import Rows, as_rows
from dsentropy._checks.conversion import as_array

F64_ROUNDOFF = 2.0**-53
"""The unit roundoff of float64."""

F32_ROUNDOFF = 2.0**-24
"""The unit roundoff of float32."""

CLIP = "clip what is noise to 0, or give the numbers in the dtype in which they were computed"
"""The way out where rounding of the given dtype does not explain a negative number."""

DIAGONAL = 8
"""How much farther than other entries the diagonal of distances may be off: it is that of the longest rows."""

_ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": F32_ROUNDOFF}
"""Unit roundoff by the name of a dtype that has less than float64."""

_SUBNORMAL = {_ROUNDOFF["float16"]: 2.0**-24, _ROUNDOFF["bfloat16"]: 2.0**-133, F32_ROUNDOFF: 2.0**-149}
"""The distance between subnormal numbers of a dtype, by its unit roundoff."""


@dataclass(frozen=True)
class Pairs:
    """A checked matrix of all pairs."""

    matrix: Rows
    """The matrix with what rounding explains repaired."""
    given: Rows
    """The matrix before that; the same array where nothing was repaired."""
    unit_roundoff: float
    """The unit roundoff of the dtype in which entries were given; of a kernel, what rounds them as a whole."""


def unit_roundoff(value: Any) -> float:
    """Return the unit roundoff of the dtype that an argument has; 0 of integers and booleans, which are exact."""
    given = getattr(value, "dtype", None)
    dtype = as_array(value, "value").dtype if given is None else given
    name = str(getattr(dtype, "name", dtype)).removeprefix("torch.")
    if name.startswith(("int", "uint", "bool")):
        return 0.0
    return _ROUNDOFF.get(name, F64_ROUNDOFF)


def relative_roundoff(u: float, entries: NDArray[Any]) -> float:
    """Return the norm of the rounding of entries over their own, which is larger than u for subnormal entries."""
    spacing = _SUBNORMAL.get(u, 0.0)
    if not spacing or not entries.any():
        return u
    largest = largest_modulus(entries)
    together = float(np.sqrt(entries.size)) * (spacing / 2 / largest)
    if together <= u:  # the norm of entries is at least the largest
        return u
    return min(max(u, together / float(np.linalg.norm(entries / largest))), 1.0)


def as_pairs(value: Any, name: str) -> Pairs:
    """Convert to a finite, real array of shape (N, N) that is symmetric up to the rounding of its dtype."""
    matrix, u, _ = _symmetric(value, name)
    return Pairs(matrix, matrix, relative_roundoff(u, matrix))


def as_distances(value: Any, name: str) -> Pairs:
    """Convert to a symmetric matrix of distances: not negative, with zeros on the diagonal."""
    matrix, u, is_symmetric = _symmetric(value, name)
    allowed = distance_rounding(u, largest_modulus(matrix))
    diagonal = matrix.diagonal()
    if diagonal.min() > DIAGONAL * allowed and diagonal.max() >= matrix.max():
        raise ValueError(
            f"{name} must have distances, with zeros on its diagonal, got its largest entries there, as similarities "
            "have: diffusion_spectrum takes those that are not negative with metric='affinity'"
        )
    refuse_negative(matrix, allowed, name)
    i = int(np.abs(diagonal).argmax())
    if abs(diagonal[i]) > DIAGONAL * allowed:
        raise ValueError(
            f"{name} must have zeros on its diagonal, got {diagonal[i]} in row {i}, and rounding explains "
            f"{DIAGONAL * allowed:.2g}: np.fill_diagonal({name}, 0) sets them"
        )
    if is_symmetric and matrix.min() >= 0 and not diagonal.any():
        return Pairs(matrix, matrix, u)
    repaired = _repaired(matrix)
    np.fill_diagonal(repaired, 0)
    return Pairs(repaired, matrix, u)


def as_affinities(value: Any, name: str) -> Pairs:
    """Convert to a symmetric matrix of affinities: not negative, with a positive entry in each row."""
    matrix, u, is_symmetric = _symmetric(value, name)
    refuse_negative(matrix, affinity_rounding(u, largest_modulus(matrix)), name)
    repaired = matrix if is_symmetric and matrix.min() >= 0 else _repaired(matrix)
    require_no_zero_row(repaired, name)
    return Pairs(repaired, matrix, u)


def distance_rounding(u: float, largest: float) -> float:
    """Return how far below 0 rounding may move a distance; the diagonal may be off by eight times that."""
    return float(np.sqrt(2 * u)) * largest


def affinity_rounding(u: float, largest: float) -> float:
    """Return how far below 0 rounding may move an affinity, which is a sum of products."""
    return 32 * u * largest


def refuse_negative(matrix: Rows, allowed: float, name: str) -> None:
    """Raise where an entry is below 0 by more than ``allowed``."""
    if matrix.min() < -allowed:
        i, j = np.unravel_index(matrix.argmin(), matrix.shape)
        raise ValueError(negative_text(name, matrix[i, j], int(i), int(j), allowed))


def negative_text(name: str, value: float, row: int, column: int, allowed: float) -> str:
    """Return the text of the error for a negative entry."""
    explained = f", and rounding explains {-allowed:.2g}" if allowed else ""
    place = f"in row {row}, column {column}"
    return f"{name} must not be negative, got {value} {place}{explained}: {CLIP}"


def require_no_zero_row(matrix: Rows, name: str, where: str = "") -> None:
    """Raise where a row of affinities has no positive entry; ``where`` is put into the error's text."""
    zero = ~matrix.any(axis=1)
    if zero.any():
        raise ValueError(f"{name} must have a positive entry in each row{where}, got zeros in row {zero.argmax()}")


def largest_modulus(matrix: NDArray[Any]) -> float:
    """Return the largest modulus of an entry."""
    return max(-float(matrix.min()), float(matrix.max()))


def _symmetric(value: Any, name: str) -> tuple[Rows, float, bool]:
    """Return a checked matrix, the unit roundoff of its dtype, and whether it is exactly symmetric."""
    matrix = as_rows(value, name, pairs=True)
    n = len(matrix)
    if matrix.shape != (n, n):
        raise ValueError(f"{name} must be square, got shape {matrix.shape}")
    u = unit_roundoff(value)
    tolerance = np.sqrt(2 * u) * largest_modulus(matrix)
    step, is_symmetric = max(1, 2**20 // n), True
    for start in range(0, n, step):
        with np.errstate(over="ignore"):
            difference = np.abs(matrix[start : start + step] - matrix[:, start : start + step].T)
        if difference.max() > tolerance:
            i, j = np.unravel_index(difference.argmax(), difference.shape)
            one, other = matrix[start + i, j], matrix[j, start + i]
            raise ValueError(
                f"{name} must be symmetric, got {one} and {other} for rows {start + i} and {j}: "
                f"({name} + {name}.T) / 2 is"
            )
        is_symmetric = is_symmetric and not difference.any()
    return matrix, u, is_symmetric


def _repaired(matrix: Rows) -> Rows:
    """Return a copy without negative entries, in which those above the diagonal count below it too."""
    below = np.tri(len(matrix), k=-1, dtype=bool)
    repaired: Rows = np.where(below, matrix.T, matrix)
    np.maximum(repaired, 0, out=repaired)
    return repaired
