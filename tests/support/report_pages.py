"""Records of a training for pages of `report`, and what such a page holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from chromium import Page
from dsentropy.monitor import Records, report
from dsentropy.monitor.records import record_of

STEPS = [0, 10, 20, 30]
LAYERS = ["first", "second", "third"]


def record(step: int = 0, layer: str = "first", value: float | None = 1.0, run: str = "a", **fields: Any) -> Any:
    fields = {"measure": "dse", "t": 1.0, "order": 1.0, "bandwidth_rule": "median", "bandwidth": 0.5, **fields}
    return record_of({"run": run, "step": step, "layer": layer, "value": value, **fields}.items())


def curves(run: str = "a", offset: float = 0.0) -> Records:
    """Three layers at four steps, two values of t; the second layer collapsed at step 20."""
    made = Records()
    for k, step in enumerate(STEPS):
        for depth, layer in enumerate(LAYERS):
            for t in (1.0, 2.0):
                gone = (layer, step) == ("second", 20)
                fields = {"depth": depth, "t": t, "standard_error": 0.1, "n": 50, "epoch": step / 10}
                fields |= {"reason": "second is collapsed" if gone else None, "version": "1.2"}
                made.append(record(step, layer, None if gone else offset + depth + k / t, run, **fields))
        made.append(record(step, "first", 0.5, run, measure="spread", t=None, order=None, bandwidth_rule=None))
    return made


def data_of(path: Path) -> Any:
    """The JSON in a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.S)
    assert found
    return json.loads(found[1])


def column(data: Any, name: str) -> list[Any]:
    given = data["columns"][name]
    return [given["texts"][code] for code in given["codes"]] if isinstance(given, dict) else list(given)


def opened(tmp_path: Path, records: Any, **options: Any) -> Page:
    report(records, tmp_path / "run.html")
    return Page(tmp_path / "run.html", **options)
