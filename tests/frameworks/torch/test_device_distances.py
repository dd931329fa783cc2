"""Distances of rows on a device: those of the core within rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dsentropy import _core
from dsentropy._data import device_distances
from dsentropy._data.device_distances import DevicePoints, median_distance, neighbor_distances

RNG = np.random.default_rng(0)
N = 400
CLOUD = RNG.normal(size=(N, 6))
SETS = {
    "normal": CLOUD,
    "single": CLOUD.astype(np.float32),
    "far from the origin": CLOUD + 1e4,
    "one row far away": np.r_[CLOUD[1:], np.full((1, 6), 1e12)],
    "duplicates": CLOUD[RNG.integers(0, 30, N)],
    "equal rows": np.ones((N, 3)),
    "integers": RNG.integers(0, 3, size=(N, 3)).astype(float),
    "one-hot": np.eye(8)[np.arange(N) % 8],
    "tiny": 1e-200 * CLOUD,
    "huge": 1e300 * CLOUD,
    "subnormal": 1e-315 * CLOUD,
    "two scales": np.r_[CLOUD[:200], 1e-200 * CLOUD[200:]],
    "groups far apart": CLOUD + 1e9 * (np.arange(N) % 3)[:, None],
    "wide": RNG.normal(size=(60, 900)),
    "one column": CLOUD[:, :1],
    "two rows": CLOUD[:2],
}


@pytest.fixture(params=[None, 2**12], ids=["one tile", "small tiles"])
def tiles(request, monkeypatch):
    """One tile, or many."""
    if request.param is not None:
        monkeypatch.setattr(device_distances, "TILE_ENTRIES", request.param)


@pytest.mark.parametrize("name", SETS)
def test_the_median_is_that_of_the_core(name, tiles):
    rows = SETS[name]
    # The core's squares have a relative error of 1e-12.
    assert median_distance(torch.tensor(rows)) == pytest.approx(
        _core.median_distance(rows, "euclidean", None, None), rel=1e-12, abs=0
    )


@pytest.mark.parametrize("n_neighbors", [1, 15, 58])
@pytest.mark.parametrize("name", [name for name, rows in SETS.items() if len(rows) > 58])
def test_distances_to_neighbours_are_those_of_the_core(name, n_neighbors, tiles):
    rows = SETS[name]
    found = neighbor_distances(torch.tensor(rows), n_neighbors)
    np.testing.assert_allclose(found, _core.neighbor_distances(rows, "euclidean", n_neighbors, None), rtol=1e-11)


def test_the_farthest_row_is_a_neighbour():
    found = neighbor_distances(torch.tensor(CLOUD), N - 1)
    np.testing.assert_allclose(found, np.linalg.norm(CLOUD[:, None] - CLOUD, axis=2).max(axis=1), rtol=1e-12)


def test_a_row_without_another_has_no_distance():
    assert median_distance(torch.ones((1, 3))) == 0


@pytest.mark.parametrize("name", ["normal", "one row far away", "groups far apart", "duplicates", "huge", "single"])
def test_squares_are_those_of_differences(name, tiles):
    rows = SETS[name].astype(np.float64)
    points = DevicePoints.of(torch.tensor(SETS[name]))
    unit = np.ldexp(rows, -points.exponent)
    expected = ((unit[:, None] - unit) ** 2).sum(axis=2)
    found = torch.cat([points.squared_distances(part) for part in points.parts()]).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(found == 0, expected == 0)
    products = torch.cat([points.products(part) for part in points.parts()]).numpy()
    errors = torch.cat([points.errors(part) for part in points.parts()]).numpy()
    assert (np.abs(products - expected) <= errors).all()


def test_settings_of_the_caller_play_no_part():
    rows = torch.tensor(CLOUD)
    expected = median_distance(rows), neighbor_distances(rows, 5)
    kept = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.bfloat16)
        with torch.autocast("cpu"), torch.inference_mode(), torch.device("meta"):
            found = median_distance(rows), neighbor_distances(rows, 5)
    finally:
        torch.set_default_dtype(kept)
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])
