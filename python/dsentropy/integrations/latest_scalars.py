"""Scalars of a sweep for a framework's logs; of the last finished one where records are made in the background."""

from __future__ import annotations

from dsentropy.monitor.monitor import Monitor
from dsentropy.monitor.records import Records


def latest_scalars(monitor: Monitor, made: Records, prefix: str, *, wait: bool) -> dict[str, float]:
    """Return the values of the last sweep whose records are there.

    Parameters
    ----------
    monitor : Monitor
        The monitor.
    made : Records
        What ``observe`` returned; none where the records are made in the background.
    prefix : str
        The first part of each key.
    wait : bool
        Whether to wait for the background.
    """
    if made:
        return made.scalars(prefix)
    if wait:
        monitor.flush()
    last = monitor.last_step
    return Records(record for record in monitor.records if record["step"] == last).scalars(prefix)
