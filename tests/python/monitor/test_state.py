"""The state of a monitor in a checkpoint: the run goes on after its last step, with a log and without one."""

import json
import math

import numpy as np
import pytest
from dsentropy.monitor import Monitor, read_log

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")  # layers grow

X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.arange(60) % 3
SETTINGS = {
    "labels": LABELS,
    "t": [1, 2],
    "orders": [1, math.inf],
    "bandwidth": "frozen",
    "max_samples": 40,
    "num_threads": 1,
}


def observe(monitor, *steps):
    for step in steps:
        monitor.observe(step, {"first": X * (1 + step), "second": X[:, :2] * (2 + step)}, epoch=step)


def observed(*steps, **arguments):
    with Monitor(**{**SETTINGS, **arguments}) as monitor:
        observe(monitor, *steps)
    return monitor


def readings(records):
    """Fields that do not depend on the moment or the name of the run."""
    names = ("run", "time", "seconds")
    return [{name: value for name, value in record.items() if name not in names} for record in records]


def through_json(state):
    return json.loads(json.dumps(state, allow_nan=False))


def test_a_run_without_a_log_goes_on_in_memory():
    whole = observed(0, 10, 20)
    state = through_json(observed(0, 10).state_dict())
    with Monitor(**SETTINGS) as monitor:
        monitor.load_state_dict(state)
        assert (monitor.run, monitor.last_step) == (state["run"], 10)
        observe(monitor, 20)
    assert readings(monitor.records) == readings(whole.records)
    assert {record["run"] for record in monitor.records} == {state["run"]}
    assert readings(monitor.records.select(order=math.inf))


def test_a_run_of_a_log_goes_on_after_the_state(tmp_path):
    path = tmp_path / "run.jsonl"
    with Monitor(**SETTINGS, log=path) as monitor:
        observe(monitor, 0, 10)
        state = through_json(monitor.state_dict())
        observe(monitor, 20, 30)
    assert state["records"] == {}
    observed(5, log=path, run="another")
    with Monitor(**SETTINGS, log=path) as monitor:
        assert monitor.run == "another"
        monitor.load_state_dict(state)
        assert (monitor.run, monitor.last_step) == (state["run"], 10)
        assert read_log(path).curves("dse", run=state["run"]).steps == (0, 10)
        observe(monitor, 20)
    assert readings(monitor.records) == readings(observed(0, 10, 20).records)
    assert read_log(path).select(run=state["run"]) == monitor.records
    assert read_log(path).curves("dse", run="another").steps == (5,)


def test_the_records_of_a_state_go_to_a_log_without_the_run(tmp_path):
    path = tmp_path / "new.jsonl"
    state = observed(0, 10).state_dict()
    with Monitor(**SETTINGS, log=path) as monitor:
        monitor.load_state_dict(state)
        assert read_log(path).curves("dse").steps == (0, 10)
    with Monitor(**SETTINGS, log=path) as monitor:
        assert (monitor.run, monitor.last_step) == (state["run"], 10)
        observe(monitor, 20)
    assert readings(read_log(path)) == readings(observed(0, 10, 20).records)


@pytest.mark.parametrize("has_log", [False, True])
def test_a_run_whose_log_is_gone_keeps_what_later_steps_depend_on(tmp_path, has_log):
    with Monitor(**SETTINGS, log=tmp_path / "old.jsonl") as monitor:
        observe(monitor, 0, 10)
        state = monitor.state_dict()
    arguments = {"log": tmp_path / "new.jsonl"} if has_log else {}
    with Monitor(**SETTINGS, **arguments) as monitor:
        monitor.load_state_dict(state)
        assert (monitor.last_step, len(monitor.records)) == (10, 0)
        observe(monitor, 20)
        monitor.resume(10)
        observe(monitor, 20)
    assert readings(monitor.records) == readings(observed(0, 10, 20).records)[-len(monitor.records) :]
    if has_log:
        assert read_log(tmp_path / "new.jsonl") == monitor.records


def test_a_state_before_the_first_step_starts_the_run_again(tmp_path):
    with Monitor(**SETTINGS, log=tmp_path / "run.jsonl") as monitor:
        state = monitor.state_dict()
        observe(monitor, 0, 10)
    with Monitor(**{**SETTINGS, "max_samples": 30}) as other:
        other.load_state_dict(state)
        assert (other.run, other.last_step) == (state["run"], None)
    with Monitor(**SETTINGS, log=tmp_path / "run.jsonl") as monitor:
        monitor.load_state_dict(state)
        assert monitor.last_step is None
        observe(monitor, 3)
    assert read_log(tmp_path / "run.jsonl").curves("dse").steps == (3,)


def test_steps_in_the_background_are_in_the_state():
    with Monitor(**SETTINGS, background=True) as monitor:
        observe(monitor, 0, 10)
        state = monitor.state_dict()
    assert state["last_step"] == 10
    assert set(state["records"]["step"]) == {0, 10}


