"""Spectra of covariances and second moments of rows that come whole, in blocks, or in a dask array."""

import math

import numpy as np
import pytest
from dsentropy import covariance_spectrum
from numpy_formulas import EPS, cloud, moduli
from scipy.sparse import csr_array

ROWS = cloud(700, 9) * np.linspace(0.01, 3, 9)


def second_moments_off(X):
    """Of X' X / N: an entry is off by (n + d) eps of the lengths of two columns, the matrix by that of its trace."""
    return 2 * sum(X.shape) * EPS * (X**2).sum() / len(X)


def merged_off(X):
    """Blocks of one row to all: each merge rounds every entry once more, so n eps of the trace. The rows and their
    means are rounded to eps of their distance from the origin.
    """
    far = np.abs(X.mean(axis=0)).max()
    trace = X.var(axis=0, ddof=1).sum()
    return 4 * sum(X.shape) * EPS * trace + 8 * far * EPS * math.sqrt(X.shape[1] * trace)


def pieces(X, *ends):
    return (part for part in np.split(X, ends))


@pytest.mark.parametrize(("n", "d"), [(80, 6), (7, 30), (2, 5), (1, 4)])
def test_without_centring_the_matrix_is_that_of_the_second_moments(n, d):
    X = cloud(n, d) + 3
    spectrum = covariance_spectrum(X, center=False)
    assert len(spectrum) == d
    assert np.abs(spectrum.eigenvalues - moduli(X.T @ X / n)).max() <= second_moments_off(X)
    assert spectrum.parameters["center"] is False
    assert "center" not in covariance_spectrum(cloud(4, 2)).parameters


def test_rankme_and_the_uncentred_participation_ratio_follow_their_formulas():
    X = ROWS + 1
    spectrum = covariance_spectrum(X, center=False)
    singular = np.linalg.svd(X, compute_uv=False)
    p = singular / singular.sum()
    assert spectrum.effective_rank(0.5) == pytest.approx(math.exp(-(p * np.log(p)).sum()), rel=1e-10)
    C = X.T @ X
    assert spectrum.participation_ratio() == pytest.approx(np.trace(C) ** 2 / (C**2).sum(), rel=1e-10)
    assert spectrum.effective_rank(0.5) < covariance_spectrum(X).effective_rank(0.5) + 1


@pytest.mark.parametrize("far", [0, 1e6])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("ends", [[1, 2, 300, 310], [699], [350], [], range(1, 700)], ids=str)
def test_blocks_have_the_spectrum_of_the_whole(ends, center, far):
    """The scatter about the mean has a relative error that does not grow with the distance from the origin."""
    X = ROWS + far
    found = covariance_spectrum(pieces(X, *ends), center=center)
    whole = covariance_spectrum(X, center=center)
    assert found.n_samples == len(X)
    allowed = merged_off(X) if center else 2 * second_moments_off(X)
    assert np.abs(found.eigenvalues - whole.eigenvalues).max() <= allowed
    assert found.parameters == whole.parameters


def test_an_array_that_is_filled_again_for_each_block_is_copied():
    def batches():
        buffer = np.empty((10, 9))
        for start in range(0, 700, 10):
            buffer[:] = ROWS[start : start + 10]
            yield buffer

    found = covariance_spectrum(batches()).eigenvalues
    assert np.abs(found - covariance_spectrum(ROWS).eigenvalues).max() <= merged_off(ROWS)


def test_more_columns_than_rows_leave_exact_zeros():
    X = cloud(5, 40)
    for center, rank in [(True, 4), (False, 5)]:
        found = covariance_spectrum(iter(np.split(X, [2])), center=center).eigenvalues
        whole = covariance_spectrum(X, center=center).eigenvalues
        assert np.abs(found - whole).max() <= 2 * second_moments_off(X)
        assert (found[rank:] == 0).all()
        assert found[rank - 1] > 0


@pytest.mark.parametrize("scale", [1e-150, 1e150])
def test_no_scale_of_any_block_over_or_underflows(scale):
    """Blocks of three scales, of which the largest counts."""
    X = np.concatenate([ROWS[:300] * 1e-200, ROWS[300:600] * scale, ROWS[600:] * scale / 1e3])
    found = covariance_spectrum(pieces(X, 300, 600)).eigenvalues
    whole = covariance_spectrum(X).eigenvalues
    assert whole[0] > 0
    assert np.abs(found / whole[0] - whole / whole[0]).max() <= 4 * 709 * EPS * 9


@pytest.mark.parametrize(
    "form",
    [list, tuple, iter, lambda blocks: map(np.asfortranarray, blocks), lambda blocks: map(csr_array, blocks)],
    ids=["list", "tuple", "iterator", "Fortran order", "sparse"],
)
def test_blocks_may_be_of_any_kind(form):
    blocks = np.split(ROWS, [20, 400])
    assert np.abs(covariance_spectrum(form(blocks)).eigenvalues - covariance_spectrum(ROWS).eigenvalues).max() <= (
        merged_off(ROWS)
    )


