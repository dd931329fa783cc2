"""Files of spectra: what earlier versions wrote, kinds, and what is refused.

Files in `data/` were written by version 0.1.0, format 1 without a kind:
`diffusion_spectrum(X[:40], bandwidth="knn", n_neighbors=5, alpha=0.5)` and
`diffusion_spectrum(X, bandwidth=0.5, solver="stochastic", tol=0.03, max_products=200)`, with X of `rows` below.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from dsentropy import EstimatedSpectrum, Spectrum
from dsentropy.io import spectrum_file
from dsentropy.io.spectrum_file import SpectrumRecord

DATA = Path(__file__).parent / "data"


def rows(n):
    return np.random.default_rng(0).normal(size=(n, 3))


def exactly(values):
    return [[float.fromhex(value) for value in row] for row in values]


def test_an_exact_spectrum_of_version_0_1_0_is_read():
    spectrum = Spectrum.load(DATA / "spectrum-format-1.npz", X=rows(40))
    assert type(spectrum) is Spectrum
    assert (len(spectrum), spectrum.n_samples) == (40, 40)
    assert spectrum.entropy([1, 2.5], [1, 2]).tolist() == exactly(
        [["0x1.bc3c6e92ac025p+1", "0x1.6b5b4404b4ab9p+1"], ["0x1.9711580b1754bp+0", "0x1.118eba9647fadp+0"]]
    )
    plain = {"operator": "diffusion", "rule": "knn", "n_neighbors": 5, "metric": "euclidean", "alpha": 0.5}
    assert {name: spectrum.parameters[name] for name in plain} == plain
    assert spectrum.parameters["bandwidth"].shape == (40,)
    assert spectrum.fingerprint == "434a5455c911a270a89ed01abea5e675940b01bc44dd47a3b90f43a05c0934a1"


def test_an_estimate_of_version_0_1_0_is_read():
    spectrum = Spectrum.load(DATA / "estimate-format-1.npz", X=rows(1000))
    assert type(spectrum) is EstimatedSpectrum
    assert (len(spectrum), spectrum.n_samples) == (1000, 1000)
    assert spectrum.entropy([1, 2.5], [1, 2]).tolist() == exactly(
        [["0x1.e24a18df2a682p+2", "0x1.c2c1591718e47p+2"], ["0x1.818e08c7c2a46p+2", "0x1.5c28257b6e9a8p+2"]]
    )
    errors, (lower, upper) = spectrum.standard_error([1, 2.5], [1, 2]), spectrum.bounds()
    assert errors[0, 0] == float.fromhex("0x1.782208c56fef0p-8")
    assert (lower, upper) == (float.fromhex("0x1.e01e856bb33fep+2"), float.fromhex("0x1.e475ac52a1905p+2"))
    assert spectrum.parameters["products"] == 216


def test_the_solver_of_a_file_from_before_there_was_a_requested_one(tmp_path):
    path = str(tmp_path / "file")
    before = {"solver": "exact, which costs less", "alpha": 0.5}
    spectrum_file.write(path, SpectrumRecord("exact", {"eigenvalues": np.ones(3)}, 3, before, None), "0.1.0")
    expected = {"solver": "exact", "requested_solver": "stochastic", "alpha": 0.5}
    assert dict(Spectrum.load(path).parameters) == expected


@pytest.mark.parametrize("name", ["spectrum-format-1.npz", "estimate-format-1.npz"])
def test_a_spectrum_that_was_read_is_written_with_equal_arrays(name, tmp_path):
    Spectrum.load(DATA / name).save(tmp_path / "again.npz")
    with np.load(DATA / name) as before, np.load(tmp_path / "again.npz") as after:
        # Estimates of this version have two more rules, and the numbers of steps in place of degrees.
        assert set(before.files) == set(after.files) - {"steps", "checksum"}
        for array in set(before.files) - {"about", "about_estimate"}:
            again = after[array][..., : before[array].shape[-2], :] if before[array].ndim > 1 else after[array]
            assert np.array_equal(before[array], again)
        about, again = (json.loads(str(file["about"])) for file in (before, after))
    kind = again.pop("kind")
    assert kind == ("exact" if name.startswith("spectrum") else "estimate")
    assert again == about


def test_a_record_comes_back(tmp_path):
    record = SpectrumRecord("exact", {"eigenvalues": np.ones(3)}, 5, {"a": 1, "b": np.arange(2)}, "abc")
    spectrum_file.write(str(tmp_path / "file"), record, "9.9")
    found = spectrum_file.read(str(tmp_path / "file"))
    assert (found.kind, found.n_samples, found.fingerprint) == ("exact", 5, "abc")
    assert found.state.keys() == {"eigenvalues"}
    assert found.parameters["a"] == 1
    assert found.parameters["b"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("kind", "state"), [("of tomorrow", {"eigenvalues": np.ones(3)}), ("exact", {"eigenvalues": np.zeros(3)})]
)
def test_a_kind_or_a_state_that_cannot_be_is_refused(kind, state, tmp_path):
    path = tmp_path / "file"
    spectrum_file.write(str(path), SpectrumRecord(kind, state, 3, {}, None), "9.9")
    with pytest.raises(ValueError, match=r"path: .*file' is not a whole file of a Spectrum"):
        Spectrum.load(path)


def test_a_class_of_spectra_is_found_by_its_kind(tmp_path, monkeypatch):
    monkeypatch.setattr(Spectrum, "_kinds", dict(Spectrum._kinds))

    class Halved(Spectrum, kind="halved"):
        __slots__ = ()

    class Unnamed(Spectrum):
        __slots__ = ()

    Halved([1.0, 0.5]).save(tmp_path / "halved")
    Unnamed([1.0, 0.5]).save(tmp_path / "unnamed")
    assert type(Spectrum.load(tmp_path / "halved")) is Halved
    assert type(Spectrum.load(tmp_path / "unnamed")) is Spectrum
