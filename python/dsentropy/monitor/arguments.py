"""Arguments of a monitor's methods, checked once, with the argument's name in every error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dsentropy._checks.containers import reader_hint
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_nonnegative


def as_string(value: Any, name: str) -> str:
    """Convert to a string, which may be empty."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {printed(value)}")
    return str(value)


def as_text(value: Any, name: str) -> str:
    """Convert to a string that is not empty."""
    text = as_string(value, name)
    if not text:
        raise ValueError(f"{name} must not be empty")
    return text


def as_optional_text(value: Any, name: str) -> str | None:
    """Convert to a string that is not empty, or None."""
    return None if value is None else as_text(value, name)


def as_epoch(value: Any) -> float | None:
    """Convert ``epoch`` to a number, at least 0, or None."""
    return None if value is None else as_nonnegative(value, "epoch")


def as_layers(layers: Any) -> dict[str, Any]:
    """Convert ``layers`` to a dictionary of arrays, which are not looked at, by name."""
    if not isinstance(layers, Mapping):
        raise TypeError(
            f"layers must be a mapping of names to arrays, got {printed(layers)}{reader_hint(layers, 'layers')}"
        )
    return {as_text(name, "a name of layers"): value for name, value in layers.items()}


def as_sinks(sinks: Any) -> list[Callable[[Any], Any]]:
    """Convert ``sinks`` to a list of callables."""
    found = [sinks] if callable(sinks) else list(sinks) if isinstance(sinks, Iterable) else None
    if found is None or not all(map(callable, found)):
        raise TypeError(f"sinks must be a callable of records or a sequence of them, got {printed(sinks)}")
    return found
