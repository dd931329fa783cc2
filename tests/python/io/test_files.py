"""Eigenvalue files: what is in them, who can read them, and what is refused."""

import errno
import io
import json
import os
import pickle
import stat
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
from dsentropy import adjacency_spectral_entropy, diffusion_spectral_entropy

REFERENCE_ROUNDING = 1e-3
"""Bits between ours and the reference's call that computes in float16."""


def dse(*data, **arguments):
    return diffusion_spectral_entropy(*data, **arguments)


def ase(*data, **arguments):
    return adjacency_spectral_entropy(*data, **arguments)


def anisotropic(*data, **arguments):
    return adjacency_spectral_entropy(*data, anisotropic=True, **arguments)


def neighbors(*data, **arguments):
    return adjacency_spectral_entropy(*data, use_knn=True, **arguments)


SPECTRA = [dse, ase, anisotropic, neighbors]
every_spectrum = pytest.mark.parametrize("entropy", SPECTRA)
precisions = pytest.mark.parametrize("precision", [np.float16, np.float32, np.float64, np.longdouble, ">f4", "half"])


@pytest.fixture(scope="module", name="X")
def data():
    return np.random.default_rng(0).normal(scale=4, size=(120, 3))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "eigenvalues"


@pytest.fixture(scope="module")
def reference():
    with warnings.catch_warnings():
        import dse_dsmi
    return dse_dsmi


def stored(path):
    with np.load(path) as file:
        return file["eigvals"]


