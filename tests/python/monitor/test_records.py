"""Records as tables, curves and profiles, and sinks."""

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest
from dsentropy.monitor import Curves, Monitor, MonitorWarning, Profile, Records
from dsentropy.monitor.records import FIELDS

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")  # layers grow

X = np.random.default_rng(0).normal(size=(20, 3))
LABELS = np.arange(20) % 2


@pytest.fixture(scope="module")
def monitor():
    monitor = Monitor(labels=LABELS, t=[1, 2], orders=[1, 2], bandwidth=1.0, run="r")
    for step, scale in enumerate([1.0, 3.0, 2.0]):
        layers = {"first": X * scale, "second": X * scale if step else X * np.nan}
        monitor.observe(10 * step, layers, epoch=step)
    monitor.close()
    return monitor


def column(monitor, measure, layer, **reading):
    chosen = monitor.records.select(measure, layer=layer, **reading)
    return np.array([np.nan if record["value"] is None else record["value"] for record in chosen])


def test_a_table_has_a_row_a_record(monitor, tmp_path):
    frame = monitor.to_pandas()
    assert list(frame.columns) == list(FIELDS)
    assert len(frame) == len(monitor.records) == 3 * 2 * (3 + 4 + 2)
    assert frame["value"].dtype == frame["t"].dtype == np.float64
    assert frame["value"].isna().sum() == 9
    monitor.records.to_parquet(tmp_path / "table.parquet")
    read = pd.read_parquet(tmp_path / "table.parquet")
    assert list(read.columns) == list(FIELDS)
    np.testing.assert_array_equal(read["value"], frame["value"])
    assert set(read["random_state"]) == {0}


def test_records_of_nothing_make_a_table(tmp_path):
    assert len(Records().to_pandas()) == 0
    Records().to_parquet(tmp_path / "empty.parquet")
    assert repr(Records()) == "<0 Records: runs 0, layers 0, steps 0>"


def test_representations(monitor):
    assert repr(monitor.records) == "<54 Records: runs 1, layers 2, steps 3>"
    assert ">&lt;54 Records" in monitor.records._repr_html_()
    assert repr(monitor) == "<Monitor of run 'r': 54 records, last step 20>"
    assert repr(monitor.curves()) == "<Curves of dse, t = 1, order = 1: 3 steps, 2 layers>"
    assert repr(monitor.profile("spread")) == "<Profile of spread: 3 steps, 2 layers>"


def test_records_are_a_copy(monitor):
    monitor.records[0]["value"] = 7
    assert monitor.records[0]["value"] != 7


def test_curves_have_steps_and_layers(monitor):
    curves = monitor.curves("dse", t=2, order=2)
    assert (curves.steps, curves.layers, curves.t, curves.order) == ((0, 10, 20), ("first", "second"), 2, 2)
    np.testing.assert_array_equal(curves.values[:, 0], column(monitor, "dse", "first", t=2, order=2))
    np.testing.assert_array_equal(curves.values[:, 1], column(monitor, "dse", "second", t=2, order=2))
    assert np.isnan(curves.values[0, 1])
    assert (curves.standard_errors[1:] == 0).all()
    assert isinstance(curves, Curves)
    table = curves.to_dict()
    assert table["step"] == [0, 0, 10, 10, 20, 20]
    assert table["layer"] == ["first", "second"] * 3
    assert table["depth"] == [0, 1] * 3
    assert curves.to_pandas()["value"].isna().sum() == 1
    np.testing.assert_array_equal(monitor.curves().values, monitor.curves("dse", t=1, order=1).values)
    np.testing.assert_array_equal(monitor.profile("dse").values, monitor.curves("dse").values)
    assert isinstance(monitor.profile("dse"), Profile)


def test_the_first_information_where_no_entropy_is_measured():
    with Monitor(["dsmi"], labels=LABELS) as monitor:
        monitor.observe(0, {"a": X})
    assert monitor.curves().measure == "dsmi"
    assert not monitor.records.select("dse")


def test_changes_are_since_the_first_value_of_each_layer(monitor):
    values = monitor.curves("dse").values
    change = monitor.change_since_first("dse")
    np.testing.assert_allclose(change.values[:, 0], values[:, 0] - values[0, 0], atol=0)
    np.testing.assert_allclose(change.values[:, 1], [np.nan, 0, values[2, 1] - values[1, 1]], atol=0)
    assert np.isnan(change.standard_errors).all()


def test_drawdown_is_below_the_largest_value_so_far(monitor):
    values = monitor.curves("dse").values
    assert values[0, 0] < values[2, 0] < values[1, 0]
    drawdown = monitor.drawdown("dse").values
    np.testing.assert_allclose(drawdown[:, 0], [0, 0, values[1, 0] - values[2, 0]], atol=0)
    np.testing.assert_allclose(drawdown[:, 1], [np.nan, 0, values[1, 1] - values[2, 1]], atol=0)
    np.testing.assert_array_equal(monitor.records.drawdown("dse").values, drawdown)
    np.testing.assert_array_equal(
        monitor.records.change_since_first("dse").values, monitor.change_since_first("dse").values
    )


