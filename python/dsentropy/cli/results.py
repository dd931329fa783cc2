"""Results as records: those of a monitor, with the name of the command as the run and a step of 0.

A command whose results have more columns adds them behind those of :data:`FIELDS`.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import Any

from dsentropy import __version__
from dsentropy.cli.inputs import Rows
from dsentropy.monitor.records import Record, record_of

_NAMES = {"entropy": "value", "n_samples": "n"}
"""Columns of results that records call by another name."""

_LEFT_OUT = ("saturated", "layer")
"""Columns that records have as other fields."""


def records_of(
    table: dict[str, list[Any]],
    options: argparse.Namespace,
    rows: Rows,
    started: float,
    warnings: list[str],
    **fields: Any,
) -> list[Record]:
    """Return one record for each row of the table of a result.

    Parameters
    ----------
    table : dict of list
        The columns of a result.
    options : Namespace
        The options of the command.
    rows : Rows
        The rows that were measured.
    started : float
        When the measurement began, of :func:`time.perf_counter`.
    warnings : list of str
        What was warned of.
    **fields
        Fields of all records.
    """
    shared = {
        "run": options.command,
        "step": 0,
        "time": time.time(),
        "layer": rows.name,
        "n": len(rows.X),
        "n_all": rows.n_all,
        "d": rows.X.shape[1],
        "alpha": options.alpha,
        "metric": options.metric,
        "solver": options.solver,
        "random_state": options.seed,
        "warnings": "\n".join(dict.fromkeys(warnings)) or None,
        "seconds": time.perf_counter() - started,
        "version": __version__,
    }
    columns = {_NAMES.get(name, name): column for name, column in table.items() if name not in _LEFT_OUT}
    ends = table.get("saturated", [False] * len(next(iter(table.values()))))
    records = []
    for place, saturated in enumerate(ends):
        row = {name: _plain(column[place]) for name, column in columns.items()}
        record = record_of({**shared, **fields, **row}.items())
        if isinstance(record["bandwidth"], str):
            record["bandwidth"] = None
        if saturated:
            record["saturation"] = "low" if record["value"] < math.log2(record["n"]) / 2 else "high"
        records.append(record)
    return records


def rule_of(bandwidth: Any) -> str:
    """Return the rule of a bandwidth as records have it."""
    return bandwidth if isinstance(bandwidth, str) else "number"


def _plain(value: Any) -> Any:
    """Return a number that is not finite as None, which a field holds where there is none."""
    return None if isinstance(value, float) and math.isnan(value) else value
