"""Values as errors print them: a NumPy scalar as the number that it is, a large object by its type and size."""

from __future__ import annotations

from typing import Any

import numpy as np

_MAX_ENTRIES = 8
"""Entries up to which an array or a sequence is printed in full."""

_MAX_BITS = 2000
"""Bits up to which an integer is printed: Python refuses to print very long ones."""


def printed(value: Any) -> str:
    """Return the repr of a value; of a NumPy scalar or an array of no dimension that of its number."""
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


def _sequence(value: Any) -> str:
    entries = [printed(entry) for entry in value[:_MAX_ENTRIES]]
    if len(value) > _MAX_ENTRIES:
        entries.append(f"... ({len(value)} entries)")
    if isinstance(value, list):
        return f"[{', '.join(entries)}]"
    return f"({', '.join(entries)}{',' if len(value) == 1 else ''})"
