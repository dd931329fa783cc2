"""Classes of a target in `mutual_information`: bins and their edges, joint labels, points, and given clusters."""

import numpy as np
import pandas
import pytest
from dsentropy import TargetWarning, diffusion_spectral_mutual_information, mutual_information
from dsentropy._data.bins import quantile_bins, width_edges
from dsentropy._data.clustering import cluster_by, standardized
from dsentropy._data.target_columns import as_columns
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

N = 200
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
SKEWED = RNG.lognormal(sigma=2, size=N)


def found(target=None, **arguments):
    return mutual_information(
        X if target is None else X[: len(target)], target, n_repeats=2, bandwidth=1.0, **arguments
    )


def same_partition(a, b):
    return len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(np.unique(a)) == len(np.unique(b))


# Bins.


@pytest.mark.parametrize("binning", ["width", "quantile"])
@pytest.mark.parametrize("n_clusters", [1, 2, 4, 13])
@pytest.mark.parametrize("target", [SKEWED, SKEWED[:, None].astype(np.float32), RNG.poisson(3, N) / 8], ids=range(3))
def test_edges_say_which_bin_a_number_is_in(target, binning, n_clusters):
    result = found(target, binning=binning, n_clusters=n_clusters, target_discrete=False)
    numbers = target.astype(float).ravel()
    assert (result.edges[0], result.edges[-1]) == (numbers.min(), numbers.max())
    beside = np.abs(numbers[:, None] - result.edges[1:-1]).min(axis=1, initial=np.inf) > 1e-12 * numbers.max()
    expected = 1 + np.searchsorted(result.edges[1:-1], numbers, side="right")
    # Equal-width bins have the rounding of the reference, which divides by the range.
    assert np.array_equal(result.clusters[beside], expected[beside])
    assert beside.all() or binning == "width" or np.array_equal(result.clusters, expected)
    table = pandas.DataFrame(result.per_cluster)
    assert table.lower_edge.tolist() == result.edges[table.cluster - 1].tolist()
    assert table.upper_edge.tolist() == result.edges[table.cluster].tolist()


def test_bins_of_equal_width_are_those_of_the_reference():
    assert np.array_equal(
        found(SKEWED, n_clusters=7, target_discrete=False).clusters,
        found(SKEWED, n_clusters=7, binning="width", target_discrete=False).clusters,
    )
    _, bins = diffusion_spectral_mutual_information(X, SKEWED, n_clusters=7, reference_discrete=False)
    result = found(SKEWED, n_clusters=7, target_discrete=False)
    assert np.array_equal(result.clusters, bins.ravel())
    np.testing.assert_allclose(result.edges, np.linspace(SKEWED.min(), SKEWED.max(), 8), rtol=1e-14)


@pytest.mark.parametrize("n_bins", [1, 2, 3, 7, 10, 50])
def test_quantile_bins_have_equally_many_rows_and_follow_monotone_transforms(n_bins):
    bins, edges = quantile_bins(SKEWED, n_bins)
    counts = np.bincount(bins)[1:]
    assert len(counts) == n_bins == len(edges) - 1
    assert counts.max() - counts.min() <= 1
    np.testing.assert_allclose(edges, np.quantile(SKEWED, np.linspace(0, 1, n_bins + 1)), rtol=1e-14)
    assert np.array_equal(quantile_bins(np.log(SKEWED), n_bins)[0], bins)


@pytest.mark.parametrize(
    "column",
    [
        np.r_[np.zeros(60), RNG.uniform(size=40)],
        np.r_[np.ones(60), RNG.uniform(size=40)],
        np.repeat([0.0, 1.0, 2.0], [1, 98, 1]),
        np.full(9, 2.5),
        np.array([-1.7e308, 0, 1.7e308]),
        np.array([1, 2, 3, 4], dtype=np.float16),
        np.arange(5),
    ],
    ids=["many at the bottom", "many at the top", "many between", "constant", "wide", "half", "integers"],
)
@pytest.mark.parametrize("n_bins", [1, 2, 4, 10, 100])
def test_equal_numbers_share_a_quantile_bin_and_no_bin_is_empty(column, n_bins):
    bins, edges = quantile_bins(column, n_bins)
    assert np.unique(bins).tolist() == list(range(1, len(edges)))
    assert np.array_equal(bins, 1 + np.searchsorted(edges[1:-1], column, side="right"))
    assert (np.diff(edges[:-1]) > 0).all()
    assert all(len(np.unique(bins[column == value])) == 1 for value in column)


