"""What intervals, standard errors and p-values claim, held against many seeded repetitions.

Every tolerance is a quantile of what chance leaves of a claim that is true: of 1 in 1000 to a side, where nothing
else is said.
"""

import math

import numpy as np
import pandas
import pytest
from dsentropy import (
    SaturationWarning,
    SubsetWarning,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
    mutual_information,
    subsampled_entropy,
)
from dsentropy._data import cluster_subsets as _cluster_subsets
from dsentropy._data import subsets as _subsample
from scipy import stats

EPS = np.finfo(float).eps
RARE = 1e-3
SIZES = (10, 20, 30)


def cloud(n=60, d=3, seed=0):
    return np.random.default_rng([seed, n, d]).normal(size=(n, d))


def labels(sizes=SIZES):
    return np.repeat(np.arange(len(sizes)), sizes)


# The test of independence.


@pytest.mark.slow
@pytest.mark.parametrize("n_permutations", [3, 99])
def test_p_values_are_uniform_under_independence(n_permutations):
    """On 1 / (P + 1), ..., 1; less a uniform number of 1 / (P + 1), on 0 to 1. Kolmogorov and Smirnov's test."""
    p = [
        mutual_information(
            cloud(seed=seed), labels(), n_permutations=n_permutations, n_repeats=2, random_state=seed
        ).p_value
        for seed in range(200)
    ]
    places = np.array(p) * (n_permutations + 1)
    assert np.abs(places - places.round()).max() <= EPS * (n_permutations + 1)
    assert places.min() >= 1
    assert places.max() <= n_permutations + 1
    spread = (places - np.random.default_rng(0).random(200)) / (n_permutations + 1)
    assert stats.kstest(spread, "uniform").pvalue > 2 * RARE


@pytest.mark.slow
@pytest.mark.parametrize("n_permutations", [3, 99])
def test_p_values_are_small_where_labels_and_data_depend(n_permutations):
    """Three groups 4 standard deviations apart: no permutation comes near."""
    X = cloud()
    X[:, 0] += 4 * labels()
    for seed in range(20):
        found = mutual_information(X, labels(), n_permutations=n_permutations, random_state=seed)
        assert found.p_value == 1 / (n_permutations + 1)
        assert found.null.max() < found.value


def test_p_values_count_the_labels_as_they_are_among_the_permutations():
    found = mutual_information(cloud(), labels(), t=[1, 2], n_permutations=99)
    assert found.null.shape == (99, 2)
    assert found.p_value.tolist() == ((1 + (found.null >= found.value).sum(axis=0)) / 100).tolist()


def test_p_is_1_where_no_permutation_can_differ():
    """One cluster, or as many as rows, which have no entropy."""
    assert mutual_information(cloud(), np.zeros(60, dtype=int), n_permutations=9).p_value == 1
    alone = mutual_information(cloud(), np.arange(60), target_discrete=True, n_permutations=9)
    assert (alone.value, alone.p_value) == (0, 1)


@pytest.mark.parametrize("t", [2, [0.5, 2]])
def test_z_is_the_value_in_standard_deviations_of_the_permutations(t):
    X = cloud()
    X[:, 0] += 4 * labels()
    found = mutual_information(X, labels(), t=t, n_permutations=19)
    expected = (found.value - found.null.mean(axis=0)) / found.null.std(axis=0, ddof=1)
    np.testing.assert_allclose(found.z, expected, rtol=1e-12)
    assert np.min(found.z) > 10  # 19 permutations say no more of p than that it is at most 0.05
    assert np.ndim(found.z) == np.ndim(t)
    assert ", z = " in repr(found)


def test_z_is_nan_where_permutations_do_not_differ():
    """One cluster is drawn in other orders, which rounds; one permutation has no spread."""
    assert math.isnan(mutual_information(cloud(), np.zeros(60), t=2, n_permutations=9).z)
    assert math.isnan(mutual_information(cloud(), labels(), n_permutations=1).z)
    assert mutual_information(cloud(), labels()).z is None
    assert "z = " not in repr(mutual_information(cloud(), labels(), n_permutations=1))


@pytest.mark.parametrize("n_permutations", [0, 19])
@pytest.mark.parametrize("t", [1, [0.5, 2]])
def test_a_table_of_an_information_has_a_row_for_each_t(t, n_permutations):
    found = mutual_information(cloud(), labels(), t=t, n_permutations=n_permutations)
    table = found.to_pandas()
    assert list(table) == ["t", "value", "standard_error", "p_value", "z", "ceiling"]
    assert table.t.tolist() == np.ravel(t).tolist()
    for name in ("value", "standard_error", "p_value", "z"):
        expected = getattr(found, name)
        assert np.array_equal(table[name], np.ravel(np.nan if expected is None else expected), equal_nan=True) or (
            expected is None and table[name].isna().all()
        )
    assert (table.ceiling == found.ceiling).all()
    assert found._repr_html_().count("<tr>") == 1 + len(table)


