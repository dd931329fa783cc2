"""Errors of entries and products in float32 as the device at hand makes them.

The analysis in :mod:`dsentropy._operator.torch_tiles` takes rounding errors as independent. Those of equal terms, as
of equal columns or of a kernel whose entries are all near 1, are not: a sum of k of them, one after the other, may be
off by k u / 2. The order of sums is the library's. So both errors are also measured, where they are largest, and what
is stated is twice the measured error where that is more. Cost: a tile of 512 x 512 in float64, and one of 512 x 2048.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dsentropy._checks.devices import has_float64
from dsentropy._data.device_rows import DeviceRows
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.torch_tiles import CELL, Scaling, Tiles, cell_products, dtype_of, padded

_SAMPLE = 512
"""Rows of which all pairs are compared."""

_MARGIN = 2
"""How many times the measured error is stated."""

_COLUMNS = 16
"""Columns of a block of vectors, as most blocks of the core have."""

_SMALLEST_ENTRY = 1e-30
"""The smallest entry whose relative error is measured; smaller ones are near the end of the range of float32."""

SHORT_FLOAT32 = CELL * 2.0**-23
"""An error of products that float32 cannot have, with which a library has rounded factors, as TensorFloat32 does."""


def product_rounding(device: str, columns: int) -> float:
    """Return the relative error of products with tiles of float32 that have so many columns."""
    import torch

    tile = torch.ones((_SAMPLE, columns), dtype=torch.float32, device=device)
    constants = 1 + np.arange(_COLUMNS, dtype=np.float32) * np.float32(0.9 / _COLUMNS)
    block = tile.new_tensor(constants).repeat(columns, 1)
    expected = CELL * constants.astype(np.float64)
    found = cell_products(tile, block).cpu().numpy().astype(np.float64)
    measured = float(np.abs(found / expected - 1).max())
    return max((math.sqrt(CELL) + 1) * 2.0**-24, _MARGIN * measured)


def entry_error(rows: DeviceRows, bandwidth: Bandwidth, scaling: Scaling) -> float:
    """Return the relative error of entries in float32, by analysis and from the affinities of 512 rows."""
    part, own, of_part = _sample(rows, bandwidth, scaling)
    whole = slice(0, padded(part.n_samples))
    single = Tiles.of(part, own, of_part, dtype_of(single=True)).tile(whole, whole)
    if not has_float64(part.device):
        part = part.on_processor()
        of_part = Scaling.of(part, own, dtype_of(single=False))
    double = Tiles.of(part, own, of_part, dtype_of(single=False)).tile(whole, whole)
    n = part.n_samples
    known = double[:n, :n].cpu().numpy()
    seen = known > _SMALLEST_ENTRY
    measured = np.abs(single[:n, :n].cpu().numpy()[seen] / known[seen] - 1).max()
    return max(scaling.entry_error(True, rows.device), _MARGIN * float(measured))


def _sample(rows: DeviceRows, bandwidth: Bandwidth, scaling: Scaling) -> tuple[DeviceRows, Bandwidth, Scaling]:
    """Return at most 512 rows at equal distances in their order, with their bandwidths and their scaling."""
    n = rows.n_samples
    chosen = np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.uint64))
    factors = None if scaling.factors is None else scaling.factors[chosen]
    own = bandwidth if isinstance(bandwidth, float) else bandwidth[chosen]
    return rows.part(chosen), own, replace(scaling, factors=factors)
