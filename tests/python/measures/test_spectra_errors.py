"""Bad arguments of the functions that are not the reference's: a clear error that names the argument."""

import dsentropy
import ml_dtypes
import numpy as np
import pytest

N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
DISTANCES = np.linalg.norm(X[:, None] - X[None], axis=-1)
LABELS = np.repeat([0, 1], N // 2)
ARGUMENTS = {
    "diffusion_spectrum": {},
    "adjacency_spectrum": {},
    "entropy_surface": {"bandwidths": [1.0]},
    "mutual_information": {"target": LABELS},
    "subsampled_entropy": {"n_samples": 20},
    "estimate_bandwidth": {},
    "covariance_spectrum": {},
}
KERNELS = [name for name in ARGUMENTS if name not in ("estimate_bandwidth", "covariance_spectrum")]
SAMPLED = ["diffusion_spectrum", "adjacency_spectrum", "entropy_surface", "covariance_spectrum"]

every_function = pytest.mark.parametrize("function", ARGUMENTS)


def call(function, data=X, **arguments):
    return getattr(dsentropy, function)(data, **{**ARGUMENTS[function], **arguments})


def refused(error, argument, function, data=X, **arguments):
    with pytest.raises(error, match=rf"\b{argument}\b") as caught:
        call(function, data, **arguments)
    assert caught.type is error


def changed(matrix, i, j, value):
    copy = matrix.copy()
    copy[i, j] = value
    return copy


@every_function
@pytest.mark.parametrize(
    ("data", "error"),
    [
        (changed(X, 7, 2, np.nan), ValueError),
        (changed(X, 7, 2, np.inf), ValueError),
        (X[:, 0], ValueError),
        (X[:0], ValueError),
        (X[:, :0], ValueError),
        (X + 1j, TypeError),
        (np.full((3, 3), "a"), TypeError),
        (None, TypeError),
    ],
    ids=["nan", "inf", "vector", "no rows", "no columns", "complex", "strings", "none"],
)
def test_data_that_are_none_are_named(function, data, error):
    refused(error, "X", function, data)


@every_function
@pytest.mark.parametrize("value", [0, -1, 1.5, "2", True])
def test_threads_are_a_positive_integer(function, value):
    refused(
        ValueError if value in (0, -1) and value is not True else TypeError,
        "num_threads",
        function,
        num_threads=value,
    )


@pytest.mark.parametrize("function", KERNELS)
@pytest.mark.parametrize(
    ("bandwidth", "error"),
    [
        (0, ValueError),
        (-1.0, ValueError),
        (np.nan, ValueError),
        (np.inf, ValueError),
        ("mean", ValueError),
        (True, TypeError),
        (1j, TypeError),
        (np.ones(N - 1), ValueError),
        (np.ones((N, 1)), ValueError),
        (changed(np.ones((1, N)), 0, 3, 0.0)[0], ValueError),
        (lambda rows: 0.0, ValueError),
        (lambda rows: np.ones(3), ValueError),
        (lambda rows: "median", TypeError),
    ],
)
def test_bandwidths_are_positive_one_or_one_a_row(function, bandwidth, error):
    argument = {"bandwidths": [bandwidth]} if function == "entropy_surface" else {"bandwidth": bandwidth}
    refused(error, *argument, function, **argument)


def test_a_surface_has_no_default_bandwidth():
    for bandwidths in (None, [None], [1.0, None]):
        refused(TypeError, "bandwidths", "entropy_surface", bandwidths=bandwidths)


def test_a_fault_of_the_callable_is_its_own():
    def fails(rows):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        call("diffusion_spectrum", bandwidth=fails)


@pytest.mark.parametrize("function", KERNELS)
@pytest.mark.parametrize(("n_neighbors", "error"), [(0, ValueError), (N, ValueError), (2.0, TypeError)])
def test_neighbors_are_fewer_than_rows(function, n_neighbors, error):
    bandwidth = {"bandwidths": "knn"} if function == "entropy_surface" else {"bandwidth": "knn"}
    refused(error, "n_neighbors", function, n_neighbors=n_neighbors, **bandwidth)


@pytest.mark.parametrize(
    "function", [name for name in KERNELS if name not in ("adjacency_spectrum", "entropy_surface")]
)
@pytest.mark.parametrize(
    ("alpha", "error"), [(-0.1, ValueError), (1.1, ValueError), (np.nan, ValueError), ("0", TypeError)]
)
def test_alpha_is_from_0_to_1(function, alpha, error):
    refused(error, "alpha", function, alpha=alpha)


@pytest.mark.parametrize("function", [*KERNELS, "estimate_bandwidth"])
def test_metrics_are_known(function):
    refused(ValueError, "metric", function, metric="manhattan")
    refused(TypeError, "metric", function, metric=None)


@pytest.mark.parametrize("function", [*KERNELS, "estimate_bandwidth"])
@pytest.mark.parametrize(
    ("data", "metric"),
    [
        (X, "precomputed"),
        (changed(DISTANCES, 3, 5, 9.0), "precomputed"),
        (changed(DISTANCES, 3, 3, 1.0), "precomputed"),
        (-DISTANCES, "precomputed"),
        (changed(DISTANCES, 3, 5, np.nan), "precomputed"),
        (changed(X, slice(4, 5), slice(None), 0.0), "cosine"),
    ],
    ids=["not square", "not symmetric", "diagonal", "negative", "nan", "zero row"],
)
def test_pairs_and_directions_are_checked(function, data, metric):
    refused(ValueError, "X", function, data, metric=metric)


@pytest.mark.parametrize("function", ["diffusion_spectrum", "adjacency_spectrum", "mutual_information"])
def test_affinities_are_checked(function):
    G = np.exp(-DISTANCES)
    zero_row = G.copy()
    zero_row[4] = zero_row[:, 4] = 0
    for bad in [X, -G, changed(G, 3, 5, 0.0), zero_row]:
        refused(ValueError, "X", function, bad, metric="affinity")


def test_where_distances_are_needed_affinities_are_refused():
    G = np.exp(-DISTANCES)
    refused(ValueError, "metric", "entropy_surface", G, metric="affinity")
    refused(ValueError, "metric", "estimate_bandwidth", G, metric="affinity")
    refused(ValueError, "metric", "adjacency_spectrum", G, metric="affinity", graph="knn")


@pytest.mark.parametrize("function", SAMPLED)
@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (1.5, TypeError), (True, TypeError)])
def test_samples_are_a_positive_integer(function, value, error):
    refused(error, "max_samples", function, max_samples=value)


