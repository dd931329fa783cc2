"""The commands that measure files: their numbers are those of the functions, in every format."""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dsentropy import (
    compare,
    convergence,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
    layer_entropies,
    mutual_information,
)
from dsentropy.monitor import read_log
from dsentropy.monitor.records import FIELDS

LABELS = np.repeat(range(3), 20)


@pytest.fixture
def hidden(layers: dict[str, np.ndarray], tmp_path: Path) -> Path:
    np.save(tmp_path / "hidden.npy", layers["layer_3"].astype(np.float64))
    np.save(tmp_path / "labels.npy", LABELS)
    return tmp_path / "hidden.npy"


def test_entropy_has_the_fields_and_the_numbers_of_a_record(hidden: Path, run: Any) -> None:
    found = run("entropy", hidden, "--t", "1,1.5", "--orders", "1,inf", "--alpha", "0.5", "--format", "json")
    assert (found.err, found.code) == ("", 0)
    spectrum = diffusion_spectrum(np.load(hidden), alpha=0.5)
    expected = spectrum.bits([1, 1.5], [1, np.inf])
    assert [list(record) for record in found.records] == [list(FIELDS)] * 4
    np.testing.assert_allclose([record["value"] for record in found.records], expected.ravel(), rtol=1e-12)
    assert [(record["t"], record["order"]) for record in found.records] == [
        (1, 1),
        (1, "inf"),
        (1.5, 1),
        (1.5, "inf"),
    ]
    record = found.records[0]
    np.testing.assert_allclose(record["bandwidth"], spectrum.parameters["bandwidth"], rtol=1e-13)
    shared = {"run": "entropy", "step": 0, "layer": str(hidden), "depth": 0, "measure": "dse", "n": 60, "n_all": 60}
    shared |= {"d": 5, "bandwidth_rule": "median", "alpha": 0.5, "metric": "euclidean", "solver": "exact"}
    assert {name: record[name] for name in shared} == shared


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_formats_have_the_same_records(form: str, hidden: Path, run: Any, tmp_path: Path) -> None:
    found = run("entropy", hidden, hidden, "--t", "1,2", "--bandwidth", "1.5", "--format", form)
    values = diffusion_spectrum(np.load(hidden), bandwidth=1.5).entropy([1, 2])
    if form == "table":
        header, *rows = (line.split() for line in found.out.splitlines())
        assert header == ["layer", "n", "d", "bandwidth_rule", "bandwidth", "t", "order", "value"]
        assert [float(row[-1]) for row in rows] == [float(f"{value:.5g}") for value in [*values, *values]]
    elif form == "csv":
        table = list(csv.DictReader(io.StringIO(found.out)))
        assert [float(row["value"]) for row in table] == pytest.approx([*values, *values], rel=1e-12)
        assert {row["standard_error"] for row in table} == {"0.0"}
        assert {row["epoch"] for row in table} == {""}
    else:
        lines = found.records if form == "json" else [json.loads(line) for line in found.out.splitlines()]
        assert [record["value"] for record in lines] == pytest.approx([*values, *values], rel=1e-12)
    if form == "jsonl":
        (tmp_path / "run.jsonl").write_text(found.out)
        assert len(read_log(tmp_path / "run.jsonl")) == 2  # the second file has the same key


def test_rows_are_read_as_the_reader_reads_them(hidden: Path, run: Any) -> None:
    X = np.load(hidden)
    one = run("entropy", hidden, "--rows", "10:50:2", "--bandwidth", "1", "--format", "json").records[0]
    assert (one["n"], one["n_all"]) == (20, 60)
    assert one["value"] == pytest.approx(diffusion_spectrum(X[10:50:2], bandwidth=1).entropy(), rel=1e-12)
    two = run("entropy", hidden, "--max-samples", "30", "--seed", "4", "--bandwidth", "1", "--format", "json").records
    expected = diffusion_spectrum(X, bandwidth=1, max_samples=30, random_state=4).entropy()
    assert two[0]["value"] == pytest.approx(expected, rel=1e-12)
    assert (two[0]["n"], two[0]["random_state"]) == (30, 4)


