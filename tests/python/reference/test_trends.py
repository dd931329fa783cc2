"""The bandwidth decides whether the entropy of a layer rises or falls while it learns."""

import numpy as np
import pytest
import sklearn.datasets
from dsentropy import entropy_surface, subsampled_entropy
from dsentropy.cli import demo

EPOCHS = 61


@pytest.fixture(scope="module")
def layers():
    """The hidden layer of the demo's network, which learns the true labels of digits: before, and after, training."""
    digits = sklearn.datasets.load_digits()
    accuracy, hidden = zip(
        *(layer for _, *layer in demo.training(digits.data / 16, digits.target, EPOCHS)), strict=True
    )
    assert accuracy[0] < 0.2
    assert accuracy[-1] > 0.95
    assert hidden[0].shape == (600, 64)
    return hidden[0], hidden[-1]


def test_at_a_fixed_bandwidth_entropy_rises_and_at_the_median_it_falls(layers):
    """Distances grow from a fraction of 10, so rows that were one come apart; in units of the median distance, rows
    of a class come together.
    """
    before, after = (entropy_surface(hidden, [10.0, "median"]) for hidden in layers)
    assert 2 * before.coords["bandwidth"][1] < after.coords["bandwidth"][1] < 10
    rise, fall = (after.values - before.values).ravel()
    assert rise > 0 > fall


@pytest.mark.parametrize(("bandwidth", "sign"), [(10.0, 1), ("median", -1)])
def test_trends_are_beyond_what_the_choice_of_rows_explains(layers, bandwidth, sign):
    """Intervals of before and after, at 1 in 1000 each, are apart."""
    before, after = (
        sign * np.array(subsampled_entropy(hidden, n_samples=300, bandwidth=bandwidth, confidence=0.999).interval)
        for hidden in layers
    )
    assert before.max() < after.min()
