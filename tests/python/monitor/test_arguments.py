"""Arguments of a monitor: wrong ones are refused at once."""

import numpy as np
import pytest
from dsentropy import Stochastic
from dsentropy.monitor import Monitor

X = np.random.default_rng(0).normal(size=(20, 3))

REFUSED = [
    ({"measures": "entropy"}, ValueError, "measures must be 'dse' or 'dsmi', got 'entropy'"),
    ({"measures": 3}, TypeError, "measures must be a sequence of 'dse' and 'dsmi', got 3"),
    ({"measures": []}, ValueError, "measures must not be empty"),
    ({"measures": "dsmi"}, ValueError, "labels or inputs must be given where measures are 'dsmi' alone"),
    ({"measures": "dse", "labels": [1, 2]}, ValueError, "labels must be None where measures have no 'dsmi'"),
    ({"measures": ["dse"], "inputs": X}, ValueError, "inputs must be None where measures have no 'dsmi'"),
    ({"bandwidth": "knn"}, ValueError, "bandwidth must be 'median', 'frozen' or 'structure', got 'knn'"),
    ({"bandwidth": "structure", "t": 0}, ValueError, "t must have a positive number where bandwidth is 'structure'"),
    ({"bandwidth": 0}, ValueError, "bandwidth must be positive"),
    ({"bandwidth": None}, TypeError, "bandwidth must be a real number"),
    ({"t": -1}, ValueError, "t must be finite and at least 0"),
    ({"orders": []}, ValueError, "orders must not be empty"),
    ({"labels": 3}, ValueError, "labels must have one entry for each item"),
    ({"labels": []}, ValueError, "labels must have one entry for each item"),
    ({"labels": [1.5, np.nan]}, ValueError, "labels must be finite"),
    ({"inputs": [["a", "b"]] * 20}, TypeError, r"inputs must hold real numbers, .*labels=\.\.\."),
    ({"inputs": X, "labels": np.arange(10)}, ValueError, "inputs must be as long as labels, 10, got 20"),
    ({"inputs": X[:5]}, ValueError, "inputs must have at least 10 rows"),
    ({"max_samples": 0}, ValueError, "max_samples must be at least 1"),
    ({"null": "uniform"}, ValueError, "null must be"),
    ({"n_draws": 1}, ValueError, "n_draws must be at least 2"),
    ({"n_repeats": 0}, ValueError, "n_repeats must be at least 1"),
    ({"alpha": 2}, ValueError, "alpha must be from 0 to 1"),
    ({"metric": "precomputed"}, ValueError, "metric must be 'euclidean' or 'cosine'"),
    ({"precision": "half"}, ValueError, "precision must be"),
    ({"precision": "single", "solver": "stochastic"}, ValueError, "precision must"),
    ({"solver": "fast"}, ValueError, "solver must be"),
    ({"solver": Stochastic(t=2)}, ValueError, "t must not be given in Stochastic"),
    ({"solver": "stochastic", "orders": 0}, ValueError, "orders must be positive"),
    ({"log": 3}, TypeError, "log must be a path"),
    ({"sinks": 3}, TypeError, "sinks must be a callable of records or a sequence of them, got 3"),
    ({"sinks": [print, "wandb"]}, TypeError, "sinks must be a callable"),
    ({"run": 3}, TypeError, "run must be a string"),
    ({"run": ""}, ValueError, "run must not be empty"),
    ({"random_state": "a"}, TypeError, "random_state must be an integer or None"),
    ({"num_threads": 0}, ValueError, "num_threads must be at least 1"),
    ({"background": 1}, TypeError, "background must be True or False"),
]


@pytest.mark.parametrize(("arguments", "error", "text"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_wrong_arguments_are_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        Monitor(**arguments)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"step": -1}, ValueError, "step must be at least 0"),
        ({"step": 1.5}, TypeError, "step must be an integer"),
        ({"epoch": "a"}, TypeError, "epoch must be a real number"),
        ({"layers": [X]}, TypeError, "layers must be a mapping of names to arrays"),
        ({"layers": {3: X}}, TypeError, "a name of layers must be a string, got 3"),
        ({"digest": 3}, TypeError, "digest must be a string"),
    ],
)
def test_wrong_arguments_of_a_step_are_refused(given, error, text):
    with Monitor() as monitor, pytest.raises(error, match=text):
        monitor.observe(**{"step": 0, "layers": {"a": X}, **given})
    assert monitor.records == []


def test_a_resumed_step_is_at_least_minus_1():
    with Monitor() as monitor, pytest.raises(ValueError, match="step must be at least -1"):
        monitor.resume(-2)


def test_no_layers_are_a_step():
    with Monitor() as monitor:
        assert monitor.observe(0, {}) == []
    assert monitor.last_step == 0


def test_repeated_times_and_orders_count_once():
    with Monitor(t=[1, 1.0], orders=[2, 2]) as monitor:
        assert len(monitor.observe(0, {"a": X}).select("dse")) == 1
