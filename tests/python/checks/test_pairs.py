"""Matrices of all pairs: rounding of their dtype is repaired, and nothing else is."""

import numpy as np
import pytest
import scipy.sparse as sp
from dsentropy import adjacency_spectrum, diffusion_spectrum, kernel_spectrum, nearest_neighbors
from dsentropy._checks.pairs import as_affinities, as_distances, as_pairs, unit_roundoff

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")
DTYPES = [np.float16, np.float32, np.float64]


def rows(n=40, columns=5, dtype=np.float64, offset=0.0):
    X = np.random.default_rng(1).normal(size=(n, columns)) + offset
    X[1] = X[0]
    return X.astype(dtype)


def cosine_distances(dtype):
    X = rows(dtype=dtype)
    directions = X / np.linalg.norm(X, axis=1, keepdims=True)
    return 1 - directions @ directions.T


def gram_distances(dtype, columns=5, offset=0.0):
    X = rows(columns=columns, dtype=dtype, offset=offset)
    squares = (X * X).sum(axis=1)
    return np.sqrt(np.maximum(squares[:, None] + squares - 2 * (X @ X.T), 0))


def clean(distances):
    """Return what the repair is defined as, in float64."""
    upper = np.triu(np.maximum(distances.astype(np.float64), 0), 1)
    return upper + upper.T


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("graph", ["gaussian", "knn"])
def test_rounding_of_cosine_and_gram_distances_is_repaired(dtype, graph):
    for given in (cosine_distances(dtype), gram_distances(dtype), gram_distances(dtype, 300, 3.0)):
        before = given.copy()
        found = diffusion_spectrum(given, metric="precomputed", graph=graph)
        expected = diffusion_spectrum(clean(given).astype(given.dtype), metric="precomputed", graph=graph)
        assert (found.eigenvalues == expected.eigenvalues).all()
        assert (given == before).all()
    assert cosine_distances(dtype).min() < 0
    assert gram_distances(dtype, 300, 3.0).diagonal().any()


def test_asymmetry_within_rounding_takes_the_entry_above_the_diagonal():
    D = clean(gram_distances(np.float64))
    given = D.copy()
    given[7, 3] *= 1 + 4e-16
    for graph in ("gaussian", "knn"):
        found = adjacency_spectrum(given, metric="precomputed", graph=graph, symmetrize=None)
        assert (found.eigenvalues == adjacency_spectrum(D, metric="precomputed", graph=graph).eigenvalues).all()
    G = np.exp(-D)
    given = G.copy()
    given[7, 3] *= 1 + 4e-16
    found = diffusion_spectrum(given, metric="affinity")
    assert (found.eigenvalues == diffusion_spectrum(G, metric="affinity").eigenvalues).all()


def test_data_without_rounding_are_not_copied():
    D = clean(gram_distances(np.float64))
    assert as_distances(D, "X").matrix is D
    assert as_affinities(D + 1, "X").matrix.base is None
    pairs = as_pairs(D, "K")
    assert pairs.matrix is pairs.given is D


@pytest.mark.parametrize(("dtype", "noise"), [(np.float64, 1e-17), (np.float32, 1e-8), (np.float16, 1e-4)])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_affinities_that_rounding_made_negative_are_0(dtype, noise, container):
    if container is sp.csr_array and dtype is np.float16:
        pytest.skip("SciPy has no sparse matrices of float16")
    G = (np.eye(5) + 0.1).astype(dtype)
    G[0, 1] = G[1, 0] = 0
    given = G.copy()
    given[0, 1] = given[1, 0] = -noise
    assert given.min() < 0
    for function in (diffusion_spectrum, adjacency_spectrum):
        found = function(container(given), metric="affinity")
        assert (found.eigenvalues == function(container(G), metric="affinity").eigenvalues).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_given_neighbours_whose_distance_rounding_made_negative_are_at_0(dtype):
    X = rows(dtype=dtype)
    distances, indices = nearest_neighbors(X, 4)
    exact = distances.astype(dtype)
    exact[[0, 1], 0] = 0
    given = exact.copy()
    given[[0, 1], 0] = -1e-1 * np.sqrt(np.finfo(dtype).eps)
    found = diffusion_spectrum(X, graph="knn", neighbors=(given, indices))
    expected = diffusion_spectrum(X, graph="knn", neighbors=(exact, indices))
    assert (found.eigenvalues == expected.eigenvalues).all()
    if dtype is not np.float16:
        starts = np.arange(41) * 4
        graph = sp.csr_array((given.ravel(), indices.ravel(), starts), shape=(40, 40))
        found = diffusion_spectrum(X, graph="knn", neighbors=graph)
        assert found.eigenvalues == pytest.approx(expected.eigenvalues, abs=1e-12)


LINE = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))


def changed(matrix, i, j, value, mirrored=True):
    matrix = matrix.copy()
    matrix[i, j] = value
    if mirrored:
        matrix[j, i] = value
    return matrix


