"""Objects that multiply on JAX's CPU backend, and the block of docs/operators.md about them.

tests/frameworks/test_operators.py runs this file in a process of its own: once JAX computes, a fork warns.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from dsentropy import EstimatedSpectrum, Spectrum, Stochastic, adjacency_spectrum, diffusion_spectrum, kernel_spectrum

jax = pytest.importorskip("jax")
jnp = jax.numpy

PAGE = Path(__file__).parents[3] / "docs" / "operators.md"
N = 900
T = [1.0, 2.0]
X = np.random.default_rng(0).normal(size=(N, 6))
SQUARES = ((X[:, None] - X) ** 2).sum(axis=2)


@pytest.fixture(scope="module")
def page():
    """The names of the page's block, after it was run."""
    block = re.search(r"^```\{code-block\} python\n:name: jax-affinity\n\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    names = {"__name__": "operators"}
    exec(compile(block[1], str(PAGE), "exec"), names)
    return names


def exact_of(G, kind):
    roots = np.sqrt(G.sum(axis=1)) if kind == "diffusion" else np.ones(N)
    return Spectrum(np.abs(np.linalg.eigvalsh(G / np.outer(roots, roots))))


def test_the_block_of_the_page_estimates(page):
    found, rows = page["found"], page["X"]
    assert type(found) is EstimatedSpectrum
    assert found.entropy() == pytest.approx(diffusion_spectrum(rows, bandwidth=3.0).entropy(), abs=3e-2)


def test_the_rounding_that_the_page_states_is_more_than_that_of_products(page):
    G = page["Gaussian"](X, 2.0)
    V = np.random.default_rng(1).normal(size=(N, 16))
    product = np.exp(-SQUARES / 8) @ V
    found = np.asarray(G.matmat(V))
    assert found.dtype == np.float32
    assert np.linalg.norm(found - product) < G.rounding * np.linalg.norm(product)


@pytest.mark.parametrize("sigma", [1.0, 3.0])
@pytest.mark.parametrize("kind", ["diffusion", "affinity", "kernel"])
def test_bounds_of_products_in_single_precision_contain_the_exact_entropy(page, kind, sigma):
    G, exact = page["Gaussian"](X, sigma), exact_of(np.exp(-SQUARES / (2 * sigma**2)), kind)
    solver = Stochastic(t=T, orders=[1, 2], tol=3e-2, memory_limit=12_000_000)
    function = {"diffusion": diffusion_spectrum, "affinity": adjacency_spectrum, "kernel": kernel_spectrum}[kind]
    found = function(G, solver=solver, **({} if kind == "kernel" else {"metric": "affinity"}))
    assert type(found) is EstimatedSpectrum
    for order in (1, 2):
        lower, upper = found.bounds(T, order=order)
        sampling, value = 4 * found.standard_error(T, order=order), exact.entropy(T, order=order)
        assert ((lower - sampling <= value) & (value <= upper + sampling)).all()


def test_numbers_of_jax_are_read_as_numbers(page):
    G = page["Gaussian"](X, 2.0)
    G.rounding, G.positive_semidefinite = jnp.array(1e-4), jnp.array(True)
    found = diffusion_spectrum(G, metric="affinity", solver=Stochastic(t=1, tol=0.1))
    assert found.n_samples == N


def test_no_array_of_jax_states_anything_by_accident():
    for name in ("matmat", "rounding", "positive_semidefinite"):
        assert not hasattr(jnp.eye(3), name)
