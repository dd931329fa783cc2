"""Intervals of the population: the jackknife's formula, its values, and what they cover."""

import numpy as np
import pytest
from dsentropy import SaturationWarning, diffusion_spectrum, mutual_information, population_interval
from dsentropy._data.subsets import Draws
from matplotlib.figure import Figure
from scipy import stats

EPS = np.finfo(float).eps
X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.repeat(["a", "b", "c"], 20)


def subsets(left_out, repeats, seed=0, n=60):
    draws = Draws(seed)
    return [np.sort(draws.next(n, n - left_out)) for _ in range(repeats)]


@pytest.mark.parametrize("bandwidth", [None, "knn", 1.5, lambda rows: 0.02 * len(rows)])
def test_entropies_of_subsets_have_the_bandwidth_of_their_own_rows(bandwidth):
    found = population_interval(X, bandwidth=bandwidth, n_left_out=20, n_repeats=4, t=[1, 2], order=[1, 2])
    for values, rows in zip(found.values, subsets(20, 4), strict=True):
        exact = diffusion_spectrum(X[rows], bandwidth=bandwidth).entropy([1, 2], [1, 2])
        np.testing.assert_allclose(values, exact, atol=53 * 60**2 * EPS)
    whole = diffusion_spectrum(X, bandwidth=bandwidth).entropy([1, 2], [1, 2])
    np.testing.assert_allclose(found.value, whole, atol=53 * 60**2 * EPS)


def test_a_bandwidth_of_each_row_stays_with_its_row():
    each = np.random.default_rng(1).uniform(0.5, 2, size=60)
    entropy = population_interval(X, bandwidth=each, n_left_out=20, n_repeats=3)
    information = population_interval(X, LABELS, bandwidth=each, n_left_out=20, n_repeats=3)
    for place, rows in enumerate(subsets(20, 3)):
        assert entropy.values[place] == pytest.approx(
            diffusion_spectrum(X[rows], bandwidth=each[rows]).entropy(), abs=1e-11
        )
        found = mutual_information(X[rows], LABELS[rows], bandwidth=each[rows], random_state=place + 1)
        assert information.values[place] == pytest.approx(found.value, abs=1e-11)


@pytest.mark.parametrize(("left_out", "used"), [(None, 6), (1, 1), (45, 45)])
def test_the_interval_is_that_of_the_delete_d_jackknife(left_out, used):
    found = population_interval(X, n_left_out=left_out, n_repeats=9, confidence=0.8, t=[1, 2], order=[1, 2, 3])
    assert (found.n_left_out, found.n_samples) == (used, 60)
    error = np.sqrt((60 - used) / used) * found.values.std(axis=0, ddof=1)
    np.testing.assert_allclose(found.standard_error, error, rtol=1e-9)
    low, high = stats.t.interval(0.8, 8, loc=found.value, scale=error)
    np.testing.assert_allclose(found.interval, (low, high), rtol=1e-9)


def test_an_information_has_its_monte_carlo_error_once():
    """The spread over the subsets contains it; there it is taken out, and that of the value is added."""
    found = population_interval(X, LABELS, n_left_out=20, n_repeats=5, t=[1, 2], random_state=3)
    whole = mutual_information(X, LABELS, t=[1, 2], random_state=3)
    np.testing.assert_array_equal(found.value, whole.value)
    parts = [
        mutual_information(X[rows], LABELS[rows], t=[1, 2], random_state=4 + place)
        for place, rows in enumerate(subsets(20, 5, seed=3))
    ]
    np.testing.assert_allclose(found.values, [part.value for part in parts], atol=1e-12)
    spread = found.values.var(axis=0, ddof=1) - np.mean([part.standard_error**2 for part in parts], axis=0)
    error = np.sqrt(2 * np.maximum(spread, 0) + whole.standard_error**2)
    np.testing.assert_allclose(found.standard_error, error, rtol=1e-9)
    assert found.order is None
    assert population_interval(X, LABELS, n_repeats=2).n_left_out == 30


@pytest.mark.parametrize("clusters", [None, LABELS])
@pytest.mark.parametrize("metric", ["cosine", "precomputed", "affinity"])
def test_metrics(metric, clusters):
    unit = X / np.linalg.norm(X, axis=1, keepdims=True) if metric == "cosine" else X
    distances = np.linalg.norm(unit[:, None] - unit, axis=-1)
    given = {"cosine": X, "precomputed": distances, "affinity": np.exp(-(distances**2) / 2)}[metric]
    bandwidth = None if metric == "affinity" else 1.0
    of_rows = population_interval(unit, clusters, bandwidth=1.0)
    found = population_interval(given, clusters, metric=metric, bandwidth=bandwidth)
    np.testing.assert_allclose(found.values, of_rows.values, atol=1e-10)
    assert found.standard_error == pytest.approx(of_rows.standard_error, abs=1e-8)