@every_function
def test_random_state_is_an_integer_or_none(function):
    refused(TypeError, "random_state", function, random_state="0")
    refused(TypeError, "random_state", function, random_state=1.0)


@every_function
@pytest.mark.changes_process  # Python's global generator, from which subsets come then
def test_random_state_may_be_none(function):
    call(function, random_state=None)


@pytest.mark.parametrize(
    "function", ["diffusion_spectrum", "entropy_surface", "mutual_information", "subsampled_entropy"]
)
def test_precision_is_known(function):
    refused(ValueError, "precision", function, precision="half")


@pytest.mark.parametrize("function", ["entropy_surface", "mutual_information", "subsampled_entropy"])
@pytest.mark.parametrize(
    ("t", "error"), [(-1, ValueError), ([1, np.inf], ValueError), ([], ValueError), ("1", TypeError)]
)
def test_times_are_at_least_0(function, t, error):
    refused(error, "t", function, t=t)


@pytest.mark.parametrize(
    ("function", "arguments", "argument"),
    [
        ("adjacency_spectrum", {"graph": "epsilon"}, "graph"),
        ("adjacency_spectrum", {"graph": "knn", "symmetrize": "or"}, "symmetrize"),
        ("adjacency_spectrum", {"symmetrize": "union"}, "symmetrize"),
        ("adjacency_spectrum", {"graph": "knn", "n_neighbors": N}, "n_neighbors"),
        ("entropy_surface", {"bandwidths": []}, "bandwidths"),
        ("entropy_surface", {"orders": [-1]}, "orders"),
        ("entropy_surface", {"alphas": [2]}, "alphas"),
        ("mutual_information", {"n_repeats": 0}, "n_repeats"),
        ("mutual_information", {"n_permutations": -1}, "n_permutations"),
        ("mutual_information", {"n_clusters": 0, "target": X[:, 0]}, "n_clusters"),
        ("mutual_information", {"target": LABELS[1:]}, "target"),
        ("mutual_information", {"target": changed(X, 0, 0, np.nan)[:, 0]}, "target"),
        ("mutual_information", {"target": X, "target_discrete": True, "n_clusters": 3}, "n_clusters"),
        ("subsampled_entropy", {"n_samples": 0}, "n_samples"),
        ("subsampled_entropy", {"n_samples": N + 1}, "n_samples"),
        ("subsampled_entropy", {"n_repeats": 1}, "n_repeats"),
        ("subsampled_entropy", {"confidence": 1.0}, "confidence"),
        ("subsampled_entropy", {"order": -1}, "order"),
        ("estimate_bandwidth", {"rule": "mean"}, "rule"),
        ("estimate_bandwidth", {"rule": "knn", "n_neighbors": N}, "n_neighbors"),
    ],
)
def test_values_out_of_range_are_named(function, arguments, argument):
    refused(ValueError, argument, function, **arguments)


