"""Where a training begins or goes on, and what a monitor has of later steps."""

from __future__ import annotations

from dsentropy.monitor.monitor import Monitor


def go_on(monitor: Monitor, step: int) -> None:
    """Drop the records beyond the step from which a training goes on; all of them where it begins."""
    kept = step if step else -1
    if monitor.last_step is not None and monitor.last_step > kept:
        monitor.resume(kept)
