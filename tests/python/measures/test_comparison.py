"""Differences of entropies: their values, their intervals, forms of the data, and what is refused."""

import math

import numpy as np
import pytest
from dsentropy import (
    SaturationWarning,
    Stochastic,
    compare,
    diffusion_spectrum,
    estimate_bandwidth,
    subsampled_entropy,
)
from scipy import stats

EPS = np.finfo(float).eps
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 4))
LAYERS = {"one": X, "two": np.tanh(2 * X), "three": X[:, :2] ** 2}
FEW = {"n_samples": 30, "n_repeats": 6}


def exact(rows, bandwidth, t=1, order=1):
    return diffusion_spectrum(rows, bandwidth=bandwidth).entropy(t, order)


def test_both_sets_have_the_rows_of_subsampled_entropy():
    """The entropies are those of `subsampled_entropy`, bit for bit, with the same seed; the difference is theirs."""
    found = compare(X, LAYERS["two"], random_state=3, **FEW)
    of = [subsampled_entropy(rows, random_state=3, **FEW) for rows in (X, LAYERS["two"])]
    assert (found.first_entropy, found.second_entropy) == (of[0].mean, of[1].mean)
    np.testing.assert_array_equal(found.values["A"], of[0].values)
    np.testing.assert_array_equal(found.values["B"], of[1].values)
    assert found.bandwidth == {"A": of[0].bandwidth, "B": of[1].bandwidth}
    assert found.difference == pytest.approx(of[0].mean - of[1].mean, abs=8 * EPS * of[0].mean)


def test_the_interval_is_that_of_student_on_paired_differences():
    found = compare(X, LAYERS["two"], t=[1, 2], order=[1, 2, 3], confidence=0.8, **FEW)
    differences = found.values["A"] - found.values["B"]
    assert differences.shape == (6, 2, 3)
    error = stats.sem(differences, axis=0)
    low, high = stats.t.interval(0.8, 5, loc=differences.mean(axis=0), scale=error)
    np.testing.assert_allclose(found.interval, (low, high), rtol=1e-9)  # quantiles of t, computed in two ways
    np.testing.assert_allclose(found.standard_deviation, error * math.sqrt(6), rtol=8 * EPS)


def test_unpaired_sets_have_an_interval_of_welch():
    Y = np.random.default_rng(1).normal(size=(50, 4)) ** 3
    found = compare(X, Y, paired=False, confidence=0.9, n_samples=30, n_repeats=7)
    welch = stats.ttest_ind(found.values["A"], found.values["B"], equal_var=False).confidence_interval(0.9)
    assert found.interval == pytest.approx((welch.low, welch.high), rel=1e-9)
    assert found.first_entropy == subsampled_entropy(X, n_samples=30, n_repeats=7).mean
    spread = np.hypot(found.values["A"].std(ddof=1), found.values["B"].std(ddof=1))
    assert found.standard_deviation == pytest.approx(spread, rel=8 * EPS)


def test_unpaired_sets_have_other_rows_of_each():
    """One representation given twice: paired differences are 0, those of independent rows are not."""
    assert compare(X, X, **FEW).interval == (0, 0)
    low, high = compare(X, X, paired=False, **FEW).interval
    assert low < high


def test_pairing_takes_out_what_the_choice_of_rows_adds_to_both():
    """Two nearly equal representations: entropies of one subset move together."""
    A, B = X, X + 0.01 * np.random.default_rng(1).normal(size=X.shape)
    spread = compare(A, B, n_samples=30).standard_deviation
    assert 10 * spread < compare(A, B, n_samples=30, paired=False).standard_deviation


def test_all_pairs_of_layers_or_all_against_one():
    found = compare(LAYERS, t=[1, 2], **FEW)
    assert found.names == (("one", "two"), ("one", "three"), ("two", "three"))
    assert found.difference.shape == (3, 2)
    for place, (first, second) in enumerate(found.names):
        pair = compare(LAYERS[first], LAYERS[second], t=[1, 2], **FEW)
        np.testing.assert_array_equal(found.difference[place], pair.difference)
        np.testing.assert_array_equal(np.array(found.interval)[:, place], pair.interval)
        np.testing.assert_array_equal(found.first_entropy[place], pair.first_entropy)
        np.testing.assert_array_equal(found.second_entropy[place], pair.second_entropy)
    against = compare(LAYERS, against="two", t=[1, 2], **FEW)
    assert against.names == (("one", "two"), ("three", "two"))
    np.testing.assert_array_equal(against.difference, [found.difference[0], -found.difference[2]])


