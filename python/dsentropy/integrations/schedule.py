"""When an adapter sweeps: at ends of epochs, at steps, and at most once at a step.

Steps may pass several at a time, as where a framework runs several of them in one call; a sweep is due where one of
those that passed was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_count


class Schedule:
    """The steps and epochs at whose ends a sweep is due.

    Parameters
    ----------
    every_n_epochs : int or None
        A sweep at the end of each n-th epoch; none at ends of epochs where None.
    every_n_steps : int or None
        A sweep after each n-th step.
    sweep_steps : iterable of int
        Further steps after which there is a sweep; 0 is before the first step.
    """

    def __init__(self, every_n_epochs: Any, every_n_steps: Any, sweep_steps: Any) -> None:
        self._epochs = None if every_n_epochs is None else as_count(every_n_epochs, "every_n_epochs")
        self._every = None if every_n_steps is None else as_count(every_n_steps, "every_n_steps")
        if isinstance(sweep_steps, (str, bytes)) or not isinstance(sweep_steps, Iterable):
            raise TypeError(f"sweep_steps must be a sequence of steps, got {printed(sweep_steps)}")
        self._steps = sorted({as_count(step, "sweep_steps", least=0) for step in sweep_steps})
        if self._epochs is None and self._every is None and not self._steps:
            raise ValueError("every_n_epochs must be given where every_n_steps and sweep_steps are not, got None")
        self.last: int | None = None
        """The step of the last sweep."""

    @property
    def has_steps(self) -> bool:
        """Whether a sweep may be due after a step that ends no epoch."""
        return self._every is not None or bool(self._steps)

    def due_at_step(self, step: int, before: int) -> bool:
        """Return whether a sweep is due now: after a step, where there was a look at ``before`` last."""
        every = self._every is not None and step // self._every > before // self._every
        return step != self.last and (every or any(before < one <= step for one in self._steps))

    def due_at_start(self) -> bool:
        """Return whether a sweep is due before the first step."""
        return self.last is None and 0 in self._steps

    def due_at_epoch(self, epoch: int, step: int) -> bool:
        """Return whether a sweep is due at the end of an epoch, whose number starts at 1."""
        return step != self.last and self._epochs is not None and epoch % self._epochs == 0
