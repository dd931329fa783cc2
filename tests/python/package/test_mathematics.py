"""What must hold whatever the data: invariances, bounds, and the definitions in plain NumPy.

Tolerances follow from one estimate, `rounding`. Let every d^2 / (2 sigma^2) be off by delta. Then every entry of G is
off by a factor exp(+-delta), every entry of K by exp(+-2 delta), and K by 2 delta sqrt(tr K) in the Frobenius norm,
as its eigenvalues are in [0, 1]. So all N eigenvalues together are off by 2 delta sqrt(N tr K) (Mirsky), and by N eps
each in LAPACK. Their p are off by twice that over tr K >= 1 (the sum is off too), times t for a power t, and from
p = eps on the slope of -p log2 p is below 53. Nothing is worse for G, or for the entries of R^-1 K.
"""

import math

import numpy as np
import pytest
from dsentropy import adjacency_spectral_entropy, diffusion_spectral_entropy

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

EPS = np.finfo(float).eps
SIGMA = 10.0

GAUSSIAN = {
    "dse": lambda X, sigma=SIGMA: diffusion_spectral_entropy(X, sigma),
    "dse_t": lambda X, sigma=SIGMA: diffusion_spectral_entropy(X, sigma, 3),
    "matrix_entries": lambda X, sigma=SIGMA: diffusion_spectral_entropy(X, sigma, matrix_entry_entropy=True),
    "ase": lambda X, sigma=SIGMA: adjacency_spectral_entropy(X, sigma),
    "ase_anisotropic": lambda X, sigma=SIGMA: adjacency_spectral_entropy(X, sigma, anisotropic=True),
}
OTHER = {
    "neighbors": lambda X, sigma=SIGMA: adjacency_spectral_entropy(X, sigma, use_knn=True, knn=min(4, len(X))),
    "classic": lambda X, sigma=SIGMA: diffusion_spectral_entropy(X, sigma, classic_shannon_entropy=True),
}
of_a_gaussian = pytest.mark.parametrize("measure", GAUSSIAN.values(), ids=GAUSSIAN)
every_measure = pytest.mark.parametrize("measure", (GAUSSIAN | OTHER).values(), ids=GAUSSIAN | OTHER)


def rounding(n, delta, t=3):
    """The estimate above, for the difference of two values that are both off."""
    return 2 * 53 * t * 2 * (2 * delta * math.sqrt(n) + n * n * EPS)


def gram_delta(X, sigma=SIGMA):
    """Of distances from a Gram product of centred rows, sums of D terms."""
    length = np.linalg.norm(X - X.mean(axis=0), axis=1).max()
    return (X.shape[1] + 8) * EPS * 2 * length**2 / sigma**2


def squared_distances(X):
    """From differences, the sum rounded once: each off by a factor of at most 1 + 2 eps."""
    return np.array([[math.fsum(row) for row in rows] for rows in (X[:, None, :] - X[None, :, :]) ** 2])


def affinity(X, sigma=SIGMA):
    return np.exp(-squared_distances(X) / (2 * sigma**2))


def normalized(G):
    root = np.sqrt(G.sum(axis=1))
    return G / root[:, None] / root


def entropy(weights):
    p = weights / weights.sum() + EPS
    return -(p * np.log2(p)).sum()


DEFINITIONS = {
    "dse": lambda G: entropy(np.abs(np.linalg.eigvalsh(normalized(G)))),
    "dse_t": lambda G: entropy(np.abs(np.linalg.eigvalsh(normalized(G))) ** 3),
    "matrix_entries": lambda G: entropy(normalized(G) / normalized(G).sum(axis=1, keepdims=True)),
    "ase": lambda G: entropy(np.abs(np.linalg.eigvalsh(G))),
    "ase_anisotropic": lambda G: entropy(np.abs(np.linalg.eigvalsh(normalized(G)))),
}


def cloud(n=80, d=6):
    return np.random.default_rng([n, d]).normal(scale=4, size=(n, d))


