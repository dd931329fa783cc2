"""Information within classes: its parts, its error, and a test that leaves out what the classes explain."""

import math

import numpy as np
import pandas
import pytest
from dsentropy import (
    ConditionalMutualInformation,
    Stochastic,
    TargetWarning,
    conditional_mutual_information,
    mutual_information,
)
from scipy import stats
from sklearn.cluster import KMeans

EPS = np.finfo(float).eps
RARE = 1e-3
N = 90
RNG = np.random.default_rng(0)
GIVEN = np.repeat([0, 1, 2], [20, 30, 40])
TARGET = RNG.integers(0, 2, N)
X = RNG.normal(size=(N, 3))
NAMES = ("value", "standard_error", "p_value", "z", "null")


def found(target=TARGET, given=GIVEN, rows=X, **arguments):
    return conditional_mutual_information(rows, target, given, **{"bandwidth": 1.0, **arguments})


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in NAMES)


@pytest.mark.parametrize("t", [1, [1, 2]])
@pytest.mark.parametrize("one_class", [np.zeros(N, dtype=int), np.full(N, "a"), np.full(N, 0.5)], ids=str)
def test_within_one_class_it_is_the_information(t, one_class):
    expected = mutual_information(X, TARGET, bandwidth=1.0, t=t, n_permutations=9, random_state=3)
    result = found(given=one_class, t=t, n_permutations=9, random_state=3)
    assert same(result, expected)
    assert (result.ceiling, result.bandwidth, result.t) == (expected.ceiling, expected.bandwidth, expected.t)
    assert np.array_equal(result.clusters, expected.clusters)


@pytest.mark.parametrize("given", [TARGET, np.arange(N)], ids=["the target", "rows"])
def test_within_classes_in_which_the_target_is_constant_it_is_0(given):
    """Random subsets are all rows of a class, in other orders, which rounds."""
    result = found(given=given, given_discrete=True, n_permutations=9)
    assert abs(result.value) <= 53 * N**2 * EPS
    assert result.standard_error <= 53 * N**2 * EPS
    assert (result.ceiling, result.p_value) == (0, 1)
    assert math.isnan(result.z)


@pytest.mark.parametrize("bandwidth", [1.3, "median", "knn", np.linspace(0.5, 2, N)], ids=str)
def test_the_value_is_the_mean_over_classes_of_that_of_their_rows(bandwidth):
    """With the bandwidth of all rows. Random subsets differ, so means of 400 agree within 4.5 standard errors."""
    times = [0.5, 1, 2]
    result = found(bandwidth=bandwidth, n_repeats=400, t=times, random_state=1)
    expected, variance = np.zeros(3), np.zeros(3)
    for each, size in zip(*np.unique(GIVEN, return_counts=True), strict=True):
        rows = each == GIVEN
        sigma = result.bandwidth[rows] if np.ndim(result.bandwidth) else result.bandwidth
        part = mutual_information(X[rows], TARGET[rows], bandwidth=sigma, t=times, n_repeats=400, random_state=99)
        expected += size / N * part.value
        variance += (size / N * part.standard_error) ** 2
        table = pandas.DataFrame(result.per_class)
        own = table[table.given == each]
        assert own["size"].tolist() == [size] * 3
        assert own.clusters.tolist() == [2] * 3
        assert own.ceiling.tolist() == pytest.approx([part.ceiling] * 3, rel=1e-14)
        both = np.hypot(own.standard_error, part.standard_error)
        assert (np.abs(own.information - part.value) <= 4.5 * both).all()
    np.testing.assert_allclose(result.standard_error, np.sqrt(variance), rtol=0.3)  # of two samples of 400
    assert (np.abs(result.value - expected) <= 4.5 * np.hypot(result.standard_error, np.sqrt(variance))).all()


