"""What an object that multiplies states of its products: their rounding, and that no eigenvalue is negative.

With an error E of the operator, ``|E|_F <= rounding |K|_F``, the moduli of the N eigenvalues move by at most
``sqrt(N) rounding |K|_F`` together (Mirsky, "Symmetric gauge functions and unitarily invariant norms", 1960). So do
those of a matrix whose entries have half of that as their unit roundoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_flag, as_float


@dataclass(frozen=True)
class ProductStatement:
    """The optional attributes of an object with ``shape`` and ``matmat``."""

    rounding: float | None = None
    """The relative error of a product; None where the object states none."""
    positive_semidefinite: bool = False
    """Whether no eigenvalue is negative."""

    @classmethod
    def of(cls, X: Any, name: str, least: float) -> ProductStatement:
        """Read and check the attributes; ``least`` is the unit roundoff of the dtype of the products."""
        rounding = _stated(X, name, "rounding")
        if rounding is not None:
            rounding = _checked_rounding(rounding, f"{name}.rounding", least)
        positive = _stated(X, name, "positive_semidefinite")
        return cls(rounding, positive is not None and as_flag(positive, f"{name}.positive_semidefinite"))

    @property
    def unit_roundoff(self) -> float:
        """The unit roundoff of entries that move eigenvalues as far as the products do; 0 where none is stated."""
        return 0.0 if self.rounding is None else self.rounding / 2


NOTHING_STATED = ProductStatement()
"""The statement of an object with ``shape`` and ``matmat`` alone."""


def _stated(X: Any, name: str, attribute: str) -> Any:
    """Return an attribute that is a value and no method; None where the object has none.

    An array of no dimension, of any library, is its number.
    """
    value: Any = getattr(X, attribute, None)
    if callable(value):
        raise TypeError(
            f"{name}.{attribute} must be a value, got {printed(value)}, which can be called: make it a property"
        )
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value


def _checked_rounding(value: Any, name: str, least: float) -> float:
    """Convert a relative error to a number between 0 and 1 that the dtype of the products allows."""
    number = as_float(value, name)
    if not 0 < number < 1:
        raise ValueError(f"{name} must be above 0 and below 1, got {printed(value)}")
    if number < least:
        raise ValueError(
            f"{name} must be at least {least:.2g}, the unit roundoff of the dtype of its products, got "
            f"{printed(value)}: leave it out where it is not known"
        )
    return number
