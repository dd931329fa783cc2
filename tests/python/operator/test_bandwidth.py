"""The median distance, where the data are large or nearly collapsed."""

import random

import numpy as np
import pytest
from dsentropy import diffusion_spectrum, estimate_bandwidth
from dsentropy._operator import bandwidth as _bandwidth


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_median_is_found_where_nearly_all_rows_are_equal(metric, scale):
    """None of the three others is among the 4000 that are drawn; their distances to the rest are 1, 2 and 3."""
    rows = np.zeros((4200, 1), dtype=np.float32)
    others = sorted(set(range(4200)) - set(random.Random(0).sample(range(4200), k=4000)))[:3]
    rows[others, 0] = scale * np.array([1.0, 2.0, 3.0])
    data = rows if metric == "euclidean" else np.abs(rows - rows.T)
    assert estimate_bandwidth(data, metric=metric) == pytest.approx(2 * scale)


def test_median_of_equal_rows_is_zero():
    for data, metric in [(np.ones((4001, 1)), "euclidean"), (np.zeros((4001, 4001), np.float32), "precomputed")]:
        assert estimate_bandwidth(data, metric=metric) == 0


def test_median_of_many_distinct_rows_is_that_of_some(monkeypatch):
    """Of 60 equal rows and 6 others; 3 are drawn, which are equal, and then 3 of the distinct ones."""
    monkeypatch.setattr(_bandwidth, "MEDIAN_ROWS", 3)
    drawn = random.Random(0).sample(range(66), k=3)
    rows = np.zeros((66, 1))
    rows[[i for i in range(66) if i not in drawn][:6], 0] = 10.0 ** np.arange(6)
    distinct = np.concatenate([[0.0], 10.0 ** np.arange(6)])[random.Random(0).sample(range(7), k=3)]
    assert estimate_bandwidth(rows) in np.abs(np.subtract.outer(distinct, distinct))[np.triu_indices(3, 1)]


@pytest.mark.parametrize("one", [True, None, "1"])
def test_a_bandwidth_for_each_row_is_a_number(one):
    X = np.arange(20.0).reshape(10, 2)
    with pytest.raises(TypeError, match="bandwidth of row 0 must be a real number"):
        diffusion_spectrum(X, bandwidth=np.array([one] * 10))