def rewrite(path, **arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


# ---- values


@every_spectrum
@precisions
def test_call_that_reads_equals_call_that_wrote(entropy, precision, X, path):
    written = entropy(X, eigval_save_path=path, eigval_save_precision=precision)
    assert stored(path).dtype == np.dtype(precision)
    assert stored(path).shape == (len(X),)
    assert entropy(X, eigval_save_path=path) == written
    assert entropy(None, eigval_save_path=path) == written


@every_spectrum
@pytest.mark.parametrize("precision", [np.float64, np.longdouble])
def test_file_of_full_precision_changes_no_bit(entropy, precision, X, path):
    """Up to the factor of the affinity of the paper, which the file has and which cancels."""
    tolerance = 1e-14 * np.log2(len(X)) if entropy is ase else 0
    exact = entropy(X)
    assert abs(entropy(X, eigval_save_path=path, eigval_save_precision=precision) - exact) <= tolerance


@every_spectrum
def test_half_precision_is_the_default_and_close_to_exact(entropy, X, path):
    value = entropy(X, eigval_save_path=path)
    assert stored(path).dtype == np.float16
    assert value == pytest.approx(entropy(X), abs=REFERENCE_ROUNDING)


@pytest.mark.parametrize("t", [0, 0.5, 2, 50])
def test_one_file_serves_every_diffusion_time(t, X, path):
    dse(X, eigval_save_path=path, eigval_save_precision=np.float64)
    written = path.read_bytes()
    assert dse(X, t=t, eigval_save_path=path) == dse(X, t=t)
    assert path.read_bytes() == written


@pytest.mark.parametrize("sigma", [1e-3, 1e6])
@pytest.mark.parametrize("precision", [np.float16, np.float32])
def test_affinities_beyond_the_range_of_half_precision(sigma, precision, X, path):
    """The affinity's factor 1 / (sigma sqrt(2 pi)) makes its eigenvalues overflow, or vanish."""
    value = ase(X, sigma, eigval_save_path=path, eigval_save_precision=precision)
    assert value == pytest.approx(ase(X, sigma), abs=REFERENCE_ROUNDING)
    assert np.isfinite(stored(path)).all()
    assert ase(None, sigma, eigval_save_path=path) == value


def test_affinities_keep_the_factor_of_the_reference(X, path):
    ase(X, 2.0, eigval_save_path=path, eigval_save_precision=np.float64)
    affinity = np.exp(-((X[:, None] - X) ** 2).sum(axis=2) / 8) / (2 * np.sqrt(2 * np.pi))
    assert np.sort(stored(path)) == pytest.approx(np.linalg.eigvalsh(affinity), abs=1e-12)


@pytest.mark.parametrize("knn", [3, 8, 10])
def test_graphs_are_stored_as_moduli(knn, X, path):
    """A graph that is not symmetric has complex eigenvalues; their real parts would be another spectrum."""
    value = neighbors(X, knn=knn, eigval_save_path=path, eigval_save_precision=np.float64)
    assert value == neighbors(X, knn=knn)
    moduli = stored(path)
    assert moduli.dtype == np.float64
    assert moduli.min() >= 0
    probabilities = moduli / moduli.sum() + np.finfo(float).eps
    assert value == pytest.approx(-(probabilities * np.log2(probabilities)).sum(), abs=1e-12)


# ---- together with the reference


@pytest.mark.parametrize("precision", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("entropy", [dse, ase, anisotropic])
def test_reference_reads_ours(entropy, precision, X, path, reference):
    written = entropy(X, eigval_save_path=path, eigval_save_precision=precision)
    arguments = {"eigval_save_path": str(path)}
    function = reference.diffusion_spectral_entropy if entropy is dse else reference.adjacency_spectral_entropy
    assert function(X, **arguments) == pytest.approx(written, abs=1e-12)
    assert function(None, **arguments) == pytest.approx(written, abs=1e-12)


def test_reference_reads_our_graphs(X, path, reference):
    written = neighbors(X, eigval_save_path=path, eigval_save_precision=np.float64)
    theirs = reference.adjacency_spectral_entropy(X, use_knn=True, eigval_save_path=str(path))
    assert theirs == pytest.approx(written, abs=1e-12)


@pytest.mark.parametrize("precision", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("entropy", [dse, ase, anisotropic])
def test_we_read_the_reference(entropy, precision, X, path, reference):
    """It has no fingerprint, so it is trusted."""
    function = reference.diffusion_spectral_entropy if entropy is dse else reference.adjacency_spectral_entropy
    arguments = {"anisotropic": True} if entropy is anisotropic else {}
    written = function(X, eigval_save_path=str(path), eigval_save_precision=precision, **arguments)
    theirs = function(X, eigval_save_path=str(path))
    before = path.read_bytes()
    assert entropy(X, eigval_save_path=path) == pytest.approx(theirs, abs=1e-12)
    assert entropy(None, eigval_save_path=path) == pytest.approx(theirs, abs=1e-12)
    assert entropy(X, eigval_save_path=path) == pytest.approx(float(written), abs=REFERENCE_ROUNDING)
    assert entropy(X + 1, 3.0, eigval_save_path=path) == entropy(X, eigval_save_path=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("entropy", [dse, ase, anisotropic])
def test_writing_calls_of_both_agree(entropy, X, tmp_path, reference):
    function = reference.diffusion_spectral_entropy if entropy is dse else reference.adjacency_spectral_entropy
    arguments = {"anisotropic": True} if entropy is anisotropic else {}
    theirs = function(X, eigval_save_path=str(tmp_path / "theirs"), **arguments)
    ours = entropy(X, eigval_save_path=tmp_path / "ours")
    assert ours == pytest.approx(float(theirs), abs=REFERENCE_ROUNDING)


def test_complex_eigenvalues_count_by_their_moduli(path):
    eigenvalues = np.array([1, 1j, -1, (1 - 1j) / np.sqrt(2)])
    rewrite(path, eigvals=eigenvalues)
    assert neighbors(None, eigval_save_path=path) == pytest.approx(2, abs=1e-14)


def test_entropies_share_files(X, path):
    """K is the operator of both."""
    value = dse(X, eigval_save_path=path)
    assert anisotropic(X, eigval_save_path=path) == value
    path.unlink()
    assert anisotropic(X, eigval_save_path=path) == value
    assert dse(X, eigval_save_path=path) == value


# ---- names


@pytest.mark.parametrize(
    "name", ["eigenvalues", "eigenvalues.npz", "e.npy", ".hidden", "with space", "λ.npz", "-x", "~"]
)
def test_name_is_used_as_it_is(name, X, tmp_path):
    value = dse(X, eigval_save_path=tmp_path / name)
    assert names_in(tmp_path) == [name]
    assert dse(None, eigval_save_path=tmp_path / name) == value


@pytest.mark.parametrize("name", ["eigenvalues", "./eigenvalues", "folder/eigenvalues", "a/b/../eigenvalues"])
def test_relative_names(name, X, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value = dse(X, eigval_save_path=name)
    assert Path(name).is_file()
    assert dse(None, eigval_save_path=name) == value


def test_missing_folders_are_made(X, tmp_path):
    dse(X, eigval_save_path=tmp_path / "a" / "b" / "c")
    assert names_in(tmp_path / "a" / "b") == ["c"]


class PathLike:
    def __init__(self, name):
        self.name = name

    def __fspath__(self):
        return self.name


@pytest.mark.parametrize("kind", [str, os.fsencode, Path, PathLike], ids=["str", "bytes", "Path", "PathLike"])
def test_kinds_of_paths(kind, X, path):
    value = dse(X, eigval_save_path=kind(str(path)))
    assert path.is_file()
    assert dse(None, eigval_save_path=kind(str(path))) == value


@pytest.mark.linux
@pytest.mark.parametrize("verbose", [False, True])
def test_name_that_is_no_text(verbose, tmp_path, run_python):
    program = """
        import os, sys
        import numpy as np
        from dsentropy import diffusion_spectral_entropy
        path = os.fsencode(sys.argv[1]) + b"/\\xff\\xfe"
        arguments = {"eigval_save_path": path, "verbose": sys.argv[2] == "True"}
        value = diffusion_spectral_entropy(np.eye(4), **arguments)
        assert os.listdir(os.fsencode(sys.argv[1])) == [b"\\xff\\xfe"]
        assert diffusion_spectral_entropy(None, **arguments) == value
    """
    run_python(program, tmp_path, verbose, PYTHONIOENCODING="utf-8")


@pytest.mark.linux
@pytest.mark.parametrize("length", [200, 232, 233, 250, 255])
def test_names_as_long_as_the_system_allows(length, X, tmp_path):
    name = "n" * length
    value = dse(X, eigval_save_path=tmp_path / name)
    assert names_in(tmp_path) == [name]
    assert dse(None, eigval_save_path=tmp_path / name) == value


@pytest.mark.linux
def test_name_that_is_a_link(X, tmp_path):
    """The file is where the link points, as with any program that writes."""
    (tmp_path / "target").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target", target_is_directory=True)
    value = dse(X, eigval_save_path=link / "eigenvalues")
    assert names_in(tmp_path / "target") == ["eigenvalues"]
    file_link = tmp_path / "file_link"
    file_link.symlink_to(tmp_path / "target" / "eigenvalues")
    assert dse(None, eigval_save_path=file_link) == value


# ---- fingerprints


def different_data(X):
    changed = X.copy()
    changed[-1, -1] = np.nextafter(changed[-1, -1], np.inf)
    return changed


MISMATCHES = {
    "data": (dse, {}, dse, {}, different_data),
    "order of the rows": (dse, {}, dse, {}, lambda X: X[::-1]),
    "shape": (dse, {}, dse, {}, lambda X: X.reshape(-1, 2)),
    "rows": (dse, {}, dse, {}, lambda X: X[:-1]),
    "gaussian_kernel_sigma": (dse, {}, dse, {"gaussian_kernel_sigma": 10.000001}, None),
    "gaussian_kernel_sigma of ASE": (ase, {}, ase, {"gaussian_kernel_sigma": 11}, None),
    "operator": (dse, {}, ase, {}, None),
    "operator of a graph": (neighbors, {}, dse, {}, None),
    "operator and knn": (dse, {}, neighbors, {}, None),
    "knn": (neighbors, {}, neighbors, {"knn": 9}, None),
    "max_N": (dse, {"max_N": 50}, dse, {"max_N": 60}, None),
    "max_N, no limit": (dse, {"max_N": 50}, dse, {"max_N": None}, None),
    "random_seed": (dse, {"max_N": 50}, dse, {"max_N": 50, "random_seed": 1}, None),
    "random_seed of ASE": (ase, {"max_N": 50}, ase, {"max_N": 50, "random_seed": None}, None),
}


@pytest.mark.parametrize("case", MISMATCHES)
def test_file_of_something_else_is_refused_by_name(case, X, path):
    write, how, read, how_else, change = MISMATCHES[case]
    write(X, eigval_save_path=path, **how)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="eigval_save_path") as caught:
        read(X if change is None else change(X), eigval_save_path=path, **how_else)
    text = str(caught.value)
    assert str(path) in text
    what = {"order of the rows": "data", "shape": "data", "rows": "data"}.get(case, case.split(",")[0].split(" ")[0])
    assert f"{what} is " in text
    assert path.read_bytes() == before


def test_text_of_a_mismatch_has_both_values(X, path):
    dse(X, gaussian_kernel_sigma=7, eigval_save_path=path)
    with pytest.raises(ValueError, match=r"gaussian_kernel_sigma is 7\.0 there and 8\.0 here"):
        dse(X, gaussian_kernel_sigma=8, eigval_save_path=path)


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_N": 120},
        {"max_N": None},
        {"max_N": 10**9},
        {"random_seed": 5},
        {"random_seed": None},
        {"t": 3},
        {"eigval_save_precision": float},
        {"num_threads": 1},
        {"gaussian_kernel_sigma": np.float32(10)},
        {"verbose": True},
    ],
    ids=str,
)
def test_parameters_that_do_not_shape_the_spectrum_do_not_matter(arguments, X, path):
    """No rows are drawn at all where all of them fit."""
    dse(X, eigval_save_path=path)
    dse(X, eigval_save_path=path, **arguments)


def test_bandwidth_does_not_matter_to_graphs(X, path):
    assert neighbors(X, 3, eigval_save_path=path) == neighbors(X, 4, eigval_save_path=path)


def test_subset_is_fingerprinted_with_all_data(X, path):
    value = dse(X, max_N=50, random_seed=3, eigval_save_path=path)
    assert dse(X, max_N=50, random_seed=3, eigval_save_path=path) == value
    with pytest.raises(ValueError, match="data is"):
        dse(different_data(X), max_N=50, random_seed=3, eigval_save_path=path)


SAME_DATA = {
    "list": lambda X: X.tolist(),
    "Fortran order": np.asfortranarray,
    "view": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "negative strides": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "other byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "read only": lambda X: np.broadcast_to(X, X.shape),
    "float16": lambda X: X.astype(np.float16),
    "float32": lambda X: X.astype(np.float32),
    "int8": lambda X: X.astype(np.int8),
    "int64": lambda X: X.astype(np.int64),
    "long double": lambda X: X.astype(np.longdouble),
    "negative zeros": lambda X: np.where(X == 0, -0.0, X),
}


@pytest.mark.parametrize("case", SAME_DATA)
@pytest.mark.parametrize("reverse", [False, True])
def test_equal_values_in_another_form_are_the_same_data(case, reverse, path):
    X = np.random.default_rng(1).integers(-9, 9, size=(40, 4)).astype(float)
    other = SAME_DATA[case](X)
    first, second = (other, X) if reverse else (X, other)
    assert dse(first, eigval_save_path=path) == dse(second, eigval_save_path=path)


def test_file_holds_what_it_was_made_from(X, path):
    dse(X, gaussian_kernel_sigma=3, max_N=50, random_seed=7, eigval_save_path=path)
    with np.load(path) as file:
        assert file.files == ["eigvals", "fingerprint"]
        fingerprint = json.loads(str(file["fingerprint"]))
    digest = fingerprint.pop("data")
    assert len(bytes.fromhex(digest)) == 32
    assert fingerprint == {"operator": "diffusion", "gaussian_kernel_sigma": 3.0, "max_N": 50, "random_seed": 7}


# ---- files that are none


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


# ---- measures without a file


@pytest.mark.parametrize("flag", ["classic_shannon_entropy", "matrix_entry_entropy"])
def test_measures_of_no_spectrum_ignore_the_file(flag, X, path):
    value = dse(X, **{flag: True})
    assert dse(X, eigval_save_path=path, **{flag: True}) == value
    assert not path.exists()
    path.write_bytes(b"not an eigenvalue file")
    assert dse(X, eigval_save_path=path, **{flag: True}) == value
    assert path.read_bytes() == b"not an eigenvalue file"


# ---- writing


def fail(*arguments, **options):
    raise OSError(errno.ENOSPC, "no space left on device")


@pytest.mark.parametrize("failing", ["numpy.savez", "os.replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failed_write_leaves_nothing(failing, error, X, tmp_path, monkeypatch):
    (tmp_path / "other").write_text("untouched")

    def fail(*arguments, **options):
        if failing == "numpy.savez":
            arguments[0].write(b"half of it")
        raise error("no space left on device")

    monkeypatch.setattr(failing, fail)
    with pytest.raises(error, match="no space"):
        dse(X, eigval_save_path=tmp_path / "eigenvalues")
    assert names_in(tmp_path) == ["other"]
    assert (tmp_path / "other").read_text() == "untouched"
    monkeypatch.undo()
    dse(X, eigval_save_path=tmp_path / "eigenvalues")
    assert names_in(tmp_path) == ["eigenvalues", "other"]


def test_failure_to_open_leaves_nothing(X, path, monkeypatch):
    monkeypatch.setattr("builtins.open", fail)
    with pytest.raises(OSError, match="no space"):
        dse(X, eigval_save_path=path)
    monkeypatch.undo()
    assert names_in(path.parent) == []


def test_file_appears_whole(X, path, monkeypatch):
    """Until it is complete nothing has its name."""
    replace = os.replace
    seen = []

    def look(source, target):
        seen.append((path.exists(), dse(None, eigval_save_path=source)))
        replace(source, target)

    monkeypatch.setattr("os.replace", look)
    value = dse(X, eigval_save_path=path)
    assert seen == [(False, value)]
    assert names_in(path.parent) == [path.name]


def test_reading_writes_nothing(X, path):
    dse(X, eigval_save_path=path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    try:
        dse(X, eigval_save_path=path, eigval_save_precision=np.float64)
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    finally:
        path.parent.chmod(0o700)


@pytest.mark.linux
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_permissions_are_those_of_any_new_file(umask, X, tmp_path):
    before = os.umask(umask)
    try:
        dse(X, eigval_save_path=tmp_path / "folder" / "eigenvalues")
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "ordinary").write_bytes(b"")
    finally:
        os.umask(before)

    def mode(*parts):
        return stat.S_IMODE(tmp_path.joinpath(*parts).stat().st_mode)

    assert mode("folder", "eigenvalues") == mode("other", "ordinary")
    assert mode("folder") == mode("other")


def test_many_writers_of_one_file_leave_a_whole_one(X, path):
    """Each writes every time, as where none has found a file yet; who reads meanwhile finds a whole one."""
    program = """
        import os, sys
        import numpy as np
        from dsentropy import diffusion_spectral_entropy
        os.path.exists = lambda path: False
        X = np.random.default_rng(0).normal(scale=4, size=(120, 3))
        for _ in range(100):
            diffusion_spectral_entropy(X, eigval_save_path=sys.argv[1], num_threads=1)
    """
    value = dse(X, eigval_save_path=path)
    writers = [subprocess.Popen([sys.executable, "-c", textwrap.dedent(program), path]) for _ in range(4)]
    while any(writer.poll() is None for writer in writers):
        assert dse(None, eigval_save_path=path) == value
    assert [writer.returncode for writer in writers] == [0] * 4
    assert names_in(path.parent) == [path.name]
    assert dse(X, eigval_save_path=path) == value
