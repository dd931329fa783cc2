"""Spectra of operators that are sparse, given, or have negative eigenvalues, exact and estimated."""

import pickle
import signal
import threading
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from dsentropy import (
    EstimatedSpectrum,
    Spectrum,
    Stochastic,
    _core,
    adjacency_spectrum,
    diffusion_spectrum,
    kernel_spectrum,
    nearest_neighbors,
)
from dsentropy._operator.linear_operators import as_operator
from scipy.sparse.linalg import LinearOperator, aslinearoperator
from sklearn.neighbors import NearestNeighbors

T = [1, 2, 5]
pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

N = 900
X = np.random.default_rng(0).normal(size=(N, 4)) + 4.0 * np.repeat(np.arange(3), 300)[:, None]
DISTANCES = np.linalg.norm(X[:, None] - X, axis=-1)
AFFINITY = np.exp(-(DISTANCES**2) / 2)
FORCED = Stochastic(tol=3e-2, t=T, max_products=100_000, memory_limit=12_000_000)


def normalized(G, alpha=0.0):
    for power in (alpha, 0.5):
        scale = G.sum(axis=1) ** -power
        G = G * np.outer(scale, scale)
    return G


def entropies(eigenvalues, t=T):
    return Spectrum(eigenvalues).entropy(t)


def graph_affinity(distances, k, sigma):
    """As the definition has it, in plain NumPy."""
    order = np.argsort(distances + np.diag(np.full(len(distances), np.inf)), axis=1, kind="stable")[:, :k]
    near = np.eye(len(distances), dtype=bool)
    near[np.arange(len(distances))[:, None], order] = True
    sigma = np.broadcast_to(sigma, len(distances))
    return np.where(near | near.T, np.exp(-(distances**2) / (2 * np.outer(sigma, sigma))), 0.0)


def agrees(estimate, exact):
    assert type(estimate) is EstimatedSpectrum
    lower, upper = estimate.bounds(T)
    error, allowed = np.abs(estimate.entropy(T) - exact), 4 * estimate.standard_error(T) + 1e-9
    assert ((lower - allowed <= exact) & (exact <= upper + allowed)).all()
    assert (error < 0.1).all()


# ---- the graph of neighbours


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("bandwidth", [1.5, "knn", "array"])
def test_the_sparse_diffusion_operator_is_its_definition(alpha, bandwidth):
    k = 7
    sigma = {"knn": np.sort(DISTANCES, axis=1)[:, k], "array": 1 + np.arange(N) / N}.get(bandwidth, bandwidth)
    K = normalized(graph_affinity(DISTANCES, k, sigma), alpha)
    spectrum = diffusion_spectrum(
        X, graph="knn", n_neighbors=k, bandwidth=sigma if bandwidth == "array" else bandwidth, alpha=alpha
    )
    expected = np.sort(np.abs(np.linalg.eigvalsh(K)))[::-1]
    assert spectrum.eigenvalues == pytest.approx(expected, abs=1e-12)
    assert spectrum.parameters["graph"] == "knn"


@pytest.mark.parametrize("metric", ["cosine", "precomputed"])
def test_graphs_of_other_distances(metric):
    rows = X - 20
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    distances = np.linalg.norm(directions[:, None] - directions, axis=-1) if metric == "cosine" else DISTANCES
    spectrum = diffusion_spectrum(
        rows if metric == "cosine" else DISTANCES, graph="knn", n_neighbors=5, bandwidth=0.3, metric=metric
    )
    K = normalized(graph_affinity(distances, 5, 0.3))
    assert spectrum.entropy(T) == pytest.approx(entropies(np.linalg.eigvalsh(K)), abs=1e-9)


def test_neighbors_can_be_passed_in():
    own = diffusion_spectrum(X, graph="knn", n_neighbors=6, bandwidth=1.0)
    found = NearestNeighbors(n_neighbors=6).fit(X)
    of_sklearn = found.kneighbors_graph(mode="distance")
    with_self = NearestNeighbors(n_neighbors=7).fit(X).kneighbors_graph(X, mode="distance")
    for neighbors in [nearest_neighbors(X, 6), of_sklearn, sp.coo_matrix(of_sklearn), sp.csr_array(with_self)]:
        spectrum = diffusion_spectrum(X, graph="knn", neighbors=neighbors, bandwidth=1.0)
        assert spectrum.eigenvalues == pytest.approx(own.eigenvalues, abs=1e-12)
        assert spectrum.parameters["neighbors"] == "given"