def test_arrays_of_archives_are_chosen(layers: dict[str, np.ndarray], tmp_path: Path, run: Any) -> None:
    np.savez(tmp_path / "a.npz", **{name: layers[name] for name in ("layer_2", "layer_10")})
    np.save(tmp_path / "tokens.npy", np.stack([layers["layer_2"], layers["layer_3"]], axis=1))
    failed = run("entropy", tmp_path / "a.npz")
    assert failed.code == 2
    assert failed.out == ""
    listed = "'layer_2' (60, 5) float32, 'layer_10' (60, 5) float32"
    assert failed.err == (
        f"dsentropy entropy: {tmp_path / 'a.npz'}: --key must name one of its 2 arrays, {listed}, got None\n"
    )
    for options, rows in [
        (["a.npz", "--key", "layer_10"], layers["layer_10"]),
        (["a.npz", "--layer", "2"], layers["layer_2"]),
        (["tokens.npy", "--pool", "last"], layers["layer_3"]),
    ]:
        name, *rest = options
        found = run("entropy", tmp_path / name, *rest, "--format", "json").records[0]["value"]
        assert found == layer_entropies({"a": rows}).entropy.item()
    np.savetxt(tmp_path / "a.csv", layers["layer_2"], delimiter=",", header="a,b,c,d,e", comments="")
    found = run("entropy", tmp_path / "a.csv", "--key", "b", "--key", "e", "--format", "json").records[0]
    assert found["d"] == 2
    failed = run("entropy", tmp_path / "tokens.npy")
    assert f"{tmp_path / 'tokens.npy'}: --pool must be one of flatten, mean" in failed.err


