"""Layers of a Keras model by name, glob pattern or object, in the order of the model.

A layer within a layer or a nested model is called by its path, such as ``backbone/block_1/dense``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

import keras

from dsentropy._checks.printing import printed
from dsentropy.integrations.name_pattern import matching


def named_layers(model: Any, layers: Any) -> dict[str, Any]:
    """Return the layers that are asked for by their names, in the order of the model, each once.

    Parameters
    ----------
    model : keras.Model
        The model.
    layers : str, keras.Layer or iterable of them
        Names, patterns (see :mod:`dsentropy.integrations.name_pattern`) or layers of the model. Input layers, which
        are never called, match no pattern.
    """
    known = dict(_unique(_walk(model, "", set())))
    given = [layers] if isinstance(layers, (str, keras.Layer)) else layers
    if not isinstance(given, Iterable):
        raise TypeError(f"layers must be names, patterns or layers of the model, got {printed(layers)}")
    names = {name for layer in given for name in _found(layer, known)}
    if not names:
        raise ValueError("layers must have one layer or more, got none")
    return {name: layer for name, layer in known.items() if name in names}


def _walk(layer: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield the layers within a layer by their paths, each once."""
    children = layer.layers if isinstance(layer, keras.Model) else layer._flatten_layers(False, False)
    for child in children:
        if id(child) not in seen and not isinstance(child, keras.layers.InputLayer):
            seen.add(id(child))
            name = f"{path}{child.name}"
            yield name, child
            yield from _walk(child, f"{name}/", seen)


def _unique(layers: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Number the names that several layers have: outside functional models Keras does not see to it."""
    counts: dict[str, int] = {}
    for name, layer in layers:
        counts[name] = counts.get(name, 0) + 1
        yield (name if counts[name] == 1 else f"{name}#{counts[name]}"), layer


def _found(layer: Any, known: dict[str, Any]) -> list[str]:
    """Return the name of one layer that was given, or those of the layers that match a pattern."""
    if isinstance(layer, str):
        names = [layer] if layer in known else matching(layer, known, "/")
    elif isinstance(layer, keras.Layer):
        names = [name for name, one in known.items() if one is layer]
    else:
        raise TypeError(f"layers must be names, patterns or layers of the model, got {printed(layer)}")
    if not names:
        text = layer if isinstance(layer, str) else layer.name
        near = get_close_matches(text, known, n=4, cutoff=0.3) or [*known][:4]
        raise ValueError(
            f"layers must be names, patterns or layers of the model, got {printed(layer)}: near ones are "
            f"{', '.join(map(repr, near))}"
        )
    return names
