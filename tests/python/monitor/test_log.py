"""The log: lines, incomplete ones, resumed runs, and readers."""

import json
import math
import os

import numpy as np
import pytest
from dsentropy.monitor import Monitor, MonitorWarning, Records, read_log
from dsentropy.monitor import log as log_module
from dsentropy.monitor.records import FIELDS

X = np.random.default_rng(0).normal(size=(20, 3))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "run.jsonl"


def train(path, steps, **arguments):
    with Monitor(log=path, **arguments) as monitor:
        for step in steps:
            monitor.observe(step, {"a": X * (step + 1), "b": X**2}, epoch=step / 2)
    return monitor


def steps_of(records):
    return [record["step"] for record in records.select("dse", layer="a")]


def test_a_log_has_the_records_of_its_monitor(path):
    monitor = train(path, [0, 1], orders=[1, math.inf], run="first")
    records = read_log(path)
    assert isinstance(records, Records)
    assert records == monitor.records
    assert len(records) == 2 * 2 * 5  # two entropies, and three others
    assert all(list(record) == list(FIELDS) for record in records)
    for record in records:
        for name, kind in FIELDS.items():
            assert record[name] is None or isinstance(record[name], (kind, int) if kind is float else kind)
    assert {record["order"] for record in records.select("dse")} == {1.0, math.inf}
    assert {record["epoch"] for record in records} == {0.0, 0.5}


def test_lines_are_json_without_numbers_that_are_not_finite(path):
    with Monitor(log=path, n_repeats=1, labels=np.arange(20) % 2) as monitor:
        monitor.observe(0, {"a": X, "b": X * np.nan})

    def refuse(constant):
        raise AssertionError(constant)

    lines = [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]
    assert lines[-1] == {"run": monitor.run, "completed": 0}
    assert [line["standard_error"] for line in lines[:-1] if line["measure"] == "dsmi"] == [None, None]
    assert all("must be finite" in line["reason"] for line in lines[:-1] if line["layer"] == "b")


def test_each_line_is_one_write_at_the_end(path, monkeypatch):
    written = []
    write = os.write

    def record(descriptor, data):
        written.append(bytes(data))
        return write(descriptor, data)

    monkeypatch.setattr(log_module.os, "write", record)
    train(path, [0])
    assert written == path.read_bytes().splitlines(keepends=True)
    assert all(line.count(b"\n") == 1 for line in written)


def test_a_log_that_is_cut_anywhere_is_read_and_gone_on_with(path):
    whole = train(path, [0, 1], run="r").records
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    start = len(data) - len(lines[-1]) - len(lines[-2])
    for cut in [*range(start - 40, start + 40), *range(len(data) - 40, len(data))]:
        path.write_bytes(data[:cut])
        n = len(read_log(path))
        assert n in (14, 15, 16)
        assert read_log(path) == whole[:n]
    path.write_bytes(data[: start + 30])
    resumed = train(path, [1], run="r")
    assert [record["step"] for record in resumed.records] == [0] * 8 + [1] * 8
    assert read_log(path) == resumed.records
    assert path.read_bytes().startswith(data[: start + 30] + b"\n")


def test_a_resumed_run_supersedes_later_steps(path):
    first = train(path, range(5), run="r", bandwidth="frozen")
    second = train(path, [3, 4, 5], bandwidth="frozen")
    assert second.run == "r"
    assert steps_of(second.records) == [0, 1, 2, 3, 4, 5]
    assert read_log(path) == second.records
    assert {"run": "r", "resumed_from": 2} in [json.loads(line) for line in path.read_text().splitlines()]
    assert {record["bandwidth"] for record in second.records.select("dse", layer="a")} == {
        first.records.select("dse", layer="a")[0]["bandwidth"]
    }
    assert len(path.read_text().splitlines()) == 5 * 9 + 1 + 3 * 9


def test_resume_names_the_last_step_that_counts(path):
    train(path, [0, 10, 20], run="r")
    with Monitor(log=path) as monitor:
        assert monitor.last_step == 20
        monitor.resume(10)
        assert monitor.last_step == 10
        monitor.observe(30, {"a": X})
    assert steps_of(read_log(path)) == [0, 10, 30]
    with Monitor(log=path) as monitor:
        monitor.resume(-1)
        assert monitor.records == read_log(path) == []


def test_a_step_without_all_its_records_is_not_the_last_one(path):
    train(path, [0, 1], run="r")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    with Monitor(log=path) as monitor:
        assert monitor.last_step == 0
        monitor.observe(1, {"a": X, "b": X})
    with Monitor(log=path, run="r") as monitor:
        assert monitor.last_step == 1


def test_runs_share_a_log(path):
    one, two = train(path, [0, 1], run="one"), train(path, [0], run="two")
    again = train(path, [1], run="one")
    records = read_log(path)
    assert records.select(run="one") == again.records
    assert records.select(run="two") == two.records
    assert again.records[:8] == one.records[:8]
    assert train(path, []).run == "one"


