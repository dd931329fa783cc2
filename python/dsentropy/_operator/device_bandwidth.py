"""Distances that rules of a bandwidth need: by the core, or on the device where rows are.

The core gets a copy of the rows where they are few, so that bandwidths have the same bits wherever rows are. So it
does where the device has no float64, or too little memory within the limit. Bandwidths of a device differ from the
core's by rounding.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.devices import has_float64
from dsentropy._data import device_distances
from dsentropy._data.data import Data
from dsentropy._data.device_rows import AnyData, DeviceRows
from dsentropy._operator.torch_memory import DeviceMemory

MIN_PRODUCTS = 2**34
"""Products of entries, N^2 D, from which on a device computes: those of a second or so of one core."""


def median_distance(
    data: AnyData,
    weights: NDArray[np.float64] | None,
    num_threads: int | None,
    memory_limit: int | None = None,
) -> float:
    """Compute the median of the positive distances of all pairs, or 0 where there are none.

    With ``weights``, a pair counts as often as the product of those of its rows. The limit is that of a device.
    """
    needed = device_distances.median_bytes
    if isinstance(data, Data) or weights is not None or not _pays(data, needed, memory_limit):
        return _core.median_distance(data.rows, data.core_metric, weights, num_threads)
    return device_distances.median_distance(data.tensor)


def neighbor_distances(
    data: AnyData, n_neighbors: int, num_threads: int | None, memory_limit: int | None = None
) -> NDArray[np.float64]:
    """Compute the distance of each row to its ``n_neighbors``-th nearest other row."""
    if isinstance(data, Data) or not _pays(data, device_distances.neighbor_bytes, memory_limit):
        return _core.neighbor_distances(data.rows, data.core_metric, n_neighbors, num_threads)
    return device_distances.neighbor_distances(data.tensor, n_neighbors)


def _pays(data: DeviceRows, needed: Callable[[int, int], int], memory_limit: int | None) -> bool:
    """Return whether distances take long on the processor, and the device has float64 and the memory for them."""
    n, d = data.tensor.shape
    if n * n * d < MIN_PRODUCTS or not has_float64(data.device):
        return False
    return DeviceMemory(data.device, n, memory_limit).has(needed(n, d))
