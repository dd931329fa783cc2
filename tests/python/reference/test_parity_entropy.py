"""Both entropies against the reference, dse-dsmi 1.1, run beside ours.

Parity is promised to 1e-9 bits where the reference's own distances, which it takes from uncentred rows, are good
enough for it: eps |x|^2 / sigma^2 <= 1e-11 (`agree` checks that). Values of nearest-neighbour graphs, whose
eigenvalues are ill conditioned, agree to 1e-6 for knn >= 8 and to 2e-3 below, where there are enough rows and they
do not form a line; the graphs themselves are equal.
"""

import inspect
import random

import dsentropy
import numpy as np
import pytest
from dsentropy import _core, adjacency_spectral_entropy, diffusion_spectral_entropy

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning", "ignore::dsentropy.SubsetWarning")

BITS = 1e-9
INTEGERS = ["int8", "int16", "int32", "int64", "uint8"]
SIZES = [1, 2, 3, 50, 300]
DIMENSIONS = [1, 5, 40]
KINDS = {
    "normal": lambda rng, n, d: rng.normal(scale=3, size=(n, d)),
    "clusters": lambda rng, n, d: rng.normal(size=(n, d)) + 5 * rng.integers(4, size=(n, 1)),
    "low_rank": lambda rng, n, d: rng.normal(size=(n, 1)) @ rng.normal(scale=5, size=(1, d)),
    "duplicates": lambda rng, n, d: rng.normal(scale=5, size=((n + 2) // 3, d))[rng.integers((n + 2) // 3, size=n)],
}


@pytest.fixture(scope="module", params=[f"{kind}-{n}-{d}" for kind in KINDS for n in SIZES for d in DIMENSIONS])
def X(request):  # noqa: N802
    return data(*request.param.split("-"))


def data(kind, n, d):
    n, d = int(n), int(d)
    return KINDS[kind](np.random.default_rng([n, d, sorted(KINDS).index(kind)]), n, d)


def agree(ours, theirs, X, sigma=10, bits=BITS):
    assert np.finfo(float).eps * np.square(X, dtype=float).sum(axis=1).max() / sigma**2 <= 1e-11
    assert type(ours) is float
    assert abs(ours - theirs) <= bits


@pytest.mark.parametrize("name", ["diffusion_spectral_entropy", "adjacency_spectral_entropy"])
def test_arguments_have_the_names_order_and_defaults_of_the_reference(reference, name):
    """Arguments that the reference does not have can only be given by name."""
    ours = list(inspect.signature(getattr(dsentropy, name)).parameters.values())
    theirs = list(inspect.signature(getattr(reference, name)).parameters.values())
    assert [(p.name, p.default) for p in ours[: len(theirs)]] == [(p.name, p.default) for p in theirs]
    assert {p.kind for p in ours[len(theirs) :]} <= {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize(
    ("t", "sigma"), [(0, 10), (1, 1), (1, 10), (1, 100.0), (1.5, 1), (2, 10), (7, 10), (100, 100)]
)
def test_diffusion_spectral_entropy(reference, X, t, sigma):
    arguments = {"gaussian_kernel_sigma": sigma, "t": t}
    ours = diffusion_spectral_entropy(X, **arguments)
    agree(ours, reference.diffusion_spectral_entropy(X, **arguments), X, sigma)


@pytest.mark.parametrize("sigma", [1, 10, 100.0])
def test_matrix_entry_entropy(reference, X, sigma):
    arguments = {"gaussian_kernel_sigma": sigma, "matrix_entry_entropy": True}
    ours = diffusion_spectral_entropy(X, **arguments)
    agree(ours, reference.diffusion_spectral_entropy(X, **arguments), X, sigma)


@pytest.mark.parametrize("matrix_entry_entropy", [False, True])
@pytest.mark.parametrize("num_bins_per_dim", [1, 2, 3, 49])
def test_classic_shannon_entropy_which_wins_over_matrix_entries(reference, X, num_bins_per_dim, matrix_entry_entropy):
    arguments = {
        "classic_shannon_entropy": True,
        "matrix_entry_entropy": matrix_entry_entropy,
        "num_bins_per_dim": num_bins_per_dim,
    }
    agree(diffusion_spectral_entropy(X, **arguments), reference.diffusion_spectral_entropy(X, **arguments), X)


@pytest.mark.parametrize("anisotropic", [False, True])
@pytest.mark.parametrize("sigma", [1, 10, 100.0])
def test_adjacency_spectral_entropy(reference, X, sigma, anisotropic):
    ours = adjacency_spectral_entropy(X, sigma, anisotropic)
    agree(ours, reference.adjacency_spectral_entropy(X, sigma, anisotropic), X, sigma)


@pytest.mark.parametrize("n_bins", [2, 3, 7, 10, 49, 93])
def test_values_on_the_edges_of_bins_fall_where_the_reference_puts_them(reference, n_bins):
    """The edge k (1/n), as NumPy rounds it, is not everywhere the number k/n: not at k = 47, n = 49, for one."""
    X = np.arange(n_bins + 1.0)[:, None] / n_bins
    arguments = {"classic_shannon_entropy": True, "num_bins_per_dim": n_bins}
    agree(diffusion_spectral_entropy(X, **arguments), reference.diffusion_spectral_entropy(X, **arguments), X)


@pytest.mark.parametrize("n_bins", [1, 2, 49])
def test_constant_columns_have_the_value_of_the_reference_and_no_warning(reference, n_bins):
    X = data("normal", 50, 5)
    X[:, [1, 3]] = 7.0
    arguments = {"classic_shannon_entropy": True, "num_bins_per_dim": n_bins}
    ours = diffusion_spectral_entropy(X, **arguments)
    agree(ours, reference.diffusion_spectral_entropy(X, **arguments), X)
    assert ours == diffusion_spectral_entropy(X[:, [0, 2, 4]], **arguments)


SUBSAMPLED = {
    "dse": ("diffusion_spectral_entropy", {}),
    "classic": ("diffusion_spectral_entropy", {"classic_shannon_entropy": True, "num_bins_per_dim": 5}),
    "matrix_entries": ("diffusion_spectral_entropy", {"matrix_entry_entropy": True}),
    "ase": ("adjacency_spectral_entropy", {}),
    "anisotropic": ("adjacency_spectral_entropy", {"anisotropic": True}),
}


@pytest.mark.parametrize("max_N", [1, 7, 99, 100, None])
@pytest.mark.parametrize("random_seed", [0, 123456789, -5, None])
@pytest.mark.parametrize(("name", "arguments"), SUBSAMPLED.values(), ids=SUBSAMPLED)
def test_subsets_are_those_of_the_reference(reference, name, arguments, random_seed, max_N):
    """A seed leaves Python's global generator alone; None draws from it, and leaves it where the reference does."""
    X = data("normal", 100, 5)
    arguments = arguments | {"max_N": max_N, "random_seed": random_seed}
    random.seed(42)
    before = random.getstate()
    ours = getattr(dsentropy, name)(X, **arguments)
    after = random.getstate()
    random.setstate(before)
    agree(ours, getattr(reference, name)(X, **arguments), X)
    assert after == (before if random_seed is not None else random.getstate())


def test_at_most_ten_thousand_rows_by_default(reference):
    X = data("normal", 10_500, 2)
    arguments = {"classic_shannon_entropy": True, "num_bins_per_dim": 30}
    ours = diffusion_spectral_entropy(X, **arguments)
    agree(ours, reference.diffusion_spectral_entropy(X, **arguments), X)
    assert ours != diffusion_spectral_entropy(X, max_N=None, **arguments)


VARIANTS = {
    "dse": ("diffusion_spectral_entropy", {}),
    "dse_t": ("diffusion_spectral_entropy", {"t": 3}),
    "matrix_entries": ("diffusion_spectral_entropy", {"matrix_entry_entropy": True}),
    "ase": ("adjacency_spectral_entropy", {}),
    "anisotropic": ("adjacency_spectral_entropy", {"anisotropic": True}),
}


@pytest.mark.parametrize("dtype", ["float16", *INTEGERS])
@pytest.mark.parametrize(("name", "arguments"), VARIANTS.values(), ids=VARIANTS)
def test_half_precision_and_integers_are_computed_in_float64(reference, name, arguments, dtype):
    X = integers(300, 5, dtype) if dtype in INTEGERS else data("normal", 300, 5).astype(dtype)
    agree(getattr(dsentropy, name)(X, **arguments), getattr(reference, name)(X, **arguments), X)


@pytest.mark.parametrize("dtype", ["float32", "float16", *INTEGERS])
@pytest.mark.parametrize("num_bins_per_dim", [1, 2, 3, 49])
def test_classic_shannon_entropy_of_any_dtype_is_that_of_float64(reference, dtype, num_bins_per_dim):
    """The reference itself computes in the dtype of the data, where int8 wraps and float16 rounds."""
    X = integers(300, 2, dtype) if dtype in INTEGERS else data("normal", 300, 2).astype(dtype)
    arguments = {"classic_shannon_entropy": True, "num_bins_per_dim": num_bins_per_dim}
    theirs = reference.diffusion_spectral_entropy(X.astype(float), **arguments)
    agree(diffusion_spectral_entropy(X, **arguments), theirs, X)


@pytest.mark.parametrize(("name", "arguments"), VARIANTS.values(), ids=VARIANTS)
def test_single_precision(reference, X, name, arguments):
    """The reference rounds distances to float32, so it is itself 4e-6 sqrt N off; we are nearer to the truth."""
    single = X.astype(np.float32)
    ours = getattr(dsentropy, name)(single, **arguments)
    agree(ours, getattr(reference, name)(single, **arguments), single, bits=4e-6 * len(X) ** 0.5)
    agree(ours, getattr(reference, name)(single.astype(float), **arguments), single, bits=1e-6 * len(X) ** 0.5)


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


LAYOUTS = {
    "fortran": np.asfortranarray,
    "transposed": lambda X: np.ascontiguousarray(X.T).T,
    "every_second_row": lambda X: X[::2],
    "every_third_column_backwards": lambda X: X[:, ::-3],
    "read_only": read_only,
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "int16"])
@pytest.mark.parametrize(
    ("name", "arguments"), (VARIANTS | {"classic": SUBSAMPLED["classic"]}).values(), ids=[*VARIANTS, "classic"]
)
def test_layouts(reference, name, arguments, dtype, layout):
    X = layout(data("normal", 50, 40).astype(dtype))
    agree(getattr(dsentropy, name)(X, **arguments), getattr(reference, name)(X, **arguments), X)


def integers(n, d, dtype):
    """Few enough values that distances tie, and no difference that wraps in int8."""
    low = 0 if dtype == "uint8" else -6
    return np.random.default_rng([n, d]).integers(low, low + 13, size=(n, d)).astype(dtype)


def neighbors_apart(reference, X, knn, theirs_of=None):
    ours = adjacency_spectral_entropy(X, use_knn=True, knn=knn)
    theirs = reference.adjacency_spectral_entropy(X if theirs_of is None else theirs_of, use_knn=True, knn=knn)
    assert type(ours) is float
    return abs(ours - theirs)


def promised(knn):
    return 1e-6 if knn >= 8 else 2e-3


def rounding(X, knn):
    """How far rounding may move the value of this graph.

    LAPACK's eigenvalues are those of A + E with |E| a modest multiple of eps |A|. So: the furthest that ten random E
    of norm n eps |A| move it, once for each of the two values that are compared.
    """
    A = _core.neighbor_graph(X, knn, None)
    E = np.random.default_rng(0).normal(size=(10, *A.shape))
    E *= len(A) * np.finfo(float).eps * np.linalg.norm(A) / np.linalg.norm(E, axis=(1, 2), keepdims=True)
    unmoved, *moved = (_core.spectral_entropy(np.abs(np.linalg.eigvals(B)), 1.0) for B in (A, *(A + E)))
    return BITS + 2 * np.abs(np.subtract(moved, unmoved)).max()


@pytest.mark.parametrize("knn", [1, 2, 3, 5, 8, 10, 25, 50])
@pytest.mark.parametrize("d", [3, 5, 40])
@pytest.mark.parametrize("n", [50, 200])
def test_neighbors_of_random_rows(reference, n, d, knn):
    assert neighbors_apart(reference, data("normal", n, d), knn) <= promised(knn)


@pytest.mark.parametrize("knn", [1, 3, 8, 10, 15, 25, 50])
@pytest.mark.parametrize("n", [50, 100])
@pytest.mark.parametrize("kind", ["normal", "low_rank"])
def test_neighbors_along_a_line(reference, kind, n, knn):
    """There the graph is nearly a band, and permuting the rows moves the reference's own value by 1e-5 at any knn."""
    X = data(kind, n, 1)
    assert neighbors_apart(reference, X, knn) <= rounding(X, knn)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 11, 12, 13, 15, 20])
