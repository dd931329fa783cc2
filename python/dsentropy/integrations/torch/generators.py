"""Random generators of the process and of objects, kept: whatever is drawn meanwhile, they are put back.

They are those of Python, of NumPy and of PyTorch (CPU, and each device that is in use), and those that objects hold
as attributes, such as the sampler of a data loader.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

_MAX_DEPTH = 6
"""Attributes of attributes that are looked through: loader, sampler, data set, transforms, one of them, generator."""

_MAX_ENTRIES = 100
"""Length of a list, tuple or dictionary up to which it is looked through: one of transforms, not of data."""

_MAX_OBJECTS = 10_000
"""Objects that are looked at in all, as a bound of the time where they hold many others."""


class _Kind(NamedTuple):
    """How generators of a class are read, put back and seeded."""

    type: type
    state: Callable[[Any], Any]
    put_back: Callable[[Any, Any], Any]
    seed: Callable[[Any, int], Any]


class _Kept(NamedTuple):
    """A generator and its state."""

    kind: _Kind
    generator: Any
    state: Any

    @classmethod
    def of(cls, generator: Any) -> _Kept:
        kind = next(kind for kind in _KINDS if isinstance(generator, kind.type))
        return cls(kind, generator, kind.state(generator))


def _bits(generator: Any) -> Any:
    return generator.bit_generator.state


def _set_bits(generator: Any, state: Any) -> None:
    generator.bit_generator.state = state


def _seed_bits(generator: Any, seed: int) -> None:
    _set_bits(generator, type(generator.bit_generator)(seed).state)


def _legacy(generator: Any) -> Any:
    return generator.get_state(legacy=False)


def _seed_legacy(generator: Any, seed: int) -> None:
    generator.set_state({**_legacy(np.random.RandomState(seed)), "has_gauss": 0, "gauss": 0.0})


_KINDS = [
    _Kind(torch.Generator, torch.Generator.get_state, torch.Generator.set_state, torch.Generator.manual_seed),
    _Kind(np.random.Generator, _bits, _set_bits, _seed_bits),
    _Kind(np.random.RandomState, _legacy, np.random.RandomState.set_state, _seed_legacy),
    _Kind(random.Random, random.Random.getstate, random.Random.setstate, random.Random.seed),
]


def global_generators() -> list[Any]:
    """Return the generators of the process: of Python, NumPy, PyTorch, and of devices that are in use."""
    found = [random._inst, np.random.mtrand._rand, torch.default_generator]
    in_use = [device for device in (torch.cuda, torch.xpu) if device.is_initialized()]
    found += [generator for device in in_use for generator in device.default_generators]
    return found + ([torch.mps._get_default_mps_generator()] if torch.backends.mps.is_available() else [])


def generators_in(objects: Iterable[Any]) -> Iterator[Any]:
    """Yield the generators that objects hold as attributes, in their lists, and in attributes of these."""
    seen: set[int] = set()
    left = deque((value, 0) for value in objects)
    while left and len(seen) < _MAX_OBJECTS:
        value, depth = left.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, tuple(kind.type for kind in _KINDS)):
            yield value
        elif depth < _MAX_DEPTH:
            left.extend((entry, depth + 1) for entry in _held_by(value))


def _held_by(value: Any) -> Collection[Any]:
    """Return the entries of a short container, or the attributes of an object."""
    if isinstance(value, (list, tuple, dict)):
        entries = value.values() if isinstance(value, dict) else value
        return entries if len(entries) <= _MAX_ENTRIES else ()
    is_object = hasattr(value, "__dict__") and not isinstance(value, (type, ModuleType))
    return vars(value).values() if is_object else ()


@contextmanager
def kept_generators(objects: Iterable[Any] = (), *, seed: int | None = None) -> Iterator[None]:
    """Put back the global generators, and those that objects hold, at the end of the block.

    Parameters
    ----------
    objects : iterable
        Objects whose generators are kept as well.
    seed : int, optional
        Below 2**32; seeds all of them within the block, so that what is drawn does not depend on earlier draws.
    """
    shared, held = global_generators(), list(generators_in(objects))
    seeds = [seed] * len(shared) + [None if seed is None else (seed + 1 + i) % 2**32 for i in range(len(held))]
    kept = [_Kept.of(generator) for generator in [*shared, *held]]
    try:
        for one, its_seed in zip(kept, seeds, strict=True):
            if its_seed is not None:
                one.kind.seed(one.generator, its_seed)
        yield
    finally:
        for one in kept:
            one.kind.put_back(one.generator, one.state)
