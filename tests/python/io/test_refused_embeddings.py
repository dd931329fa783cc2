"""Files that cannot be read: each error names the file and the reason, and nothing of a file is run."""

from __future__ import annotations

import builtins
import importlib
import io
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from dsentropy.io import read_embeddings
from dsentropy.io.files import FileError

X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)


def contents() -> dict[str, bytes]:
    """A whole file of each format."""
    found: dict[str, bytes] = {}
    for suffix, write in {
        ".npy": lambda file: np.save(file, X),
        ".npz": lambda file: np.savez(file, hidden=X),
        ".safetensors": lambda file: file.write(safetensors.numpy.save({"hidden": X})),
        ".parquet": lambda file: pd.DataFrame(X, columns=list("abcd")).to_parquet(file),
        ".csv": lambda file: np.savetxt(file, X, delimiter=","),
    }.items():
        stream = io.BytesIO()
        write(stream)
        found[suffix] = stream.getvalue()
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["hidden"] = X
    found[".h5"] = stream.getvalue()
    return found


WHOLE = contents()
BINARY = [suffix for suffix in WHOLE if suffix != ".csv"]


def refused(path: Path, data: bytes | None = None, **options: Any) -> str:
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        read_embeddings(path, **options)
    assert repr(str(path)) in str(caught.value)
    assert caught.value.path == str(path)
    assert caught.value.reason in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", WHOLE)
def test_files_that_are_empty(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    assert refused(path, b"") == f"path must be a readable {suffix} file, got {str(path)!r}: it is empty"


@pytest.mark.parametrize("suffix", BINARY)
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 1])
def test_files_that_are_cut_off(suffix: str, share: float, tmp_path: Path) -> None:
    whole = WHOLE[suffix]
    refused(tmp_path / f"a{suffix}", whole[: max(1, min(len(whole) - 1, int(share * len(whole))))])


@pytest.mark.parametrize("suffix", WHOLE)
@pytest.mark.parametrize("content", BINARY)
def test_files_with_content_of_another_format(suffix: str, content: str, tmp_path: Path) -> None:
    if suffix != content:
        text = refused(tmp_path / f"a{suffix}", WHOLE[content])
        assert text.endswith(f"its content is in the {content} format: rename it")


@pytest.mark.parametrize("suffix", BINARY)
def test_text_under_the_name_of_another_format(suffix: str, tmp_path: Path) -> None:
    assert refused(tmp_path / f"a{suffix}", WHOLE[".csv"]).endswith("its content is text")


@pytest.mark.parametrize("suffix", WHOLE)
def test_bytes_of_no_format(suffix: str, tmp_path: Path) -> None:
    text = refused(tmp_path / f"a{suffix}", b"\xff\x00" * 400)
    kind = {".csv": "text", ".npz": "cut off, or a file of another format"}.get(suffix, f"as {suffix} files do")
    assert kind in text


def test_names_without_a_reader(tmp_path: Path) -> None:
    assert "names of files end in one of .npy, .npz, .csv" in refused(tmp_path / "a.bin", b"\xff" * 40)
    text = refused(tmp_path / "layer", WHOLE[".npy"])
    assert text.startswith("path must be a readable embedding file, got ")
    assert text.endswith("and the content of this one is in the .npy format: rename it")
    assert "compressed by gzip, which is unpacked first" in refused(
        tmp_path / "a.csv.gz", b"\x1f\x8b\x08" + bytes(20)
    )


def test_other_zip_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "text")
    data = (tmp_path / "a.zip").read_bytes()
    assert "a zip archive, of no arrays or cut off" in refused(tmp_path / "a.npy", data)
    assert "cut off, or a file of another format" in refused(tmp_path / "a.npz", data)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("model/data.pkl", "")
    text = refused(tmp_path / "a.npz", (tmp_path / "a.zip").read_bytes())
    assert text.endswith("its content is in the .pt format: rename it")
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    assert "it has no array" in refused(tmp_path / "a.npz", (tmp_path / "a.zip").read_bytes())


