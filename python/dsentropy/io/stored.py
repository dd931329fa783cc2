"""Arrays of a file before they are read: their shapes and dtypes, and what is chosen among them by name or number.

An :class:`Archive` has arrays by name, or one without a name. Nothing is read before :meth:`Stored.read`, which gets
the index of what is wanted, so that a memory-mapped array is not read as a whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.printing import printed

Key = str | list[str] | None
"""The name of an array, names of columns, or None."""

_MAX_NAMES = 20
"""Names of arrays that an error lists."""

_DIGITS = re.compile(r"([0-9]+)")


class UnreadableError(ValueError):
    """A fault of a file; its text is the reason alone, to which the caller adds the name of the file."""


class ChoiceError(ValueError):
    """A fault of ``key`` or ``layer``; its text says what they must be."""


class Stored(NamedTuple):
    """One array of a file."""

    shape: tuple[int, ...]
    dtype: str
    """The dtype as the file's format calls it."""
    read: Callable[[tuple[Any, ...]], NDArray[Any]]
    """Returns the part at an index: integers, slices, and at most one vector of ascending row numbers."""
    in_memory: int = 0
    """Bytes that are held for one number when it is read; 0 where the file is mapped."""
    refused: str = ""
    """Why the array cannot be read, if it is chosen; the others of its archive can."""

    def __str__(self) -> str:
        return f"{self.shape} {self.dtype}"


class Chosen(NamedTuple):
    """An array of a file, and which layer of it is meant."""

    name: str
    stored: Stored
    layer: int | None
    """The place along its first axis; None where the array is one of rows."""


class Contents(Protocol):
    """What a file holds, from which an array is chosen."""

    def choose(self, key: Key, layer: int | None) -> Chosen:
        """Return the array of a name, or the only one."""

    def names(self) -> list[str]:
        """Return the names of its arrays in natural order; one empty name where it has one without a name."""

    def labels(self, key: Key) -> NDArray[Any]:
        """Return the labels of a name, or the only ones."""


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts ``layer_2`` before ``layer_10``."""
    parts = enumerate(_DIGITS.split(name))
    return [(0, int(part), part) if place % 2 else (1, 0, part) for place, part in parts]


@dataclass(frozen=True)
class Archive:
    """Arrays by name; the only array of a file that has one has the name ``""``."""

    arrays: dict[str, Stored]

    def names(self) -> list[str]:
        """Return the names of the arrays in natural order."""
        return sorted(self.arrays, key=natural)

    def choose(self, key: Key, layer: int | None) -> Chosen:
        """Return the array of a name, that of a layer's number among the names, or the only one."""
        chosen = self._chosen(key, layer)
        if chosen.stored.refused:
            raise UnreadableError(chosen.stored.refused)
        return chosen

    def _chosen(self, key: Key, layer: int | None) -> Chosen:
        if not self.arrays:
            raise UnreadableError("it has no array")
        if isinstance(key, list):
            raise ChoiceError(f"key must be one name for an archive, got {printed(key)}")
        if key is not None:
            return self._of_key(key, layer)
        if len(self.arrays) == 1:
            name = next(iter(self.arrays))
            return Chosen(name, self.arrays[name], layer)
        if layer is None:
            raise ChoiceError(f"key must name one of its {len(self.arrays)} arrays, {self._listed()}, got None")
        name = named_by_number(self.names(), layer, self._listed())
        return Chosen(name, self.arrays[name], None)

    def labels(self, key: Key) -> NDArray[Any]:
        """Return the array of a name, or the only one, of which rows are labels."""
        return self.choose(key, None).stored.read(())

    def _of_key(self, key: str, layer: int | None) -> Chosen:
        if key in self.arrays:
            return Chosen(key, self.arrays[key], layer)
        if "" in self.arrays:
            raise ChoiceError(f"key must be None for a file of one array without a name, got {printed(key)}")
        raise ChoiceError(f"key must name one of its arrays, {self._listed()}, got {printed(key)}")

    def _listed(self) -> str:
        names = self.names()
        listed = ", ".join(f"{name!r} {self.arrays[name]}" for name in names[:_MAX_NAMES])
        return listed + (f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else "")


def named_by_number(names: list[str], layer: int, listed: str) -> str:
    """Return the name that has this number, where the names differ in one number, or the last ones by -1, -2, ...

    Parameters
    ----------
    names : list of str
        The names in natural order.
    layer : int
        The number.
    listed : str
        The names as an error lists them.
    """
    parts = [_DIGITS.split(name) for name in names]
    equal_length = len({len(part) for part in parts}) == 1
    differing = [place for place in range(len(parts[0])) if equal_length and len({part[place] for part in parts}) > 1]
    if len(differing) != 1 or differing[0] % 2 == 0:
        raise ChoiceError(
            f"key must name one of its {len(names)} arrays, {listed}: their names do not differ in one number, which "
            f"layer={layer} could be"
        )
    numbers = [int(part[differing[0]]) for part in parts]
    if -len(names) <= layer < 0:
        return names[layer]
    if numbers.count(layer) != 1:
        raise ChoiceError(f"layer must be one of the numbers of its arrays, {printed(numbers)}, got {layer}")
    return names[numbers.index(layer)]


def part_of(array: NDArray[Any]) -> Callable[[tuple[Any, ...]], NDArray[Any]]:
    """Return the function that takes a part of an array: a view where the index has no vector."""

    def read(index: tuple[Any, ...]) -> NDArray[Any]:
        part: NDArray[Any] = array[index]
        return part

    return read


def widened(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return the numbers of bfloat16 bits as float32, of which they are the upper half."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def require_whole(shape: tuple[int, ...], itemsize: int, held: int) -> None:
    """Raise where a header declares another number of bytes than the file holds for it."""
    declared = math.prod(shape) * itemsize
    if declared != held:
        kind = "is cut off" if declared > held else "has more bytes than its header says"
        raise UnreadableError(f"it {kind}: its header declares shape {shape}, {declared} bytes, and it has {held}")
