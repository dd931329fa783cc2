"""Products with the affinity on a device, against the formula, in either precision and under any settings."""

from __future__ import annotations

import re
from contextlib import ExitStack

import numpy as np
import pytest
import torch
from dsentropy import _core
from dsentropy._checks import devices
from dsentropy._data.device_rows import DeviceRows
from dsentropy._operator import torch_affinity, torch_errors, torch_memory, torch_tiles
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._operator.torch_affinity import TorchAffinity

RNG = np.random.default_rng(0)
N = 1300  # of which tiles of 512 rows are no divisor
NORMAL = RNG.normal(size=(N, 5))
VECTORS = RNG.normal(size=(N, 3))


def affinity(X, bandwidth=1.0, storage="auto", memory_limit=None, metric="euclidean"):
    options = SlqOptions(1e-3, [1.0], [1.0], None, storage, memory_limit, 0)
    return TorchAffinity(DeviceRows.of(torch.tensor(X), metric, "cpu"), bandwidth, options)


def formula(X, bandwidth=1.0):
    roots = np.sqrt(np.broadcast_to(bandwidth, len(X)))
    with np.errstate(over="ignore"):
        return np.exp(-sum(((x[:, None] - x) / roots[:, None] / roots) ** 2 for x in X.T.astype(np.float64)) / 2)


def entries(one, exactly=False):
    """The matrix that products with the identity give."""
    return one.product(np.eye(one._rows.n_samples), [], exactly)


@pytest.fixture
def without_float64(monkeypatch):
    """Takes the processor for a device that has no float64."""
    monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("cpu",))


@pytest.fixture
def small_tiles(monkeypatch):
    monkeypatch.setattr(torch_affinity, "TILE", 512)


@pytest.mark.parametrize("bandwidth", [0.7, RNG.uniform(0.5, 2.0, N)])
@pytest.mark.parametrize("storage", ["tiled", "dense"])
def test_products_and_moments_are_those_of_the_formula(small_tiles, bandwidth, storage):
    G, one = formula(NORMAL, bandwidth), affinity(NORMAL, bandwidth, storage)
    squares = RNG.uniform(1, 2, N)
    for _ in range(2):  # the second time with what was stored
        np.testing.assert_allclose(one.product(VECTORS, [], False), G @ VECTORS, rtol=0, atol=1e-11)
        moments = one.moments(squares, False)
        assert moments.trace == pytest.approx(squares.sum(), rel=1e-14)
        assert moments.squared_norm == pytest.approx(float(squares @ G**2 @ squares), rel=1e-12)
    np.testing.assert_array_equal(one.product(VECTORS, [], True), one.product(VECTORS, [], False))


@pytest.mark.parametrize("bandwidth", [0.7, RNG.uniform(0.5, 2.0, N)])
def test_stored_tiles_give_the_bits_of_those_that_are_computed(without_float64, small_tiles, bandwidth):
    X = NORMAL.astype(np.float32)
    products = [affinity(X, bandwidth, storage).product(VECTORS, [], False) for storage in ("tiled", "dense", "auto")]
    for product in products[1:]:
        np.testing.assert_array_equal(product, products[0])


@pytest.mark.parametrize("tile", [512, 1024, 2048])
def test_single_precision_is_within_its_stated_errors(monkeypatch, without_float64, tile):
    monkeypatch.setattr(torch_affinity, "TILE", tile)
    X = NORMAL.astype(np.float32)
    G, one = formula(X), affinity(X)
    squares = RNG.uniform(1, 2, N)
    found = entries(one)
    assert np.abs(found / G - 1).max() <= one.error
    np.testing.assert_array_equal(found, found.T)
    assert (found.diagonal() == 1).all()
    for vectors in (VECTORS, np.abs(VECTORS), np.ones((N, 1))):
        error = np.abs(one.product(vectors, [], False) - found @ vectors)
        assert (error <= one.rounding * (found @ np.abs(vectors))).all()
    expected = float(squares @ found**2 @ squares)
    assert one.moments(squares, False).squared_norm == pytest.approx(expected, rel=one.rounding)


