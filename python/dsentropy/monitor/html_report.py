"""Report of a training: one HTML page with curves, profiles and the table of its records, which needs no network.

The page holds the records as JSON, column by column: strings as a code into the list of distinct ones, floats with
seven digits. Plain JavaScript draws them (``page/report.js``). ``<``, ``>`` and ``&`` are escaped in the JSON, so no
name of a layer ends its element, and the script makes text nodes of names, never HTML. A policy in the page forbids
all requests.
"""

from __future__ import annotations

import html
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import pairwise
from typing import Any

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_path, entries_of
from dsentropy.io.replacing import replacing
from dsentropy.monitor.curves import curve_label
from dsentropy.monitor.log import Contents
from dsentropy.monitor.monitor import Monitor
from dsentropy.monitor.records import FIELDS, REQUIRED, Record, Records, record_of

_LEFT_OUT = frozenset({"time", "depth", "digest", "version", "random_state", "metric", "solver", "precision", "null"})
"""Fields that the page does not show."""

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def report(
    records: str | os.PathLike[str] | Monitor | Iterable[Mapping[str, Any]],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
) -> None:
    r"""Write a page with the curves, profiles and table of a training, which a browser shows without a network.

    The page has the values of one measure, t and order at a time, which are chosen there, as are layers and runs. A
    point shows its record under the pointer, and is hollow where the reading is saturated. A reading without a value
    is a gap of its line, and its reason is in the table. The axis has epochs where all records have one and they
    ascend with the steps. The page follows the light or dark setting of the browser, and can be printed.

    Parameters
    ----------
    records : path, Monitor or iterable of records
        The log of a :class:`Monitor`, also while it is being written; a monitor; or records of one or several runs,
        such as those of :func:`read_log`. Of records with one key the last is shown.
    path : path
        The file to write, all or nothing.
    title : str, optional
        The title of the page; by default that of the runs.

    Raises
    ------
    OSError
        Where the log cannot be read, or the page not be written.
    ValueError
        Where there are no records, or the file is no log.
    TypeError
        Where an entry of ``records`` is no record.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from dsentropy.monitor import Monitor, report
    >>> monitor = Monitor(run="a")
    >>> for step in range(3):
    ...     _ = monitor.observe(step, {"hidden": (step + 1) * np.eye(8)})
    >>> path = os.path.join(tempfile.mkdtemp(), "run.html")
    >>> report(monitor, path)
    >>> with open(path) as page:
    ...     page.readline()
    '<!DOCTYPE html>\n'
    """
    name = as_path(path, "path")
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a string or None, got {printed(title)}")
    chosen = _as_records(records).without_superseded()
    if not chosen:
        raise ValueError("records must not be empty: a log has records once a step was observed")
    page = _page(chosen, title)
    with replacing(name) as file:
        file.write(page.encode("utf-8", "backslashreplace"))


def _as_records(given: Any) -> Records:
    """Convert a log, a monitor or an iterable of records to complete records."""
    if isinstance(given, Monitor):
        return given.records
    if isinstance(given, (str, bytes, os.PathLike)):
        name = as_path(given, "records")
        with open(name, "rb") as file:
            read = Contents.of(file.read(), name, "records").records
        return Records({name: one if _has_kind(name, one) else None for name, one in line.items()} for line in read)
    entries = given if isinstance(given, list) else entries_of(given, "records", "records")
    if entries is None or isinstance(given, Mapping):
        raise TypeError(f"records must be a path, a Monitor or an iterable of records, got {printed(given)}")
    return Records(_as_record(entry) for entry in entries)


def _as_record(entry: Any) -> Record:
    """Check one record, whose missing fields are None."""
    if not isinstance(entry, Mapping):
        raise TypeError(f"records must be dictionaries, got {printed(entry)}")
    record = record_of((name, entry[name]) for name in FIELDS if name in entry)
    for name, value in record.items():
        if not _has_kind(name, value) and not (value is None and name not in REQUIRED):
            raise TypeError(f"records must have {name!r} of type {FIELDS[name].__name__}, got {printed(value)}")
    return record


