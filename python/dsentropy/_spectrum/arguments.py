"""Arguments of the readings of a spectrum: diffusion times and orders, and what their numbers cost in memory."""

from __future__ import annotations

from dsentropy._checks.memory import require_bytes
from dsentropy._checks.scalars import Numbers, as_nonnegative, as_numbers, as_order

_BYTES_OF_READING = 48
"""Bytes of one reading: its value, its standard error and bounds, and what they are computed from."""


def times_and_orders(t: Numbers, order: Numbers) -> tuple[list[float], bool, list[float], bool]:
    """Convert both to lists, each with whether it was a sequence, and check that their readings fit into memory."""
    times, several_times = as_numbers(t, "t", as_nonnegative)
    orders, several_orders = as_numbers(order, "order", as_order)
    require_results("t and order", len(times), len(orders))
    return times, several_times, orders, several_orders


def require_results(names: str, rows: int, columns: int) -> None:
    """Raise a MemoryError where the readings of two arguments do not fit into memory."""
    what = f"{rows} x {columns} numbers of {names}"
    require_bytes(what, rows, _BYTES_OF_READING * rows * columns, f"fewer of {names}")
