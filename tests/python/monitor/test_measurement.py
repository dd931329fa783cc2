"""Values of a monitor against the functions that compute them, and layers that have none."""

import math
import re

import numpy as np
import pytest
from dsentropy import (
    Stochastic,
    covariance_spectrum,
    diffusion_spectrum,
    estimate_bandwidth,
    mutual_information,
    null_baseline,
)
from dsentropy._data.subsets import draw
from dsentropy.monitor import Monitor

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1, 2], 20)
X = RNG.normal(size=(60, 4)) + 2 * np.eye(4)[LABELS]
READ = ["mean_resultant", "spread", "effective_rank", "dse", "dsmi", "dsmi_inputs"]


def only(records, measure, **fields):
    [record] = records.select(measure, **fields)
    return record


def observed(array, **arguments):
    with Monitor(**arguments) as monitor:
        return monitor.observe(0, {"layer": array})


@pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")  # of t = 3
def test_the_entropy_is_that_of_the_spectrum_at_each_t_and_order():
    records = observed(X, t=[1, 3], orders=[1, 2, math.inf], alpha=0.5, metric="cosine").select("dse")
    spectrum = diffusion_spectrum(X, alpha=0.5, metric="cosine")
    assert [(record["t"], record["order"]) for record in records] == [
        (t, order) for t in (1, 3) for order in (1, 2, math.inf)
    ]
    values = np.reshape([record["value"] for record in records], (2, 3))
    np.testing.assert_array_equal(values, spectrum.bits([1, 3], [1, 2, math.inf]))
    for record in records:
        assert record["bandwidth"] == spectrum.parameters["bandwidth"] == estimate_bandwidth(X, metric="cosine")
        assert (record["standard_error"], record["lower"]) == (0, record["value"])
        assert (record["n"], record["n_all"], record["d"]) == (60, 60, 4)
        assert (record["bandwidth_rule"], record["alpha"], record["metric"]) == ("median", 0.5, "cosine")


def test_an_estimate_has_its_uncertainty():
    rows = np.random.default_rng(1).normal(size=(400, 3))
    record = only(observed(rows, bandwidth=0.2, solver=Stochastic(tol=0.05)), "dse")
    estimate = diffusion_spectrum(rows, bandwidth=0.2, solver=Stochastic(tol=0.05, t=(1.0,), orders=(1.0,)))
    assert record["solver"] == "stochastic"
    assert record["standard_error"] == estimate.standard_error() > 0
    assert (record["lower"], record["upper"]) == estimate.bounds()


def test_t_of_0_alone_can_be_estimated():
    assert only(observed(X, t=0, solver="stochastic"), "dse")["value"] == pytest.approx(np.log2(60))


def test_informations_are_those_of_labels_and_of_clusters_of_inputs():
    inputs = RNG.normal(size=(60, 2, 3))
    records = observed(X, labels=LABELS, inputs=inputs, t=[1, 2])
    of_labels = mutual_information(X, LABELS, t=[1, 2])
    of_inputs = mutual_information(X, inputs.reshape(60, 6), t=[1, 2], target_discrete=False)
    for measure, found in [("dsmi", of_labels), ("dsmi_inputs", of_inputs)]:
        chosen = records.select(measure)
        np.testing.assert_array_equal([record["value"] for record in chosen], found.value)
        np.testing.assert_array_equal([record["standard_error"] for record in chosen], found.standard_error)
        assert [record["order"] for record in chosen] == [1, 1]


def test_numbers_as_labels_are_binned():
    target = X[:, 0] + 0.5
    found = only(observed(X, labels=target), "dsmi")
    assert found["value"] == mutual_information(X, target, target_discrete=False).value


def test_whole_numbers_and_strings_are_classes():
    values = [
        only(observed(X, labels=labels), "dsmi")["value"]
        for labels in (LABELS, LABELS.astype(float), LABELS.astype(str))
    ]
    assert values == [mutual_information(X, LABELS).value] * 3


def test_the_null_is_that_of_surrogates_and_permutations():
    records = observed(X, labels=LABELS, null="gaussian", n_draws=4)
    entropy, information = only(records, "dse"), only(records, "dsmi")
    null = null_baseline(X, n_draws=4, bandwidth=estimate_bandwidth(X))
    tested = mutual_information(X, LABELS, n_permutations=4)
    assert (entropy["z"], entropy["p_value"], entropy["null"]) == (null.z, null.p_value, "gaussian")
    assert entropy["null_mean"] == null.null_mean
    assert entropy["null_standard_deviation"] == null.null_standard_deviation
    assert (information["z"], information["p_value"], information["null"]) == (
        tested.z,
        tested.p_value,
        "permutations",
    )
    assert information["null_mean"] == tested.null.mean()


