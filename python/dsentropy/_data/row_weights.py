"""Weights of rows: row i counts as w_i rows.

A row that occurs m times gives the eigenvalues of one row of the weight m, and m - 1 zeros. So the eigenvalues of all
copies of a positive semi-definite kernel K are those of ``W^1/2 K W^1/2``, with W the diagonal matrix of the weights,
and zeros: with E the matrix [copies, N] that repeats rows, ``E K E'`` and ``(E'E)^1/2 K (E'E)^1/2`` have the same
nonzero eigenvalues, and ``E'E = W``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.conversion import as_array, as_product
from dsentropy._checks.entries import place
from dsentropy._checks.printing import printed

_MAX_RATIO = 1e100
"""How much larger than another a weight may be, so that products of two are in the range of float64."""


def as_row_weights(value: Any, n: int) -> NDArray[np.float64] | None:
    """Convert ``weights`` to one positive, finite number for each of n rows; None is returned as it is."""
    if value is None:
        return None
    numbers = as_array(value, "weights")
    if numbers.dtype.kind not in "fiu":
        raise TypeError(f"weights must be numbers, one for each of {n} rows, got dtype {numbers.dtype}")
    if numbers.shape != (n,):
        raise ValueError(f"weights must be one number for each of {n} rows, got shape {numbers.shape}")
    with np.errstate(over="ignore"):  # of long double
        weights = numbers.astype(np.float64)
    wrong = ~(np.isfinite(weights) & (weights > 0))
    if wrong.any():
        row = int(wrong.argmax())
        way = ": leave out rows that do not count, X[weights > 0]" if weights[row] == 0 else ""
        raise ValueError(
            f"weights must be positive and finite, got {printed(numbers[row])} in {place(value, (row,))}{way}"
        )
    if weights.max() / _MAX_RATIO > weights.min():
        raise ValueError(
            f"weights must not differ by more than a factor of {_MAX_RATIO:g}, got {weights.min():g} and "
            f"{weights.max():g}"
        )
    return weights


def in_unit(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide weights by a power of two near the largest, for operators that do not depend on their scale."""
    return np.ldexp(weights, -int(np.frexp(weights.max())[1]))


def weighted_matrix(K: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``W^1/2 K W^1/2`` in float64, symmetric to the bit where K is."""
    roots = np.sqrt(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        weighted: NDArray[np.float64] = K * np.outer(roots, roots)
    if not np.isfinite(weighted).all():
        raise ValueError(
            f"weights must leave the weighted K in the range of float64, got {weights.max():g} beside entries up to "
            f"{np.abs(K).max():g}: weights / weights.max() has the same entropies"
        )
    return weighted


@dataclass(frozen=True)
class WeightedMultiplier:
    """An object that multiplies by ``W^1/2 K W^1/2``, made of one that multiplies by K."""

    operator: Any
    weights: NDArray[np.float64]

    @property
    def shape(self) -> Any:
        """The shape of the operator."""
        return self.operator.shape

    @property
    def dtype(self) -> Any:
        """The dtype of the operator, None where it has none."""
        return getattr(self.operator, "dtype", None)

    @property
    def rounding(self) -> Any:
        """The relative error of products that the operator states, None where it states none."""
        return getattr(self.operator, "rounding", None)

    @property
    def positive_semidefinite(self) -> Any:
        """Whether the operator states that no eigenvalue is negative, None where it states nothing."""
        return getattr(self.operator, "positive_semidefinite", None)

    def matmat(self, vectors: NDArray[np.float64]) -> NDArray[Any]:
        """Multiply a block of vectors [N, b]. The dtype of products, which says how far they are rounded, is kept."""
        roots = np.sqrt(self.weights)[:, None]
        found = as_product(self.operator.matmat(roots * vectors), "K")
        return (found * roots).astype(found.dtype) if found.shape == vectors.shape else found
