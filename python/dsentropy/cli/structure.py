"""The bandwidth ``structure`` of commands: the multiple of the medians at which data differ most from their null.

It is common to all arrays of a call, so they are read once before they are measured; of each at most 1000 rows are
kept. Cost: about 165 entropies an array.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from dsentropy.cli import options as _options

if TYPE_CHECKING:
    from dsentropy import BandwidthSuggestion
    from dsentropy.cli.inputs import Rows

RULE = "structure"

_ROWS = 1000
"""Rows of an array that choose the bandwidth, as in ``suggest_bandwidth``."""


class Suggested:
    """Bandwidths of arrays by the rule ``structure``, and the reader that gives each of them once more."""

    def __init__(self, files: list[str], read: Callable[[str], list[Rows]], options: argparse.Namespace) -> None:
        from dsentropy.io.files import STDIN

        self._read = read
        self._held: dict[str, list[Rows]] = {}
        used: dict[Hashable, Any] = {}
        for path in files:
            with contextlib.suppress(Exception):  # of a file, which is said when it is measured
                found = read(path)
                if path == STDIN:
                    self._held[path] = found
                used |= {rows.name: _few(rows.X, options) for rows in found}
        self.found: BandwidthSuggestion | None = suggestion(used, options) if used else None

    def read(self, path: str) -> list[Rows]:
        """Return the arrays of a file; the standard input, which cannot be read twice, was kept."""
        return self._held.pop(path) if path in self._held else self._read(path)

    def bandwidth(self, name: str) -> float | str:
        """Return the bandwidth of an array, any number where no two rows differ; of one that is refused the rule."""
        found: Any = {} if self.found is None else self.found.bandwidth
        return _positive(found[name]) if name in found else RULE


def suggestion(X: Any, options: argparse.Namespace) -> BandwidthSuggestion:
    """Suggest the bandwidth of rows, or of arrays by name, at the first t and order of the options."""
    from dsentropy import suggest_bandwidth

    null: Any = getattr(options, "null", None) or "gaussian"
    order = getattr(options, "orders", [1.0])[0]
    return suggest_bandwidth(X, options.t[0], null, order=order, **_options.shared(options))


def bandwidth_of_rows(X: Any, bandwidth: Any, options: argparse.Namespace) -> Any:
    """Return a bandwidth of one array as the measures take it: a number in place of ``structure``."""
    return _positive(suggestion(X, options).bandwidth) if bandwidth == RULE else bandwidth


def bandwidth_of_pair(A: Any, B: Any, options: argparse.Namespace) -> Any:
    """Return the bandwidth of two arrays as :func:`compare` takes it."""
    if options.bandwidth != RULE:
        return options.bandwidth
    found = suggestion({"A": A, "B": B}, options).bandwidth
    return {name: _positive(number) for name, number in found.items()}  # type: ignore[union-attr]


def _few(X: Any, options: argparse.Namespace) -> Any:
    """Check rows, and return those that choose the bandwidth."""
    from dsentropy._data.data import Data
    from dsentropy._data.surrogates import require_rows

    data = Data.of(X, options.metric).limited(_ROWS, options.seed)
    require_rows(data)
    return data.given


def _positive(bandwidth: Any) -> float:
    return float(bandwidth) or 1.0
