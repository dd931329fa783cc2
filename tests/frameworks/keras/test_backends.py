"""The tests of this folder on the other backend, in a process of its own: Keras has one backend a process."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import pytest

OTHERS = {"torch": ["jax"]}
"""Backends on which the tests run as well, by that of this process."""


@pytest.mark.parametrize("backend", OTHERS.get(keras.backend.backend(), []))
def test_other_backend(run_python, backend: str) -> None:
    program = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-cov"]
    folder = Path(__file__).parent
    out = run_python(program, *options, folder, timeout=900, KERAS_BACKEND=backend, JAX_PLATFORMS="cpu")
    assert "passed" in out
    assert os.environ["KERAS_BACKEND"] == keras.backend.backend()