def test_the_self_tuning_bandwidth_is_that_of_the_neighbors():
    own = diffusion_spectrum(X, graph="knn", n_neighbors=6, bandwidth="knn")
    given = diffusion_spectrum(X, graph="knn", neighbors=nearest_neighbors(X, 6), bandwidth="knn")
    assert own.eigenvalues == pytest.approx(given.eigenvalues, abs=1e-12)
    assert own.parameters["rule"] == "knn"


def test_duplicates_are_neighbors_at_no_distance():
    rows = np.repeat(np.arange(20.0)[:, None] * 100, 5, axis=0)
    spectrum = diffusion_spectrum(rows, graph="knn", n_neighbors=4, bandwidth="knn")
    assert spectrum.entropy() == pytest.approx(np.log2(20), abs=1e-9)
    zeros = NearestNeighbors(n_neighbors=4).fit(rows).kneighbors_graph(mode="distance")
    assert diffusion_spectrum(rows, graph="knn", neighbors=zeros, bandwidth=1.0).entropy() == pytest.approx(
        np.log2(20), abs=1e-9
    )


def test_sparse_estimates_are_near_and_say_how():
    exact = diffusion_spectrum(X, graph="knn", n_neighbors=30, bandwidth=2.0)
    estimate = diffusion_spectrum(X, graph="knn", n_neighbors=30, bandwidth=2.0, solver=FORCED)
    agrees(estimate, exact.entropy(T))
    assert "through the square" in repr(estimate)
    one, two = (
        diffusion_spectrum(X, graph="knn", n_neighbors=30, bandwidth=2.0, solver=FORCED, num_threads=threads)
        for threads in (1, 2)
    )
    assert np.array_equal(one.entropy(T), two.entropy(T))


@pytest.mark.parametrize(
    ("options", "argument", "error"),
    [
        ({"graph": "ring"}, "graph", ValueError),
        ({"graph": "knn", "n_neighbors": N}, "n_neighbors", ValueError),
        ({"graph": "knn", "metric": "affinity"}, "metric", ValueError),
        ({"neighbors": sp.eye(N)}, "neighbors", ValueError),
        ({"graph": "knn", "neighbors": sp.eye(3)}, "neighbors", ValueError),
        ({"graph": "knn", "neighbors": 3}, "neighbors", TypeError),
        ({"graph": "knn", "neighbors": (np.ones((3, 2)), np.ones((3, 2), int))}, "neighbors", ValueError),
        ({"graph": "knn", "neighbors": (np.ones((N, 2)), np.full((N, 2), N))}, "neighbors", ValueError),
        ({"graph": "knn", "neighbors": (np.ones((N, 2)), np.ones((N, 2)))}, "neighbors", ValueError),
        ({"graph": "knn", "neighbors": (-np.ones((N, 2)), np.ones((N, 2), int))}, "neighbors", ValueError),
        ({"graph": "knn", "neighbors": (np.ones((N, 2)), np.ones((N, 2), int))}, "neighbors", ValueError),
        ({"graph": "knn", "neighbors": -sp.csr_array(AFFINITY)}, "neighbors", ValueError),
    ],
)
def test_bad_graphs_are_named(options, argument, error):
    data = AFFINITY if options.get("metric") == "affinity" else X
    with pytest.raises(error, match=rf"\b{argument}\b"):
        diffusion_spectrum(data, bandwidth=1.0, **options)


# ---- distances, affinities and bandwidths whose operators may have negative eigenvalues


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (X, {"bandwidth": "knn"}),
        (X, {"bandwidth": 1 + np.arange(N) / N, "alpha": 0.5}),
        (DISTANCES**1.5, {"bandwidth": 3.0, "metric": "precomputed"}),
        (1 / (1 + DISTANCES**3), {"metric": "affinity"}),
    ],
)
@pytest.mark.parametrize("storage", ["auto", "tiled"])
def test_operators_that_may_have_negative_eigenvalues(data, options, storage):
    exact = diffusion_spectrum(data, **options)
    limit = FORCED.memory_limit if storage == "tiled" else None
    forced = replace(FORCED, storage=storage, memory_limit=limit)
    estimate = diffusion_spectrum(data, **options, solver=forced)
    if storage == "tiled":
        agrees(estimate, exact.entropy(T))
        assert "through the square" in repr(estimate)
    else:
        assert estimate.entropy(T) == pytest.approx(exact.entropy(T), abs=4e-2)


