"""Values that no argument means: objects whose conversions raise or lie, numbers out of range, foreign dtypes."""

from __future__ import annotations

import datetime
import decimal
import fractions
import pathlib
import random
from collections.abc import Callable
from typing import Any

import numpy as np
from arrays import Floats


class HostileError(Exception):
    """What hostile objects raise; a call may pass it on."""


class Raises:
    """An object each of whose conversions raises."""

    shape = (5, 2)
    ndim = 2
    dtype = np.dtype(float)

    def _raise(self, *_: Any, **__: Any) -> Any:
        raise HostileError("this conversion raises")

    __array__ = __float__ = __int__ = __index__ = __len__ = __iter__ = __getitem__ = __bool__ = _raise
    __str__ = __eq__ = __fspath__ = _raise
    __hash__ = object.__hash__


class Lies:
    """An object whose conversions return what they must not."""

    shape = (10**9, -3)
    dtype = "no dtype"

    def __array__(self, *_: Any, **__: Any) -> Any:
        return "no array"

    def __float__(self) -> Any:
        return "no float"

    def __index__(self) -> Any:
        return 2.5

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, i: Any) -> Any:
        return self

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        raise StopIteration


class Huge:
    """An object that is an integer of 500 digits."""

    def __index__(self) -> int:
        return 10**500


class WrongProducts:
    """An operator whose products are of a wrong shape, infinite, not symmetric, or raise."""

    def __init__(self, kind: str) -> None:
        self.kind, self.shape, self.dtype = kind, (8, 8), np.dtype(float)

    def matmat(self, block: Any) -> Any:
        if self.kind == "raises":
            raise HostileError("matmat raises")
        wrong = {
            "shape": block[:-1],
            "infinite": block * np.inf,
            "asymmetric": np.triu(np.ones((8, 8))) @ block,
            "text": "no product",
            "complex": 1j * block,
            "none": None,
            "random": np.random.default_rng().normal(size=block.shape),
        }
        return wrong[self.kind]


def _recursive() -> list[Any]:
    items: list[Any] = []
    items.append(items)
    return items


def torch_scalar() -> Any:
    """Return a scalar of torch that records gradients; without torch, an object that converts as it does."""
    try:
        import torch
    except ImportError:
        return Raises()
    return torch.tensor(2.0, requires_grad=True)


SCALARS: list[Callable[[], Any]] = [
    lambda: None,
    lambda: True,
    lambda: False,
    lambda: np.bool_(True),
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: -float("inf"),
    lambda: -1,
    lambda: 0,
    lambda: -0.0,
    lambda: 1,
    lambda: 2.5,
    lambda: 1e-320,
    lambda: 1e-160,
    lambda: 1e308,
    lambda: 1 - 2**-53,
    lambda: 2**31,
    lambda: 2**53,
    lambda: 2**63,
    lambda: 2**64,
    lambda: 10**400,
    lambda: -(10**400),
    lambda: 10**5000,
    lambda: "1",
    lambda: "",
    lambda: "False",
    lambda: "\udcff",
    lambda: b"1",
    lambda: 1 + 2j,
    list,
    lambda: [1],
    lambda: [1, 2],
    lambda: (),
    dict,
    lambda: {1},
    object,
    lambda: int,
    lambda: len,
    lambda: np.array([1, 2]),
    lambda: np.array(2.0),
    lambda: np.array([[2]]),
    lambda: np.array([True, False]),
    lambda: np.float16(2),
    lambda: np.longdouble(2),
    lambda: np.longdouble("1e4000"),
    lambda: np.int8(-128),
    lambda: np.uint64(2**63),
    lambda: np.complex128(1),
    lambda: np.timedelta64(1, "s"),
    lambda: np.datetime64("NaT"),
    lambda: np.str_("2"),
    lambda: np.ma.masked,
    lambda: decimal.Decimal("2.5"),
    lambda: decimal.Decimal("sNaN"),
    lambda: fractions.Fraction(1, 3),
    lambda: datetime.date(2020, 1, 1),
    lambda: pathlib.Path("a"),
    lambda: iter([1, 2]),
    lambda: range(3),
    lambda: Ellipsis,
    lambda: slice(3),
    Raises,
    Lies,
    Huge,
    torch_scalar,
]
"""Makers of values for any argument."""


def scalar(draw: random.Random) -> Any:
    """Draw a hostile value."""
    return draw.choice(SCALARS)()


def _with(X: Floats, value: Any, dtype: Any = None) -> Any:
    changed = X.astype(dtype) if dtype is not None else X.copy()
    if changed.size:
        changed.flat[-1] = value
    return changed


ARRAYS: list[Callable[[Floats], Any]] = [
    lambda X: _with(X, np.nan),
    lambda X: _with(X, np.inf),
    lambda X: _with(X, 1e308),
    lambda X: _with(X, 5e-324),
    lambda X: _with(X, None, object),
    lambda X: _with(X, "a", object),
    lambda X: _with(X, 10**400, object),
    lambda X: _with(X, Raises(), object),
    lambda X: _with(X, X, object) if X.size == 1 else X.astype(object),
    lambda X: X.astype(complex) + 1j,
    lambda X: X.astype("U"),
    lambda X: X.astype("S"),
    lambda X: np.zeros(X.shape, "M8[s]"),
    lambda X: np.zeros(X.shape, "m8[s]"),
    lambda X: np.zeros(X.shape, [("a", float), ("b", int)]),
    lambda X: np.zeros(X.shape, "V8"),
    lambda X: X.astype(np.longdouble) * np.longdouble("1e4000"),
    lambda X: np.full(X.shape, 2**64 - 1, np.uint64),
    lambda X: np.full(X.shape, -128, np.int8),
    lambda X: np.broadcast_to(1.5, X.shape),
    lambda X: X.ravel(),
    lambda X: X[None],
    lambda X: X[:0],
    lambda X: X[..., :0],
    lambda X: X[:, :1],
    lambda X: X[:-1],
    lambda X: X.T,
    lambda X: X if X.dtype.kind == "b" else -X,
    lambda X: 0 * X,
    lambda X: [*X.tolist()[:-1], [1.0]],
    lambda X: np.ma.masked_array(X, mask=np.arange(X.size).reshape(X.shape) == 0),
    lambda X: [_with(X, 1), "a"],
    lambda X: {"X": X},
    lambda X: (row for row in X),
    lambda X: _recursive(),
    lambda X: X[0, 0] if X.ndim == 2 and X.size else None,
    lambda X: WrongProducts("raises"),
    lambda X: WrongProducts("shape"),
    lambda X: WrongProducts("infinite"),
    lambda X: WrongProducts("asymmetric"),
    lambda X: WrongProducts("text"),
    lambda X: WrongProducts("complex"),
    lambda X: WrongProducts("none"),
]
"""Makers of values in place of an array."""


def array(draw: random.Random, X: Floats) -> Any:
    """Draw a hostile value in place of an array."""
    return scalar(draw) if draw.random() < 0.2 else draw.choice(ARRAYS)(X)
