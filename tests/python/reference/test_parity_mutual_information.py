"""Both mutual informations against the reference, dse-dsmi 1.1, run beside ours.

Values agree to 1e-9 bits, and the clusters in value, dtype and shape. A value is a mean of differences of two
entropies; where these agree to some other precision (graphs of neighbours: 1e-6 at the 10 neighbours used here;
float32: 4e-6 sqrt N), values agree to twice that.
"""

import inspect
import random

import dsentropy
import numpy as np
import pytest
from dsentropy import adjacency_spectral_mutual_information, diffusion_spectral_mutual_information

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::dsentropy.{kind}Warning") for kind in ("Saturation", "Subset", "Target")
]

BITS = 1e-9
N = 240
DSMI = "diffusion_spectral_mutual_information"
ASMI = "adjacency_spectral_mutual_information"

VARIANTS = {
    "dsmi": (DSMI, {}),
    "dsmi_sigma_t": (DSMI, {"gaussian_kernel_sigma": 3, "t": 2}),
    "matrix_entries": (DSMI, {"matrix_entry_entropy": True}),
    "classic": (DSMI, {"classic_shannon_entropy": True}),
    "classic_wins": (
        DSMI,
        {"classic_shannon_entropy": True, "matrix_entry_entropy": True, "num_bins_per_dim": 7},
    ),
    "asmi": (ASMI, {}),
    "asmi_sigma": (ASMI, {"gaussian_kernel_sigma": 3.0}),
    "asmi_anisotropic": (ASMI, {"anisotropic": True}),
    "asmi_neighbors": (ASMI, {"use_knn": True}),
    "asmi_neighbors_win": (ASMI, {"use_knn": True, "anisotropic": True, "gaussian_kernel_sigma": 0.1}),
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def A(rng):  # noqa: N802
    """Rows that drift, so that references that grow tell something about them.

    They fill 20 dimensions: along a line, graphs of neighbours are too ill conditioned for 1e-6, and so they are for
    clusters of 11 to 24 rows, which the tests with graphs avoid (10 rows are a complete graph).
    """
    return rng.normal(scale=2, size=(N, 20)) + np.arange(N)[:, None] / 100


def assert_agree(reference, variant, A, B, **arguments):
    """Return our value and clusters."""
    name, more = VARIANTS[variant]
    ours, our_clusters = getattr(dsentropy, name)(A, B, **more, **arguments)
    theirs, their_clusters = getattr(reference, name)(A, B, **more, **arguments)
    assert_same_clusters(our_clusters, their_clusters)
    assert type(ours) is float
    tolerance = 2e-6 if "use_knn" in more else BITS
    if A.dtype == np.float32 and not more.get("classic_shannon_entropy"):
        tolerance += 2 * 4e-6 * len(A) ** 0.5
    assert abs(ours - theirs) <= tolerance
    return ours, our_clusters


def assert_same_clusters(ours, theirs):
    assert isinstance(ours, np.ndarray)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert np.array_equal(ours, theirs)


def labels(sizes, rng):
    """As many labels of each kind, shuffled."""
    return rng.permutation(np.repeat(np.arange(len(sizes)), sizes))


EQUAL, UNEQUAL = [60, 60, 60, 60], [110, 10, 60, 35, 25]


@pytest.mark.parametrize("name", [DSMI, ASMI])
def test_arguments_have_the_names_order_and_defaults_of_the_reference(reference, name):
    """Arguments that the reference does not have can only be given by name."""
    ours = list(inspect.signature(getattr(dsentropy, name)).parameters.values())
    theirs = list(inspect.signature(getattr(reference, name)).parameters.values())
    assert [(p.name, p.default) for p in ours[: len(theirs)]] == [(p.name, p.default) for p in theirs]
    assert {p.kind for p in ours[len(theirs) :]} <= {inspect.Parameter.KEYWORD_ONLY}


@every_variant
@pytest.mark.parametrize("sizes", [EQUAL, UNEQUAL, [N]], ids=["equal", "unequal", "one"])
def test_clusters_of_any_size(reference, A, rng, variant, sizes):
    assert_agree(reference, variant, A, labels(sizes, rng))


@pytest.mark.parametrize("variant", [v for v in VARIANTS if "neighbors" not in v])
def test_clusters_of_single_rows(reference, A, rng, variant):
    assert_agree(reference, variant, A, labels([1, 1, 2, 3, N - 7], rng))


def test_every_row_a_cluster(reference, A):
    """The entropy of one row is 0, so the information is 0."""
    ours, _ = assert_agree(reference, "dsmi", A, np.arange(N))
    assert abs(ours) <= BITS


@every_variant
@pytest.mark.parametrize("num_repetitions", [1, 2, 5, 11])
@pytest.mark.parametrize("random_seed", [0, 7, None])
def test_repetitions_and_seeds(reference, A, rng, variant, num_repetitions, random_seed):
    """A seed leaves Python's global generator alone; None draws from it, and leaves it where the reference does."""
    name, more = VARIANTS[variant]
    B = labels(UNEQUAL, rng)
    arguments = more | {"num_repetitions": num_repetitions, "random_seed": random_seed}
    random.seed(42)
    before = random.getstate()
    ours, _ = getattr(dsentropy, name)(A, B, **arguments)
    after = random.getstate()
    random.setstate(before)
    theirs, _ = getattr(reference, name)(A, B, **arguments)
    assert abs(ours - theirs) <= (2e-6 if "use_knn" in more else BITS)
    assert after == (before if random_seed is not None else random.getstate())


DISCRETE = {
    "int64": lambda b: b,
    "int8_negative": lambda b: (b - 2).astype(np.int8),
    "uint8": lambda b: b.astype(np.uint8),
    "uint64": lambda b: b.astype(np.uint64) + np.uint64(2**63),
    "big_endian": lambda b: b.astype(">i4"),
    "column": lambda b: b[:, None],
    "strided": lambda b: np.stack([b, b], axis=1)[:, 1],
}


@pytest.mark.parametrize("variant", ["dsmi", "asmi", "asmi_neighbors"])
@pytest.mark.parametrize("reference_discrete", [None, True])
@pytest.mark.parametrize("of", DISCRETE.values(), ids=DISCRETE)
def test_integers_are_labels(reference, A, rng, variant, of, reference_discrete):
    B = of(labels(UNEQUAL, rng))
    _, clusters = assert_agree(reference, variant, A, B, reference_discrete=reference_discrete)
    assert clusters.shape == (N, 1)
    assert np.array_equal(clusters.ravel(), B.ravel())


NAMED = {
    "str": lambda b: np.array(["dog", "cat", "Zebra", "ant", ""])[b],
    "bytes": lambda b: np.array([b"dog", b"cat", b"Zebra", b"ant", b""])[b],
    "bool": lambda b: b > 0,
    "float": lambda b: np.array([0.5, -3.0, 1e300, 1e-300, 7.0])[b],
}


@pytest.mark.parametrize("variant", ["dsmi", "asmi", "asmi_neighbors"])
@pytest.mark.parametrize("name", NAMED)
def test_anything_is_a_label_where_it_is_said_to_be_discrete(reference, A, rng, variant, name):
    B = NAMED[name](labels(UNEQUAL, rng))
    said, clusters = assert_agree(reference, variant, A, B, reference_discrete=True)
    if name != "float":  # the reference raises here without `reference_discrete=True`
        inferred, same_clusters = getattr(dsentropy, VARIANTS[variant][0])(A, B, **VARIANTS[variant][1])
        assert inferred == said
        assert_same_clusters(same_clusters, clusters)


def test_precomputed_clusters_are_ignored_where_the_reference_is_discrete(reference, A, rng):
    B = labels(EQUAL, rng)
    with pytest.warns(dsentropy.TargetWarning, match="precomputed_clusters is not used"):
        _, clusters = assert_agree(reference, "dsmi", A, B, precomputed_clusters=labels(UNEQUAL, rng))
    assert np.array_equal(clusters.ravel(), B)


CONTINUOUS = {
    "normal": lambda rng: rng.normal(size=N),
    "column": lambda rng: rng.uniform(-1e3, 1e3, size=(N, 1)),
    "float_classes": lambda rng: rng.integers(20, size=N).astype(float),
    "heavy_tails": lambda rng: rng.standard_cauchy(size=N),
    "on_the_edges": lambda rng: np.arange(N) % 11 / 10,
    "constant": lambda rng: np.full(N, 3.25),
}


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 10, 49])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("of", CONTINUOUS.values(), ids=CONTINUOUS)
def test_numbers_are_binned(reference, A, rng, of, dtype, n_clusters):
    """In the dtype of the reference variable."""
    assert_agree(reference, "dsmi", A, of(rng).astype(dtype), n_clusters=n_clusters, num_repetitions=2)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int64"])