# The Monte Carlo error.


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(20, 20, 20), (15, 45), SIZES, (40, 15, 5), (5, 10, 15, 20, 25)], ids=str)
def test_the_standard_error_is_the_spread_of_the_value_over_seeds(sizes):
    """The ratio of two variances, of 200 values and of 200 times 10 repetitions about their means (Fisher's F).

    Where the sizes differ, correlations are those of means, to which an entropy is near: a third more variance.
    """
    seeds, repetitions = 200, 10
    X = cloud(sum(sizes))
    found = [mutual_information(X, labels(sizes), n_repeats=repetitions, random_state=seed) for seed in range(seeds)]
    ratio = np.var([one.value for one in found], ddof=1) / np.mean([one.standard_error**2 for one in found])
    low, high = stats.f.ppf([RARE, 1 - RARE], seeds - 1, seeds * (repetitions - 1))
    assert low / (1 if len(set(sizes)) == 1 else 4 / 3) <= ratio <= high


def test_one_repetition_has_no_standard_error():
    assert math.isnan(mutual_information(cloud(), labels(), n_repeats=1).standard_error)


def test_equal_subsets_leave_no_standard_error():
    """One cluster of all rows, whose random subsets are all of them; they are drawn in other orders, which rounds."""
    found = mutual_information(cloud(), np.zeros(60))
    assert found.standard_error <= 53 * 60**2 * EPS
    assert abs(found.value) <= 53 * 60**2 * EPS


# The value, and its parts.

TARGETS = {
    "labels": np.random.default_rng(1).integers(0, 4, 100),
    "strings": np.random.default_rng(2).choice(["a", "b", "cc"], 100),
    "a number": np.random.default_rng(3).normal(size=100),
    "two numbers": np.random.default_rng(4).normal(size=(100, 2)),
}


def bins(target):
    """A number of clusters, which labels have already."""
    return {"n_clusters": 4} if target.dtype.kind == "f" else {}


@pytest.mark.parametrize("t", [1, 2, 7.5])
@pytest.mark.parametrize("seed", [0, 1, -5])
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_with_its_settings_the_value_is_that_of_the_reference(target, seed, t):
    """Which adds eps to each p: at most 53 eps each, in two entropies whose weights sum to 1.

    It clusters columns in their own units.
    """
    X = 9 * cloud(100, 5)
    points = (target - target.mean(axis=0)) / target.std(axis=0) if target.ndim == 2 else target
    expected, clusters = diffusion_spectral_mutual_information(
        X, points, t=t, n_clusters=4, random_seed=seed, gaussian_kernel_sigma=10
    )
    found = mutual_information(X, target, t=t, **bins(target), random_state=seed, bandwidth=10, n_repeats=5)
    assert abs(found.value - expected) <= 2 * 53 * 100 * EPS
    assert np.array_equal(found.clusters, clusters.ravel())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_clusters_sum_to_the_value(target):
    """Weighted by their sizes. Of several terms, none above log2 N, each rounded a few times."""
    times = [0.5, 1, 3]
    found = mutual_information(cloud(100), target, t=times, **bins(target))
    table = pandas.DataFrame(found.per_cluster)
    rounding = 8 * len(table) * EPS * math.log2(100)
    for t, value in zip(times, found.value, strict=True):
        part = table[table.t == t]
        assert part["size"].sum() == 100
        assert abs((part["size"] / 100 * part.information).sum() - value) <= rounding
    assert (table.random_entropy - table.entropy - table.information).abs().max() <= rounding
    names, sizes = np.unique(found.clusters, return_counts=True)
    assert part.cluster.tolist() == names.tolist()
    assert part["size"].tolist() == sizes.tolist()
    assert abs(found.ceiling - stats.entropy(sizes, base=2)) <= rounding


@pytest.mark.parametrize("bandwidth", [1.5, "median", "knn"])
def test_entropies_of_clusters_are_those_of_their_rows_with_the_bandwidth_of_all(bandwidth):
    X = cloud()
    found = mutual_information(X, labels(), bandwidth=bandwidth, alpha=0.5)
    for cluster, entropy in zip(found.per_cluster["cluster"], found.per_cluster["entropy"], strict=True):
        rows = labels() == cluster
        sigma = found.bandwidth[rows] if bandwidth == "knn" else found.bandwidth
        expected = diffusion_spectrum(X[rows], bandwidth=sigma, alpha=0.5).entropy()
        assert abs(entropy - expected) <= 53 * 60**2 * EPS  # rows lie elsewhere in their blocks


