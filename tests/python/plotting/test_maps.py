"""Maps of colours, and the picture of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dsentropy import entropy_surface, mutual_information, plotting
from dsentropy.monitor import Monitor
from matplotlib.figure import Figure

X = np.random.default_rng(0).normal(size=(40, 3))


@pytest.fixture
def ax() -> Any:
    return Figure().add_subplot()


def cells(ax: Any) -> Any:
    """Values [rows, columns] of a map, NaN where there is none."""
    (mesh,) = [one for one in ax.collections if hasattr(one, "get_array") and one.get_array() is not None]
    return np.ma.filled(mesh.get_array().astype(float), np.nan)


def names(axis: Any) -> list[str]:
    return [tick.get_text() for tick in axis.get_ticklabels()]


def outlined(line: Any) -> set[tuple[int, int]]:
    """The cells (column, row) inside of an outline: those with an odd number of edges to their left."""
    x, y = (np.reshape(part, (-1, 3))[:, :2] for part in line.get_data())
    upright = [(one[0], int(two.min() + 0.5)) for one, two in zip(x, y, strict=True) if one[0] == one[1]]
    columns, rows = range(int(x.max() + 0.5)), range(int(y.max() + 0.5))
    return {(j, i) for j in columns for i in rows if sum(at < j and row == i for at, row in upright) % 2}


def test_a_map_of_a_surface_has_ascending_coordinates_and_names_last(ax: Any) -> None:
    values = np.arange(8.0).reshape(4, 2)
    plotting.surface_map(values, [3.0, "knn", 1.0, 10.0], [5, 1], ax=ax)
    assert names(ax.xaxis) == ["1", "3", "10", "knn"]
    assert names(ax.yaxis) == ["1", "5"]
    assert cells(ax).tolist() == [[5, 1, 7, 3], [4, 0, 6, 2]]
    assert ax.figure.axes[1].get_ylabel() == "entropy (bits)"
    assert ax.get_legend() is None


def test_saturated_cells_and_those_within_the_null_are_outlined(ax: Any) -> None:
    values = np.array([[4.0, 3.0], [2.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    null = np.stack([values - 0.1, values + 0.1])
    null[:, 1:, 0] += 1.0
    null[:, :, 1] += 1.0
    plotting.surface_map(
        values, [1.0, 2.0, 3.0, 4.0], [1, 2], max_entropy=4, margin=0.1, null=null, title="map", ax=ax
    )
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert outlined(lines["saturated"]) == {(0, 0), (2, 1)}
    assert outlined(lines["within the null"]) == {(0, 0)}
    assert lines["saturated"].get_linestyle() != lines["within the null"].get_linestyle()
    assert ax.get_title() == "map"
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"saturated", "within the null"}


def test_where_nothing_is_saturated_nothing_is_outlined(ax: Any) -> None:
    plotting.surface_map([[2.0, 1.5]], [1.0], [1, 2], max_entropy=4, ax=ax)
    assert len(ax.get_lines()) == 0
    assert ax.get_legend() is None


def test_a_map_of_one_value_or_none_has_a_range(ax: Any) -> None:
    plotting.surface_map([[2.0, 2.0 + 1e-15]], [1.0], [1, 2], ax=ax)
    low, high = ax.collections[0].get_clim()
    assert (low, high) == pytest.approx((1.9, 2.1))
    other = Figure().add_subplot()
    plotting.training_map([0], [[np.nan]], ["a"], ax=other)
    assert np.isnan(cells(other)).all()
    assert other.patch.get_hatch() == "///"


def test_a_map_of_a_training_has_the_first_layer_on_top(ax: Any) -> None:
    plotting.training_map([10, 0], [[1.0, 2.0], [3.0, np.nan]], ["conv", "fc"], ylabel="rank (1)", ax=ax)
    assert names(ax.xaxis) == ["0", "10"]
    assert names(ax.yaxis) == ["conv", "fc"]
    assert ax.yaxis_inverted()
    np.testing.assert_array_equal(cells(ax), [[3, 1], [np.nan, 2]])
    assert ax.figure.axes[1].get_ylabel() == "rank (1)"


def test_of_many_cells_some_have_names(ax: Any) -> None:
    plotting.training_map(range(100), np.zeros((100, 30)), [str(i) for i in range(30)], ax=ax)
    assert 6 <= len(names(ax.xaxis)) <= 12
    assert 6 <= len(names(ax.yaxis)) <= 12


def test_results_draw_their_maps(ax: Any) -> None:
    surface = entropy_surface(X, [0.1, 1.0, 50.0], [1, 2], null="gaussian", n_null=3)
    assert surface.plot_map(ax=ax) is ax
    assert cells(ax).tolist() == surface.values[:, :, 0, 0].T.tolist()
    inside = {(j, i) for j, i in np.ndindex(3, 2) if surface.saturated[j, i, 0, 0]}
    (line,) = [line for line in ax.get_lines() if line.get_label() == "saturated"]
    assert outlined(line) == inside
    with pytest.raises(ValueError, match="order must be one of"):
        surface.plot_map(order=3)
    with Monitor(num_threads=1) as monitor:
        for step in (0, 5):
            monitor.observe(step, {"a": X, "b": X * [1, 2, 3 + step]})
    curves = monitor.curves("dse")
    other = curves.plot_map(ax=Figure().add_subplot())
    assert cells(other).tolist() == curves.values.T.tolist()


@pytest.mark.parametrize("t", [1, [1, 2]])
def test_the_information_of_clusters_adds_up_and_is_drawn_beside_its_null(ax: Any, t: Any) -> None:
    labels = np.array(["cat", "dog", "cat", "cow"] * 10)
    found = mutual_information(X + 2.0 * (labels == "cat")[:, None], labels, t=t, n_repeats=4, n_permutations=9)
    n_times = len(found.t)
    weights = np.array([20, 10, 10]) / 40
    assert found.null_per_cluster is not None
    assert found.null_per_cluster.shape == (9, 3, n_times)
    of_null = np.einsum("b,pbt->pt", weights, found.null_per_cluster)
    np.testing.assert_allclose(of_null, np.reshape(found.null, (9, n_times)), atol=1e-12)
    assert found.plot_clusters(ax=ax) is ax
    assert names(ax.yaxis) == ["cat", "cow", "dog"]
    drawn = [line.get_xdata().tolist() for line in ax.get_lines() if hasattr(line, "_dsentropy_number")]
    information = np.reshape(found.per_cluster["information"], (3, n_times))
    assert drawn == information.T.tolist()
    spans = np.array([(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]).reshape(n_times, 3, 2)
    expected = np.quantile(found.null_per_cluster, [0.025, 0.975], axis=0).transpose(2, 1, 0)
    np.testing.assert_allclose(spans, expected, atol=1e-12)


def test_without_permutations_clusters_have_no_null(ax: Any) -> None:
    found = mutual_information(X, np.arange(40) % 2, n_repeats=2)
    assert found.null_per_cluster is None
    found.plot_clusters(ax=ax)
    assert not ax.patches
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    ("draw", "text"),
    [
        (lambda: plotting.surface_map([[1.0]], [1.0, 2.0], 1), r"^values must have the shape \(2, 1\), got \(1, 1\)"),
        (
            lambda: plotting.surface_map([[1.0]], [1.0], 1, margin=0.1),
            "^margin must not be given where max_entropy is",
        ),
        (lambda: plotting.surface_map([[1.0]], [1.0], 1, null=[[[1.0]]]), "^null must have the shape"),
        (
            lambda: plotting.training_map([0], [[1.0]], ["a", "b"]),
            r"^values must have the shape \(1, 2\), got \(1, 1\)",
        ),
        (lambda: plotting.clusters([[1.0]], ["a", "b"], 1), r"^values must have the shape \(2, 1\), got \(1, 1\)"),
        (lambda: plotting.clusters([[1.0]], ["a"], 1, null=[[1.0]]), "^null must have the shape"),
        (lambda: plotting.clusters([[1.0]], ["a"], 1, null=np.empty((0, 1, 1))), "^null must have the shape"),
    ],
)
def test_arrays_of_other_shapes_are_refused(draw: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        draw()
