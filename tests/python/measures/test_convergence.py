"""Entropy against the number of rows: nested subsets, the change a doubling, and whether the value still moves."""

import math

import numpy as np
import pytest
from dsentropy import (
    SaturationWarning,
    Stochastic,
    convergence,
    diffusion_spectrum,
    estimate_bandwidth,
    subsampled_entropy,
)
from dsentropy._measures.nested_subsets import NestedSubsets, half_of
from matplotlib.figure import Figure
from scipy import stats

EPS = np.finfo(float).eps
X = np.random.default_rng(0).normal(size=(120, 3))
SIZES = [30, 60, 120]


def entropy(rows, bandwidth, t=1, order=1):
    return diffusion_spectrum(rows, bandwidth=bandwidth).entropy(t, order)


def test_subsets_of_a_repeat_are_nested_and_repeats_differ():
    subsets = NestedSubsets.of([10, 20, 50], 4, 100, 0, 1)
    rows = [[set(subsets.rows[key].tolist()) for key in keys] for keys in subsets.keys]
    for small, middle, large in rows:
        assert small < middle < large
        assert (len(small), len(middle), len(large)) == (10, 20, 50)
    assert len({frozenset(small) for small, _, _ in rows}) == 4
    whole = NestedSubsets.of([50, 100], 4, 100, 0, 1)
    assert len(set(whole.keys[:, 1])) == 1
    assert len(whole.rows) == 5


def test_values_are_entropies_of_the_first_rows_of_each_order():
    """The largest subsets are those of `subsampled_entropy`, bit for bit; the smaller ones are prefixes."""
    found = convergence(X, [20, 40], n_repeats=5, t=[1, 2], order=[1, 2], random_state=7)
    largest = subsampled_entropy(X, n_samples=40, n_repeats=5, t=[1, 2], order=[1, 2], random_state=7)
    np.testing.assert_array_equal(found.values[:, 1], largest.values)
    assert found.values.shape == (5, 2, 2, 2)
    assert found.bandwidth == largest.bandwidth
    subsets = NestedSubsets.of([20, 40], 5, 120, 7, 1)
    for repeat, (small, _) in enumerate(subsets.keys):
        exact = entropy(X[subsets.rows[small]], found.bandwidth, [1, 2], [1, 2])
        np.testing.assert_allclose(found.values[repeat, 0], exact, atol=53 * 40**2 * EPS)


def test_mean_spread_and_change_are_those_of_nested_differences():
    found = convergence(X, [15, 33, 70], n_repeats=6, t=[1, 2], confidence=0.8)
    np.testing.assert_allclose(found.mean, found.values.mean(axis=0), rtol=8 * EPS)
    np.testing.assert_allclose(found.standard_deviation, found.values.std(axis=0, ddof=1), rtol=8 * EPS)
    changes = (found.values[:, 2] - found.values[:, 1]) / math.log2(70 / 33)
    low, high = stats.t.interval(0.8, 5, loc=changes.mean(axis=0), scale=stats.sem(changes, axis=0))
    np.testing.assert_allclose(found.change, changes.mean(axis=0), atol=1e-14)
    np.testing.assert_allclose(found.change_interval, (low, high), rtol=1e-9, atol=1e-14)


def test_at_all_rows_the_value_is_that_of_the_data():
    found = convergence(X, SIZES)
    assert found.standard_deviation[-1] == 0
    assert found.standard_deviation[0] > 0
    assert found.mean[-1] == pytest.approx(entropy(X, None), abs=53 * 120**2 * EPS)


@pytest.mark.parametrize(
    ("n", "sizes"),
    [(2, (1, 2)), (3, (1, 3)), (33, (16, 33)), (64, (16, 32, 64)), (1797, (56, 112, 224, 449, 898, 1797))],
)
def test_sizes_are_halved_by_default(n, sizes):
    assert convergence(np.random.default_rng(0).normal(size=(n, 2)), n_repeats=2).sizes == sizes


def test_large_data_are_not_read_as_a_whole_by_default():
    assert convergence(np.arange(9000.0)[:, None], bandwidth=2000.0, n_repeats=2, sizes=[5, 9]).n_samples == 9000
    from dsentropy._measures.nested_subsets import as_sizes

    assert as_sizes(None, 9000) == [125, 250, 500, 1000, 2000, 4000]