@pytest.mark.linux
def test_names_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.npy"):
        read_embeddings(tmp_path / "missing.npy")
    (tmp_path / "folder.npy").mkdir()
    assert "it is a folder" in refused(tmp_path / "folder.npy")
    os.mkfifo(tmp_path / "pipe.npy")
    assert "the name '-' reads an .npy file from the standard input" in refused(tmp_path / "pipe.npy")
    for path in (None, 3, X):
        with pytest.raises(TypeError, match=r"^path must be a path, got "):
            read_embeddings(path)  # type: ignore[arg-type]


class Runs:
    """A pickle of it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_no_pickle_is_run(tmp_path: Path) -> None:
    code, made = pickle.dumps(Runs(tmp_path / "made")), tmp_path / "made"
    for suffix in WHOLE:
        assert "a pickle, which could run code" in refused(tmp_path / f"a{suffix}", code)
    objects = np.array([Runs(made), None])
    for name, save in [("o.npy", np.save), ("o.npz", np.savez)]:
        save(tmp_path / name, objects)
        assert "pickled Python objects, which are not read" in refused(tmp_path / name)
    assert "of 'arr_0.npy', it holds" in refused(tmp_path / "o.npz")
    assert not made.exists()


@pytest.mark.parametrize("suffix", WHOLE)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_named_by_their_rows(suffix: str, value: float, tmp_path: Path) -> None:
    array, path = X.copy(), tmp_path / f"a{suffix}"
    array[17, 2] = value
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["hidden"] = array
    else:
        writers: dict[str, Any] = {
            ".npy": lambda: np.save(path, array),
            ".npz": lambda: np.savez(path, hidden=array),
            ".safetensors": lambda: safetensors.numpy.save_file({"hidden": array}, path),
            ".parquet": lambda: pd.DataFrame(array, columns=list("abcd")).to_parquet(path),
            ".csv": lambda: np.savetxt(path, array, delimiter=","),
        }
        writers[suffix]()
    for rows in (None, slice(1, None, 4), [3, 17]):
        assert f"it has {value} in row 17, column 2" in refused(path, rows=rows)
    assert read_embeddings(path, rows=slice(0, 17)).shape == (17, 4)


def test_a_token_that_is_not_finite_is_named_by_its_item(tmp_path: Path) -> None:
    array = np.zeros((5, 3, 2))
    array[3, 1, 0] = np.nan
    np.save(tmp_path / "a.npy", array)
    for pool, column in [("tokens", 0), ("flatten", 2), ("mean", 0), ("max", 0)]:
        assert f"it has nan in row 3, column {column}" in refused(tmp_path / "a.npy", pool=pool)
    assert read_embeddings(tmp_path / "a.npy", pool="last").shape == (5, 2)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (X[:, 0], r"it has shape (30,), and rows have two axes [N, D]: read_labels reads a vector"),
        (np.float64(3), r"it has shape (), and rows have two axes [N, D]"),
        (X[:0], "it has no rows: its shape is (0, 4)"),
        (X[:, :0], "it has no columns: its shape is (30, 0)"),
        (X.astype(str), "it holds no real numbers, but dtype <U"),
        (X + 1j, "it holds no real numbers, but dtype complex64"),
        (np.zeros(3, dtype=[("a", float)]), "it holds no numbers and no text, but dtype"),
        (np.zeros((3, 2), "datetime64[s]"), "it holds no numbers and no text, but dtype datetime64"),
    ],
)
def test_arrays_that_are_no_rows_of_numbers(array: Any, text: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    assert text in refused(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", array)
    assert text.partition(",")[0].partition(":")[0] in refused(tmp_path / "a.npz")


def test_empty_tensors(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"a": X[:0]}, tmp_path / "a.safetensors")
    assert "it has no rows in 'a'" in refused(tmp_path / "a.safetensors")


def header(shape: str, version: bytes = b"\x01\x00") -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + version + struct.pack("<H" if version[0] == 1 else "<I", len(text)) + text


@pytest.mark.parametrize("shape", ["(1000000000000, 4)", "(99999999999999999999999, 4)", "(3, 5)", "(1, 2)"])
def test_headers_that_lie_are_refused_before_anything_is_allocated(shape: str, tmp_path: Path) -> None:
    data = header(shape) + bytes(48)
    for given in (data, header(shape, b"\x02\x00") + bytes(48)):
        assert "its header declares shape" in refused(tmp_path / "a.npy", given)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
            archive.writestr("hidden.npy", data)
        assert "of 'hidden.npy', it " in refused(tmp_path / "a.npz")


def test_other_headers(tmp_path: Path) -> None:
    assert "its header declares shape (-3, 4)" in refused(tmp_path / "a.npy", header("(-3, 4)") + bytes(48))
    assert "it has version (3, 0) of the format" in refused(tmp_path / "a.npy", header("(3, 4)", b"\x03\x00"))
    assert "a.npy" in refused(tmp_path / "a.npy", header("__import__('os')") + bytes(48))


def test_archives_whose_members_lie(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, hidden=X)
    forged = bytearray(path.read_bytes())
    place = forged.rindex(struct.pack("<I", X.nbytes + 128))  # in the directory
    forged[place : place + 4] = struct.pack("<I", 2**31)
    assert "'hidden.npy' in it declares more bytes than it can hold" in refused(path, bytes(forged))
    np.savez(path, hidden=X)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(X.tobytes()) + 5] ^= 1
    assert "CRC-32" in refused(path, bytes(damaged))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hidden.npy", WHOLE[".npy"])
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("hidden.npy", WHOLE[".npy"])
    assert "it has an array twice" in refused(path)


def test_a_shape_that_memory_cannot_hold_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A data set of HDF5 without chunks that were written takes no room in its file."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("hidden", (10**12, 4), "f4", chunks=(1000, 4))
    with pytest.raises(MemoryError, match=r"a\.h5': rows of shape \(4,\): .*: use rows, or a smaller max_s"):
        read_embeddings(tmp_path / "a.h5")
    assert read_embeddings(tmp_path / "a.h5", rows=slice(0, 10**12, 10**11)).shape == (10, 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n", "it has no rows"),
        ("a,b\n1,2\n\n3\n", "it has 1 cells in line 4 and 2 in the first line"),
        ("1,2\n3,\uff14\n", "could not convert string"),
        ("1,2\n3,\n", "it has '' in line 2, column 2, which is no number"),
        ("a,b\n1,2\n3,1_0\n", "it has '1_0' in line 3, column 'b', which is no number"),
        ("a,a\n1,2\n", "key must name columns of it, ['a', 'a'], got 'a'"),
    ],
)
def test_tables_with_other_cells(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert reason in refused(tmp_path / "a.csv", key="a" if "a,a" in text else None)


def test_tables_of_other_encodings(tmp_path: Path) -> None:
    assert "utf-8" in refused(tmp_path / "a.csv", b"1,2\n" * 200 + b"\xff,4\n")
    assert "does not begin as text" in refused(tmp_path / "a.csv", b"\xff\xfe1,2\n")


@pytest.mark.parametrize(
    ("argument", "value", "error", "text"),
    [
        ("key", 3, TypeError, "key must be a name or a sequence of names, got 3"),
        ("key", [], TypeError, "key must be a name or a sequence of names"),
        ("key", b"a", TypeError, "key must be a name or a sequence of names"),
        ("key", [1], TypeError, "key must be a name or a sequence of names"),
        ("key", "a", ValueError, "key must be None for a file of one array without a name, got 'a', in '"),
        ("layer", 1.0, TypeError, "layer must be an integer or None, got 1.0"),
        ("layer", True, TypeError, "layer must be an integer or None, got True"),
        ("pool", "sum", ValueError, "pool must be 'flatten', 'mean', .* or 'tokens', got 'sum'"),
        ("rows", slice(0, 2, 0), ValueError, "rows must be a slice of integers whose step is not 0"),
        ("rows", slice("a"), TypeError, "rows must be a slice of integers"),
        ("rows", 3, TypeError, "rows must be a slice, a vector of row numbers or a mask, got dtype int64"),
        ("rows", [0.5], TypeError, "rows must be a slice, a vector of row numbers or a mask, got dtype float64"),
        ("rows", slice(40, 50), ValueError, "rows must have at least one of the 30 rows, got slice.*, in '"),
        ("rows", [30], ValueError, "rows must be below the number of rows, 30, got 30, in '"),
        ("rows", [-31], ValueError, "rows must be below the number of rows, 30, got -31, in '"),
        ("rows", [True], ValueError, "rows must have one entry for each of the 30 rows, got 1, in '"),
        ("rows", [False] * 30, ValueError, "rows must have at least one of the 30 rows"),
        ("max_samples", 0, ValueError, "max_samples must be at least 1, got 0"),
        ("random_state", "a", TypeError, "random_state must be an integer"),
    ],
)
def test_arguments(argument: str, value: Any, error: type[Exception], text: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(error, match=rf"^{text}"):
        read_embeddings(tmp_path / "a.npy", **{argument: value})


@pytest.mark.parametrize(
    ("suffix", "package"), [(".safetensors", "safetensors"), (".parquet", "pyarrow"), (".h5", "h5py")]
)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    suffix: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_import = importlib.import_module

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}")
        return real_import(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    (tmp_path / f"a{suffix}").write_bytes(WHOLE[suffix])
    with pytest.raises(
        ImportError, match=rf'^{suffix} files need the package {package}.*: pip install "dsentropy\[f'
    ):
        read_embeddings(tmp_path / f"a{suffix}")


def test_files_are_read_with_no_other_package_loaded(run_python: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    loaded = run_python(f"""
        import sys
        from dsentropy.io import read_embeddings
        read_embeddings({str(tmp_path / "a.npy")!r})
        print(sorted({{"h5py", "torch", "pandas", "pyarrow", "safetensors", "scipy", "sklearn"}} & set(sys.modules)))
    """)
    assert loaded == "[]\n"


def test_the_error_can_be_sent_to_another_process(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        read_embeddings(tmp_path)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.path, copied.reason) == (str(caught.value), caught.value.path, caught.value.reason)
    assert isinstance(copied, builtins.ValueError)


def test_an_array_that_is_refused_leaves_the_others_of_its_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    fields = np.zeros(3, dtype=[("u", "f4"), ("v", "f4")])
    np.savez(path, hidden=X, labels=np.array(["u", None], dtype=object), fields=fields)
    np.testing.assert_array_equal(read_embeddings(path, key="hidden"), X)
    with pytest.raises(ValueError, match=r"a\.npz': of 'labels\.npy', it holds pickled Python objects"):
        read_embeddings(path, key="labels")
    with pytest.raises(ValueError, match=r"a\.npz': of 'fields\.npy', it holds no numbers and no text"):
        read_embeddings(path, key="fields")
    with pytest.raises(ValueError, match=r"'hidden' \(30, 4\) float32, 'labels' \(2,\) object, got None"):
        read_embeddings(path)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_columns_beyond_memory_are_not_read(depth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = {0: pd.DataFrame(X, columns=list("abcd")), 1: pd.DataFrame({"a": list(X)})}
    frame[2] = pd.DataFrame({"a": [[row.tolist()] for row in X.astype(float)]})
    frame[depth].to_parquet(tmp_path / "a.parquet")
    asked = []

    def refuse(rows: int, needed: int) -> None:
        asked.append((rows, needed))
        raise MemoryError("too much")

    monkeypatch.setattr("dsentropy._checks.memory._SMALL", 0)
    monkeypatch.setattr("dsentropy._core.require_memory", refuse)
    with pytest.raises(MemoryError, match=r"a\.parquet': columns \['a'.*\]: too much: use key of fewer columns"):
        read_embeddings(tmp_path / "a.parquet")
    assert asked == [(30, X.size * (8 if depth == 2 else 4))]
