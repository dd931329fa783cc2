"""What a callback leaves in the state of a trainer: that of its monitor, for checkpoints, and values in the log.

``Trainer`` restores callbacks by making them anew of arguments that JSON holds, which a probe is not. So the state
has a name of its own among ``stateful_callbacks``, in ``trainer_state.json`` of each checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dsentropy.integrations.given_monitor import GivenMonitor
from dsentropy.integrations.start_of_training import go_on
from dsentropy.monitor.monitor import Monitor


def require_apart(prefix: str, given: GivenMonitor, others: Iterable[tuple[str, GivenMonitor]]) -> None:
    """Require that callbacks of one trainer have names of their own in checkpoints, and runs of their own.

    Parameters
    ----------
    prefix, given
        The prefix and the monitor of a callback.
    others : iterable of tuple
        Those of the other ones.
    """
    for of_other, monitor in others:
        if of_other == prefix:
            raise ValueError(
                "prefix must differ from that of another RepresentationMonitor of this trainer, since states in "
                f"checkpoints go by it, got {prefix!r} for both"
            )
        if isinstance(given, Monitor) and monitor is given:
            raise ValueError(
                "monitor must not be that of another RepresentationMonitor of this trainer: make a Monitor for "
                "each, or give one callback the layers of both"
            )


def keep_state(monitor: Monitor, state: Any, prefix: str) -> None:
    """Put the state of a monitor into a :class:`TrainerState`."""
    state.stateful_callbacks[_name(prefix)] = {"args": {}, "attributes": {"monitor": monitor.state_dict()}}


def kept_state(state: Any, prefix: str) -> Any:
    """Return the state of a monitor that a checkpoint has; None where the training begins, or it has none."""
    kept = state.stateful_callbacks.get(_name(prefix)) if state.global_step else None
    return None if kept is None else kept["attributes"]["monitor"]


def resume(monitor: Monitor, step: int, kept: Any) -> None:
    """Go on from a step, with the state of its checkpoint where that has one."""
    if kept is None:
        go_on(monitor, step)
    else:
        monitor.load_state_dict(kept)


def log(trainer: Any, control: Any, scalars: dict[str, float]) -> None:
    """Log values; a loss that is due to be logged at this step stays so, which ``on_log`` would switch off."""
    due = control.should_log
    trainer.log(scalars)
    control.should_log = trainer.control.should_log = due


def _name(prefix: str) -> str:
    return f"dsentropy.RepresentationMonitor/{prefix}"
