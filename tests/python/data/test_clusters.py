"""Bins of a continuous target, where the reference implementation gives no answer to compare with."""

import numpy as np
import pytest
from dsentropy import diffusion_spectral_entropy, diffusion_spectral_mutual_information

X = np.random.default_rng(0).normal(size=(40, 3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_range_beyond_the_largest_number_is_cut_into_equal_bins(dtype):
    """Twice the largest number overflows; in quarters nothing does, and quarters round nothing."""
    fractions = np.repeat([-1, -0.45, 0.05, 0.55, 1], 8).astype(dtype)
    _, bins = diffusion_spectral_mutual_information(X, fractions * np.finfo(dtype).max, n_clusters=4)
    assert bins.ravel().tolist() == np.repeat([1, 2, 3, 4, 4], 8).tolist()


@pytest.mark.parametrize("dtype", [np.int8, np.int64])
def test_integers_that_are_not_labels_do_not_wrap(dtype):
    limits = np.iinfo(dtype)
    reference = np.array([limits.min, limits.max] * 20, dtype=dtype)
    _, bins = diffusion_spectral_mutual_information(X, reference, reference_discrete=False)
    assert bins.ravel().tolist() == [1, 10] * 20


def test_limit_beyond_any_machine_is_no_limit():
    assert diffusion_spectral_entropy(X, max_N=10**30) == diffusion_spectral_entropy(X, max_N=None)