@pytest.mark.parametrize("graph", ["gaussian", "affinity", "union", "mutual", "mean", "precomputed"])
def test_adjacency_spectra(graph):
    if graph in ("gaussian", "affinity"):
        data, options = (X, {"bandwidth": 1.0}) if graph == "gaussian" else (AFFINITY, {"metric": "affinity"})
    elif graph == "precomputed":
        data, options = DISTANCES, {"graph": "knn", "symmetrize": "union", "n_neighbors": 12, "metric": graph}
    else:
        data, options = X, {"graph": "knn", "symmetrize": graph, "n_neighbors": 12}
    exact = adjacency_spectrum(data, **options)
    agrees(adjacency_spectrum(data, **options, solver=FORCED), exact.entropy(T))
    quick = adjacency_spectrum(data, **options, solver=Stochastic(tol=1e-6))  # by eigenvalues
    assert quick.entropy(T) == pytest.approx(exact.entropy(T), abs=1e-9)


def test_a_graph_that_is_not_symmetric_has_no_estimate():
    with pytest.raises(ValueError, match="symmetrize must not be None"):
        adjacency_spectrum(X, graph="knn", solver="stochastic")


# ---- sparse matrices, and objects that multiply


class Multiplying:
    """No more than what is asked for."""

    def __init__(self, matrix):
        self.matrix, self.shape = matrix, matrix.shape

    def matmat(self, block):
        return self.matrix @ block


GIVEN = [
    sp.csr_matrix,
    sp.coo_array,
    Multiplying,
    aslinearoperator,
    lambda matrix: Multiplying(matrix.astype(np.float32)),
]


@pytest.mark.parametrize("kind", GIVEN)
def test_operators_in_place_of_affinities(kind):
    G = np.where(AFFINITY > 0.3, AFFINITY, 0)
    given = kind(G)
    tolerance = 1e-5 if getattr(getattr(given, "matrix", G), "dtype", G.dtype) == np.float32 else 1e-10
    for alpha in (0.0, 0.7):
        exact = entropies(np.linalg.eigvalsh(normalized(G, alpha)))
        spectrum = diffusion_spectrum(given, metric="affinity", alpha=alpha)
        assert type(spectrum) is Spectrum
        assert spectrum.entropy(T) == pytest.approx(exact, abs=tolerance)
        agrees(diffusion_spectrum(given, metric="affinity", alpha=alpha, solver=FORCED), exact)
    exact = entropies(np.linalg.eigvalsh(G))
    assert adjacency_spectrum(given, metric="affinity").entropy(T) == pytest.approx(exact, abs=tolerance)
    agrees(adjacency_spectrum(given, metric="affinity", solver=FORCED), exact)


@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_products_with_the_diffusion_operator_of_an_object(alpha):
    G = 2.0**40 * AFFINITY
    given = as_operator(Multiplying(G), "X", affinities=True)
    eigenvalues = _core.operator_eigenvalues(given.core(alpha=alpha))
    assert eigenvalues == pytest.approx(np.linalg.eigvalsh(normalized(G, alpha)), abs=1e-12)
    assert eigenvalues[-1] == pytest.approx(1, abs=1e-13)


def test_products_of_an_object_have_a_unit_near_1():
    """A power of two, so that no bit is lost. The core calls them from a thread of its own."""
    block = np.random.default_rng(1).normal(size=(N, 3))
    for exponent in (-300, 40, 300):
        given = as_operator(Multiplying(2.0**exponent * AFFINITY), "X", affinities=True)
        products = given.product(block)
        assert np.array_equal(products * 2.0 ** (given.exponent - exponent), AFFINITY @ block)
        assert 1e-6 < np.abs(products).max() < 1e2


def test_what_a_dtype_rounds_is_no_asymmetry():
    G = np.where(AFFINITY > 0.3, AFFINITY, 0).astype(np.float32)
    G[0, 1] *= 1 + 1e-6
    spectrum = diffusion_spectrum(sp.csr_array(G), metric="affinity")
    expected = entropies(np.linalg.eigvalsh(normalized((G.astype(float) + G.T) / 2)))
    assert spectrum.entropy(T) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e150])
