"""Rows of a layer that are measured: one random subset for each number of rows, and the faults of an array.

The subset depends on the seed and the number of rows alone, so that it is the same at every step and in every layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.pairs import F64_ROUNDOFF, unit_roundoff
from dsentropy._data.subsets import draw

_COLLAPSED = 4
"""Largest distance of an entry from the first one of its column, in units of roundoff of the largest entry, that
rounding explains: one of each of the two, and as much again of the computation that gave them."""


@dataclass(frozen=True)
class Layer:
    """Rows of one layer, copied, or the reason for which there are none."""

    name: str
    depth: int
    rows: NDArray[Any] | None
    n: int
    n_all: int | None
    d: int | None
    fault: str | None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a record that are of the layer."""
        return {"layer": self.name, **{name: getattr(self, name) for name in ("depth", "n", "n_all", "d")}}


class RowSubsets:
    """Random subsets of at most ``max_samples`` rows, one for each number of rows."""

    def __init__(self, max_samples: int | None, seed: int) -> None:
        self._max_samples, self._seed = max_samples, seed
        self._chosen: dict[int, NDArray[np.intp]] = {}
        self._digests: dict[int, str] = {}

    def of(self, n: int) -> NDArray[np.intp]:
        """Return the numbers of the rows that are used of n, ascending."""
        if n not in self._chosen:
            size = n if self._max_samples is None else min(n, self._max_samples)
            self._chosen[n] = np.arange(n) if size == n else np.sort(draw(n, size, self._seed)).astype(np.intp)
        return self._chosen[n]

    def digest(self, n: int) -> str:
        """Return a digest of the number of rows, and of those that are used."""
        if n not in self._digests:
            import hashlib  # not loaded by NumPy

            sha = hashlib.sha256(f"{n}:".encode() + self.of(n).astype("<i8").tobytes())
            self._digests[n] = sha.hexdigest()[:16]
        return self._digests[n]

    def layer(self, name: str, depth: int, value: Any, expected: int | None) -> Layer:
        """Copy the rows that are used of an array with one row an item; further axes are flattened.

        Parameters
        ----------
        name : str
            The name of the layer.
        depth : int
            Its place among the layers.
        value : array_like
            Its activations.
        expected : int or None
            The number of rows that it had before; None where there was none.
        """
        try:
            array = as_array(value, name)
            if array.dtype.kind not in "fiub" or array.ndim == 0:
                raise TypeError(
                    f"{name} must be an array of real numbers, got dtype {array.dtype}, ndim {array.ndim}"
                )
            n_all, d = len(array), int(np.prod(array.shape[1:], dtype=np.int64))
            chosen = self.of(n_all)
            if expected not in (None, n_all):
                return Layer(name, depth, None, len(chosen), n_all, d, _changed(name, n_all, expected))
            rows = array[chosen].reshape(len(chosen), d)
            fault = _fault(rows, chosen, name, _roundoff(value, array))
        except Exception as error:  # whatever the array's methods raise
            return Layer(name, depth, None, 0, None, None, f"{type(error).__name__}: {error}")
        return Layer(name, depth, rows, len(chosen), n_all, d, fault)


def _roundoff(value: Any, array: NDArray[Any]) -> float:
    """Return the unit roundoff of the dtype that was given, which may be narrower than that of the array."""
    return max(unit_roundoff(value if hasattr(value, "dtype") else array), F64_ROUNDOFF)


def _changed(name: str, n: int, expected: int | None) -> str:
    return (
        f"{name} must have as many rows at every step, {expected}, got {n}: the rows of two steps are not the same "
        "items, and an entropy depends on their number"
    )


def _fault(rows: NDArray[Any], chosen: NDArray[np.intp], name: str, roundoff: float) -> str | None:
    """Return why no entropy can be had of some rows: there are none, they are not finite, or they are equal."""
    if rows.size == 0:
        return f"{name} must have at least one row and one column, got shape {rows.shape}"
    finite = np.isfinite(rows)
    if not finite.all():
        i, j = np.argwhere(~finite)[0]
        count = rows.size - int(finite.sum())
        return (
            f"{name} must be finite, got {count} entries of {rows.size} that are not, the first {rows[i, j]} in row "
            f"{chosen[i]}, column {j}"
        )
    if len(rows) == 1:
        return f"{name} must have at least two rows, got 1"
    return collapsed(name) if _is_collapsed(rows, roundoff) else None


def _is_collapsed(rows: NDArray[Any], roundoff: float) -> bool:
    with np.errstate(over="ignore"):  # of long double
        wide = rows.astype(np.float64)
    largest = np.abs(wide).max()
    if not np.isfinite(largest):
        return False
    wide /= largest or 1.0
    return bool(np.abs(wide - wide[0]).max() <= _COLLAPSED * roundoff)


def collapsed(name: str) -> str:
    """Return the reason of a layer whose rows are all equal."""
    return f"{name} is collapsed: no two rows differ by more than the rounding of their dtype"