DATA = {
    "cloud": cloud,
    "wide": lambda: cloud(60, 200),
    "line_of_many_bandwidths": lambda: 3.0 * np.arange(100)[:, None],
    "clusters": lambda: cloud() + 50 * (np.arange(80) % 3)[:, None],
    "duplicates": lambda: np.repeat(cloud(20), 4, axis=0),
}


@pytest.mark.parametrize("of", DATA.values(), ids=DATA)
@pytest.mark.parametrize("measure", GAUSSIAN)
def test_values_follow_the_definition(measure, of):
    X = of()
    assert abs(GAUSSIAN[measure](X) - DEFINITIONS[measure](affinity(X))) <= rounding(len(X), gram_delta(X))


@pytest.mark.parametrize("of", DATA.values(), ids=DATA)
@pytest.mark.parametrize("n_bins", [1, 2, 5, 49])
def test_classic_entropy_follows_the_definition(of, n_bins):
    """Frequencies are exact; N terms, each rounded a few times."""
    X = of()
    scaled = (X - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0))
    bins = np.digitize(scaled, np.linspace(0, 1, n_bins + 1)[:-1])
    _, counts = np.unique(bins, axis=0, return_counts=True)
    ours = diffusion_spectral_entropy(X, classic_shannon_entropy=True, num_bins_per_dim=n_bins)
    assert abs(ours - entropy(counts)) <= 53 * len(X) * EPS


@of_a_gaussian
def test_rotation_changes_nothing(measure):
    """Rounding, and columns that are off, move a row by 2 D^(3/2) eps |x|; d^2 / 2 moves by d times that, twice."""
    X = cloud()
    d = X.shape[1]
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(d, d)))
    length = np.linalg.norm(X, axis=1).max()
    delta = (2 * length) * (4 * d**1.5 * EPS * length) / SIGMA**2
    assert abs(measure(X @ rotation) - measure(X)) <= rounding(len(X), gram_delta(X) + delta)


@of_a_gaussian
def test_order_of_rows_and_columns_changes_nothing(measure):
    X, rng = cloud(), np.random.default_rng(0)
    permuted = X[rng.permutation(len(X))][:, rng.permutation(X.shape[1])]
    assert abs(measure(permuted) - measure(X)) <= rounding(len(X), gram_delta(X))


def test_order_of_rows_and_columns_changes_no_classic_entropy():
    X, rng = cloud(), np.random.default_rng(0)
    permuted = X[rng.permutation(len(X))][:, rng.permutation(X.shape[1])]
    assert abs(OTHER["classic"](permuted) - OTHER["classic"](X)) <= 53 * len(X) * EPS


@of_a_gaussian
def test_translation_by_1e7_moves_the_value_by_less_than_1e_6(measure):
    """It rounds the data themselves."""
    X = cloud()
    assert abs(measure(X + 1e7) - measure(X)) <= 1e-6


@of_a_gaussian
@pytest.mark.parametrize("far", [1e7, -1e9])
def test_translation_that_rounds_nothing_changes_nothing(measure, far):
    """Entries are multiples of 2^-20, which numbers up to 2^32 have."""
    X = np.round(cloud() * 2**20) / 2**20
    assert np.array_equal((X + far) - far, X)
    assert abs(measure(X + far) - measure(X)) <= rounding(len(X), 2 * gram_delta(X))


@of_a_gaussian
@pytest.mark.parametrize(("dtype", "far"), [("int32", 2**30), ("uint32", 2**31), ("int64", 2**52), ("uint64", 2**52)])
def test_integers_keep_their_differences(measure, dtype, far):
    """They go to float64, not to float32, which has none between 2^30 and 2^30 + 64."""
    M = np.random.default_rng(0).integers(30, size=(80, 6))
    assert abs(measure((M + far).astype(dtype)) - measure(M)) <= rounding(len(M), 2 * gram_delta(M))


@every_measure
@pytest.mark.parametrize("exponent", [-400, -3, 1, 400])
def test_scaling_by_a_power_of_two_changes_no_bit(measure, exponent):
    X = cloud()
    assert measure(X * 2.0**exponent, SIGMA * 2.0**exponent) == measure(X)


