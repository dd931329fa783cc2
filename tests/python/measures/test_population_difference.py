"""Intervals of the population of paired differences: the delete-d jackknife of the difference of two entropies."""

import numpy as np
import pytest
from dsentropy import SaturationWarning, compare, diffusion_spectrum, population_interval
from matplotlib.figure import Figure
from scipy.stats import t as student

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
B = np.tanh(X @ RNG.normal(size=(4, 3)))
LAYERS = {"one": X, "two": B, "three": X[:, :2] ** 2}
TIMES, ORDERS = [0.5, 1], [1, 2]


def compared(*sets, **options):
    return compare(*sets, interval="population", **options)


def test_the_difference_is_that_of_all_rows():
    found = compared(X, B, t=TIMES, order=ORDERS)
    one, other = (diffusion_spectrum(rows).bits(TIMES, ORDERS) for rows in (X, B))
    assert found.first_entropy == pytest.approx(one, abs=1e-12)
    assert found.second_entropy == pytest.approx(other, abs=1e-12)
    assert found.difference == pytest.approx(one - other, abs=1e-12)
    assert (found.n_samples, found.n_rows, found.n_repeats) == (54, {"A": 60, "B": 60}, 40)
    assert (found.interval_of, found.paired) == ("population", True)


@pytest.mark.parametrize("bandwidth", [1.5, "median", "knn"])
def test_the_interval_is_the_jackknife_of_differences_of_the_same_rows(bandwidth):
    options = {"t": TIMES, "order": ORDERS, "bandwidth": bandwidth, "n_repeats": 12, "random_state": 3}
    found = compared(X, B, n_samples=45, confidence=0.9, **options)
    one, other = (population_interval(rows, n_left_out=15, **options).values for rows in (X, B))
    assert found.values["A"] == pytest.approx(one, abs=1e-12)
    assert found.values["B"] == pytest.approx(other, abs=1e-12)
    deviation = (one - other).std(axis=0, ddof=1)
    assert found.standard_deviation == pytest.approx(deviation, abs=1e-12)
    reach = student.ppf(0.95, 11) * np.sqrt(45 / 15) * deviation
    assert found.interval[0] == pytest.approx(found.difference - reach, abs=1e-12)
    assert found.interval[1] == pytest.approx(found.difference + reach, abs=1e-12)


def test_equal_representations_differ_by_nothing():
    found = compared(X, 2 * X)
    assert found.difference == pytest.approx(0, abs=1e-12)
    assert found.interval == pytest.approx((0, 0), abs=1e-10)


def test_affinities_and_a_bandwidth_for_each_row_are_compared():
    affinities = np.exp(-((X[:, None] - X[None]) ** 2).sum(axis=2))
    of_pairs = compared(affinities, affinities**2, metric="affinity", n_repeats=3)
    assert of_pairs.bandwidth == {"A": None, "B": None}
    rows = compared(X, X, bandwidth={"A": np.sqrt(0.5), "B": 0.5}, n_repeats=3)
    assert of_pairs.difference == pytest.approx(rows.difference, abs=1e-12)
    assert of_pairs.interval == pytest.approx(rows.interval, abs=1e-12)
    each = compared(X, B, bandwidth=np.full(60, 1.5), n_repeats=3)
    assert each.interval == pytest.approx(compared(X, B, bandwidth=1.5, n_repeats=3).interval, abs=1e-12)


def test_pairs_of_layers_have_the_numbers_of_their_own():
    found = compared(LAYERS, t=TIMES, n_repeats=5)
    assert found.names == (("one", "two"), ("one", "three"), ("two", "three"))
    pair = compared(X, B, t=TIMES, n_repeats=5)
    assert found.difference[0] == pytest.approx(pair.difference, abs=1e-12)
    assert np.stack(found.interval)[:, 0] == pytest.approx(np.stack(pair.interval), abs=1e-12)
    assert set(found.to_dict()["interval_of"]) == {"population"}


def test_the_text_and_the_picture_say_what_the_interval_is_over():
    population, subsets = compared(X, B, n_repeats=3), compare(X, B, n_samples=30, n_repeats=3)
    assert "at 95%, over other samples of 60 rows)" in repr(population)
    assert "at 95%, over subsets of these 60 rows)" in repr(subsets)
    titles = [one.plot(ax=Figure().add_subplot()).get_title() for one in (population, subsets)]
    assert titles == [
        "intervals of 95% over other samples of 60 rows",
        "30 rows, intervals of 95% over subsets of these 60 rows",
    ]
    unequal = compare(X, B[:50], paired=False, n_samples=30, n_repeats=3)
    assert "over subsets of these 50 to 60 rows" in repr(unequal)
    assert set(subsets.to_dict()["interval_of"]) == {"subsets"}


def test_a_saturated_entropy_has_a_warning():
    with pytest.warns(SaturationWarning, match="the entropy of A at t = 1 is within 2% of its maximum"):
        compared(X, B, bandwidth={"A": 1e-3, "B": 1.0}, n_repeats=2)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("paired must be True where interval is 'population'", {"paired": False}),
        ("solver must be 'exact' where interval is 'population'", {"solver": "stochastic"}),
        ("n_samples must be below 60", {"n_samples": 60}),
        ("n_samples must be at most 60", {"n_samples": 61}),
        ("n_repeats must be at least 2", {"n_repeats": 1}),
        ("bandwidth must be 'median' or 'knn', got 'structure'", {"bandwidth": "structure"}),
    ],
)
def test_arguments_that_play_no_part_are_refused(message, options):
    with pytest.raises(ValueError, match=message):
        compared(X, B, **options)


def test_sets_have_equal_numbers_of_at_least_two_rows():
    with pytest.raises(ValueError, match="interval must be 'subsets' or 'population'"):
        compare(X, B, interval="bootstrap")
    with pytest.raises(ValueError, match=r"A\['b'\] must have as many rows as A\['a'\] where interval"):
        compared({"a": X, "b": X[:9]}, {"a": B, "b": B[:9]})  # pairs are equal, sets are not
    with pytest.raises(ValueError, match="A must have at least two rows, got 1"):
        compared(X[:1], B[:1])