@pytest.mark.parametrize("clusters", [None, LABELS])
def test_a_seed_gives_the_same_bits_with_any_number_of_threads(clusters, capsys):
    def found(**options):
        return population_interval(X, clusters, n_repeats=5, **options).values

    one = found(random_state=5)
    np.testing.assert_array_equal(one, found(random_state=5, num_threads=1))
    np.testing.assert_array_equal(one, found(random_state=5, num_threads=3))
    assert capsys.readouterr().err == ""
    np.testing.assert_array_equal(one, found(random_state=5, progress=True))
    assert "6/6" in capsys.readouterr().err
    assert not np.array_equal(one, found(random_state=6))


@pytest.mark.changes_process  # Python's global generator, from which subsets come then
@pytest.mark.parametrize("clusters", [None, LABELS])
def test_without_a_seed_calls_have_other_subsets(clusters):
    one, other = (population_interval(X, clusters, random_state=None).standard_error for _ in range(2))
    assert one != other


def test_a_saturated_entropy_is_warned_of():
    with pytest.warns(SaturationWarning, match="the entropy at t = 1 is within 2% of its maximum"):
        population_interval(X, bandwidth=1e-3)


def test_the_table_has_a_row_for_each_t_and_order():
    found = population_interval(X, t=[1, 2], order=[1, 2])
    table = found.to_pandas()
    row = table[(table["t"] == 2) & (table["order"] == 1)].iloc[0]
    assert (row["value"], row["standard_error"]) == (found.value[1, 0], found.standard_error[1, 0])
    assert (row["interval_low"], row["interval_high"]) == (found.interval[0][1, 0], found.interval[1][1, 0])
    columns = population_interval(X, LABELS, t=[1, 2]).to_dict()
    assert list(columns) == ["t", "value", "standard_error", "interval_low", "interval_high"]
    assert columns["t"] == [1, 2]


def test_reprs_have_one_value_with_its_interval():
    found = population_interval(X)
    low, high = found.interval
    text = f"entropy {found.value:.4g} +- {found.standard_error:.2g} bits (interval {low:.4g} to {high:.4g} at 95%)"
    assert text in repr(found)
    assert "40 subsets without 6 of 60 samples" in repr(found)
    assert "information" in repr(population_interval(X, LABELS))
    several = population_interval(X, t=[1, 2])
    place = several.standard_error.argmax()
    assert f"2 readings: largest standard error that of entropy {several.value[place]:.4g} +- " in repr(several)


def test_a_picture_has_the_interval_of_each_reading():
    found = population_interval(X, t=[1, 2], order=[1, 2])
    axes = found.plot(ax=Figure().add_subplot())
    drawn = [bars[0].get_ydata() for bars in axes.containers]
    np.testing.assert_array_equal(drawn, found.value.T)
    assert axes.get_ylabel() == "entropy (bits)"
    assert population_interval(X, LABELS).plot(ax=Figure().add_subplot()).get_ylabel() == "information (bits)"


@pytest.mark.parametrize(
    ("error", "text", "arguments"),
    [
        (ValueError, "X must have at least two rows, got 1", {"X": X[:1]}),
        (ValueError, "n_left_out must be at least 1", {"n_left_out": 0}),
        (ValueError, "n_left_out must be below 60, the number of rows, got 60", {"n_left_out": 60}),
        (ValueError, "n_left_out must be at most 60", {"n_left_out": 61}),
        (ValueError, "order must not be given where clusters are given", {"clusters": LABELS, "order": 1}),
        (ValueError, "clusters must be as long as X, 60, got 9", {"clusters": LABELS[:9]}),
        (ValueError, "n_repeats must be at least 2", {"n_repeats": 1}),
        (ValueError, "confidence", {"confidence": 1}),
        (ValueError, "n_neighbors must not be given", {"n_neighbors": 3}),
        (ValueError, "bandwidth", {"bandwidth": np.ones(3)}),
    ],
)
def test_refused(error, text, arguments):
    with pytest.raises(error, match=text):
        population_interval(**{"X": X, **arguments})


@pytest.mark.slow
@pytest.mark.parametrize("information", [False, True])
def test_intervals_cover_the_mean_of_fresh_samples(information):
    """At least 90% of those of 95% do, for normal rows; the seeds are fixed.

    The mean of 300 samples is off by a seventeenth of the deviation of one, which costs 0.2% of the coverage.
    """

    def sample(*seed):
        rows = np.random.default_rng(seed).normal(size=(40, 4))
        return (rows, (rows[:, 0] > 0).astype(int)) if information else (rows,)

    def value(seed):
        data = sample(1, seed)
        return (
            mutual_information(*data, random_state=seed).value if information else diffusion_spectrum(*data).entropy()
        )

    truth = np.mean([value(seed) for seed in range(300)])
    found = [population_interval(*sample(2, seed), random_state=seed, n_repeats=15).interval for seed in range(60)]
    assert np.mean([low <= truth <= high for low, high in found]) >= 0.9