@pytest.mark.parametrize("columns", [1, 2, 16, 300])
@pytest.mark.parametrize("reach", [0.3, 1.0, 10.0])
def test_errors_of_entries_are_covered(without_float64, columns, reach):
    """Rows in a ball, some at its surface, whose radius is so many bandwidths."""
    X = RNG.normal(size=(700, columns))
    X *= RNG.uniform(0.5, 1, (700, 1)) / np.linalg.norm(X, axis=1, keepdims=True)
    X[::50] = X[1::50] * (1 + 1e-4)
    X = X.astype(np.float32)
    one, G = affinity(X, 1 / reach), formula(X, 1 / reach)
    seen = G > 1e-30
    assert np.abs(entries(one)[seen] / G[seen] - 1).max() <= one.error


@pytest.mark.parametrize("exponent", [-330, -150, 0, 150, 300])
def test_a_power_of_two_in_rows_and_bandwidth_changes_nothing(exponent):
    scale = 2.0**exponent
    expected = affinity(NORMAL, 1.0).product(VECTORS, [], False)
    np.testing.assert_array_equal(affinity(NORMAL * scale, scale).product(VECTORS, [], False), expected)


@pytest.mark.parametrize("vector_scale", [1e-305, 1e-60, 1e60, 1e300])
def test_vectors_beyond_the_range_of_float32_are_scaled(without_float64, vector_scale):
    X = NORMAL.astype(np.float32)
    G, one = formula(X), affinity(X)
    error = np.abs(one.product(VECTORS * vector_scale, [], False) / vector_scale - G @ VECTORS)
    assert (error <= (one.rounding + one.error) * (G @ np.abs(VECTORS))).all()
    assert not one.product(np.zeros((N, 2)), [], False).any()


def test_rows_far_from_the_origin_lose_nothing(without_float64):
    X = (NORMAL + 1e4).astype(np.float32)
    one = affinity(X)
    assert one.error < 1e-4
    assert np.abs(entries(one) / formula(X) - 1).max() <= one.error


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("width", [1e-7, 1e-200])
def test_rows_many_bandwidths_apart_are_computed_again_from_differences(small_tiles, several, width):
    """Groups of rows that differ by bandwidths: the Gram distances of float64 have no digit of these."""
    X = RNG.normal(size=(N, 3)) * width
    X[::2] += [0.0, 1.0, 0.0] if width > 1e-100 else 0.0
    X[:2] = [[1.0, 0, 0], [1.0, 0, 0]]
    bandwidth = RNG.uniform(1, 2, N) * width if several else width
    one = affinity(X, bandwidth)
    assert one._tiles.near is not None
    assert one.error < 1e-9
    np.testing.assert_allclose(entries(one), formula(X, bandwidth), rtol=1e-9, atol=1e-300)


def test_extreme_bandwidths_have_their_limits():
    assert (entries(affinity(NORMAL[:30], 1e300)) == 1).all()
    np.testing.assert_array_equal(entries(affinity(NORMAL[:30], 1e-300)), np.eye(30))
    mixed = np.array([1e-300, 1e300] * 15)
    found = entries(affinity(NORMAL[:30], mixed))
    np.testing.assert_allclose(found, formula(NORMAL[:30], mixed), rtol=1e-12)
    assert (entries(affinity(np.zeros((5, 2)), 1.0)) == 1).all()


def test_directions_are_euclidean_rows():
    X = RNG.normal(size=(60, 4))
    Y = X / np.linalg.norm(X, axis=1, keepdims=True)
    np.testing.assert_allclose(entries(affinity(X, 0.5, metric="cosine")), formula(Y, 0.5), rtol=1e-12)


def test_float32_is_taken_where_the_tolerance_allows_it(monkeypatch):
    X = RNG.normal(size=(8192, 4))

    def one(tol, bandwidth=1.0):
        options = SlqOptions(tol, [1.0], [1.0], None, "tiled", None, 0)
        return TorchAffinity(DeviceRows.of(torch.tensor(X), "euclidean", "cpu"), bandwidth, options)

    assert one(1e-3)._tiles.scaled.dtype == torch.float32
    assert one(1e-3).error <= _core.allowed_single_error(8192, SlqOptions(1e-3, [1.0], [1.0], None, "tiled", None, 0))
    assert one(1e-5)._tiles.scaled.dtype == torch.float64
    assert one(1e-3, 1e-3)._tiles.scaled.dtype == torch.float64
    # As where a library that multiplies takes TensorFloat32 by an environment variable.
    monkeypatch.setattr(torch, "bmm", short_factors(torch.bmm))
    assert one(1e-3)._tiles.scaled.dtype == torch.float64
    assert one(1e-3).rounding == 1e-10
    monkeypatch.undo()
    monkeypatch.setattr(torch, "addmm", short_factors(torch.addmm))
    assert one(1e-3)._tiles.scaled.dtype == torch.float64