def test_a_state_replaces_the_run_of_the_monitor():
    state = observed(0, 10).state_dict()
    with Monitor(**SETTINGS) as monitor:
        observe(monitor, 7)
        monitor.load_state_dict(state)
        assert monitor.records.curves("dse").steps == (0, 10)
    assert monitor.state_dict() == state


@pytest.mark.parametrize("has_log", [False, True])
def test_a_fresh_seed_is_that_of_the_state(tmp_path, has_log):
    inputs = np.random.default_rng(1).normal(size=(60, 2))
    arguments = {"random_state": None, "inputs": inputs} | ({"log": tmp_path / "a.jsonl"} if has_log else {})
    first = observed(0, **arguments)
    arguments |= {"log": tmp_path / "b.jsonl"} if has_log else {}
    with Monitor(**{**SETTINGS, **arguments}) as monitor:
        monitor.load_state_dict(first.state_dict())
        monitor.observe(1, {"first": X, "second": X[:, :2] * 2})
    for measure in ("dse", "dsmi", "dsmi_inputs"):
        at_0 = first.records.select(measure, layer="first")
        at_1 = monitor.records.select(measure, layer="first")[-len(at_0) :]
        kept = ("value", "random_state", "digest")
        assert [[one[name] for name in kept] for one in at_0] == [[one[name] for name in kept] for one in at_1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"random_state": 4}, "random_state must be that of the run in the state, 0, got 4"),
        ({"metric": "cosine"}, "metric must be that of the run in the state, 'euclidean', got 'cosine'"),
        (
            {"max_samples": 30},
            "max_samples must be that .* in the state, which used 40 rows of 60, got 30: a Monitor",
        ),
        ({"max_samples": None}, "max_samples must be .* used 40 rows of 60, got None"),
        ({"run": "b"}, r"state must be of run 'b', got one of run 'a': a Monitor without run=\.\.\."),
    ],
)
@pytest.mark.parametrize("had_log", [False, True])
def test_a_state_of_another_run_is_refused(tmp_path, arguments, message, had_log):
    state = observed(0, run="a", **({"log": tmp_path / "a.jsonl"} if had_log else {})).state_dict()
    with Monitor(**{**SETTINGS, **arguments}) as monitor:
        run = monitor.run
        with pytest.raises(ValueError, match=message):
            monitor.load_state_dict(state)
        assert (monitor.run, monitor.last_step) == (run, None)


STATE = observed(0, run="a").state_dict()


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        (None, TypeError, "a mapping that Monitor.state_dict returned, got None"),
        ({}, ValueError, "got one with no 'run'"),
        ({**STATE, "run": ""}, ValueError, "got one with 'run' ''"),
        ({**STATE, "last_step": -1}, ValueError, "got one with 'last_step' -1"),
        ({**STATE, "last_step": True}, ValueError, "got one with 'last_step' True"),
        ({**STATE, "random_state": None}, ValueError, "got one with 'random_state' None"),
        ({**STATE, "metric": 1}, ValueError, "got one with 'metric' 1"),
        ({**STATE, "max_samples": 0}, ValueError, "got one with 'max_samples' 0"),
        ({**STATE, "depths": {"a": 0.5}}, ValueError, "got one with 'depths'"),
        ({**STATE, "rows": [3]}, ValueError, "got one with 'rows'"),
        ({**STATE, "bandwidths": [["a", "frozen", "1"]]}, ValueError, "got one with 'bandwidths'"),
        ({**STATE, "multiples": {"a": "1"}}, ValueError, "got one with 'multiples'"),
        ({**STATE, "saturated": "a"}, ValueError, "got one with 'saturated'"),
        ({**STATE, "records": []}, ValueError, "got one with 'records'"),
        ({**STATE, "records": {"step": [1]}}, ValueError, "got one with 'records'"),
        (
            {**STATE, "records": {name: [*column, None] for name, column in STATE["records"].items()}},
            ValueError,
            "got 1 of 19 records that are none",
        ),
    ],
)
def test_what_is_no_state_is_refused(state, error, message):
    with Monitor() as monitor, pytest.raises(error, match=f"state must be .*{message}"):
        monitor.load_state_dict(state)


def test_a_closed_monitor_has_a_state_and_takes_none():
    monitor = observed(0)
    state = monitor.state_dict()
    with pytest.raises(RuntimeError, match="closed"):
        monitor.load_state_dict(state)


@pytest.mark.linux
def test_a_forked_process_gets_no_state(run_python):
    program = """
        import os
        from dsentropy.monitor import Monitor
        monitor = Monitor()
        if os.fork() == 0:
            try:
                monitor.state_dict()
            except RuntimeError as error:
                print(error, flush=True)
            os._exit(0)
        os.wait()
    """
    assert run_python(program).startswith("this Monitor was made in another process")
