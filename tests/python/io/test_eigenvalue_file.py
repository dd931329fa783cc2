"""Eigenvalue files: the values that they hold, and that dse-dsmi reads ours and we read its."""

import numpy as np
import pytest
from dsentropy import adjacency_spectral_entropy, diffusion_spectral_entropy

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

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


every_spectrum = pytest.mark.parametrize("entropy", [dse, ase, anisotropic, neighbors])
precisions = pytest.mark.parametrize("precision", [np.float16, np.float32, np.float64, np.longdouble, ">f4", "half"])


def stored(path):
    with np.load(path) as file:
        return file["eigvals"]


def rewrite(path, **arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)


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
