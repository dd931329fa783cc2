"""Files of torch.save: read without running code, memory-mapped, and refused by name."""

from __future__ import annotations

import importlib
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dsentropy.io import read_embeddings, read_labels
from dsentropy.io.files import FileError

X = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))


def saved(folder: Path, value: Any, **options: Any) -> Path:
    path = folder / "a.pt"
    torch.save(value, path, **options)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64])
def test_a_tensor_is_read_as_it_was_saved(dtype: torch.dtype, zipped: bool, tmp_path: Path) -> None:
    tensor = (10 * X).to(dtype)
    path = saved(tmp_path, tensor, _use_new_zipfile_serialization=zipped)
    expected = (tensor.float() if dtype == torch.bfloat16 else tensor).numpy()
    for given, rows in [(None, slice(None)), (slice(2, 9, 3), slice(2, 9, 3)), ([7, 2], [2, 7])]:
        found = read_embeddings(path, rows=given)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected[rows])
    assert read_embeddings(path, max_samples=5).shape == (5, 4)


def test_names_of_containers_are_joined(tmp_path: Path) -> None:
    state = {"model": OrderedDict(layer_2=X, layer_10=2 * X), "step": 3, "lists": [X[:3], (X[:2],)], "none": None}
    path = saved(tmp_path, state)
    with pytest.raises(FileError, match=r"'lists\.0' \(3, 4\) float32, 'lists\.1\.0' .*'model\.layer_2' .*got None"):
        read_embeddings(path)
    np.testing.assert_array_equal(read_embeddings(path, key="model.layer_10"), 2 * X)
    path = saved(tmp_path, state["model"])
    np.testing.assert_array_equal(read_embeddings(path, layer=10), 2 * X)
    path = saved(tmp_path, [X])
    np.testing.assert_array_equal(read_embeddings(path), X)
    np.testing.assert_array_equal(read_labels(saved(tmp_path, torch.arange(4))), np.arange(4))


def test_layers_and_tokens(tmp_path: Path) -> None:
    layers = torch.stack([X, 2 * X, 3 * X])
    path = saved(tmp_path, layers)
    np.testing.assert_array_equal(read_embeddings(path, layer=-1, rows=[0, 5]), 3 * X[[0, 5]])
    np.testing.assert_array_equal(read_embeddings(path, pool="max"), layers.amax(1))
    path = path.rename(tmp_path / "a.pth")
    np.testing.assert_array_equal(read_embeddings(path, layer=0), X)


def test_parameters_views_and_large_tensors(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_embeddings(saved(tmp_path, torch.nn.Parameter(X))), X)
    np.testing.assert_array_equal(read_embeddings(saved(tmp_path, X.T[:, 3:9])), X.T[:, 3:9])
    np.testing.assert_array_equal(read_embeddings(saved(tmp_path, -X.conj())), -X)


def test_a_file_is_mapped(tmp_path: Path) -> None:
    """The array of a mapped file shares no memory that was read: it is in a mapping of the file."""
    path = saved(tmp_path, torch.zeros(2**20, 4))
    found = read_embeddings(path)
    address = found.ctypes.data
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    owners = [
        line[-1] for line in lines if int(line[0].split("-")[0], 16) <= address < int(line[0].split("-")[1], 16)
    ]
    assert owners == [str(path)]


class Runs:
    """A pickle of it would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
def test_code_in_a_file_is_not_run(zipped: bool, tmp_path: Path) -> None:
    made = tmp_path / "made"
    path = saved(tmp_path, {"x": X, "y": Runs(made)}, _use_new_zipfile_serialization=zipped)
    with pytest.raises(FileError, match=r"a\.pt': it holds (posix|nt)\.mkdir, which is no tensor, and no code of a"):
        read_embeddings(path)
    path.write_bytes(pickle.dumps(Runs(made)))
    with pytest.raises(FileError, match=r"a\.pt': its content is a pickle, which could run code and is not read"):
        read_embeddings(path)
    assert not made.exists()
    torch.load(saved(tmp_path, Runs(made)), weights_only=False)
    assert made.exists()  # so the file was one that runs code


def test_a_pickle_that_names_nothing(tmp_path: Path) -> None:
    legacy = saved(tmp_path, X, _use_new_zipfile_serialization=False).read_bytes()
    start = legacy[: legacy.index(b".") + 1]
    (tmp_path / "b.pt").write_bytes(start + start + b"\x80\x02Q.")
    with pytest.raises(FileError, match=r"b\.pt': "):
        read_embeddings(tmp_path / "b.pt")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 1])
def test_files_that_are_cut_off(share: float, zipped: bool, tmp_path: Path) -> None:
    path = saved(tmp_path, X, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: max(1, min(len(whole) - 1, int(share * len(whole))))])
    with pytest.raises(FileError, match=r"a\.pt'"):
        read_embeddings(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (X.to(torch.complex64), "it holds no real numbers, but dtype complex64"),
        (X.to_sparse(), "a.pt': "),
        ({}, "it has no array"),
        ({"a": 1, "b": "text"}, "it has no array"),
        (X[0], r"it has shape (4,), and rows have two axes [N, D]"),
        (torch.where(X[3, 1] == X, torch.nan, X), "it has nan in row 3, column 1"),
    ],
)
def test_other_contents(value: Any, text: str, tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        read_embeddings(saved(tmp_path, value))
    assert text in str(caught.value)


def test_a_tensor_of_one_number_that_is_repeated_is_no_allocation(tmp_path: Path) -> None:
    path = saved(tmp_path, torch.zeros(1).expand(10**12, 4))
    with pytest.raises(MemoryError, match=r"a\.pt': rows of shape \(4,\).*: use rows, or a smaller max_samples"):
        read_embeddings(path)
    assert read_embeddings(path, rows=slice(0, 3)).shape == (3, 4)


def test_torch_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, X)

    def without(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}")

    real_import = importlib.import_module
    monkeypatch.setattr(
        importlib, "import_module", lambda name: without(name) if name == "torch" else real_import(name)
    )
    with pytest.raises(ImportError, match=r'^\.pt files need the package torch.*: pip install "dsentropy\[torch\]"'):
        read_embeddings(path)


def test_tensors_of_one_name_are_refused(tmp_path: Path) -> None:
    torch.save({"a": {"b": torch.zeros(3, 2)}, "a.b": torch.ones(3, 2)}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"a\.pt': it has two tensors that are called 'a\.b'"):
        read_embeddings(tmp_path / "a.pt", key="a.b")