def test_neighbors_of_few_rows(reference, n):
    """Rows of the graph coincide, and permuting the rows moves the reference's own value by 1e-2 at times."""
    for knn in {1, 2, 3, 8, 10, n - 1, n} & set(range(1, n + 1)):
        X = data("normal", n, 5)
        assert neighbors_apart(reference, X, knn) <= rounding(X, knn)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "float64"])
@pytest.mark.parametrize("knn", [1, 3, 8, 10, 40])
def test_neighbors_of_integers_with_ties(reference, dtype, knn):
    X = integers(200, 3, dtype) if dtype in INTEGERS else integers(200, 3, "int8").astype(dtype)
    assert neighbors_apart(reference, X, knn) <= promised(knn)


@pytest.mark.parametrize("knn", [3, 10])
def test_neighbors_of_single_precision_are_those_of_float64(reference, knn):
    X = data("normal", 200, 5).astype(np.float32)
    assert neighbors_apart(reference, X, knn, theirs_of=X.astype(float)) <= promised(knn)


TIED = {
    "grid": lambda rng: np.stack(np.divmod(np.arange(225), 15), axis=1),
    "binary": lambda rng: rng.integers(2, size=(200, 12)),
    "rounded": lambda rng: rng.normal(scale=3, size=(200, 4)).round().astype(int),
    "duplicates": lambda rng: rng.integers(-50, 50, size=(20, 3))[rng.integers(20, size=200)],
    "one_column": lambda rng: rng.integers(100, size=(200, 1)),
    "more_columns_than_rows": lambda rng: rng.integers(-2, 3, size=(40, 300)),
}