def test_sequences_that_numpy_reads_are_no_blocks():
    expected = covariance_spectrum(ROWS)
    for whole in (ROWS.tolist(), memoryview(ROWS), list(ROWS)):
        found = covariance_spectrum(whole)
        assert np.array_equal(found.eigenvalues, expected.eigenvalues)
        assert found.fingerprint == expected.fingerprint
    with pytest.raises(ValueError, match="X must have two dimensions"):
        covariance_spectrum([])


def test_float32_blocks_have_the_rounding_of_their_dtype():
    X = np.random.default_rng(0).normal(size=(600, 3)).astype(np.float32)
    X = np.column_stack([X, X[:, :2].sum(axis=1, dtype=np.float32)])  # the sum is rounded to float32
    whole, found = covariance_spectrum(X), covariance_spectrum(pieces(X, 300))
    assert whole.eigenvalues[3] == found.eigenvalues[3] == 0
    assert np.abs(whole.eigenvalues - found.eigenvalues).max() <= merged_off(X.astype(np.float64))
    mixed = covariance_spectrum(iter([X[:300], X[300:].astype(np.float64)]))
    assert mixed.eigenvalues[3] == 0


def test_results_do_not_depend_on_threads():
    one, two = (covariance_spectrum(pieces(ROWS, 100, 101), num_threads=threads) for threads in (1, 2))
    assert np.array_equal(one.eigenvalues, two.eigenvalues)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("chunks", [(700, 9), (100, 4), (1, 9), ((5, 0, 695), (9,))], ids=str)
def test_dask_arrays_are_merged_chunk_by_chunk(chunks, center):
    da = pytest.importorskip("dask.array")
    found = covariance_spectrum(da.from_array(ROWS, chunks=chunks), center=center)
    whole = covariance_spectrum(ROWS, center=center)
    assert found.n_samples == 700
    allowed = merged_off(ROWS) if center else 2 * second_moments_off(ROWS)
    assert np.abs(found.eigenvalues - whole.eigenvalues).max() <= allowed


def test_dask_arrays_of_unknown_length_are_counted():
    da = pytest.importorskip("dask.array")
    X = da.from_array(ROWS, chunks=(200, 9))
    found = covariance_spectrum(X[X[:, 8] > 0])
    expected = covariance_spectrum(ROWS[ROWS[:, 8] > 0])
    assert found.n_samples == expected.n_samples
    assert np.abs(found.eigenvalues - expected.eigenvalues).max() <= merged_off(ROWS)
    with pytest.raises(ValueError, match="X must have at least one row and one column"):
        covariance_spectrum(X[X[:, 8] > 1e9])
    subset = covariance_spectrum(X, max_samples=50)
    assert np.array_equal(subset.eigenvalues, covariance_spectrum(ROWS, max_samples=50).eigenvalues)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            iter([ROWS, ROWS[:, :3]]),
            r"X must have blocks of equally many columns, got 9 in the first and 3 in X\[1\]",
        ),
        (iter([ROWS, np.full((2, 9), np.nan)]), r"X\[1\] must be finite, got nan"),
        (iter([ROWS, ROWS[0]]), r"X\[1\] must have two dimensions \[N, D\], got shape \(9,\)"),
        (iter([]), "X must have at least one row, got no block with rows"),
        (iter([ROWS[:0]]), "X must have at least one row, got no block with rows"),
        (iter([ROWS[:1], ROWS[:1]]), "X must have rows that differ"),
        (iter([ROWS[:1] * 1e200, ROWS[:1]]), "X must have a scale whose squares are finite"),
    ],
)
def test_blocks_are_checked(blocks, message):
    with pytest.raises(ValueError, match=message):
        covariance_spectrum(blocks)


def test_errors_of_the_iterable_are_passed_on():
    class Unreadable:
        def __iter__(self):
            raise OSError("disk")

    def truncated():
        yield ROWS
        raise OSError("disk")

    with pytest.raises(TypeError, match="X must be an array or an iterable of blocks of rows: disk"):
        covariance_spectrum(Unreadable())
    with pytest.raises(OSError, match="disk"):
        covariance_spectrum(truncated())


def test_arguments_that_blocks_do_not_have_are_refused():
    with pytest.raises(ValueError, match="max_samples must not be given where X is an iterable of blocks"):
        covariance_spectrum(iter([ROWS]), max_samples=3)
    with pytest.raises(ValueError, match="X must have a row that is not zero, to have second moments"):
        covariance_spectrum(np.zeros((3, 2)), center=False)
    with pytest.raises(TypeError, match="center must be"):
        covariance_spectrum(ROWS, center="yes")
    for container in ({"a": ROWS}, {1.0, 2.0}, "rows.npy"):
        with pytest.raises(TypeError, match="X must be an array"):
            covariance_spectrum(container)
