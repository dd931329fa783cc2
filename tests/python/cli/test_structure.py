"""The bandwidth "structure" of commands: that of the functions, one multiple for all arrays of a call."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dsentropy import (
    compare,
    convergence,
    entropy_surface,
    layer_entropies,
    mutual_information,
    suggest_bandwidth,
)
from dsentropy.monitor import read_log

LABELS = np.repeat(range(3), 20)


@pytest.fixture
def acts(tmp_path: Path) -> dict[str, np.ndarray]:
    """Layers in ``acts.npz``, and each in a file of its own."""
    rows = np.random.default_rng(0).normal(size=(60, 5)) + 4 * np.eye(5)[LABELS]
    found = {"act1": rows, "act2": np.tanh(rows), "act3": 9 * np.tanh(rows @ np.ones((5, 2)))}
    np.savez(tmp_path / "acts.npz", **found)
    for name, layer in found.items():
        np.save(tmp_path / f"{name}.npy", layer)
    np.save(tmp_path / "y.npy", LABELS)
    return found


@pytest.mark.parametrize("form", ["archive", "files"])
def test_layers_have_one_multiple(acts: dict[str, np.ndarray], form: str, tmp_path: Path, run: Any) -> None:
    files = [tmp_path / "acts.npz"] if form == "archive" else [tmp_path / f"{name}.npy" for name in acts]
    options = ["--bandwidth", "structure", "--null", "permuted", "--n-null", 3, "--t", "2,1", "--format", "json"]
    found = run("layers", *files, *options, "--plot", tmp_path / "a.svg")
    assert (found.err, found.code) == ("", 0)
    expected = layer_entropies(acts, "structure", [2, 1], null="permuted", n_null=3)
    for field, array in [
        ("value", expected.entropy),
        ("structure", expected.structure),
        ("null_mean", expected.null_mean),
        ("like_noise", expected.like_noise),
    ]:
        assert [record[field] for record in found.records] == array.ravel().tolist()
    assert [record["bandwidth"] for record in found.records[::2]] == [one[0] for one in expected.bandwidth]
    assert {record["bandwidth_rule"] for record in found.records} == {"structure"}
    assert (tmp_path / "a.svg").exists()


def test_entropies_of_files_have_each_its_own(acts: dict[str, np.ndarray], tmp_path: Path, run: Any) -> None:
    files = [tmp_path / f"{name}.npy" for name in acts]
    found = run("entropy", *files, "--bandwidth", "structure", "--format", "json").records
    for record, rows in zip(found, acts.values(), strict=True):
        assert record["bandwidth"] == suggest_bandwidth(rows).bandwidth


def test_the_standard_input_is_read_once(
    acts: dict[str, np.ndarray], tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "act1.npy").open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        found = run("layers", "-", "--bandwidth", "structure", "--format", "json").records
    assert found[0]["value"] == layer_entropies({"a": acts["act1"]}, "structure").entropy.item()


def test_layers_that_fail_do_not_choose_the_bandwidth(acts: dict[str, np.ndarray], tmp_path: Path, run: Any) -> None:
    (tmp_path / "torn.npy").write_bytes((tmp_path / "act1.npy").read_bytes()[:-1])
    np.save(tmp_path / "nan.npy", np.full((9, 2), np.nan))
    np.save(tmp_path / "flat.npy", np.ones((9, 2)))
    options = ["--bandwidth", "structure", "--format", "json"]
    files = [tmp_path / name for name in ("torn.npy", "nan.npy", "act1.npy", "act2.npy", "flat.npy")]
    found = run("layers", *files, *options)
    flat = {"act1": acts["act1"], "act2": acts["act2"], "flat": np.ones((9, 2))}
    assert [one["bandwidth"] for one in found.records[:2]] == list(suggest_bandwidth(flat).bandwidth.values())[:2]
    assert "torn.npy: it is cut off" in found.err
    assert "nan.npy: " in found.err
    assert "nan.npy: it has nan in row 0" in found.err
    assert "flat.npy: SaturationWarning: layers['flat'] has collapsed" in found.err
    assert found.code == 2
    np.save(tmp_path / "zero.npy", np.eye(5, 3))
    refused = run("layers", tmp_path / "zero.npy", tmp_path / "act1.npy", "--metric", "cosine", *options)
    assert refused.err.startswith(f"dsentropy layers: {tmp_path / 'zero.npy'}: layers['zero'] must have no zero row")
    assert len(refused.records) == 1
    none = run("layers", tmp_path / "torn.npy", *options)
    assert (none.records, none.code) == ([], 2)


def test_information_of_an_archive_has_a_row_for_each_array(
    acts: dict[str, np.ndarray], tmp_path: Path, run: Any
) -> None:
    archive = tmp_path / "labelled.npz"
    np.savez(archive, **acts, y=LABELS)
    options = ["--target", f"{archive}:y", "--repeats", 3, "--format", "json"]
    found = run("information", archive, *options, "--plot", tmp_path / "i.png")
    assert (found.err, found.code) == ("", 0)
    assert [one["layer"] for one in found.records] == [f"{archive}:{name}" for name in acts]
    assert [one["value"] for one in found.records] == pytest.approx(
        [mutual_information(rows, LABELS, n_repeats=3).value for rows in acts.values()], rel=1e-10
    )
    assert (tmp_path / "i.png").exists()
    some = run("information", archive, *options, "--key", "act[12]", "--bandwidth", "structure").records
    suggested = suggest_bandwidth({name: acts[name] for name in ("act1", "act2")}).bandwidth
    for record, (name, number) in zip(some, suggested.items(), strict=True):
        expected = mutual_information(acts[name], LABELS, n_repeats=3, bandwidth=number)
        assert record["value"] == pytest.approx(expected.value, rel=1e-10)
    one = run("information", archive, *options, "--key", "act3").records
    assert [record["layer"] for record in one] == [str(archive)]
    other = run("information", archive, "--target", tmp_path / "y.npy")
    assert "it has shape (60,) in 'y'" in other.err


def test_information_of_random_rows_is_that_of_the_function(
    acts: dict[str, np.ndarray], tmp_path: Path, run: Any
) -> None:
    options = ["--target", tmp_path / "y.npy", "--repeats", 3, "--max-samples", 40, "--seed", 5, "--format", "json"]
    found = run("information", tmp_path / "act1.npy", *options).records[0]
    expected = mutual_information(acts["act1"], LABELS, n_repeats=3, max_samples=40, random_state=5)
    assert found["value"] == pytest.approx(expected.value, rel=1e-12)


def test_a_comparison_has_the_bandwidths_of_both(acts: dict[str, np.ndarray], tmp_path: Path, run: Any) -> None:
    files, options = [tmp_path / "act1.npy", tmp_path / "act3.npy"], ["--n-samples", 30, "--n-repeats", 4]
    both = {"A": acts["act1"], "B": acts["act3"]}
    suggested = suggest_bandwidth(both).bandwidth
    found = run("compare", *files, *options, "--bandwidth", "structure", "--format", "json").records[0]
    assert [found["first_bandwidth"], found["second_bandwidth"]] == list(suggested.values())
    expected = compare(*both.values(), bandwidth=suggested, n_samples=30, n_repeats=4)
    assert found["value"] == pytest.approx(expected.difference, rel=1e-10)
    header, row = run("compare", *files, *options, "--plot", tmp_path / "c.svg").out.splitlines()
    assert header.split()[2:5] == ["bandwidth_rule", "first_bandwidth", "second_bandwidth"]
    medians = compare(*both.values(), n_samples=30, n_repeats=4).bandwidth
    after = row.split("median")[1].split()
    assert after[:2] == [f"{number:.5g}" for number in medians.values()]
    drawn = (tmp_path / "c.svg").read_text()
    assert "act1 - act3" in drawn
    knn = run("compare", *files, *options, "--bandwidth", "knn", "--format", "json").records[0]
    assert knn["first_bandwidth"] is None


def test_one_file_has_the_bandwidth_of_its_rows(acts: dict[str, np.ndarray], tmp_path: Path, run: Any) -> None:
    rows, number = acts["act1"], suggest_bandwidth(acts["act1"], 2).bandwidth
    options = ["--t", "2", "--format", "json"]
    found = run("surface", tmp_path / "act1.npy", "--bandwidth", "structure,median", *options).records
    assert [one["bandwidth_rule"] for one in found] == ["structure", "median"]
    assert found[0]["value"] == pytest.approx(entropy_surface(rows, [number], 2).values.item(), rel=1e-11)
    sizes = ["--sizes", "20,40", "--n-repeats", 3, "--bandwidth", "structure"]
    found = run("convergence", tmp_path / "act1.npy", *sizes, *options).records
    expected = convergence(rows, [20, 40], n_repeats=3, t=2, bandwidth=number)
    assert [one["value"] for one in found] == pytest.approx(expected.mean.tolist(), rel=1e-11)


def test_help_names_the_rule(run: Any) -> None:
    for command in ("entropy", "layers", "information", "surface", "compare", "convergence"):
        assert "structure" in run(command, "--help").out


def test_records_without_a_null_have_no_structure(acts: Any, tmp_path: Path, run: Any) -> None:
    (record,) = json.loads(run("layers", tmp_path / "act1.npy", "--format", "json").out)
    assert "structure" not in record
    header = run("layers", tmp_path / "act1.npy", "--null", "gaussian", "--n-null", 2, "--format", "csv").out
    assert header.splitlines()[0].endswith(",structure,like_noise")
    lines = run("layers", tmp_path / "act1.npy", "--null", "gaussian", "--n-null", 2, "--format", "jsonl").out
    (tmp_path / "log.jsonl").write_text(lines)
    (logged,) = read_log(tmp_path / "log.jsonl")
    assert logged["value"] == json.loads(lines)["value"]
