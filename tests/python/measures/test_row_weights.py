"""Rows that count as several: their spectra are those of repeated rows, without the zeros of copies."""

import math

import numpy as np
import pytest
from dsentropy import Spectrum, Stochastic, diffusion_spectrum, kernel_spectrum
from dsentropy._data.subsets import draw
from numpy_formulas import EPS, cloud, distances, gaussian
from scipy.sparse import csr_array
from scipy.sparse.linalg import aslinearoperator

X = cloud(60, 3)
COUNTS = np.random.default_rng(1).integers(1, 5, size=60)
COPIED = np.repeat(np.arange(60), COUNTS)
OFF = 8 * len(COPIED) ** 1.5 * EPS
"""An operator of modulus 1 on N copies: sums of rows are off by N eps, so its norm by N^(3/2) eps; see off()."""


def same(weighted, copied, off=OFF):
    """Nonzero eigenvalues agree, and the copies have zeros besides."""
    n = len(weighted)
    scale = copied.eigenvalues[0]
    assert np.abs(weighted.eigenvalues - copied.eigenvalues[:n]).max() <= off * scale
    assert copied.eigenvalues[n:].max(initial=0) <= off * scale


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "bandwidth", [5.0, "median", None, np.linspace(3, 8, 60)], ids=["5", "median", "None", "rows"]
)
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "precomputed"])
def test_a_weight_counts_as_so_many_equal_rows(metric, bandwidth, alpha):
    rows = distances(X) if metric == "precomputed" else X
    repeated = rows[np.ix_(COPIED, COPIED)] if metric == "precomputed" else rows[COPIED]
    each = bandwidth[COPIED] if isinstance(bandwidth, np.ndarray) else bandwidth
    weighted = diffusion_spectrum(rows, bandwidth=bandwidth, alpha=alpha, metric=metric, weights=COUNTS)
    copied = diffusion_spectrum(repeated, bandwidth=each, alpha=alpha, metric=metric)
    same(weighted, copied)
    if not isinstance(bandwidth, np.ndarray):
        assert weighted.parameters["bandwidth"] == pytest.approx(copied.parameters["bandwidth"], rel=1e-12)
    assert weighted.n_samples == 60
    readings = [1.0, 3.0], [1.0, 2.0]  # rounding of zeros of copies counts little at these t
    assert np.abs(weighted.bits(*readings) - copied.bits(*readings)).max() <= 1e-10


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_weight_counts_as_so_many_equal_rows_of_affinities(alpha):
    G = gaussian(distances(X), 5.0)
    weighted = diffusion_spectrum(G, metric="affinity", alpha=alpha, weights=COUNTS)
    same(weighted, diffusion_spectrum(G[np.ix_(COPIED, COPIED)], metric="affinity", alpha=alpha))


def test_weights_follow_their_formula_and_have_no_scale():
    """Weights that are no integers, against the operator in NumPy."""
    w = np.random.default_rng(2).uniform(0.1, 3, size=60)
    G = gaussian(distances(X), 5.0)
    q = G @ w
    weighted = G / np.sqrt(np.outer(q, q))
    d = weighted @ w
    K = weighted * np.sqrt(np.outer(w, w) / np.outer(d, d))
    expected = np.sort(np.abs(np.linalg.eigvalsh(K)))[::-1]
    found = diffusion_spectrum(X, bandwidth=5.0, alpha=0.5, weights=w)
    assert np.abs(found.eigenvalues - expected).max() <= OFF
    for scale in (1e-250, 1e250):
        scaled = diffusion_spectrum(X, bandwidth=5.0, alpha=0.5, weights=w * scale)
        assert scaled.entropy() == pytest.approx(found.entropy(), abs=1e-12)
    ones = diffusion_spectrum(X, bandwidth=5.0, weights=np.ones(60))
    assert np.array_equal(ones.eigenvalues, diffusion_spectrum(X, bandwidth=5.0).eigenvalues)


@pytest.mark.parametrize("storage", ["dense", "tiled"])
def test_estimates_of_weighted_rows_cover_the_exact_entropy(storage):
    rows = cloud(600, 2)
    w = np.random.default_rng(3).uniform(0.5, 4, size=600)
    for alpha in (0.0, 1.0):
        exact = diffusion_spectrum(rows, bandwidth=4.0, alpha=alpha, weights=w)
        options = Stochastic(tol=1e-2, storage=storage, memory_limit=6_000_000 if storage == "tiled" else None)
        found = diffusion_spectrum(rows, bandwidth=4.0, alpha=alpha, weights=w, solver=options)
        low, high = found.bounds()
        reach = 5 * found.standard_error()
        assert low - reach - 1e-9 <= exact.entropy() <= high + reach + 1e-9


def test_subsets_keep_the_weights_of_their_rows():
    part = diffusion_spectrum(X, bandwidth=5.0, weights=COUNTS, max_samples=20)
    assert len(part) == len(part.parameters["weights"]) == 20
    same(part, Spectrum(part.eigenvalues))
    unweighted = diffusion_spectrum(X, bandwidth=5.0, max_samples=20)
    assert part.fingerprint == unweighted.fingerprint


def test_weights_are_saved(tmp_path):
    spectrum = diffusion_spectrum(X, bandwidth=5.0, weights=COUNTS)
    spectrum.save(tmp_path / "weighted.npz")
    loaded = Spectrum.load(tmp_path / "weighted.npz", X=X)
    assert np.array_equal(loaded.parameters["weights"], COUNTS)
    assert "weights" in repr(loaded)


