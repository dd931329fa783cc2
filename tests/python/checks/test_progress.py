"""Progress bars, and what is said where tqdm is missing."""

from __future__ import annotations

import io
import math
import re
import sys
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from dsentropy import Stochastic, adjacency_spectrum, diffusion_spectrum, kernel_spectrum, suggest_bandwidth
from dsentropy._checks.progress import as_progress, estimate_bar, expected_products, progress_bar
from dsentropy._spectrum import problem


def test_a_bar_without_tqdm_is_an_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert not as_progress(False)
    with pytest.raises(ImportError, match=r"progress=True needs tqdm: pip install 'dsentropy\[progress\]'"):
        as_progress(True)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What bars write."""
    import tqdm.auto

    text = io.StringIO()
    real = tqdm.auto.tqdm
    monkeypatch.setattr(tqdm.auto, "tqdm", lambda **options: real(file=text, mininterval=0, ncols=150, **options))
    return text


def last_line(shown: io.StringIO) -> str:
    return shown.getvalue().strip().split("\r")[-1]


def test_a_bar_shows_how_much_is_done_of_all(shown: io.StringIO) -> None:
    assert as_progress(True)
    with progress_bar(True, 4, "subsets") as advance:
        advance(1, math.nan)
        assert "25%" in last_line(shown)
        assert re.search(r" 1/4 \[[\d:]+<[\d:]+, .* subsets/s\]", last_line(shown))
        advance(4, math.nan)
    assert "subsets: 100%" in last_line(shown)


@pytest.mark.parametrize("done", [3, 6])
def test_a_bar_of_an_expected_number_ends_with_what_was_done(shown: io.StringIO, done: int) -> None:
    with progress_bar(True, 4, "sets") as advance:
        advance(done, math.nan)
        assert f" {done}/{max(done, 4)} " in last_line(shown)
    assert re.search(rf"100%.* {done}/{done} ", last_line(shown))


def test_a_bar_of_an_estimate_shows_products_of_those_expected_and_bits_of_those_allowed(shown: io.StringIO) -> None:
    with estimate_bar(True, 1e-2, 5000) as advance:
        advance(16, math.inf)
        assert last_line(shown).startswith("matrix-vector products: 16 products [")
        advance(100, 0.04)
        assert re.search(
            r"6%.* 100/1600 \[[\d:]+<[\d:]+, .* products/s, uncertainty 0.04 of 0.01 bits\]", last_line(shown)
        )
        advance(120, 0.009)
    assert "120/120" in last_line(shown)


@pytest.mark.parametrize(
    ("done", "uncertainty", "expected"),
    [
        (100, 0.04, 1600),
        (100, 0.01, 100),
        (100, 0.001, 100),
        (100, 10.0, 5000),
        (100, 1e300, 5000),
        (6000, 1.0, 6000),
    ],
)
def test_the_sampling_error_falls_like_the_root_of_the_products(done: int, uncertainty: float, expected: int) -> None:
    assert expected_products(done, uncertainty, 1e-2, 5000) == expected


def test_an_interrupted_estimate_does_not_look_finished(shown: io.StringIO) -> None:
    def stop() -> None:
        with estimate_bar(True, 1e-2, 5000) as advance:
            advance(100, 0.04)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert " 100/1600 " in last_line(shown)


X = np.random.default_rng(0).normal(size=(1500, 6))


def test_the_bar_of_an_estimate_ends_with_its_products(shown: io.StringIO) -> None:
    found = diffusion_spectrum(X, bandwidth=2.0, solver=Stochastic(tol=1e-2), progress=True, num_threads=1)
    products = found.parameters["products"]
    assert f" {products}/{products} " in last_line(shown)
    assert re.search(r"uncertainty 0\.00\d+ of 0\.01 bits", last_line(shown))


@pytest.mark.parametrize(("density", "limit"), [(None, 5000), (0.01, 50_000)])
def test_more_than_the_limit_of_the_operator_is_not_expected(
    monkeypatch: pytest.MonkeyPatch, density: float | None, limit: int
) -> None:
    """Products with a sparse matrix cost little, so more of them are allowed."""
    limits = []

    def recorded(shown: bool, tol: float, max_products: int) -> Any:
        limits.append(max_products)
        return estimate_bar(shown, tol, max_products)

    monkeypatch.setattr(problem, "estimate_bar", recorded)
    kernel = np.eye(300) if density is None else scipy.sparse.eye(300, format="csr")
    kernel_spectrum(kernel, solver="stochastic")
    kernel_spectrum(kernel, solver=Stochastic(max_products=700))
    adjacency_spectrum(X[:300], n_neighbors=5, graph="knn", symmetrize="mean", solver="stochastic")
    assert limits == [limit, 700, 50_000]


def test_the_bar_of_a_search_counts_its_sets(shown: io.StringIO) -> None:
    suggest_bandwidth(X[:40], n_draws=2, progress=True, num_threads=1)
    assert re.search(r"100%.* (\d+)/\1 .* sets/s", last_line(shown))


def test_no_bar_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bar(False, 4, "products") as advance:
        advance(4, 0.25)
    with estimate_bar(False, 1e-3, 5000) as advance:
        advance(4, 0.25)
    assert capfd.readouterr() == ("", "")


def test_a_function_that_shows_a_bar_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"dsentropy\[progress\]"):
        diffusion_spectrum(np.eye(5), progress=True)