def test_integers_are_binned_where_they_are_said_not_to_be_discrete(reference, A, rng, dtype):
    """A range below 128, which int8 does not wrap."""
    B = rng.integers(0 if dtype == "uint8" else -60, 67, size=N).astype(dtype)
    _, clusters = assert_agree(reference, "dsmi", A, B, reference_discrete=False)
    assert (clusters.min(), clusters.max()) == (1, 10)


@every_variant
def test_every_variant_with_a_number(reference, A, variant):
    B = (np.arange(N) / N) ** 1.2
    _, clusters = assert_agree(reference, variant, A, B, n_clusters=6)
    assert np.unique(clusters, return_counts=True)[1].min() >= 25


VECTORS = {
    "float64": lambda rng: rng.normal(size=(N, 3)),
    "float32": lambda rng: rng.normal(size=(N, 20)).astype(np.float32),
    "groups_not_connected": lambda rng: rng.normal(size=(N, 2)) + 1e3 * (np.arange(N) % 3)[:, None],
    "one_hot": lambda rng: np.eye(4, dtype=int)[np.arange(N) % 4],
    "fortran": lambda rng: np.asfortranarray(rng.normal(size=(N, 3))),
}


@pytest.mark.parametrize("n_clusters", [2, 10])
@pytest.mark.parametrize("of", VECTORS.values(), ids=VECTORS)
def test_vectors_are_clustered(reference, A, rng, of, n_clusters):
    """Warnings are errors here, so the spectral clustering's is silenced where its graph is not connected."""
    _, clusters = assert_agree(reference, "dsmi", A, of(rng), n_clusters=n_clusters)
    assert clusters.shape == (N,)


