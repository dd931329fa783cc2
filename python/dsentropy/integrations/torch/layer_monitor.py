"""Sweeps over the layers of a PyTorch model: one pass of a fixed probe, and the measures of its layers.

Cost of a sweep: the forward pass of the probe, a copy of each layer's rows to the CPU, and the measures of
:class:`Monitor`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from numpy.typing import NDArray

from dsentropy._checks.scalars import RandomState
from dsentropy.integrations.given_monitor import GivenMonitor
from dsentropy.integrations.pool import Pool
from dsentropy.integrations.torch.layer_pass import LayerPass, rank
from dsentropy.integrations.torch.measured_probe import MeasuredProbe
from dsentropy.monitor.monitor import Monitor
from dsentropy.monitor.records import Records


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
    these are integers, booleans or texts, one an item. A monitor that is made here takes them, unless it has labels
    of its own or measures without ``"dsmi"``, or a row is a token.

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
        self._measured = measured = MeasuredProbe(
            probe, monitor, pool=pool, max_rows=max_rows, batch_size=batch_size, random_state=random_state
        )
        self._pass = LayerPass(
            model, layers, pool=pool, mask=mask, forward=forward, max_rows=measured.max_rows, seed=measured.seed
        )
        self.layers = tuple(self._pass.modules)

    def __repr__(self) -> str:
        return f"<LayerMonitor of {type(self._pass.model).__name__}: {len(self.layers)} layers>"

    def __enter__(self) -> LayerMonitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the monitor, where it was made here."""
        self._measured.close()

    @property
    def digest(self) -> str:
        """A digest of the probe's inputs, and of the draw of ``max_rows``; 16 hexadecimal digits."""
        return self._measured.digest

    @property
    def labels(self) -> NDArray[Any] | None:
        """The labels of the items that are measured, from the probe; None where it has none, or a row is a token."""
        return self._measured.labels

    @property
    def monitor(self) -> Monitor | None:
        """The monitor, which is made at the first sweep or when it is asked for; None on ranks but 0."""
        return self._measured.monitor if rank() == 0 else None

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
        if self.monitor is None:
            self._pass.rows(self._measured.probe, keep=False)
            return Records()
        return self._measured.observe(step, self.activations(), epoch)

    def activations(self) -> dict[str, NDArray[Any]]:
        """Pass the probe through the model, and return the rows of each layer, without the measures."""
        rows = self._pass.rows(self._measured.probe, keep=True)
        return {name: of_layer.array() for name, of_layer in rows.items()}
