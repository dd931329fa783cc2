"""Sparse matrices as rows of data: a dense copy is made, where it fits into memory."""

import dsentropy
import numpy as np
import pytest
from dsentropy import Spectrum
from scipy.sparse import coo_array, coo_matrix, csc_array, csr_array, csr_matrix, dok_array

X = np.random.default_rng(0).normal(size=(30, 4)) * (np.random.default_rng(1).random(size=(30, 4)) < 0.5)
LABELS = np.repeat([0, 1], 15)
FUNCTIONS = {
    "diffusion_spectrum": lambda X: dsentropy.diffusion_spectrum(X).eigenvalues,
    "diffusion_spectrum, cosine": lambda X: dsentropy.diffusion_spectrum(X + X, metric="cosine").eigenvalues,
    "diffusion_spectrum, knn": lambda X: dsentropy.diffusion_spectrum(X, graph="knn", n_neighbors=5).eigenvalues,
    "adjacency_spectrum": lambda X: dsentropy.adjacency_spectrum(X).eigenvalues,
    "covariance_spectrum": lambda X: dsentropy.covariance_spectrum(X).eigenvalues,
    "nearest_neighbors": lambda X: dsentropy.nearest_neighbors(X, 3)[0],
    "estimate_bandwidth": dsentropy.estimate_bandwidth,
    "entropy_surface": lambda X: dsentropy.entropy_surface(X, 1.0).values,
    "subsampled_entropy": lambda X: dsentropy.subsampled_entropy(X, n_samples=9).values,
    "mutual_information": lambda X: dsentropy.mutual_information(X, LABELS, n_repeats=2).value,
    "DSE": lambda X: dsentropy.diffusion_spectral_entropy(X, 1.0),
    "ASMI": lambda X: dsentropy.adjacency_spectral_mutual_information(X, LABELS, gaussian_kernel_sigma=1.0)[0],
}
ROWS = X[X.any(axis=1)]
LABELS = LABELS[X.any(axis=1)]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sparse_rows_are_rows(function):
    assert np.array_equal(FUNCTIONS[function](csr_array(ROWS)), FUNCTIONS[function](ROWS))


@pytest.mark.parametrize("form", [csr_matrix, csc_array, coo_array, coo_matrix, dok_array])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, bool])
def test_every_format_and_dtype(form, dtype):
    rows = X.astype(dtype)
    found = dsentropy.covariance_spectrum(form(rows))
    assert np.array_equal(found.eigenvalues, dsentropy.covariance_spectrum(rows).eigenvalues)
    assert found.fingerprint == dsentropy.covariance_spectrum(rows).fingerprint


def test_saved_spectrum_is_checked_against_sparse_rows(tmp_path):
    for spectrum in (dsentropy.diffusion_spectrum(csr_array(X)), dsentropy.covariance_spectrum(csr_array(X))):
        spectrum.save(tmp_path / "spectrum.npz")
        assert len(Spectrum.load(tmp_path / "spectrum.npz", X=csr_array(X))) == len(spectrum)
        assert len(Spectrum.load(tmp_path / "spectrum.npz", X=X)) == len(spectrum)
        with pytest.raises(ValueError, match="made from other data than X"):
            Spectrum.load(tmp_path / "spectrum.npz", X=csr_array(2 * X))


@pytest.mark.parametrize("function", [dsentropy.diffusion_spectrum, dsentropy.adjacency_spectrum])
def test_square_sparse_matrix_is_not_guessed_to_be_rows(function):
    """It may hold affinities, whose metric was forgotten."""
    with pytest.raises(ValueError, match=r"^metric must be 'affinity' where X is an operator.*: X.toarray\(\) has "):
        function(csr_array(np.eye(5)))
    assert function(csr_array(np.eye(5)), metric="affinity").n_samples == 5
    assert function(np.eye(5)).n_samples == 5


def test_affinities_are_square():
    with pytest.raises(ValueError, match="X must be square"):
        dsentropy.diffusion_spectrum(csr_array(X), metric="affinity")


def test_sparse_distances_are_refused():
    with pytest.raises(TypeError, match=r"X must be dense where metric is 'precomputed'.*neighbors=X"):
        dsentropy.diffusion_spectrum(csr_array(np.eye(5)), metric="precomputed")


def test_sparse_complex_rows_are_refused():
    with pytest.raises(TypeError, match="X must hold real numbers, got dtype complex128"):
        dsentropy.covariance_spectrum(csr_array(X + 0j))


def test_sparse_labels_and_bandwidths_are_refused():
    for name, call in {
        "target": lambda: dsentropy.mutual_information(X, csr_array(X)),
        "bandwidth": lambda: dsentropy.diffusion_spectrum(X, bandwidth=csr_array(X)),
        "eigenvalues": lambda: Spectrum(csr_array(X)),
    }.items():
        with pytest.raises(TypeError, match=rf"^{name} must be an array, got a sparse matrix: {name}.toarray\(\)"):
            call()


@pytest.mark.parametrize("function", ["diffusion_spectrum", "covariance_spectrum"])
def test_dense_copy_beyond_all_memory_is_refused(function):
    """A million rows of a hundred million columns are 8e14 bytes, and a mask takes one byte an entry."""
    empty = csr_array((10**6, 10**8))
    with pytest.raises(
        MemoryError,
        match=r"^X as a dense array of shape .*: 1000000 rows need 900000\.0 GB.*: use fewer rows of X, or f",
    ):
        getattr(dsentropy, function)(empty)
