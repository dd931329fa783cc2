"""A Lightning callback that measures layers during ``fit``, for the trainer's loggers and other callbacks.

A sweep is that of :class:`LayerMonitor`: every process passes the probe through the model, and the process of rank 0
measures. Its values are then sent to all, so that callbacks which watch a metric decide alike in each process.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import torch

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import RandomState
from dsentropy.integrations.given_monitor import GivenMonitor, checked_monitor
from dsentropy.integrations.latest_scalars import latest_scalars
from dsentropy.integrations.lightning.base import callback_class
from dsentropy.integrations.lightning.trainer_values import publish, run_converted
from dsentropy.integrations.lightning.validation_loader import validation_loader
from dsentropy.integrations.pool import Pool
from dsentropy.integrations.schedule import Schedule
from dsentropy.integrations.start_of_training import go_on
from dsentropy.integrations.torch.layer_monitor import LayerMonitor
from dsentropy.integrations.torch.probe import require_probe
from dsentropy.integrations.torch.structure import run
from dsentropy.monitor.arguments import as_string
from dsentropy.monitor.monitor import Monitor


class RepresentationMonitor(callback_class()):  # type: ignore[misc]
    """Measure layers of a LightningModule during ``fit``.

    Parameters
    ----------
    layers : str, torch.nn.Module or sequence of them
        Names of the module's layers, patterns of names, or layers; see :class:`LayerMonitor`.
    probe : DataLoader, Dataset, batches or tensors, optional
        The items that are passed through the model at each sweep, all of which are kept in memory; see
        :class:`LayerMonitor`. By default those of the validation loader.
    every_n_epochs : int or None, default 1
        A sweep at the end of the first epoch and of each n-th, after its last step and before the validation.
    every_n_steps : int, optional
        A sweep after each n-th step of the optimizer, as ``trainer.global_step`` counts them.
    sweep_steps : iterable of int, default ()
        Further steps after which there is a sweep; 0 is before the first step.
    monitor : Monitor or mapping, optional
        What measures, and its log; a mapping has the arguments of a :class:`Monitor` that is made when the training
        begins, in the process of rank 0 only, and is closed at its end.
    prefix : str, default "dsentropy"
        The first part of each key.
    pool, mask, max_rows, batch_size, forward, random_state
        See :class:`LayerMonitor`.

    Attributes
    ----------
    monitor : Monitor or None
        The monitor; None before the training, and in processes but that of rank 0.

    Notes
    -----
    Values go to ``trainer.loggers`` at ``trainer.global_step`` and to ``trainer.callback_metrics``, where
    ``EarlyStopping`` and ``ModelCheckpoint`` find them under keys such as ``dsentropy/dse/layer_07``. A key keeps its
    last value until the next sweep. A value that could not be had is NaN. Nothing is measured in the sanity check.

    The state is part of each checkpoint, by the layers and the prefix: a training that goes on from a checkpoint goes
    on with its run after the last sweep before it, with a log or without one.

    The pass has the precision of the trainer. The model is called with the inputs of a batch, which runs the
    ``forward`` of the LightningModule.
    """

    def __init__(
        self,
        layers: Any,
        probe: Any = None,
        *,
        every_n_epochs: int | None = 1,
        every_n_steps: int | None = None,
        sweep_steps: Iterable[int] = (),
        monitor: GivenMonitor = None,
        prefix: str = "dsentropy",
        pool: Pool = "mean",
        mask: Any = None,
        max_rows: int | None = None,
        batch_size: int = 256,
        forward: Any = None,
        random_state: RandomState = 0,
    ) -> None:
        super().__init__()
        if probe is not None:
            require_probe(probe)
        if forward is not None and not callable(forward):
            raise TypeError(f"forward must be a callable of a model and a batch, or None, got {printed(forward)}")
        self._schedule = Schedule(every_n_epochs, every_n_steps, sweep_steps)
        self._prefix = as_string(prefix, "prefix")
        self._layers, self._probe, self._given = layers, probe, checked_monitor(monitor)
        self._forward = run if forward is None else forward
        names = ("pool", "mask", "max_rows", "batch_size", "random_state")
        self._options = dict(zip(names, (pool, mask, max_rows, batch_size, random_state), strict=True))
        self.monitor = self._given if isinstance(self._given, Monitor) else None
        self._watch: LayerMonitor | None = None
        self._scalars: dict[str, float] = {}
        self._state: dict[str, Any] | None = None
        self._seen, self._is_restored = 0, False

    @property
    def state_key(self) -> str:
        """The name of the state in a checkpoint."""
        layers = [self._layers] if isinstance(self._layers, (str, torch.nn.Module)) else list(self._layers)
        names = [layer if isinstance(layer, str) else type(layer).__name__ for layer in layers]
        return f"{type(self).__qualname__}{names}{self._prefix!r}"

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: the state of the monitor, and the values and step of the last sweep."""
        if self._watch is None:
            return self._state or {}
        state = None if self.monitor is None else self.monitor.state_dict()
        return {"monitor": state, "scalars": self._scalars, "last": self._schedule.last}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the state of a checkpoint until the training begins."""
        self._state, self._is_restored = state_dict, True

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Find the layers, make the monitor, and go on with the run of a checkpoint."""
        forward = partial(run_converted, trainer.precision_plugin, self._forward)
        probe = validation_loader(trainer) if self._probe is None else self._probe
        model, layers, given = trainer.strategy.model, self._layers, self._given
        watch = LayerMonitor(model, layers, probe, monitor=given, forward=forward, **self._options)
        self.monitor = watch.monitor
        self._restore(trainer)
        self._watch, self._seen = watch, trainer.global_step
        publish(trainer, self._scalars)
        if trainer.global_step == 0 and self._schedule.due_at_start():
            self._sweep(trainer)

    def _restore(self, trainer: Any) -> None:
        """Take the state of a checkpoint, or of an earlier ``fit`` that goes on."""
        step, state, self._state = trainer.global_step, self._state or {}, None
        last = state.get("last")
        goes_on = last is not None and last <= step
        self._scalars, self._schedule.last = (dict(state["scalars"]), last) if goes_on else ({}, None)
        is_open = isinstance(self._given, Monitor) and not self._is_restored
        if goes_on and self.monitor is not None and not is_open and state["monitor"] is not None:
            self.monitor.load_state_dict(state["monitor"])
        begun = (one for one in trainer.callbacks if isinstance(one, RepresentationMonitor) and one._watch)
        if self.monitor is not None and all(one.monitor is not self.monitor for one in begun):
            go_on(self.monitor, step)
        self._is_restored = False

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        """Sweep where that is due after a step, or after the last one of an epoch, before its validation."""
        step, before = trainer.global_step, self._seen
        self._seen = step
        if self._schedule.due_at_step(step, before) or (trainer.is_last_batch and self._ends_epoch(trainer)):
            self._sweep(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Sweep where that is due and the last batch was not known to be one."""
        if self._ends_epoch(trainer):
            self._sweep(trainer)

    def _ends_epoch(self, trainer: Any) -> bool:
        """Return whether a sweep is due at the end of this epoch; the first one gives the keys for all others."""
        epoch, step = trainer.current_epoch + 1, trainer.global_step
        return self._schedule.due_at_epoch(epoch, step) or not self._scalars

    def _sweep(self, trainer: Any) -> None:
        """Pass the probe through the model, measure its layers, and hand out the values."""
        assert self._watch is not None, "the trainer calls on_train_start first"
        step, monitor, scalars = trainer.global_step, self.monitor, {}
        with trainer.precision_plugin.forward_context():
            made = self._watch.sweep(step, trainer.current_epoch)
        if monitor is not None:
            scalars = latest_scalars(monitor, made, self._prefix, wait=not self._scalars)
        self._scalars, self._schedule.last = trainer.strategy.broadcast(scalars), step
        for logger in trainer.loggers:
            logger.log_metrics(self._scalars, step=step)
        publish(trainer, self._scalars)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Wait until all is measured and in the log, and close a monitor that was made here."""
        if self._watch is not None:
            if self.monitor is not None:
                self.monitor.flush()
            self._state, watch, self._watch = self.state_dict(), self._watch, None
            watch.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End as after a training that was not interrupted."""
        self.teardown(trainer, pl_module, "fit")
