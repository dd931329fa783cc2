"""Values as errors print them: a NumPy scalar as the number that it is, a large object by its type and size.

Every value has a text, also an integer that Python refuses to print and an object whose ``__repr__`` raises.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_MAX_ENTRIES = 8
"""Entries up to which an array or a sequence is printed in full."""

_MAX_BITS = 2000
"""Bits up to which an integer is printed: Python refuses to print very long ones."""

_ROUNDING = 1e-12
"""Bits below which a difference of entropies is rounding."""

_MAX_CHARACTERS = 1000
"""Characters up to which a text is printed in full."""


def printed(value: Any) -> str:
    """Return the repr of a value; of a NumPy scalar or an array of no dimension that of its number."""
    try:
        text = _printed(value)
    except (
        Exception
    ):  # whatever the object's __repr__ raises; of numbers that contain a very long integer a ValueError
        return f"an object of type {type(value).__name__}, which cannot be printed"
    return text if len(text) <= _MAX_CHARACTERS else _cut(text, len(text))


def printed_bits(value: float) -> str:
    """Return an entropy, or a difference of entropies, with four digits; of what is rounding 0."""
    return "0" if abs(value) < _ROUNDING else f"{value:.4g}"


def _printed(value: Any) -> str:
    if isinstance(value, (str, bytes, bytearray)) and len(value) > _MAX_CHARACTERS:
        return _cut(repr(value[:_MAX_CHARACTERS]), len(value))
    shape = getattr(value, "shape", None)
    if isinstance(value, np.ndarray) and not shape:
        return printed(value[()])
    if isinstance(value, np.generic):
        return repr(value.item()) if value.dtype.kind in "US" else str(value)
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return f"an integer of {value.bit_length()} bits"
    if type(value) in (list, tuple):
        return _sequence(value)
    if isinstance(shape, tuple) and np.prod([size for size in shape if isinstance(size, int)]) > _MAX_ENTRIES:
        return f"{type(value).__name__} of shape {shape}"
    return repr(value)


def _cut(text: str, length: int) -> str:
    """Return the beginning of a text, and how long the whole is."""
    return f"{text[: _MAX_CHARACTERS // 10]}... ({length} characters)"


def _sequence(value: Any) -> str:
    entries = [printed(entry) for entry in value[:_MAX_ENTRIES]]
    if len(value) > _MAX_ENTRIES:
        entries.append(f"... ({len(value)} entries)")
    if isinstance(value, list):
        return f"[{', '.join(entries)}]"
    return f"({', '.join(entries)}{',' if len(value) == 1 else ''})"
