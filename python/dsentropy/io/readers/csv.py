"""Tables of text, ``.csv`` and ``.tsv``: columns of numbers as rows of an array, and columns of labels.

The delimiter is the first of comma, tab and semicolon that is in the first line. A first line that is not all
numbers names the columns, and so does ``0,1,...,D-1``, as pandas writes it. A first column without a name, the index
of pandas, is left out. Cost: the whole file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.printing import printed
from dsentropy.io.stored import ChoiceError, Chosen, Key, Stored, UnreadableError, part_of
from dsentropy.io.typed_labels import typed_labels

_INDEX = ("", "Unnamed: 0")
"""Names of a column that is the index of pandas."""


@contextmanager
def opened(path: str) -> Iterator[Table]:
    """Read the first line of a table."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        first = file.readline()
    delimiter = next((one for one in ",\t;" if one in first), ",")
    fields = next(csv.reader([first], delimiter=delimiter, strict=True), [])
    numbered = len(fields) > 1 and fields == [str(place) for place in range(len(fields))]
    named = numbered or not all(map(_is_number, fields))
    yield Table(path, delimiter, fields, named)


@dataclass(frozen=True)
class Table:
    """A table of text, of which the first line is known."""

    path: str
    delimiter: str
    first: list[str]
    """The cells of the first line."""
    named: bool
    """Whether these are the names of the columns."""

    def names(self) -> list[str]:
        """Return one empty name: the columns are those of one array."""
        return [""]

    def choose(self, key: Key, layer: int | None) -> Chosen:
        """Read the columns of these names as numbers, by default all."""
        if layer is not None:
            raise ChoiceError(f"layer must be None for a table, got {layer}: key names its columns")
        places = self._places(key)
        text = {"delimiter": self.delimiter, "quotechar": '"', "comments": None, "encoding": "utf-8-sig"}
        self._require_rows()
        try:
            values = np.loadtxt(self.path, skiprows=int(self.named), usecols=places, ndmin=2, **text)  # type: ignore[call-overload]
        except ValueError as error:
            raise UnreadableError(self._fault(places) or str(error)) from error
        return Chosen("", Stored(values.shape, "text", part_of(values)), None)

    def labels(self, key: Key) -> NDArray[Any]:
        """Return the column of a name, or the only one: integers, floats or text."""
        places = self._places(key)
        if len(places) > 1:
            raise ChoiceError(f"key must name one of its columns, {printed(self.first)}, got {printed(key)}")
        values = []
        for line, cells in self._lines():
            if len(cells) <= places[0] or not cells[places[0]].strip():
                raise UnreadableError(f"it has no label in line {line}")
            values.append(cells[places[0]].strip())
        if not values:
            raise UnreadableError("it has no rows")
        return typed_labels(values)

    def _places(self, key: Key) -> list[int]:
        if key is None:
            first = int(self.named and len(self.first) > 1 and self.first[0] in _INDEX)
            return list(range(first, len(self.first)))
        wanted = [key] if isinstance(key, str) else key
        if not self.named:
            raise ChoiceError(f"key must be None for a table whose first line has no names, got {printed(key)}")
        for name in wanted:
            if self.first.count(name) != 1:
                raise ChoiceError(f"key must name columns of it, {printed(self.first)}, got {printed(name)}")
        return [self.first.index(name) for name in wanted]

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows with the numbers of their lines, counted from 1; empty lines are passed over."""
        with open(self.path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            for place, cells in enumerate(reader):
                if cells and (place or not self.named):
                    yield reader.line_num, cells

    def _require_rows(self) -> None:
        if next(self._lines(), None) is None:
            raise UnreadableError("it has no rows")

    def _fault(self, places: list[int]) -> str | None:
        """Return what the first cell is that is no number."""
        for line, cells in self._lines():
            if len(cells) != len(self.first):
                return f"it has {len(cells)} cells in line {line} and {len(self.first)} in the first line"
            for place in places:
                if not _is_number(cells[place]):
                    column = printed(self.first[place]) if self.named else str(place + 1)
                    way = ": key= names the columns to read" if self.named else ""
                    return f"it has {printed(cells[place])} in line {line}, column {column}, which is no number{way}"
        return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text  # which Python reads and NumPy does not
