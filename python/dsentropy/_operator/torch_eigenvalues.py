"""All eigenvalues of the diffusion operator, or of the affinity, of rows on a device, computed there in float64.

Distances have the accuracy of the core's, so eigenvalues agree to 1e-12 of the largest. Cost: 2 N^2 D flops for
distances, 4/3 N^3 for eigenvalues by ``torch.linalg.eigvalsh``, which took .010, .024, .172 and .474 s on an H200 for
1000, 2000, 5000 and 8000 rows; the core took .27 s for 2000 and 1.7 s for 5000 on 16 cores. Memory: three matrices
[N, N] on the device. Devices without float64, and fewer rows, leave the work to the core.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.devices import has_float64
from dsentropy._data.device_distances import TILE_ENTRIES, DevicePoints, largest_modulus
from dsentropy._data.device_rows import DeviceRows, uploaded
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.torch_memory import DeviceMemory, is_out_of_memory

if TYPE_CHECKING:
    import torch

DEVICES: tuple[str, ...] = ("cuda",)
"""Types of devices whose eigenvalues cost less than the core's."""

MIN_ROWS = 1000
"""Rows from which on they do."""

_LARGEST_RATIO = 2.0**400
"""How much larger than a bandwidth the data may be, so that squares of distances near it do not underflow."""


def pays(data: DeviceRows, bandwidth: Bandwidth) -> bool:
    """Return whether the device computes the eigenvalues in less time than the core, and has the memory for it."""
    kind, n = data.device.partition(":")[0], data.n_samples
    if kind not in DEVICES or n < MIN_ROWS or not has_float64(data.device):
        return False
    if not largest_modulus(data.tensor) / float(np.min(bandwidth)) < _LARGEST_RATIO:
        return False
    return DeviceMemory.of(data.device, n, None).has(needed_bytes(n, data.tensor.shape[1]))


def needed_bytes(n: int, d: int) -> int:
    """Return the bytes that the eigenvalues of n rows of d columns take on the device."""
    return 8 * (3 * n * n + 3 * n * d + 4 * min(TILE_ENTRIES, n * n))


def eigenvalues(
    data: DeviceRows, bandwidth: Bandwidth, alpha: float | None, row_weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Compute all eigenvalues, ascending, of the diffusion operator or, where ``alpha`` is None, of the affinity.

    ``row_weights`` says how many rows each row counts as.
    """
    import torch

    with torch.no_grad():
        try:
            matrix = _affinity(data, bandwidth)
            if alpha is not None:
                _normalize(matrix, alpha, row_weights)
            found: NDArray[np.float64] = torch.linalg.eigvalsh(matrix).cpu().numpy()
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise MemoryError(
                f"{data.n_samples} rows need more memory than is left on device {data.device!r}"
            ) from error
    return found


def _affinity(data: DeviceRows, bandwidth: Bandwidth) -> torch.Tensor:
    """Return exp(-d_ij^2 / (2 sigma_i sigma_j))."""
    import torch

    points = DevicePoints.of(data.tensor)
    sigma = np.broadcast_to(np.asarray(bandwidth, np.float64), (len(points),))
    inverse = uploaded(math.ldexp(1.0, points.exponent) / sigma, data.device)
    matrix = torch.empty((len(points), len(points)), dtype=torch.float64, device=data.device)
    for part in points.parts():
        exponents = points.squared_distances(part).mul_(inverse[part, None] / -2).mul_(inverse)
        torch.exp(exponents, out=matrix[part])
    return matrix


def _normalize(matrix: torch.Tensor, alpha: float, row_weights: NDArray[np.float64] | None) -> None:
    """Replace the affinity G by K, as the core normalises it."""
    import torch

    weights = (
        torch.ones(len(matrix), dtype=torch.float64, device=matrix.device)
        if row_weights is None
        else uploaded(row_weights, str(matrix.device))
    )
    factors = (matrix @ weights).pow_(-alpha)
    degrees = factors * (matrix @ (weights * factors))
    scale = (weights / degrees).sqrt_().mul_(factors)
    matrix.mul_(scale[:, None]).mul_(scale)
