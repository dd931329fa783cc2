"""Results as tables: columns of Python values, a pandas DataFrame, and a small HTML table for notebooks.

The HTML has no colours of its own, so that a table is read in those of the notebook, light or dark. A wide table is
scrolled within its cell.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from typing import Any

_SHOWN = 20
"""Rows of a table that a notebook shows; of a longer one it shows the first and the last half of them."""


class Tabular(ABC):
    """A result with a table that has one row for each reading."""

    __slots__ = ()

    @abstractmethod
    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns of a table: lists of equal length, by name."""

    def to_pandas(self) -> Any:
        """Return the table of :meth:`to_dict` as a pandas DataFrame. Needs pandas."""
        import pandas as pd

        return pd.DataFrame(self.to_dict())

    def _repr_html_(self) -> str:
        """Return the repr as caption and the table of :meth:`to_dict`, cut to 20 rows, below a picture if any."""
        columns = self.to_dict()
        n = max(map(len, columns.values()), default=0)
        cut = n > _SHOWN
        places = [*range(_SHOWN // 2), *range(n - _SHOWN // 2, n)] if cut else [*range(n)]
        rows = [_row("td", (_cell(column[i]) for column in columns.values())) for i in places]
        if cut:
            rows.insert(_SHOWN // 2, _row("td", ("..." for _ in columns)))
        caption = f'<caption style="text-align:left">{html.escape(repr(self))}</caption>'
        return (
            f'<div style="overflow-x:auto">{self._picture()}<table>{caption}'
            f"<thead>{_row('th', columns)}</thead><tbody>{''.join(rows)}</tbody></table></div>"
        )

    def _picture(self) -> str:
        """Return an SVG that a notebook shows above the table; none by default."""
        return ""


def _row(tag: str, texts: Any) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in texts) + "</tr>"


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