def test_the_standard_input(hidden: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with hidden.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        found = run("entropy", "-", "--format", "json").records[0]
    assert found["layer"] == "-"
    assert found["value"] == pytest.approx(diffusion_spectrum(np.load(hidden)).entropy(), rel=1e-12)


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_file_that_fails_does_not_lose_the_others(jobs: int, hidden: Path, run: Any, tmp_path: Path) -> None:
    whole = hidden.read_bytes()
    (tmp_path / "torn.npy").write_bytes(whole[:-1])
    np.save(tmp_path / "constant.npy", np.ones((9, 2)))
    files = [tmp_path / "torn.npy", hidden, tmp_path / "none.npy", tmp_path / "constant.npy", hidden]
    found = run("entropy", *files, "--jobs", jobs, "--progress", "--format", "json")
    assert found.code == 2
    assert [record["layer"] for record in found.records if record["n"] == 60] == [str(hidden)] * 2
    lines = [line for line in found.err.splitlines() if " of 5: " not in line]
    assert lines[0].startswith(f"dsentropy entropy: {files[0]}: it is cut off")
    assert lines[1] == f"dsentropy entropy: {files[2]}: No such file or directory"
    assert f"dsentropy entropy: 5 of 5: {hidden}" in found.err.splitlines()


def test_layers_of_a_folder_are_in_the_order_of_their_numbers(
    layers: dict[str, np.ndarray], tmp_path: Path, run: Any
) -> None:
    (tmp_path / "layers" / "notes.txt").write_text("no layer")
    options = ["--null", "gaussian", "--n-null", 3, "--t", "1,4", "--format"]
    found = run("layers", tmp_path / "layers", *options, "json", "--plot", tmp_path / "layers.png", "--jobs", 2)
    assert (found.err, found.code) == ("", 0)
    expected = layer_entropies(layers, t=[1, 4], null="gaussian", n_null=3)
    assert [record["layer"] for record in found.records[::2]] == list(layers)
    assert [record["depth"] for record in found.records[::2]] == list(range(12))
    for field, array in [
        ("value", expected.entropy),
        ("null_mean", expected.null_mean),
        ("z", expected.z),
        ("p_value", expected.p_value),
    ]:
        assert [record[field] for record in found.records] == array.ravel().tolist()
    assert (tmp_path / "layers.png").read_bytes().startswith(b"\x89PNG")
    table = run("layers", tmp_path / "layers", *options, "table").out.splitlines()
    assert len(table) == 1 + 24
    assert table[3].split()[0] == "layer_1"
    assert "null_mean" in table[0]


def test_layers_of_archives_are_their_arrays(layers: dict[str, np.ndarray], tmp_path: Path, run: Any) -> None:
    three = {name: layers[name] for name in ("layer_10", "layer_9", "layer_1")}
    np.savez(tmp_path / "a.npz", **three)
    np.savez(tmp_path / "b.npz", **three, labels=LABELS)
    expected = {name: layer_entropies({name: rows}).entropy.item() for name, rows in three.items()}
    found = run("layers", tmp_path / "a.npz", "--format", "json").records
    assert {one["layer"]: one["value"] for one in found} == expected
    assert [one["layer"] for one in found] == ["layer_1", "layer_9", "layer_10"]
    found = run("layers", tmp_path / "b.npz", tmp_path / "a.npz", "--key", "layer_1*", "--format", "json").records
    assert [one["layer"] for one in found] == ["b:layer_1", "b:layer_10", "a:layer_1", "a:layer_10"]
    found = run("layers", tmp_path / "a.npz", "--layer", "9", "--format", "json").records
    assert [(one["layer"], one["value"]) for one in found] == [("a", expected["layer_9"])]
    np.savetxt(tmp_path / "table.csv", three["layer_1"], delimiter=",")
    found = run("layers", tmp_path / "table.csv", "--format", "json").records
    assert found[0]["layer"] == "table"
    assert found[0]["value"] == pytest.approx(expected["layer_1"], rel=1e-5)  # single precision of the other
    (tmp_path / "other").mkdir()
    np.save(tmp_path / "other" / "a.npy", three["layer_1"])
    found = run("layers", tmp_path / "a.npz", tmp_path / "other" / "a.npy", "--format", "json").records
    assert found[-1]["layer"] == str(tmp_path / "other" / "a.npy")
    assert "a.npz: --key must name one of its arrays" in run("layers", tmp_path / "a.npz", "--key", "x*").err
    failed = run("layers", tmp_path / "b.npz")
    assert failed.code == 2
    assert "it has shape (60,) in 'labels'" in failed.err
    (tmp_path / "empty").mkdir()
    failed = run("layers", tmp_path / "empty")
    assert failed == ("", f"dsentropy layers: {tmp_path / 'empty'}: no file in the folder has embeddings\n", 2)


def test_layers_that_fail_leave_the_figure_of_the_others(
    layers: dict[str, np.ndarray], tmp_path: Path, run: Any
) -> None:
    (tmp_path / "layers" / "layer_5.safetensors").write_bytes(b"")
    found = run("layers", tmp_path / "layers", "--format", "jsonl", "--plot", tmp_path / "a.svg")
    assert found.code == 2
    assert len(found.out.splitlines()) == 11
    assert "layer_5.safetensors: it is empty" in found.err
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


def test_information(hidden: Path, tmp_path: Path, run: Any) -> None:
    options = ["--t", "1,2", "--repeats", "3", "--permutations", "4", "--format", "json", "--num-threads", "1"]
    found = run("information", hidden, "--target", tmp_path / "labels.npy", *options, "--plot", tmp_path / "i.pdf")
    assert (found.err, found.code) == ("", 0)
    expected = mutual_information(np.load(hidden), LABELS, t=[1, 2], n_repeats=3, n_permutations=4)
    for field in ("value", "standard_error", "z", "p_value"):
        assert [record[field] for record in found.records] == pytest.approx(getattr(expected, field).tolist(), 1e-11)
    assert [one["ceiling"] for one in found.records] == pytest.approx([expected.ceiling] * 2)
    shared = {"measure": "dsmi", "null": "permutations", "order": 1.0, "n": 60}
    assert all(shared.items() <= one.items() for one in found.records)
    assert found.records[0]["bandwidth"] == pytest.approx(expected.bandwidth, rel=1e-13)
    assert (tmp_path / "i.pdf").read_bytes().startswith(b"%PDF")


def test_information_of_random_rows_takes_their_labels(hidden: Path, tmp_path: Path, run: Any) -> None:
    options = ["--max-samples", "40", "--rows", "0:50", "--repeats", "2", "--format", "json"]
    found = run("information", hidden, "--target", json.dumps(LABELS.tolist()), *options).records[0]
    rows = np.sort(random.Random(0).sample(range(50), 40))
    expected = mutual_information(np.load(hidden)[rows], LABELS[rows], n_repeats=2)
    assert found["value"] == pytest.approx(expected.value, rel=1e-11)
    assert found["null"] is None
    failed = run("information", hidden, "--target", "[0, 1]")
    assert failed.err == (
        f"dsentropy information: {hidden}: --target must have one label for each of the 60 rows, got 2\n"
    )
    failed = run("information", hidden, "--target", tmp_path / "none.csv:label")
    assert failed == ("", f"dsentropy information: {tmp_path / 'none.csv'}: No such file or directory\n", 2)
    failed = run("information", tmp_path / "none.npy", "--target", tmp_path / "labels.npy", "--plot", "a.png")
    assert failed.code == 2
    (tmp_path / "labels.csv").write_text("id,digit\n" + "\n".join(f"{i},{label}" for i, label in enumerate(LABELS)))
    of_column = run("information", hidden, "--target", f"{tmp_path / 'labels.csv'}:digit", "--format", "json").records
    expected = mutual_information(np.load(hidden), LABELS)
    assert of_column[0]["value"] == pytest.approx(expected.value, rel=1e-11)


def test_warnings_are_in_the_records_and_on_the_standard_error(hidden: Path, tmp_path: Path, run: Any) -> None:
    found = run("information", hidden, "--target", tmp_path / "labels.npy", "--bandwidth", "1e-9", "--format", "json")
    assert found.code == 0
    assert "SaturationWarning: " in found.records[0]["warnings"]
    assert found.err.startswith(f"dsentropy information: {hidden}: SaturationWarning: ")


def test_surface(hidden: Path, tmp_path: Path, run: Any) -> None:
    X = np.load(hidden)
    options = ["--t", "1,2", "--order", "1,2", "--alpha", "1", "--format", "json"]
    found = run("surface", hidden, *options, "--plot", tmp_path / "s.png").records
    bandwidths = estimate_bandwidth(X) * 2.0 ** (np.arange(-6, 5) / 2)
    expected = entropy_surface(X, bandwidths, [1, 2], [1, 2], 1.0)
    assert [record["value"] for record in found] == pytest.approx(expected.values.ravel().tolist(), rel=1e-11)
    assert [record["bandwidth"] for record in found] == pytest.approx(np.repeat(bandwidths, 4).tolist())
    assert {record["bandwidth_rule"] for record in found} == {"number"}
    assert found[0]["saturation"] == "high"
    assert found[0]["alpha"] == 1.0
    assert (tmp_path / "s.png").exists()
    found = run(
        "surface", hidden, "--bandwidth", "median,2,knn", "--null", "permuted", "--n-null", 3, *options
    ).records
    assert [record["bandwidth_rule"] for record in found[::4]] == ["median", "number", "knn"]
    assert found[-1]["bandwidth"] is None
    assert found[4]["null_mean"] is not None


def test_compare(layers: dict[str, np.ndarray], tmp_path: Path, run: Any) -> None:
    first, second = (tmp_path / "layers" / f"layer_{number}.safetensors" for number in (1, 9))
    options = ["--n-samples", "20", "--n-repeats", "5", "--confidence", "0.9", "--format", "json"]
    found = run("compare", first, second, *options, "--plot", tmp_path / "c.png")
    assert (found.err, found.code) == ("", 0)
    A, B = layers["layer_1"], layers["layer_9"]
    expected = compare(A, B, n_samples=20, n_repeats=5, confidence=0.9)
    record = found.records[0]
    assert record["value"] == pytest.approx(expected.difference, rel=1e-10)
    assert [record["interval_low"], record["interval_high"]] == pytest.approx(expected.interval, rel=1e-10)
    assert (record["measure"], record["n"], record["first"]) == ("dse_difference", 20, str(first))
    assert (tmp_path / "c.png").exists()
    unpaired = run("compare", first, second, *options, "--unpaired", "--rows", "0:40", "--progress")
    expected = compare(A[:40], B[:40], n_samples=20, n_repeats=5, confidence=0.9, paired=False)
    assert unpaired.records[0]["value"] == pytest.approx(expected.difference, rel=1e-10)
    assert "1 of 2: " in unpaired.err
    population = run("compare", first, second, "--interval", "population", "--format", "json").records[0]
    expected = compare(A, B, interval="population")
    assert [population["interval_low"], population["interval_high"]] == pytest.approx(expected.interval, rel=1e-10)
    assert (population["interval_of"], record["interval_of"]) == ("population", "subsets")
    failed = run("compare", first, tmp_path / "none.npy")
    assert failed == ("", f"dsentropy compare: {tmp_path / 'none.npy'}: No such file or directory\n", 2)
    failed = run("compare", first, second, "--n-samples", "99")
    assert failed.code == 2
    assert "--n-samples must be at most 60" in failed.err


def test_convergence(hidden: Path, tmp_path: Path, run: Any) -> None:
    options = ["--sizes", "15,30,60", "--n-repeats", "4", "--t", "1,1.5", "--tolerance", "0.4", "--format", "json"]
    found = run("convergence", hidden, *options, "--plot", tmp_path / "c.png").records
    expected = convergence(np.load(hidden), [15, 30, 60], n_repeats=4, t=[1, 1.5], tolerance=0.4)
    assert [record["value"] for record in found] == pytest.approx(expected.mean.ravel().tolist(), rel=1e-11)
    assert [record["n"] for record in found] == [15, 15, 30, 30, 60, 60]
    assert [record["moves"] for record in found] == [None] * 4 + expected.moves.tolist()
    assert found[0]["change"] is None
    assert found[-1]["change"] == pytest.approx(expected.change[1], rel=1e-9)
    assert (tmp_path / "c.png").exists()
    assert "moves" in run("convergence", hidden).out


def test_estimates_have_their_errors(hidden: Path, run: Any) -> None:
    rng = np.random.default_rng(0)
    np.save(hidden, rng.normal(size=(700, 3)))
    found = run(
        "entropy", hidden, "--solver", "stochastic", "--tol", "0.05", "--bandwidth", "0.7", "--format", "json"
    )
    record = found.records[0]
    exact = diffusion_spectrum(np.load(hidden), bandwidth=0.7).entropy()
    assert record["solver"] == "stochastic"
    assert abs(record["value"] - exact) < 0.25  # five tolerances
    failed = run("entropy", hidden, "--tol", "0.1")
    assert failed.err == f"dsentropy entropy: {hidden}: --tol must not be given where solver is 'exact'\n"


def test_errors_of_a_target_speak_of_its_option(hidden: Path, tmp_path: Path, run: Any) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("u,v\n1,2\n")
    way = f"dsentropy information: {table}: --target must be FILE:NAME, whose NAME must name "
    assert run("information", hidden, "--target", table).err == f"{way}one of its columns, ['u', 'v'], got None\n"
    assert run("information", hidden, "--target", f"{table}:w").err == f"{way}columns of it, ['u', 'v'], got 'w'\n"
    failed = run("information", hidden, "--target", '[0, "a"]')
    assert failed.err.startswith("dsentropy information: --target must be a JSON list of labels of one kind")


def test_layers_name_a_file_that_fails_once(tmp_path: Path, run: Any) -> None:
    table = tmp_path / "a.csv"
    table.write_text("u,v\n1,x\n")
    failed = run("layers", table)
    assert failed.err.startswith(f"dsentropy layers: {table}: it has 'x' in line 2, column 'v'")


def test_hidden_files_of_a_folder_are_no_layers(layers: Any, tmp_path: Path, run: Any) -> None:
    (tmp_path / "layers" / "._layer_0.safetensors").write_bytes(b"of macOS")
    found = run("layers", tmp_path / "layers", "--format", "json")
    assert (found.err, found.code) == ("", 0)
    assert [record["layer"] for record in found.records] == list(layers)


def test_a_closed_standard_input_is_said(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert run("entropy", "-") == ("", "dsentropy entropy: -: it is closed\n", 2)


def test_names_in_pictures_are_no_formulas(hidden: Path, tmp_path: Path, run: Any) -> None:
    hidden = hidden.rename(tmp_path / "$^$.npy")
    for options in (["layers", hidden], ["information", hidden, "--target", json.dumps(LABELS.tolist())]):
        found = run(*options, "--plot", tmp_path / "a.svg")
        assert (found.err, found.code) == ("", 0)