def test_edges_of_numbers_whose_range_overflows_are_finite():
    assert width_edges(np.array([-1.5e308, 1.5e308]), 4).tolist() == [-1.5e308, -0.75e308, 0, 0.75e308, 1.5e308]


def test_a_skewed_target_warns_and_the_way_out_works():
    """421 of the 442 rows are in one bin."""
    y = load_diabetes().target
    skewed = np.exp(y / 20)
    rows = RNG.normal(size=(442, 3))
    with pytest.warns(TargetWarning, match=r"\d+ of 442 rows are in one of the n_clusters = 10 .*binning='quantile'"):
        mutual_information(rows, skewed, n_repeats=2)
    by_ranks = mutual_information(rows, skewed, n_repeats=2, binning="quantile")
    assert by_ranks.ceiling == pytest.approx(np.log2(10), abs=1e-3)
    assert np.array_equal(by_ranks.clusters, mutual_information(rows, y, n_repeats=2, binning="quantile").clusters)


def test_a_number_of_many_rows_has_a_quantile_bin_of_its_own():
    """60 rows of 100 are 0; of the 40 others each quarter of all rows is a bin."""
    bins, edges = quantile_bins(np.r_[np.zeros(60), 1 + np.arange(40)], 4)
    assert np.bincount(bins)[1:].tolist() == [60, 15, 25]
    assert edges.tolist() == [0, 1, 15.25, 40]
    with pytest.warns(TargetWarning, match="198 of 200 rows are in one of the n_clusters = 10 quantile bins"):
        result = found(np.r_[np.full(198, 0.5), 1.5, 2.5], binning="quantile")
    assert result.edges.tolist() == [0.5, 1.5, 2.5]


# Joint labels.

PARTS = RNG.integers(0, 2, N)
KINDS = RNG.integers(0, 3, N)
JOINT = 3 * PARTS + KINDS
CATEGORIES = pandas.Categorical(np.array(["a", "b", "c"])[KINDS])

LABELS = {
    "integers": np.stack([PARTS, KINDS], axis=1),
    "small integers": np.stack([PARTS, KINDS], axis=1).astype(np.uint8),
    "strings": np.stack([PARTS, KINDS], axis=1).astype(str),
    "objects": np.stack([PARTS.astype(str), KINDS.astype(str)], axis=1).astype(object),
    "text and integers": pandas.DataFrame({"part": PARTS, "kind": np.array(["a", "b", "c"])[KINDS]}),
    "bools and categories": pandas.DataFrame({"part": PARTS > 0, "kind": CATEGORIES}),
    "integers of a table": pandas.DataFrame({"part": PARTS, "kind": KINDS}),
    "categories": pandas.DataFrame({"part": pandas.Categorical(PARTS / 2), "kind": CATEGORIES}),
    "lists": [[int(part), int(kind)] for part, kind in zip(PARTS, KINDS, strict=True)],
    "one hot": np.eye(6, dtype=int)[JOINT],
}


@pytest.mark.parametrize("target", LABELS.values(), ids=LABELS)
def test_each_combination_of_several_columns_of_labels_is_a_class(target):
    result, expected = found(target), found(JOINT)
    assert same_partition(result.clusters, JOINT)
    assert result.ceiling == pytest.approx(expected.ceiling, rel=1e-14)
    assert result.value == pytest.approx(expected.value, abs=1e-12)  # classes are summed in another order
    columns = target.to_numpy().tolist() if isinstance(target, pandas.DataFrame) else np.asarray(target).tolist()
    named = dict(zip(result.per_cluster["cluster"], result.per_cluster["labels"], strict=True))
    assert [named[cluster] for cluster in result.clusters] == [tuple(row) for row in columns]
    for name, value in [("n_clusters", 4), ("binning", "width"), ("clustering", KMeans(2))]:
        with pytest.raises(ValueError, match=f"^{name} must not be given where target is discrete"):
            found(target, **{name: value})


