"""Results as small tables of plain text, which ``print`` shows: at most 80 columns wide and some 20 rows long.

The first column has names at the left, of which the end is kept where they are too long; all others have numbers at
the right.
"""

from __future__ import annotations

_WIDTH = 80
"""Columns of a terminal."""

_SHOWN = 20
"""Rows of a table; of a longer one the first and the last half of them are shown."""

_LEAST_NAME = 8
"""Characters to which a name is cut at most."""


def text_table(columns: dict[str, list[str]]) -> str:
    """Return the lines of a table: a header, and a row for each entry of the columns, which are of equal length."""
    n = len(next(iter(columns.values())))
    cut = n > _SHOWN
    places = [*range(_SHOWN // 2), *range(n - _SHOWN // 2, n)] if cut else [*range(n)]
    cells = [list(columns), *([column[place] for column in columns.values()] for place in places)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    widths[0] = min(widths[0], max(_LEAST_NAME, _WIDTH - sum(widths[1:]) - 2 * (len(widths) - 1)))
    lines = [_line(row, widths) for row in cells]
    if cut:
        lines.insert(1 + _SHOWN // 2, "...")
    return "\n".join(lines)


def _line(row: list[str], widths: list[int]) -> str:
    name, *numbers = row
    kept = name if len(name) <= widths[0] else f"...{name[len(name) - widths[0] + 3 :]}"
    padded = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
    return "  ".join([kept.ljust(widths[0]), *padded]).rstrip()
