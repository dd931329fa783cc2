"""Statements about the diffusion spectral mutual information I, in bits: what holds, and what does not.

I = sum_b p_b (S of random subsets as large as class b - S of class b), with S the diffusion spectral entropy.
"""

import numpy as np
import pytest
from dsentropy import diffusion_spectral_mutual_information, mutual_information
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")  # of bandwidths of all sizes

SOME = settings(max_examples=40, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
ROUNDING = 1e-9


def information(rows, labels, sigma, t=1.0, n_repeats=5):
    return float(mutual_information(rows, labels, bandwidth=sigma, t=t, n_repeats=n_repeats, num_threads=1).value)


def labelled(seed):
    rng = np.random.default_rng(seed)
    n, d, k = int(rng.integers(20, 80)), int(rng.integers(1, 6)), int(rng.integers(2, 5))
    labels = np.concatenate([np.arange(k), rng.integers(k, size=n - k)])
    return rng.normal(size=(n, d)) + 3 * rng.normal(size=(k, d))[labels] * rng.integers(2), labels


@given(SEEDS, st.floats(0.1, 10), st.floats(0.5, 20))
@SOME
def test_one_class_says_nothing(seed, sigma, t):
    rows, labels = labelled(seed)
    assert information(rows, np.zeros_like(labels), sigma, t) == pytest.approx(0, abs=ROUNDING)


@given(st.integers(2, 6), st.floats(0.5, 50))
@SOME
def test_equal_classes_of_equal_rows_far_apart_have_the_logarithm_of_their_number(k, t):
    """S of a class is 0, and that of random rows is log2 of the classes in them: all k, but for one in e^20 draws."""
    labels = np.repeat(np.arange(k), 20 * k)
    rows = 1e4 * labels[:, None].astype(float)
    assert information(rows, labels, 1.0, t) == pytest.approx(np.log2(k), abs=ROUNDING)


@given(SEEDS, st.floats(0.1, 10), st.floats(0.5, 20))
@SOME
def test_information_is_bound_by_the_sizes_of_the_classes(seed, sigma, t):
    rows, labels = labelled(seed)
    sizes = np.bincount(labels)
    bound = (sizes / len(labels)) @ np.log2(np.maximum(sizes, 1))
    assert abs(information(rows, labels, sigma, t)) <= bound + ROUNDING


def test_information_on_labels_at_random_is_near_zero_and_may_be_negative():
    """A counter-example to I >= 0; the mean over 40 data sets is within four standard errors of 0."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found.append(information(rng.normal(size=(300, 3)), rng.integers(3, size=300), 1.0))
    assert min(found) < -ROUNDING
    assert abs(np.mean(found)) <= 4 * np.std(found, ddof=1) / np.sqrt(40)


def test_information_may_be_larger_than_the_entropy_of_the_labels():
    """A counter-example to I <= H(Y), which Shannon's information keeps."""
    apart = 1e3 * np.arange(500.0)[:, None]
    rows, labels = np.vstack([apart, np.full((500, 1), -1e6)]), np.repeat([0, 1], 500)
    assert information(rows, labels, 1.0) > 3  # of 1 bit
    images, digits = load_digits(return_X_y=True)
    assert information(images, digits, 48.7 / 4, t=10) > np.log2(10) + 0.1


def test_the_functions_of_the_reference_have_the_same_counter_examples():
    apart = 1e3 * np.arange(500.0)[:, None]
    rows, labels = np.vstack([apart, np.full((500, 1), -1e6)]), np.repeat([0, 1], 500)
    found, _ = diffusion_spectral_mutual_information(rows, labels, gaussian_kernel_sigma=1.0)
    assert found > 3
