"""An argument that plays no part in a call is refused where it was given, with its name and the reason."""

import builtins

import dask.array as da
import numpy as np
import pytest
import scipy.sparse as sp
from dsentropy import (
    Stochastic,
    adjacency_spectrum,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
    kernel_spectrum,
    mutual_information,
    nearest_neighbors,
    subsampled_entropy,
)

N = 60
X = np.random.default_rng(0).normal(size=(N, 3))
D = np.linalg.norm(X[:, None] - X, axis=-1)
G = np.exp(-(D**2) / 2)
LABELS = np.arange(N) % 2
EACH = np.full(N, 1.0)
NEIGHBORS = nearest_neighbors(X, 5)

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


def gram(K, **options):
    return kernel_spectrum(K @ K.T, **options)


def surface(X, bandwidths=1.0, **options):
    return entropy_surface(X, bandwidths, **options)


def information(X, target=LABELS, **options):
    return mutual_information(X, target, n_repeats=2, **options)


def subsampled(X, **options):
    return subsampled_entropy(X, n_samples=20, n_repeats=2, **options)


ONE_BANDWIDTH = [diffusion_spectrum, adjacency_spectrum, information, subsampled]
IN_PRECISIONS = [diffusion_spectrum, surface, information, subsampled]
AFFINITY = {"metric": "affinity"}
GRAPH = {"graph": "knn"}


def refused(argument, function, data=X, **options):
    with pytest.raises(ValueError, match=rf"^{argument} must ") as caught:
        function(data, **options)
    assert " where " in str(caught.value)


@pytest.mark.parametrize("bandwidth", [None, "median", 1.0, EACH, lambda rows: 1.0])
@pytest.mark.parametrize("function", ONE_BANDWIDTH)
def test_n_neighbors_without_a_bandwidth_that_follows_neighbors(function, bandwidth):
    refused("n_neighbors", function, n_neighbors=5, bandwidth=bandwidth)
    function(X, n_neighbors=5, bandwidth="knn")


def test_n_neighbors_of_surfaces_and_of_an_estimated_bandwidth():
    refused("n_neighbors", surface, bandwidths=[1.0, "median"], n_neighbors=5)
    surface(X, bandwidths=[1.0, "knn"], n_neighbors=5)
    refused("n_neighbors", estimate_bandwidth, n_neighbors=5)
    refused("n_neighbors", estimate_bandwidth, rule="median", n_neighbors=15)


def test_n_neighbors_are_15_by_default():
    for function, options in [
        (diffusion_spectrum, {"bandwidth": "knn"}),
        (diffusion_spectrum, GRAPH),
        (adjacency_spectrum, {**GRAPH, "symmetrize": "union"}),
    ]:
        one, other = (function(X, **options, **chosen) for chosen in ({}, {"n_neighbors": 15}))
        assert np.array_equal(one.eigenvalues, other.eigenvalues)
        assert one.parameters["n_neighbors"] == 15
    assert estimate_bandwidth(X, "knn") == estimate_bandwidth(X, "knn", n_neighbors=15)


@pytest.mark.parametrize("options", [{"bandwidth": 1.0}, {"bandwidth": "median"}, {"n_neighbors": 5}])
@pytest.mark.parametrize("function", ONE_BANDWIDTH)
def test_bandwidths_of_affinities(function, options):
    (argument,) = options
    refused(argument, function, G, **AFFINITY, **options)


@pytest.mark.parametrize("options", [{"bandwidth": 1.0}, {"n_neighbors": 5}, {"solver": Stochastic(storage="tiled")}])
@pytest.mark.parametrize("function", [diffusion_spectrum, adjacency_spectrum])
def test_arguments_that_an_operator_does_not_use(function, options):
    argument = "storage" if "solver" in options else next(iter(options))
    refused(argument, function, sp.csr_array(G), **AFFINITY, **options)


