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
from dsentropy._data.device_rows import PIECE, DeviceRows, uploaded
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._operator.torch_errors import SHORT_FLOAT32, entry_error, product_rounding
from dsentropy._operator.torch_memory import DeviceMemory, is_out_of_memory
from dsentropy._operator.torch_modes import plain_arithmetic
from dsentropy._operator.torch_tiles import Scaling, Tiles, cell_products, dtype_of, padded

if TYPE_CHECKING:
    import torch

TILE = 2048
"""Rows and columns of a tile: 16 MB in float32, which stay in the cache of a large GPU."""

_SMALLEST_TILE = 512
"""Rows of a tile that is not divided where memory does not suffice."""

_WORKSPACE_TILES = 4
"""Tiles that are held at once where none is stored: exponents, and what products make of them."""

_WORKSPACE_TILES_NEAR = 10
"""Tiles that are held at once where near pairs are computed again: also which pairs, and their numbers."""

_COPIES = 4
"""Copies in float64 of a piece of the rows that are held at once where they are scaled."""

_MOST_COLUMNS = 128
"""Columns of the widest block that the core multiplies."""

_ROUNDING = 1e-10
"""The relative error of products in float64."""

_LARGEST_EXPONENT = 1000
"""Binary exponent up to which units of vectors, and their inverses, are in the range of float64."""

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
        return self._single_error if self._single else self._tiles.error

    @property
    def rounding(self) -> float:
        """The relative error of a product."""
        return self._single_rounding if self._single else _ROUNDING

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
        block, units = _as_block(vectors, tiles)
        sums = _sums(block)
        for i, j, tile in self._each(tiles, exactly):
            sums.add(i, cell_products(tile, block[j]))
            if i != j:
                sums.add(j, cell_products(tile.T, block[i]))
        return sums.total(tiles.n_samples, units)

    def _squared_norm(self, squares: NDArray[np.float64], exactly: bool) -> float:
        tiles = self._of(exactly)
        block, units = _as_block(squares[:, None], tiles)
        sums = _sums(block)
        for i, j, tile in self._each(tiles, exactly):
            # A tile right of the diagonal counts for its mirror image as well.
            sums.add(i, cell_products(tile**2, block[j]) * (1.0 if i == j else 2.0))
        return float(sums.total(tiles.n_samples, units)[:, 0] @ squares)

    def _of(self, exactly: bool) -> Tiles:
        """Return the tiles in float64, or in the precision of the estimate."""
        if not (exactly and self._single):
            return self._tiles
        if self._exact is None:
            # The processor has float64 where the device has none.
            rows = self._rows if has_float64(self._rows.device) else self._rows.on_processor()
            scaling = Scaling.of(rows, self._bandwidth, dtype_of(single=False))
            self._exact = Tiles.of(rows, self._bandwidth, scaling, dtype_of(single=False))
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
        if not has_float64(device):
            self._measure()
            self._require_near(device)
            return True
        allowed = _core.allowed_single_error(self._rows.n_samples, options)
        if allowed is None or not self._scaling.entry_error(True, device) <= allowed:
            return False
        self._measure()
        return self._single_error <= allowed and self._single_rounding < SHORT_FLOAT32

    def _measure(self) -> None:
        """Find the errors that float32 has on the device."""
        self._single_error = entry_error(self._rows, self._bandwidth, self._scaling)
        self._single_rounding = product_rounding(self._rows.device, TILE)

    def _require_near(self, device: str) -> None:
        """Raise where float32 is all that a device has and rows are too far apart for it."""
        if not self._single_error <= _MOST_SINGLE_ERROR:
            raise ValueError(
                f"bandwidth must be larger where device is {device!r}, which has no float64: rows are up to "
                f"{math.sqrt(2 * self._scaling.longest):.3g} bandwidths from their mean, and affinities would be "
                f"off by {self._single_error:.2g} of themselves; device='cpu' takes any"
            )

    def _prepared(self) -> Tiles:
        self._memory.require(self._needed())
        return Tiles.of(self._rows, self._bandwidth, self._scaling, dtype_of(self._single))

    @property
    def _itemsize(self) -> int:
        return 4 if self._single else 8

    def _needed(self) -> int:
        """The bytes that are held at once where no tile is stored."""
        size, columns = padded(self._rows.n_samples), self._rows.tensor.shape[1]
        of_vectors = size * _MOST_COLUMNS * (8 + 2 * self._itemsize)
        tiles = _WORKSPACE_TILES_NEAR if not self._single and self._scaling.has_near_pairs else _WORKSPACE_TILES
        of_tiles = tiles * min(self._tile_rows, size) ** 2 * self._itemsize
        of_pieces = _COPIES * 8 * min(size * columns, PIECE)
        return int(size * (columns + 2) * self._itemsize + of_vectors + of_tiles + of_pieces)

    def _limit_tiles(self) -> None:
        """Take the largest tiles that fit into memory besides all else."""
        while self._tile_rows > _SMALLEST_TILE and not self._memory.has(self._needed()):
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
        elif self._tile_rows > _SMALLEST_TILE and not self._is_required:
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

    def total(self, rows: int, units: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums of the first rows, each column in its unit."""
        of_device = uploaded(units, str(self._sums.device))
        total: NDArray[np.float64] = (self._sums[:rows] * of_device).cpu().numpy()
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

    def total(self, rows: int, units: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums of the first rows, each column in its unit."""
        total: NDArray[np.float64] = self._sums[:rows].cpu().numpy().astype(np.float64)
        total += self._rest[:rows].cpu().numpy()
        return total * units


def _sums(block: torch.Tensor) -> _Float64Sums | _PairSums:
    """Return sums of the shape of a block: in float64 where the device has it."""
    is_wide = block.dtype == dtype_of(single=False) or has_float64(str(block.device))
    return _Float64Sums(block) if is_wide else _PairSums(block)


def _widest(device: str) -> torch.dtype:
    return dtype_of(single=not has_float64(device))


def _as_block(vectors: NDArray[np.float64], tiles: Tiles) -> tuple[torch.Tensor, NDArray[np.float64]]:
    """Return vectors in the precision of tiles, filled up with zeros, and the units in which they are.

    Units are powers of two, so that no vector is beyond the range of float32.
    """
    import torch

    device, dtype = str(tiles.scaled.device), tiles.scaled.dtype
    given = uploaded(vectors, device if has_float64(device) or dtype == torch.float64 else "cpu")
    units = np.ones(vectors.shape[1])
    if dtype == torch.float32:
        exponents = np.frexp(given.abs().amax(dim=0).cpu().numpy())[1]
        units = np.ldexp(1.0, np.clip(exponents, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
        given = (given * uploaded(1 / units, str(given.device))).to(dtype)
    block = torch.zeros((len(tiles.scaled), vectors.shape[1]), dtype=dtype, device=device)
    block[: len(vectors)] = given
    return block, units