def short_factors(product):
    """A product whose factors in float32 have 11 bits, as TensorFloat32 has."""

    def rounded(*factors, **options):
        short = [
            (x.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32) if x.dtype == torch.float32 else x
            for x in factors
        ]
        return product(*short, **options)

    return rounded


def test_errors_that_a_library_makes_are_measured(monkeypatch):
    """Sums of equal terms, and factors that are rounded."""
    assert torch_errors.product_rounding("cpu", 1024) < torch_errors.SHORT_FLOAT32
    X = np.repeat(RNG.normal(size=(700, 1)), 400, axis=1).astype(np.float32)
    rows = DeviceRows.of(torch.tensor(X), "euclidean", "cpu")
    scaling = torch_tiles.Scaling.of(rows, 15.0, torch.float64)
    stated = torch_errors.entry_error(rows, 15.0, scaling)
    tiles = torch_tiles.Tiles.of(rows, 15.0, scaling, torch.float32)
    found = tiles.tile(slice(0, 768), slice(0, 768))[:700, :700].numpy()
    assert np.abs(found / formula(X, 15.0) - 1).max() <= stated
    monkeypatch.setattr(torch, "bmm", short_factors(torch.bmm))
    monkeypatch.setattr(torch, "addmm", short_factors(torch.addmm))
    assert torch_errors.product_rounding("cpu", 1024) > torch_errors.SHORT_FLOAT32
    assert torch_errors.entry_error(rows, 15.0, scaling) > 10 * stated


def test_without_float64_the_exact_solver_has_the_processor(without_float64):
    X = NORMAL[:200].astype(np.float32)
    one = affinity(X)
    assert np.abs(entries(one) / formula(X) - 1).max() > 1e-9
    np.testing.assert_allclose(entries(one, exactly=True), formula(X), rtol=1e-12)
    assert one.moments(np.ones(200), True).squared_norm == pytest.approx((formula(X) ** 2).sum(), rel=1e-12)


def test_without_float64_far_rows_are_refused(without_float64):
    with pytest.raises(ValueError, match="bandwidth must be larger where device is 'cpu', which has no float64"):
        affinity(NORMAL.astype(np.float32), 1e-3)


SETTINGS = {
    "medium": lambda stack: torch.set_float32_matmul_precision("medium"),
    "tf32": lambda stack: torch._C._set_fp32_precision_setter("generic", "all", "tf32"),
    "autocast": lambda stack: stack.enter_context(torch.autocast("cpu", dtype=torch.bfloat16)),
    "inference": lambda stack: stack.enter_context(torch.inference_mode()),
    "dtype": lambda stack: torch.set_default_dtype(torch.float64),
    "half": lambda stack: torch.set_default_dtype(torch.float16),
    "device": lambda stack: torch.set_default_device("meta"),
    "context": lambda stack: stack.enter_context(torch.device("meta")),
    "deterministic": lambda stack: torch.use_deterministic_algorithms(True),
}


@pytest.mark.parametrize("setting", list(SETTINGS))
@pytest.mark.parametrize("single", [False, True])
def test_settings_of_the_caller_play_no_part_and_stay(monkeypatch, setting, single):
    if single:
        monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("cpu",))
    X = torch.tensor(NORMAL, dtype=torch.float32 if single else torch.float64, requires_grad=True)
    options = SlqOptions(1e-3, [1.0], [1.0], None, "auto", None, 0)

    def found():
        one = TorchAffinity(DeviceRows.of(X, "euclidean", "cpu"), 1.0, options)
        return one.product(VECTORS, [], False), one.moments(np.ones(N), False).squared_norm

    def settings():
        older = torch.get_float32_matmul_precision() if setting != "tf32" else None
        newer = [torch._C._get_fp32_precision_getter(*key) for key in (("generic", "all"), ("mkldnn", "matmul"))]
        flags = torch.is_autocast_enabled("cpu"), torch.is_inference_mode_enabled(), torch.is_grad_enabled()
        return older, newer, flags, torch.get_default_dtype(), torch.get_default_device()

    expected = found()
    try:
        with ExitStack() as stack:
            SETTINGS[setting](stack)
            before = settings()
            product, squared_norm = found()
            assert settings() == before
    finally:
        torch.set_float32_matmul_precision("highest")
        torch._C._set_fp32_precision_setter("generic", "all", "none")
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.use_deterministic_algorithms(False)
    np.testing.assert_array_equal(product, expected[0])
    assert squared_norm == expected[1]