@pytest.mark.parametrize(
    ("given", "metric", "text"),
    [
        (changed(LINE, 2, 2, 1e-3), "precomputed", r"zeros on its diagonal, got 0.001 in row 2, .*fill_diagonal\(X"),
        (changed(LINE, 1, 2, -1e-3), "precomputed", r"not be negative, got -0.001 in row 1, column 2, .* clip"),
        (changed(LINE.astype(int), 1, 2, -1), "precomputed", r"not be negative, got -1.0 in row 1, column 2: clip"),
        (changed(LINE, 1, 2, 1.001, False), "precomputed", r"symmetric, got 1.001 and 1.0 for rows 1 and 2: \(X \+"),
        (changed(LINE.astype(int), 1, 2, 2, False), "precomputed", r"symmetric, got 2.0 and 1.0 for rows 1 and 2"),
        (changed(LINE + 1, 1, 2, -1e-3), "affinity", r"not be negative, got -0.001 in row 1, column 2, .* clip"),
        (changed(LINE + 1, 1, 2, 1e-3, False), "affinity", r"symmetric, got 0.001 and 2.0 for rows 1 and 2"),
        (sp.csr_array(changed(LINE + 1, 1, 2, -1e-3)), "affinity", r"not be negative, got -0.001 in row 1, column 2"),
        (sp.csr_array(changed(LINE + 1, 1, 2, 1e-3, False)), "affinity", r"symmetric, got 0.001 and 2.0 for rows 1"),
        (sp.csr_array(np.diag([1.0, 0.0])), "affinity", r"have a positive entry in each row, got none in row 1"),
    ],
)
def test_what_rounding_does_not_explain_is_an_error_that_names_the_entry(given, metric, text):
    with pytest.raises(ValueError, match=rf"^X must .*{text}"):
        diffusion_spectrum(given, metric=metric)


def test_neighbours_farther_below_0_than_rounding_are_an_error():
    X = rows()
    distances, indices = nearest_neighbors(X, 4)
    sparse = sp.csr_array((distances.ravel(), indices.ravel(), np.arange(41) * 4), shape=(40, 40))
    for wrong, explained in [(-0.1, r", and rounding explains -\S+: clip"), (np.nan, "$"), (np.inf, "$")]:
        distances[3, 1] = sparse.data[13] = wrong
        text = f"^neighbors must have finite distances that are not negative, got {wrong} in row 3, column"
        with pytest.raises(ValueError, match=rf"{text} 1{explained}"):
            diffusion_spectrum(X, graph="knn", neighbors=(distances, indices))
        with pytest.raises(ValueError, match=rf"{text} {indices[3, 1]}{explained}"):
            diffusion_spectrum(X, graph="knn", neighbors=sparse)
    with pytest.raises(ValueError, match="that are not negative, got dtype complex128"):
        diffusion_spectrum(X, graph="knn", neighbors=(distances + 0j, indices))


def test_noise_of_single_precision_in_numbers_of_float64_is_an_error_whose_way_out_works():
    X = rows()
    distances, indices = nearest_neighbors(X, 4)
    distances[3, 1] = -1e-6 * distances.max()
    noise = "clip what is noise to 0, or give the numbers in the dtype in which they were computed$"
    with pytest.raises(ValueError, match=noise):
        diffusion_spectrum(X, graph="knn", neighbors=(distances, indices))
    found = diffusion_spectrum(X, graph="knn", neighbors=(distances.astype(np.float32), indices))
    clipped = diffusion_spectrum(X, graph="knn", neighbors=(np.maximum(distances, 0), indices))
    assert found.entropy() == pytest.approx(clipped.entropy(), abs=1e-5)
    D = changed(LINE, 1, 2, -1e-6)
    with pytest.raises(ValueError, match=noise):
        diffusion_spectrum(D, metric="precomputed")
    found = diffusion_spectrum(D.astype(np.float32), metric="precomputed", bandwidth=1.0)
    clipped = diffusion_spectrum(np.maximum(D, 0), metric="precomputed", bandwidth=1.0)
    assert found.entropy() == pytest.approx(clipped.entropy(), abs=1e-5)


def test_a_kernel_that_is_not_symmetric_is_named_with_its_entries():
    with pytest.raises(ValueError, match=r"^K must be symmetric, got 0.5 and 0.0 for rows 0 and 1: \(K \+ K.T\) / 2"):
        kernel_spectrum(changed(np.eye(3), 0, 1, 0.5, False))


def test_the_unit_roundoff_is_that_of_the_dtype_that_was_given():
    class Tensor:
        dtype = "torch.bfloat16"

    ml_dtypes = pytest.importorskip("ml_dtypes")
    expected = {
        2.0**-8: [np.zeros(1, ml_dtypes.bfloat16), Tensor()],
        2.0**-11: [np.zeros(1, np.float16), np.zeros(1, ">f2")],
        2.0**-24: [np.zeros(1, np.float32), sp.csr_array((1, 1), dtype=np.float32)],
        2.0**-53: [np.zeros(1), [[0.5]], np.zeros(1, np.longdouble)],
        0.0: [np.zeros(1, int), np.zeros(1, bool), [[1, 2]], np.zeros(1, np.uint8)],
    }
    for roundoff, values in expected.items():
        assert [unit_roundoff(value) for value in values] == [roundoff] * len(values)
