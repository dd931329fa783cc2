"""Rows of layers, taken by forward hooks while a model runs over the batches of a probe.

A hook is there within the pass only. It makes the rows at once, since a later operation may overwrite the output, and
copies them to the CPU, so that no activation outlives its batch on the device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dsentropy.integrations.pool import Pool
from dsentropy.integrations.torch.pooling import as_numpy, rows_of
from dsentropy.integrations.torch.row_subset import RowSubset


class LayerRows:
    """The rows of one layer over the batches of a pass.

    Parameters
    ----------
    name : str
        The name of the layer.
    pool : str or callable
        See :func:`pooled`.
    subset : RowSubset
        The rows that are taken.
    n_expected : int
        The number of rows at the last pass; 0 where there was none.
    """

    def __init__(self, name: str, pool: Pool, subset: RowSubset, n_expected: int) -> None:
        self.n = 0
        self._name, self._pool, self._subset, self._n_expected = name, pool, subset, n_expected
        self._width: int | None = None
        self._numbers: list[NDArray[np.intp]] = []
        self._parts: list[NDArray[Any]] = []

    def add(self, output: Any, mask: Any, first: int, n_items: int | None, *, keep: bool) -> None:
        """Take the rows of a batch; without ``keep`` they are checked and counted only."""
        rows = rows_of(output, self._pool, mask, self._name, first=first)
        self._check(rows, n_items)
        start, self.n = self.n, self.n + len(rows)
        if keep:
            numbers = self._subset.of(max(self.n, self._n_expected), start, self.n)
            taken = rows if len(numbers) == len(rows) else rows[torch.from_numpy(numbers - start).to(rows.device)]
            self._numbers.append(numbers)
            self._parts.append(as_numpy(taken))

    def _check(self, rows: torch.Tensor, n_items: int | None) -> None:
        if isinstance(self._pool, str) and self._pool != "tokens" and n_items not in (None, len(rows)):
            raise ValueError(
                f"layer {self._name!r} must return one entry an item along its first axis, {n_items} in this batch, "
                f"got {len(rows)}: pool='tokens' makes a row of each position, and a callable pool any rows"
            )
        width = rows[0].numel() if len(rows) else self._width
        if self._width not in (None, width):
            raise ValueError(
                f"layer {self._name!r} must have as many numbers a row in each batch, {self._width}, got {width}: "
                "pool='mean' or 'tokens' does not depend on the number of tokens"
            )
        self._width = width

    def array(self) -> NDArray[Any]:
        """Return the rows of all batches that are in the subset."""
        numbers, rows = np.concatenate(self._numbers), np.concatenate(self._parts)
        chosen = self._subset.of(self.n)
        return rows if len(chosen) == len(numbers) else rows[np.isin(numbers, chosen)]


class Calls:
    """The layers that ran in a batch, each of which must run once."""

    def __init__(self) -> None:
        self._called: dict[str, None] = {}

    def add(self, name: str) -> None:
        """Note that a layer ran."""
        if name in self._called:
            raise ValueError(
                f"layer {name!r} must run once in a pass, and ran again: name the modules around it, or make one "
                "for each place where it is used"
            )
        self._called[name] = None

    def finish(self, names: Mapping[str, Any]) -> None:
        """Require that all layers ran, and begin anew."""
        missing = [name for name in names if name not in self._called]
        if missing:
            raise RuntimeError(
                f"layers must run in the pass, and {', '.join(map(repr, missing))} did not: the model does not call "
                "them, or calls what they hold in another way than module(x); forward= may call them, or name others"
            )
        self._called = {}


@contextmanager
def hooked(layers: Mapping[str, torch.nn.Module], take: Any) -> Iterator[None]:
    """Call ``take(name, output)`` when a layer has run, within the block; the hooks are gone after it.

    The fast path of ``torch.nn.TransformerEncoder``, which packs tokens of all items into one tensor, is off.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        for name, module in layers.items():
            stack.enter_context(module.register_forward_hook(_hook(name, take)))
        yield


def _hook(name: str, take: Any) -> Any:
    def hook(_module: torch.nn.Module, _arguments: Any, output: Any) -> None:
        take(name, output)

    return hook