def test_two_mappings_are_compared_name_by_name():
    later = {name: 2 * rows**3 for name, rows in reversed(LAYERS.items())}
    found = compare(LAYERS, later, **FEW)
    assert found.names == tuple((f"A['{name}']", f"B['{name}']") for name in LAYERS)
    for place, name in enumerate(LAYERS):
        assert found.difference[place] == compare(LAYERS[name], later[name], **FEW).difference


def test_each_set_has_its_own_rule_or_a_common_number_or_one_by_name():
    two = LAYERS["two"]
    rules = compare(X, two, **FEW)
    assert rules.bandwidth == {"A": estimate_bandwidth(X), "B": estimate_bandwidth(two)}
    scaled = compare(1000 * X, two, **FEW)
    assert scaled.difference == pytest.approx(rules.difference, abs=1e-12)
    assert compare(X, two, bandwidth=1.5, **FEW).bandwidth == {"A": 1.5, "B": 1.5}
    named = compare(LAYERS, bandwidth={"one": 1.0, "two": "knn", "three": 3.0}, n_neighbors=5, **FEW)
    assert (named.bandwidth["one"], named.bandwidth["three"]) == (1.0, 3.0)
    knn = subsampled_entropy(two, bandwidth="knn", n_neighbors=5, **FEW)
    np.testing.assert_array_equal(named.values["two"], knn.values)


@pytest.mark.parametrize("metric", ["cosine", "precomputed", "affinity"])
def test_metrics(metric):
    """Given distances and affinities have the values of the rows that they are of."""

    def given(rows):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True) if metric == "cosine" else rows
        distances = np.linalg.norm(unit[:, None] - unit, axis=-1)
        return {"cosine": rows, "precomputed": distances, "affinity": np.exp(-(distances**2) / 2)}[metric], unit

    (A, one), (B, two) = given(X), given(LAYERS["two"])
    bandwidth = None if metric == "affinity" else 1.0
    found = compare(A, B, metric=metric, bandwidth=bandwidth, **FEW)
    assert found.difference == pytest.approx(compare(one, two, bandwidth=1.0, **FEW).difference, abs=1e-10)
    assert found.bandwidth == {"A": bandwidth, "B": bandwidth}


def test_at_all_rows_the_difference_is_that_of_the_entropies_and_a_point():
    found = compare(X, LAYERS["two"], n_samples=80)
    entropies = [exact(rows, None) for rows in (X, LAYERS["two"])]
    assert found.interval == (found.difference, found.difference)
    assert found.difference == pytest.approx(entropies[0] - entropies[1], abs=53 * 80**2 * EPS)
    independent = compare(X, LAYERS["two"], n_samples=80, paired=False)
    assert independent.interval == (independent.difference, independent.difference)


def test_half_the_rows_of_the_smallest_set_are_taken():
    assert compare(X, X[:51], paired=False).n_samples == 25
    assert compare(X[:1], X[1:2], metric="euclidean").n_samples == 1
    rows = np.zeros((2500, 1))
    rows[0] = 1
    with pytest.warns(SaturationWarning):
        assert compare(rows, rows, n_repeats=2, bandwidth=1.0).n_samples == 1000


@pytest.mark.parametrize("paired", [True, False])
def test_intervals_of_estimates_contain_their_uncertainty(paired):
    """Wider than the exact interval, and around the exact difference within both tolerances."""
    rows = np.random.default_rng(0).normal(size=(700, 5))
    other = rows**2
    options = {"n_samples": 600, "n_repeats": 3, "bandwidth": 3.0, "paired": paired}
    tol = 3e-2
    precise, found = (compare(rows, other, solver=solver, **options) for solver in ("exact", Stochastic(tol=tol)))
    assert abs(found.difference - precise.difference) <= 4 * 2 * tol
    assert np.diff(found.interval) > np.diff(precise.interval)
    # At all rows the spread is 0: the interval is the uncertainty of two estimates.
    options["n_samples"] = 700
    low, high = compare(rows, other, solver=Stochastic(tol=tol), **options).interval
    difference = exact(rows, 3.0) - exact(other, 3.0)
    assert low <= difference <= high
    assert low < high


