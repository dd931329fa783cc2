"""What `print` shows of the entropies of layers: a table of plain text that fits a terminal."""

import numpy as np
import pytest
from dsentropy import SaturationWarning, Stochastic, layer_entropies, suggest_bandwidth

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 5))
GROUPS = ROWS + 8 * np.eye(5)[np.arange(60) % 3]


def test_a_layer_has_its_entropy_beside_that_of_noise():
    found = layer_entropies({"input": ROWS, "groups": GROUPS}, "structure", null="gaussian", n_null=5)
    header, *rows, legend, bandwidth = str(found).splitlines()
    assert header.split() == ["layer", "entropy", "noise", "structure", "z", "bandwidth"]
    columns = [found.entropy, found.null_mean, found.structure]
    for place, row in enumerate(rows):
        name, *numbers = row.split()
        assert name == found.names[place]
        assert numbers[:3] == [f"{values[place].item():.3f}" for values in columns]
        assert numbers[3] == f"{found.z[place].item():.3g}"
        assert numbers[4] == f"{found.bandwidth[place][0]:.4g}"
    assert legend == "bits; noise: mean of 5 draws of 'gaussian'; structure: noise - entropy"
    assert bandwidth == f"bandwidth 'structure': {found.suggestion.multiple:.3g} medians of each layer"


def test_without_a_null_there_is_the_entropy_alone():
    found = layer_entropies({"input": ROWS}, ["median", "knn"])
    assert str(found).splitlines() == [
        "layer  entropy  bandwidth",
        f"input    {found.entropy[0, 0].item():.3f}      {found.bandwidth[0][0]:.4g}",
        f"input    {found.entropy[0, 1].item():.3f}        knn",
        "bits",
    ]


def test_readings_have_their_t_and_order():
    found = layer_entropies({"input": ROWS}, t=[1, 2.5], orders=[1, np.inf])
    rows = [row.split() for row in str(found).splitlines()]
    assert rows[0] == ["layer", "t", "order", "entropy", "bandwidth"]
    assert [row[1:3] for row in rows[1:5]] == [["1", "1"], ["1", "inf"], ["2.5", "1"], ["2.5", "inf"]]


def test_a_long_table_is_cut_in_rows_and_in_names():
    layers = {f"encoder.layer.{number}." + 8 * "attention.output.": ROWS for number in range(21)}
    found = layer_entropies(layers, t=[1, 2], orders=[1, 2], null="gaussian", n_null=2)
    lines = str(found).splitlines()
    assert len(lines) == 1 + 20 + 1 + 1
    assert lines[11] == "..."
    assert max(map(len, lines)) == 80
    assert all(line.startswith("...") for line in lines[1:22])
    assert lines[21].split()[1:3] == ["2", "2"]


def test_saturated_entropies_are_marked():
    with pytest.warns(SaturationWarning, match="has collapsed"):
        lines = str(layer_entropies({"flat": np.ones((9, 2)), "input": ROWS})).splitlines()
    assert lines[1].split()[1] == "0.000*"
    assert lines[2].split()[1][-1] != "*"
    assert lines[-1].startswith("* saturated: ")


def test_estimates_have_their_error():
    found = layer_entropies({"a": RNG.normal(size=(700, 3))}, 0.7, solver=Stochastic(tol=0.05))
    header, row, _ = str(found).splitlines()
    assert header.split() == ["layer", "entropy", "error", "bandwidth"]
    assert row.split()[2] == f"{found.standard_error.item():.1g}"


def test_a_difference_of_zero_has_no_sign():
    found = layer_entropies({"a": ROWS}, null=lambda rows, _: rows * (1 + 1e-9), n_null=2)
    assert str(found).splitlines()[1].split()[3] == "0.000"


def test_one_layer_is_no_layers():
    assert repr(suggest_bandwidth({"a": GROUPS})).startswith("<BandwidthSuggestion for 1 layer: ")
    assert repr(suggest_bandwidth([ROWS, GROUPS])).startswith("<BandwidthSuggestion for 2 layers: ")
