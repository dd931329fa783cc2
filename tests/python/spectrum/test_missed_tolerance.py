"""The warning of estimates that did not converge: what was reached, of which data, and ways out that fit the call."""

import re
import warnings

import numpy as np
import scipy.sparse
from dsentropy import (
    Stochastic,
    ToleranceWarning,
    compare,
    diffusion_spectrum,
    entropy_surface,
    kernel_spectrum,
    layer_entropies,
    subsampled_entropy,
    suggest_bandwidth,
)

ROWS = np.random.default_rng(0).normal(size=(600, 10))
LIMITS = {"tol": 1e-6, "max_products": 60, "memory_limit": 7_000_000}
SOLVER = Stochastic(**LIMITS)
FLAT, DECAYING = 1.0, 6.0


def texts(function, *arguments, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = function(*arguments, **options)
    return found, [str(one.message) for one in caught if one.category is ToleranceWarning]


def test_the_uncertainty_that_was_reached_is_that_of_the_spectrum():
    spectrum, (text,) = texts(diffusion_spectrum, ROWS, bandwidth=DECAYING, solver=SOLVER)
    lower, upper = spectrum.bounds()
    reached = spectrum.standard_error() + max(upper - spectrum.entropy(), spectrum.entropy() - lower)
    assert f"products: the uncertainty is {reached:.2g} bits. Allow more products" in text
    tol = float(re.search(r"Stochastic\(tol=(\S+?)\)", text)[1])
    assert reached <= tol * (1 + 1e-12) <= 2 * reached
    assert "which were at most 60" in text
    assert "below 1" not in text
    assert text.endswith("or solver='exact'")
    assert "flat" not in text


def test_a_flat_spectrum_asks_for_fewer_rows_and_not_for_more_products():
    spectrum, (text,) = texts(diffusion_spectrum, ROWS, bandwidth=FLAT, solver=SOLVER)
    assert f"its effective rank is {spectrum.effective_rank():.0f}. Allow fewer rows, max_samples=..., or a" in text
    assert "more products" not in text
    _, (of_surface,) = texts(entropy_surface, ROWS, [FLAT], solver=SOLVER)
    assert "max_samples=..." in of_surface
    _, (of_subsets,) = texts(subsampled_entropy, ROWS, n_samples=590, n_repeats=2, bandwidth=FLAT, solver=SOLVER)
    assert "Allow a smaller n_samples, or a larger tol" in of_subsets
    K = np.exp(-(((ROWS[:, None] - ROWS[None]) ** 2).sum(axis=2)) / 2)
    _, (of_kernel,) = texts(kernel_spectrum, K, solver=Stochastic(**{**LIMITS, "memory_limit": 6_500_000}))
    assert "Allow a larger tol, Stochastic(tol=" in of_kernel


def test_the_exact_solver_is_no_way_out_where_rows_are_many():
    K = scipy.sparse.diags_array(np.linspace(1, 2, 10_001)).tocsr()
    _, (text,) = texts(kernel_spectrum, K, solver=Stochastic(tol=1e-6, max_products=20))
    assert text.endswith(")")
    assert "exact" not in text


def test_readings_of_small_eigenvalues_are_named_where_they_were_asked_for():
    solver = Stochastic(t=[0.5, 1], orders=[0.5, 1], **LIMITS)
    _, (text,) = texts(diffusion_spectrum, ROWS, bandwidth=DECAYING, solver=solver)
    assert " at t = 0.5, order 0.5. Allow" in text
    assert "or no t below 1, or no order below 1" in text


def test_a_function_of_several_sets_names_each():
    _, of_layers = texts(layer_entropies, {"a": ROWS, "b": ROWS / 2}, FLAT, solver=SOLVER)
    assert [text.split(":")[0] for text in of_layers] == ["layers['a']", "layers['b']"]
    _, of_pair = texts(
        compare, ROWS, ROWS + 0.1, bandwidth=FLAT, n_samples=590, n_repeats=2, solver=Stochastic(**LIMITS)
    )
    assert [text.split(":")[0] for text in of_pair] == ["A", "B"]


def test_products_that_would_not_help_are_not_asked_for():
    """The estimate ended before its limit: rounding takes the tolerance, which no number of products changes."""
    narrow = ROWS.astype(np.float32)
    solver = Stochastic(tol=1e-13, max_products=10**6, memory_limit=7_000_000)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        diffusion_spectrum(narrow, bandwidth=30.0, solver=solver)
    found = [str(one.message) for one in caught if one.category is ToleranceWarning]
    assert all("more products" not in text for text in found)
    assert found


def test_a_search_of_a_bandwidth_names_the_layer():
    few = Stochastic(tol=1e-9, max_products=20, memory_limit=7_000_000)
    _, of_layers = texts(suggest_bandwidth, {"a": ROWS}, n_draws=2, solver=few)
    assert [text.split(":")[0] for text in of_layers] == ["X['a']"]
