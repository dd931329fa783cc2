"""Properties that hold for every array that hypothesis comes up with: dtypes, layouts, magnitudes.

HYPOTHESIS_PROFILE=slow searches longer, and elsewhere each time.
"""

import math
import os

import numpy as np
import pytest
from dsentropy import _core, adjacency_spectral_entropy, diffusion_spectral_entropy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

EPS = np.finfo(float).eps

settings.register_profile("fast", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("slow", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

MEASURES = {
    "dse": lambda X, sigma=10: diffusion_spectral_entropy(X, sigma),
    "dse_t": lambda X, sigma=10: diffusion_spectral_entropy(X, sigma, 2.5),
    "matrix_entries": lambda X, sigma=10: diffusion_spectral_entropy(X, sigma, matrix_entry_entropy=True),
    "classic": lambda X, sigma=10: diffusion_spectral_entropy(X, classic_shannon_entropy=True, num_bins_per_dim=3),
    "ase": lambda X, sigma=10: adjacency_spectral_entropy(X, sigma),
    "ase_anisotropic": lambda X, sigma=10: adjacency_spectral_entropy(X, sigma, anisotropic=True),
    "neighbors": lambda X, sigma=10: adjacency_spectral_entropy(X, use_knn=True, knn=(len(X) + 1) // 2),
}
measures = st.sampled_from(sorted(MEASURES))
shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)


def arrays(dtype="float64", largest=None):
    """Of finite numbers, many of which are the same where hypothesis likes."""
    if largest is None:
        return hnp.arrays(dtype, shapes, elements={"allow_nan": False, "allow_infinity": False})
    return hnp.arrays(dtype, shapes, elements={"min_value": -largest, "max_value": largest})


LARGEST = {
    "float64": 2.0**100,
    "float32": 2.0**100,
    "float16": 2.0**15,
    "int8": 127,
    "int16": 2**15 - 1,
    "int32": 2**31 - 1,
    "int64": 2**53,
    "uint8": 255,
    "uint64": 2**53,
}


def distinct_entries(dtype):
    """Of the size of a bandwidth, where a value tells the entries apart, or of any size."""
    if dtype == "bool":
        return hnp.arrays(dtype, shapes, fill=st.nothing())
    return st.sampled_from([30, LARGEST[dtype]]).flatmap(
        lambda largest: hnp.arrays(
            dtype,
            shapes,
            elements={"min_value": 0 if dtype.startswith("u") else -largest, "max_value": largest},
            fill=st.nothing(),
        )
    )


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def unaligned(X):
    Y = np.ndarray(X.shape, X.dtype, buffer=bytearray(X.nbytes + 1), offset=1)
    Y[...] = X
    return Y


def field(X, before=1):
    """Of a structured array, with strides that are no multiple of the size of an entry."""
    records = np.zeros(X.shape, [("before", "i1", before), ("x", X.dtype), ("after", "i1")])
    records["x"] = X
    return records["x"]


LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "rows_backwards": lambda X: X[::-1],
    "columns_backwards": lambda X: X[:, ::-1],
    "every_second": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, 1::2],
    "one_row_broadcast": lambda X: np.broadcast_to(X[:1], X.shape),
    "one_column_broadcast": lambda X: np.broadcast_to(X[:, :1], X.shape),
    "read_only": read_only,
    "unaligned": unaligned,
    "field": field,
    "first_field": lambda X: field(X, before=0),
    "byte_swapped": lambda X: X.astype(X.dtype.newbyteorder()),
    "nested_lists": lambda X: X.tolist(),
    "matrix": lambda X: X.view(Subclass),
}


class Subclass(np.ndarray):
    pass


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@given(X=st.sampled_from(["bool", *sorted(LARGEST)]).flatmap(distinct_entries))
def test_dtype_and_layout_change_no_bit(X, layout):
    """The values are those of the contiguous copy in float64, or in float32 if it is that; data are only read."""
    Y = layout(X)
    single = np.asarray(Y).dtype == np.float32
    contiguous = np.array(Y, dtype=np.float32 if single else np.float64, order="C")
    in_double = diffusion_spectral_entropy(Y, precision="double")
    assert in_double == diffusion_spectral_entropy(contiguous.astype(np.float64))
    assert abs(diffusion_spectral_entropy(Y) - in_double) <= (1e-6 * math.sqrt(len(Y)) if single else 0)
    for measure in MEASURES.values():
        value = measure(Y)
        assert type(value) is float
        assert value == measure(contiguous)
    assert np.array_equal(np.asarray(Y), contiguous.astype(X.dtype))


@given(X=arrays(), sigma=positive, t=st.floats(0, 1e300), measure=measures)
def test_entropy_is_between_0_and_that_of_equal_weights(X, sigma, t, measure):
    """For any finite data, without a warning. m weights that sum to 1 and are shifted by eps: m eps 53 is allowed."""
    n = len(X)
    m = n * n if measure == "matrix_entries" else n
    assert -53 * m * EPS <= MEASURES[measure](X, sigma) <= math.log2(m) + 53 * m * EPS
    assert -53 * n * EPS <= diffusion_spectral_entropy(X, sigma, t) <= math.log2(n) + 53 * n * EPS


@given(X=arrays(), sigma=positive)
def test_anisotropic_adjacency_is_diffusion_at_t_1(X, sigma):
    assert adjacency_spectral_entropy(X, sigma, anisotropic=True) == diffusion_spectral_entropy(X, sigma)


@given(X=arrays(largest=30), sigma=st.floats(1e-3, 1e3), times=st.tuples(st.floats(0, 50), st.floats(0, 50)))
def test_entropy_falls_with_t(X, sigma, times):
    """dH/dt = -t var(log lambda) for any eigenvalues; what is left is the shift of p, and powers that are rounded."""
    sooner, later = (diffusion_spectral_entropy(X, sigma, t) for t in sorted(times))
    assert later <= sooner + 2 * 53 * len(X) * EPS


@given(X=arrays(largest=2.0**20), exponent=st.integers(-300, 300), measure=measures)
def test_scaling_by_a_power_of_two_changes_no_bit(X, exponent, measure):
    X = np.round(X * 2**20) / 2**20  # nothing that scaling makes subnormal
    assert MEASURES[measure](X * 2.0**exponent, 10 * 2.0**exponent) == MEASURES[measure](X)


@given(M=arrays("int64", largest=2**20), data=st.data())
def test_graph_of_neighbors_of_integers_is_exact(M, data):
    k = data.draw(st.integers(1, len(M)))
    squared = ((M[:, None, :] - M[None, :, :]) ** 2).sum(axis=2)
    expected = squared <= np.sort(squared, axis=1)[:, k - 1 : k]
    assert np.array_equal(_core.neighbor_graph(M.astype(float), k, None), expected)


@given(X=arrays(largest=1e300), n_bins=st.integers(1, 99))
def test_classic_entropy_follows_the_definition(X, n_bins):
    """A column that does not vary is 0 divided by 0, NaN, and in one bin. N terms, each rounded a few times."""
    with np.errstate(invalid="ignore"):
        scaled = (X - X.min(axis=0)) / (X.max(axis=0) - X.min(axis=0))
    bins = np.digitize(scaled, np.linspace(0, 1, n_bins + 1)[:-1])
    _, counts = np.unique(bins, axis=0, return_counts=True)
    p = counts / len(X) + EPS
    value = diffusion_spectral_entropy(X, classic_shannon_entropy=True, num_bins_per_dim=n_bins)
    assert value == pytest.approx(-(p * np.log2(p)).sum(), rel=0, abs=53 * len(X) * EPS)