def test_directions():
    angles = np.array([0, np.pi / 2, np.pi, 0])
    rows = np.array([1.0, 2.0, 1.0, 4.0])[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    records = observed(rows * 1e200)
    assert only(records, "mean_resultant")["value"] == pytest.approx(math.hypot(4, 2) / 8)
    # unit rows: (1, 0), (0, 1), (-1, 0), (1, 0), with the mean (1/4, 1/4)
    assert only(records, "spread")["value"] == pytest.approx(math.sqrt(1 - 2 / 16))


def test_a_zero_row_has_no_direction_and_counts_in_the_mean():
    records = observed([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
    assert only(records, "mean_resultant")["value"] == pytest.approx(1)
    assert only(records, "spread")["value"] == 0


def test_the_effective_rank_is_that_of_the_centred_rows():
    record = only(observed(X + 100), "effective_rank")
    assert record["value"] == covariance_spectrum(X + 100).effective_rank(0.5)
    assert record["bandwidth"] is record["t"] is record["order"] is record["alpha"] is None


def test_all_layers_and_steps_use_the_same_random_rows():
    with Monitor(labels=LABELS, inputs=X, max_samples=30, random_state=5) as monitor:
        first = monitor.observe(0, {"a": X, "b": 2 * X})
        later = monitor.observe(1, {"a": X})
    chosen = np.sort(draw(60, 30, 5)).astype(int)
    of_a, of_b = first.select("dse")
    assert (of_a["n"], of_a["n_all"]) == (30, 60)
    assert of_a["value"] == diffusion_spectrum(X[chosen]).entropy()
    assert of_b["value"] == pytest.approx(of_a["value"], abs=1e-12)
    assert (
        only(first, "dsmi", layer="a")["value"] == mutual_information(X[chosen], LABELS[chosen], random_state=5).value
    )
    clusters = mutual_information(X[chosen], X[chosen], target_discrete=False, random_state=5)
    assert only(first, "dsmi_inputs", layer="a")["value"] == clusters.value
    assert [record["value"] for record in later] == [record["value"] for record in first.select(layer="a")]
    assert {record["digest"] for record in first + later} == {of_a["digest"]}


def test_the_digest_says_which_rows_were_used():
    digests = {
        only(observed(X, **given), "dse")["digest"] for given in ({}, {"max_samples": 30}, {"max_samples": 20})
    }
    assert len(digests) == 3
    assert only(observed(X, max_samples=None), "dse")["digest"] in digests
    with Monitor() as monitor:
        assert only(monitor.observe(0, {"a": X}, digest="mine"), "dse")["digest"] == "mine"


def test_a_frozen_bandwidth_is_the_median_of_the_first_step_of_its_layer():
    with Monitor(bandwidth="frozen") as monitor:
        monitor.observe(0, {"a": X})
        records = monitor.observe(1, {"a": 3 * X, "b": 3 * X})
    of_a, of_b = records.select("dse")
    assert of_a["bandwidth"] == estimate_bandwidth(X)
    assert of_a["value"] == diffusion_spectrum(3 * X, bandwidth=estimate_bandwidth(X)).entropy()
    assert of_b["bandwidth"] == estimate_bandwidth(3 * X)


def test_a_number_is_the_bandwidth_of_all_layers():
    records = observed(X, bandwidth=2).select("dse")
    assert (records[0]["bandwidth"], records[0]["bandwidth_rule"]) == (2, "number")
    assert records[0]["value"] == diffusion_spectrum(X, bandwidth=2.0).entropy()


@pytest.mark.parametrize(("bandwidth", "end"), [(1e-3, "high"), (1e3, "low"), (1.0, None)])
@pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")
def test_saturation_is_a_field(bandwidth, end):
    records = observed(X, labels=LABELS, bandwidth=bandwidth, t=[0, 1])
    assert [record["saturation"] for record in records.select("dse")] == [None, end]
    assert [record["saturation"] for record in records.select("dsmi")] == [None, end]
    warned = only(records, "dsmi", t=1.0)["warnings"]
    assert warned is None if end is None else warned.startswith("SaturationWarning: ")


def test_one_row_a_class_has_no_range():
    assert only(observed(X, labels=np.arange(60)), "dsmi")["saturation"] is None


FAULTS = {
    "constant": (np.full((60, 4), 3.0), "no two rows differ"),
    "zero": (np.zeros((60, 4)), "no two rows differ"),
    "rounding": (
        np.float32(1) + np.float32(2**-23) * RNG.integers(2, size=(60, 4)).astype(np.float32),
        "no two rows",
    ),
    "nan": (np.where(np.arange(240).reshape(60, 4) == 9, np.nan, X), "1 entries of 240 .* nan in row 2, column 1"),
    "infinite": (np.where(np.arange(240).reshape(60, 4) == 9, -np.inf, X), "first -inf in row 2, column 1"),
    "empty": (np.empty((0, 4)), "at least one row"),
    "no columns": (np.empty((60, 0)), "at least one row and one column"),
    "one row": (np.ones((1, 4)), "at least two rows"),
    "a number": (np.float64(3), "array of real numbers"),
    "strings": (np.array([["a"], ["b"]]), "array of real numbers"),
    "complex": (X + 1j, "array of real numbers"),
    "ragged": ([[1.0], [1.0, 2.0]], "layer"),
    "no array": (object(), "layer"),
    "other items": (X[:50], "as many rows as the labels or inputs, 60, got 50"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_layer_without_an_entropy_is_a_record_with_its_reason(fault):
    array, reason = FAULTS[fault]
    records = observed(array, labels=LABELS, inputs=X, null="gaussian", n_draws=2)
    assert [record["measure"] for record in records] == READ
    information = only(records, "dsmi")
    assert information["value"] is None
    assert re.search(reason, information["reason"])
    if fault != "other items":
        assert only(records, "dse")["value"] is None


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp == 1024, reason="long double is double")
def test_rows_beyond_float64_are_a_reason():
    records = observed(X * np.longdouble("1e4000"))
    assert {record["value"] for record in records} == {None}
    assert only(records, "spread")["reason"] == "layer must be finite in float64"
    assert "must be finite" in only(records, "dse")["reason"]


def test_a_collapse_onto_one_point_shows_in_the_directions():
    records = observed(FAULTS["constant"][0])
    assert only(records, "mean_resultant")["value"] == pytest.approx(1, abs=1e-14)
    assert only(records, "spread")["value"] == 0
    assert "no two rows" in only(records, "effective_rank")["reason"]
    assert (
        only(observed(np.zeros((5, 2))), "spread")["reason"]
        == "layer must have a row that is not zero, to have a direction"
    )


def test_parallel_rows_are_collapsed_by_their_directions():
    records = observed(np.arange(1.0, 9)[:, None] * [[1.0, 2.0]], metric="cosine")
    assert "collapsed" in only(records, "dse")["reason"]
    assert only(records, "effective_rank")["value"] == pytest.approx(1)


def test_a_measure_that_fails_is_a_reason():
    records = observed(np.vstack([np.zeros(4), X]), metric="cosine")
    assert "no zero row where metric is 'cosine'" in only(records, "dse")["reason"]

    def broken(rows, rng):
        raise OSError("no surrogates today")

    assert only(observed(X, null=broken, n_draws=2), "dse")["reason"] == "OSError: no surrogates today"


def test_a_change_of_the_number_of_rows_is_a_reason():
    with Monitor() as monitor:
        monitor.observe(0, {"a": X})
        records = monitor.observe(1, {"a": X[:50], "b": X[:50]})
        later = monitor.observe(2, {"a": X})
    assert {record["value"] for record in records.select(layer="a")} == {None}
    assert "as many rows at every step, 60, got 50" in only(records, "dse", layer="a")["reason"]
    assert only(records, "dse", layer="b")["value"] is not None
    assert only(later, "dse")["value"] is not None


def test_a_value_that_is_not_finite_is_a_reason(monkeypatch):
    from dsentropy.monitor import measurement

    monkeypatch.setattr(measurement.Measurement, "_effective_rank", lambda self: [{"value": math.nan}])
    assert only(observed(X), "effective_rank")["reason"] == "the value is nan"


def test_layers_of_any_form():
    X32 = X.astype(np.float32)
    forms = [X.reshape(60, 2, 2), X.tolist(), X32, X32.astype(np.float16)]
    values = [only(observed(form), "dse")["value"] for form in forms]
    assert values[0] == values[1] == diffusion_spectrum(X).entropy()
    assert values[2] == diffusion_spectrum(X32).entropy()
    assert only(observed(X[:, 0]), "dse")["d"] == 1


def test_generators_filters_and_arrays_are_left_alone():
    # the fixture process_left_as_found checks the global state
    rows = X.copy()
    with Monitor(labels=LABELS, inputs=X, null="gaussian", n_draws=2, random_state=None, max_samples=40) as monitor:
        monitor.observe(0, {"a": rows})
    np.testing.assert_array_equal(rows, X)
    assert monitor.records[0]["random_state"] != Monitor(random_state=None)._settings.random_state
