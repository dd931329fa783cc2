"""Products with, and moments of, the Gaussian affinity of rows on a device, by PyTorch.

Each tile on or right of the diagonal is computed once a product, and multiplied as it is and transposed. Tiles are
stored on the device where they fit. Sums are in float64, in a fixed order: the same rows, vectors and tile size give
the same bits. A device that has no float64 adds pairs of float32, the second of which holds what the first rounds off
(Knuth, "The art of computer programming", volume 2, section 4.2.2).

Cost of a product with b columns: 2 N^2 b flops, and N^2 D flops and N^2 / 2 exponentials where tiles are not stored.
Memory on the device: the rows in the precision of tiles, four tiles, and 2 or 4 N^2 bytes where tiles are stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.devices import has_float64
from dsentropy._core import Moments
from dsentropy._data.device_rows import DeviceRows, uploaded
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._operator.torch_memory import DeviceMemory, is_out_of_memory
from dsentropy._operator.torch_modes import plain_arithmetic
from dsentropy._operator.torch_tiles import CELL, Scaling, Tiles, padded

if TYPE_CHECKING:
    import torch

TILE = 2048
"""Rows and columns of a tile: 16 MB in float32, which stay in the cache of a large GPU."""

_WORKSPACE_TILES = 4
"""Tiles that are held at once where none is stored."""

_MOST_COLUMNS = 128
"""Columns of the widest block that the core multiplies."""

_MOST_SINGLE_ERROR = 1e-2
"""The largest relative error of entries on a device that has no float64."""

_Result = TypeVar("_Result")


class TorchAffinity:
    """The Gaussian affinity of rows on a device, in the precision that the tolerance of an estimate allows."""

    def __init__(self, rows: DeviceRows, bandwidth: Bandwidth, options: SlqOptions) -> None:
        self._rows, self._bandwidth = rows, bandwidth
        self._memory = DeviceMemory.of(rows.device, rows.n_samples, options.memory_limit)
        self._is_required = options.storage == "dense"
        self._stored: dict[tuple[int, int], torch.Tensor] | None = None
        self._exact: Tiles | None = None
        with plain_arithmetic(rows.device):
            self._scaling = Scaling.of(rows, bandwidth, _widest(rows.device))
            self._single = self._takes_single(options)
            self._tile_rows: int = TILE
            self._limit_tiles()
            self._tiles = self._retried(self._prepared)
        if options.storage != "tiled" and self._has_room():
            self._stored = {}

    @property
    def error(self) -> float:
        """The relative error of an entry."""
        return self._tiles.error

    @property
    def rounding(self) -> float:
        """The relative error of a product, derived in :mod:`dsentropy._operator.torch_tiles`."""
        return (math.sqrt(CELL) + 1) * 2.0**-24 if self._single else 1e-10

    def product(self, vectors: NDArray[np.float64], ceilings: list[float], exactly: bool) -> NDArray[np.float64]:
        """Multiply a block of vectors by G. ``ceilings`` play no part: sums have a fixed order."""
        with plain_arithmetic(self._rows.device):
            return self._retried(lambda: self._product(vectors, exactly))

    def moments(self, squares: NDArray[np.float64], exactly: bool) -> Moments:
        """Compute the trace and the squared norm of S G S from the squares of the diagonal of S."""
        with plain_arithmetic(self._rows.device):
            squared_norm = self._retried(lambda: self._squared_norm(squares, exactly))
        return Moments(trace=float(squares.sum()), squared_norm=squared_norm)  # the diagonal of G is 1

    def _product(self, vectors: NDArray[np.float64], exactly: bool) -> NDArray[np.float64]:
        tiles = self._of(exactly)
        block, exponents = _as_block(vectors, tiles)
        sums = _sums(block)
        for i, j, tile in self._each(tiles, exactly):
            sums.add(i, _cell_products(tile, block[j]))
            if i != j:
                sums.add(j, _cell_products(tile.T, block[i]))
        return np.ldexp(sums.total()[: tiles.n_samples], exponents)

    def _squared_norm(self, squares: NDArray[np.float64], exactly: bool) -> float:
        tiles = self._of(exactly)
        block, exponents = _as_block(squares[:, None], tiles)
        sums = _sums(block)
        for i, j, tile in self._each(tiles, exactly):
            # A tile right of the diagonal counts for its mirror image as well.
            sums.add(i, _cell_products(tile**2, block[j]) * (1.0 if i == j else 2.0))
        of_rows = np.ldexp(sums.total()[: tiles.n_samples, 0], exponents[0])
        return float(of_rows @ squares)

    def _of(self, exactly: bool) -> Tiles:
        """Return the tiles in float64, or in the precision of the estimate."""
        if not (exactly and self._single):
            return self._tiles
        if self._exact is None:
            # The processor has float64 where the device has none.
            rows = self._rows if has_float64(self._rows.device) else self._rows.on_processor()
            scaling = Scaling.of(rows, self._bandwidth, _dtype(False))
            self._exact = Tiles.of(rows, self._bandwidth, scaling, _dtype(False))
        return self._exact

    def _each(self, tiles: Tiles, exactly: bool) -> Iterator[tuple[slice, slice, torch.Tensor]]:
        """Yield the rows, the columns and the entries of each tile on or right of the diagonal."""
        size = len(tiles.scaled)
        blocks = [slice(start, min(start + self._tile_rows, size)) for start in range(0, size, self._tile_rows)]
        stored = None if self._stored is None or tiles is not self._tiles else self._stored
        for number, i in enumerate(blocks):
            for j in blocks[number:]:
                if stored is None:
                    yield i, j, tiles.tile(i, j)
                    continue
                key = (i.start, j.start)
                if key not in stored:
                    stored[key] = tiles.tile(i, j)
                yield i, j, stored[key]

    def _takes_single(self, options: SlqOptions) -> bool:
        """Return whether entries are in float32: where their error is allowed, and products have 24 bits."""
        device = self._rows.device
        error = self._scaling.entry_error(True, device)
        if not has_float64(device):
            if not error <= _MOST_SINGLE_ERROR:
                raise ValueError(
                    f"bandwidth must be larger where device is {device!r}, which has no float64: rows are up to "
                    f"{math.sqrt(2 * self._scaling.longest):.3g} bandwidths from their mean, and affinities would be "
                    f"off by {error:.2g} of themselves; device='cpu' takes any"
                )
            return True
        allowed = _core.allowed_single_error(self._rows.n_samples, options)
        return allowed is not None and error <= allowed and _is_true_float32(device)

    def _prepared(self) -> Tiles:
        self._memory.require(self._needed())
        return Tiles.of(self._rows, self._bandwidth, self._scaling, _dtype(self._single))

    @property
    def _itemsize(self) -> int:
        return 4 if self._single else 8

    def _needed(self) -> int:
        """The bytes that are held at once where no tile is stored."""
        size, columns = padded(self._rows.n_samples), self._rows.tensor.shape[1]
        of_vectors = size * _MOST_COLUMNS * (8 + 2 * self._itemsize)
        of_tiles = _WORKSPACE_TILES * min(self._tile_rows, size) ** 2 * self._itemsize
        return int(size * (columns + 2) * self._itemsize + of_vectors + of_tiles)

    def _limit_tiles(self) -> None:
        """Take the largest tiles that fit into memory besides all else."""
        while self._tile_rows > CELL and not self._memory.has(self._needed()):
            self._tile_rows //= 2

    def _has_room(self) -> bool:
        """Return whether all tiles can be stored; an error where they must be."""
        size = padded(self._rows.n_samples)
        stored = (size * (size + self._tile_rows) // 2) * self._itemsize
        if self._is_required:
            self._memory.require(self._needed() + stored)
            return True
        return self._memory.has(self._needed() + stored)

    def _retried(self, work: Callable[[], _Result]) -> _Result:
        """Do work; where the device has too little memory, without stored tiles, and then with smaller ones."""
        try:
            return work()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._save_memory(error)
        return self._retried(work)

    def _save_memory(self, error: RuntimeError) -> None:
        """Give memory back, or raise a MemoryError where there is none to give."""
        if self._stored is not None and not self._is_required:
            self._stored = None
        elif self._tile_rows > CELL and not self._is_required:
            self._tile_rows //= 2
        else:
            raise MemoryError(
                f"{self._rows.n_samples} rows need more memory than device {self._rows.device!r} has: {error}"
            ) from error
        self._memory.release()


class _Float64Sums:
    """Sums over tiles in float64."""

    def __init__(self, block: torch.Tensor) -> None:
        import torch

        self._sums = torch.zeros(block.shape, dtype=torch.float64, device=block.device)

    def add(self, rows: slice, products: torch.Tensor) -> None:
        """Add products [cells, rows, b]."""
        import torch

        self._sums[rows] += products.sum(dim=0, dtype=torch.float64)

    def total(self) -> NDArray[np.float64]:
        """Return the sums [P, b]."""
        total: NDArray[np.float64] = self._sums.cpu().numpy()
        return total


class _PairSums:
    """Sums over tiles as pairs of float32, of which the second holds what the first rounds off."""

    def __init__(self, block: torch.Tensor) -> None:
        import torch

        self._sums = torch.zeros(block.shape, dtype=torch.float32, device=block.device)
        self._rest = torch.zeros_like(self._sums)

    def add(self, rows: slice, products: torch.Tensor) -> None:
        """Add products [cells, rows, b]."""
        for product in products:
            before = self._sums[rows]
            after = before + product
            added = after - before
            self._rest[rows] += (before - (after - added)) + (product - added)
            self._sums[rows] = after

    def total(self) -> NDArray[np.float64]:
        """Return the sums [P, b]."""
        total: NDArray[np.float64] = self._sums.cpu().numpy().astype(np.float64)
        total += self._rest.cpu().numpy()
        return total


def _sums(block: torch.Tensor) -> _Float64Sums | _PairSums:
    """Return sums of the shape of a block: in float64 where the device has it."""
    is_wide = block.dtype == _dtype(False) or has_float64(str(block.device))
    return _Float64Sums(block) if is_wide else _PairSums(block)


def _dtype(single: bool) -> torch.dtype:
    import torch

    return torch.float32 if single else torch.float64


def _widest(device: str) -> torch.dtype:
    return _dtype(not has_float64(device))


def _as_block(vectors: NDArray[np.float64], tiles: Tiles) -> tuple[torch.Tensor, NDArray[np.int_]]:
    """Return vectors on the device, filled up with zeros, and the exponents of two by which columns are divided.

    Divided, no vector is beyond the range of float32.
    """
    import torch

    exponents = np.frexp(np.abs(vectors).max(axis=0))[1].astype(np.int_)
    device, dtype = tiles.scaled.device, tiles.scaled.dtype
    scaled = np.ldexp(vectors, -exponents)
    if dtype == torch.float32:
        scaled = scaled.astype(np.float32)
    block = torch.zeros((len(tiles.scaled), vectors.shape[1]), dtype=dtype, device=device)
    block[: len(vectors)] = uploaded(scaled, str(device))
    return block, exponents


def _cell_products(tile: torch.Tensor, block: torch.Tensor) -> torch.Tensor:
    """Multiply a tile [r, c] with vectors [c, b], each ``CELL`` columns by themselves: [c / CELL, r, b]."""
    import torch

    columns = tile.shape[1]
    cells = tile.unflatten(1, (columns // CELL, CELL)).transpose(0, 1)
    return torch.bmm(cells, block.reshape(columns // CELL, CELL, block.shape[1]))


def _is_true_float32(device: str) -> bool:
    """Return whether a product in float32 keeps 24 bits.

    The libraries that multiply have settings outside PyTorch, such as the environment variable NVIDIA_TF32_OVERRIDE.
    """
    import torch

    entry = 1 + 2.0**-12  # which TensorFloat32 rounds to 1
    ones = torch.ones((256, 256), dtype=torch.float32, device=device)
    return bool((ones @ (ones * entry) == 256 * entry).all())
