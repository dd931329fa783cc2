"""Files that are no eigenvalue files: torn, damaged, foreign, or with other arrays."""

import io
import json
import os
import pickle

import numpy as np
import pytest
from dsentropy import adjacency_spectral_entropy, diffusion_spectral_entropy

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


def dse(*data, **arguments):
    return diffusion_spectral_entropy(*data, **arguments)


def ase(*data, **arguments):
    return adjacency_spectral_entropy(*data, **arguments)


def anisotropic(*data, **arguments):
    return adjacency_spectral_entropy(*data, anisotropic=True, **arguments)


def neighbors(*data, **arguments):
    return adjacency_spectral_entropy(*data, use_knn=True, **arguments)


every_spectrum = pytest.mark.parametrize("entropy", [dse, ase, anisotropic, neighbors])


def rewrite(path, **arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


def refused(path, *data, entropy=dse):
    with pytest.raises((ValueError, OSError)) as caught:
        entropy(*data or (None,), eigval_save_path=path)
    assert str(path) in str(caught.value)
    return caught.value


def test_torn_file_is_refused(X, path):
    """Cut at every length, for which a small file is enough."""
    dse(X[:8], eigval_save_path=path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert type(refused(path)) is ValueError
        assert path.read_bytes() == whole[:length]
    path.write_bytes(whole)
    assert dse(X[:8], eigval_save_path=path) == dse(None, eigval_save_path=path)


def damaged(path, whole, offset, mask):
    """Whether the file with one byte changed is refused; if it is read, the value must not have changed."""
    changed = bytearray(whole)
    changed[offset] ^= mask
    path.write_bytes(changed)
    try:
        return dse(None, eigval_save_path=path)
    except (ValueError, OSError) as error:
        return str(error)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("mask", [1, 0x20, 0x80, 0xFF])
def test_damaged_file_is_refused_or_read_right(save, mask, X, path):
    """One byte after the other is changed; no exception of zip or zlib comes through, and no other value."""
    with open(path, "wb") as file:
        save(file, eigvals=np.linspace(0.1, 1, 20), fingerprint=np.array("{}"))
    value = dse(None, eigval_save_path=path)
    whole = path.read_bytes()
    for offset in range(len(whole)):
        outcome = damaged(path, whole, offset, mask)
        assert outcome == value or str(path) in outcome, f"byte {offset}"


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


FOREIGN = {
    "nothing": b"",
    "text": b"3.0\n2.0\n",
    "npy": npy(np.ones(3)),
    "npy of objects": npy(np.array([None])),
    "pickle": pickle.dumps([1.0, 2.0]),
    "zeros": bytes(4096),
    "magic number alone": b"PK\x03\x04",
    "magic number of npy alone": b"\x93NUMPY",
    "JSON": b'{"eigvals": [1.0]}',
}


@every_spectrum
@pytest.mark.parametrize("case", FOREIGN)
def test_foreign_file_is_refused_and_left_alone(case, entropy, X, path):
    path.write_bytes(FOREIGN[case])
    assert type(refused(path, X, entropy=entropy)) is ValueError
    assert type(refused(path, entropy=entropy)) is ValueError
    assert path.read_bytes() == FOREIGN[case]


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harmful",)


ARRAYS = {
    "other name": {"eigenvalues": np.ones(3)},
    "no arrays": {},
    "two dimensions": {"eigvals": np.ones((3, 3))},
    "one column": {"eigvals": np.ones((3, 1))},
    "no dimension": {"eigvals": np.float64(1)},
    "empty": {"eigvals": np.ones(0)},
    "text": {"eigvals": np.array(["1", "2"])},
    "bools": {"eigvals": np.array([True, False])},
    "objects": {"eigvals": np.array([1.0, Harmful()], dtype=object)},
    "structured": {"eigvals": np.zeros(3, dtype=[("x", float)])},
    "NaN": {"eigvals": np.array([1.0, np.nan])},
    "infinity": {"eigvals": np.array([1.0, np.inf], dtype=np.float16)},
    "complex NaN": {"eigvals": np.array([1, complex(0, np.nan)])},
    "all zero": {"eigvals": np.zeros(3)},
    "fingerprint is no JSON": {"eigvals": np.ones(3), "fingerprint": np.array("{")},
    "fingerprint is a number": {"eigvals": np.ones(3), "fingerprint": np.array(3.5)},
    "fingerprint is a list": {"eigvals": np.ones(3), "fingerprint": np.array("[1]")},
    "fingerprint is an object": {"eigvals": np.ones(3), "fingerprint": np.array(Harmful(), dtype=object)},
}


@pytest.mark.parametrize("case", ARRAYS)
def test_arrays_that_are_no_eigenvalues_are_refused(case, X, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    rewrite(path, **ARRAYS[case])
    assert type(refused(path)) is ValueError
    assert type(refused(path, X)) is ValueError
    assert names_in(path.parent) == [path.name]  # nothing was unpickled


def test_long_doubles_beyond_the_range_of_doubles_are_refused(path):
    rewrite(path, eigvals=np.array([1, np.finfo(np.longdouble).max]))
    if np.finfo(np.longdouble).max > np.finfo(float).max:
        assert type(refused(path)) is ValueError


def test_integers_and_signs_are_read(path):
    rewrite(path, eigvals=np.array([-2, 2, 2, -2]))
    assert dse(None, eigval_save_path=path) == pytest.approx(2, abs=1e-14)


def test_other_arrays_beside_the_eigenvalues_are_ignored(X, path):
    rewrite(path, eigvals=np.ones(4), comment=np.array("made by hand"))
    assert dse(X, eigval_save_path=path) == pytest.approx(2, abs=1e-14)


def test_fingerprint_of_another_version_is_refused_with_data_and_read_without(X, path):
    fingerprint = np.array(json.dumps({"data": "abc", "alpha": 0.5}))
    rewrite(path, eigvals=np.ones(4), fingerprint=fingerprint)
    assert dse(None, eigval_save_path=path) == pytest.approx(2, abs=1e-14)
    assert "alpha is 0.5 there and None here" in str(refused(path, X))


def test_directory_is_refused(X, tmp_path):
    assert isinstance(refused(tmp_path, X), OSError)
    assert isinstance(refused(tmp_path), OSError)


@pytest.mark.linux
def test_link_that_leads_nowhere_is_no_file(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ValueError, match="embedding_vectors"):
        dse(None, eigval_save_path=loop)


def test_file_in_place_of_a_folder(X, path):
    path.write_bytes(b"")
    with pytest.raises(OSError, match=str(path.name)):
        dse(X, eigval_save_path=path / "eigenvalues")
    assert names_in(path.parent) == [path.name]


@pytest.mark.parametrize("flag", ["classic_shannon_entropy", "matrix_entry_entropy"])
def test_measures_of_no_spectrum_ignore_the_file(flag, X, path):
    value = dse(X, **{flag: True})
    assert dse(X, eigval_save_path=path, **{flag: True}) == value
    assert not path.exists()
    path.write_bytes(b"not an eigenvalue file")
    assert dse(X, eigval_save_path=path, **{flag: True}) == value
    assert path.read_bytes() == b"not an eigenvalue file"
