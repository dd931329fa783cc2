"""Surrogates of a data set: random data of its size that keep some of its statistics and nothing else.

With the mean row m and the singular value decomposition U S V' of the centred rows, a Gaussian surrogate is

    1 m' + Q S V',    Q [N, r] uniform among the orthonormal matrices whose columns sum to 0,

so its mean and covariance are those of the data. For rows that are normally distributed U is such a Q, independent of
m, S and V: data and surrogates are exchangeable. Q is a product of reflections of normal numbers (Stewart, SIAM J.
Numer. Anal. 17, 1980). Cost for each draw: 4 D (N r - r^2 / 2) flops for Q S V' and, where distances are enough,
2 N r^2 - 2/3 r^3 for Q S. Cost once: a singular value decomposition, N D min(N, D) flops and more; S alone are roots
of eigenvalues of the covariance.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows, as_rows
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_choice
from dsentropy._data.data import Data
from dsentropy._data.device_rows import AnyData

NullName: TypeAlias = Literal["gaussian", "permuted", "sphere"]
"""The surrogates that have a name."""

Null: TypeAlias = "NullName | Callable[[NDArray[Any], np.random.Generator], ArrayLike]"
"""Surrogates by name, or a callable of the rows and a generator that returns rows of the same shape."""

BASELINE_STREAM, SUGGESTION_STREAM, SURFACE_STREAM = 1, 2, 3
"""Streams of random numbers of the functions that draw surrogates: no draw of one is a draw of another."""


def as_null(value: Any, name: str = "null") -> Null:
    """Convert to the name of surrogates, or to a callable that makes them."""
    if callable(value):
        made: Null = value
        return made
    if not isinstance(value, str):
        kinds = "'gaussian', 'permuted' or 'sphere', or a callable of rows and a generator"
        raise TypeError(f"{name} must be {kinds}, got {printed(value)}")
    chosen: NullName = as_choice(value, name, "gaussian", "permuted", "sphere")
    return chosen


def null_name(null: Null) -> str:
    """Return the name of surrogates: of a callable its own."""
    return null if isinstance(null, str) else str(getattr(null, "__name__", type(null).__name__))


_LARGEST_EXPONENT = 1000
"""Exponents up to here are those of powers of two that are normal numbers of float64."""

_LABELS = {
    "gaussian": "normal noise of equal covariance",
    "permuted": "columns shuffled",
    "sphere": "noise on a sphere",
}


def null_label(name: str) -> str:
    """Return what legends call surrogates of a name; those that a callable makes have no other."""
    return _LABELS.get(name, name)


def require_rows(data: AnyData) -> None:
    """Raise a ValueError where the data are pairs, of which there are no surrogates."""
    if data.metric in ("precomputed", "affinity"):
        raise ValueError(
            "metric must be 'euclidean' or 'cosine' where a null is drawn, as surrogates are made of rows, "
            f"got {data.metric!r}"
        )


def fixed_seed(seed: int | None) -> int:
    """Return a seed of draws that are made more than once: a fresh one where none was given."""
    return np.random.SeedSequence().entropy if seed is None else seed  # type: ignore[return-value]


class Surrogates:
    """Surrogates of a data set, each determined by the seed, the stream and its number."""

    def __init__(self, data: Data, null: Null, seed: int, stream: int, num_threads: int | None = None) -> None:
        require_rows(data)
        self._data, self._null, self._threads = data, null, num_threads
        self._seed = [abs(seed), int(seed < 0), stream]
        self._given: Rows = data.given
        largest = float(np.abs(self._given).max())
        self._exponent = int(np.frexp(largest)[1])

    def draw(self, number: int, *, columns: bool = True) -> Data:
        """Return the surrogate of a number.

        Parameters
        ----------
        number : int
            At least 0.
        columns : bool
            Whether the columns must be those of the data. Otherwise rows under Euclidean distances may be given by
            fewer coordinates, which have the same distances.
        """
        rng = np.random.default_rng([*self._seed, number])
        rows = self._rows(rng, columns or self._data.metric == "cosine")
        if self._data.metric == "cosine":
            require_directions(np.any(rows, axis=1), number)
        return Data.of(rows, self._data.metric, self._data.argument)

    def _rows(self, rng: np.random.Generator, columns: bool) -> Rows:
        if callable(self._null):
            return self._of_callable(self._null, rng)
        if self._null == "permuted":
            permuted: Rows = rng.permuted(self._given, axis=0)
            return permuted
        make = self._sphere if self._null == "sphere" else self._gaussian
        with np.errstate(over="ignore", under="ignore"):
            made = _scaled_up(make(rng, columns), self._exponent)
            rows: Rows = made.astype(np.float32) if self._given.dtype == np.float32 else made
        if not np.isfinite(rows).all():
            raise ValueError(f"X must be so small that its surrogates are finite in {rows.dtype}: scale X")
        return rows

    def _of_callable(self, null: Callable[..., Any], rng: np.random.Generator) -> Rows:
        view = self._given.view()
        view.setflags(write=False)
        rows = as_rows(null(view, rng), "null(X, rng)")
        if rows.shape != self._given.shape:
            raise ValueError(f"null(X, rng) must have the shape of X, {self._given.shape}, got {rows.shape}")
        if self._given.dtype == np.float32:
            return rows.astype(np.float32)
        return rows.astype(np.float64, copy=False)

    def _sphere(self, rng: np.random.Generator, _: bool) -> NDArray[np.float64]:
        """Make rows uniform on the sphere around 0 whose radius is the mean norm of the rows."""
        normal = rng.normal(size=self._given.shape)
        radius = np.linalg.norm(self._scaled, axis=1).mean()
        rows: NDArray[np.float64] = normal * (radius / np.linalg.norm(normal, axis=1, keepdims=True))
        return rows

    def _gaussian(self, rng: np.random.Generator, columns: bool) -> NDArray[np.float64]:
        n = len(self._given)
        if not columns:
            values = self._singular_values
            return centred_product(n, values, rng, self._threads) if len(values) else np.zeros((n, 1))
        mean, axes = self._mean_and_axes
        made: NDArray[np.float64] = mean + centred_product(n, axes, rng, self._threads)
        return made

    @property
    def _scaled(self) -> NDArray[np.float64]:
        """The rows, divided by a power of two, so that no square over- or underflows."""
        scaled: NDArray[np.float64] = np.ldexp(self._given.astype(np.float64), -self._exponent)
        return scaled

    @cached_property
    def _singular_values(self) -> NDArray[np.float64]:
        """The singular values of the centred rows whose squares are not rounding, the largest first."""
        n = len(self._given)
        squares = np.sort(_core.covariance_eigenvalues(self._scaled, True, self._threads))[::-1] * max(n - 1, 1)
        kept = squares[: n - 1] > max(self._given.shape) * np.finfo(np.float64).eps * squares[0]
        values: NDArray[np.float64] = np.sqrt(squares[: n - 1][kept])
        return values

    @cached_property
    def _mean_and_axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The mean row [D], and S V' [r, D]."""
        rows = self._scaled
        mean = rows.mean(axis=0)
        _, values, vectors = np.linalg.svd(rows - mean, full_matrices=False)
        values = _without_rounding(values, rows)
        return mean, values[:, None] * vectors[: len(values)]