def out_of_memory(when):
    """A tile function that raises the error of a device without memory while ``when(rows)``."""
    tile = torch_tiles.Tiles.tile

    def failing(self, i, j):
        if when(i.stop - i.start):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return tile(self, i, j)

    return failing


@pytest.mark.parametrize("storage", ["auto", "tiled"])
def test_a_device_without_memory_gets_smaller_tiles(monkeypatch, storage):
    expected = affinity(NORMAL).product(VECTORS, [], False)
    monkeypatch.setattr(torch_tiles.Tiles, "tile", out_of_memory(lambda rows: rows > 512))
    one = affinity(NORMAL, storage=storage)
    np.testing.assert_allclose(one.product(VECTORS, [], False), expected, rtol=0, atol=1e-12)
    assert one._tile_rows == 512
    assert one._stored is None


@pytest.mark.parametrize(("storage", "rows"), [("auto", 0), ("tiled", 0), ("dense", 512)])
def test_a_device_without_memory_for_the_smallest_tile_is_an_error(monkeypatch, storage, rows):
    monkeypatch.setattr(torch_tiles.Tiles, "tile", out_of_memory(lambda number: number > rows))
    with pytest.raises(MemoryError, match="1300 rows need more memory than device 'cpu' has: CUDA out of memory"):
        affinity(NORMAL, storage=storage).product(VECTORS, [], False)


def test_other_errors_of_the_device_are_passed_on(monkeypatch):
    def failing(self, i, j):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch_tiles.Tiles, "tile", failing)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        affinity(NORMAL).product(VECTORS, [], False)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("x"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"), True),
        (RuntimeError("shapes cannot be multiplied"), False),
    ],
)
def test_errors_of_memory_are_recognised(error, expected):
    assert torch_memory.is_out_of_memory(error) == expected


def test_a_limit_chooses_tiles_and_storage():
    vectors = _core.estimate_bytes(N)
    limits = [vectors + megabytes * 10**6 for megabytes in (1000, 80, 20)]
    stored, largest, smallest = (affinity(NORMAL, memory_limit=limit) for limit in limits)
    assert stored._stored == {}
    assert largest._stored is None
    assert largest._tile_rows == 2048
    assert smallest._tile_rows == 512
    with pytest.raises(MemoryError, match=r"1300 rows need \d+ MB of memory on device 'cpu', and 1 MB are left"):
        affinity(NORMAL, memory_limit=vectors + 2**20)
    with pytest.raises(MemoryError, match="1300 rows need"):
        affinity(NORMAL, storage="dense", memory_limit=vectors + 80 * 10**6)
    with pytest.raises(MemoryError, match="and 0 MB are left"):
        affinity(NORMAL, memory_limit=10)


def test_memory_of_accelerators_is_their_own(monkeypatch):
    freed = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3 * 2**20, 2**30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 2 * 2**20)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 2**20)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append("cuda"))
    cuda = torch_memory.DeviceMemory.of("cuda:0", 100, None)
    assert cuda.free() == 4 * 2**20
    assert cuda.has(2**22)
    assert not cuda.has(2**22 + 1)
    cuda.release()
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 100)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 40)
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: freed.append("mps"))
    mps = torch_memory.DeviceMemory.of("mps:0", 100, _core.estimate_bytes(100) + 7)
    assert (mps.free(), mps.limit) == (60, 7)
    mps.release()
    assert freed == ["cuda", "mps"]
    limited = torch_memory.DeviceMemory.of("cuda:0", 100, 1000)
    with pytest.raises(MemoryError, match=re.escape("100 rows need 1 MB of memory on device 'cuda:0', and 0 MB")):
        limited.require(2**20)
