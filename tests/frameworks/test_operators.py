"""Objects that multiply by PyTorch, and by JAX in a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from dsentropy import Stochastic, diffusion_spectrum, kernel_spectrum

N = 900
X = np.random.default_rng(0).normal(size=(N, 6))
SQUARES = ((X[:, None] - X) ** 2).sum(axis=2)


def test_objects_that_multiply_by_jax(run_python):
    """Once JAX computes, it warns of each fork, such as those of data loaders in other tests."""
    program = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-cov"]
    out = run_python(
        program, *options, Path(__file__).parent / "jax" / "operators.py", timeout=900, JAX_PLATFORMS="cpu"
    )
    assert "passed" in out


def test_numbers_of_torch_are_read_as_numbers():
    G = OfTorch(torch.float32)
    G.rounding, G.positive_semidefinite = torch.tensor(1e-4), torch.tensor(True)
    found = diffusion_spectrum(G, metric="affinity", solver=Stochastic(t=1, tol=0.1))
    assert found.n_samples == N


@pytest.mark.parametrize("given", [torch.eye(3), torch.eye(3).to_sparse()])
def test_no_tensor_states_anything_by_accident(given):
    for name in ("matmat", "rounding", "positive_semidefinite"):
        assert not hasattr(given, name)


class OfTorch:
    """Products by PyTorch, returned as tensors."""

    positive_semidefinite = True

    def __init__(self, dtype):
        self.matrix = torch.tensor(np.exp(-SQUARES / 8), dtype=dtype, requires_grad=True)
        self.shape = (N, N)

    def matmat(self, V):
        return self.matrix @ torch.as_tensor(V, dtype=self.matrix.dtype)


@pytest.mark.parametrize("weights", [None, np.linspace(1, 2, N)])
def test_tensors_may_be_returned(weights):
    for dtype, tolerance in [(torch.float64, 1e-10), (torch.float32, 1e-4)]:
        found = kernel_spectrum(OfTorch(dtype), weights=weights)
        expected = kernel_spectrum(np.exp(-SQUARES / 8), weights=weights)
        assert found.entropy(1) == pytest.approx(expected.entropy(1), abs=tolerance)
    with pytest.raises(TypeError, match="got bfloat16: convert it to float32"):
        kernel_spectrum(OfTorch(torch.bfloat16), weights=weights)