def _scaled_up(rows: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    """Multiply rows by a power of two, in place where it is a number of float64."""
    if abs(exponent) > _LARGEST_EXPONENT:
        return np.ldexp(rows, exponent)
    rows *= 2.0**exponent
    return rows


def require_directions(has_one: NDArray[np.bool_], number: int) -> None:
    """Raise a ValueError where a row of the draw of a number is zero, which has no direction."""
    if not has_one.all():
        raise ValueError(
            f"null must make no zero row where metric is 'cosine', got zeros in row {has_one.argmin()} of draw "
            f"{number}: use another null, or metric='euclidean'"
        )


def _without_rounding(values: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop singular values of centred rows that rounding explains, and what is beyond the rank N - 1."""
    least = np.abs(rows).max() * max(rows.shape) * np.finfo(np.float64).eps
    most = len(rows) - 1
    kept: NDArray[np.float64] = values[:most][values[:most] > least]
    return kept


def centred_product(
    n: int, axes: NDArray[np.float64], rng: np.random.Generator, num_threads: int | None = None
) -> NDArray[np.float64]:
    """Compute Q A, with Q uniform among the [n, r] with orthonormal columns that sum to 0; r < n.

    Axes are A [r, D], or the diagonal of a square A.
    """
    r = len(axes)
    return _core.haar_product(n, rng.standard_normal(r * (n - 1) - r * (r - 1) // 2), axes, num_threads)
