"""Labels from vectors, columns of tables and JSON lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy
from dsentropy import mutual_information
from dsentropy.io import read_labels

LABELS = {
    "integers": np.array([3, 1, 1, 2, 3]),
    "floats": np.array([0.5, 1.25, -3.0, 1e-3, 7.5]),
    "text": np.array(["cat", "dog", "cat", "a,b", "ü"]),
}
every_kind = pytest.mark.parametrize("kind", LABELS)


def same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype.kind == expected.dtype.kind
    np.testing.assert_array_equal(found, expected)


@every_kind
def test_arrays(kind: str, tmp_path: Path) -> None:
    labels = LABELS[kind]
    np.save(tmp_path / "y.npy", labels)
    np.savez(tmp_path / "y.npz", labels=labels, other=np.eye(2))
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["g/labels"] = labels.tolist() if kind == "text" else labels
    same(read_labels(tmp_path / "y.npy"), labels)
    same(read_labels(f"{tmp_path / 'y.npz'}:labels"), labels)
    same(read_labels(tmp_path / "y.npz", key="labels"), labels)
    same(read_labels(tmp_path / "y.h5"), labels)
    if kind != "text":
        safetensors.numpy.save_file({"labels": labels}, tmp_path / "y.safetensors")
        same(read_labels(tmp_path / "y.safetensors"), labels)


@every_kind
def test_columns(kind: str, tmp_path: Path) -> None:
    labels = LABELS[kind]
    frame = pd.DataFrame({"x": np.arange(5) / 3, "the label": labels})
    frame.to_csv(tmp_path / "y.csv", index=False)
    frame.to_csv(tmp_path / "y.tsv", index=False, sep="\t")
    frame.astype({"the label": "category"}).to_parquet(tmp_path / "y.parquet")
    for path in tmp_path.iterdir():
        same(read_labels(f"{path}:the label"), labels)
        same(read_labels(path, key="the label"), labels)
        with pytest.raises(ValueError, match=r"^key must name one of its columns, .*'the label'.*, got None, in '"):
            read_labels(path)
        with pytest.raises(ValueError, match=r"^key must name .*columns.*, got 'z', in '"):
            read_labels(path, key="z")
    frame[["the label"]].to_csv(tmp_path / "only.csv", index=False)
    frame[["the label"]].to_parquet(tmp_path / "only.parquet")
    same(read_labels(tmp_path / "only.csv"), labels)
    same(read_labels(tmp_path / "only.parquet"), labels)


@every_kind
def test_texts_and_lists(kind: str, tmp_path: Path) -> None:
    labels = LABELS[kind]
    (tmp_path / "y.txt").write_text("\n".join(map(str, labels.tolist())) + "\n", encoding="utf-8")
    (tmp_path / "y.json").write_text(json.dumps(labels.tolist()), encoding="utf-8")
    same(read_labels(tmp_path / "y.txt"), labels)
    same(read_labels(tmp_path / "y.json"), labels)
    same(read_labels(json.dumps(labels.tolist())), labels)
    same(read_labels(" [[1, 2], [3, 4]]"), np.array([[1, 2], [3, 4]]))
    same(read_labels("[true, false]"), np.array([True, False]))


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["1", "2", "-3"], "i"),
        (["1", "2.5", "-0"], "f"),
        (["1", "1e3", "inf"], "f"),
        (["007", "7"], "U"),
        (["+1", "2"], "f"),
        (["1_0", "1"], "U"),
        (["1.5", "007"], "U"),
        (["12345678901234567890", "1"], "U"),
        (["9" * 5000, "1"], "U"),
        (["True", "False"], "U"),
    ],
)
def test_texts_are_integers_then_floats_then_text(texts: list[str], kind: str, tmp_path: Path) -> None:
    (tmp_path / "y.txt").write_text("\n".join(texts))
    found = read_labels(tmp_path / "y.txt")
    assert found.dtype.kind == kind
    assert len(set(found.tolist())) == len(texts)


def test_labels_with_several_columns_are_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.arange(10).reshape(5, 2))
    assert read_labels(tmp_path / "y.npy").shape == (5, 2)
    safetensors.numpy.save_file({"y": np.zeros(0)}, tmp_path / "y.safetensors")
    with pytest.raises(ValueError, match=r"y\.safetensors': it has shape \(0,\), and labels have one axis"):
        read_labels(tmp_path / "y.safetensors")
    for shape in [(), (0,), (2, 2, 2)]:
        np.save(tmp_path / "y.npy", np.zeros(shape))
        with pytest.raises(ValueError, match=r"y\.npy': it has shape .*, and labels have one axis \[N\], or two"):
            read_labels(tmp_path / "y.npy")


def test_a_file_whose_name_has_a_colon_is_itself(tmp_path: Path) -> None:
    (tmp_path / "a.csv:b").mkdir()
    np.save(tmp_path / "run:3.npy", np.arange(3))
    same(read_labels(tmp_path / "run:3.npy"), np.arange(3))
    with pytest.raises(ValueError, match=r"a\.csv:b': it is a folder"):
        read_labels(f"{tmp_path / 'a.csv:b'}")


def test_labels_serve_as_a_target(tmp_path: Path) -> None:
    labels = ["a", "b"] * 10
    pd.DataFrame({"y": labels}).to_csv(tmp_path / "y.csv")
    X = np.random.default_rng(0).normal(size=(20, 2))
    expected = mutual_information(X, labels, n_repeats=2).value
    assert mutual_information(X, read_labels(f"{tmp_path / 'y.csv'}:y"), n_repeats=2).value == expected


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("y.txt", "a\n\nb\n", "it has no label in line 2"),
        ("y.txt", "", "it is empty"),
        ("y.json", "[1, ", "must be a JSON list of labels: "),
        ("y.json", "[1, null]", "of one kind, numbers, bools or text"),
        ("y.json", '[1, "a"]', "of one kind, numbers, bools or text"),
        ("y.json", "[1, true]", "of one kind, numbers, bools or text"),
        ("y.json", "{}", "of one kind, numbers, bools or text"),
        ("y.json", "[]", "of one kind, numbers, bools or text"),
        ("y.json", "[[[1]]]", "of one kind, numbers, bools or text"),
        ("y.json", "[[1], [1, 2]]", "must be a JSON list of labels: "),
        ("y.json", "[" * 100_000, "must be a JSON list of labels: "),
        ("y.csv", "a,b\n", "it has no rows"),
        ("y.csv", "a,b\n1,2\n3,\n", "it has no label in line 3"),
        ("y.csv", "a,b\n1,2\n3\n", "it has no label in line 3"),
    ],
)
def test_files_without_labels(name: str, text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=name) as caught:
        read_labels(tmp_path / name, key="b" if name == "y.csv" else None)
    assert reason in str(caught.value)


def test_other_faults(tmp_path: Path) -> None:
    (tmp_path / "y.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"^path must be a text file, got '.*y\.txt'"):
        read_labels(tmp_path / "y.txt")
    with pytest.raises(ValueError, match=r"^path must be a JSON list of labels: "):
        read_labels("[1, 2")
    with pytest.raises(ValueError, match=r"^key must be None for a \.json/\.txt file, got 'a'"):
        read_labels(tmp_path / "y.txt", key="a")
    with pytest.raises(ValueError, match=r"^key must be None where path names a column, got 'a' and '.*:b'"):
        read_labels(f"{tmp_path / 'y.csv'}:b", key="a")
    with pytest.raises(FileNotFoundError, match=r"y\.csv"):
        read_labels(f"{tmp_path / 'y.csv'}:b")
    pq.write_table(pa.table({"y": [1, None], "lists": [[1], [2]]}), tmp_path / "y.parquet")
    with pytest.raises(ValueError, match="it has no label in 1 rows of column 'y'"):
        read_labels(f"{tmp_path / 'y.parquet'}:y")
    with pytest.raises(ValueError, match=r"^key must name a column of labels, got 'lists' of type list"):
        read_labels(f"{tmp_path / 'y.parquet'}:lists")


@pytest.mark.parametrize("value", [None, 3])
def test_paths(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^path must be a path, got "):
        read_labels(value)


def test_labels_that_are_nan_are_missing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label\n1\nnan\n")
    (tmp_path / "a.txt").write_text("1\nnan\n")
    (tmp_path / "a.json").write_text("[1, NaN]")
    np.save(tmp_path / "a.npy", [1.0, np.nan])
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(ValueError, match=rf"'.*a\{path.suffix}'.*: it has nan in row 1, which is no label"):
            read_labels(path)
    with pytest.raises(ValueError, match=r"^path must be a JSON list of labels: it has nan in row 1"):
        read_labels("[1, NaN]")


def test_a_key_of_a_wrong_type_is_no_fault_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("u,v\n1,2\n")
    with pytest.raises(TypeError, match=r"^key must be a name or a sequence of names, got 1$"):
        read_labels(tmp_path / "a.csv", key=1)  # type: ignore[arg-type]