@pytest.mark.parametrize("form", [np.asarray, csr_array, aslinearoperator], ids=["dense", "sparse", "operator"])
def test_weighted_kernels_are_those_of_repeated_rows(form):
    K = X @ X.T + np.eye(60)
    weighted = kernel_spectrum(form(K), weights=COUNTS)
    repeated = K[np.ix_(COPIED, COPIED)]
    same(weighted, kernel_spectrum(repeated))
    assert weighted.entropy() == pytest.approx(kernel_spectrum(repeated).entropy(), abs=1e-10)
    assert weighted.n_samples == 60
    expected = np.linalg.eigvalsh(K * np.sqrt(np.outer(COUNTS, COUNTS)))[::-1]
    assert np.abs(weighted.eigenvalues - expected).max() <= OFF * expected[0]


@pytest.mark.parametrize("form", [np.asarray, csr_array, aslinearoperator], ids=["dense", "sparse", "operator"])
def test_estimates_of_weighted_kernels_cover_the_exact_entropy(form):
    K = gaussian(distances(cloud(300, 2)), 3.0)
    w = np.random.default_rng(3).uniform(0.5, 4, size=300)
    exact = kernel_spectrum(K, weights=w).entropy()
    found = kernel_spectrum(form(K), weights=w, solver=Stochastic(tol=1e-2))
    low, high = found.bounds()
    assert low - 5 * found.standard_error() - 1e-9 <= exact <= high + 5 * found.standard_error() + 1e-9


def test_a_kernel_in_float32_keeps_its_rounding():
    """A matrix of rank 3 in float32 has rank 3 with weights, whatever kind it is of."""
    rows = np.random.default_rng(0).normal(size=(60, 3))
    K = (rows @ rows.T).astype(np.float32)
    for given in (K, csr_array(K), aslinearoperator(K)):
        assert (kernel_spectrum(given, weights=COUNTS).eigenvalues > 0).sum() == 3


@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_the_median_of_many_equal_rows_counts_weights(metric, monkeypatch):
    """60 rows, all but two of them equal: a subset of 20 rows may have no positive distance."""
    monkeypatch.setattr("dsentropy._operator.bandwidth.MEDIAN_ROWS", 20)
    rows = np.zeros((60, 1))
    rows[:2, 0] = [1.0, 5.0]
    w = np.ones(60)
    w[0] = 1e6
    data = distances(rows) if metric == "precomputed" else rows
    without = [seed for seed in range(20) if min(draw(60, 20, seed)) > 1]
    assert without
    for seed in without:
        found = diffusion_spectrum(data, metric=metric, weights=w, random_state=seed)
        assert found.parameters["bandwidth"] == 1.0
    with_second = next(seed for seed in range(99) if min(draw(60, 20, seed)) == 1)
    found = diffusion_spectrum(data, metric=metric, weights=w, random_state=with_second)
    assert found.parameters["bandwidth"] == 5.0


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(59), ValueError, r"weights must be one number for each of 60 rows, got shape \(59,\)"),
        (1.0, ValueError, r"weights must be one number for each of 60 rows, got shape \(\)"),
        (
            np.r_[0, np.ones(59)],
            ValueError,
            r"weights must be positive and finite, got 0.0 in row 0.*X\[weights > 0\]",
        ),
        (-np.ones(60), ValueError, r"weights must be positive and finite, got -1.0 in row 0"),
        (np.full(60, np.nan), ValueError, r"weights must be positive and finite, got nan in row 0"),
        (np.geomspace(1e-60, 1e60, 60), ValueError, r"weights must not differ by more than a factor of 1e\+100"),
        (["a"] * 60, TypeError, r"weights must be numbers, one for each of 60 rows, got dtype"),
        (np.ones(60, bool), TypeError, r"weights must be numbers, one for each of 60 rows, got dtype bool"),
    ],
)
@pytest.mark.parametrize("function", [diffusion_spectrum, kernel_spectrum])
def test_weights_are_checked(function, weights, error, message):
    data = X if function is diffusion_spectrum else np.eye(60)
    with pytest.raises(error, match=message):
        function(data, weights=weights)


@pytest.mark.parametrize(
    ("data", "arguments", "reason"),
    [
        (X, {"graph": "knn", "bandwidth": 1.0}, "graph is 'knn'"),
        (X, {"bandwidth": "knn"}, "bandwidth is 'knn'"),
        (X, {"precision": "single"}, "precision is 'single'"),
        (csr_array(np.eye(60)), {"metric": "affinity"}, "X is an operator"),
    ],
)
def test_combinations_that_have_no_weights_are_refused(data, arguments, reason):
    with pytest.raises(ValueError, match=f"weights must be None where {reason}: "):
        diffusion_spectrum(data, weights=COUNTS, **arguments)


def test_dask_arrays_have_weights_with_the_exact_solver_only():
    da = pytest.importorskip("dask.array")
    chunked = da.from_array(X, chunks=(20, 3))
    with pytest.raises(ValueError, match=r"weights must be None where X is a dask\.array and solver is 'stochastic'"):
        diffusion_spectrum(chunked, bandwidth=5.0, weights=COUNTS, solver="stochastic")
    found = diffusion_spectrum(chunked, bandwidth=5.0, weights=COUNTS)
    assert np.array_equal(found.eigenvalues, diffusion_spectrum(X, bandwidth=5.0, weights=COUNTS).eigenvalues)


def test_weights_that_leave_the_range_of_float64_are_refused():
    with pytest.raises(
        ValueError, match=r"weights must leave the weighted K in the range of float64, .* weights.max"
    ):
        kernel_spectrum(1e200 * np.eye(60), weights=np.full(60, 1e200))
    assert kernel_spectrum(1e200 * np.eye(60), weights=np.full(60, 1e90)).entropy() == pytest.approx(math.log2(60))
