"""Saved models, measured afterwards: the records of sweeps, in one process and in several."""

import joblib
import numpy as np
import pytest
import torch
from dsentropy.integrations.torch import LayerMonitor, track
from dsentropy.monitor import Monitor, read_log
from torch import nn

LEFT = ("run", "time", "seconds")
OPTIONS = {"t": [1, 2], "bandwidth": "frozen", "num_threads": 1}
DATA = torch.randn(60, 4, generator=torch.Generator().manual_seed(1)), torch.arange(60) % 3


def network():
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def load(path):
    model = network()  # draws from the global generator
    model.load_state_dict(torch.load(path))
    return model


def numbers(records):
    return [{name: value for name, value in record.items() if name not in LEFT} for record in records]


@pytest.fixture
def saved(tmp_path):
    """Paths of five models of a training, and the records of sweeps during it."""
    model, paths = network(), []
    descent = torch.optim.SGD(model.parameters(), lr=0.5)
    with LayerMonitor(model, ["0", "2"], DATA, max_rows=50, monitor=OPTIONS) as watch:
        for step in range(5):
            watch.sweep(10 * step)
            paths.append(tmp_path / f"{step}.pt")
            torch.save(model.state_dict(), paths[-1])
            nn.functional.cross_entropy(model(DATA[0]), DATA[1]).backward()
            descent.step()
            descent.zero_grad()
    return paths, watch.monitor.records


STEPS = [0, 10, 20, 30, 40]


def test_records_are_those_of_sweeps(saved):
    paths, expected = saved
    state = torch.get_rng_state()
    found = track(paths, load, ["0", "2"], DATA, steps=STEPS, max_rows=50, monitor=OPTIONS)
    assert numbers(found) == numbers(expected)
    assert torch.equal(torch.get_rng_state(), state)
    mixed = [3, 1, 4, 0, 2]
    given = [paths[i] for i in mixed], [STEPS[i] for i in mixed]
    found = track(given[0], load, ["0", "2"], DATA, steps=given[1], max_rows=50, monitor=OPTIONS)
    assert numbers(found) == numbers(expected)
    places = track(iter(paths), load, "0", DATA, monitor={"measures": "dse"})
    assert [record["step"] for record in places.select("dse")] == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_several_processes_give_the_records_of_one(saved):
    paths, expected = saved
    found = track(paths, load, ["0", "2"], DATA, steps=STEPS, n_jobs=2, max_rows=50, monitor=OPTIONS)
    assert numbers(found) == numbers(expected)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        found = track(paths, load, ["0", "2"], DATA, steps=STEPS, max_rows=50, monitor=OPTIONS)
    assert numbers(found) == numbers(expected)
    joblib.externals.loky.get_reusable_executor().shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the cluster
def test_a_cluster_of_dask_gives_the_records_of_one_process(saved):
    distributed = pytest.importorskip("distributed")
    paths, expected = saved
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as local,
        distributed.Client(local),
        joblib.parallel_config(backend="dask"),
    ):
        found = track(paths, load, ["0", "2"], DATA, steps=STEPS, max_rows=50, monitor=OPTIONS)
    assert numbers(found) == numbers(expected)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_checkpoint_that_does_not_load_is_an_error_that_names_it(saved, tmp_path, n_jobs):
    paths, expected = saved
    paths[3].rename(tmp_path / "moved")
    log = tmp_path / "log.jsonl"
    arguments = {"steps": STEPS, "max_rows": 50, "monitor": {**OPTIONS, "log": log}}
    with joblib.parallel_config(backend="threading"), pytest.raises(RuntimeError) as error:
        track(paths, load, ["0", "2"], DATA, n_jobs=n_jobs, **arguments)
    assert f"checkpoints[3], {paths[3]!r}, must load: FileNotFoundError: " in str(error.value)
    assert isinstance(error.value.__cause__, FileNotFoundError)
    assert sorted({record["step"] for record in read_log(log)}) == [0, 10, 20]
    (tmp_path / "moved").rename(paths[3])
    loaded = []
    found = track(paths, lambda path: loaded.append(path) or load(path), ["0", "2"], DATA, **arguments)
    assert loaded == paths[3:]  # the steps that are complete are not measured again
    assert numbers(found) == numbers(read_log(log)) == numbers(expected)
    assert track(paths, loaded.append, ["0", "2"], DATA, **arguments) == found


def test_models_from_the_first_missing_step_on_are_measured(saved, tmp_path):
    paths, expected = saved
    given = {**OPTIONS, "log": tmp_path / "log.jsonl"}
    track([paths[0], paths[2]], load, ["0", "2"], DATA, steps=[0, 20], max_rows=50, monitor=given)
    loaded = []
    found = track(
        paths,
        lambda path: loaded.append(path) or load(path),
        ["0", "2"],
        DATA,
        steps=STEPS,
        max_rows=50,
        monitor=given,
    )
    assert loaded == paths[1:]
    assert numbers(found) == numbers(expected)


def test_a_monitor_in_the_background_is_waited_for_and_left_open(saved):
    paths, _ = saved
    with Monitor(background=True, num_threads=1) as monitor:
        found = track(paths[:2], load, "0", DATA, monitor=monitor)
        assert len(found.select("dse")) == 2
        monitor.observe(2, {"0": np.eye(3)})


def test_faults_of_a_pass_are_those_of_its_arguments(saved):
    paths, _ = saved
    with pytest.raises(ValueError, match="layers must be names or patterns of modules of the model, got '7'"):
        track(paths, load, "7", DATA)
    with pytest.raises(RuntimeError, match=r"checkpoints\[0\], .* must load: TypeError: load must return a torch"):
        track(paths, str, "0", DATA)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"checkpoints": "a.pt"}, TypeError, "checkpoints must be a sequence of what load takes, got 'a.pt'"),
        ({"checkpoints": 3}, TypeError, "checkpoints must be a sequence of what load takes, got 3"),
        ({"checkpoints": []}, ValueError, "checkpoints must have one entry or more, got none"),
        ({"load": 3}, TypeError, "load must be a callable of a checkpoint that returns a model, got 3"),
        ({"steps": 3}, TypeError, "steps must be a sequence of integers, got 3"),
        ({"steps": [1]}, ValueError, "steps must have one entry for each of the 2 checkpoints, got 1"),
        ({"steps": [1, 1]}, ValueError, r"steps must differ, got \[1, 1\]"),
        ({"steps": [1, -1]}, ValueError, "steps must be"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be an integer but 0, or None, got 0"),
        ({"n_jobs": True}, ValueError, "n_jobs must be an integer but 0, or None, got True"),
        ({"probe": 3}, TypeError, "probe must be"),
        ({"monitor": 3}, TypeError, "monitor must be"),
    ],
)
def test_wrong_arguments_are_errors_at_once(arguments, error, text):
    given = {"checkpoints": ["a", "b"], "load": load, "layers": "0", "probe": DATA, **arguments}
    with pytest.raises(error, match=text):
        track(**given)
