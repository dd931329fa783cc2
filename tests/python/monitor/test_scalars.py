"""Records as scalars by key: names of measures and layers, values that are missing."""

import math

import numpy as np
import pytest
from dsentropy.monitor import Monitor, Records
from dsentropy.monitor.records import record_of

X = np.random.default_rng(0).normal(size=(20, 3))


def scalars_of_layers(*names):
    records = [
        record_of({"run": "r", "step": 0, "layer": name, "measure": "spread", "value": 0.5}.items()) for name in names
    ]
    return [key.removeprefix("dsentropy/spread/") for key in Records(records).scalars()]


def test_each_record_has_a_key():
    with Monitor(labels=np.arange(20) % 2, bandwidth=1.0, num_threads=1) as monitor:
        records = monitor.observe(0, {"layer_7": X, "head": X[:, :1]})
    scalars = records.scalars()
    measures = ["mean_resultant", "spread", "effective_rank", "dse", "dsmi"]
    assert list(scalars) == [f"dsentropy/{name}/{layer}" for layer in ["layer_07", "head"] for name in measures]
    assert list(scalars.values()) == [record["value"] for record in records]
    assert {type(value) for value in scalars.values()} == {float}


def test_a_value_that_is_missing_is_nan_under_its_key():
    with Monitor(t=[1, 2], num_threads=1) as monitor:
        alive, dead = (monitor.observe(step, {"a": rows}).scalars() for step, rows in enumerate([X, 0 * X]))
    assert list(alive) == list(dead)
    assert math.isnan(dead["dsentropy/dse_t2/a"])
    assert not math.isnan(alive["dsentropy/dse_t2/a"])


@pytest.mark.parametrize(
    ("times", "orders", "expected"),
    [
        (2, 0.5, ["dse"]),
        ([1, 2.5], 1, ["dse_t1", "dse_t2.5"]),
        (1, [0.5, math.inf], ["dse_order0.5", "dse_orderinf"]),
        ([1, 2], [1, 2], ["dse_t1_order1", "dse_t1_order2", "dse_t2_order1", "dse_t2_order2"]),
        ([1, 1 + 1e-9], 1, ["dse_t1.0", "dse_t1.000000001"]),
    ],
)
def test_t_and_order_are_named_where_there_are_several(times, orders, expected):
    with Monitor(t=times, orders=orders, bandwidth=1.0, num_threads=1) as monitor:
        records = monitor.observe(0, {"a": X}).select("dse")
    assert records.scalars() == {
        f"dsentropy/{name}/a": record["value"] for name, record in zip(expected, records, strict=True)
    }


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["layers.3.mlp", "layers.3.attn2"], ["layers.03.mlp", "layers.03.attn02"]),
        (["layer_7", "layer_100"], ["layer_007", "layer_100"]),
        (["stem.100", "layer_7"], ["stem.100", "layer_07"]),
        (["block.2.conv.1", "block.1000.conv.10"], ["block.0002.conv.01", "block.1000.conv.10"]),
        (["layer_007", "layer_12"], ["layer_007", "layer_012"]),
        (["a1", "a01", "b1"], ["a1", "a01", "b01"]),
        (["\u0663", "head", "5"], ["\u0663", "head", "05"]),
    ],
)
def test_numbers_of_layers_are_padded(names, expected):
    assert scalars_of_layers(*names) == expected


def test_keys_of_padded_layers_sort_by_depth():
    names = [f"blocks.{depth}" for depth in range(120)]
    keys = scalars_of_layers(*names)
    assert sorted(keys) == keys


def test_the_prefix():
    records = Records([record_of({"run": "r", "step": 0, "layer": "a", "measure": "dse", "value": 1.0}.items())])
    assert records.scalars("run/1") == {"run/1/dse/a": 1.0}
    assert records.scalars("") == {"dse/a": 1.0}
    with pytest.raises(TypeError, match="prefix must be a string, got None"):
        records.scalars(None)


def test_the_last_record_of_a_key_counts_and_runs_are_not_mixed():
    with Monitor(bandwidth=1.0, run="r", num_threads=1) as monitor:
        for step in range(2):
            last = monitor.observe(step, {"a": X * (step + 1)})
    assert monitor.records.scalars() == last.scalars()
    other = Records([*last, *({**record, "run": "s"} for record in last)])
    with pytest.raises(ValueError, match=r"records must be of one run, got \['r', 's'\]: select\(run=\.\.\.\)"):
        other.scalars()
    assert Records().scalars() == {}
