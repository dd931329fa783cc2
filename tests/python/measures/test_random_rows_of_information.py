"""Informations of a random subset of the rows: those of a call with these rows, and their part of the target."""

import warnings

import numpy as np
import pandas as pd
import pytest
from dsentropy import (
    Stochastic,
    ToleranceWarning,
    conditional_mutual_information,
    diffusion_spectrum,
    mutual_information,
)
from dsentropy._data.subsets import draw

RNG = np.random.default_rng(0)
LABELS = np.arange(120) % 3
X = RNG.normal(size=(120, 4)) + 2 * np.eye(4)[LABELS]
BATCH = np.arange(120) // 3 % 2
NUMBERS = X[:, 0] + 0.5 * RNG.normal(size=120)
ROWS = np.sort(draw(120, 50, 7)).astype(int)
FEW = {"max_samples": 50, "random_state": 7}


def test_the_rows_are_those_of_a_spectrum():
    found = mutual_information(X, LABELS, n_repeats=2, **FEW)
    assert found.rows.tolist() == ROWS.tolist()
    spectrum = diffusion_spectrum(X, **FEW)
    assert found.bandwidth == pytest.approx(spectrum.parameters["bandwidth"], rel=1e-12)
    assert spectrum.entropy() == pytest.approx(diffusion_spectrum(X[ROWS]).entropy(), rel=1e-12)


@pytest.mark.parametrize("target", [LABELS, pd.Series(LABELS).astype("category"), list(map(str, LABELS)), NUMBERS])
def test_the_information_is_that_of_these_rows(target):
    options = {"t": [1, 2], "n_repeats": 3, "n_permutations": 4}
    found = mutual_information(X, target, **options, **FEW)
    part = np.asarray(target)[ROWS]
    expected = mutual_information(X[ROWS], part, random_state=7, **options)
    for name in ("value", "standard_error", "null", "clusters", "ceiling"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    assert expected.rows is None
    assert (found.edges is None) == (expected.edges is None)
    given = mutual_information(X, clusters=LABELS, n_repeats=3, **FEW)
    assert given.value == mutual_information(X[ROWS], LABELS[ROWS], n_repeats=3, random_state=7).value


def test_bandwidths_of_rows_are_those_of_the_subset():
    each = np.linspace(1, 3, 120)
    found = mutual_information(X, LABELS, bandwidth=each, n_repeats=2, **FEW)
    assert np.array_equal(found.bandwidth, each[ROWS])
    expected = mutual_information(X[ROWS], LABELS[ROWS], bandwidth=each[ROWS], n_repeats=2, random_state=7)
    assert found.value == expected.value


@pytest.mark.parametrize("metric", ["precomputed", "affinity"])
def test_pairs_are_those_of_the_subset(metric):
    distances = np.linalg.norm(X[:, None] - X[None], axis=2)
    pairs = distances if metric == "precomputed" else np.exp(-(distances**2))
    found = mutual_information(pairs, LABELS, metric=metric, n_repeats=2, **FEW)
    part = pairs[np.ix_(ROWS, ROWS)]
    assert found.value == mutual_information(part, LABELS[ROWS], metric=metric, n_repeats=2, random_state=7).value


def test_within_classes_the_information_is_that_of_these_rows():
    found = conditional_mutual_information(X, NUMBERS, BATCH, n_clusters=3, n_permutations=3, **FEW)
    expected = conditional_mutual_information(
        X[ROWS], NUMBERS[ROWS], BATCH[ROWS], n_clusters=3, n_permutations=3, random_state=7
    )
    for name in ("value", "null", "clusters", "classes", "edges"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    assert found.rows.tolist() == ROWS.tolist()
    assert expected.rows is None


def test_a_limit_of_all_rows_plays_no_part():
    found = mutual_information(X, LABELS, n_repeats=2, max_samples=120)
    assert found.value == mutual_information(X, LABELS, n_repeats=2).value
    assert found.rows is None
    with pytest.raises(ValueError, match="target must be as long as X, 120, got 50"):
        mutual_information(X, LABELS[:50], max_samples=50)
    with pytest.raises(ValueError, match="max_samples must be"):
        mutual_information(X, LABELS, max_samples=0)


def test_an_estimate_that_did_not_converge_names_the_limit():
    rows = np.random.default_rng(0).normal(size=(700, 10))
    solver = Stochastic(tol=1e-6, max_products=60, memory_limit=9_000_000)
    for function, more in [(mutual_information, ()), (conditional_mutual_information, (np.zeros(700, dtype=int),))]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            function(rows, np.zeros(700, dtype=int), *more, bandwidth=1.0, n_repeats=1, solver=solver)
        (text,) = [str(one.message) for one in caught if one.category is ToleranceWarning]
        assert "the spectrum is flat" in text
        assert "Allow fewer rows, max_samples=..., or a larger tol" in text
