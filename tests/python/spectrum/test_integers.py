"""Integers whose modulus, sum or square is beyond their dtype are read as the numbers that they are."""

import numpy as np
import pytest
import scipy.sparse
from dsentropy import Spectrum, covariance_spectrum, diffusion_spectrum, kernel_spectrum, nearest_neighbors, plotting
from matplotlib.figure import Figure


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_the_modulus_of_the_smallest_integer_is_positive(dtype):
    smallest = np.iinfo(dtype).min
    assert Spectrum(np.array([smallest, 1, 1], dtype)).eigenvalues.tolist() == [-float(smallest), 1, 1]
    axes = plotting.spectrum(np.array([1, smallest, smallest], dtype), ax=Figure().add_subplot())
    assert axes.get_lines()[0].get_ydata()[:2] == pytest.approx(-smallest / (1 - 2.0 * smallest))


def test_the_modulus_of_large_complex_numbers_is_finite():
    large = np.array([3e38 + 3e38j, 1], np.complex64)
    assert Spectrum(large).eigenvalues[0] == pytest.approx(np.hypot(3e38, 3e38), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_duplicate_entries_of_a_sparse_matrix_are_added_up_beyond_their_dtype(dtype):
    largest = np.iinfo(dtype).max // 2 + 10
    ones = np.ones(4, dtype)
    matrix = scipy.sparse.coo_array((largest * ones, ([0, 0, 1, 1], [0, 0, 1, 1])), shape=(2, 2))
    twice = 2 * float(largest)
    assert kernel_spectrum(matrix).eigenvalues.tolist() == [twice, twice]
    rows = scipy.sparse.coo_array((largest * ones, ([0, 0, 1, 1], [0, 0, 2, 2])), shape=(2, 3))
    assert nearest_neighbors(rows, 1)[0].ravel() == pytest.approx(np.hypot(twice, twice))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64, np.int64, np.float16])
def test_rows_at_the_ends_of_their_dtype_are_those_in_float64(dtype):
    limits = np.finfo(dtype) if dtype is np.float16 else np.iinfo(dtype)
    X = np.array([[limits.min, 0], [limits.max, 1], [0, limits.max], [1, 3]], dtype)
    for function in (diffusion_spectrum, covariance_spectrum):
        expected, found = function(X.astype(np.float64)), function(X)
        assert np.abs(found.eigenvalues - expected.eigenvalues).max() <= 1e-6 * expected.eigenvalues[0]
    np.testing.assert_array_equal(nearest_neighbors(X, 2)[1], nearest_neighbors(X.astype(np.float64), 2)[1])


def test_bools_have_no_difference_of_their_own():
    X = np.array([[True, False], [False, True], [True, True]])
    assert diffusion_spectrum(X).entropy() == diffusion_spectrum(X.astype(float)).entropy()


def test_integers_beyond_64_bits_are_eigenvalues():
    assert Spectrum([10**30, 10**30]).entropy() == 1


@pytest.mark.parametrize("fingerprint", [object(), 3, b"digest"])
def test_a_fingerprint_is_a_string(fingerprint):
    with pytest.raises(TypeError, match=r"^fingerprint must be a string or None, got "):
        Spectrum([1.0], fingerprint=fingerprint)