@pytest.mark.parametrize("paired", [True, False])
def test_a_seed_gives_the_same_bits_with_any_number_of_threads(paired):
    def found(**options):
        one = compare(LAYERS, paired=paired, **FEW, **options)
        return np.concatenate([one.difference, *one.interval])  # [pairs], three times

    np.testing.assert_array_equal(found(random_state=5), found(random_state=5, num_threads=2))
    np.testing.assert_array_equal(found(random_state=5, num_threads=1), found(random_state=5, num_threads=3))
    assert not np.array_equal(found(random_state=5), found(random_state=6))


@pytest.mark.changes_process  # Python's global generator, from which subsets come then
def test_without_a_seed_paired_sets_have_the_same_rows_and_calls_have_others():
    one, other = (compare(X, LAYERS["two"], random_state=None, **FEW).difference for _ in range(2))
    assert one != other
    assert compare(X, X, random_state=None, **FEW).interval == (0, 0)


def test_a_saturated_entropy_is_warned_of_by_the_name_of_its_set():
    with pytest.warns(
        SaturationWarning, match=r"the mean entropy of A\['far'\] at t = 1 is within 2% of its maximum"
    ):
        compare({"near": X, "far": 1000 * X}, bandwidth=1.0, **FEW)


def test_the_table_has_a_row_for_each_pair_t_and_order():
    found = compare(LAYERS, t=[1, 2], order=[1, 2], **FEW)
    table = found.to_pandas()
    assert len(table) == 3 * 2 * 2
    one = table[(table["first"] == "one") & (table["second"] == "three") & (table["t"] == 2) & (table["order"] == 1)]
    row = one.iloc[0]
    assert row["difference"] == found.difference[1, 1, 0]
    assert (row["interval_low"], row["interval_high"]) == (found.interval[0][1, 1, 0], found.interval[1][1, 1, 0])
    assert row["first_entropy"] == found.first_entropy[1, 1, 0]
    assert row["second_entropy"] == found.second_entropy[1, 1, 0]
    assert row["standard_deviation"] == found.standard_deviation[1, 1, 0]
    single = compare(X, LAYERS["two"], **FEW)
    assert {name: column[0] for name, column in single.to_dict().items()} == {
        "first": "A",
        "second": "B",
        "t": 1.0,
        "order": 1.0,
        "first_entropy": single.first_entropy,
        "second_entropy": single.second_entropy,
        "difference": single.difference,
        "interval_low": single.interval[0],
        "interval_high": single.interval[1],
        "standard_deviation": single.standard_deviation,
        "interval_of": "subsets",
    }


def test_reprs_have_one_difference_with_its_interval():
    found = compare(X, LAYERS["two"], **FEW)
    low, high = found.interval
    text = f"A - B = {found.difference:.4g} bits (interval {low:.4g} to {high:.4g} at 95%, over subsets of these 80"
    assert text in repr(found)
    assert f"A {found.first_entropy:.4g} bits, B {found.second_entropy:.4g} bits" in repr(found)
    assert "6 paired subsets of 30 samples" in repr(found)
    assert "1 pair at 2 readings" in repr(compare(X, LAYERS["two"], t=[1, 2], **FEW))
    several = compare(LAYERS, paired=False, **FEW)
    place = int(np.abs(several.difference).argmax())
    first, second = several.names[place]
    assert f"3 pairs at 1 reading of t and order: largest difference {first} - {second} = " in repr(several)
    assert f"{several.interval[0][place]:.4g} to" in repr(several)
    assert "6 independent subsets" in repr(several)


def test_a_picture_has_each_pair_and_t():
    found = compare(LAYERS, t=[1, 2], order=[1, 2], **FEW)
    from matplotlib.figure import Figure

    axes = found.plot(order=2, ax=Figure().add_subplot())
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one - two", "one - three", "two - three"]
    drawn = [line for line in axes.get_lines() if line.get_label().startswith("t = ")]
    np.testing.assert_array_equal([line.get_xdata() for line in drawn], found.difference[:, :, 1].T)
    np.testing.assert_array_equal(
        found.plot(ax=Figure().add_subplot()).get_lines()[0].get_xdata(), found.difference[:, 0, 0]
    )
    with pytest.raises(ValueError, match=r"order must be one of \(1\.0, 2\.0\), got 3"):
        found.plot(order=3)


