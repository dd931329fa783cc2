"""`nearest_neighbors` against all distances."""

import numpy as np
import pytest
from dsentropy import nearest_neighbors
from dsentropy._data.neighbors import replace_zeros
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

RNG = np.random.default_rng(0)
GROUPS = RNG.normal(size=(1500, 5)) + 1e4 * RNG.integers(0, 4, size=(1500, 1))
CLOUDS = {
    "one dimension": RNG.normal(size=(700, 1)),
    "many dimensions": RNG.uniform(size=(500, 300)),
    "several tiles": RNG.normal(size=(4500, 3)),
    "far from the origin": RNG.normal(size=(900, 4)) + 1e7,
    "distant groups": GROUPS,
    "one outlier": np.vstack([RNG.normal(size=(800, 3)), [[1e12, 0, 0]]]),
    "heavy tails": RNG.standard_t(0.5, size=(900, 3)),
    "two rows": RNG.normal(size=(2, 3)),
}


def exactly(X, k):
    """Distances and numbers, ascending; those of equal distances by number."""
    X = np.asarray(X, dtype=float)
    squared = np.stack([((X - row) ** 2).sum(axis=1) for row in X])
    np.fill_diagonal(squared, np.inf)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.sqrt(np.take_along_axis(squared, order, axis=1)), order


@pytest.mark.parametrize("name", CLOUDS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_neighbors_are_the_nearest(name, dtype):
    X = CLOUDS[name].astype(dtype)
    for k in {1, min(7, len(X) - 1)}:
        distances, indices = nearest_neighbors(X, k)
        assert distances.dtype == np.float64
        assert indices.dtype == np.int64
        assert distances.shape == indices.shape == (len(X), k)
        expected, numbers = exactly(X, k)
        np.testing.assert_allclose(distances, expected, rtol=1e-12)
        tied = np.isclose(np.diff(expected, axis=1, append=np.inf), 0, atol=1e-12 * expected.max(initial=0))
        assert np.array_equal(np.where(tied, 0, indices)[:, :-1], np.where(tied, 0, numbers)[:, :-1]) or tied.any()


@given(
    X=hnp.arrays(np.int8, st.tuples(st.integers(2, 40), st.integers(1, 4)), elements=st.integers(-3, 3)),
    k=st.integers(1, 39),
)
def test_ties_come_in_order(X, k):
    """Distances of integers are exact; the row itself never counts, its duplicates do."""
    k = min(k, len(X) - 1)
    for expected, found in zip(exactly(X, k), nearest_neighbors(X, k), strict=True):
        assert np.array_equal(found, expected)


def test_all_others_are_neighbors_at_last():
    X = RNG.normal(size=(300, 4))
    _, indices = nearest_neighbors(X, 299)
    assert np.array_equal(np.sort(indices, axis=1), [np.delete(np.arange(300), i) for i in range(300)])


def test_identical_rows():
    distances, indices = nearest_neighbors(np.ones((500, 3)), 4)
    assert not distances.any()
    assert np.array_equal(
        indices, [np.delete(np.arange(5 if i < 5 else 4), i if i < 5 else [])[:4] for i in range(500)]
    )


@pytest.mark.parametrize("scale", [1e-300, 1e-120, 1e120, 1e300])
def test_no_scale_is_lost(scale):
    X = CLOUDS["one dimension"]
    distances, indices = nearest_neighbors(X * scale, 5)
    expected, numbers = nearest_neighbors(X, 5)
    np.testing.assert_allclose(distances / scale, expected, rtol=1e-9)
    assert np.array_equal(indices, numbers)


@pytest.mark.parametrize("far", [1e100, 1e170, -1e300, 1.7e308])
def test_an_outlier_of_any_size_leaves_near_distances_exact(far):
    distances, indices = nearest_neighbors([[0.0], [1.0], [3.0], [7.0], [far]], 2)
    assert distances[:4].tolist() == [[1, 3], [1, 2], [2, 3], [4, 6]]
    assert indices[:4].tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]


def test_threads_change_nothing():
    one = nearest_neighbors(GROUPS, 6, num_threads=1)
    for threads in [2, 5]:
        for expected, found in zip(one, nearest_neighbors(GROUPS, 6, num_threads=threads), strict=True):
            assert np.array_equal(found, expected)


def test_distances_to_one_side_only_do_not_make_the_graph_symmetric():
    _, indices = nearest_neighbors([[0.0], [1.0], [3.0], [7.0]], 1)
    assert indices.tolist() == [[1], [0], [1], [2]]


@pytest.mark.parametrize("value", [0, -1, 4, 10**30])
def test_numbers_out_of_range(value):
    with pytest.raises(ValueError, match="n_neighbors must be"):
        nearest_neighbors(np.ones((4, 2)), value)


@pytest.mark.parametrize("value", [None, 2.0, "2", True])
def test_numbers_of_a_wrong_type(value):
    with pytest.raises(TypeError, match="n_neighbors must be an integer"):
        nearest_neighbors(np.ones((4, 2)), value)


@pytest.mark.parametrize("X", [np.ones(3), np.ones((0, 2)), [[np.nan], [1.0]], [[np.inf], [1.0]]])
def test_data_are_named(X):
    with pytest.raises(ValueError, match="X must"):
        nearest_neighbors(X, 1)


def test_one_row_has_no_neighbors():
    with pytest.raises(ValueError, match="X must have at least two rows"):
        nearest_neighbors([[1.0]], 1)


@pytest.mark.parametrize(
    ("distances", "expected"), [([0, 2, 1, 0], [1, 2, 1, 1]), ([0, 0], [0, 0]), ([3, 2], [3, 2]), ([], [])]
)
def test_zero_distances_become_the_smallest_positive_one(distances, expected):
    assert replace_zeros(np.array(distances, dtype=float)).tolist() == expected
