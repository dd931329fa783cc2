"""The argument ``monitor`` of an adapter: a monitor, the arguments of one that is made later, or None.

A log has one writer, so a process that does not write must not make the monitor: an adapter checks the argument when
it is made, and makes the monitor at its first sweep, in one process.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from dsentropy._checks.printing import printed
from dsentropy.monitor.monitor import Monitor

GivenMonitor: TypeAlias = Monitor | Mapping[str, Any] | None
"""A monitor, a mapping of the arguments of one, or None for one with defaults."""

_ARGUMENTS = tuple(inspect.signature(Monitor).parameters)


def checked_monitor(monitor: GivenMonitor) -> Monitor | dict[str, Any]:
    """Return a monitor as it is, and the arguments of one as a dictionary; nothing is made."""
    if monitor is None or isinstance(monitor, Monitor):
        return {} if monitor is None else monitor
    if not isinstance(monitor, Mapping):
        raise TypeError(
            f"monitor must be a Monitor, a mapping of arguments of Monitor, or None, got {printed(monitor)}"
        )
    unknown = [name for name in monitor if name not in _ARGUMENTS]
    if unknown:
        raise ValueError(
            f"monitor must be a mapping of arguments of Monitor, {', '.join(_ARGUMENTS)}, got {printed(unknown[0])}"
        )
    arguments = dict(monitor)
    measures = arguments.get("measures")
    if isinstance(measures, Iterable) and not isinstance(measures, (str, bytes)):
        arguments["measures"] = list(measures)  # an iterator is read once, and an adapter looks at it
    return arguments


def has_information(arguments: Mapping[str, Any]) -> bool:
    """Return whether a monitor of these checked arguments measures an information, which may take labels."""
    measures = arguments.get("measures", "dsmi")
    return isinstance(measures, (str, list)) and "dsmi" in measures


def as_monitor(monitor: GivenMonitor) -> Monitor:
    """Return the monitor that was given, or make one: of the arguments that were given, or with defaults."""
    given = checked_monitor(monitor)
    return given if isinstance(given, Monitor) else Monitor(**given)
