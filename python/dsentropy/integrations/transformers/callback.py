"""A callback of ``Trainer`` that measures hidden states during training and logs the values.

A sweep is a pass of the probe through the model, and the measures of its layers. The values go to ``trainer.log``,
and so to ``log_history`` and to the trackers of ``report_to``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from transformers import Trainer, TrainerCallback

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import RandomState, as_count, as_limit, as_seed
from dsentropy.integrations.given_monitor import GivenMonitor, checked_monitor
from dsentropy.integrations.latest_scalars import latest_scalars
from dsentropy.integrations.pool import Pool, as_pool
from dsentropy.integrations.schedule import Schedule
from dsentropy.integrations.torch import LayerMonitor
from dsentropy.integrations.torch.masks import as_given_mask
from dsentropy.integrations.torch.probe import require_probe
from dsentropy.integrations.transformers.probe import take_batches
from dsentropy.integrations.transformers.trainer_state import keep_state, kept_state, log, require_apart, resume
from dsentropy.integrations.transformers.watch import watching
from dsentropy.monitor.arguments import as_string
from dsentropy.monitor.monitor import Monitor
from dsentropy.monitor.records import Records
from dsentropy.monitor.settings import fresh_seed


class RepresentationMonitor(TrainerCallback):
    """Measure the hidden states of a model during training by ``Trainer``.

    Parameters
    ----------
    probe : sequence of str, sequence or Dataset of features, mapping of tensors, DataLoader or iterable of batches
        The items that are passed through the model. Texts go through the tokenizer, features through the collator of
        the trainer. They are taken when the training begins, and kept on the CPU. The model is not given labels;
        where there is an integer an item and ``monitor`` has none, they are those of the information.
    layers : int, str, module or sequence of them, optional
        Which hidden states: numbers from 0, the embeddings, or from the end; names, ``layer_00`` and so on, in a
        model with both ``encoder_layer_00`` and ``decoder_layer_00``; or patterns of names. By default all. Names
        and patterns of modules, and modules: see :class:`dsentropy.integrations.torch.LayerMonitor`.
    pool, mask, max_rows, random_state
        How tokens become rows, see :class:`dsentropy.integrations.torch.LayerMonitor`. Padding is no token.
    tokenizer : callable, optional
        The tokenizer of a probe of texts, by default that of the trainer.
    monitor : Monitor, mapping of its arguments, or None
        What is measured. Of a mapping, or with defaults, a monitor is made at the first sweep, on rank 0 only.
    every_n_epochs, every_n_steps : int or None, default 1 and None
        A sweep at the end of each n-th epoch, and after each n-th step of the optimizer.
    sweep_steps : sequence of int, default ()
        Further steps after which there is a sweep; 0 is before the first.
    prefix : str, default "dsentropy"
        The first part of the keys.
    batch_size : int, default 32
        Items that are passed through the model at a time, where the probe is not in batches.

    Attributes
    ----------
    layers : tuple of str
        The names of the layers; empty before the training begins.

    Notes
    -----
    The state of the monitor is in each checkpoint, in ``trainer_state.json``. A training that goes on from one goes
    on with its run, with ``log`` or without. See docs/training-transformers.md.
    """

    def __init__(
        self,
        probe: Any,
        *,
        layers: Any = None,
        pool: Pool = "mean",
        mask: str | Callable[[Any], Any] | None = None,
        tokenizer: Any = None,
        monitor: GivenMonitor = None,
        every_n_epochs: int | None = 1,
        every_n_steps: int | None = None,
        sweep_steps: Iterable[int] = (),
        prefix: str = "dsentropy",
        max_rows: int | None = None,
        batch_size: int = 32,
        random_state: RandomState = 0,
    ) -> None:
        require_probe(probe)
        self._schedule = Schedule(every_n_epochs, every_n_steps, sweep_steps)
        self._probe, self._asked, self._tokenizer = probe, layers, tokenizer
        self._prefix, self._batch_size = as_string(prefix, "prefix"), as_count(batch_size, "batch_size")
        self._given = checked_monitor(monitor)
        self._has_log = isinstance(self._given, dict) and self._given.get("log") is not None
        seed = as_seed(random_state, "random_state")
        self._seed = (fresh_seed() if seed is None else seed) % 2**32
        self._options: dict[str, Any] = {
            "pool": as_pool(pool),
            "mask": as_given_mask(mask),
            "max_rows": as_limit(max_rows, "max_rows"),
            "random_state": self._seed,
        }
        self.layers: tuple[str, ...] = ()
        self._trainer: Any = None
        self._watch: Any = None  # a LayerMonitor, when the training begins
        self._batches: list[Any] = []
        self._resume: Callable[[Monitor], None] | None = None
        self._before, self._is_pending = 0, False

    @property
    def monitor(self) -> Monitor | None:
        """The monitor, which is made at the first sweep or when it is asked for; None before the training."""
        if isinstance(self._given, Monitor):
            return self._given
        return None if self._watch is None else self._watch.monitor

    def bind(self, trainer: Trainer) -> RepresentationMonitor:
        """Add this callback to a trainer, whose model is measured and whose ``log`` is called; return it."""
        if not isinstance(trainer, Trainer):
            raise TypeError(f"trainer must be a transformers.Trainer, got {printed(trainer)}")
        others = (one for one in trainer.callback_handler.callbacks if isinstance(one, RepresentationMonitor))
        require_apart(self._prefix, self._given, [(one._prefix, one._given) for one in others if one is not self])
        self._trainer = trainer
        if self not in trainer.callback_handler.callbacks:
            trainer.add_callback(self)
        return self

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take the probe and find the layers; sweep where that is due before the first step."""
        if self._trainer is None:
            raise RuntimeError(
                "this RepresentationMonitor must know its trainer: monitor = RepresentationMonitor(...).bind(trainer)"
            )
        self._before, self._schedule.last = state.global_step, None
        self._resume = partial(resume, step=state.global_step, kept=kept_state(state, self._prefix))
        self._watch = self._watching()
        self.layers = self._watch.layers
        if state.global_step == 0 and self._schedule.due_at_start():
            self._sweep(state, control)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Sweep where that is due after a step: at the last one of an epoch, before a checkpoint is saved."""
        before, self._before = self._before, state.global_step
        ends_epoch = float(state.epoch).is_integer() and self._schedule.due_at_epoch(int(state.epoch), self._before)
        self._end(state, control, due=ends_epoch or self._schedule.due_at_step(self._before, before))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Sweep where that is due at the end of an epoch that was cut short."""
        self._end(state, control, due=self._schedule.due_at_epoch(math.ceil(state.epoch), state.global_step))

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Put the state of the monitor where the next checkpoint finds it, which the evaluation may ask for."""
        self._keep_state(state)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Log what the background made last, and free a log that was opened here."""
        if self._is_pending and self.monitor is not None:
            self._log(self.monitor, Records(), control, wait=True)
        if self._watch is not None and self._has_log:
            self._watch.close()

    def _watching(self) -> LayerMonitor:
        """Take the probe, where that is not done, and return what sweeps over the model."""
        trainer = self._trainer
        if not self._batches:
            self._batches = take_batches(self._probe, trainer, self._tokenizer, self._batch_size, self._seed)
        monitor = None if self._has_log else self.monitor  # that of an earlier training by this trainer
        return watching(trainer, self._batches, self._asked, monitor=monitor or self._given, **self._options)

    def _sweep(self, state: Any, control: Any) -> None:
        """Pass the probe through the model, measure its layers, and log the values."""
        monitor = self.monitor
        if monitor is not None and self._resume is not None:
            self._resume(monitor)
        self._resume, self._schedule.last = None, state.global_step
        made = self._watch.sweep(state.global_step, state.epoch)
        if monitor is not None:
            self._is_pending = not made
            self._log(monitor, made, control, wait=False)
            if made:
                keep_state(monitor, state, self._prefix)

    def _log(self, monitor: Monitor, made: Records, control: Any, *, wait: bool) -> None:
        """Log the values of the last sweep that is done."""
        if scalars := latest_scalars(monitor, made, self._prefix, wait=wait):
            log(self._trainer, control, scalars)

    def _end(self, state: Any, control: Any, *, due: bool) -> None:
        """Sweep where that is due, and keep the state where a checkpoint is to be saved."""
        if due:
            self._sweep(state, control)
        if control.should_save:
            self._keep_state(state)

    def _keep_state(self, state: Any) -> None:
        """Keep the state of the monitor for the next checkpoint, where this training has had a sweep."""
        if self._resume is None and self.monitor is not None:
            keep_state(self.monitor, state, self._prefix)
