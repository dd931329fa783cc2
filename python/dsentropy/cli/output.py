"""Records on the standard output: as a table, JSON, JSON lines or CSV.

JSON lines and CSV are written record by record, as files are done. Numbers that are not finite are null, but for the
order ``"inf"``, as in the log of a monitor.
"""

from __future__ import annotations

import csv
import sys
from typing import Any

from dsentropy.monitor.log import as_line
from dsentropy.monitor.records import Record

_WIDEST = 60
"""Characters of a cell of a table."""


class Output:
    """A writer of records in one format."""

    def __init__(self, form: str, columns: tuple[str, ...]) -> None:
        self._form, self._columns = form, columns
        self._records: list[Record] = []
        self._csv: Any = None

    def add(self, records: list[Record]) -> None:
        """Write records, or keep them for the end."""
        if self._form in ("table", "json"):
            self._records += records
            return
        for record in records:
            if self._form == "jsonl":
                sys.stdout.write(as_line(record).decode())
            else:
                if self._csv is None:
                    self._csv = csv.writer(sys.stdout, lineterminator="\n")
                    self._csv.writerow(record)
                self._csv.writerow(["" if value is None else value for value in record.values()])
        sys.stdout.flush()

    def end(self) -> None:
        """Write what was kept."""
        if self._form == "json":
            lines = [as_line(record).decode().rstrip("\n") for record in self._records]
            sys.stdout.write("[" + ",\n ".join(lines) + "]\n")
        elif self._form == "table" and self._records:
            shown = [name for name in self._columns if any(_is_worth(name, record) for record in self._records)]
            print_table(shown, [[record.get(name) for name in shown] for record in self._records])
        sys.stdout.flush()


def _is_worth(name: str, record: Record) -> bool:
    """Return whether a field is shown: errors of exact solutions, which are 0, are not."""
    value = record.get(name)
    return value is not None and not (name == "standard_error" and value == 0)


def print_table(header: list[str], rows: list[list[Any]], *, at_right: bool = False) -> None:
    """Print a table, numbers at the right, and text at the left unless it is numbers with marks."""
    cells = [header, *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(header))]
    is_text = [all(isinstance(row[place], (str, type(None))) for row in rows) for place in range(len(header))]
    left = [text and not at_right for text in is_text]
    for row in cells:
        padded = [
            cell.ljust(width) if at_left else cell.rjust(width)
            for cell, width, at_left in zip(row, widths, left, strict=True)
        ]
        print("  ".join(padded).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.5g}"
    text = str(value)
    return text if len(text) <= _WIDEST else f"...{text[3 - _WIDEST :]}"