def test_columns_of_any_type_are_labels_where_that_is_asked_for():
    table = pandas.DataFrame({"part": PARTS / 2, "kind": np.array(["a", "b", "c"])[KINDS]})
    assert same_partition(found(table, target_discrete=True).clusters, JOINT)
    with pytest.raises(TypeError, match=r"got 'a' in row .*, column 'kind', or labels in .*target_discrete=True"):
        found(table.sort_values("kind"))
    assert same_partition(found(table[["part"]], target_discrete=True).clusters, PARTS)


def test_combinations_of_few_rows_warn_with_the_numbers():
    images = RNG.integers(0, 256, size=(N, 16)).astype(np.uint8)
    text = r"200 distinct combinations of 16 columns in 200 rows were taken as 200 labels, with 1 rows each"
    with pytest.warns(TargetWarning, match=text):
        found(images)
    assert len(np.unique(found(images, target_discrete=False).clusters)) == 10


@pytest.mark.parametrize("target", [JOINT, 10 * JOINT, JOINT - 1, 2 * PARTS - 1, JOINT[:, None]], ids=range(5))
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_whole_numbers_of_few_kinds_are_labels_with_a_warning(target, dtype):
    numbers = target.astype(dtype)
    n = len(np.unique(target))
    with pytest.warns(
        TargetWarning, match=f"{n} distinct whole numbers in 200 rows .* taken as {n} labels"
    ) as caught:
        result = found(numbers)
    assert caught[0].filename == __file__
    assert np.array_equal(result.clusters, numbers.ravel())
    assert result.edges is None
    assert found(numbers, target_discrete=True).value == result.value
    assert found(numbers, target_discrete=False).edges.shape == (11,)


def test_an_argument_of_bins_makes_bins_of_whole_numbers():
    for arguments in ({"n_clusters": 20}, {"binning": "quantile"}, {"binning": "width"}):
        assert found(JOINT.astype(float), **arguments).edges is not None
    assert len(np.unique(found(JOINT.astype(float), clustering=KMeans(2)).clusters)) == 2


def test_other_whole_numbers_are_no_labels():
    for numbers in (
        np.round(100 * RNG.normal(size=N)),
        np.arange(4.0),
        np.full(N, 3.0),
        np.array([0.5, 1, 2, 3] * 50),
    ):
        assert found(numbers).edges is not None


def test_columns_of_codes_as_floats_are_joint_labels_with_a_warning():
    codes = np.stack([PARTS, KINDS], axis=1).astype(float)
    with pytest.warns(TargetWarning, match="2 columns with 6 combinations of whole numbers in 200 rows"):
        assert same_partition(found(codes).clusters, JOINT)
    with pytest.warns(TargetWarning, match="target_discrete=True, which takes each combination as a label"):
        found(codes, n_clusters=3)
    assert len(np.unique(found(codes, target_discrete=False, n_clusters=3).clusters)) <= 3


# Points.

POINTS = RNG.normal(size=(3, 2))[KINDS] * 20 + RNG.normal(size=(N, 2))


@pytest.mark.parametrize("scale", [1e-3, 1, 1e6, 1e300])
def test_units_of_columns_do_not_decide(scale):
    """Powers of 10 round, so rows are where they were up to 10^-15."""
    one, other = found(POINTS, n_clusters=3), found(POINTS * [1, scale] + [5, 0], n_clusters=3)
    assert np.array_equal(one.clusters, other.clusters)
    assert same_partition(one.clusters, KINDS)


def test_standardised_columns_have_zero_mean_and_unit_variance():
    columns = np.stack([SKEWED, np.full(N, 0.1), X[:, 0] * 1e200, np.zeros(N), 1e300 * X[:, 1]], axis=1)
    done = standardized(columns)
    np.testing.assert_allclose(
        done, StandardScaler().fit_transform(columns / np.array([1, 1, 1e200, 1, 1e300])), atol=1e-12
    )
    assert not done[:, [1, 3]].any()
    assert np.isfinite(done).all()


class Spy(BaseEstimator):
    """A clusterer that keeps what it was given."""

    rows = None

    def __init__(self, labels=None, random_state=None):
        self.labels = labels
        self.random_state = random_state

    def fit_predict(self, rows):
        Spy.rows, Spy.seed = rows, self.random_state
        self.fitted_ = True
        return KINDS if self.labels is None else self.labels


