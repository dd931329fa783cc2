"""Arrays as arguments: rows of data, matrices of pairs, and forms of an array that leave its values as they are.

A form changes the layout (order, strides, alignment, byte order) or the container (subclass, list, table, object with
``__array__``). Every function must give the value of the plain array, or refuse the form by name.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Plain(np.ndarray[Any, Any]):
    """A subclass of an array that changes nothing."""


class Holder:
    """An object that is converted by ``__array__``."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.array, dtype=dtype)


class Interface:
    """An object that is converted by ``__array_interface__``."""

    def __init__(self, array: Any) -> None:
        self.array = np.ascontiguousarray(array)
        self.__array_interface__ = self.array.__array_interface__


def generator(draw: random.Random) -> np.random.Generator:
    """Return a generator of arrays whose seed is drawn."""
    return np.random.default_rng(draw.getrandbits(64))


def n_rows(draw: random.Random) -> int:
    """Draw a number of rows: few, mostly, which reach each path of small data; some of the blocked paths."""
    if draw.random() < 0.15:
        return draw.randint(1, 5)
    return draw.choice([200, 400]) if draw.random() < 0.1 else draw.randint(6, 60)


def rows(draw: random.Random, n: int | None = None) -> Floats:
    """Draw rows of data: spread, clusters, duplicates, integers, low rank, wide or narrow ranges."""
    rng, n = generator(draw), n_rows(draw) if n is None else n
    X = rng.normal(size=(n, draw.choice([1, 2, 3, 5, 12, 70])))
    kind = draw.randrange(12)
    if kind == 0:
        X += 20 * rng.integers(0, 3, size=(n, 1))
    elif kind == 1:
        X = X[rng.integers(0, max(1, n // 3), size=n)]
    elif kind == 2:
        X = rng.integers(-3, 4, size=X.shape).astype(float)
    elif kind == 3:
        X = X[:, :1] * rng.normal(size=X.shape[1])
    elif kind == 4:
        X[:, 0] = draw.choice([0.0, 1.0, 1e6])
    elif kind == 5:
        X = X * 10.0 ** draw.choice([-160, -30, -8, 8, 30, 150])
    elif kind == 6:
        X += 10.0 ** draw.choice([3, 6, 9])
    elif kind == 7:
        X[:] = X[0]
    elif kind == 8:
        X[draw.randrange(n)] *= 1e5
    elif kind == 9:
        X = X.astype(np.float32).astype(np.float64)
    return X


def well_scaled(draw: random.Random) -> Floats:
    """Draw rows without duplicates, of usual size, for which permutations change values by rounding only."""
    rng = generator(draw)
    return rng.normal(size=(draw.randint(5, 80), draw.choice([2, 3, 8]))) * draw.choice([0.3, 1.0, 4.0])


def distances(X: Floats) -> Floats:
    """Return the Euclidean distances of rows."""
    with np.errstate(all="ignore"):
        roots: Floats = np.sqrt(((X[:, None] - X) ** 2).sum(axis=-1))
    return roots


def affinities(X: Floats) -> Floats:
    """Return the Gaussian affinities of rows at the bandwidth 1."""
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.exp(-(distances(X) ** 2) / 2))


def gram(X: Floats) -> Floats:
    """Return the products of rows, a positive semi-definite matrix."""
    scaled: Floats = X / (np.abs(X).max(initial=0) or 1)
    products: Floats = scaled @ scaled.T
    return products


def _strided(X: Any) -> Any:
    wide = np.zeros((2 * X.shape[0], *(2 * n for n in X.shape[1:])), dtype=X.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in X.shape)]
    view[...] = X
    return view


def _unaligned(X: Any) -> Any:
    buffer = np.zeros(X.nbytes + 1, dtype=np.uint8)[1:]
    view = buffer.view(X.dtype).reshape(X.shape)
    view[...] = X
    return view


def _read_only(X: Any) -> Any:
    copy = X.copy()
    copy.flags.writeable = False
    return copy


def _table(X: Any) -> Any:
    import pandas

    return pandas.DataFrame(X) if X.ndim == 2 else pandas.Series(X) if X.ndim == 1 else X


def _sparse(X: Any) -> Any:
    import scipy.sparse

    return scipy.sparse.csr_array(X) if X.ndim == 2 else X


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "fortran": np.asfortranarray,
    "strided": _strided,
    "reversed": lambda X: X[::-1].copy()[::-1],
    "read-only": _read_only,
    "unaligned": _unaligned,
    "byte-swapped": lambda X: X.astype(X.dtype.newbyteorder()),
    "subclass": lambda X: X.view(Plain),
    "masked": np.ma.masked_array,
    "memory map": lambda X: np.asarray(np.ascontiguousarray(X).data),
}
"""Arrays in another layout, or of a subclass."""

CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "list": lambda X: X.tolist(),
    "tuple": lambda X: tuple(map(tuple, X.tolist())) if X.ndim == 2 else tuple(X.tolist()),
    "list of arrays": list,
    "table": _table,
    "objects": lambda X: X.astype(object),
    "holder": Holder,
    "interface": Interface,
    "memoryview": lambda X: np.ascontiguousarray(X).data,
    "longdouble": lambda X: X.astype(np.longdouble),
}
"""Other objects that hold the same numbers."""

FORMS = {**LAYOUTS, **CONTAINERS}


def float32_values(X: Floats) -> bool:
    """Return whether float32 holds all values exactly."""
    with np.errstate(all="ignore"):
        return bool((X.astype(np.float32) == X).all())


def narrowed(draw: random.Random, X: Floats) -> Any:
    """Return an array in another dtype of numbers, which may round."""
    dtype = draw.choice(["f2", "f4", "i1", "u1", "i4", "u8", "?", "g", "bfloat16", "float8_e4m3fn", "int4"])
    if not dtype[0].isalpha() or len(dtype) <= 2:
        with np.errstate(all="ignore"):
            return X.astype(dtype)
    import ml_dtypes

    with np.errstate(all="ignore"):
        return X.astype(getattr(ml_dtypes, dtype))