def test_arguments_that_a_graph_does_not_use():
    refused("bandwidth", adjacency_spectrum, graph="knn", bandwidth=1.0)
    refused("n_neighbors", diffusion_spectrum, graph="knn", neighbors=NEIGHBORS, n_neighbors=5)
    refused("n_neighbors", diffusion_spectrum, graph="knn", neighbors=NEIGHBORS, n_neighbors=5, bandwidth="knn")
    refused("neighbors", diffusion_spectrum, neighbors=NEIGHBORS)
    refused("max_samples", diffusion_spectrum, graph="knn", neighbors=NEIGHBORS, max_samples=30)
    refused("symmetrize", adjacency_spectrum, symmetrize="union")


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("function", IN_PRECISIONS)
def test_a_precision_of_an_estimate_which_chooses_its_own(function, precision):
    refused("precision", function, precision=precision, solver="stochastic")
    function(X, solver="stochastic")


@pytest.mark.parametrize("function", [diffusion_spectrum, information, subsampled])
def test_single_precision_of_kernels_whose_rounding_is_not_bounded(function):
    refused("precision", function, precision="single", bandwidth="knn")
    refused("precision", function, precision="single", bandwidth=EACH)
    refused("precision", function, D, metric="precomputed", precision="single")
    refused("precision", function, G, **AFFINITY, precision="single")


def test_single_precision_of_surfaces_graphs_and_operators():
    refused("precision", surface, bandwidths=["knn", EACH], precision="single")
    surface(X, bandwidths=["knn", 1.0], precision="single")
    refused("precision", surface, D, metric="precomputed", precision="single")
    refused("precision", diffusion_spectrum, **GRAPH, precision="single")
    refused("precision", diffusion_spectrum, sp.csr_array(G), **AFFINITY, precision="single")


@pytest.mark.parametrize("function", [diffusion_spectrum, information, subsampled])
@pytest.mark.parametrize("precision", ["auto", "double"])
def test_double_precision_is_true_of_every_exact_call(function, precision):
    function(X, precision=precision, bandwidth="knn")


def test_few_rows_may_be_asked_for_in_single_precision():
    """As documented, they are computed in double."""
    one, other = (diffusion_spectrum(X, precision=precision) for precision in ("single", "double"))
    assert np.array_equal(one.eigenvalues, other.eigenvalues)


def test_clusters_of_labels():
    refused("n_clusters", information, n_clusters=2)
    refused("n_clusters", information, target=X[:, 0], target_discrete=True, n_clusters=2)
    information(X, target=LABELS, target_discrete=False, n_clusters=2)
    ten, default = (information(X, target=X[:, 0], **options) for options in ({"n_clusters": 10}, {}))
    assert np.array_equal(ten.clusters, default.clusters)


def test_storage_is_a_choice_for_a_dense_kernel_matrix():
    exact = kernel_spectrum(X @ X.T).entropy()
    for storage in ("dense", "tiled"):
        assert kernel_spectrum(X @ X.T, solver=Stochastic(storage=storage)).entropy() == pytest.approx(
            exact, abs=1e-2
        )
    refused("storage", kernel_spectrum, sp.csr_array(G), solver=Stochastic(storage="tiled"))


@pytest.mark.parametrize(
    ("function", "data", "options"),
    [
        (diffusion_spectrum, sp.csr_array(G), AFFINITY),
        (adjacency_spectrum, sp.csr_array(G), AFFINITY),
        (kernel_spectrum, G, {}),
        (diffusion_spectrum, X, {}),
    ],
)
def test_a_seed_is_checked_by_the_exact_solver_too(function, data, options):
    with pytest.raises(TypeError, match=r"^random_state must be an integer or None"):
        function(data, random_state="x", **options)


def test_neighbors_of_a_dask_array():
    refused("n_neighbors", diffusion_spectrum, da.from_array(X), bandwidth=1.0, n_neighbors=3, solver="stochastic")


@pytest.mark.parametrize("function", [*ONE_BANDWIDTH, surface, gram])
def test_a_bar_that_cannot_be_shown_is_an_error_before_any_work(function, monkeypatch):
    load = builtins.__import__

    def without_tqdm(name, *arguments):
        if name.partition(".")[0] == "tqdm":
            raise ImportError(name)
        return load(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_tqdm)
    with pytest.raises(ImportError, match=r"progress=True needs tqdm: pip install 'dsentropy\[progress\]'"):
        function(np.full((3, 3), np.nan), progress=True)  # data would be an error of their own
    function(X, progress=False)
