"""The diffusion operator of given affinities does not depend on their scale, nor on that of a connected component.

Entries are multiples of 2^-10, so that subnormal ones are exact too. Eigenvalues are those of entries of the order of
1 to within a few N eps.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from dsentropy import EstimatedSpectrum, Stochastic, adjacency_spectrum, diffusion_spectrum, kernel_spectrum
from numpy_formulas import EPS, moduli, operator
from scipy.sparse.linalg import aslinearoperator

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

N = 12
EXPONENTS = [-1060, -1030, -1000, -600, 600, 1000, 1019]
KINDS = {"dense": np.asarray, "sparse": sp.csr_array, "products": aslinearoperator}


def affinity(n):
    X = np.random.default_rng(0).normal(size=(n, 2))
    G = np.exp(-((X[:, None] - X) ** 2).sum(axis=-1) / 2)
    return np.maximum(np.rint(G * 2**10), 1) / 2**10


def blocks(one, other, G):
    zeros = np.zeros_like(G)
    return np.block([[np.ldexp(G, one), zeros], [zeros, np.ldexp(G, other)]])


def near(spectrum, expected):
    return np.abs(spectrum.eigenvalues - expected).max() <= 100 * len(expected) * EPS


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 0.98, 1.0])
@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_affinities_of_any_scale_have_one_spectrum(kind, exponent, alpha):
    G = affinity(N)
    given = KINDS[kind](np.ldexp(G, exponent))
    assert near(diffusion_spectrum(given, metric="affinity", alpha=alpha), moduli(operator(G, alpha)))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.98, 1.0])
@pytest.mark.parametrize(("one", "other"), [(0, -1060), (0, -1030), (0, -600), (1019, 300), (-600, 0)])
@pytest.mark.parametrize("kind", KINDS)
def test_components_of_any_scale_have_the_spectra_of_their_own(kind, one, other, alpha):
    G = affinity(N)
    of_one = moduli(operator(G, alpha))
    given = KINDS[kind](blocks(one, other, G))
    expected = np.sort(np.concatenate([of_one, of_one]))[::-1]
    assert near(diffusion_spectrum(given, metric="affinity", alpha=alpha), expected)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize(("one", "other"), [(-1060, -1060), (0, -1000), (0, -600), (1010, 1010)])
def test_estimates_do_not_depend_on_the_scale(one, other, alpha):
    G = affinity(450)
    options = Stochastic(tol=3e-2, max_products=100_000, memory_limit=12_000_000, storage="tiled")
    for given in (np.asarray, sp.csr_array):
        solver = options if given is np.asarray else Stochastic(tol=3e-2, memory_limit=20_000_000)
        found = [
            diffusion_spectrum(given(matrix), metric="affinity", alpha=alpha, solver=solver)
            for matrix in (blocks(0, 0, G), blocks(one, other, G))
        ]
        assert type(found[1]) is EstimatedSpectrum
        lower, upper = found[1].bounds()
        error = 5 * found[1].standard_error()
        exact = diffusion_spectrum(blocks(0, 0, G), metric="affinity", alpha=alpha).entropy()
        assert lower - error <= exact <= upper + error


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_operators_given_by_products_have_any_scale(exponent):
    """Sums of entries near the largest number overflow; those of subnormal entries would lose digits."""
    G = affinity(N) + N * np.eye(N)
    expected = moduli(G)
    for function, of in [(kernel_spectrum, {}), (adjacency_spectrum, {"metric": "affinity"})]:
        found = function(aslinearoperator(np.ldexp(G, exponent)), **of).eigenvalues
        assert np.abs(found / found[0] - expected / expected[0]).max() <= 100 * N * EPS


@pytest.mark.parametrize("largest", [1e38, 3e38, 1e-40])
def test_products_in_single_precision_have_any_scale(largest):
    G = affinity(N).astype(np.float32)
    found = diffusion_spectrum(aslinearoperator(G * np.float32(largest)), metric="affinity", alpha=1.0)
    assert np.abs(found.eigenvalues - moduli(operator(G.astype(float), 1.0))).max() <= 1e-4


@pytest.mark.parametrize("dtype", [np.float16, np.int64])
def test_products_in_half_precision_and_integers_are_taken_as_they_are(dtype):
    """Vectors divided by 2^64 would be 0 in float16; products of ones with the identity are 1 in each dtype."""

    class Identity:
        shape = (N, N)

        def matmat(self, vectors):
            return vectors.astype(dtype)

    assert kernel_spectrum(Identity()).entropy() == pytest.approx(np.log2(N), abs=1e-12)