@every_variant
def test_every_variant_with_vectors(reference, A, rng, variant):
    _, clusters = assert_agree(reference, variant, A, rng.normal(size=(N, 3)), n_clusters=4)
    assert np.unique(clusters, return_counts=True)[1].min() >= 25


PRECOMPUTED = {
    "integers": lambda b: b,
    "column": lambda b: b[:, None],
    "floats": lambda b: b / 7,
    "strings": lambda b: b.astype(str),
}


@pytest.mark.parametrize("variant", ["dsmi", "asmi", "asmi_neighbors"])
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("of", PRECOMPUTED.values(), ids=PRECOMPUTED)
def test_precomputed_clusters_are_used_as_they_are(reference, A, rng, variant, columns, of):
    given = of(labels(UNEQUAL, rng))
    B = rng.normal(size=(N, columns))
    _, clusters = assert_agree(reference, variant, A, B, precomputed_clusters=given)
    assert_same_clusters(clusters, given)


def test_returned_clusters_give_the_same_value_again(A, rng):
    B = rng.normal(size=(N, 3))
    value, clusters = diffusion_spectral_mutual_information(A, B)
    again, same_clusters = diffusion_spectral_mutual_information(A, None, precomputed_clusters=clusters)
    assert again == value
    assert_same_clusters(same_clusters, clusters)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int16", "uint8"])
@pytest.mark.parametrize("variant", ["dsmi", "matrix_entries", "asmi", "asmi_anisotropic"])
def test_dtypes_of_the_embedding(reference, A, rng, variant, dtype):
    assert_agree(reference, variant, np.abs(A).astype(dtype), labels(UNEQUAL, rng))


@pytest.mark.parametrize("dtype", ["float32", "float16", "int16", "int8"])
def test_classic_information_of_any_dtype_is_that_of_float64(reference, A, rng, dtype):
    B = labels(UNEQUAL, rng)
    A = A.astype(dtype)
    arguments = {"classic_shannon_entropy": True, "num_bins_per_dim": 5}
    ours, _ = diffusion_spectral_mutual_information(A, B, **arguments)
    theirs, _ = reference.diffusion_spectral_mutual_information(A.astype(float), B, **arguments)
    assert abs(ours - theirs) <= BITS


@pytest.mark.parametrize("layout", ["fortran", "strided", "read_only"])
@pytest.mark.parametrize("variant", ["dsmi", "classic", "asmi_neighbors"])
def test_layouts_of_the_embedding(reference, A, rng, variant, layout):
    A = {"fortran": np.asfortranarray(A), "strided": np.repeat(A, 2, axis=1)[:, ::-2], "read_only": A}[layout]
    A.flags.writeable = layout != "read_only"
    assert_agree(reference, variant, A, labels(UNEQUAL, rng))


@pytest.mark.parametrize("random_seed", [0, 3, None])
@pytest.mark.parametrize(
    "sizes",
    [[11_500, 10_500, 1000], [1000, 11_500, 10_500], [10_500, 1000, 11_500], [10_000, 10_001, 2999]],
    ids=lambda sizes: "-".join(map(str, sizes)),
)
def test_clusters_of_more_than_ten_thousand_rows_draw_the_same_subsets(reference, sizes, random_seed):
    """Their entropy seeds the reference's global generator with 0, and the draws that follow go on from there."""
    rng = np.random.default_rng(5)
    A, B = rng.normal(size=(sum(sizes), 3)), labels(sizes, rng)
    arguments = {
        "classic_shannon_entropy": True,
        "num_bins_per_dim": 20,
        "num_repetitions": 3,
        "random_seed": random_seed,
    }
    random.seed(99)
    ours, _ = diffusion_spectral_mutual_information(A, B, **arguments)
    random.seed(99)
    theirs, _ = reference.diffusion_spectral_mutual_information(A, B, **arguments)
    assert abs(ours - theirs) <= BITS


def test_positions(reference, A, rng):
    """All arguments by position."""
    B, clusters = rng.normal(size=N), labels(UNEQUAL, rng)
    dsmi = (False, 5, 2, False, 3, 7, clusters, False, True, 4, 11, False)
    assert len(dsmi) + 2 == len(inspect.signature(reference.diffusion_spectral_mutual_information).parameters)
    ours, _ = diffusion_spectral_mutual_information(A, B, *dsmi)
    assert abs(ours - reference.diffusion_spectral_mutual_information(A, B, *dsmi)[0]) <= BITS
    asmi = (False, 5, False, True, 3, 7, clusters, 11, False)
    assert len(asmi) + 2 == len(inspect.signature(reference.adjacency_spectral_mutual_information).parameters)
    ours, _ = adjacency_spectral_mutual_information(A, B, *asmi)
    assert abs(ours - reference.adjacency_spectral_mutual_information(A, B, *asmi)[0]) <= BITS