def test_classes_sum_to_the_value_and_the_table_has_a_row_for_each_class_and_t():
    result = found(t=[1, 2], n_permutations=19)
    table = pandas.DataFrame(result.per_class)
    columns = ["given", "size", "t", "information", "standard_error", "p_value", "z", "clusters", "ceiling"]
    assert list(table) == columns
    assert len(table) == 6
    for place, t in enumerate(result.t):
        part = table[table.t == t]
        weights = part["size"] / N
        assert weights @ part.information == pytest.approx(result.value[place], abs=1e-14)
        assert np.sqrt(weights**2 @ part.standard_error**2) == pytest.approx(result.standard_error[place], rel=1e-12)
    assert weights @ part.ceiling == pytest.approx(result.ceiling, rel=1e-14)
    assert (table.p_value >= 0.05).all()
    assert np.isnan(found().per_class["p_value"]).all()
    assert np.isnan(found().per_class["z"]).all()


def test_results_are_tables_and_say_what_was_found():
    result = found(t=[1, 2], n_permutations=19)
    assert isinstance(result, ConditionalMutualInformation)
    table = result.to_pandas()
    assert list(table) == ["t", "value", "standard_error", "p_value", "z", "ceiling"]
    assert table.value.tolist() == result.value.tolist()
    assert "bits at t = 2, p = " in repr(result)
    assert "; within 3 classes, ceiling 0.9491 bits>" in repr(result)
    assert "within 1 class," in repr(found(given=np.zeros(N)))
    assert "p = " not in repr(found())
    assert found().p_value is found().z is found().null is None


# The test.


def confounded(seed):
    """Draw rows and labels that both depend on a class, and on nothing else."""
    rng = np.random.default_rng([seed, 7])
    given = np.repeat([0, 1], [30, 40])
    target = np.where(rng.random(70) < 0.9, given, 1 - given)
    return rng.normal(size=(70, 2)) + 3 * given[:, None], target, given


def test_what_the_classes_explain_is_no_information():
    rows, target, given = confounded(1)
    assert mutual_information(rows, target, bandwidth=1.0, n_permutations=99).p_value == 0.01
    assert found(target, given, rows, n_permutations=99).p_value > 0.05
    rows[:, 1] += 3 * target
    left = found(target, given, rows, n_permutations=99)
    assert left.p_value == 0.01
    assert left.z > 2


def test_p_values_are_uniform_where_classes_explain_all():
    """On 1 / 20, ..., 1; less a uniform number of 1 / 20, on 0 to 1. Kolmogorov and Smirnov's test."""
    p = []
    for seed in range(200):
        rows, target, given = confounded(seed)
        p.append(found(target, given, rows, n_permutations=19, n_repeats=2, random_state=seed).p_value)
    spread = np.array(p) - np.random.default_rng(0).random(200) / 20
    assert stats.kstest(spread, "uniform").pvalue > 2 * RARE