def test_several_times_are_those_of_each():
    """Up to the order in which a few terms of at most log2 N are summed."""
    several = mutual_information(cloud(), labels(), t=[1, 2.5], n_permutations=19)
    rounding = 60 * EPS * math.log2(60)
    for place, t in enumerate([1, 2.5]):
        one = mutual_information(cloud(), labels(), t=t, n_permutations=19)
        assert abs(one.value - several.value[place]) <= rounding
        assert abs(one.standard_error - several.standard_error[place]) <= rounding
        assert np.abs(one.null - several.null[:, place]).max() <= rounding
        assert one.p_value == several.p_value[place]


# Entropy of subsets.


@pytest.mark.slow
@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_intervals_cover_the_mean_of_fresh_subsets_as_often_as_they_say(confidence):
    """Within 3 binomial standard errors. The mean of 2000 subsets is off by 1/14 of what that of 10 is off by, which
    costs a hundredth of the coverage at most.
    """
    X = cloud(200)
    rng = np.random.default_rng(0)
    sigma = subsampled_entropy(X, n_samples=40).bandwidth
    fresh = [
        diffusion_spectrum(X[rng.choice(200, 40, replace=False)], bandwidth=sigma).entropy() for _ in range(2000)
    ]
    covered = 0
    for seed in range(200):
        found = subsampled_entropy(X, n_samples=40, n_repeats=10, confidence=confidence, random_state=seed)
        low, high = found.interval
        covered += low <= np.mean(fresh) <= high
    assert abs(covered / 200 - confidence) <= 3 * math.sqrt(confidence * (1 - confidence) / 200)


def test_intervals_are_those_of_student():
    found = subsampled_entropy(cloud(), n_samples=20, n_repeats=7, confidence=0.8, t=[1, 2], order=[1, 2, 3])
    assert found.values.shape == (7, 2, 3)
    error = stats.sem(found.values, axis=0)
    low, high = stats.t.interval(0.8, 6, loc=found.values.mean(axis=0), scale=error)
    np.testing.assert_allclose(found.mean, found.values.mean(axis=0), rtol=8 * EPS)
    np.testing.assert_allclose(found.standard_deviation, error * math.sqrt(7), rtol=8 * EPS)
    np.testing.assert_allclose(found.interval, (low, high), rtol=1e-9)  # quantiles of t, computed in two ways


@pytest.mark.parametrize(("t", "order"), [(1, 1), ([1, 2], 2), ([0.5, 1, 3], [1, 2])])
def test_a_table_of_subsets_has_a_row_for_each_t_and_order(t, order):
    found = subsampled_entropy(cloud(), n_samples=20, n_repeats=5, bandwidth=0.7, t=t, order=order)
    table = found.to_pandas()
    assert list(table) == ["t", "order", "mean", "standard_deviation", "interval_low", "interval_high"]
    assert len(table) == np.size(t) * np.size(order)
    for row, (each_t, each_order) in enumerate((one, other) for one in np.ravel(t) for other in np.ravel(order)):
        one = subsampled_entropy(cloud(), n_samples=20, n_repeats=5, bandwidth=0.7, t=each_t, order=each_order)
        expected = (each_t, each_order, one.mean, one.standard_deviation, *one.interval)
        np.testing.assert_allclose(table.iloc[row], expected, rtol=1e-9)  # a deviation is a difference of entropies
    assert found._repr_html_().count("<tr>") == 1 + len(table)


def test_where_a_subset_is_all_rows_the_interval_is_a_point():
    found = subsampled_entropy(cloud(), n_samples=60)
    assert found.interval == (found.mean, found.mean)
    assert abs(found.mean - diffusion_spectrum(cloud()).entropy()) <= 53 * 60**2 * EPS


# Equal seeds.


def everything(found):
    return [getattr(found, name) for name in found.__dataclass_fields__]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(everything(one), everything(other), strict=True))


