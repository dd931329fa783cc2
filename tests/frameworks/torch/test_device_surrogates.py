"""Surrogates that are drawn on a device: they keep what those of the core keep."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dsentropy._checks import devices
from dsentropy._data import device_surrogates
from dsentropy._data.data import Data
from dsentropy._data.device_rows import DeviceRows
from dsentropy._data.device_surrogates import DeviceSurrogates, centred_product
from dsentropy._data.surrogates import Surrogates

RNG = np.random.default_rng(0)
CLOUD = RNG.normal(size=(120, 5)) * [1, 2, 3, 4, 1e-3] + 10
SETS = {
    "tall": CLOUD,
    "single": CLOUD.astype(np.float32),
    "wide": RNG.normal(size=(20, 50)),
    "low rank": RNG.normal(size=(60, 2)) @ RNG.normal(size=(2, 7)),
    "tiny": 1e-200 * CLOUD,
    "huge": 1e300 * CLOUD,
    "equal rows": np.ones((9, 3)),
    "one row": np.ones((1, 3)),
    "integers": RNG.integers(0, 9, size=(50, 3)),
}


def surrogates(X, null, *, metric="euclidean", seed=0, stream=1):
    return DeviceSurrogates(DeviceRows.of(torch.tensor(X), metric, "cpu"), null, seed, stream)


def in_unit(*sets):
    """Sets of rows in float64, in units of one power of two near the largest entry of the first."""
    rows = [np.asarray(X, np.float64) for X in sets]
    return [np.ldexp(X, -np.frexp(np.abs(rows[0]).max())[1]) for X in rows]


@pytest.mark.parametrize("name", SETS)
def test_gaussian_surrogates_have_the_mean_and_covariance(name):
    given = SETS[name]
    made = surrogates(given, "gaussian").draw(0).tensor
    assert made.dtype == (torch.float32 if given.dtype == np.float32 else torch.float64)
    one, other = in_unit(given, made)
    eps = 2.0**-24 if given.dtype == np.float32 else 2.0**-53
    tolerance = 50 * eps * len(given)
    np.testing.assert_allclose(other.mean(axis=0), one.mean(axis=0), atol=tolerance)
    deviations = [rows - rows.mean(axis=0) for rows in (one, other)]
    scatter = [rows.T @ rows for rows in deviations]
    # Columns of small variance keep theirs.
    roots = np.sqrt(scatter[0].diagonal())
    allowed = tolerance * np.add.outer(roots, roots) * np.sqrt(np.trace(scatter[0])) + tolerance**2
    assert (np.abs(scatter[1] - scatter[0]) <= allowed).all()


@pytest.mark.parametrize("name", ["tall", "single", "wide", "low rank", "equal rows", "one row"])
def test_fewer_coordinates_have_the_singular_values(name):
    given = SETS[name]
    made = surrogates(given, "gaussian").draw(0, columns=False).tensor.double().numpy()
    assert len(made) == len(given)
    assert made.shape[1] <= max(1, min(given.shape))
    values = [np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) for rows in (given.astype(float), made)]
    rank = min(map(len, values))
    np.testing.assert_allclose(values[1][:rank], values[0][:rank], atol=1e-4 if name == "single" else 1e-11)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("small", [False, True])
def test_permuted_surrogates_have_the_values_of_columns(metric, small, monkeypatch):
    if small:
        monkeypatch.setattr(device_surrogates, "_COLUMN_ENTRIES", 200)
    drawn = surrogates(CLOUD, "permuted", metric=metric)
    made = drawn.draw(3)
    given = made.tensor.numpy() if metric == "euclidean" else made.host.given
    assert not np.array_equal(given, CLOUD)
    np.testing.assert_array_equal(np.sort(given, axis=0), np.sort(CLOUD, axis=0))
    orders = [np.argsort(np.argsort(given[:, j])) for j in range(2)]
    assert abs(np.corrcoef(orders)[0, 1]) < 5 / np.sqrt(len(CLOUD))


@pytest.mark.parametrize("name", ["tall", "single", "huge", "tiny"])
def test_rows_on_a_sphere_have_the_mean_norm(name):
    given = SETS[name]
    made = surrogates(given, "sphere").draw(0).tensor.numpy()
    unit = np.ldexp(1.0, np.frexp(np.abs(given).max())[1] // 2)
    norms = [np.linalg.norm(rows.astype(float) / unit / unit, axis=1) for rows in (given, made)]
    np.testing.assert_allclose(norms[1], norms[0].mean(), rtol=1e-6 if name == "single" else 1e-13)


@pytest.mark.parametrize("null", ["gaussian", "permuted", "sphere"])
def test_a_draw_is_determined_by_seed_stream_and_number(null):
    def draw(number=0, **options):
        return surrogates(CLOUD, null, **options).draw(number).tensor

    before = torch.get_rng_state()
    first = draw()
    assert torch.equal(first, draw())
    for other in [draw(1), draw(seed=1), draw(seed=-1), draw(stream=2)]:
        assert not torch.equal(first, other)
    assert not torch.equal(draw(seed=1), draw(seed=-1))
    assert torch.equal(before, torch.get_rng_state())


def test_columns_are_orthonormal_sum_to_zero_and_have_no_preferred_sign():
    positive = 0
    for seed in range(200):
        generator = torch.Generator("cpu").manual_seed(seed)
        factor = centred_product(12, torch.eye(4, dtype=torch.float64), generator)
        assert torch.allclose(factor.T @ factor, torch.eye(4, dtype=torch.float64), atol=1e-14)
        assert factor.sum(dim=0).abs().max() < 1e-14
        positive += bool(factor[1, 0] > 0)
    assert abs(positive - 100) < 5 * np.sqrt(200) / 2


@pytest.mark.parametrize("null", ["gaussian", "permuted", "sphere"])
def test_directions_of_draws_have_length_one(null):
    made = surrogates(CLOUD, null, metric="cosine").draw(0)
    np.testing.assert_allclose(np.linalg.norm(made.tensor.numpy(), axis=1), 1, rtol=1e-14)


def test_a_zero_row_has_no_direction():
    with pytest.raises(ValueError, match=r"null must make no zero row where metric is 'cosine', got zeros in row"):
        surrogates(np.eye(30), "permuted", metric="cosine").draw(0)


def test_surrogates_that_overflow_are_refused():
    given = np.full((6, 2), 3e38, np.float32)
    given[::2] *= -1
    drawn = surrogates(given, "gaussian")
    with pytest.raises(ValueError, match="X must be so small that its surrogates are finite in float32"):
        list(map(drawn.draw, range(20)))


def test_a_callable_gets_the_rows_and_the_generator_of_the_core():
    def null(rows, rng):
        assert not rows.flags.writeable
        return rows + rng.normal(size=rows.shape)

    expected = Surrogates(Data.of(CLOUD), null, 5, 1).draw(2)
    made = surrogates(CLOUD, null, seed=5).draw(2)
    np.testing.assert_array_equal(made.tensor.numpy(), expected.rows)


def test_devices_without_float64_get_the_draws_of_the_core(monkeypatch):
    monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("cpu",))
    given = CLOUD.astype(np.float32)
    for metric in ("euclidean", "cosine"):
        made = surrogates(given, "gaussian", metric=metric).draw(1)
        expected = Surrogates(Data.of(given, metric), "gaussian", 0, 1).draw(1)
        assert made.tensor.dtype == torch.float32
        np.testing.assert_array_equal(made.tensor.numpy(), expected.rows.astype(np.float32))
