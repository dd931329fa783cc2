"""A path, or an opened file, in place of an array: the error of every public function names the reader."""

from __future__ import annotations

import inspect
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dsentropy
import h5py
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from dsentropy import Spectrum, plotting
from dsentropy._checks.containers import SUFFIXES
from dsentropy.io.files import READERS
from dsentropy.monitor import Monitor

X = np.random.default_rng(0).normal(size=(12, 3))
VALID: dict[str, Any] = {
    "X": X,
    "A": X,
    "B": X,
    "K": np.eye(12),
    "layers": {"a": X},
    "embedding_vectors": X,
    "reference_vectors": [0, 1] * 6,
    "target": [0, 1] * 6,
    "given": [0, 1] * 6,
    "bandwidths": [1.0],
    "n_neighbors": 3,
    "n_samples": 6,
}
DATA = {"X", "A", "B", "K", "layers", "embedding_vectors", "reference_vectors", "target", "given", "weights"}
FUNCTIONS = [function for name in dsentropy.__all__ if inspect.isfunction(function := getattr(dsentropy, name))]
LAYERS = [("layer_entropies", "layers"), ("suggest_bandwidth", "X")]
PLACES = [
    (function, name) for function in FUNCTIONS for name in inspect.signature(function).parameters if name in DATA
]
places = pytest.mark.parametrize(("function", "name"), PLACES, ids=lambda value: getattr(value, "__name__", value))


def arguments(function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments that a call needs."""
    parameters = inspect.signature(function).parameters.values()
    needed = [one.name for one in parameters if one.default is one.empty or one.name in ("target", "B")]
    return {name: VALID[name] for name in needed}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Files of two arrays, opened by each package."""
    folder = tmp_path_factory.mktemp("opened")
    np.savez(folder / "a.npz", first=X, second=X)
    safetensors.numpy.save_file({"first": X, "second": X}, folder / "a.safetensors")
    with h5py.File(folder / "a.h5", "w") as file:
        file["group/first"], file["group/second"] = X, X
    with (
        np.load(folder / "a.npz") as npz,
        zipfile.ZipFile(folder / "a.npz") as zipped,
        h5py.File(folder / "a.h5") as hdf5,
        safetensors.safe_open(folder / "a.safetensors", "numpy") as tensors,
    ):
        yield {"npz": npz, "zip": zipped, "hdf5": hdf5, "group": hdf5["group"], "safetensors": tensors}


@places
@pytest.mark.parametrize("value", ["layers/a.npy", Path("layers") / "a.safetensors", b"a.pt"], ids=type)
def test_paths(function: Callable[..., Any], name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"^(B|{name}) must .*dsentropy\.io\.read_(embeddings|labels)"):
        function(**{**arguments(function), name: value})


@places
def test_lists_of_paths(function: Callable[..., Any], name: str) -> None:
    with pytest.raises(TypeError, match=rf"^(B|{name}) must .*dsentropy\.io\.read_(embeddings|labels)"):
        function(**{**arguments(function), name: [Path("a.npy"), Path("b.npy")]})
    if name not in ("target", "given"):
        with pytest.raises(TypeError, match=rf"^(B|{name}) must .*dsentropy\.io\.read_embeddings"):
            function(**{**arguments(function), name: ("a.NPY", "b.h5")})


def test_labels_may_end_as_names_of_files() -> None:
    assert dsentropy.mutual_information(X, ["a.npy", "b.npy"] * 6, n_repeats=2).ceiling == 1


def test_suffixes_are_those_of_the_readers() -> None:
    assert tuple(READERS) == SUFFIXES


@places
@pytest.mark.parametrize("kind", ["npz", "zip", "hdf5", "group", "safetensors"])
def test_opened_files(function: Callable[..., Any], name: str, kind: str, opened: dict[str, Any]) -> None:
    """An opened file is a mapping of names to arrays, which functions of layers take as it is."""
    given = {**arguments(function), name: opened[kind]}
    if kind in ("npz", "group") and (function.__name__, name) in LAYERS:
        assert function(**given) is not None
        return
    with pytest.raises(TypeError, match=r"dsentropy\.io\.read_(embeddings|labels)"):
        function(**given)


@pytest.mark.parametrize("kind", ["npz", "zip", "hdf5", "group", "safetensors"])
def test_opened_files_elsewhere(kind: str, opened: dict[str, Any]) -> None:
    value = opened[kind]
    calls: dict[str, Callable[[], Any]] = {
        "eigenvalues": lambda: Spectrum(value),
        "labels": lambda: Monitor(labels=value),
        "inputs": lambda: Monitor(inputs=value),
        "values": lambda: plotting.layers(value, ["a"], [1]),
    }
    for argument, call in calls.items():
        with pytest.raises(TypeError, match=rf"^{argument} must be an array, got an opened archive of .*read_"):
            call()


@pytest.mark.parametrize("layers", ["a.npy", Path("a.npy")])
def test_paths_in_place_of_layers_of_a_monitor(layers: Any) -> None:
    with Monitor() as monitor, pytest.raises(TypeError, match=r"^layers must .*: dsentropy\.io\.read_embeddings"):
        monitor.observe(0, layers)


def test_a_path_of_one_layer_is_a_record_with_the_reason() -> None:
    with Monitor(num_threads=1) as monitor:
        record = monitor.observe(0, {"a": "a.npy"})[0]
    assert "dsentropy.io.read_embeddings('a.npy') reads an array" in record["reason"]


def test_an_archive_that_is_closed_has_no_names(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = X
    with pytest.raises(TypeError, match=r"^X must be an array, got an opened archive without entries"):
        dsentropy.diffusion_spectrum(file)
