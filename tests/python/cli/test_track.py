"""``dsentropy track``: logs of monitors as tables, records and curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dsentropy.monitor import Monitor, read_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "run.jsonl"
    for name, n_steps in [("first", 3), ("second", 2)]:
        with Monitor(log=path, run=name, t=[1, 2], num_threads=1) as monitor:
            for step in range(n_steps):
                hidden = rng.normal(size=(12, 3))
                monitor.observe(10 * step, {"a": hidden, "b": np.ones((12, 3)) if step else hidden})
    return path


def test_a_table_has_a_row_a_step_and_a_column_a_layer(log: Path, run: Any) -> None:
    found = run("track", log, "--measure", "dse", "--t", "2")
    assert (found.err, found.code) == ("", 0)
    lines = found.out.splitlines()
    assert lines[0].startswith(f"{log}: first, ")
    assert lines[1].split() == ["step", "a", "b"]
    curves = read_log(log).curves("dse", t=2, run="first")
    assert [line.split()[0] for line in lines[2:5]] == ["0", "10", "20"]
    assert [float(line.split()[1]) for line in lines[2:5]] == [float(f"{one:.5g}") for one in curves.values[:, 0]]
    assert len(lines[3].split()) == 2  # a collapsed layer has no value
    assert lines[5] == ""
    assert lines[6].startswith(f"{log}: second, ")


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_other_formats_have_the_records(form: str, log: Path, run: Any) -> None:
    found = run("track", log, log, "--format", form, "--run", "second")
    records = read_log(log).select(run="second")
    if form == "csv":
        assert len(found.out.splitlines()) == 1 + 2 * len(records)
        return
    lines = found.records if form == "json" else [json.loads(line) for line in found.out.splitlines()]
    assert lines == [*records, *records]
    some = run("track", log, "--format", "json", "--measure", "dse", "--t", "1", "--order", "1").records
    assert some == read_log(log).select("dse", t=1)


def test_curves_are_drawn_for_each_run(log: Path, run: Any, tmp_path: Path) -> None:
    assert run("track", log, "--measure", "dse", "--plot", tmp_path / "a.svg").code == 0
    assert (tmp_path / "a.svg").read_text().count('id="axes_') == 2


def test_without_a_measure_the_entropy_is_printed(log: Path, run: Any) -> None:
    plain, named = run("track", log), run("track", log, "--measure", "dse")
    assert plain.out == named.out
    assert "diffusion spectral entropy (bits)" in plain.out


def test_without_an_entropy_the_information_is_printed(run: Any, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 3))
    with Monitor("dsmi", labels=np.arange(20) % 2, log=tmp_path / "run.jsonl") as monitor:
        monitor.observe(0, {"a": rows})
    assert "information on the labels" in run("track", tmp_path / "run.jsonl").out


@pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")
def test_saturated_values_have_a_mark(run: Any, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 3))
    with Monitor(bandwidth=1.0, log=tmp_path / "run.jsonl") as monitor:
        for step, scale in enumerate([1.0, 1e3]):
            monitor.observe(step, {"grows": scale * rows, "stays": rows, "late": np.ones((20, 3)) if step else rows})
    _, header, first, second, note = run("track", tmp_path / "run.jsonl").out.splitlines()
    grows, stays, _ = monitor.curves("dse").values.T
    assert header.split() == ["step", "grows", "stays", "late"]
    assert first.split()[:3] == ["0", f"{grows[0]:.5g}", f"{stays[0]:.5g}"]
    assert second.split() == ["1", f"{grows[1]:.5g}*", f"{stays[1]:.5g}"]
    assert first.index(f"{grows[0]:.5g}") == second.index(f"{grows[1]:.5g}")
    assert note == "* saturated, within 2% of an end of its range: says little about the layer"


def test_logs_that_cannot_be_read(log: Path, run: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "other.jsonl").write_text("{}\n")
    found = run("track", tmp_path / "empty.jsonl", tmp_path / "other.jsonl", tmp_path / "none.jsonl", log)
    assert found.code == 2
    lines = found.err.splitlines()
    assert lines[0] == f"dsentropy track: {tmp_path / 'empty.jsonl'}: it has no records"
    assert "no line is one of a log" in lines[1]
    assert lines[2] == f"dsentropy track: {tmp_path / 'none.jsonl'}: No such file or directory"
    assert "first, " in found.out
    failed = run("track", log, "--measure", "none")
    assert "--measure must be one with records" in failed.err
    assert failed.code == 2
