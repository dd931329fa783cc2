"""The bandwidth "structure" of a monitor: a multiple of the median of each step, kept from a layer's first step."""

import json

import numpy as np
import pytest
from dsentropy import (
    BandwidthWarning,
    diffusion_spectrum,
    estimate_bandwidth,
    layer_entropies,
    suggest_bandwidth,
)
from dsentropy.monitor import Monitor, MonitorWarning, read_log

RNG = np.random.default_rng(0)
FIRST = RNG.normal(size=(80, 4)) + 6 * np.eye(4)[np.arange(80) % 4]
LATER = 100 * np.tanh(FIRST)
NOISE = np.random.default_rng(1).normal(size=(80, 4))


def observed(*steps, **arguments):
    with Monitor(bandwidth="structure", **arguments) as monitor:
        for step, rows in steps:
            monitor.observe(step, {"a": rows})
    return monitor


def entropies(monitor):
    return monitor.records.select("dse")


def test_the_first_step_is_that_of_layer_entropies():
    [record] = entropies(observed((0, FIRST), t=2))
    found = layer_entropies({"a": FIRST}, "structure", t=2)
    assert record["bandwidth_rule"] == "structure"
    assert record["bandwidth"] == found.bandwidth[0][0] == estimate_bandwidth(FIRST, "structure", t=2)
    assert record["bandwidth_multiple"] == found.suggestion.multiple
    assert record["value"] == pytest.approx(found.entropy.item(), rel=1e-13)  # a spectrum and a sweep round otherwise


def test_later_steps_have_the_multiple_of_the_first_step_and_a_median_of_their_own():
    first, later = entropies(observed((0, FIRST), (5, LATER)))
    assert later["bandwidth_multiple"] == first["bandwidth_multiple"] == suggest_bandwidth(FIRST).multiple
    assert later["bandwidth"] == first["bandwidth_multiple"] * estimate_bandwidth(LATER)
    assert later["value"] == diffusion_spectrum(LATER, bandwidth=later["bandwidth"]).entropy()


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_scale_of_a_layer_does_not_count(scale):
    first, later = entropies(observed((0, FIRST), (1, scale * FIRST)))
    assert later["value"] == pytest.approx(first["value"], rel=1e-9)  # a product of rows is rounded
    assert later["saturation"] is None


def test_the_multiple_is_that_of_the_null_alpha_t_and_order_of_the_monitor():
    arguments = {"null": "permuted", "alpha": 0.5, "metric": "cosine", "random_state": 3}
    monitor = observed((0, FIRST), t=[0, 3, 1], orders=[0, 2], n_draws=2, **arguments)
    found = suggest_bandwidth(FIRST, 3, order=2, **arguments)
    assert {record["bandwidth_multiple"] for record in entropies(monitor)} == {found.multiple}


def test_other_rules_and_measures_without_a_bandwidth_have_no_multiple():
    with Monitor() as monitor:
        records = monitor.observe(0, {"a": FIRST})
    assert {record["bandwidth_multiple"] for record in records} == {None}
    assert observed((0, FIRST)).records.select("spread")[0]["bandwidth_multiple"] is None


def test_a_layer_that_is_collapsed_at_its_first_step_has_the_multiple_of_the_next():
    first, later = entropies(observed((0, np.ones((80, 4))), (1, FIRST)))
    assert (first["bandwidth_multiple"], first["reason"] is None) == (None, False)
    assert later["bandwidth_multiple"] == suggest_bandwidth(FIRST).multiple


def test_a_resumed_run_keeps_the_multiple(tmp_path):
    path = tmp_path / "run.jsonl"
    observed((0, FIRST), log=path)
    observed((1, LATER), log=path)
    first, later = read_log(path).select("dse")
    assert later["bandwidth_multiple"] == first["bandwidth_multiple"]


@pytest.mark.parametrize("has_log", [False, True])
def test_a_state_keeps_the_multiple(tmp_path, has_log):
    before = observed((0, FIRST), **({"log": tmp_path / "run.jsonl"} if has_log else {}))
    state = json.loads(json.dumps(before.state_dict()))
    with Monitor(bandwidth="structure") as monitor:
        monitor.load_state_dict(state)
        [later] = monitor.observe(1, {"a": LATER}).select("dse")
    assert later["bandwidth_multiple"] == entropies(before)[0]["bandwidth_multiple"]
    assert monitor.state_dict()["multiples"] == state["multiples"]


def test_a_log_of_before_is_read_and_gone_on_with(tmp_path):
    path = tmp_path / "run.jsonl"
    observed((0, LATER), log=path, run="a")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line.pop("bandwidth_multiple", None)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    [record] = read_log(path).select("dse")
    assert (record["bandwidth_rule"], record["bandwidth_multiple"]) == ("structure", None)
    monitor = observed((1, FIRST), log=path)
    assert monitor.run == "a"
    assert entropies(monitor)[1]["bandwidth_multiple"] == suggest_bandwidth(FIRST).multiple


def test_a_state_of_before_is_gone_on_with():
    state = observed((0, LATER)).state_dict()
    state["bandwidths"] = [["a", "structure", 0.1], ["b", "frozen", 2.0]]
    del state["multiples"], state["saturated"], state["records"]["bandwidth_multiple"]
    with Monitor(bandwidth="structure") as monitor:
        monitor.load_state_dict(state)
        assert monitor.state_dict()["bandwidths"] == [["b", "frozen", 2.0]]
        [record] = monitor.observe(1, {"a": FIRST}).select("dse")
    assert record["bandwidth_multiple"] == suggest_bandwidth(FIRST).multiple


def test_a_layer_that_is_noise_is_warned_of_once():
    with Monitor(bandwidth="structure") as monitor:
        with pytest.warns(MonitorWarning) as caught:
            monitor.observe(0, {"a": NOISE, "b": FIRST, "c": NOISE[:, :3]})
        monitor.observe(1, {"a": NOISE, "b": FIRST, "c": NOISE[:, :3]})
    assert [str(warning.message).split(":")[0] for warning in caught] == [
        "layer 'a' at step 0",
        "layer 'c' at step 0",
    ]
    assert all(issubclass(warning.category, BandwidthWarning) for warning in caught)
    [text] = {record["warnings"] for record in entropies(monitor) if (record["step"], record["layer"]) == (0, "a")}
    assert text.startswith("BandwidthWarning: at no bandwidth does it differ clearly from gaussian noise (t = 1)")
    assert suggest_bandwidth(NOISE).multiple == entropies(monitor)[0]["bandwidth_multiple"]


@pytest.mark.filterwarnings("ignore::dsentropy.BandwidthWarning")
def test_a_layer_that_is_noise_gives_no_warning_where_its_class_is_ignored():
    assert entropies(observed((0, NOISE)))[0]["warnings"]
