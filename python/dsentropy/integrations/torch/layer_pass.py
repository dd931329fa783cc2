"""One pass of a probe through a model, and the rows of its layers.

In distributed training every process makes the pass, since wrappers communicate in it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import torch

from dsentropy._checks.printing import printed
from dsentropy.integrations.pool import as_pool
from dsentropy.integrations.torch.hooks import Calls, LayerRows, hooked
from dsentropy.integrations.torch.masks import as_given_mask, mask_of
from dsentropy.integrations.torch.named_layers import called_module, named_layers
from dsentropy.integrations.torch.probe import Probe
from dsentropy.integrations.torch.row_subset import RowSubset
from dsentropy.integrations.torch.structure import on_device, run
from dsentropy.integrations.torch.untouched import untouched


class LayerPass:
    """Passes through a model; the arguments are those of :class:`LayerMonitor`.

    Attributes
    ----------
    modules : dict of str to torch.nn.Module
        The layers by name, in the order of the model.
    pool : str or callable
        How outputs become rows.
    subset : RowSubset
        The rows that are taken.
    n_rows : dict of str to int
        The number of rows of each layer at the last pass, those that were not taken included.
    """

    def __init__(
        self,
        model: Any,
        layers: Any,
        *,
        pool: Any,
        mask: Any,
        forward: Callable[[Any, Any], Any] | None,
        max_rows: int | None,
        seed: int,
    ) -> None:
        if not isinstance(model, torch.nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, got {printed(model)}")
        if forward is not None and not callable(forward):
            raise TypeError(f"forward must be a callable of a model and a batch, or None, got {printed(forward)}")
        self.model, self.modules = model, named_layers(model, layers)
        self.pool, self.subset = as_pool(pool), RowSubset(max_rows, seed)
        self.n_rows: dict[str, int] = {}
        self._mask, self._seed = as_given_mask(mask), seed
        self._forward = run if forward is None else forward

    def rows(self, probe: Probe, *, keep: bool) -> dict[str, LayerRows]:
        """Pass all batches through the model; without ``keep`` no rows are copied."""
        calls, mask = Calls(), None
        rows = {name: LayerRows(name, self.pool, self.subset, self.n_rows.get(name, 0)) for name in self.modules}

        def take(name: str, output: Any) -> None:
            calls.add(name)
            rows[name].add(output, mask, batch.first, batch.n_items, keep=keep)

        model, device = called_module(self.model), _device(self.model)
        with untouched(self.model, seed=self._seed), hooked(self.modules, take):
            for batch in probe.batches:
                mask = mask_of(batch.content, self._mask)
                self._forward(model, on_device(batch.content, device))
                calls.finish(self.modules)
        self.n_rows = {name: of_layer.n for name, of_layer in rows.items()}
        return rows


def _device(model: torch.nn.Module) -> torch.device:
    """Return the device of the first parameter or buffer."""
    tensors = chain(model.parameters(), model.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


def rank() -> int:
    """Return the number of this process in distributed training; 0 where there is none."""
    distributed = torch.distributed
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0
