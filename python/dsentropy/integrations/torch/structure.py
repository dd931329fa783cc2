"""Batches as nested structures of tensors: what a data loader yields, and what models and digests need of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

LABELS = ("labels", "label", "label_ids")
"""Keys of a batch that are labels by the customs of data sets."""


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """Return a structure with each leaf, a tensor or another object, replaced by that of a function."""
    if isinstance(value, Mapping):
        entries = {name: mapped(entry, function) for name, entry in value.items()}
        if type(value) is dict or not isinstance(value, MutableMapping):
            return entries
        filled = copy.copy(value)  # of its class, which may have attributes
        filled.update(entries)
        return filled
    if _is_sequence(value):
        entries_of = [mapped(entry, function) for entry in value]
        return type(value)(*entries_of) if hasattr(value, "_fields") else type(value)(entries_of)
    return function(value)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a structure, each with the keys that lead to it."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from leaves(entry, f"{path}.{name}")
    elif _is_sequence(value):
        for i, entry in enumerate(value):
            yield from leaves(entry, f"{path}.{i}")
    else:
        yield path, value


def on_device(batch: Any, device: torch.device | str) -> Any:
    """Copy a batch to a device, also to that where it is: a model may overwrite its input."""

    def moved(leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor):
            return leaf.detach().to(device, copy=True)
        return leaf.to(device) if hasattr(leaf, "to") else leaf

    return mapped(batch, moved)


def inputs_of(batch: Any) -> Any:
    """Return the inputs of a model: the first entry of a sequence, a mapping without its labels, or the batch."""
    inputs = batch[0] if _is_sequence(batch) and len(batch) else batch
    if isinstance(inputs, Mapping):
        return {name: entry for name, entry in inputs.items() if name not in LABELS}
    return inputs


def run(model: Any, batch: Any) -> Any:
    """Call a model with the inputs of a batch: a mapping by its keys, a sequence by place, else one argument."""
    inputs = inputs_of(batch)
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs) if _is_sequence(inputs) else model(inputs)


def n_items_of(batch: Any) -> int | None:
    """Return the length that all inputs of a batch have; None where they have several, or there is none."""
    sizes = {len(leaf) for _, leaf in leaves(inputs_of(batch)) if isinstance(leaf, torch.Tensor) and leaf.ndim}
    return sizes.pop() if len(sizes) == 1 else None


def labels_of(batch: Any) -> NDArray[Any] | None:
    """Return the classes of a batch's items: integers, booleans or texts, one an item; None where there are none."""
    found = _given_labels(batch)
    if isinstance(found, torch.Tensor):
        is_class = found.layout == torch.strided and not (found.is_floating_point() or found.is_complex())
        found = found.numpy(force=True) if is_class else None
    elif isinstance(found, (list, tuple)) and not all(isinstance(entry, (str, int)) for entry in found):
        return None
    array = np.array(found)
    return array if array.ndim == 1 and array.dtype.kind in "iubU" else None


def is_item(batch: Any) -> bool:
    """Return whether a batch looks like a single item of a data set: its label is one number or one text."""
    found, n_items = _given_labels(batch), n_items_of(batch)
    one = isinstance(found, (int, str)) or (found is not None and getattr(found, "ndim", None) == 0)
    return one and n_items is not None and n_items > 1


def _given_labels(batch: Any) -> Any:
    """Return the entry of a batch that is its labels by custom; None where there is none."""
    if isinstance(batch, Mapping):
        return next((batch[name] for name in LABELS if name in batch), None)
    return batch[1] if _is_sequence(batch) and len(batch) == 2 else None


def _is_sequence(value: Any) -> bool:
    """Return whether a value is a list or tuple, but none with a method ``to``, such as a PackedSequence."""
    return isinstance(value, (list, tuple)) and not hasattr(value, "to")