CALLS = {
    "mutual_information": lambda **options: mutual_information(
        cloud(), labels(), t=[1, 2], n_permutations=19, n_repeats=3, **options
    ),
    "subsampled_entropy": lambda **options: subsampled_entropy(cloud(), n_samples=25, **options),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_seed_gives_the_same_bits_with_any_number_of_threads_and_a_bar_or_none(call, capsys):
    one = call(random_state=5)
    assert same(one, call(random_state=5))
    assert same(one, call(random_state=5, num_threads=1))
    assert same(one, call(random_state=5, num_threads=3))
    assert capsys.readouterr().err == ""
    assert same(one, call(random_state=5, progress=True))
    assert "entropies" in capsys.readouterr().err
    assert not same(one, call(random_state=6))


def test_subsets_of_clusters_that_are_cut_are_independent(monkeypatch):
    """The reference's are the same from the second on."""
    for module in (_subsample, _cluster_subsets):
        monkeypatch.setattr(module, "INNER_MAX_N", 30)
    X = cloud(120)
    with pytest.warns(SubsetWarning, match="target: 2 of 2 clusters have more than 30 rows, the largest 60"):
        found = mutual_information(X, labels((60, 60)), bandwidth=1.0, n_repeats=40)
    spread = np.std([subsampled_entropy(X, n_samples=30, bandwidth=1.0, random_state=s).mean for s in range(30)])
    # Means of 40 subsets here and of 20 there; a factor of 2 is beyond chance (Fisher's F).
    assert spread / 2 / math.sqrt(2) <= found.standard_error <= spread * 2 / math.sqrt(2)
    with pytest.warns(SubsetWarning), pytest.warns(SaturationWarning, match=r"of its maximum, 4\.907 bits"):
        mutual_information(X, labels((60, 60)), bandwidth=1e-4)


def test_affinities_need_no_bandwidth():
    X = cloud(60)
    G = np.exp(-(np.linalg.norm(X[:, None] - X, axis=-1) ** 2) / 2)
    given, rows = mutual_information(G, labels(), metric="affinity"), mutual_information(X, labels(), bandwidth=1.0)
    assert given.value == pytest.approx(rows.value, abs=1e-12)
    assert given.bandwidth is None
    given, rows = (
        subsampled_entropy(data, n_samples=20, **options)
        for data, options in [(G, {"metric": "affinity"}), (X, {"bandwidth": 1.0})]
    )
    assert given.mean == pytest.approx(rows.mean, abs=1e-12)
    assert given.bandwidth is None


def test_reprs_say_what_was_found():
    X = cloud(60)
    text = repr(subsampled_entropy(X, n_samples=20, bandwidth=1.0))
    assert all(part in text for part in ["bits", "at 95%", "20 subsets of 20 samples"])
    assert "20 subsets of 20 samples" in repr(subsampled_entropy(X, n_samples=20, bandwidth=1.0, t=[1, 1.5]))
    several = subsampled_entropy(X, n_samples=20, bandwidth=1.0, t=[1, 1.5])
    smallest, largest = several.mean.min(), several.mean.max()
    assert f"2 readings of t and order: smallest mean {smallest:.4g} bits, largest {largest:.4g} bits" in repr(
        several
    )
    assert "1 reading of" in repr(subsampled_entropy(X, n_samples=20, bandwidth=1.0, t=[1]))
    assert "at 99.5%" in repr(subsampled_entropy(X, n_samples=20, bandwidth=1.0, confidence=0.995))
    text = repr(mutual_information(X, labels(), bandwidth=1.0, n_permutations=9))
    assert all(part in text for part in ["+-", "p = ", "3 clusters, ceiling "])
    text = repr(mutual_information(X, np.zeros(60, dtype=int), bandwidth=1.0, n_repeats=1))
    assert "1 cluster, ceiling 0 bits" in text
    assert "nan" not in text


def test_as_many_clusters_as_rows_are_no_burden():
    """3000 clusters of one row, each with 20 random ones: the error looks at sizes, not at subsets."""
    found = mutual_information(cloud(3000), np.arange(3000), target_discrete=True, bandwidth=1.0)
    assert (found.value, found.standard_error) == (0, 0)


@pytest.mark.parametrize("confidence", [1 - 2.0**-53, 1 - 1e-15, 1 - 1e-10, 0.9999, 0.95, 0.5, 1e-10, 1e-300])
def test_intervals_are_finite_and_nested(confidence):
    """For 2 degrees of freedom the quantile of the tail p is (1 - 2 p) / sqrt(2 p (1 - p)), in closed form."""
    X = np.random.default_rng(0).normal(size=(40, 2))
    found = subsampled_entropy(X, n_samples=10, n_repeats=3, bandwidth=1.0, confidence=confidence)
    tail = (1 - confidence) / 2
    quantile = (1 - 2 * tail) / np.sqrt(2 * tail * (1 - tail))
    low, high = found.interval
    error = found.standard_deviation / np.sqrt(3)
    assert (high - low) / 2 == pytest.approx(quantile * error, rel=1e-10, abs=1e-15)
    alike = subsampled_entropy(X, n_samples=40, n_repeats=3, bandwidth=1.0, confidence=confidence)
    assert alike.interval == (alike.mean, alike.mean)
