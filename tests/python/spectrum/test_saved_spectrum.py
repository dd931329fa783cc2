"""A saved spectrum: everything comes back, and other data or other files are refused."""

import json
import os
import random

import numpy as np
import pytest
from dsentropy import Spectrum, covariance_spectrum, diffusion_spectral_entropy, diffusion_spectrum, kernel_spectrum

X = np.random.default_rng(0).normal(size=(80, 4))


def same(one, other):
    assert np.array_equal(one.eigenvalues, other.eigenvalues)
    assert (one.n_samples, one.fingerprint) == (other.n_samples, other.fingerprint)
    assert one.parameters.keys() == other.parameters.keys()
    for name, value in one.parameters.items():
        assert np.array_equal(value, other.parameters[name])


@pytest.mark.parametrize("arguments", [{}, {"bandwidth": "knn"}, {"max_samples": 40}, {"metric": "cosine"}], ids=str)
def test_a_file_brings_everything_back(tmp_path, arguments):
    spectrum = diffusion_spectrum(X, **arguments)
    spectrum.save(tmp_path / "folder" / "spectrum")
    assert os.listdir(tmp_path / "folder") == ["spectrum"]
    same(spectrum, Spectrum.load(tmp_path / "folder" / "spectrum", X=X))
    same(spectrum, Spectrum.load(os.fsencode(tmp_path / "folder" / "spectrum"), X=X.tolist()))


def test_kernels_and_covariances_have_files_too(tmp_path):
    K = X @ X.T
    kernel_spectrum(K).save(tmp_path / "kernel")
    covariance_spectrum(X).save(tmp_path / "covariance")
    same(kernel_spectrum(K), Spectrum.load(tmp_path / "kernel", X=K))
    same(covariance_spectrum(X), Spectrum.load(tmp_path / "covariance", X=X))


def test_a_file_of_other_data_is_refused(tmp_path):
    diffusion_spectrum(X).save(tmp_path / "spectrum")
    with pytest.raises(ValueError, match="was made from other data"):
        Spectrum.load(tmp_path / "spectrum", X=X + 1)
    Spectrum([1.0, 0.5]).save(tmp_path / "unknown")
    with pytest.raises(ValueError, match="was made from other data"):
        Spectrum.load(tmp_path / "unknown", X=X)


def test_a_torn_or_foreign_file_is_refused(tmp_path):
    path = tmp_path / "spectrum"
    diffusion_spectrum(X).save(path)
    whole = path.read_bytes()
    for length in [0, 1, 100, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is not a whole file of a Spectrum"):
            Spectrum.load(path)
    with pytest.raises(FileNotFoundError):
        Spectrum.load(tmp_path / "none")
    diffusion_spectral_entropy(X, eigval_save_path=tmp_path / "eigenvalues")
    with pytest.raises(ValueError, match="is not a whole file of a Spectrum"):
        Spectrum.load(tmp_path / "eigenvalues")
    about = {"format": 99}
    with open(tmp_path / "later", "wb") as file:
        np.savez(file, eigenvalues=np.ones(2), about=np.array(json.dumps(about)))
    with pytest.raises(ValueError, match="format is 99"):
        Spectrum.load(tmp_path / "later")


def test_a_failed_write_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "spectrum"
    first = diffusion_spectrum(X)
    first.save(path)

    def fails(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fails)
    with pytest.raises(OSError, match="disk full"):
        diffusion_spectrum(2 * X, bandwidth=1.0).save(path)
    assert os.listdir(tmp_path) == ["spectrum"]
    same(first, Spectrum.load(path))


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_bad_path_is_named(path):
    for use in [Spectrum([1.0, 0.5]).save, Spectrum.load]:
        with pytest.raises(ValueError, match=r"^path must"):
            use(path)
    with pytest.raises(TypeError, match=r"^path must"):
        Spectrum.load(3)


def test_parameters_are_what_a_file_can_hold(tmp_path):
    given = {"a": np.int64(3), "b": [1.0, 2.0], "c": None, "d": np.float32(0.5), "e": np.arange(3)}
    spectrum = Spectrum([1.0, 0.5], parameters=given)
    given["b"].append(3.0)
    assert spectrum.parameters["b"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        spectrum.eigenvalues.setflags(write=True)
    spectrum.save(tmp_path / "spectrum")
    same(spectrum, Spectrum.load(tmp_path / "spectrum"))
    for bad in [{"a": {}}, {"a": np.array(["x"])}, {"a": np.array([])}, 5]:
        with pytest.raises(TypeError, match=r"^parameters must"):
            Spectrum([1.0], parameters=bad)


@pytest.mark.changes_process  # Python's global generator, when the rows are drawn
def test_rows_that_were_drawn_without_a_seed_cannot_be_checked(tmp_path):
    diffusion_spectrum(X, max_samples=50, random_state=None).save(tmp_path / "spectrum")
    state = random.getstate()
    with pytest.raises(ValueError, match="X cannot be checked"):
        Spectrum.load(tmp_path / "spectrum", X=X)
    assert random.getstate() == state