@of_a_gaussian
@pytest.mark.parametrize("factor", [1e-120, 1e-30, 1 / 3, 1e30, 1e120])
def test_scaling_data_and_bandwidth_changes_nothing(measure, factor):
    """It rounds each entry by half of eps, so a row by eps |x| / 2, and sigma."""
    X = cloud()
    length = np.linalg.norm(X, axis=1).max()
    delta = (2 * length) * (EPS * length) / SIGMA**2 + (2 * length) ** 2 * EPS / SIGMA**2
    assert abs(measure(X * factor, SIGMA * factor) - measure(X)) <= rounding(len(X), gram_delta(X) + delta)


@pytest.mark.parametrize("factor", [1e-120, 1 / 3, 1e120])
@pytest.mark.parametrize("measure", OTHER.values(), ids=OTHER)
def test_scaling_changes_neither_neighbors_nor_bins(measure, factor):
    assert measure(cloud() * factor) == measure(cloud())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("distance", [1e6, 1e7, 1e8, 1e9])
@pytest.mark.parametrize("measure", GAUSSIAN)
def test_two_groups_far_apart_keep_the_accuracy_of_float64(measure, distance, dtype):
    """Within a group, distances are sums of D squared differences; across, affinities are 0."""
    X = cloud()
    X[::2] += distance
    X = X.astype(dtype).astype(float)
    squared = squared_distances(X)
    within = squared[squared < distance**2].max()
    delta = (X.shape[1] + 4) * EPS * within / (2 * SIGMA**2)
    allowed = rounding(len(X), delta)
    if dtype == "float32" and measure in ("dse", "dse_t", "ase_anisotropic"):  # decomposed in float32
        allowed += 1e-6 * math.sqrt(len(X))
    assert abs(GAUSSIAN[measure](X.astype(dtype)) - DEFINITIONS[measure](affinity(X))) <= allowed


@pytest.mark.parametrize("of", DATA.values(), ids=DATA)
@pytest.mark.parametrize("sigma", [0.1, 10, 1000])
def test_entropy_falls_with_t(of, sigma):
    """dH/dt = -t var(log lambda) for any eigenvalues; what is left is the shift of p, and powers that are rounded."""
    X = of()
    values = [diffusion_spectral_entropy(X, sigma, t) for t in (0, 0.5, 1, 1.5, 2, 3, 5, 10, 100, 1e4)]
    assert (np.diff(values) <= 2 * 53 * len(X) * EPS).all()


@pytest.mark.parametrize("of", DATA.values(), ids=DATA)
@pytest.mark.parametrize("sigma", [0.1, 10, 1000])
def test_anisotropic_adjacency_is_diffusion_at_t_1(of, sigma):
    X = of()
    assert adjacency_spectral_entropy(X, sigma, anisotropic=True) == diffusion_spectral_entropy(X, sigma)


@pytest.mark.parametrize("times", [2, 5])
def test_repeated_rows_add_nothing_but_zeros_to_the_spectrum(times):
    """K becomes its Kronecker product with the m x m matrix of 1/m: m^2 times as many entries, and as small."""
    X = cloud(40)
    repeated = np.repeat(X, times, axis=0)
    tolerance = rounding(len(repeated), gram_delta(X)) + 53 * len(repeated) ** 2 * EPS
    for measure, more in {"dse": 0, "dse_t": 0, "ase": 0, "matrix_entries": math.log2(times**2)}.items():
        assert abs(GAUSSIAN[measure](repeated) - GAUSSIAN[measure](X) - more) <= tolerance


@pytest.mark.parametrize("times", [2, 5])
def test_copies_far_apart_add_the_entropy_of_which_copy(times):
    """K becomes block diagonal, with the same eigenvalues in each block. Moving the copies rounds nothing."""
    X = np.round(cloud(40) * 2**20) / 2**20
    copies = np.concatenate([X + 2.0**30 * copy for copy in range(times)])
    tolerance = rounding(len(copies), gram_delta(X)) + 53 * len(copies) ** 2 * EPS
    for measure in GAUSSIAN:
        more = GAUSSIAN[measure](copies) - GAUSSIAN[measure](X)
        assert abs(more - math.log2(times)) <= tolerance