def test_sizes_are_sorted_and_distinct():
    assert convergence(X, [60, 20, 60, 40]).sizes == (20, 40, 60)
    assert half_of([10, 45, 50, 100], 3) == 2
    assert half_of([10, 45, 80, 100], 3) == 1
    assert half_of([10, 80, 100], 2) == 1


def test_a_value_that_rests_is_settled_and_one_that_grows_moves():
    """At a tiny bandwidth the entropy is log2 n: one bit a doubling. At a large one, of rows of a line, it rests."""
    with pytest.warns(SaturationWarning, match=r"the mean entropy at 120 rows at t = 1 is within 2% of its maximum"):
        grows = convergence(X, SIZES, bandwidth=1e-3)
    assert grows.change == pytest.approx(1, abs=1e-12)
    assert grows.moves is True
    line = np.random.default_rng(0).normal(size=(600, 1))
    rests = convergence(line, [150, 300, 600], bandwidth=2.0)
    low, high = rests.change_interval
    assert max(abs(low), abs(high)) < 0.05
    assert rests.moves is False
    assert convergence(line, [150, 300, 600], bandwidth=2.0, tolerance=abs(rests.change) / 2).moves is True


def test_a_change_that_is_known_badly_is_not_settled():
    """Of two repeats the interval has one degree of freedom, and reaches beyond the tolerance."""
    found = convergence(X, [10, 20], n_repeats=2, tolerance=0.5, random_state=1)
    assert abs(found.change) < 0.5
    assert found.moves is True


def test_each_subset_may_have_its_own_bandwidth():
    found = convergence(X, [20, 40], n_repeats=3, bandwidth_of="subset", t=[1, 2], order=[1, 2])
    assert found.bandwidth is None
    subsets = NestedSubsets.of([20, 40], 3, 120, 0, 1)
    for repeat, keys in enumerate(subsets.keys):
        for place, key in enumerate(keys):
            exact = entropy(X[subsets.rows[key]], None, [1, 2], [1, 2])
            np.testing.assert_allclose(found.values[repeat, place], exact, atol=53 * 40**2 * EPS)


@pytest.mark.parametrize("bandwidth_of", ["all", "subset"])
def test_any_reading_of_a_spectrum(bandwidth_of):
    options = {"n_repeats": 3, "bandwidth_of": bandwidth_of}
    read = convergence(X, [20, 40], reading=lambda spectrum: spectrum.bits([1, 2], [1, 2]), **options)
    entropies = convergence(X, [20, 40], t=[1, 2], order=[1, 2], **options)
    np.testing.assert_allclose(read.values, entropies.values, atol=53 * 40**2 * EPS)
    np.testing.assert_allclose(read.change_interval, entropies.change_interval, atol=1e-9)
    assert read.bandwidth == entropies.bandwidth
    assert (read.t, read.order) == (None, None)
    one = convergence(X, [20, 40], reading=lambda spectrum: spectrum.participation_ratio(), **options)
    assert isinstance(one.change, float)
    np.testing.assert_allclose(np.log2(one.values), entropies.values[:, :, 0, 1], atol=1e-12)


def test_a_bandwidth_of_each_row_stays_with_its_row():
    each = np.random.default_rng(1).uniform(0.5, 2, size=120)
    read = convergence(X, [20, 40], n_repeats=3, bandwidth=each, reading=lambda spectrum: spectrum.entropy())
    np.testing.assert_allclose(read.values, convergence(X, [20, 40], n_repeats=3, bandwidth=each).values, atol=1e-9)


