"""A run that is taken up keeps its seed, its metric and its rows."""

import numpy as np
import pytest
from dsentropy.monitor import Monitor, read_log

X = np.random.default_rng(0).normal(size=(30, 3))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


def train(path, step, **arguments):
    with Monitor(log=path, max_samples=20, **arguments) as monitor:
        monitor.observe(step, {"a": X})
    return monitor.records


@pytest.mark.parametrize("seed", [None, "generator"])
def test_a_fresh_seed_is_that_of_the_log(path, seed):
    def given():
        return np.random.default_rng() if seed else None

    train(path, 0, random_state=given())
    records = train(path, 1, random_state=given())
    assert len({record["random_state"] for record in records}) == 1
    assert len({record["digest"] for record in records}) == 1
    first, second = records.select("dse")
    assert first["value"] == second["value"]


def test_another_seed_is_refused(path):
    train(path, 0, random_state=3)
    with pytest.raises(ValueError, match=r"random_state must be that of the run in the log, 3, got 4: .*run=\.\.\."):
        train(path, 1, random_state=np.int64(4))
    train(path, 1, random_state=3)
    train(path, 0, random_state=4, run="other")
    assert len(read_log(path).select("dse")) == 3


def test_another_metric_is_refused(path):
    train(path, 0)
    with pytest.raises(ValueError, match="metric must be that of the run in the log, 'euclidean', got 'cosine'"):
        train(path, 1, metric="cosine")


@pytest.mark.parametrize("limit", [10, None])
def test_other_rows_are_refused(path, limit):
    train(path, 0)
    with pytest.raises(ValueError, match=f"max_samples must be .* used 20 rows of 30, got {limit}"):
        Monitor(log=path, max_samples=limit)


def test_a_resumed_run_knows_the_number_of_rows(path):
    train(path, 0)
    with Monitor(log=path, max_samples=20) as monitor:
        [record] = monitor.observe(1, {"a": X[:25]}).select("dse")
    assert "30, got 25" in record["reason"]