def test_a_marker_without_a_run_holds_for_all(path):
    train(path, [0, 1], run="one")
    train(path, [0, 1], run="two")
    with path.open("a") as file:
        file.write('{"resumed_from": 0}\n')
    assert {record["step"] for record in read_log(path)} == {0}
    with Monitor(log=path) as monitor:
        assert (monitor.run, monitor.last_step) == ("two", 0)


def test_the_last_of_equal_readings_counts(path):
    with Monitor(log=path) as monitor:
        monitor.observe(0, {"a": X, "b": X})
        monitor.observe(0, {"a": X**3})
        assert len(monitor.records) == 8
    assert read_log(path) == monitor.records
    assert monitor.records.without_superseded() == monitor.records
    twice = Records(monitor.records + monitor.records)
    assert twice.without_superseded() == monitor.records


def test_a_number_as_bandwidth_is_a_rule_of_its_own(path):
    for bandwidth in (1.0, 2.0):
        with Monitor(log=path, run="r", bandwidth=bandwidth) as monitor:
            monitor.resume(0)
            monitor.observe(0, {"a": X})
    assert [record["bandwidth"] for record in read_log(path).select("dse")] == [1.0, 2.0]


def test_a_new_rule_does_not_use_frozen_bandwidths(path):
    train(path, [0], bandwidth="frozen", run="r")
    monitor = train(path, [1])
    first, second = monitor.records.select("dse", layer="a")
    assert second["bandwidth"] == pytest.approx(2 * first["bandwidth"])


@pytest.mark.parametrize(
    "line", ["nonsense", "3", "[]", "{}", '{"run": 1, "step": 0, "layer": "a", "measure": "dse"}']
)
def test_lines_that_are_none_of_a_log_are_passed_over(path, line):
    monitor = train(path, [0])
    data = path.read_text()
    path.write_text(f"{line}\n\n{data}{line}\n")
    assert read_log(path) == monitor.records
    path.write_text(f"{line}\n")
    with pytest.raises(ValueError, match="path must be that of a log"):
        read_log(path)
    with pytest.raises(ValueError, match="log must be that of a log"):
        Monitor(log=path)
    path.write_text(line)  # incomplete
    assert read_log(path) == []


@pytest.mark.parametrize("field", [{"t": "1"}, {"bandwidth_rule": [1]}, {"step": True}, {"value": {}}])
def test_fields_of_a_wrong_type_make_no_record(path, field):
    monitor = train(path, [0])
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(lines[0]) | field), *lines[1:], ""]))
    assert read_log(path) == monitor.records[1:]


def test_a_reader_needs_a_file(path):
    with pytest.raises(FileNotFoundError):
        read_log(path)
    with pytest.raises(TypeError, match="path must be a path"):
        read_log(3)


def test_a_log_that_cannot_be_written_is_written_later(path, monkeypatch):
    write, cut, full = os.write, [], [True]

    def failing(descriptor, data):
        if cut and full:
            raise OSError(28, "No space left on device")
        if not cut and b'"step":1' in data:
            cut.append(data)
            return write(descriptor, data[:10])
        return write(descriptor, data)

    monkeypatch.setattr(log_module.os, "write", failing)
    with Monitor(log=path) as monitor:
        monitor.observe(0, {"a": X})
        with pytest.warns(MonitorWarning, match=r"cannot be written, .* No space left"):
            monitor.observe(1, {"a": X})
        full.clear()
        monitor.observe(2, {"a": X})
    assert read_log(path) == monitor.records


def test_what_is_left_at_the_end_is_an_error_and_the_log_is_free(path, monkeypatch):
    monitor = Monitor(log=path)
    with monkeypatch.context() as patch:
        patch.setattr(log_module.os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.warns(MonitorWarning, match="full"):
            monitor.observe(0, {"a": X})
        with pytest.raises(OSError, match="full"):
            monitor.close()
    monitor.close()
    assert len(monitor.records) == 4
    train(path, [0])


def test_a_log_must_be_a_file(tmp_path):
    with pytest.raises(OSError, match="directory"):
        Monitor(log=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Monitor(log=tmp_path / "file" / "log")


def test_a_seed_beyond_64_bits_is_kept(path):
    monitor = train(path, [0], random_state=2**70)
    assert read_log(path) == monitor.records
    records = monitor.records
    records.to_parquet(path.with_suffix(".parquet"))
    import pandas as pd

    assert set(pd.read_parquet(path.with_suffix(".parquet"))["random_state"]) == {str(2**70)}


def test_a_record_of_another_writer_may_lack_fields(path):
    path.parent.mkdir()
    lines = [{"run": "r", "step": step, "layer": "a", "measure": "mine", "value": step} for step in (1, 0)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    records = read_log(path)
    assert [record["value"] for record in records] == [1, 0]
    assert records[0]["depth"] is records[0]["t"] is None
    curves = records.curves("mine")
    assert (curves.steps, curves.layers, curves.values.tolist()) == ((0, 1), ("a",), [[0], [1]])
    with Monitor(log=path) as monitor:
        assert (monitor.run, len(monitor.records), monitor.last_step) == ("r", 2, None)
