"""A Keras callback that measures layers during ``fit`` and adds the values to its logs.

A sweep is a pass of the probe through the model in inference mode, and the measures of its layers. History, the
progress bar, and the callbacks that come later in the list see the values in ``logs``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from dsentropy._checks.scalars import as_count
from dsentropy.integrations.given_monitor import GivenMonitor, as_monitor, checked_monitor, has_information
from dsentropy.integrations.keras.activations import activations
from dsentropy.integrations.keras.layers import named_layers
from dsentropy.integrations.keras.probe import Probe
from dsentropy.integrations.latest_scalars import latest_scalars
from dsentropy.integrations.pool import Pool, as_pool
from dsentropy.integrations.schedule import Schedule
from dsentropy.integrations.start_of_training import go_on
from dsentropy.monitor.arguments import as_string
from dsentropy.monitor.monitor import Monitor


class RepresentationMonitor(keras.callbacks.Callback):
    """Measure layers of a model during ``fit``.

    Parameters
    ----------
    layers : str, keras.Layer or sequence of them
        Names of layers, patterns, or layers of the model. A layer within another layer or model is called by its
        path, ``backbone/block_1``. In a pattern ``*`` stops at a slash, ``**`` does not. Each layer must run once in
        a pass.
    probe : array, list or mapping of arrays, tuple (x, y), keras.utils.PyDataset or iterable of batches
        The items that are passed through the model at each sweep, as ``fit`` takes them. They are read when the
        callback is made, and kept in memory. Where they come with labels, one whole number, boolean or text an item
        or columns of which one is 1, ``monitor`` has none, and a row is no token, these are the labels of the
        information.
    pool : {"mean", "max", "cls", "last", "tokens", "flatten"} or callable, default "mean"
        What becomes of an output with axes of tokens or of space: their mean, maximum, the first or the last of
        them; a row for each; all numbers as one row; or a callable of the output tensor, and of the mask where it
        takes one, that returns a tensor with one row or more. Tokens that a Keras mask leaves out are no rows.
    monitor : Monitor, mapping of its arguments, or None
        What is measured. Of a mapping, or with defaults, a monitor is made at the first sweep.
    every_n_epochs : int or None, default 1
        A sweep at the end of the first epoch and of each n-th.
    every_n_steps : int, optional
        A sweep after each n-th step, and one at the steps of ``sweep_steps``, 0 for that before the first. Sweeps
        at steps turn off the asynchronous dispatch of callbacks.
    sweep_steps : sequence of int, default ()
        See ``every_n_steps``.
    prefix : str, default "dsentropy"
        The first part of the keys in ``logs``.
    batch_size : int, default 128
        Items that are passed through the model at a time, where the probe is not in batches.

    Attributes
    ----------
    monitor : Monitor or None
        The monitor; None before the first sweep where it is made of arguments.
    layers : list of str
        The names of the layers, in the order of the model; empty before the training begins.
    digest : str
        A digest of the items of the probe.

    Notes
    -----
    A step is a batch of the training, counted on from ``model.optimizer.iterations``. In epochs without a sweep
    the values of the last one are in ``logs``, so that the keys are those of each epoch; for this reason there is
    always a sweep at the end of the first epoch of a ``fit``. A value that could not be had is NaN.

    Examples
    --------
    See docs/training-keras.md.
    """

    def __init__(
        self,
        layers: Any,
        probe: Any,
        *,
        pool: Pool = "mean",
        monitor: GivenMonitor = None,
        every_n_epochs: int | None = 1,
        every_n_steps: int | None = None,
        sweep_steps: Iterable[int] = (),
        prefix: str = "dsentropy",
        batch_size: int = 128,
    ) -> None:
        super().__init__()
        self._schedule = Schedule(every_n_epochs, every_n_steps, sweep_steps)
        self._given, self._pool, self._prefix = checked_monitor(monitor), as_pool(pool), as_string(prefix, "prefix")
        self._probe = Probe(probe, as_count(batch_size, "batch_size"))
        self.monitor = monitor if isinstance(monitor, Monitor) else None
        self.layers: list[str] = []
        self._asked, self._found = layers, dict[str, Any]()
        self._scalars: dict[str, float] = {}
        self._step = self._epoch_start = self._epoch = 0
        self._first_step: int | None = None
        self._is_first_epoch, self._is_closed = True, False
        # Keras calls a hook that is safe on another thread, so that counting does not slow the training down.
        self.async_safe = not self._schedule.has_steps

    @property
    def digest(self) -> str:
        """A digest of the items of the probe."""
        return self._probe.digest

    def on_train_begin(self, logs: Any = None) -> None:
        """Find the layers."""
        self._found, self._is_first_epoch, self._scalars = named_layers(self.model, self._asked), True, {}
        self.layers = [*self._found]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Count on from the steps of the model, which a callback may have restored."""
        self._epoch = epoch
        if self._is_first_epoch:
            self._is_first_epoch = False
            self._step = self._epoch_start = self._first_step = self._start(epoch)
            if isinstance(self._given, Monitor):
                self._open()  # before another callback with this monitor has swept
            if self._step == 0 and self._schedule.due_at_start():
                self._sweep()
        self._epoch_start = self._step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count the step, and sweep where that is due."""
        before, self._step = self._step, max(self._step, self._epoch_start + batch + 1)
        if self._schedule.has_steps and self._schedule.due_at_step(self._step, before):
            self._sweep()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Sweep where that is due, and add the last values to the logs."""
        self._epoch, self._epoch_start = epoch + 1, self._step
        if self._schedule.due_at_epoch(epoch + 1, self._step) or not self._scalars:
            self._sweep()
        (logs if logs is not None else {}).update(self._scalars)

    def on_train_end(self, logs: Any = None) -> None:
        """Wait until all is measured and in the log, and free a log that was opened here."""
        if self.monitor is not None:
            self.monitor.flush()
            if not isinstance(self._given, Monitor) and self._given.get("log") is not None:
                self.monitor.close()
                self._is_closed = True

    def set_model(self, model: Any) -> None:
        """Take the model; another one is counted anew."""
        if model is not self._model:
            self._step, self._schedule.last = 0, None
        super().set_model(model)

    def _start(self, epoch: int) -> int:
        """Return the steps that the model was trained for when its training begins, or goes on, with an epoch."""
        optimizer = getattr(self.model, "optimizer", None)
        updates = getattr(optimizer, "iterations", None)
        per_update = getattr(optimizer, "gradient_accumulation_steps", None) or 1
        of_optimizer = 0 if updates is None else int(getattr(updates, "value", updates)) * per_update
        return max(of_optimizer, epoch * self._batches, self._step)

    @property
    def _batches(self) -> int:
        """The batches of an epoch; 0 where Keras does not know."""
        return (self.params or {}).get("steps") or 0

    def _open(self) -> Monitor:
        """Return the monitor, which is made where it is not; at the first sweep, drop what is beyond the start."""
        if self.monitor is None or self._is_closed:
            self._is_closed = False
            given = dict(self._given) if isinstance(self._given, dict) else {}
            if self._pool != "tokens" and has_information(given):
                given.setdefault("labels", self._probe.labels)
            self.monitor = as_monitor(given)
        if self._first_step is not None:
            go_on(self.monitor, self._first_step)
            self._first_step = None
        return self.monitor

    def _sweep(self) -> None:
        """Pass the probe through the model, and measure its layers."""
        monitor, batches = self._open(), self._batches
        rows = activations(self.model, self._found, self._probe, self._pool)
        part = (self._step - self._epoch_start) / batches if batches else 0
        made = monitor.observe(self._step, rows, epoch=self._epoch + part, digest=self.digest)
        self._scalars = latest_scalars(monitor, made, self._prefix, wait=not self._scalars)
        self._schedule.last = self._step