def test_errors_of_lengths_name_both_arguments():
    with pytest.raises(ValueError, match=r"^target must be as long as X, 40, got 39"):
        dsentropy.mutual_information(X, LABELS[1:])


@pytest.mark.parametrize(
    "K", [X, -np.eye(3), np.zeros((3, 3)), np.diag([1.0, -0.1]), changed(np.eye(4), 0, 1, 0.5), [[np.nan]]], ids=str
)
def test_kernels_are_symmetric_and_positive_semi_definite(K):
    with pytest.raises(ValueError, match=r"^K must"):
        dsentropy.kernel_spectrum(K)


@pytest.mark.parametrize("data", [np.ones((5, 3)), np.ones((1, 3)), [[1e200, 0.0], [-1e200, 0.0]]], ids=str)
def test_covariances_need_rows_that_differ_and_finite_squares(data):
    with pytest.raises(ValueError, match=r"^X must have"):
        dsentropy.covariance_spectrum(data)


@pytest.mark.parametrize("scale", [1e170, 1e-170])
def test_the_scale_that_the_error_of_a_covariance_names_keeps_the_entropies(scale):
    X = np.random.default_rng(0).normal(size=(50, 4))
    given = X * scale
    with pytest.raises(ValueError, match=r"squares are finite and not zero.* X / np.abs\(X\).max\(\) has"):
        dsentropy.covariance_spectrum(given)
    found = dsentropy.covariance_spectrum(given / np.abs(given).max()).entropy()
    assert found == pytest.approx(dsentropy.covariance_spectrum(X).entropy(), rel=1e-13)


@pytest.mark.linux
@pytest.mark.parametrize("function", ["diffusion_spectrum", "entropy_surface", "subsampled_entropy"])
def test_too_little_memory_is_said_before_any_work(function):
    many = np.zeros((300_000, 1), dtype=np.float32)
    arguments = {"bandwidths": [1.0]} if function == "entropy_surface" else {"bandwidth": 1.0}
    if function == "subsampled_entropy":
        arguments["n_samples"] = 299_999
    with pytest.raises(MemoryError, match="rows need"):
        getattr(dsentropy, function)(many, **arguments)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("mutual_information", {"target": [0, 0, 0, 1, 1, 1]}),
        ("subsampled_entropy", {"n_samples": 3}),
        ("diffusion_spectrum", {"max_samples": 3}),
    ],
)
def test_rows_without_an_affinity_within_a_subset_are_named(function, arguments):
    pairs = np.roll(np.eye(6), 3, axis=0)
    refused(ValueError, "X", function, pairs, metric="affinity", **arguments)


def test_affinities_of_any_range_have_an_operator():
    for small in [1e-300, 1e-310]:
        spectrum = dsentropy.diffusion_spectrum(np.diag([1e300, small]), metric="affinity")
        assert spectrum.eigenvalues == pytest.approx([1, 1])


def test_rounding_of_half_precision_is_no_fault_of_a_kernel():
    rows = np.random.default_rng(0).normal(size=(50, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    exact = rows @ rows.T
    K = exact.astype(np.float16)
    K[3, 4] = np.nextafter(K[3, 4], np.float16(2))
    for given in [K, exact.astype(ml_dtypes.bfloat16)]:
        rank = dsentropy.kernel_spectrum(given).effective_rank()
        assert rank == pytest.approx(dsentropy.kernel_spectrum(exact).effective_rank(), rel=0.1)
    with pytest.raises(ValueError, match=r"^K must"):
        dsentropy.kernel_spectrum(np.full((4, 4), 1.7e308))


@pytest.mark.parametrize("value", [0.1, 0.3, 1e8 + 0.1])
def test_equal_rows_have_no_covariance(value):
    for n in [1, 3, 7, 10]:
        with pytest.raises(ValueError, match=r"^X must have rows that differ"):
            dsentropy.covariance_spectrum(np.full((n, 2), value))
    with pytest.raises(ValueError, match=r"^X must have a scale"):
        dsentropy.covariance_spectrum(1e-200 * X)


@pytest.mark.parametrize("value", [1.0, True, "1", None])
def test_permutations_are_an_integer(value):
    refused(TypeError, "n_permutations", "mutual_information", n_permutations=value)
