"""Files of each format, written by the packages that people write them with."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy
from dsentropy import diffusion_spectral_entropy, diffusion_spectrum
from dsentropy.io import read_embeddings

X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
LAYERS = np.random.default_rng(1).normal(size=(3, 20, 4)).astype(np.float32)
COLUMNS = ["a", "b", "c", "d"]


def npy(path: Path, array: np.ndarray) -> None:
    np.save(path, array)


def npz(path: Path, array: np.ndarray) -> None:
    np.savez(path, hidden=array)


def npz_compressed(path: Path, array: np.ndarray) -> None:
    np.savez_compressed(path, hidden=array)


def safe(path: Path, array: np.ndarray) -> None:
    safetensors.numpy.save_file({"hidden": np.ascontiguousarray(array)}, path, metadata={"model": "x"})


def hdf5(path: Path, array: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("model/hidden", data=array, chunks=True)


def parquet_lists(path: Path, array: np.ndarray) -> None:
    pq.write_table(pa.table({"id": range(len(array)), "hidden": pa.array(array.tolist(), _list_type(array))}), path)


def _list_type(array: np.ndarray) -> pa.DataType:
    kind = pa.from_numpy_dtype(array.dtype)
    for _ in array.shape[1:]:
        kind = pa.list_(kind)
    return kind


WRITERS = {
    "npy": (npy, ".npy"),
    "npz": (npz, ".npz"),
    "npz_compressed": (npz_compressed, ".npz"),
    "safetensors": (safe, ".safetensors"),
    "hdf5": (hdf5, ".h5"),
    "hdf5_long": (hdf5, ".hdf5"),
    "parquet": (parquet_lists, ".parquet"),
}
every_format = pytest.mark.parametrize("form", WRITERS)


def written(form: str, folder: Path, array: np.ndarray) -> Path:
    writer, suffix = WRITERS[form]
    path = folder / f"layer{suffix}"
    writer(path, array)
    return path


@every_format
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64, np.uint8])
def test_an_array_is_read_as_it_was_written(form: str, dtype: Any, tmp_path: Path) -> None:
    array = (10 * X).astype(dtype)
    found = read_embeddings(written(form, tmp_path, array))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, array)


@every_format
@pytest.mark.parametrize(
    "rows", [slice(3, 9), slice(None, None, 3), slice(9, 3, -2), [7, 2, 2, -1], np.arange(20) % 3 == 1]
)
def test_rows_are_chosen(form: str, rows: Any, tmp_path: Path) -> None:
    found = read_embeddings(written(form, tmp_path, X), rows=rows)
    expected = np.arange(20)[np.asarray(rows) if isinstance(rows, list) else rows]
    np.testing.assert_array_equal(found, X[np.unique(expected)])


@every_format
@pytest.mark.parametrize("rows", [None, slice(1, 20, 2), range(12)])
def test_random_rows_are_those_that_the_measures_draw(form: str, rows: Any, tmp_path: Path) -> None:
    found = read_embeddings(written(form, tmp_path, X), rows=rows, max_samples=6, random_state=5)
    given = X if rows is None else X[rows]
    assert found.shape == (6, 4)
    assert {tuple(row) for row in found} <= {tuple(row) for row in given}
    expected = diffusion_spectrum(given, max_samples=6, random_state=5).entropy()
    # the same rows in another order, which rounds differently
    np.testing.assert_allclose(diffusion_spectrum(found).entropy(), expected, rtol=1e-13)


@pytest.mark.changes_process
def test_random_rows_without_a_seed_are_of_the_global_generator(tmp_path: Path) -> None:
    path = written("npy", tmp_path, X)
    found = read_embeddings(path, max_samples=6, random_state=None)
    assert len(np.unique(found, axis=0)) == 6
    np.testing.assert_array_equal(read_embeddings(path, max_samples=20), X)


@every_format
def test_a_layer_is_taken_of_an_array_of_layers(form: str, tmp_path: Path) -> None:
    path = written(form, tmp_path, LAYERS)
    np.testing.assert_array_equal(read_embeddings(path, layer=1), LAYERS[1])
    np.testing.assert_array_equal(read_embeddings(path, layer=-1, rows=[0, 4]), LAYERS[2][[0, 4]])
    with pytest.raises(ValueError, match=r"^layer must be below 3, the layers of \(3, 20, 4\), got 3, in '.*layer"):
        read_embeddings(path, layer=3)


@every_format
def test_items_of_several_axes_are_pooled_where_that_is_asked_for(form: str, tmp_path: Path) -> None:
    path = written(form, tmp_path, LAYERS)
    with pytest.raises(ValueError, match=r"^pool must be one of flatten, mean, .* for the shape \(3, 20, 4\)"):
        read_embeddings(path)
    np.testing.assert_array_equal(read_embeddings(path, pool="flatten"), LAYERS.reshape(3, -1))
    np.testing.assert_allclose(read_embeddings(path, pool="mean"), LAYERS.mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(read_embeddings(path, pool="max"), LAYERS.max(axis=1))
    np.testing.assert_array_equal(read_embeddings(path, pool="first"), LAYERS[:, 0])
    np.testing.assert_array_equal(read_embeddings(path, pool="cls"), LAYERS[:, 0])
    np.testing.assert_array_equal(read_embeddings(path, pool="last", rows=[2]), LAYERS[2:, -1])
    np.testing.assert_array_equal(read_embeddings(path, pool="tokens"), LAYERS.reshape(60, 4))
    np.testing.assert_array_equal(read_embeddings(written(form, tmp_path, X), pool="mean"), X)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8])
def test_channels_are_first_where_there_are_more_axes(dtype: Any, tmp_path: Path) -> None:
    maps = (50 * np.random.default_rng(0).random(size=(6, 3, 4, 5))).astype(dtype)
    path = written("npy", tmp_path, maps)
    positions = maps.transpose(0, 2, 3, 1).reshape(6, 20, 3)
    means = read_embeddings(path, pool="mean")
    assert means.dtype == (np.float32 if dtype == np.float16 else np.float64)
    np.testing.assert_allclose(means, maps.mean(axis=(2, 3), dtype=np.float64), rtol=1e-6)
    np.testing.assert_array_equal(read_embeddings(path, pool="tokens"), positions.reshape(120, 3))
    np.testing.assert_array_equal(read_embeddings(path, pool="last"), positions[:, -1])
    np.testing.assert_array_equal(read_embeddings(path, pool="max"), maps.max(axis=(2, 3)))


def test_means_of_half_precision_do_not_overflow(tmp_path: Path) -> None:
    found = read_embeddings(written("npy", tmp_path, np.full((2, 9, 3), 6e4, np.float16)), pool="mean")
    assert (found == np.float16(6e4)).all()


@pytest.mark.linux
@pytest.mark.parametrize("form", ["npy", "safetensors"])
def test_rows_of_a_mapped_file_are_read_without_the_rest(form: str, tmp_path: Path) -> None:
    """All other rows are a hole of the file, which is 1 GB long and takes no room."""
    path = written(form, tmp_path, X)
    if form == "npy":
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (2**26, 4)})
            file.truncate(file.tell() + 2**30)
    else:
        header = b'{"hidden":{"dtype":"F32","shape":[67108864,4],"data_offsets":[0,1073741824]}}'
        with path.open("wb") as file:
            file.write(len(header).to_bytes(8, "little") + header)
            file.truncate(file.tell() + 2**30)
    before = resident()
    assert read_embeddings(path, rows=slice(5, 2**26, 2**25)).shape == (2, 4)
    assert read_embeddings(path, max_samples=10).shape == (10, 4)
    assert resident() - before < 2**28  # a quarter of the file


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_mapped_array_serves_as_data(tmp_path: Path) -> None:
    mapped = read_embeddings(written("npy", tmp_path, X))
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    assert diffusion_spectral_entropy(mapped) == diffusion_spectral_entropy(X)


def test_order_of_fortran_is_kept(tmp_path: Path) -> None:
    for form in ("npy", "npz"):
        np.testing.assert_array_equal(read_embeddings(written(form, tmp_path, np.asfortranarray(X))), X)
    np.testing.assert_array_equal(read_embeddings(written("npy", tmp_path, X.astype(">f4"))), X)


def test_bfloat16_of_safetensors_is_widened(tmp_path: Path) -> None:
    bits = X.astype(ml_dtypes.bfloat16)
    path = written("safetensors", tmp_path, bits)
    found = read_embeddings(path)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, bits.astype(np.float32))
    np.testing.assert_array_equal(read_embeddings(path, rows=[3, 5]), bits[[3, 5]].astype(np.float32))
    infinite = bits.copy()
    infinite[4, 2] = np.inf
    with pytest.raises(ValueError, match="it has inf in row 4, column 2 in 'hidden'"):
        read_embeddings(written("safetensors", tmp_path, infinite))


def test_types_that_numpy_lacks_are_refused_by_name(tmp_path: Path) -> None:
    path = written("safetensors", tmp_path, X.astype(ml_dtypes.float8_e4m3fn))
    with pytest.raises(ValueError, match=r"numbers of dtype F8_E4M3, of which NumPy has none: save them as float32"):
        read_embeddings(path)
    np.save(tmp_path / "half.npy", X.astype(ml_dtypes.bfloat16))
    with pytest.raises(ValueError, match=r"half\.npy': .*NumPy saves bfloat16 so; save array\.astype\(np\.float32\)"):
        read_embeddings(tmp_path / "half.npy")


def test_the_standard_input_has_an_npy_file(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    np.save(stream, X)
    data = stream.getvalue()

    def read(given: bytes, **options: Any) -> np.ndarray:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        return read_embeddings("-", **options)

    np.testing.assert_array_equal(read(data), X)
    np.testing.assert_array_equal(read(data, rows=slice(2, 4)), X[2:4])
    for given, text in [
        (data[:-1], "the standard input: it is cut off"),
        (data + b"x", "more bytes than its header says"),
        (b"", "the standard input"),
        (b"1,2\n3,4\n", "the standard input"),
    ]:
        with pytest.raises(ValueError, match=text):
            read(given)


def test_archives_of_several_arrays_ask_for_a_key(tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", second=X, first=LAYERS, labels=np.arange(20))
    listed = r"'first' \(3, 20, 4\) float32, 'labels' \(20,\) int64, 'second' \(20, 4\) float32"
    with pytest.raises(ValueError, match=rf"^key must name one of its 3 arrays, {listed}, got None, in '.*two\.npz'"):
        read_embeddings(tmp_path / "two.npz")
    with pytest.raises(ValueError, match=rf"^key must name one of its arrays, {listed}, got 'third', in "):
        read_embeddings(tmp_path / "two.npz", key="third")
    np.testing.assert_array_equal(read_embeddings(tmp_path / "two.npz", key="second"), X)
    np.testing.assert_array_equal(read_embeddings(tmp_path / "two.npz", "first", 2), LAYERS[2])
    with pytest.raises(ValueError, match=r"^layer must be None for an array of shape \(20, 4\)"):
        read_embeddings(tmp_path / "two.npz", "second", 2)
    with pytest.raises(ValueError, match=r"^key must be one name for an archive, got \['first'\]"):
        read_embeddings(tmp_path / "two.npz", ["first"])
    np.savez(tmp_path / "many.npz", **{f"layer_{i}": X for i in range(30)})
    with pytest.raises(ValueError, match=r"'layer_19' \(20, 4\) float32 and 10 more, got None"):
        read_embeddings(tmp_path / "many.npz")


def test_a_layer_is_the_array_with_its_number(tmp_path: Path) -> None:
    arrays = {f"blocks.{number}.mlp2": number + X for number in (10, 1, 2)}
    safetensors.numpy.save_file(arrays, tmp_path / "a.safetensors")
    np.savez(tmp_path / "a.npz", **arrays)
    for path in tmp_path.iterdir():
        for number, name in [(1, 1), (2, 2), (10, 10), (-1, 10), (-3, 1)]:
            np.testing.assert_array_equal(read_embeddings(path, layer=number), arrays[f"blocks.{name}.mlp2"])
        for number in (0, 3, -4):
            with pytest.raises(ValueError, match=rf"numbers of its arrays, \[1, 2, 10\], got {number}, in '"):
                read_embeddings(path, layer=number)


@pytest.mark.parametrize("names", [["a", "b"], ["a1", "b2"], ["a1", "a1b1"], ["a1x1", "a2x2"], ["a01", "a1"]])
def test_names_that_do_not_differ_in_one_number_have_no_layers(names: list[str], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **dict.fromkeys(names, X))
    with pytest.raises(ValueError, match=r"(do not differ in one number|must be one of the numbers).*, in '"):
        read_embeddings(tmp_path / "a.npz", layer=1)


def test_groups_of_hdf5_are_paths(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["model/one"], file["model/two"], file["empty"] = X, 2 * X, h5py.Empty("f4")
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")
    np.testing.assert_array_equal(read_embeddings(tmp_path / "a.h5", key="model/two"), 2 * X)
    with pytest.raises(ValueError, match=r"key must name one of its arrays, 'model/one' .*, got 'elsewhere'"):
        read_embeddings(tmp_path / "a.h5", key="elsewhere")


TABLES = {
    "pandas": lambda path: pd.DataFrame(X, columns=COLUMNS).to_csv(path),
    "pandas_without_names": lambda path: pd.DataFrame(X).to_csv(path, index=False),
    "numpy": lambda path: np.savetxt(path, X, delimiter=","),
    "numpy_with_names": lambda path: np.savetxt(path, X, delimiter=",", header=",".join(COLUMNS), comments=""),
    "tabs": lambda path: np.savetxt(path, X, delimiter="\t"),
    "semicolons": lambda path: pd.DataFrame(X, columns=COLUMNS).to_csv(path, sep=";", index=False),
    "windows": lambda path: path.write_bytes(
        b"\xef\xbb\xbf" + pd.DataFrame(X, columns=COLUMNS).to_csv(index=False, lineterminator="\r\n").encode()
    ),
    "quoted": lambda path: pd.DataFrame(X, columns=["a,1", 'b"', "c", "d"]).to_csv(path, index=False, quoting=1),
}


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".CSV"])
def test_tables_of_text_have_a_row_a_line(form: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"layer{suffix}"
    TABLES[form](path)
    found = read_embeddings(path)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found.astype(np.float32), X)
    np.testing.assert_array_equal(read_embeddings(path, rows=[4], max_samples=1), found[4:5])


def test_the_index_of_pandas_is_no_column(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame(X, columns=COLUMNS, index=pd.Index(np.linspace(0, 1, 20), name="time")).to_parquet(path)
    np.testing.assert_array_equal(read_embeddings(path), X)
    np.testing.assert_array_equal(read_embeddings(path, key="time")[:, 0], np.linspace(0, 1, 20))


def test_columns_of_tables_are_chosen_by_name(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=COLUMNS).assign(label=list("uv") * 10, number=range(20))
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    np.testing.assert_array_equal(read_embeddings(tmp_path / "a.parquet"), X)
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read_embeddings(path, key=["c", "a"]).astype(np.float32), X[:, [2, 0]])
        np.testing.assert_array_equal(read_embeddings(path, key="number")[:, 0], np.arange(20))
        with pytest.raises(ValueError, match=r"key must name columns of it, .*'label'.*, got 'e', in '"):
            read_embeddings(path, key=["a", "e"])
    with pytest.raises(ValueError, match="'u' in line 2, column 'label', which is no number: key= names the columns"):
        read_embeddings(tmp_path / "a.csv")
    with pytest.raises(ValueError, match=r"^key must name columns of numbers, got 'label' of type (large_)?string"):
        read_embeddings(tmp_path / "a.parquet", key="label")
    with pytest.raises(ValueError, match=r"^layer must be None for a table, got 1"):
        read_embeddings(tmp_path / "a.csv", layer=1)
    np.savetxt(tmp_path / "b.csv", X, delimiter=",")
    with pytest.raises(ValueError, match=r"^key must be None for a table whose first line has no names, got 'a'"):
        read_embeddings(tmp_path / "b.csv", key="a")


def test_columns_of_lists(tmp_path: Path) -> None:
    lists, path = {f"layer_{i}": pa.array((i + X).tolist()) for i in (2, 10)}, tmp_path / "a.parquet"
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), 4)
    pq.write_table(pa.table({**lists, "text": ["x"] * 20}), path)
    with pytest.raises(ValueError, match=r"^key must name columns of it, 'layer_2' list<.*'text' string, got None"):
        read_embeddings(path)
    np.testing.assert_allclose(read_embeddings(path, layer=10), 10 + X, rtol=1e-6)
    np.testing.assert_allclose(read_embeddings(path, key="layer_2"), 2 + X, rtol=1e-6)
    with pytest.raises(ValueError, match=r"^key must be one name for a column of lists"):
        read_embeddings(path, key=["layer_2", "layer_10"])
    pq.write_table(pa.table({"fixed": fixed, "x": X[:, 0]}), path)
    np.testing.assert_array_equal(read_embeddings(path), X)
    pq.write_table(pa.table({"number": range(3), "text": list("abc")}), path)
    with pytest.raises(ValueError, match=r"^key must name columns of it, 'number' int64, 'text' string, got None"):
        read_embeddings(path)
    pq.write_table(pa.table({f"text{i}": ["a"] for i in range(30)}), path)
    with pytest.raises(ValueError, match="'text19' string and 10 more, got None"):
        read_embeddings(path)


@pytest.mark.parametrize(
    ("lists", "text"),
    [
        ([[1.0, 2.0], [3.0]], "its lists in column 'x' differ in length, from 1 to 2"),
        ([[1.0], None], "it has missing lists in column 'x'"),
        ([[1.0], [None]], "it has nan in row 1, column 0 in 'x'"),
        ([[], []], "it has no columns in 'x'"),
    ],
)
def test_lists_that_are_no_rows_are_refused(lists: Any, text: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": pa.array(lists, pa.list_(pa.float64()))}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=rf"a\.parquet': {text}"):
        read_embeddings(tmp_path / "a.parquet")
