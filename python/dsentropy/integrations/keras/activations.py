"""Rows of layers of a Keras model for the batches of a probe, taken without a trace of it in the training.

Within a pass the ``call`` of each layer is replaced by one that keeps its output. Updates of variables go to a
``keras.StatelessScope`` and are dropped with it: batch norm statistics, seed generators, losses of regularizers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.backend import get_keras_mask  # Keras has no public name of it
from keras.src.backend.common import global_state
from numpy.typing import NDArray

from dsentropy._checks.printing import printed
from dsentropy.integrations.keras.generators import kept_generators
from dsentropy.integrations.keras.pooling import pooled
from dsentropy.integrations.keras.probe import Probe
from dsentropy.integrations.pool import Pool

_SEEDS = "global_seed_generator"
"""Name of the state from which Keras draws where a layer has no seed generator."""


def activations(model: Any, layers: Mapping[str, Any], probe: Probe, pool: Pool) -> dict[str, NDArray[Any]]:
    """Run a model over a probe in inference mode, and return the rows of each layer."""
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in layers}
    n_items = 0
    with _unchanged(model):
        for batch, size in probe.batches():
            for name, output in _outputs(model, layers, batch).items():
                rows = _rows(layers[name], output, pool, name, n_items, size)
                if parts[name] and parts[name][0].shape[1] != rows.shape[1]:
                    raise ValueError(
                        f"layer {name!r} must have as many numbers a row in each batch, {parts[name][0].shape[1]}, "
                        f"got {rows.shape[1]}: pool='mean' or 'tokens' does not depend on the number of tokens"
                    )
                parts[name].append(rows)
            n_items += size
    return {name: np.concatenate(rows) for name, rows in parts.items()}


@contextmanager
def _unchanged(model: Any) -> Iterator[None]:
    """Drop what a pass in inference mode changes: variables, generators of the process, modes of torch modules."""
    with ExitStack() as stack:
        stack.enter_context(kept_generators())
        if keras.backend.backend() == "torch":
            from dsentropy.integrations.torch.untouched import untouched

            stack.enter_context(untouched(model))
        stack.callback(global_state.set_global_attribute, _SEEDS, global_state.get_global_attribute(_SEEDS))
        stack.enter_context(keras.StatelessScope())
        yield


def _outputs(model: Any, layers: Mapping[str, Any], batch: Any) -> dict[str, tuple[Any, Any]]:
    """Run a batch, and return the output of each layer with its mask."""
    kept: dict[str, list[tuple[Any, Any]]] = {name: [] for name in layers}
    with ExitStack() as stack:
        for name, layer in layers.items():
            stack.enter_context(_recorded(layer, kept[name].append))
        takes_training = "training" in inspect.signature(model.call).parameters
        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, batch)
        model(tensors, training=False) if takes_training else model(tensors)
    for name, outputs in kept.items():
        if len(outputs) != 1:
            raise ValueError(
                f"layer {name!r} must run once in a pass, and ran {len(outputs)} times: "
                + ("leave it out" if not outputs else "name the layers around it, or a layer for each place of use")
            )
    # A layer attaches the mask to its output after its call.
    return {name: (copy, get_keras_mask(output)) for name, [(output, copy)] in kept.items()}


@contextmanager
def _recorded(layer: Any, take: Callable[[tuple[Any, Any]], None]) -> Iterator[None]:
    """Pass the output of a layer, and a copy that no operation overwrites, to a callable within the block."""
    attributes, call = vars(layer), layer.call
    had = {"call": attributes["call"]} if "call" in attributes else {}

    def recording(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        first = next(filter(keras.ops.is_tensor, keras.tree.flatten(output)), None)
        is_mutable = first is not None and keras.backend.backend() == "torch"
        take((first, keras.ops.copy(first) if is_mutable else first))
        return output

    attributes["call"] = recording
    try:
        yield
    finally:
        del attributes["call"]
        attributes.update(had)


def _rows(layer: Any, output: tuple[Any, Any], pool: Pool, name: str, first: int, n_items: int) -> NDArray[Any]:
    """Return the rows of a layer's output for a batch."""
    tensor, mask = output
    if tensor is None or not tensor.ndim:
        raise TypeError(f"layer {name!r} must return a tensor with an axis of items, got {printed(tensor)}")
    has_tokens = mask is not None and tensor.ndim > 2 and tuple(mask.shape) == tuple(tensor.shape[:2])
    default = keras.config.image_data_format() if tensor.ndim > 3 else "channels_last"
    is_first = (getattr(layer, "data_format", None) or default) == "channels_first"
    rows = pooled(tensor, pool, mask if has_tokens else None, name, channels_first=is_first, first=first)
    if isinstance(pool, str) and pool != "tokens" and len(rows) != n_items:
        raise ValueError(
            f"layer {name!r} must return one entry an item along its first axis, {n_items} in this batch, "
            f"got {len(rows)}: pool='tokens' makes a row of each position, and a callable pool any rows"
        )
    return rows
