"""Fixtures of the tests of files."""

import warnings

import numpy as np
import pytest


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
