"""Digests of equal values are equal, whatever form the values have."""

import hashlib

import numpy as np
import pytest
from dsentropy._data.fingerprint import digest

X = np.random.default_rng(0).integers(-9, 9, size=(50, 4)).astype(float)


def test_the_digest_is_of_the_shape_and_of_little_endian_doubles():
    expected = hashlib.sha256(b"(50, 4)" + (X + 0.0).astype("<f8").tobytes()).hexdigest()
    assert digest(X) == expected


@pytest.mark.parametrize(
    "form",
    [
        X.astype(np.float32),
        np.asfortranarray(X),
        np.repeat(X, 2, axis=1)[:, ::2],
        X.astype(">f8"),
        np.where(X == 0, -0.0, X),
    ],
    ids=["float32", "Fortran order", "view", "big endian", "negative zeros"],
)
def test_form_does_not_matter(form):
    assert digest(form) == digest(X)


def test_values_and_shape_do_matter():
    changed = X.copy()
    changed[-1, -1] = np.nextafter(changed[-1, -1], np.inf)
    assert len({digest(X), digest(changed), digest(X[::-1]), digest(X.reshape(100, 2))}) == 4


def test_many_rows_are_read_in_pieces():
    """A piece has 2^20 numbers."""
    rows = np.arange(3 * 2**20, dtype=np.float64).reshape(-1, 3)
    assert digest(rows) == hashlib.sha256(repr(rows.shape).encode() + rows.tobytes()).hexdigest()
