"""The probe: a fixed set of items, kept as batches on the CPU, which passes through the network at each sweep.

The batches are taken once, so that a loader which shuffles or augments gives the same items at every sweep. They are
taken with all random generators seeded, and put back after it: the items depend on the seed, and the training on
nothing of it. Memory: that of the batches.
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from dsentropy._checks.printing import printed
from dsentropy._checks.warn import warn
from dsentropy.integrations.torch.generators import kept_generators
from dsentropy.integrations.torch.structure import (
    inputs_of,
    is_item,
    labels_of,
    leaves,
    mapped,
    n_items_of,
    on_device,
)
from dsentropy.monitor.monitor_warning import MonitorWarning


class Batch(NamedTuple):
    """A batch on the CPU."""

    content: Any
    first: int
    """The number of its first item among all; of batches of unknown sizes, the number of the batch."""
    n_items: int | None
    """Its number of items, None where it cannot be known."""


class Probe(NamedTuple):
    """A fixed set of items."""

    batches: list[Batch]
    n_items: int | None
    """The number of items, None where that of a batch is not known."""
    labels: NDArray[Any] | None
    """The class of each item, where each batch has one an item."""
    digest: str
    """A digest of the inputs, which does not depend on the batch size; 16 hexadecimal digits."""


def require_probe(probe: Any) -> None:
    """Check the type of ``probe``; it is not read."""
    is_data = isinstance(probe, (torch.Tensor, np.ndarray, Mapping, Iterable, Dataset))
    if not is_data or isinstance(probe, (str, bytes)):
        raise TypeError(f"probe must be a DataLoader, batches, or tensors, got {printed(probe)}")


def take_probe(probe: Any, batch_size: int, seed: int) -> Probe:
    """Take all batches of a probe.

    Parameters
    ----------
    probe : DataLoader, Dataset, iterable of batches, tensor, or tuple or mapping of tensors
        The items. A tensor, and a tuple or mapping of them, is cut into batches.
    batch_size : int
        Items a batch, where batches are made here.
    seed : int
        Seeds all generators, those of a loader and its data set included, while the batches are taken.
    """
    batches: list[Batch] = []
    first = 0
    with kept_generators([probe], seed=seed):
        for content in _batches(probe, batch_size):
            kept = on_device(content, "cpu")
            n_items = n_items_of(kept)
            batches.append(Batch(kept, first, n_items))
            first += 1 if n_items is None else n_items
    if batches and all(is_item(batch.content) for batch in batches):
        warn(
            "probe must have batches, got entries with a single label each, which look like items: "
            "DataLoader(items, batch_size=...) makes batches of them",
            MonitorWarning,
        )
    sizes = [batch.n_items for batch in batches]
    if not any(size is None or size > 0 for size in sizes):
        raise ValueError("probe must have one item or more, got none")
    n = None if None in sizes else sum(size for size in sizes if size is not None)
    return Probe(batches, n, _labels(batches, n), _digest(batches))


def _batches(probe: Any, batch_size: int) -> Iterable[Any]:
    if isinstance(probe, DataLoader):
        return _fresh(probe)
    if isinstance(probe, Dataset):
        return DataLoader(probe, batch_size)
    if isinstance(probe, (torch.Tensor, np.ndarray, tuple, Mapping)):
        return _cut(probe, batch_size)
    return probe


def _fresh(loader: DataLoader[Any]) -> DataLoader[Any]:
    """Return a loader with workers of its own: persistent ones may be in the middle of an epoch of the training."""
    if not loader.persistent_workers:
        return loader
    fresh = copy.copy(loader)
    fresh._iterator = None
    return fresh


def _cut(probe: Any, batch_size: int) -> Iterator[Any]:
    """Yield batches of a tensor, or of a structure of tensors of one length."""
    tensors = mapped(probe, _as_tensor)
    lengths = {len(leaf) for _, leaf in leaves(tensors)}
    if len(lengths) != 1:
        raise ValueError(
            f"probe must have tensors of one length, got {printed(sorted(lengths))}: a list stands for batches"
        )
    for start in range(0, lengths.pop(), batch_size):
        yield mapped(tensors, itemgetter(slice(start, start + batch_size)))


def _as_tensor(leaf: Any) -> Any:
    """Convert an array of numbers to a tensor; one of texts, such as labels, stays as it is."""
    if isinstance(leaf, np.ndarray) and leaf.ndim:
        return torch.from_numpy(leaf.copy()) if leaf.dtype.kind in "biufc" else leaf
    if not isinstance(leaf, torch.Tensor) or leaf.ndim == 0:
        raise TypeError(
            f"probe must have tensors with an axis of items, got {printed(leaf)}: a list stands for batches"
        )
    return leaf


def _labels(batches: list[Batch], n: int | None) -> NDArray[Any] | None:
    parts = [labels_of(batch.content) for batch in batches]
    known = [part for part in parts if part is not None]
    if n is None or [len(part) for part in known] != [batch.n_items for batch in batches]:
        return None
    return np.concatenate(known)


def _digest(batches: list[Batch]) -> str:
    """Return the digest of the inputs, item by item: types, shapes and bytes."""
    sha, header = hashlib.sha256(), ""
    for batch in batches:
        inputs = [(path, leaf) for path, leaf in leaves(inputs_of(batch.content))]
        arrays = [_bytes_of(leaf, batch.n_items) for _, leaf in inputs]
        of_batch = repr([(path, _kind(leaf, batch.n_items)) for path, leaf in inputs])
        if of_batch != header:
            header = of_batch
            sha.update(header.encode())
        for item in zip(*arrays, strict=True):
            for array in item:
                sha.update(array)
    return sha.hexdigest()[:16]


def _kind(leaf: Any, n_items: int | None) -> tuple[str, ...]:
    """Return the type of a leaf and its shape; of a tensor with known items, that of one item."""
    if isinstance(leaf, torch.Tensor):
        return str(leaf.dtype), str(tuple(leaf.shape) if n_items is None else tuple(leaf.shape[1:]))
    return type(leaf).__name__, repr(leaf) if isinstance(leaf, (str, bytes, int, float)) else ""


def _bytes_of(leaf: Any, n_items: int | None) -> list[bytes]:
    """Return the bytes of each item of a tensor, or of the whole where items are not known; of others, none."""
    if not isinstance(leaf, torch.Tensor):
        return [b""] * (1 if n_items is None else n_items)
    dense = leaf.to_dense() if leaf.layout != torch.strided else leaf
    data = dense.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    if n_items is None:
        return [data]
    size = math.prod(leaf.shape[1:]) * leaf.element_size()
    return [data[i * size : (i + 1) * size] for i in range(n_items)]
