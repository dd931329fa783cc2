"""Surrogates keep what they say, and are uniform in all else."""

import numpy as np
import pytest
from dsentropy._data.data import Data
from dsentropy._data.surrogates import Surrogates, as_null, centred_product, fixed_seed, null_name

RNG = np.random.default_rng(0)
SHAPES = [(60, 5), (30, 29), (30, 30), (20, 80), (1, 4), (2, 3)]
EPS = np.finfo(float).eps


def surrogates(X, null="gaussian", metric="euclidean", seed=0, stream=1):
    return Surrogates(Data.of(X, metric), null, seed, stream)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_gaussian_surrogates_have_the_mean_and_the_covariance_of_the_sample(shape, dtype, scale):
    X = ((RNG.normal(size=shape) @ RNG.normal(size=(shape[1], shape[1])) + 3) * scale).astype(dtype)
    made = surrogates(X).draw(0).given
    assert made.dtype == dtype
    assert made.shape == shape
    assert len(X) < 3 or not np.allclose(made, X, rtol=1e-3, atol=0)
    X, made = X.astype(float) / scale, made.astype(float) / scale
    allowed = 20 * np.sqrt(X.size) * np.finfo(dtype).eps * np.abs(X).max()
    assert np.abs(made.mean(axis=0) - X.mean(axis=0)).max() <= allowed
    scatter = [(rows - rows.mean(axis=0)).T @ (rows - rows.mean(axis=0)) for rows in (X, made)]
    assert np.abs(scatter[0] - scatter[1]).max() <= allowed * np.sqrt(len(X)) * np.abs(X).max() * 2


def test_gaussian_surrogates_of_few_dimensions_stay_in_them():
    X = np.column_stack([RNG.normal(size=(40, 2)) @ RNG.normal(size=(2, 6)), np.full(40, 7.0)])
    made = surrogates(X).draw(3).given
    assert np.linalg.matrix_rank(made - made.mean(axis=0), tol=1e-9) == 2
    assert made[:, 6] == pytest.approx(7, abs=1e-12)
    assert surrogates(np.ones((5, 3))).draw(0).given == pytest.approx(np.ones((5, 3)))
    assert surrogates(np.ones((3, 5))).draw(0, columns=False).given == pytest.approx(0)


def test_fewer_coordinates_have_the_distances_of_the_columns():
    X = RNG.normal(size=(12, 40))
    made = surrogates(X)
    whole, part = made.draw(1).given, made.draw(1, columns=False).given
    assert part.shape == (12, 11)
    apart = [np.linalg.norm(rows[:, None] - rows, axis=2) for rows in (whole, part)]
    assert apart[0] == pytest.approx(apart[1], abs=1e-12)
    assert surrogates(X, metric="cosine").draw(1, columns=False).given.shape == X.shape


def test_permuted_surrogates_have_the_values_of_each_column():
    X = RNG.integers(0, 5, size=(50, 4)).astype(float)
    made = surrogates(X, "permuted").draw(0).given
    assert np.array_equal(np.sort(made, axis=0), np.sort(X, axis=0))
    assert not np.array_equal(made, X)
    orders = [
        tuple(np.argsort(column)) for column in surrogates(RNG.normal(size=(50, 2)), "permuted").draw(0).given.T
    ]
    assert orders[0] != orders[1]


def test_rows_on_a_sphere_have_the_mean_norm():
    X = RNG.normal(size=(50, 7)) + 2
    made = surrogates(X, "sphere").draw(0).given
    assert np.linalg.norm(made, axis=1) == pytest.approx(np.linalg.norm(X, axis=1).mean())


def test_frames_are_orthonormal_and_sum_to_zero():
    for n, r in [(9, 4), (9, 8), (2, 1), (1, 0)]:
        frame = centred_product(n, np.eye(r), np.random.default_rng(0))
        assert frame.T @ frame == pytest.approx(np.eye(r), abs=20 * n * EPS)
        assert np.abs(frame.sum(axis=0)).max(initial=0) <= 20 * n * EPS


def test_frames_are_uniform():
    """In 3 of 4 dimensions a frame O has E tr(O) = 0 and E O_11^2 = 3/4 / 3, and any sign is as likely.

    Without the correction of signs a diagonal entry of Q would lean to one side.
    """
    frames = np.array([centred_product(4, np.eye(3), np.random.default_rng([5, k])) for k in range(4000)])
    # The variance of each entry is 1/4 (row i of the projection orthogonal to 1 has length^2 3/4, over 3 columns).
    error = np.sqrt(1 / 4 / len(frames))
    assert np.abs(frames.mean(axis=0)).max() < 4.5 * error
    assert (frames**2).mean(axis=0) == pytest.approx(1 / 4, abs=4.5 * np.sqrt(1 / 8 / len(frames)))


def test_a_draw_is_that_of_its_seed_stream_and_number():
    X = RNG.normal(size=(20, 3))
    one = surrogates(X).draw(2).given
    made = surrogates(X)
    made.draw(0)
    assert np.array_equal(made.draw(2).given, one)
    others = [surrogates(X).draw(3), surrogates(X, seed=1).draw(2), surrogates(X, stream=2).draw(2)]
    others += [surrogates(X, seed=-1).draw(2), surrogates(X, seed=2**100).draw(2)]
    for other in others:
        assert not np.array_equal(other.given, one)
    assert fixed_seed(None) != fixed_seed(None)
    assert fixed_seed(-3) == -3


def test_a_callable_gets_rows_that_it_cannot_change():
    X = RNG.normal(size=(20, 3)).astype(np.float32)

    def null(rows, rng):
        assert rows.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            rows[0] = 0
        return rng.normal(size=rows.shape)

    assert surrogates(X, null).draw(0).given.dtype == np.float32
    assert null_name(null) == "null"
    assert null_name("sphere") == "sphere"
    for wrong, error, text in [
        (lambda rows, rng: rows[:3], ValueError, r"null\(X, rng\) must have the shape of X, \(20, 3\), got \(3, 3\)"),
        (lambda rows, rng: np.full_like(rows, np.nan), ValueError, r"null\(X, rng\) must be finite"),
        (lambda rows, rng: "rows", TypeError, r"null\(X, rng\)"),
    ]:
        with pytest.raises(error, match=text):
            surrogates(X, wrong).draw(0)


def test_what_has_no_surrogates_is_refused():
    X = RNG.normal(size=(6, 3))
    for metric in ["precomputed", "affinity"]:
        pairs = np.exp(-np.linalg.norm(X[:, None] - X, axis=2))
        pairs = pairs if metric == "affinity" else 1 - pairs
        with pytest.raises(ValueError, match=f"metric must be 'euclidean' or 'cosine' .* got '{metric}'"):
            surrogates(pairs, metric=metric)
    with pytest.raises(ValueError, match="null must be 'gaussian', 'permuted' or 'sphere', got 'noise'"):
        as_null("noise")
    with pytest.raises(TypeError, match=r"null must be 'gaussian', .* or a callable of rows and a generator, got 3"):
        as_null(3)
    sparse = np.eye(12, 30)
    with pytest.raises(ValueError, match="null must make no zero row where metric is 'cosine', got zeros in row"):
        surrogates(sparse, "permuted", metric="cosine").draw(0)
    huge = np.array([[1.7e308], [-1.7e308], [1.7e308], [1.7e308]])
    with pytest.raises(ValueError, match="X must be so small that its surrogates are finite in float64"):
        [surrogates(huge).draw(k) for k in range(20)]
