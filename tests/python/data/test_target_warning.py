"""Warnings of targets that look like labels and are clustered, or that look like numbers and are labels."""

import warnings

import dsentropy
import numpy as np
import pandas
import pytest
from dsentropy import (
    SaturationWarning,
    TargetWarning,
    adjacency_spectral_mutual_information,
    diffusion_spectral_mutual_information,
    mutual_information,
)
from dsentropy._data.clusters import assign_clusters
from dsentropy._data.target_warning import TargetNames, warn_of_clustering
from sklearn.datasets import load_diabetes, load_iris

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

N = 400
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
CLASSES = RNG.permutation(np.arange(N) % 40)
"""40 classes of 10 rows."""
COLUMNS = np.stack([CLASSES // 20, CLASSES // 5 % 4, CLASSES % 5], axis=1)
"""The classes as three columns of labels."""


def by_mutual_information(target, **arguments):
    discrete = {"target_discrete": arguments.pop("discrete")} if "discrete" in arguments else {}
    return mutual_information(X[: len(target)], target, n_repeats=2, **discrete, **arguments).clusters


def by_dsmi(target, **arguments):
    discrete = {"reference_discrete": arguments.pop("discrete")} if "discrete" in arguments else {}
    return diffusion_spectral_mutual_information(X[: len(target)], target, **discrete, **arguments)[1].ravel()


def by_asmi(target, **arguments):
    discrete = {"reference_discrete": arguments.pop("discrete")} if "discrete" in arguments else {}
    return adjacency_spectral_mutual_information(X[: len(target)], target, **discrete, **arguments)[1].ravel()


NAMES = {by_mutual_information: "target", by_dsmi: "reference", by_asmi: "reference"}
every_reference = pytest.mark.parametrize("clusters_of", [by_dsmi, by_asmi], ids=["by_dsmi", "by_asmi"])
every_function = pytest.mark.parametrize("clusters_of", NAMES, ids=lambda function: function.__name__)


def warned(clusters_of, target, **arguments):
    """Return the text of the one warning, which points here."""
    with pytest.warns(TargetWarning) as caught:
        clusters_of(target, **arguments)
    texts = [str(each.message) for each in caught if each.category is TargetWarning]
    assert len(texts) == 1
    assert f"{NAMES[clusters_of]}_discrete" in texts[0]
    other = {"target": "reference_", "reference": "target_"}[NAMES[clusters_of]]
    assert other not in texts[0]
    return texts[0]


def same_partition(a, b):
    return len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(np.unique(a)) == len(np.unique(b))


@every_function
def test_a_continuous_target_as_integers(clusters_of):
    """The progression of diabetes is measured in whole numbers: 214 of them in 442 rows."""
    y = load_diabetes().target[:N].astype(int)
    kinds = len(np.unique(y))
    text = warned(clusters_of, y)
    assert f"{kinds} distinct values in {N} rows were taken as {kinds} labels" in text
    assert "=False, which cuts it into n_clusters bins" in text
    clusters_of(y.astype(float))
    assert same_partition(clusters_of(y, discrete=False), clusters_of(y.astype(float)))
    assert same_partition(clusters_of(y, discrete=True), y)


@every_reference
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_classes_as_floats(clusters_of, dtype):
    text = warned(clusters_of, CLASSES.astype(dtype)[:, None])
    assert f"40 distinct whole numbers in 400 rows of dtype {np.dtype(dtype)} were cut into 10" in text
    assert same_partition(clusters_of(CLASSES.astype(dtype), discrete=True), CLASSES)
    assert len(np.unique(clusters_of(CLASSES.astype(dtype), discrete=False))) == 10


@every_reference
@pytest.mark.parametrize("dtype", [int, float, np.float32])
def test_columns_of_labels(clusters_of, dtype):
    text = warned(clusters_of, COLUMNS.astype(dtype))
    assert "3 columns with 40 distinct combinations in 400 rows" in text
    name = text.split(":")[0]
    assert f"np.unique({name}, axis=0, return_inverse=True)[1]" in text
    joint = np.unique(COLUMNS.astype(dtype), axis=0, return_inverse=True)[1].ravel()
    assert same_partition(clusters_of(joint), CLASSES)
    assert len(np.unique(clusters_of(COLUMNS.astype(dtype), discrete=False))) == 10


@pytest.mark.filterwarnings("ignore:ARPACK has failed")  # of four components, where the eigenvalue is not simple
@every_reference
def test_equal_rows_of_columns_that_a_clustering_splits(clusters_of):
    """Ten clusters of four distinct rows: more clusters than there can be without a split."""
    text = warned(clusters_of, np.eye(4)[np.arange(N) % 4])
    assert "4 distinct combinations in 400 rows" in text


def test_one_hot_columns_that_the_clustering_finds():
    target = 100.0 * np.eye(3)[np.arange(60) % 3]
    assert same_partition(by_dsmi(target, n_clusters=3), np.arange(60) % 3)


@every_function
def test_names_that_few_rows_share(clusters_of):
    text = warned(clusters_of, CLASSES[:100].astype(str))
    assert "were taken as" in text
    assert "pass labels that more rows share" in text


@every_function
def test_an_outlier_puts_all_other_rows_into_one_bin(clusters_of):
    y = RNG.normal(size=N)
    y[7] = 1e6
    assert "399 of 400 rows are in one of the n_clusters = 10" in warned(clusters_of, y)
    assert len(np.unique(clusters_of(y, discrete=False))) == 2


@every_function
def test_ordinary_targets_give_no_warning(clusters_of):
    ordinary = {
        "labels": CLASSES,
        "small labels": CLASSES.astype(np.uint8)[:, None],
        "a hundred classes of five": np.arange(500)[:N] % 80,
        "few rows": np.arange(10),
        "one class": np.zeros(N, dtype=int),
        "a class of one row": np.append(np.zeros(N - 1, dtype=int), 1),
        "bools": CLASSES > 7,
        "strings": CLASSES.astype(str),
        "normal": RNG.normal(size=N),
        "uniform": RNG.uniform(size=(N, 1)).astype(np.float32),
        "exponential": RNG.exponential(size=N),
        "half precision": RNG.normal(size=N).astype(np.float16),
        "whole numbers that differ": np.round(RNG.normal(size=N) * 1000),
        "0.0 and 1.0": (CLASSES > 7).astype(float),
        "ten classes as floats, ten bins": CLASSES.astype(float) % 10,
        "constant": np.full(N, 3.5),
        "columns": RNG.normal(size=(N, 4)),
        "columns of whole numbers": np.round(RNG.normal(size=(N, 8)) * 10),
    }
    coded = {"0.0 and 1.0", "ten classes as floats, ten bins"} if clusters_of is by_mutual_information else set()
    for name, target in ordinary.items():
        if name in coded:  # which are labels, and not bins
            warned(clusters_of, target)
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clusters_of(target)
        assert [each for each in caught if each.category is not SaturationWarning] == [], name


def clusters_of_rows(target):
    """Cluster a target as the functions of the reference do, without the entropies."""
    return assign_clusters(target, None, 10, None, len(target), TargetNames("target", "X", "target_discrete"))


def warns(target):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clusters_of_rows(target)
    return [each.category for each in caught] == [TargetWarning]


def continuous_targets(rng):
    """Numbers that are rounded, so that rows share values: 5 rows a value or more."""
    iris = load_iris().data
    return {
        "petal width": iris[:, 3],
        "petal width in whole units": iris[:, 3] * 10,
        "half degrees": np.round(rng.normal(20, 5, size=2000) * 2) / 2,
        "evenly spread half degrees": np.round(rng.uniform(0, 30, size=1000) * 2) / 2,
        "ages of adults": rng.integers(18, 90, size=1000).astype(float),
        "ages": np.floor(rng.beta(1.2, 1.8, size=1500) * 95),
        "years": rng.integers(1950, 2021, size=800).astype(float),
        "rare counts": rng.poisson(5, size=1000).astype(float),
        "counts": rng.poisson(100, size=1000).astype(float),
        "898 whole numbers in 5000 rows": np.round(rng.normal(0, 150, size=5000)),
        "waiting times": np.floor(rng.exponential(150, size=5000)),
        "tens": 10 * np.round(rng.normal(100, 10, size=1000)),
        "beyond the integers of float64": 2.0**60 * np.round(rng.normal(1000, 10, size=1000)),
        "two coordinates on a grid": np.indices((10, 10)).reshape(2, -1).T[np.arange(600) % 100].astype(float),
        "two fractions on a grid": np.indices((10, 10)).reshape(2, -1).T[np.arange(600) % 100] / 10,
        "two rounded coordinates": np.round(rng.normal(size=(1000, 2))),
    }


@pytest.mark.parametrize("name", continuous_targets(RNG))
def test_rounded_numbers_give_no_warning(name):
    assert not any(warns(continuous_targets(np.random.default_rng(seed))[name]) for seed in range(5))


def label_codes(rng):
    """Classes of labels, of equal and of different sizes."""
    fifty = np.sort(rng.choice(1000, size=50, replace=False))
    return {
        "50 classes": rng.integers(0, 50, size=600),
        "50 small classes": rng.integers(1, 51, size=300),
        "1000 classes": rng.integers(0, 1000, size=8000),
        "classes in order": np.repeat(np.arange(50), 10),
        "classes of several sizes": rng.choice(50, size=600, p=rng.dirichlet(np.full(50, 3))),
        "50 of 1000 classes": rng.choice(fifty, size=1000),
    }


@pytest.mark.parametrize("name", label_codes(RNG))
def test_codes_of_labels_warn_as_floats_and_not_as_integers(name):
    for seed in range(5):
        labels = label_codes(np.random.default_rng(seed))[name]
        assert not warns(labels)
        assert warns(labels.astype(np.float32))


def integers_of_numbers(rng):
    """Numbers as integers, with 5 rows a value or more."""
    return {
        "101 kinds": (rng.normal(size=600) * 20).astype(int),
        "53 kinds": (rng.normal(size=600) * 10).astype(int),
        "positive": (rng.normal(10, 1, size=600) * 20).astype(int),
        "evenly spread": (rng.uniform(-3, 3, size=600) * 10).astype(int),
        "ages": np.clip(np.round(rng.normal(45, 15, size=600)), 18, 90).astype(int),
    }


@pytest.mark.parametrize("name", integers_of_numbers(RNG))
def test_numbers_as_integers_warn(name):
    assert all(warns(integers_of_numbers(np.random.default_rng(seed))[name]) for seed in range(5))


def test_labels_of_one_row_each_warn():
    assert warns(np.append(np.arange(19), 3))
    assert not warns(np.repeat(np.arange(10), 2))


def test_codes_by_frequency_are_labels():
    frequencies = 1 / np.arange(1, 51)
    assert not warns(RNG.choice(50, size=800, p=frequencies / frequencies.sum()))


def test_precomputed_clusters_give_no_warning():
    diffusion_spectral_mutual_information(X, COLUMNS, precomputed_clusters=CLASSES)
    diffusion_spectral_mutual_information(X, None, precomputed_clusters=np.arange(N))


@pytest.mark.parametrize("given", [CLASSES % 2, CLASSES[1:], [[0]] * N, object(), np.arange(N)], ids=range(5))
def test_clusters_that_are_not_used_warn(given):
    text = "precomputed_clusters is not used, because reference_vectors has labels: pass reference_vectors=None"
    with pytest.warns(TargetWarning, match=text) as caught:
        _, used = diffusion_spectral_mutual_information(X, CLASSES, precomputed_clusters=given)
    assert caught[0].filename == __file__
    assert np.array_equal(used.ravel(), CLASSES)


def test_clusters_that_are_the_labels_give_no_warning():
    for given in (CLASSES, CLASSES[:, None], (100 - CLASSES).astype(str)):
        diffusion_spectral_mutual_information(X, CLASSES, precomputed_clusters=given)


def test_the_values_of_labels_and_bins_differ():
    """The information of 40 classes that divide the data, as labels and in 10 bins."""
    centres = RNG.normal(size=(40, 8)) * 3
    rows = centres[CLASSES] + RNG.normal(size=(N, 8))
    as_labels = mutual_information(rows, CLASSES, n_repeats=2).value
    numbers = CLASSES.astype(np.float32)
    binned = mutual_information(rows, numbers, n_repeats=2, target_discrete=False).value
    assert as_labels > 1.2 * binned
    with pytest.warns(TargetWarning, match="40 distinct whole numbers .* were taken as 40 labels"):
        assert mutual_information(rows, numbers, n_repeats=2).value == as_labels
    assert mutual_information(rows, numbers, target_discrete=True, n_repeats=2).value == as_labels
    assert issubclass(dsentropy.TargetWarning, UserWarning)


@pytest.mark.parametrize("dtype", [str, object])
@every_reference
def test_columns_of_text_become_joint_labels(clusters_of, dtype):
    columns = np.array([["a", "b"], ["a", "c"], ["d", "b"]] * 40, dtype=dtype)
    with pytest.raises(TypeError, match="got 'a' in row 0, column 0: pass joint labels as one column") as caught:
        clusters_of(columns)
    code = str(caught.value).partition("column, ")[2]
    labels = eval(code, {"np": np, "reference_vectors": columns})
    assert same_partition(clusters_of(labels), np.arange(120) % 3)
    with pytest.raises(ValueError, match="must have one column") as caught:
        clusters_of(columns, discrete=True)
    assert code in str(caught.value)


def test_columns_of_a_table_that_are_no_numbers_become_joint_labels():
    frame = pandas.DataFrame({"size": [1.0, 2.0] * 20, "kind": ["a", "b"] * 20})
    with pytest.raises(TypeError, match=r"got 'a' in row 0, column 'kind': .*np\.asarray\(target\)\.astype\(str\)"):
        clusters_of_rows(frame)
    with pytest.raises(TypeError, match="leave the column out"):
        clusters_of_rows(frame.assign(kind=pandas.Timestamp(0)))


def test_a_clustering_that_finds_the_combinations_gives_no_warning():
    """One cluster for each combination says what the labels say, by whatever numbers; a merged one does not."""
    columns = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 10)
    combinations = 2 * columns[:, 0] + columns[:, 1]
    names = TargetNames("target", "X", "target_discrete")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_clustering(columns, 3 - combinations, 4, names)
    with pytest.warns(dsentropy.TargetWarning, match="4 distinct combinations"):
        warn_of_clustering(columns, columns[:, 0], 2, names)


@every_reference
def test_one_column_that_decides_the_clusters(clusters_of):
    """Metres and millimetres: the variance of one column is 10^6 times that of the other."""
    text = warned(clusters_of, RNG.normal(size=(N, 2)) * [1, 1000])
    assert "column 1 has 100.0% of the variance of 2 columns" in text
    clusters_of(RNG.normal(size=(N, 2)) * [1, 1000], discrete=False)
    clusters_of(RNG.normal(size=(N, 2)) * [1, 3])  # 90%


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16])
def test_columns_of_any_numbers_may_be_clustered(dtype):
    """Differences of bools are refused by NumPy, and those of small integers wrap."""
    columns = np.stack([CLASSES % 2 * 120, (CLASSES // 2) % 2], axis=1).astype(dtype)
    with pytest.warns(TargetWarning):  # which see labels, and one column that decides
        assert clusters_of_rows(columns)[0].shape == (N,)


@every_reference
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64])
def test_a_column_whose_range_is_beyond_its_dtype_decides_the_clusters(dtype, clusters_of):
    limits = np.iinfo(dtype)
    column = np.linspace(0.99 * limits.min, 0.99 * limits.max, N).astype(dtype)
    text = warned(clusters_of, np.stack([column, np.arange(N) % 7], axis=1).astype(dtype))
    assert "column 0 has " in text


def test_one_column_that_varies_is_no_choice_of_units():
    assert not warns(np.stack([RNG.normal(size=N), np.ones(N)], axis=1))