@pytest.mark.parametrize("kind", [np.asarray, *GIVEN[:4]])
def test_kernels(kind, scale):
    K = X @ X.T + 0.1 * np.eye(N)
    exact = entropies(np.linalg.eigvalsh(K))
    given = kind(scale * K)
    single = getattr(getattr(given, "matrix", K), "dtype", K.dtype) == np.float32
    assert kernel_spectrum(given).entropy(T) == pytest.approx(exact, abs=1e-4 if single else 1e-10)
    room = 10_000_000 if sp.issparse(given) else 0
    agrees(kernel_spectrum(given, solver=replace(FORCED, memory_limit=12_000_000 + room)), exact)


@pytest.mark.parametrize("scale", [1e-200, 1e-13, 1e150])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, aslinearoperator])
def test_the_scale_of_affinities_has_no_effect(kind, scale):
    G = np.where(AFFINITY > 0.3, AFFINITY, 0)
    room = {"memory_limit": 15_000_000 if kind is sp.csr_array else 12_000_000}
    for function, options in [(adjacency_spectrum, {}), (diffusion_spectrum, {"alpha": 1.0})]:
        one, other = (
            function(kind(factor * G), metric="affinity", **options, solver=replace(FORCED, **room))
            for factor in (1.0, scale)
        )
        agrees(other, one.entropy(T))


def test_blocks_of_affinities_may_differ_by_decades():
    G = np.zeros((N, N))
    G[:450, :450], G[450:, 450:] = AFFINITY[:450, :450], 1e-16 * AFFINITY[450:, 450:]
    exact = diffusion_spectrum(G, metric="affinity").entropy(T)
    agrees(diffusion_spectrum(G, metric="affinity", solver=FORCED), exact)


def test_a_zero_operator_is_refused():
    zero = aslinearoperator(np.zeros((N, N)))
    for solver in ["exact", FORCED, "stochastic"]:
        with pytest.raises(ValueError, match="X must not be zero"):
            adjacency_spectrum(zero, metric="affinity", solver=solver)


def test_low_rank_ends_early_and_is_as_good_as_exact():
    K = X @ X.T
    spectrum = kernel_spectrum(aslinearoperator(K), solver=replace(FORCED, tol=1e-3))
    assert spectrum.parameters["products"] < 100
    assert spectrum.entropy(T) == pytest.approx(entropies(np.linalg.eigvalsh(K)), abs=1e-6)
    low = np.diag([3.0, -2.0, 1.0] + [0.0] * 500)
    spectrum = adjacency_spectrum(aslinearoperator(low), metric="affinity", solver=replace(FORCED, tol=1e-3))
    assert spectrum.entropy(T) == pytest.approx(entropies([3, 2, 1]), abs=1e-6)


def test_files_know_sparse_matrices_and_no_objects(tmp_path):
    G = sp.csr_array(np.where(AFFINITY > 0.3, AFFINITY, 0))
    spectrum = diffusion_spectrum(G, metric="affinity", solver=FORCED)
    spectrum.save(tmp_path / "sparse")
    loaded = Spectrum.load(tmp_path / "sparse", X=sp.coo_array(G))
    assert np.array_equal(loaded.entropy(T), spectrum.entropy(T))
    assert repr(loaded) == repr(pickle.loads(pickle.dumps(spectrum)))
    with pytest.raises(ValueError, match="made from other data"):
        Spectrum.load(tmp_path / "sparse", X=2 * G)
    diffusion_spectrum(aslinearoperator(G), metric="affinity").save(tmp_path / "object")
    with pytest.raises(ValueError, match="made from other data"):
        Spectrum.load(tmp_path / "object", X=aslinearoperator(G))