def test_a_clusterer_is_copied_and_sees_standardised_columns():
    spy = Spy()
    result = found(np.stack([SKEWED, X[:, 0]], axis=1), clustering=spy, random_state=7)
    assert np.array_equal(result.clusters, KINDS)
    assert result.edges is None
    np.testing.assert_allclose(Spy.rows, standardized(np.stack([SKEWED, X[:, 0]], axis=1)))
    assert Spy.seed == 7
    assert (spy.random_state, hasattr(spy, "fitted_")) == (None, False)
    found(SKEWED, clustering=Spy(random_state=3), target_discrete=False)
    assert np.array_equal(Spy.rows, SKEWED[:, None])
    assert Spy.seed == 3
    cluster_by(Spy(), SKEWED[:, None], "target", None)
    assert Spy.seed is None


@pytest.mark.parametrize("clusterer", [KMeans(3, n_init=3), AgglomerativeClustering(3)], ids=str)
def test_clusterers_of_scikit_learn_find_what_is_there(clusterer):
    state = np.random.get_state()[1].copy()
    result = found(POINTS, clustering=clusterer)
    assert same_partition(result.clusters, KINDS)
    assert np.array_equal(found(POINTS, clustering=clusterer).clusters, result.clusters)
    assert np.array_equal(np.random.get_state()[1], state)


def test_rows_that_a_clusterer_leaves_out_warn():
    with pytest.warns(TargetWarning, match=r"clustering left \d+ of 200 rows out as noise \(label -1\)"):
        result = found(np.r_[POINTS[:-1], [[1e3, 1e3]]], clustering=DBSCAN(0.2, min_samples=4))
    assert -1 in result.per_cluster["cluster"]
    found(np.r_[POINTS[:-1], [[1e3, 1e3]]], clustering=DBSCAN(0.2, min_samples=4), target_discrete=False)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"clustering": 3}, TypeError, "^clustering must be a clusterer of scikit-learn, .* got 3"),
        ({"clustering": StandardScaler()}, TypeError, "^clustering must be"),
        ({"clustering": KMeans}, TypeError, "^clustering must be"),
        ({"clustering": KMeans(N + 1)}, ValueError, "^clustering must be able to cluster the rows of target"),
        ({"clustering": Spy(KINDS[1:])}, ValueError, "^clustering must return one integer for each of the 200"),
        ({"clustering": Spy(X[:, 0])}, ValueError, "^clustering must return one integer"),
        ({"clustering": KMeans(2), "n_clusters": 2}, ValueError, "^n_clusters must not be given where clustering is"),
        ({"clustering": KMeans(2), "binning": "width"}, ValueError, "^binning must not be given where clustering is"),
        ({"binning": "quantile"}, ValueError, "^binning must not be given where target has several columns"),
        ({"binning": "log"}, ValueError, "^binning must be 'width' or 'quantile', got 'log'"),
        ({"binning": 3}, TypeError, "^binning must be a string"),
    ],
)
def test_bad_arguments_of_classes_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        found(POINTS, **arguments)


@pytest.mark.parametrize(
    "target",
    [np.arange(N).astype("datetime64[D]"), X[:, 0] + 1j, JOINT.astype(str)],
    ids=["dates", "complex", "text"],
)
def test_a_column_that_is_neither_labels_nor_numbers_is_refused(target):
    with pytest.raises(TypeError, match=r"^target must hold real numbers where it is not discrete, got dtype "):
        found(target, target_discrete=False)


def test_columns_that_are_neither_labels_nor_numbers_are_refused():
    with pytest.raises(TypeError, match=r"^target must hold real numbers, got"):
        found(X[:, :2] + 1j)


def test_an_array_like_whose_properties_raise_is_read_as_numbers():
    class Table:
        def __array__(self, dtype=None, copy=None):
            return POINTS

        @property
        def iloc(self):
            raise RuntimeError

        shape = POINTS.shape

        def __len__(self):
            return N

    assert same_partition(found(Table(), n_clusters=3).clusters, KINDS)


# Given clusters.


