"""Warnings of entropies near the ends of their range, and of data that have collapsed."""

import warnings

import dsentropy
import numpy as np
import pytest
from dsentropy import (
    SaturationWarning,
    adjacency_spectrum,
    covariance_spectrum,
    diffusion_spectrum,
    kernel_spectrum,
    mutual_information,
    subsampled_entropy,
)

X = np.random.default_rng(0).normal(size=(80, 4))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"bandwidth": 1e-3}, "the bandwidth 0.001 is too small .* use a larger one"),
        ({"bandwidth": 1e6}, r"the bandwidth 1e\+06 is too large .* use a smaller one"),
        ({"bandwidth": np.full(80, 1e6)}, "the bandwidths are too large"),
    ],
)
def test_a_saturated_entropy_says_which_way_to_move(arguments, text):
    spectrum = diffusion_spectrum(X, **arguments)
    for read in [spectrum.entropy, spectrum.effective_rank]:
        with pytest.warns(SaturationWarning, match=text) as caught:
            read()
        assert caught[0].filename == __file__


@pytest.mark.parametrize("bandwidth", ["median", "knn"])
def test_a_collapsed_layer_has_no_entropy_and_says_so(bandwidth):
    for scale in [0.0, 1.0, 1e-300, 1e300]:
        spectrum = diffusion_spectrum(np.full((50, 3), scale), bandwidth=bandwidth)
        with pytest.warns(SaturationWarning, match="no two rows differ"):
            assert spectrum.entropy() == pytest.approx(0, abs=1e-12)


def test_nothing_is_said_where_the_bandwidth_plays_no_part():
    diffusion_spectrum(X, bandwidth=1e-3).entropy(t=0)
    diffusion_spectrum(X).entropy(order=0)
    diffusion_spectrum(X[:1], bandwidth=1.0).entropy()
    kernel_spectrum(np.eye(5)).entropy()
    covariance_spectrum(X).entropy()
    diffusion_spectrum(np.eye(5), metric="affinity").entropy()
    repr(diffusion_spectrum(X, bandwidth=1e-3))


def test_saturation_has_a_sign():
    assert diffusion_spectrum(X, bandwidth=1e-3).saturation() == 1
    assert diffusion_spectrum(X, bandwidth=1e6).saturation() == -1
    assert diffusion_spectrum(X).saturation([1, 2], [1, 2]).shape == (2, 2)
    assert diffusion_spectrum(X).saturation() == 0


def test_saturation_warning_is_a_user_warning_that_can_be_silenced():
    assert issubclass(dsentropy.SaturationWarning, UserWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)
        diffusion_spectrum(X, bandwidth=1e-3).entropy()


def test_directions_that_differ_by_rounding_are_collapsed():
    lengths = np.random.default_rng(0).uniform(1, 9, 50)
    for dtype in [np.float32, np.float64]:
        rows = np.outer(lengths, [1, 2, 3.3]).astype(dtype)
        with pytest.warns(SaturationWarning, match="no two rows differ by more than rounding"):
            assert diffusion_spectrum(rows, metric="cosine").entropy() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("arguments", [{}, {"graph": "knn"}])
@pytest.mark.parametrize("spectrum", [diffusion_spectrum, adjacency_spectrum])
def test_equal_rows_are_named_in_place_of_a_bandwidth_that_is_given(spectrum, arguments):
    if spectrum is adjacency_spectrum and arguments:
        return  # such a graph has no bandwidth
    with pytest.warns(SaturationWarning, match="is within 2% of 0: all rows are equal$"):
        spectrum(np.ones((50, 3)), bandwidth=1.0, **arguments).entropy()


@pytest.mark.parametrize("bandwidth", ["median", "knn", 3.0])
def test_few_distinct_rows_are_named(bandwidth):
    rows = np.repeat([[0.0], [1.0]], [999, 1], axis=0)
    with pytest.warns(SaturationWarning, match="2 rows are distinct, which allows at most 1 bits; the bandwidth"):
        diffusion_spectrum(rows, bandwidth=bandwidth).entropy()


def test_subsets_of_equal_rows_are_named():
    rows = np.ones((60, 3))
    with pytest.warns(SaturationWarning, match="all rows are equal$"):
        subsampled_entropy(rows, n_samples=20, bandwidth=1.0)
    with pytest.warns(SaturationWarning, match="all rows are equal$"):
        mutual_information(rows, np.arange(60) % 2, bandwidth=1.0)
