"""Trackers as sinks: what was written is read back from their own files."""

import json
import math
import struct
import time

import dsentropy.integrations.trackers as trackers
import numpy as np
import pytest
from dsentropy.monitor import Monitor, MonitorWarning, Records
from dsentropy.monitor.records import record_of

# MLflow 3.17 asks SQLAlchemy 2.1 for a loader strategy that is deprecated there.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

X = np.random.default_rng(0).normal(size=(20, 3))


def watched(sink, *, steps=(0, 5, 10), prefix="dsentropy", **arguments):
    """Each step's scalars; the layer is collapsed at the second step."""
    with Monitor(sinks=sink, bandwidth=1.0, num_threads=1, **arguments) as monitor:
        for i, step in enumerate(steps):
            monitor.observe(step, {"layer_7": X * (i != 1), "head": X[:, :1]})
    records = monitor.records
    return {step: Records(r for r in records if r["step"] == step).scalars(prefix) for step in steps}


def events(folder):
    """Values by step and key in the event files of a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    found = {}
    for key in read.Tags()["scalars"]:
        for event in read.Scalars(key):
            found.setdefault(event.step, {})[key] = event.value
    return found


def in_single_precision(scalars):
    return {step: {key: float(np.float32(value)) for key, value in one.items()} for step, one in scalars.items()}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for step, one in expected.items():
        assert found[step].keys() == one.keys()
        np.testing.assert_array_equal([found[step][key] for key in one], list(one.values()))


@pytest.mark.parametrize("background", [False, True])
def test_tensorboard_in_a_folder(tmp_path, background):
    scalars = watched(trackers.tensorboard(tmp_path), background=background)
    assert math.isnan(scalars[5]["dsentropy/dse/layer_07"])
    assert_same(events(tmp_path), in_single_precision(scalars))


def test_tensorboard_makes_no_file_before_the_first_step(tmp_path):
    sink = trackers.tensorboard(tmp_path / "runs", prefix="a")
    sink(Records())
    assert not (tmp_path / "runs").exists()


def test_tensorboard_of_a_writer(tmp_path):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(tmp_path) as writer:
        scalars = watched(trackers.tensorboard(writer, prefix="a"), prefix="a")
        assert_same(events(tmp_path), in_single_precision(scalars))  # written, though the writer is open


def test_what_is_no_writer_is_refused():
    with pytest.raises(TypeError, match="writer must be a folder or have the method add_scalar, got 3"):
        trackers.tensorboard(3)
    with pytest.raises(TypeError, match="prefix must be a string"):
        trackers.tensorboard("a", prefix=None)


def wandb_records(folder):
    """The records of the file of an offline run: blocks of 32 KiB with pieces of records, as LevelDB has them."""
    from wandb.proto.wandb_internal_pb2 import Record

    [path] = folder.glob("wandb/offline-run-*/*.wandb")
    data, place, piece = path.read_bytes(), 7, b""
    while place < len(data):
        left = 2**15 - place % 2**15
        if left < 7:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        piece += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or its last piece
            yield Record.FromString(piece)
            piece = b""


def finished(folder):
    """The records of a run that has ended: wandb writes the file in a process of its own, after `finish` as well."""
    for _ in range(600):
        records = list(wandb_records(folder))
        if records and records[-1].WhichOneof("record_type") == "exit":
            return records
        time.sleep(0.1)
    return pytest.fail("the file of the run has no end after a minute")


def wandb_history(folder):
    """The rows of the history of an offline run, and the step metric of each metric or pattern of them."""
    rows, step_metrics = [], {}
    for record in finished(folder):
        if record.WhichOneof("record_type") == "history":
            rows.append({item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item})
        elif record.WhichOneof("record_type") == "metric":
            step_metrics[record.metric.glob_name or record.metric.name] = record.metric.step_metric
    return rows, step_metrics


@pytest.fixture
def wandb_run(tmp_path):
    import wandb

    run = wandb.init(project="p", dir=str(tmp_path))
    yield run
    run.finish()


@pytest.mark.parametrize("given", [False, True])
def test_wandb(tmp_path, wandb_run, given):
    wandb_run.log({"loss": 1.0}, step=100)
    sink = trackers.wandb(wandb_run) if given else trackers.wandb()
    scalars = watched(sink, background=not given)  # steps below the counter of the run
    wandb_run.log({"loss": 2.0}, step=200)
    wandb_run.finish()
    rows, step_metrics = wandb_history(tmp_path)
    ours = [row for row in rows if "dsentropy/step" in row]
    found = {row["dsentropy/step"]: {key: row[key] for key in row if key in scalars[0]} for row in ours}
    found = {step: {key: float(value) for key, value in one.items()} for step, one in found.items()}
    assert_same(found, scalars)
    assert [row["loss"] for row in rows if "loss" in row] == [1.0, 2.0]
    assert step_metrics["dsentropy/*"] == "dsentropy/step"


def test_wandb_without_a_prefix(tmp_path, wandb_run):
    scalars = watched(trackers.wandb(prefix=""), steps=[3], prefix="")
    wandb_run.finish()
    rows, step_metrics = wandb_history(tmp_path)
    assert [row["monitor/step"] for row in rows] == [3]
    assert {key for key, value in step_metrics.items() if value == "monitor/step"} == set(scalars[3])


def test_wandb_needs_a_run():
    sink = trackers.wandb()
    with pytest.warns(MonitorWarning, match=r"run must be started before .*: wandb.init"):
        watched(sink, steps=[0])
    with pytest.raises(TypeError, match="run must be a run of wandb, got 'mine'"):
        trackers.wandb("mine")


def test_wandb_of_no_records(tmp_path, wandb_run):
    trackers.wandb()(Records())
    wandb_run.finish()
    assert wandb_history(tmp_path)[0] == []


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """MLflow on a database of its own, which takes some seconds to make."""
    import mlflow

    folder, before = tmp_path_factory.mktemp("mlflow"), mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where it puts artifacts
        yield mlflow
    mlflow.set_tracking_uri(before)


def metrics_of(mlflow, run_id, keys):
    client, found = mlflow.MlflowClient(), {}
    for key in keys:
        for metric in client.get_metric_history(run_id, key):
            found.setdefault(metric.step, {})[key] = metric.value
    return found


@pytest.mark.parametrize("background", [False, True])
def test_mlflow(mlflow, background):
    before = mlflow.search_runs(output_format="list")
    with mlflow.start_run() as run:
        scalars = watched(trackers.mlflow(), background=background)
    assert_same(metrics_of(mlflow, run.info.run_id, scalars[0]), scalars)
    assert len(mlflow.search_runs(output_format="list")) == len(before) + 1


def test_mlflow_of_a_run_that_is_not_active(mlflow):
    with mlflow.start_run() as run:
        pass
    scalars = watched(trackers.mlflow(run.info.run_id, prefix="a"), prefix="a")
    assert_same(metrics_of(mlflow, run.info.run_id, scalars[0]), scalars)


def test_mlflow_of_many_layers_and_of_any_name(mlflow):
    names = [f"block[{i}]" for i in range(1001)]
    fields = {"run": "r", "step": 2, "time": 1.0, "measure": "dse"}
    records = Records(record_of({**fields, "layer": name, "value": float(i)}.items()) for i, name in enumerate(names))
    with mlflow.start_run() as run:
        trackers.mlflow()(records)
    metrics = mlflow.MlflowClient().get_run(run.info.run_id).data.metrics
    assert metrics == {f"dsentropy/dse/block-5b-{i:04}-5d-": i for i in range(1001)}


def test_mlflow_needs_a_run(mlflow):
    with pytest.raises(ValueError, match=r"run_id must be given where no run is active, .*mlflow.start_run\(\)"):
        trackers.mlflow()