def test_clusters_of_a_result_give_the_result_again(monkeypatch):
    one = found(POINTS, n_clusters=3, n_permutations=5, t=[1, 2])
    monkeypatch.setattr("sklearn.cluster.SpectralClustering.fit_predict", None)
    for clusters in (one.clusters, one.clusters[:, None], one.clusters.tolist(), one.clusters.astype(str)):
        again = found(clusters=clusters, n_permutations=5, t=[1, 2])
        for name in ("value", "standard_error", "p_value", "z", "null"):
            assert np.array_equal(getattr(again, name), getattr(one, name))
        assert again.ceiling == one.ceiling
    assert found(clusters=JOINT / 2).per_cluster["cluster"] == np.unique(JOINT / 2).tolist()


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "^target must be given, or clusters in its place"),
        ({"target": JOINT, "clusters": JOINT}, "^target must not be given where clusters are"),
        ({"clusters": JOINT[1:]}, "^clusters must be as long as X, 200, got 199"),
        ({"clusters": POINTS}, r"^clusters must have the shape \[N\] or \[N, 1\]"),
        ({"clusters": np.full(N, np.nan)}, "^clusters must have no missing labels"),
        ({"clusters": JOINT, "target_discrete": True}, "^target_discrete must not be given where clusters are given"),
        ({"clusters": JOINT, "n_clusters": 3}, "^n_clusters must not be given where clusters are given"),
        ({"clusters": JOINT, "binning": "width"}, "^binning must not be given where clusters are given"),
        ({"clusters": JOINT, "clustering": KMeans(2)}, "^clustering must not be given where clusters are given"),
    ],
)
def test_clusters_are_checked_and_come_alone(arguments, match):
    with pytest.raises(ValueError, match=match):
        mutual_information(X, **arguments)


DATA = np.random.default_rng(0).normal(size=(30, 2))
LARGE = {"few beyond": [5, 2**63 + 1, 2**63 + 3], "all beyond": [2**64, 2**64 + 1, 2**64 + 2]}


@pytest.mark.parametrize("case", LARGE)
def test_integers_beyond_64_bits_are_labels_of_their_own(case):
    """NumPy makes floats of a list with some of them, of which neighbouring ones are equal."""
    numbers = [LARGE[case][i % 3] for i in range(30)]
    expected = mutual_information(DATA, np.arange(30) % 3, bandwidth=1.0).value
    for target in (numbers, tuple(numbers), np.array(numbers, dtype=object), [[number] for number in numbers]):
        assert mutual_information(DATA, target, bandwidth=1.0).value == expected
        assert mutual_information(DATA, clusters=target, bandwidth=1.0).value == expected
        of_reference = diffusion_spectral_mutual_information(DATA, target)[0]
        assert of_reference == diffusion_spectral_mutual_information(DATA, np.arange(30) % 3)[0]


@pytest.mark.parametrize("scale", [2**62, 10**30])
def test_integers_of_any_size_are_numbers_where_that_is_asked_for(scale):
    numbers = [scale * (i % 7) for i in range(30)]
    floats = np.arange(30) % 7 * float(scale)
    for target, same in [(numbers, floats), (np.array(numbers, object), floats)]:
        of_numbers = {"n_clusters": 3, "bandwidth": 1.0, "target_discrete": False}
        expected = mutual_information(DATA, same, **of_numbers).value
        assert mutual_information(DATA, target, **of_numbers).value == expected
        options = {"reference_discrete": False, "n_clusters": 3}
        found = diffusion_spectral_mutual_information(DATA, target, **options)[0]
        assert found == diffusion_spectral_mutual_information(DATA, same, **options)[0]
    with pytest.raises(ValueError, match=r"^target must be finite in float64"):
        mutual_information(DATA, [10**400 * i for i in range(30)], target_discrete=False, bandwidth=1.0)


def test_large_floats_of_a_list_stay_floats():
    columns = as_columns([1e19, 2e19, 0.5], "target", 3, "X")
    assert columns.dtype == np.float64
    assert columns.ravel().tolist() == [1e19, 2e19, 0.5]
    assert as_columns([2**70, 2**70 + 1, 0], "target", 3, "X").ravel().tolist() == [2**70, 2**70 + 1, 0]
