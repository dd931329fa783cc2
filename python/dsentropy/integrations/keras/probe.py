"""The probe of a Keras callback: items that are passed through the model at each sweep, kept in memory as they came.

A digest says which they are: of the dtype, the shape and the bytes of all items, whatever the size of the batches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.printing import printed
from dsentropy.integrations.keras.generators import kept_generators


class Probe:
    """Items for a model, and their labels where they have some.

    Parameters
    ----------
    probe : array, list or mapping of arrays, tuple, keras.utils.PyDataset or iterable of batches
        Inputs as ``fit`` takes them: an array; a list or a mapping of several; a tuple ``(x, y)`` or
        ``(x, y, sample_weight)``; or batches of these, which are read once. Arrays are copied.
    batch_size : int
        Items that are passed through the model at a time, where the probe is not in batches.

    Attributes
    ----------
    labels : ndarray of shape (N,) or None
        The classes of the items: whole numbers, booleans or texts, also as columns of which one is 1.
    digest : str
        A digest of the inputs.
    """

    def __init__(self, probe: Any, batch_size: int) -> None:
        self._batches: list[tuple[Any, int]] = []
        labels = []
        with kept_generators(probe):
            for given in _batches(probe):
                x, y, _ = keras.utils.unpack_x_y_sample_weight(given)
                inputs = _inputs(x)
                n = _length(inputs)
                labels.append(_labels(y, n))
                step = batch_size if _is_whole(probe) else max(n, 1)
                self._batches += [
                    (keras.tree.map_structure(itemgetter(slice(start, start + step)), inputs), min(step, n - start))
                    for start in range(0, n, step)
                ]
        if not self._batches:
            raise ValueError("probe must have at least one item, got none")
        known = [part for part in labels if part is not None]
        self.labels = np.concatenate(known) if len(known) == len(labels) else None
        self.digest = self._digest()

    def batches(self) -> Iterator[tuple[Any, int]]:
        """Yield the inputs of each batch, copied, since a model may overwrite them, and the number of its items."""
        for inputs, size in self._batches:
            yield keras.tree.map_structure(np.copy, inputs), size

    def _digest(self) -> str:
        found: dict[int, Any] = {}
        shapes: dict[int, str] = {}
        for inputs, _ in self._batches:
            for place, array in enumerate(keras.tree.flatten(inputs)):
                sha, shape = found.setdefault(place, hashlib.sha256()), f"{array.dtype}{array.shape[1:]}"
                if shapes.get(place) != shape:
                    shapes[place] = shape
                    sha.update(shape.encode())
                sha.update(array.tobytes())
        return hashlib.sha256(b"".join(sha.digest() for sha in found.values())).hexdigest()[:16]


def _is_whole(probe: Any) -> bool:
    """Return whether a probe is all items, not batches of them."""
    return isinstance(probe, (tuple, list, Mapping)) or hasattr(probe, "shape")


def _batches(probe: Any) -> Iterable[Any]:
    """Return the batches of a probe, as ``(x, y)`` or ``x``; one of all items where it is arrays."""
    if _is_whole(probe):
        return [probe if isinstance(probe, tuple) else (probe,)]
    if isinstance(probe, keras.utils.PyDataset):
        if probe.num_batches is None:
            raise ValueError("probe must have an end, got a PyDataset whose num_batches is None")
        return (probe[i] for i in range(probe.num_batches))
    if isinstance(probe, Iterable):
        return probe
    raise TypeError(
        f"probe must be arrays, a tuple (x, y), a PyDataset or an iterable of batches, got {printed(probe)}"
    )


def _inputs(x: Any) -> Any:
    """Return the inputs of a model as arrays: of a list of arrays, or of a mapping, each entry is one."""
    if isinstance(x, Mapping):
        return {name: _input(value) for name, value in x.items()}
    if isinstance(x, list) and x and all(isinstance(entry, (tuple, Mapping)) for entry in x):
        raise ValueError(
            "probe must be inputs where it is a list, got a list of batches: iter(...) stands for batches"
        )
    several = isinstance(x, (list, tuple)) and all(hasattr(value, "shape") for value in x)
    return [_input(value) for value in x] if several else _input(x)


def _input(value: Any) -> NDArray[Any]:
    array = np.array(as_array(value, "probe"))
    if not array.ndim:
        raise ValueError(f"probe must have an axis of items, got {printed(value)}")
    return array


def _length(inputs: Any) -> int:
    """Return the number of items that all inputs have."""
    sizes = [len(array) for array in keras.tree.flatten(inputs)]
    if len(set(sizes)) != 1:
        raise ValueError(f"probe must have as many items in each input, got {printed(sizes)}")
    return sizes[0]


def _labels(y: Any, n_items: int) -> NDArray[Any] | None:
    """Return the class of each item; None where there are no classes, or several an item."""
    if y is None or isinstance(y, Mapping) or (isinstance(y, (list, tuple)) and any(map(np.ndim, y))):
        return None
    given = as_array(y, "probe")
    if given.ndim and len(given) != n_items:
        raise ValueError(f"probe must have a label of each item, {n_items}, got {len(given)}")
    array = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    if array.dtype.kind == "f" and (array == np.round(array)).all():
        array = array.astype(np.int64)
    if (
        array.ndim == 2
        and array.dtype.kind in "iub"
        and ((array == 1).sum(1) == 1).all()
        and (array != 0).sum() == n_items
    ):
        array = array.argmax(axis=1)
    return array if array.ndim == 1 and array.dtype.kind in "iubUS" else None