def _has_kind(name: str, value: Any) -> bool:
    """Return whether a value is one of a field; an integer beyond float64 is none."""
    kind = FIELDS.get(name, object)
    if isinstance(value, int) and (isinstance(value, bool) or value.bit_length() > 1023):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _page(records: Records, title: str | None) -> str:
    runs = list(dict.fromkeys(record["run"] for record in records))
    shown = f"Training {', '.join(runs[:3])}{', ...' if len(runs) > 3 else ''}" if title is None else title
    data = json.dumps(_data(records, runs), separators=(",", ":"), allow_nan=False)
    parts = {
        "title": html.escape(shown),
        "style": _source("report.css"),
        "script": _source("report.js"),
        "data": re.sub("[<>&]", lambda match: _ESCAPES[match[0]], data),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _source("report.html"))


def _source(name: str) -> str:
    return files("dsentropy.monitor").joinpath("page", name).read_text(encoding="utf-8")


def _data(records: Records, runs: list[str]) -> dict[str, Any]:
    """Return the records as columns, with what the page says of them as a whole."""
    depths = {record["layer"]: record["depth"] for record in reversed(records)}
    depths = {layer: depths[layer] for layer in dict.fromkeys(record["layer"] for record in records)}
    layers = sorted(depths, key=lambda layer: math.inf if depths[layer] is None else depths[layer])
    columns: dict[str, Any] = {"layer": _coded([record["layer"] for record in records], layers)}
    columns |= {name: _coded([_number(record[name]) for record in records]) for name in ("t", "order")}
    columns["kernel"] = _coded(_kernels(records))
    for name, kind in FIELDS.items():
        given = [record[name] for record in records]
        is_known = name == "value" or any(one is not None for one in given)
        if is_known and name not in columns and name not in _LEFT_OUT:
            columns[name] = _coded(given) if kind is str else [_short(one) for one in given]
    measures = dict.fromkeys(record["measure"] for record in records)
    steps = {(record["run"], record["step"]) for record in records}
    versions = dict.fromkeys(record["version"] for record in records if record["version"])
    counts = [(len(records), "record"), (len(runs), "run"), (len(layers), "layer"), (len(steps), "step")]
    about = ", ".join(f"{number:,} {noun}{'' if number == 1 else 's'}" for number, noun in counts)
    return {
        "n": len(records),
        "columns": columns,
        "layers": layers,
        "labels": {measure: curve_label(measure) for measure in measures},
        "axis": _axis(records),
        "about": f"{about}; dsentropy {', '.join(versions) or 'of unknown version'}",
    }


def _axis(records: Records) -> str:
    """Return what curves are drawn against: epochs, where all records have one and they ascend with the steps."""
    known: dict[str, dict[int, float]] = {}
    for record in records:
        if record["epoch"] is None or not math.isfinite(record["epoch"]):
            return "step"
        known.setdefault(record["run"], {})[record["step"]] = _short(record["epoch"])  # type: ignore[assignment]
    for of_run in known.values():
        epochs = [epoch for _, epoch in sorted(of_run.items())]
        if any(later <= epoch for epoch, later in pairwise(epochs)):
            return "step"
    return "epoch"


def _coded(texts: list[Any], distinct: list[Any] | None = None) -> dict[str, list[Any]]:
    """Return the distinct texts of a column, by default in order of appearance, and the place of each among them."""
    known = list(dict.fromkeys(texts)) if distinct is None else distinct
    places = {text: place for place, text in enumerate(known)}
    return {"texts": known, "codes": [places[text] for text in texts]}


def _kernels(records: Records) -> list[str]:
    """Return how the kernel of each record differs from others: its bandwidth, and alpha where there are several."""
    alphas = {record["alpha"] for record in records if record["alpha"] is not None}
    found = []
    for record in records:
        rule = record["bandwidth_rule"]
        bandwidth = _number(record["bandwidth"]) if rule == "number" else rule
        alpha = f", alpha = {_number(record['alpha'])}" if len(alphas) > 1 and record["alpha"] is not None else ""
        found.append("" if rule is None else f"bandwidth {bandwidth}{alpha}")
    return found


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _short(value: float | None) -> float | None:
    """Round a float to seven digits; None where it is not finite."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.7g}") if math.isfinite(value) else None