@pytest.mark.parametrize("metric", ["cosine", "precomputed", "affinity"])
def test_metrics(metric):
    unit = X / np.linalg.norm(X, axis=1, keepdims=True) if metric == "cosine" else X
    distances = np.linalg.norm(unit[:, None] - unit, axis=-1)
    given = {"cosine": X, "precomputed": distances, "affinity": np.exp(-(distances**2) / 2)}[metric]
    bandwidth = None if metric == "affinity" else 1.0
    of_rows = convergence(unit, [20, 40], bandwidth=1.0)
    found = convergence(given, [20, 40], metric=metric, bandwidth=bandwidth)
    np.testing.assert_allclose(found.values, of_rows.values, atol=1e-10)
    assert found.bandwidth == bandwidth
    read = convergence(
        given, [20, 40], metric=metric, bandwidth=bandwidth, reading=lambda spectrum: spectrum.entropy()
    )
    np.testing.assert_allclose(read.values, of_rows.values, atol=1e-10)
    if metric != "affinity":
        own = convergence(given, [20, 40], metric=metric, bandwidth_of="subset")
        np.testing.assert_allclose(own.values, convergence(unit, [20, 40], bandwidth_of="subset").values, atol=1e-10)


@pytest.mark.parametrize(
    "options", [{}, {"bandwidth_of": "subset"}, {"reading": lambda spectrum: spectrum.bits([1], [1])}]
)
def test_estimates(options):
    """Each is within three times its tolerance, and the interval of the change is wider for their uncertainty."""
    rows = np.random.default_rng(0).normal(size=(700, 5))
    bandwidth = None if "bandwidth_of" in options else 3.0
    tol = 3e-2
    options = {"bandwidth": bandwidth, "n_repeats": 2, **options}
    exact, found = (
        convergence(rows, [600, 700], solver=solver, **options) for solver in ("exact", Stochastic(tol=tol))
    )
    np.testing.assert_allclose(found.values, exact.values, atol=3 * tol)
    assert not np.array_equal(found.values, exact.values)
    if "reading" not in options:
        assert np.diff(found.change_interval) > np.diff(exact.change_interval)


def test_a_reading_of_estimates_has_their_tolerance_where_it_asks():
    rows = np.random.default_rng(0).normal(size=(600, 3))
    solver = Stochastic(tol=3e-2, t=[2])
    found = convergence(rows, [500, 600], n_repeats=2, solver=solver, reading=lambda spectrum: spectrum.entropy(t=2))
    exact = convergence(rows, [500, 600], n_repeats=2, t=2)
    np.testing.assert_allclose(found.values, exact.values, atol=9e-2)


@pytest.mark.parametrize(
    "options", [{}, {"bandwidth_of": "subset"}, {"reading": lambda spectrum: spectrum.entropy()}]
)
def test_a_seed_gives_the_same_bits_with_any_number_of_threads(options, capsys):
    def found(**more):
        return convergence(X, [20, 40], **options, **more).values

    one = found(random_state=5)
    np.testing.assert_array_equal(one, found(random_state=5, num_threads=1))
    np.testing.assert_array_equal(one, found(random_state=5, num_threads=3))
    assert capsys.readouterr().err == ""
    np.testing.assert_array_equal(one, found(random_state=5, progress=True))
    assert "20/20" in capsys.readouterr().err
    assert not np.array_equal(one, found(random_state=6))


def test_the_table_has_a_row_for_each_size_and_reading():
    found = convergence(X, SIZES, t=[1, 2], order=[1, 2])
    table = found.to_pandas()
    assert len(table) == 3 * 2 * 2
    row = table[(table["n_samples"] == 120) & (table["t"] == 2) & (table["order"] == 1)].iloc[0]
    assert (row["mean"], row["standard_deviation"]) == (found.mean[2, 1, 0], found.standard_deviation[2, 1, 0])
    assert row["change"] == pytest.approx(found.change[1, 0], abs=1e-14)
    assert table[table["n_samples"] == 30]["change"].isna().all()
    read = convergence(X, SIZES, reading=lambda spectrum: [spectrum.entropy(), 1.0]).to_dict()
    assert list(read) == ["n_samples", "reading", "mean", "standard_deviation", "change"]
    assert read["reading"] == [0, 1] * 3
    one = convergence(X, SIZES).to_dict()
    assert (one["t"], one["order"], one["n_samples"]) == ([1.0] * 3, [1.0] * 3, SIZES)


