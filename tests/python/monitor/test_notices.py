"""Warnings of a monitor about readings: once a layer and run, where its readings begin to saturate."""

import json
import warnings

import numpy as np
import pytest
from dsentropy import SaturationWarning
from dsentropy.monitor import Monitor, MonitorWarning

X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.arange(60) % 3


def texts(monitor, *steps):
    """The warnings of layers at steps, which grow by a factor of 100 at step 1."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in steps:
            scale = 100 if step else 1
            monitor.observe(step, {"grows": scale * X, "stays": X, "late": X * (step > 2)})
        monitor.flush()
    assert all(issubclass(one.category, MonitorWarning) for one in caught)
    assert all(issubclass(one.category, SaturationWarning) for one in caught)
    assert {one.filename for one in caught} <= {__file__}
    return [str(one.message) for one in caught]


@pytest.mark.parametrize("background", [False, True])
def test_the_first_saturated_reading_of_a_layer_is_warned_of_once(background):
    with Monitor(bandwidth="frozen", t=[1, 2], labels=LABELS, background=background) as monitor:
        [text] = texts(monitor, 0, 1, 2, 3)
    assert text == (
        "layer 'grows' is saturated at step 1: its entropy at t = 1, 5.907 bits, is within 2% of its maximum, "
        f"at the bandwidth {monitor.records.select('dse')[0]['bandwidth']:.4g} (frozen), and says little about "
        "the layer; bandwidth='median' or 'structure' follows the scale of a layer. Further readings of the layer "
        "have the field saturation and no warning"
    )


@pytest.mark.parametrize("bandwidth", ["median", "structure"])
@pytest.mark.filterwarnings("ignore::dsentropy.BandwidthWarning")  # of normal rows
def test_a_rule_that_follows_the_scale_does_not_saturate(bandwidth):
    with Monitor(bandwidth=bandwidth) as monitor:
        monitor.observe(0, {"grows": X})
        monitor.observe(1, {"grows": 1000 * X})


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"t": 50},
            "at t = 50, .* bits, is within 2% of 0, .*; take a smaller t, or a number as bandwidth that is sm",
        ),
        ({"orders": [np.inf], "t": 3}, "at t = 3 and order inf, .* is within 2% of 0"),
        ({"bandwidth": 0.01}, r"within 2% of its maximum, at the bandwidth 0.01 \(number\).*'median' or 'str"),
        (
            {"measures": "dsmi", "labels": LABELS, "bandwidth": 0.01},
            "the entropy of random subsets, of which its dsmi at t = 1 is made, is within 2% of its maximum, at",
        ),
    ],
)
def test_a_warning_names_the_reading_and_the_way_out(arguments, text):
    with Monitor(**arguments) as monitor, pytest.warns(MonitorWarning, match=text):
        monitor.observe(0, {"layer": X})


@pytest.mark.parametrize("category", [SaturationWarning, MonitorWarning, UserWarning])
def test_a_filter_of_its_class_silences_it(category):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", category)
        with Monitor(bandwidth=0.01) as monitor:
            monitor.observe(0, {"layer": X})
    assert caught == []
    assert monitor.records.select("dse")[0]["saturation"] == "high"


def test_a_resumed_run_warns_of_other_layers_alone(tmp_path):
    path = tmp_path / "run.jsonl"
    with Monitor(bandwidth="frozen", log=path) as monitor:
        assert len(texts(monitor, 0, 1)) == 1
        state = json.loads(json.dumps(monitor.state_dict()))
    with Monitor(bandwidth="frozen", log=path) as monitor:
        assert texts(monitor, 2) == []
    with Monitor(bandwidth="frozen") as monitor:
        monitor.load_state_dict(state)
        assert texts(monitor, 2) == []
    assert state["saturated"] == ["grows"]


def test_a_run_that_goes_back_before_the_saturation_warns_again():
    with Monitor(bandwidth="frozen") as monitor:
        assert len(texts(monitor, 0, 1)) == 1
        monitor.resume(0)
        assert len(texts(monitor, 1)) == 1
