"""Tensors of a file of ``torch.save``, by name, memory-mapped; no code of a file is run.

``weights_only=True`` builds tensors and containers alone. Names of nested dictionaries are joined by dots, places in
lists are numbers. bfloat16 becomes float32. Files of before torch 1.6 are no zip archives and are read whole.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from numpy.typing import NDArray

from dsentropy.io.optional import required
from dsentropy.io.stored import Archive, Stored, UnreadableError

_DEEPEST = 16
"""Containers within each other that are looked into."""


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """Load the tensors of a file."""
    torch = required("torch", ".pt")
    with open(path, "rb") as file:
        is_zip = file.read(2) == b"PK"
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except EOFError as error:
        raise UnreadableError("it is cut off") from error
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f"{found[1]}, which is no tensor" if found else "something else than tensors"
        raise UnreadableError(
            f"it holds {what}, and no code of a file is run: save tensors, or a dict of tensors"
        ) from error
    arrays: dict[str, Stored] = {}
    for name, tensor in _tensors(torch, loaded, "", _DEEPEST):
        if name in arrays:
            raise UnreadableError(f"it has two tensors that are called {name!r}")
        arrays[name] = _stored(tensor)
    yield Archive(arrays)


def _tensors(torch: Any, value: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of nested containers with their names."""
    if isinstance(value, torch.Tensor):
        yield name, value
        return
    entries: Any = []
    if isinstance(value, Mapping):
        entries = value.items()
    elif isinstance(value, (list, tuple)):
        entries = enumerate(value)
    for key, entry in entries if depth else []:
        yield from _tensors(torch, entry, f"{name}.{key}" if name else str(key), depth - 1)


def _stored(tensor: Any) -> Stored:
    dtype = str(tensor.dtype).removeprefix("torch.")
    mapped = tensor.is_contiguous() and dtype != "bfloat16"
    return Stored(tuple(tensor.shape), dtype, partial(_read, tensor), 0 if mapped else 4)


def _read(tensor: Any, index: tuple[Any, ...]) -> NDArray[Any]:
    part = tensor.detach()[index]
    array: NDArray[Any] = (part.float() if str(part.dtype) == "torch.bfloat16" else part).resolve_conj().numpy()
    return array
