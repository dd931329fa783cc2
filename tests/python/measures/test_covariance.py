"""Spectra of covariances, and the linear measures of dimension that are read from them."""

import math

import numpy as np
import pytest
from dsentropy import (
    covariance_spectrum,
)
from numpy_formulas import (
    EPS,
    cloud,
    entropy_off,
    moduli,
)

SHAPES = pytest.mark.parametrize(("n", "d"), [(80, 6), (7, 30), (40, 40), (2, 5), (300, 1)])


def covariance_off(X):
    """An entry of X_c' X_c is off by n eps of the lengths of two columns, so the matrix by n eps of its trace; either
    by d in place of n where the other Gram matrix is taken.
    """
    return 2 * sum(X.shape) * EPS * X.var(axis=0, ddof=1).sum()


@SHAPES
@pytest.mark.parametrize("far", [0, 1000])
def test_covariance_spectra_are_those_of_numpy(n, d, far):
    """Far from the origin the rows themselves, and their mean, are rounded to eps of the distance."""
    X = cloud(n, d) * np.linspace(1, 3, d) + far
    expected = moduli(np.atleast_2d(np.cov(X.T)))
    spectrum = covariance_spectrum(X)
    assert len(spectrum) == d
    assert spectrum.n_samples == n
    moved = 4 * far * EPS * math.sqrt(d * np.atleast_2d(np.cov(X.T)).trace())
    assert np.abs(spectrum.eigenvalues - expected).max() <= covariance_off(X) + moved


@SHAPES
def test_linear_measures_of_dimension_follow_their_formulas(n, d):
    """Singular values are off by at most sqrt(off), and by off / sqrt(lambda) where lambda is not 0."""
    X = cloud(n, d) * np.linspace(1, 3, d)
    spectrum = covariance_spectrum(X)
    C = np.atleast_2d(np.cov(X.T))
    ratio = C.trace() ** 2 / (C**2).sum()
    allowed = covariance_off(X)
    assert abs(spectrum.participation_ratio() - ratio) <= 8 * d * allowed / C.trace() * ratio**2
    singular = np.zeros(d)
    singular[: min(n, d)] = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) / math.sqrt(n - 1)
    p = singular / singular.sum()
    roy_vetterli = math.exp(-sum(x * math.log(x) for x in p if x > 0))
    moved = np.minimum(math.sqrt(allowed), allowed / np.maximum(singular, 1e-300)).sum()
    if d > 1:  # of one alone it is 1
        bits = abs(math.log2(spectrum.effective_rank(0.5)) - math.log2(roy_vetterli))
        assert bits <= entropy_off(d, min(2 * moved / singular.sum(), 0.5))
    else:
        assert spectrum.effective_rank(0.5) == roy_vetterli == 1


def test_rows_that_differ_by_rounding_alone_are_refused():
    rng = np.random.default_rng(0)
    rows = (1000 + 3e-5 * rng.normal(size=(20, 3))).astype(np.float32)
    assert (rows != rows[0]).any()
    with pytest.raises(ValueError, match="X must have rows that differ by more than the rounding of its dtype"):
        covariance_spectrum(rows)