class Unreadable(dict):
    def items(self):
        raise OSError("gone")


@pytest.mark.parametrize(
    ("error", "text", "arguments"),
    [
        (TypeError, "B must be given where A is an array", {"A": X}),
        (ValueError, "B must have as many rows as A .*got 9 and 80.* paired=False", {"A": X, "B": X[:9]}),
        (ValueError, r"A\['b'\] must have as many rows as A\['a'\]", {"A": {"a": X, "b": X[:9]}}),
        (ValueError, r"B\['a'\] must have as many rows as A\['a'\]", {"A": {"a": X}, "B": {"a": X[:9]}}),
        (TypeError, "B must be a mapping of names to arrays where A is one.*against", {"A": LAYERS, "B": X}),
        (TypeError, "B must be an array where A is one, got a dict", {"A": X, "B": LAYERS}),
        (ValueError, "A must have at least two layers where B is None, got 1", {"A": {"a": X}}),
        (ValueError, "B must have the names of A.*lacks 'two'", {"A": LAYERS, "B": {"one": X, "three": X}}),
        (ValueError, "against must not be given where A is an array", {"A": X, "B": X, "against": "a"}),
        (ValueError, "against must not be given where B is", {"A": LAYERS, "B": LAYERS, "against": "one"}),
        (ValueError, "against must be one of the names in A.*got 'four'", {"A": LAYERS, "against": "four"}),
        (ValueError, "against must be one of the names", {"A": LAYERS, "against": np.ones(3)}),
        (TypeError, "(?s)A must be a mapping of names to arrays.*gone", {"A": Unreadable(a=X, b=X)}),
        (TypeError, r"A\['b'\] must be an array, got 'x'", {"A": {"a": X, "b": "x"}}),
        (ValueError, "B must be finite, got nan", {"A": X, "B": np.full((80, 2), np.nan)}),
        (TypeError, "paired must be True or False", {"A": X, "B": X, "paired": 1}),
        (ValueError, "n_samples must be at most 50", {"A": X, "B": X[:50], "paired": False, "n_samples": 51}),
        (ValueError, "n_repeats must be at least 2", {"A": X, "B": X, "n_repeats": 1}),
        (ValueError, "confidence", {"A": X, "B": X, "confidence": 1}),
        (ValueError, r"bandwidth must have the names \['A', 'B'\]", {"A": X, "B": X, "bandwidth": {"A": 1.0}}),
        (ValueError, "n_neighbors must not be", {"A": X, "B": X, "bandwidth": {"A": 1, "B": 2}, "n_neighbors": 3}),
        (ValueError, "n_neighbors must not be", {"A": X, "B": X, "n_neighbors": 3}),
        (ValueError, "B must have more rows than", {"A": X, "B": X[:9], "paired": False, "bandwidth": "knn"}),
        (
            ValueError,
            "bandwidth must not be",
            {"A": X @ X.T + 99, "B": np.ones((80, 80)), "metric": "affinity", "bandwidth": 1},
        ),
        (ValueError, "precision", {"A": X, "B": X, "solver": "stochastic", "precision": "double"}),
    ],
)
def test_refused(error, text, arguments):
    with pytest.raises(error, match=text):
        compare(**arguments)


@pytest.mark.slow
@pytest.mark.parametrize("paired", [True, False])
def test_intervals_cover_the_mean_difference_of_other_subsets(paired):
    """Within 3 binomial standard errors of 95%, which is a chance of 0.3% for any one seed; the seeds are fixed.

    The mean of 4000 subsets is off by a twentieth of what that of 10 is off by, which costs less than 0.1%.
    """
    A, B = np.random.default_rng(0).normal(size=(2, 200, 3))
    options = {"n_samples": 50, "paired": paired}
    truth = compare(A, B, n_repeats=4000, random_state=10**6, **options).difference
    found = [compare(A, B, n_repeats=10, random_state=seed, **options).interval for seed in range(300)]
    covered = np.mean([low <= truth <= high for low, high in found])
    assert abs(covered - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / 300)
