"""Sweeps over the layers of a PyTorch model: one pass of a fixed probe, and the measures of its layers.

Cost of a sweep: the forward pass of the probe, a copy of each layer's rows to the CPU, and the measures of
:class:`Monitor`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dsentropy._checks.scalars import RandomState, as_count, as_limit, as_seed
from dsentropy._checks.warn import warn
from dsentropy.integrations.given_monitor import GivenMonitor, as_monitor, checked_monitor
from dsentropy.integrations.pool import Pool
from dsentropy.integrations.torch.layer_pass import LayerPass, rank
from dsentropy.integrations.torch.probe import Probe, require_probe, take_probe
from dsentropy.monitor.monitor import Monitor, MonitorWarning
from dsentropy.monitor.records import Records
from dsentropy.monitor.settings import fresh_seed

_OF_ITEMS = ("labels", "inputs")
"""Arguments of a monitor that have one entry an item."""

_MAX_SEED = 2**32
"""One more than the largest seed that all generators take."""


class LayerMonitor:
    """Measure layers of a PyTorch model over a fixed probe, while its training stays as it is.

    Parameters
    ----------
    model : torch.nn.Module
        The model that is trained; also compiled, or within DistributedDataParallel or FSDP.
    layers : str, torch.nn.Module or sequence of them
        Names of ``model.named_modules()``, patterns of names, or modules. In a pattern ``*`` stands for any text
        without a dot, ``**`` for any text: ``"blocks.*"`` are the blocks, and nothing within them.
    probe : DataLoader, Dataset, iterable of batches, tensor, or tuple or mapping of tensors
        The items. Batches are taken once, at the first sweep, and kept on the CPU. See ``random_state``.
    pool : {"mean", "max", "cls", "last", "tokens", "flatten"} or callable, default "mean"
        How the output of a layer becomes rows: the mean, the maximum, the first or the last of the tokens of an item;
        a row for each token; all numbers of an item; or a callable of the output, and of the mask where it takes one,
        that returns rows. Tokens are along axis 1 of an output (B, T, D); of one with channels first, (B, C, H, W),
        they are the positions in space. An output (B, D) is taken as it is.
    mask : str or callable, optional
        The mask of the tokens, of shape (B, T), 0 where one is padding, which is no row and no part of any: a key of
        the batch, or a callable of the batch (on the CPU) that returns it, or None where nothing is padding. By
        default the entry ``"attention_mask"`` of a batch that has one.
    max_rows : int, optional
        At most so many rows of a layer are copied to the CPU and measured: a random subset, the same at every sweep
        and in all layers with as many rows. By default all are copied, and the monitor draws ``max_samples`` of them.
    batch_size : int, default 256
        Items a batch, where the probe is not batches already.
    forward : callable, optional
        ``forward(model, batch)`` runs the model. By default the model is called with the batch; with the first entry
        of a tuple or list; with the entries of a mapping, but its labels, by name.
    monitor : Monitor or mapping, optional
        What measures, and its log. A mapping has the arguments of a :class:`Monitor` that is made when the first
        sweep begins, in one process only; its labels and inputs are those of all items, and by default the labels are
        those of the probe. See Notes.
    random_state : int, Generator, RandomState or None, default 0
        Seed of ``max_rows``, of a loader's order and augmentations while the probe is taken, and of whatever a model
        draws in evaluation mode.

    Attributes
    ----------
    layers : tuple of str
        The names of the layers, in the order of the model.

    Notes
    -----
    Within a sweep every sub-module is in evaluation mode, no gradient is recorded, compiled code runs uncompiled, and
    autocast holds as around the call. After it, modes, buffers and all random generators are as before, bit for bit.

    Labels of the probe are the second entry of batches that are pairs, or the entry ``"labels"`` of a mapping, where
    these are integers, booleans or texts, one an item. A monitor that is made here takes them, unless it has labels,
    inputs or measures of its own, or a row is a token.

    In distributed training every process must call :meth:`sweep`, over as many batches. The process of rank 0
    measures; the others return no records.

    Examples
    --------
    >>> import torch
    >>> from dsentropy.integrations.torch import LayerMonitor
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> watch = LayerMonitor(model, ["0", "2"], torch.randn(50, 4))
    >>> records = watch.sweep(0)
    >>> [(record["layer"], record["d"]) for record in records.select("dse")]
    [('0', 8), ('2', 2)]
    """

    def __init__(
        self,
        model: torch.nn.Module,
        layers: str | torch.nn.Module | Iterable[str | torch.nn.Module],
        probe: Any,
        *,
        pool: Pool = "mean",
        mask: str | Callable[[Any], torch.Tensor | None] | None = None,
        max_rows: int | None = None,
        batch_size: int = 256,
        forward: Callable[[Any, Any], Any] | None = None,
        monitor: GivenMonitor = None,
        random_state: RandomState = 0,
    ) -> None:
        require_probe(probe)
        self._given = checked_monitor(monitor)
        self._max_rows, seed = as_limit(max_rows, "max_rows"), as_seed(random_state, "random_state")
        self._seed = (fresh_seed() if seed is None else seed) % _MAX_SEED
        self._pass = LayerPass(
            model, layers, pool=pool, mask=mask, forward=forward, max_rows=self._max_rows, seed=self._seed
        )
        self.layers = tuple(self._pass.modules)
        self._batch_size = as_count(batch_size, "batch_size")
        self._given_probe = probe
        self._taken_probe: Probe | None = None
        self._monitor: Monitor | None = None

    def __repr__(self) -> str:
        return f"<LayerMonitor of {type(self._pass.model).__name__}: {len(self.layers)} layers>"

    def __enter__(self) -> LayerMonitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the monitor, where it was made here."""
        if self._monitor is not None and self._monitor is not self._given:
            self._monitor.close()

    @property
    def _probe(self) -> Probe:
        if self._taken_probe is None:
            self._taken_probe = take_probe(self._given_probe, self._batch_size, self._seed)
            self._given_probe = None
        return self._taken_probe

    @property
    def digest(self) -> str:
        """A digest of the probe's inputs, and of the draw of ``max_rows``; 16 hexadecimal digits."""
        if self._max_rows is None:
            return self._probe.digest
        drawn = f"{self._probe.digest} {self._max_rows} {self._seed}"
        return hashlib.sha256(drawn.encode()).hexdigest()[:16]

    @property
    def labels(self) -> NDArray[Any] | None:
        """The labels of the items that are measured, from the probe; None where it has none, or a row is a token."""
        return None if self._pass.pool == "tokens" else self._drawn(self._probe.labels)

    @property
    def monitor(self) -> Monitor | None:
        """The monitor, which is made at the first sweep or when it is asked for; None on ranks but 0."""
        if self._monitor is None and rank() == 0:
            self._monitor = self._made()
        return self._monitor

    def _made(self) -> Monitor:
        given = self._given
        if isinstance(given, Monitor):
            return given
        arguments = {name: self._drawn(value) for name, value in given.items() if name in _OF_ITEMS}
        if "labels" not in given and _has_information(given.get("measures")):
            arguments["labels"] = self.labels
        return as_monitor({**given, **arguments})

    def _drawn(self, of_items: Any) -> Any:
        """Return those of some values, one an item, that belong to the rows which ``max_rows`` leaves."""
        if of_items is None or self._max_rows is None:
            return of_items
        array = np.asarray(of_items)
        return array[self._pass.subset.of(len(array))] if array.ndim else array

    def sweep(self, step: int, epoch: float | None = None) -> Records:
        """Pass the probe through the model, and measure its layers.

        Parameters
        ----------
        step, epoch
            See :meth:`Monitor.observe`.

        Returns
        -------
        Records
            The records of this step; none on ranks but 0, and where the monitor works in the background.

        Raises
        ------
        RuntimeError
            Where a layer did not run in the pass.
        ValueError, TypeError
            Where the probe, a mask or the output of a layer cannot become rows.

        Warns
        -----
        MonitorWarning
            Where the run has records of another probe, and where a sink or the log failed.
        """
        monitor = self.monitor
        if monitor is None:
            self._pass.rows(self._probe, keep=False)
            return Records()
        if not self._pass.n_rows:
            self._compare_digests(monitor)
        return monitor.observe(step, self.activations(), epoch=epoch, digest=self.digest)

    def _compare_digests(self, monitor: Monitor) -> None:
        earlier = {record["digest"] for record in monitor.records if record["layer"] in self.layers}
        if earlier - {self.digest}:
            warn(
                f"probe must be that of the earlier records of run {monitor.run!r}, with the digest "
                f"{earlier.pop()!r}, got one with {self.digest!r}: values of the two do not compare",
                MonitorWarning,
            )

    def activations(self) -> dict[str, NDArray[Any]]:
        """Pass the probe through the model, and return the rows of each layer, without the measures."""
        rows = self._pass.rows(self._probe, keep=True)
        return {name: of_layer.array() for name, of_layer in rows.items()}


def _has_information(measures: Any) -> bool:
    """Return whether the measures of a monitor have an information; None stands for the default ones."""
    return measures is None or (isinstance(measures, (str, list, tuple, set)) and "dsmi" in measures)