def test_permutations_stay_within_classes():
    """In classes of two rows with two labels, a permutation changes nothing that an entropy of a row can see."""
    given, target = np.repeat(np.arange(N // 2), 2), np.arange(N) % 2
    result = found(target, given, n_permutations=19, given_discrete=True)
    assert np.ptp(result.null) <= 53 * N**2 * EPS
    assert result.p_value == 1
    everywhere = mutual_information(X, target, bandwidth=1.0, n_permutations=19)
    assert np.ptp(everywhere.null) > 1e-3


def test_p_and_z_are_those_of_the_null():
    result = found(n_permutations=39, t=[1, 2])
    assert result.null.shape == (39, 2)
    assert result.p_value.tolist() == ((1 + (result.null >= result.value - 1e-10).sum(axis=0)) / 40).tolist()
    expected = (result.value - result.null.mean(axis=0)) / result.null.std(axis=0, ddof=1)
    np.testing.assert_allclose(result.z, expected, rtol=1e-12)


def test_the_standard_error_is_the_spread_of_the_value_over_seeds():
    """The ratio of two variances (Fisher's F); where sizes differ within a class, a third more variance."""
    seeds, repetitions = 200, 10
    results = [found(n_repeats=repetitions, random_state=seed) for seed in range(seeds)]
    ratio = np.var([one.value for one in results], ddof=1) / np.mean([one.standard_error**2 for one in results])
    low, high = stats.f.ppf([RARE, 1 - RARE], seeds - 1, seeds * (repetitions - 1))
    assert low / (4 / 3) <= ratio <= high


# Arguments.


def test_a_seed_gives_the_same_bits_with_any_number_of_threads_and_a_bar_or_none(capsys):
    options = {"t": [1, 2], "n_permutations": 9, "n_repeats": 3, "random_state": 5}
    one = found(**options)
    assert same(one, found(**options, num_threads=1))
    assert same(one, found(**options, num_threads=3, progress=True))
    assert "entropies" in capsys.readouterr().err
    assert not same(one, found(**options | {"random_state": 6}))


def test_distances_affinities_and_estimates():
    distances = np.linalg.norm(X[:, None] - X, axis=-1)
    one = found(n_permutations=9)
    given = found(rows=distances, metric="precomputed", n_permutations=9)
    affine = found(rows=np.exp(-(distances**2) / 2), metric="affinity", bandwidth=None, n_permutations=9)
    for other in (given, affine, found(solver=Stochastic(tol=1e-12), n_permutations=9)):
        assert other.value == pytest.approx(one.value, abs=1e-9)
        assert other.p_value == one.p_value
    assert affine.bandwidth is None


def test_estimates_have_their_uncertainty_in_the_error():
    rng = np.random.default_rng(0)
    which = rng.integers(0, 10, 1800)
    rows = 3 * rng.normal(size=(10, 64))[which] + 0.5 * rng.normal(size=(1800, 64))
    options = {"target": which % 2, "given": np.arange(1800) % 2, "rows": rows, "bandwidth": 10.0, "n_repeats": 3}
    exact, estimated = found(**options), found(**options, solver=Stochastic(tol=3e-2))
    assert abs(estimated.value - exact.value) > 1e-6
    assert estimated.standard_error > exact.standard_error
    assert abs(estimated.value - exact.value) <= 4 * estimated.standard_error


def test_numbers_become_bins_of_the_whole_and_several_columns_joint_classes():
    numbers = RNG.lognormal(size=N)
    result = found(target=numbers, given=np.stack([GIVEN, GIVEN % 2], axis=1), binning="quantile", n_clusters=3)
    assert result.edges.tolist() == np.quantile(numbers, [0, 1 / 3, 2 / 3, 1]).tolist()
    assert result.per_class["labels"] == [(0, 0), (1, 1), (2, 0)]
    result = found(given=numbers, binning="quantile", n_clusters=3)
    assert result.edges is None
    assert result.per_class["upper_edge"][-1] == numbers.max()
    assert np.bincount(result.classes)[1:].tolist() == [30, 30, 30]
    result = found(given=X[:, :2], clustering=KMeans(2, n_init=1))
    assert len(np.unique(result.classes)) == 2
    with pytest.warns(TargetWarning, match="given: 3 distinct whole numbers .* given_discrete=True"):
        found(given=GIVEN.astype(float))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"given": GIVEN[1:]}, ValueError, "^given must be as long as X, 90, got 89"),
        ({"given": None}, ValueError, "^given must have the shape"),
        ({"target": None}, ValueError, "^target must have the shape"),
        ({"target": TARGET[1:]}, ValueError, "^target must be as long as X"),
        ({"given": np.full(N, np.nan)}, ValueError, "^given must be finite where it is not discrete"),
        ({"given": np.array([1, "a"] * 45, dtype=object)}, TypeError, "^given must hold labels that can be sorted"),
        ({"n_clusters": 3}, ValueError, "^n_clusters must not be given where target and given are discrete"),
        ({"clustering": KMeans(2)}, ValueError, "^clustering must not be given where target and given are discrete"),
        ({"given": X, "binning": "width"}, ValueError, "^binning must not be given where target and given have"),
        ({"given_discrete": 1}, TypeError, "^given_discrete must be True, False or None"),
        ({"n_repeats": 0}, ValueError, "^n_repeats must be at least 1"),
        ({"n_permutations": -1}, ValueError, "^n_permutations must be at least 0"),
        ({"n_repeats": 10**7}, MemoryError, "^n_repeats = 10000000"),
        ({"n_permutations": 10**7}, MemoryError, "^n_permutations = 10000000 of 6 clusters within 3 classes"),
    ],
)
def test_bad_arguments_are_named(arguments, error, match, monkeypatch):
    def require(rows, needed):
        if needed > 10**9:
            raise MemoryError(f"{rows} rows need {needed} bytes")

    monkeypatch.setattr("dsentropy._core.require_memory", require)
    with pytest.raises(error, match=match):
        found(**arguments)