@pytest.mark.parametrize(
    ("given", "text", "error"),
    [
        (sp.csr_array(np.ones((3, 2))), "X must be square", ValueError),
        (sp.csr_array(np.triu(np.ones((3, 3)))), "X must be symmetric", ValueError),
        (sp.csr_array(-np.ones((3, 3))), "X must not be negative", ValueError),
        (sp.csr_array(np.diag([1.0, 0.0, 1.0])), "X must have a positive entry in each row", ValueError),
        (sp.csr_array(np.full((3, 3), np.inf)), "X must be finite", ValueError),
        (sp.csr_array(np.eye(3, dtype=complex)), "X must hold real numbers", TypeError),
        (aslinearoperator(np.ones((3, 2))), "X must have a square shape", ValueError),
        (aslinearoperator(np.triu(np.ones((9, 9)))), "X must be symmetric", ValueError),
        (aslinearoperator(1j * np.eye(3)), "must return real numbers", TypeError),
        (aslinearoperator(np.full((3, 3), np.nan)), "must return finite numbers", ValueError),
        (aslinearoperator(-np.eye(3)), "X must have positive row sums", ValueError),
    ],
)
def test_bad_operators_are_named(given, text, error):
    with pytest.raises(error, match=text):
        diffusion_spectrum(given, metric="affinity")


def test_kernels_with_negative_eigenvalues_are_refused():
    K = np.diag(np.r_[-1.0, np.ones(N - 1)])
    for kind in [np.asarray, sp.csr_array, aslinearoperator]:
        for solver in ["exact", FORCED, Stochastic(tol=1e-9)]:
            with pytest.raises(ValueError, match="K must be positive semi-definite"):
                kernel_spectrum(kind(K), solver=solver)
    for kind in [sp.csr_array, aslinearoperator]:
        with pytest.raises(ValueError, match="K must not be zero"):
            kernel_spectrum(kind(np.zeros((5, 5))))
        with pytest.raises(ValueError, match="K must not be zero"):
            kernel_spectrum(kind(np.zeros((900, 900))), solver=FORCED)


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({}, "metric"),
        ({"metric": "affinity", "max_samples": 3}, "max_samples"),
        ({"metric": "affinity", "graph": "knn"}, "graph"),
    ],
)
@pytest.mark.parametrize("function", [diffusion_spectrum, adjacency_spectrum])
def test_operators_are_affinities_of_all_rows(function, options, argument):
    with pytest.raises(ValueError, match=rf"{argument} must be"):
        function(sp.eye(9).tocsr(), **options)


def _raise():
    raise KeyError("no more")


@pytest.mark.parametrize(
    ("result", "error", "text"),
    [
        (lambda block: _raise(), KeyError, "no more"),
        (lambda block: block[:-1], ValueError, "matmat must return shape"),
        (lambda block: block * np.nan, ValueError, "matmat must return finite numbers"),
        (lambda block: block * 1j, TypeError, "must return real numbers"),
    ],
)
@pytest.mark.parametrize("solver", ["exact", "stochastic"])
def test_what_matmat_raises_is_raised(result, error, text, solver):
    operator = Multiplying(np.eye(50))
    operator.matmat = lambda block: block if block.shape[1] <= 2 else result(block)
    with pytest.raises(error, match=text):
        kernel_spectrum(operator, solver=solver)


ROWS = np.random.default_rng(0).normal(size=(6000, 4))
ENDLESS = Stochastic(tol=1e-6, max_products=10**9, memory_limit=120_000_000)


def _slowly(block):
    time.sleep(0.01)
    return block * np.linspace(0.1, 1, len(block))[:, None]


@pytest.mark.changes_process  # sends a signal
@pytest.mark.parametrize(
    "endless",
    [
        lambda: kernel_spectrum(
            LinearOperator((6000, 6000), matvec=_slowly, matmat=_slowly, dtype=float), solver=ENDLESS
        ),
        lambda: diffusion_spectrum(ROWS, bandwidth=1.0, graph="knn", solver=ENDLESS),
        lambda: diffusion_spectrum(ROWS, bandwidth=0.3, solver=replace(ENDLESS, storage="tiled")),
    ],
    ids=["given", "sparse", "tiled"],
)
def test_ctrl_c_is_heard(endless):
    def interrupt():
        if not over.wait(1.0):
            signal.raise_signal(signal.SIGINT)

    found = signal.signal(signal.SIGINT, signal.default_int_handler)
    over, thread = threading.Event(), threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            endless()
    finally:
        over.set()
        thread.join()
        signal.signal(signal.SIGINT, found)


def test_few_rows():
    for n in (2, 3, 20):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimate = diffusion_spectrum(X[:n], graph="knn", n_neighbors=1, bandwidth=1.0, solver=FORCED)
        exact = diffusion_spectrum(X[:n], graph="knn", n_neighbors=1, bandwidth=1.0)
        assert estimate.entropy(T) == pytest.approx(exact.entropy(T), abs=1e-6)
