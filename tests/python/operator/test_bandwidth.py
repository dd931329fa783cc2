"""The median distance, where the data are large or nearly collapsed."""

import random

import numpy as np
import pytest
from dsentropy import (
    adjacency_spectrum,
    compare,
    convergence,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
    mutual_information,
    suggest_bandwidth,
)
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


@pytest.mark.parametrize("function", [diffusion_spectrum, adjacency_spectrum, convergence])
def test_the_rule_of_structure_is_refused_with_the_function_that_has_it(function):
    rows = np.random.default_rng(0).normal(size=(40, 3))
    way = r"bandwidth must be 'median' or 'knn', got 'structure': suggest_bandwidth\(X\).bandwidth is the number"
    with pytest.raises(ValueError, match=way):
        function(rows, bandwidth="structure")
    with pytest.raises(ValueError, match=way):
        mutual_information(rows, np.arange(40) % 2, bandwidth="structure")
    with pytest.raises(ValueError, match=r"bandwidths\[1\] must be .* suggest_bandwidth\(X\).bandwidth"):
        entropy_surface(rows, [1.0, "structure"])
    distances = np.ones((4, 4)) - np.eye(4)
    with pytest.raises(ValueError, match=r"bandwidth must be 'median' or 'knn', got 'structure'$"):
        diffusion_spectrum(distances, bandwidth="structure", metric="precomputed")


def test_a_comparison_refuses_the_rule_of_structure_with_the_mapping_that_it_takes():
    A, B = np.random.default_rng(0).normal(size=(2, 40, 3))
    few = {"n_samples": 20, "n_repeats": 2}
    for sets, way in [
        ((A, B), r"suggest_bandwidth\(\{'A': A, 'B': B\}\)"),
        (({"a": A, "b": B},), r"suggest_bandwidth\(A\)"),
        (({"a": A}, {"a": B}), "suggest_bandwidth.a mapping with the names .*A.'a'.*B.'a'"),
    ]:
        with pytest.raises(ValueError, match=way):
            compare(*sets, bandwidth="structure", **few)
    suggested = suggest_bandwidth({"A": A, "B": B, "other": B}).bandwidth
    found = compare(A, B, bandwidth=suggested, **few)
    assert found.bandwidth == {name: suggested[name] for name in ("A", "B")}