@pytest.mark.parametrize("unit", [1.0, 2.0**-30, 2.0**700, 2.0**-700], ids=["1", "2^-30", "2^700", "2^-700"])
@pytest.mark.parametrize("offset", [0, 10**6, 2**40], ids=["centred", "1e6", "2^40"])
@pytest.mark.parametrize("integral", TIED.values(), ids=TIED)
def test_graph_keeps_every_tie_of_integers_and_dyadic_fractions(integral, offset, unit):
    """Against the definition in int64, where nothing is rounded."""
    M = integral(np.random.default_rng(0)) + offset
    X = M * unit
    for k in (1, 2, 5, 10, len(M)):
        assert np.array_equal(_core.neighbor_graph(X, k, None), exact_graph(M, k))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_graph_of_two_groups_far_apart_keeps_ties(dtype):
    """Integers below 2^24, which float32 has."""
    M = np.random.default_rng(1).integers(4, size=(150, 3))
    M[::2] += 2**23
    for k in (1, 3, 10, 80):
        assert np.array_equal(_core.neighbor_graph(M.astype(dtype), k, None), exact_graph(M, k))


@pytest.mark.parametrize("spread", [1, 2**10, 2**20])
def test_graph_of_random_rows_is_the_exact_one(spread):
    """Against the definition in Python's integers.

    A computed sum of D squared differences is off by a factor of at most 1 + (D + 2) eps: half of eps for each
    difference (twice, as it is squared), each square and each of D - 1 additions. So the graph is the exact one
    where no distance comes nearer than twice that to the k-th one, which is made sure of.
    """
    d, k = 3, 7
    M = np.random.default_rng(2).integers(2**53 // spread, size=(80, d)).astype(object)
    M[::2] += 2**53 - 2**53 // spread
    ordered = np.sort(squared_distances(M), axis=1)
    assert ((ordered[:, k] - ordered[:, k - 1]) / ordered[:, k] > 2 * (d + 2) * np.finfo(float).eps).all()
    X = M.astype(float) / 2**53
    assert np.array_equal(_core.neighbor_graph(X, k, None), exact_graph(M, k))


def exact_graph(M, k):
    squared = squared_distances(M)
    return (squared <= np.sort(squared, axis=1)[:, k - 1 : k]).astype(float)


def squared_distances(M):
    return ((M[:, None, :] - M[None, :, :]) ** 2).sum(axis=2)