def test_the_order_of_layers_is_that_of_their_first_step():
    with Monitor() as monitor:
        monitor.observe(0, {"z": X, "a": X})
        monitor.observe(1, {"a": X})
        monitor.observe(2, {"new": X, "a": X, "z": X})
    assert monitor.curves().layers == ("z", "a", "new")


def test_pictures(monitor):
    ax = matplotlib.figure.Figure().add_subplot()
    assert monitor.plot("dsmi", ax=ax) is ax
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["first", "second", "saturated: says little"]
    assert ax.get_xlabel() == "epoch"
    assert ax.get_ylabel() == "information on the labels (bits)"
    assert ax.get_title() == "t = 1, order = 1, bandwidth 1"
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), column(monitor, "dsmi", "first", t=1))
    assert len(ax.collections) == 2  # standard errors
    assert monitor.records.plot("spread", ax=ax).get_ylabel() == "spread of the directions"
    ax = matplotlib.figure.Figure().add_subplot()
    monitor.records.profile("dse").plot(ax=ax)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["epoch 0", "epoch 1", "epoch 2"]
    ax = matplotlib.figure.Figure().add_subplot()
    assert monitor.curves("dse").plot_map(ax=ax).get_xlabel() == "epoch"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]


def test_curves_have_what_is_saturated_and_the_bandwidth(monitor):
    curves = monitor.curves("dsmi", t=1)
    readings = [monitor.records.select("dsmi", layer=layer, t=1) for layer in curves.layers]
    expected = [[record["saturation"] is not None for record in of_layer] for of_layer in readings]
    np.testing.assert_array_equal(curves.saturated, np.transpose(expected))
    assert curves.saturated.any()
    assert not curves.saturated.all()
    assert (curves.bandwidth, curves.null_mean, curves.null_name) == ("1", None, None)
    assert curves.change_since_first().saturated is curves.saturated
    assert monitor.curves("spread").bandwidth is None
    both = Records([*monitor.records, *Monitor(run="r").observe(30, {"first": X}, epoch=3)])
    assert both.curves("dse").bandwidth == "1, median"


@pytest.mark.parametrize(
    ("epochs", "found"), [((0.5, 1), (0.5, 1)), ((1, 1), None), ((1, None), None), ((1, 0), None)]
)
def test_curves_have_epochs_where_all_records_have_one_and_they_ascend(epochs, found):
    with Monitor() as monitor:
        for step, epoch in enumerate(epochs):
            monitor.observe(step, {"a": X}, epoch=epoch)
    curves = monitor.curves()
    assert curves.epochs == found
    axes = curves.plot(ax=matplotlib.figure.Figure().add_subplot())
    assert axes.get_xlabel() == ("epoch" if found else "step")
    assert axes.get_lines()[0].get_xdata().tolist() == list(found or (0, 1))


def test_curves_of_an_entropy_have_the_mean_of_the_null():
    with Monitor(null="permuted", n_draws=2, labels=LABELS, bandwidth=1.0) as monitor:
        for step in range(2):
            monitor.observe(step, {"a": X, "b": X[:, :2]})
    curves = monitor.curves("dse")
    expected = [[record["null_mean"] for record in monitor.records.select("dse", layer=layer)] for layer in "ab"]
    np.testing.assert_array_equal(curves.null_mean, np.transpose(expected))
    axes = curves.plot(ax=matplotlib.figure.Figure().add_subplot())
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["a", "b", "columns shuffled"]
    dashed = [line.get_ydata() for line in axes.get_lines() if line.get_linestyle() == "--"]
    np.testing.assert_array_equal(dashed, expected)
    assert curves.drawdown().null_mean is None
    assert monitor.curves("dsmi").null_mean is None


def test_what_has_no_records_is_refused(monitor):
    records = monitor.records
    with pytest.raises(ValueError, match=r"measure must be one with records, \[.*'dse'.*\], got 'entropy'"):
        records.curves("entropy")
    with pytest.raises(ValueError, match="t and order must be those of records of 'dse'"):
        records.curves("dse", t=5)
    with pytest.raises(ValueError, match="run must be one with records"):
        records.curves("dse", run="s")
    with pytest.raises(ValueError, match="run must be one with records"):
        Records().curves("dse")
    two = Records([*records, *({**record, "run": "s"} for record in records)])
    with pytest.raises(ValueError, match="run must be given where there are several"):
        two.plot("dse")
    np.testing.assert_array_equal(two.curves("dse", run="s").values, records.curves("dse").values)
    assert records.curves().measure == "mean_resultant"


def test_sinks_get_the_records_of_each_step():
    got = []
    with Monitor(sinks=[got.append, lambda records: records.clear()]) as monitor:
        made = monitor.observe(3, {"a": X})
        monitor.observe(4, {"a": X})
    assert got[0] == made
    assert [len(records) for records in got] == [4, 4]
    assert len(monitor.records) == 8


def test_a_sink_that_fails_does_not_end_the_training():
    got = []

    def sink(records):
        raise KeyError("no such chart")

    with Monitor(sinks=[sink, got.append]) as monitor:
        with pytest.warns(MonitorWarning, match=r"sink .* failed: KeyError: 'no such chart'") as caught:
            monitor.observe(0, {"a": X})
        assert caught[0].filename == __file__
    assert len(got) == 1