def test_reprs_say_whether_the_value_moves():
    found = convergence(X, SIZES)
    low, high = found.change_interval
    assert f"{found.mean[-1]:.4g} bits at 120 of 120 samples, may still move: " in repr(found)
    assert f"{found.change:.2g} bits a doubling (interval" in repr(found)
    assert f"{low:.2g} to {high:.2g} at 95%), tolerance 0.05; 10 nested subsets at 3 sizes" in repr(found)
    assert "settled" in repr(convergence(X, SIZES, tolerance=10))
    assert "of 2 readings at 120 of 120 samples" in repr(convergence(X, SIZES, t=[1, 2]))
    assert "bits" not in repr(convergence(X, SIZES, reading=lambda spectrum: spectrum.participation_ratio()))


def test_a_picture_has_a_line_for_each_reading():
    found = convergence(X, SIZES, t=[1, 2], order=[1, 2])
    axes = found.plot(ax=Figure().add_subplot())
    assert [line.get_label() for line in axes.get_lines()][1] == "t = 1, order 2"
    np.testing.assert_array_equal(axes.get_lines()[2].get_ydata(), found.mean[:, 1, 0])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["30", "60", "120"]
    read = convergence(X, SIZES, reading=lambda spectrum: spectrum.participation_ratio())
    assert read.plot(ax=Figure().add_subplot()).get_ylabel() == "reading"
    assert convergence(X, SIZES).plot(ax=Figure().add_subplot()).get_lines()[0].get_label() == "t = 1"


@pytest.mark.parametrize(
    ("error", "text", "arguments"),
    [
        (ValueError, "X must have at least two rows, got 1", {"X": X[:1]}),
        (ValueError, "sizes must be at most 120", {"sizes": [30, 121]}),
        (ValueError, "sizes must have at least two different numbers of rows", {"sizes": [30, 30]}),
        (ValueError, "sizes must have at least two different numbers of rows", {"sizes": 30}),
        (TypeError, "sizes must be an integer", {"sizes": [30, 60.5]}),
        (ValueError, "sizes must be at least 1", {"sizes": [0, 60]}),
        (ValueError, "n_repeats must be at least 2", {"n_repeats": 1}),
        (ValueError, "tolerance must be positive", {"tolerance": 0}),
        (ValueError, "confidence", {"confidence": 0}),
        (ValueError, "bandwidth_of must be 'all' or 'subset'", {"bandwidth_of": "own"}),
        (
            ValueError,
            "bandwidth_of must be 'all' where bandwidth is no rule",
            {"bandwidth_of": "subset", "bandwidth": 2},
        ),
        (
            ValueError,
            "bandwidth_of must be 'all' where metric is 'affinity'",
            {"X": np.ones((9, 9)), "metric": "affinity", "bandwidth_of": "subset"},
        ),
        (TypeError, "reading must be a function of a Spectrum", {"reading": "entropy"}),
        (ValueError, "t must not be given where reading is given", {"reading": len, "t": 2}),
        (ValueError, "order must not be given where reading is given", {"reading": len, "order": 2}),
        (ValueError, "reading must return finite numbers, got nan of ", {"reading": lambda spectrum: math.nan}),
        (ValueError, "reading must return finite numbers, got 'a' of ", {"reading": lambda spectrum: "a"}),
        (ValueError, "reading must return finite numbers, got .* of ", {"reading": lambda spectrum: [1, [2, 3]]}),
        (
            ValueError,
            "reading must return arrays of one shape",
            {"reading": lambda spectrum: spectrum.eigenvalues, "sizes": [10, 20]},
        ),
        (ValueError, "precision", {"reading": lambda spectrum: 1, "precision": "single", "bandwidth": "knn"}),
        (ValueError, "t must not be given in Stochastic", {"solver": Stochastic(t=2)}),
    ],
)
def test_refused(error, text, arguments):
    with pytest.raises(error, match=text):
        convergence(**{"X": X, **arguments})


def test_a_callable_of_each_subset_is_its_own_bandwidth():
    found = convergence(X, [20, 40], bandwidth=lambda rows: 0.1 * len(rows), bandwidth_of="subset")
    assert found.values.shape == (10, 2)
    half = convergence(X, [20, 40], bandwidth=lambda rows: estimate_bandwidth(rows) / 2)
    assert half.bandwidth == estimate_bandwidth(X) / 2
