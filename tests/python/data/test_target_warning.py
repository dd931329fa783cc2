"""Warnings of targets that look like labels and are clustered, or that look like numbers and are labels."""

import warnings

import dsentropy
import numpy as np
import pytest
from dsentropy import (
    SaturationWarning,
    TargetWarning,
    adjacency_spectral_mutual_information,
    diffusion_spectral_mutual_information,
    mutual_information,
)
from sklearn.datasets import load_diabetes

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


@every_function
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_classes_as_floats(clusters_of, dtype):
    text = warned(clusters_of, CLASSES.astype(dtype)[:, None])
    assert f"40 distinct whole numbers in 400 rows of dtype {np.dtype(dtype)} were cut into 10" in text
    assert same_partition(clusters_of(CLASSES.astype(dtype), discrete=True), CLASSES)
    assert len(np.unique(clusters_of(CLASSES.astype(dtype), discrete=False))) == 10
    assert "40 distinct values" in warned(clusters_of, CLASSES.astype(dtype) / 64)


@every_function
@pytest.mark.parametrize("dtype", [int, float, np.float32])
def test_columns_of_labels(clusters_of, dtype):
    text = warned(clusters_of, COLUMNS.astype(dtype))
    assert "3 columns with 40 distinct combinations in 400 rows" in text
    name = text.split(":")[0]
    assert f"np.unique({name}, axis=0, return_inverse=True)[1]" in text
    joint = np.unique(COLUMNS.astype(dtype), axis=0, return_inverse=True)[1].ravel()
    assert same_partition(clusters_of(joint), CLASSES)
    assert len(np.unique(clusters_of(COLUMNS.astype(dtype), discrete=False))) == 10


@every_function
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
        "few rows": np.arange(15),
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
    for name, target in ordinary.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clusters_of(target)
        assert [each for each in caught if each.category is not SaturationWarning] == [], name


def test_precomputed_clusters_give_no_warning():
    diffusion_spectral_mutual_information(X, COLUMNS, precomputed_clusters=CLASSES)
    diffusion_spectral_mutual_information(X, None, precomputed_clusters=np.arange(N))


def test_the_values_of_labels_and_bins_differ():
    """The information of 40 classes that divide the data, as labels and in 10 bins."""
    centres = RNG.normal(size=(40, 8)) * 3
    rows = centres[CLASSES] + RNG.normal(size=(N, 8))
    as_labels = mutual_information(rows, CLASSES, n_repeats=2).value
    with pytest.warns(TargetWarning, match="40 distinct whole numbers"):
        binned = mutual_information(rows, CLASSES.astype(np.float32), n_repeats=2).value
    assert as_labels > 1.2 * binned
    assert mutual_information(rows, CLASSES.astype(np.float32), target_discrete=True, n_repeats=2).value == as_labels
    assert issubclass(dsentropy.TargetWarning, UserWarning)
