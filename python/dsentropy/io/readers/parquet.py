"""Columns of a Parquet file: one column of lists, each a row, or columns of floats.

The index of pandas is left out, unless it is named. A list may hold lists, all of one length: rows of several axes.
Cost: the columns that are chosen, whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.memory import require_bytes
from dsentropy._checks.printing import printed
from dsentropy.io.optional import required
from dsentropy.io.stored import ChoiceError, Chosen, Key, Stored, UnreadableError, named_by_number, natural, part_of

_MAX_NAMES = 20
"""Columns that an error lists."""


@contextmanager
def opened(path: str) -> Iterator[Columns]:
    """Open a file and read its schema."""
    parquet = required("pyarrow.parquet", ".parquet")
    with parquet.ParquetFile(path, memory_map=True) as file:
        schema = file.schema_arrow
        named = (schema.pandas_metadata or {}).get("index_columns", [])
        index = frozenset(name for name in named if isinstance(name, str))
        yield Columns(file, {field.name: field.type for field in schema}, index)


@dataclass(frozen=True)
class Columns:
    """The columns of a file with their types."""

    file: Any
    types: dict[str, Any]
    index: frozenset[str]
    """Those that are the index of pandas."""

    def names(self) -> list[str]:
        """Return the columns of lists in natural order, or one empty name for all columns of floats."""
        return sorted(self._lists(), key=natural) or [""]

    def choose(self, key: Key, layer: int | None) -> Chosen:
        """Read a column of lists, or columns of numbers as those of one array."""
        names = self._names(key, layer)
        layer = layer if key is not None or len(self._lists()) == 1 else None
        self._require_memory(names)
        table = self.file.read(columns=names)
        if len(names) == 1 and _is_list(self.types[names[0]]):
            values = _of_lists(table.column(0).combine_chunks(), names[0])
        else:
            values = np.column_stack([_numbers(table.column(name), name) for name in names])
        name = names[0] if len(names) == 1 else ""
        return Chosen(name, Stored(values.shape, str(values.dtype), part_of(values)), layer)

    def _require_memory(self, names: list[str]) -> None:
        """Raise before columns are read that do not fit into memory; a file may hold few bytes of them."""
        metadata = self.file.metadata
        counts = dict.fromkeys(names, metadata.num_rows)
        if len(names) == 1 and _is_list(self.types[names[0]]):
            groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
            inside = [place for place, path in enumerate(self._paths()) if path.startswith(f"{names[0]}.")]
            counts[names[0]] = sum(group.column(place).num_values for group in groups for place in inside)
        held = sum(count * _itemsize(self.types[name]) for name, count in counts.items())
        require_bytes(f"columns {printed(names)}", metadata.num_rows, held, "key of fewer columns", "a smaller file")

    def _paths(self) -> list[str]:
        schema = self.file.schema
        return [schema.column(place).path for place in range(len(schema))]

    def labels(self, key: Key) -> NDArray[Any]:
        """Return the column of a name, or the only one."""
        wanted = next(iter(self.types)) if key is None and len(self.types) == 1 else key
        if not isinstance(wanted, str) or wanted not in self.types:
            raise ChoiceError(f"key must name one of its columns, {self._listed()}, got {printed(key)}")
        column = self.file.read(columns=[wanted]).column(0)
        if column.null_count:
            raise UnreadableError(f"it has no label in {column.null_count} rows of column {wanted!r}")
        values = np.array(column.to_pylist())
        if values.ndim != 1 or values.dtype.kind not in "biufU":
            raise ChoiceError(f"key must name a column of labels, got {wanted!r} of type {self.types[wanted]}")
        return values

    def _names(self, key: Key, layer: int | None) -> list[str]:
        if key is None:
            return self._all(layer)
        wanted = [key] if isinstance(key, str) else key
        for name in wanted:
            if name not in self.types:
                raise ChoiceError(f"key must name columns of it, {self._listed()}, got {printed(name)}")
            if len(wanted) > 1 and _is_list(self.types[name]):
                raise ChoiceError(f"key must be one name for a column of lists, got {printed(wanted)}")
        return wanted

    def _all(self, layer: int | None) -> list[str]:
        """Return the only column of lists, that of a layer's number, or all columns of floats."""
        lists = self._lists()
        if len(lists) == 1:
            return lists
        if lists and layer is not None:
            return [named_by_number(self.names(), layer, self._listed())]
        floats = [name for name, kind in self.types.items() if _is_float(kind) and name not in self.index]
        if lists or not floats:
            raise ChoiceError(f"key must name columns of it, {self._listed()}, got None")
        return floats

    def _lists(self) -> list[str]:
        return [name for name, kind in self.types.items() if _is_list(kind) and _is_number(_inner(kind))]

    def _listed(self) -> str:
        listed = ", ".join(f"{name!r} {kind}" for name, kind in list(self.types.items())[:_MAX_NAMES])
        more = len(self.types) - _MAX_NAMES
        return listed + (f" and {more} more" if more > 0 else "")


def _is_list(kind: Any) -> bool:
    types = required("pyarrow", ".parquet").types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_float(kind: Any) -> bool:
    return bool(required("pyarrow", ".parquet").types.is_floating(kind))


def _is_number(kind: Any) -> bool:
    return _is_float(kind) or bool(required("pyarrow", ".parquet").types.is_integer(kind))


def _inner(kind: Any) -> Any:
    while _is_list(kind):
        kind = kind.value_type
    return kind


def _itemsize(kind: Any) -> int:
    """Return the bytes of a number, at any depth of lists; 0 of what is none, which is refused later."""
    return int(_inner(kind).bit_width) // 8 if _is_number(_inner(kind)) else 0


def _of_lists(column: Any, name: str) -> NDArray[Any]:
    """Return lists of one length as an array, whose further axes are those of lists in lists."""
    shape = [len(column)]
    while _is_list(column.type):
        if column.null_count:
            raise UnreadableError(f"it has missing lists in column {name!r}")
        entries = column.flatten()
        lengths = np.unique(column.value_lengths().to_numpy(zero_copy_only=False))
        if len(lengths) > 1:
            raise UnreadableError(
                f"its lists in column {name!r} differ in length, from {lengths[0]} to {lengths[-1]}"
            )
        shape.append(int(lengths[0]) if len(lengths) else 0)
        column = entries
    return _numbers(column, name).reshape(shape)


def _numbers(column: Any, name: str) -> NDArray[Any]:
    """Return a column of numbers; missing ones are NaN."""
    if not _is_number(column.type):
        raise ChoiceError(f"key must name columns of numbers, got {name!r} of type {column.type}")
    values: NDArray[Any] = column.to_numpy(**({} if hasattr(column, "chunks") else {"zero_copy_only": False}))
    return values
