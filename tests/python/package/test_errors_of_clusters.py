"""Bad values are ValueErrors, bad types TypeErrors; each names the argument: the variable and its clusters."""

import numpy as np
import pytest
from reference_calls import (
    LABELS,
    N,
    X,
    call,
    every_information,
    refused,
    with_entry,
)

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


@every_information
@pytest.mark.parametrize("reference", [LABELS, X[:, 0], X, LABELS.astype(str)], ids=["labels", "1-D", "2-D", "text"])
@pytest.mark.parametrize("change", [lambda r: r[:-1], lambda r: np.concatenate([r, r]), lambda r: r[:0]])
def test_reference_of_another_length(function, reference, change):
    other = change(reference)
    text = refused(ValueError, "reference_vectors", function, reference_vectors=other)
    assert str(N) in text
    assert str(len(other)) in text


@every_information
@pytest.mark.parametrize(
    "reference", [np.int64(3), X[:, :, None], X[:, :0], None], ids=["0-D", "3-D", "empty", "None"]
)
def test_reference_of_a_wrong_shape(function, reference):
    refused(ValueError, "reference_vectors", function, reference_vectors=reference)


@every_information
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("columns", [1, 2])
def test_continuous_reference_that_is_not_finite(function, value, columns):
    refused(ValueError, "reference_vectors", function, reference_vectors=with_entry(value)[:, -columns:])


@every_information
@pytest.mark.parametrize("dtype", [np.float16, np.float64, complex])
def test_labels_that_are_not_a_number(function, dtype):
    reference = LABELS.astype(dtype)
    reference[3] = np.nan
    refused(ValueError, "reference_vectors", function, reference_vectors=reference, reference_discrete=True)
    refused(ValueError, "precomputed_clusters", function, reference_vectors=None, precomputed_clusters=reference)


@every_information
@pytest.mark.parametrize("reference_discrete", [None, False])
@pytest.mark.parametrize(
    "reference",
    [
        X[:, 0].astype(complex),
        LABELS.astype("datetime64[D]"),
        np.array([1, "a"] * (N // 2), dtype=object),
        np.array(["a", None] * (N // 2), dtype=object),
        X.astype(str),
        np.zeros(N, dtype=[("x", float)]),
    ],
    ids=["complex", "datetime", "mixed", "with None", "columns of text", "structured"],
)
def test_reference_that_is_neither_labels_nor_numbers(function, reference, reference_discrete):
    refused(
        TypeError, "reference_vectors", function, reference_vectors=reference, reference_discrete=reference_discrete
    )


@every_information
def test_labels_that_cannot_be_sorted(function):
    mixed = np.array([1, "a"] * (N // 2), dtype=object)
    refused(TypeError, "reference_vectors", function, reference_vectors=mixed, reference_discrete=True)
    refused(TypeError, "precomputed_clusters", function, reference_vectors=None, precomputed_clusters=mixed)


@every_information
def test_bytes_and_text_that_do_not_mix(function):
    """NumPy cannot bring them together, and raises an exception that takes five arguments."""
    reference = [b"\xff", "a"] * (N // 2)
    with pytest.raises((TypeError, ValueError), match="reference_vectors"):
        call(function, reference_vectors=reference)


@every_information
def test_discrete_reference_of_more_than_one_column(function):
    refused(ValueError, "reference_vectors", function, reference_vectors=X, reference_discrete=True)


@every_information
def test_masked_reference(function):
    masked = np.ma.masked_equal(LABELS, 1)
    refused(ValueError, "reference_vectors", function, reference_vectors=masked)
    refused(ValueError, "precomputed_clusters", function, reference_vectors=None, precomputed_clusters=masked)


@every_information
@pytest.mark.parametrize("reference", [None, X[:, 0], X], ids=["None", "1-D", "2-D"])
@pytest.mark.parametrize(
    "clusters",
    [LABELS[:-1], np.tile(LABELS, 2), [], 3, X.astype(int), LABELS[None], LABELS[:, None, None].repeat(2, axis=2)],
    ids=["short", "long", "empty", "0-D", "columns", "row", "3-D"],
)
def test_clusters_of_another_length_or_shape(function, reference, clusters):
    refused(ValueError, "precomputed_clusters", function, reference_vectors=reference, precomputed_clusters=clusters)


@every_information
def test_too_few_rows_for_spectral_clustering(function):
    text = refused(ValueError, "reference_vectors", function, X[:9], reference_vectors=X[:9], n_clusters=2)
    assert "n_clusters" in text
    refused(ValueError, "n_clusters", function, reference_vectors=X, n_clusters=N + 1)


@every_information
@pytest.mark.parametrize(
    "labels", [["dog", "cat"], [True, False], [b"dog", b"cat"], [3, -4], np.array([2, 1], dtype=np.uint8)], ids=str
)
def test_strings_bools_and_integers_are_labels(function, labels):
    reference = np.repeat(labels, N // 2)
    value, clusters = call(function, reference_vectors=reference)
    assert value == call(function, reference_vectors=LABELS[::-1].copy())[0]
    assert np.array_equal(clusters, reference[:, None])
    assert call(function, reference_vectors=reference.tolist())[0] == value
    assert call(function, reference_vectors=reference[:, None])[0] == value


@every_information
def test_strings_as_objects_are_labels(function):
    reference = np.array(["dog", "cat"] * (N // 2), dtype=object)
    value, clusters = call(function, reference_vectors=reference)
    assert value == call(function, reference_vectors=reference.astype(str))[0]
    assert clusters.dtype == object
    assert clusters.shape == (N, 1)


CLUSTERS = {
    "integers": (np.repeat([0, 7], [N - 9, 9]), "7"),
    "text": (np.repeat(["cat", "dog"], [N - 9, 9]), "'dog'"),
    "objects": (np.repeat(["cat", "dog"], [N - 9, 9]).astype(object), "'dog'"),
    "bools": (np.repeat([False, True], [N - 9, 9]), "True"),
}


@pytest.mark.parametrize("kind", CLUSTERS)
def test_cluster_too_small_for_its_graph_is_named(kind):
    labels, small = CLUSTERS[kind]
    function = "adjacency_spectral_mutual_information"
    text = refused(ValueError, "reference_vectors", function, reference_vectors=labels, use_knn=True)
    assert f"cluster {small} has 9 rows" in text
    assert "10" in text


@pytest.mark.parametrize("kind", CLUSTERS)
@pytest.mark.parametrize("reference", [None, X], ids=["no reference", "reference"])
def test_precomputed_cluster_too_small_for_its_graph_is_named(kind, reference):
    labels, small = CLUSTERS[kind]
    function = "adjacency_spectral_mutual_information"
    arguments = {"reference_vectors": reference, "precomputed_clusters": labels, "use_knn": True}
    text = refused(ValueError, "precomputed_clusters", function, **arguments)
    assert f"cluster {small} has 9 rows" in text


def test_clusters_just_large_enough_for_their_graphs():
    labels = np.repeat([0, 1], [N - 10, 10])
    value, _ = call("adjacency_spectral_mutual_information", reference_vectors=labels, use_knn=True)
    assert np.isfinite(value)
