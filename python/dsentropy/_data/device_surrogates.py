"""Surrogates of rows on a device, drawn there: see :mod:`dsentropy._data.surrogates` for what they keep.

A Gaussian surrogate is ``1 m' + Q S V'``. The axes S V' come from the triangular factor of a QR decomposition of the
centred rows, which has their singular values. Q is M [0; U] with U the orthonormal factor of normal numbers, of which
the triangular factor has a positive diagonal (Mezzadri, Notices of the AMS 54, 2007), and M the reflection that makes
columns orthogonal to e_1 orthogonal to 1. Cost of a draw: 4 N r^2 + 2 N r D flops.

Numbers come from the device's own generator, whose seed a SeedSequence of NumPy makes of the seed, the stream and the
number of the draw. So a draw is the same on devices of one kind, and differs from the draw that the core makes. Draws
of callables, and those for devices without float64, are made by the core and copied to the device.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dsentropy._checks.devices import has_float64
from dsentropy._data.data import Data
from dsentropy._data.device_distances import largest_modulus
from dsentropy._data.device_rows import AnyData, DeviceRows
from dsentropy._data.surrogates import Null, Surrogates, require_directions

if TYPE_CHECKING:
    import torch

_COLUMN_ENTRIES = 2**26
"""Entries of the columns that are permuted at once."""


def surrogates_of(
    data: AnyData, null: Null, seed: int, stream: int, num_threads: int | None = None
) -> Surrogates | DeviceSurrogates:
    """Make the surrogates of data, which are drawn where the data are."""
    if isinstance(data, Data):
        return Surrogates(data, null, seed, stream, num_threads)
    return DeviceSurrogates(data, null, seed, stream, num_threads)


class DeviceSurrogates:
    """Surrogates of rows on a device, each determined by the seed, the stream and its number."""

    def __init__(self, data: DeviceRows, null: Null, seed: int, stream: int, num_threads: int | None = None) -> None:
        self._data, self._null = data, null
        self._seed = [abs(seed), int(seed < 0), stream]
        self._of_core: Surrogates | None = None
        if callable(null) or not has_float64(data.device):
            held = Data.of(data.rows, data.metric, data.argument) if data.host is None else data.host
            self._of_core = Surrogates(held, null, seed, stream, num_threads)

    def draw(self, number: int, *, columns: bool = True) -> DeviceRows:
        """Return the surrogate of a number.

        Parameters
        ----------
        number : int
            At least 0.
        columns : bool
            Whether the columns must be those of the data. Otherwise rows under Euclidean distances may be given by
            fewer coordinates, which have the same distances.
        """
        data = self._data
        if self._of_core is not None:
            made = self._of_core.draw(number, columns=columns)
            return DeviceRows.of(made.given, data.metric, data.device, data.argument)
        rows = self._rows(self._generator(number), columns or data.metric == "cosine")
        if data.metric == "cosine":
            require_directions(rows.any(dim=1).cpu().numpy(), number)
        return DeviceRows.of(rows, data.metric, data.device, data.argument)

    def _generator(self, number: int) -> torch.Generator:
        import torch

        words = np.random.SeedSequence([*self._seed, number]).generate_state(1, np.uint64)
        # Seeds of PyTorch are signed.
        return torch.Generator(self._data.device).manual_seed(int(words.view(np.int64)[0]))

    def _rows(self, generator: torch.Generator, columns: bool) -> torch.Tensor:
        if self._null == "permuted":
            return _permuted(self._given, generator)
        make = self._sphere if self._null == "sphere" else self._gaussian
        half = self._exponent // 2
        made = make(generator, columns) * math.ldexp(1.0, half) * math.ldexp(1.0, self._exponent - half)
        rows = made.to(self._given.dtype)
        if not bool(rows.isfinite().all()):
            name = str(rows.dtype).removeprefix("torch.")
            raise ValueError(f"X must be so small that its surrogates are finite in {name}: scale X")
        return rows

    @cached_property
    def _given(self) -> torch.Tensor:
        """The rows before a metric changed them."""
        return self._data.given

    @cached_property
    def _exponent(self) -> int:
        return int(np.frexp(largest_modulus(self._given))[1])

    @property
    def _scaled(self) -> torch.Tensor:
        """The rows in float64, divided by a power of two, so that no square over- or underflows."""
        import torch

        half = -self._exponent // 2
        return self._given.to(torch.float64) * math.ldexp(1.0, half) * math.ldexp(1.0, -self._exponent - half)

    @cached_property
    def _mean_norm(self) -> torch.Tensor:
        return self._scaled.square_().sum(dim=1).sqrt_().mean()

    @cached_property
    def _mean_and_axes(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The mean row [D], singular values S [r] of the centred rows that are not rounding, and S V' [r, D]."""
        import torch

        rows = self._scaled
        mean = rows.mean(dim=0)
        n, d = rows.shape
        centred = rows - mean
        factor = torch.linalg.qr(centred, mode="r").R if n > d else centred
        _, values, vectors = torch.linalg.svd(factor, full_matrices=False)
        least = largest_modulus(rows) * max(n, d) * np.finfo(np.float64).eps
        rank = int((values[: n - 1] > least).sum())
        values = values[:rank]
        return mean, values, values[:, None] * vectors[:rank]

    def _sphere(self, generator: torch.Generator, _: bool) -> torch.Tensor:
        """Make rows uniform on the sphere around 0 whose radius is the mean norm of the rows."""
        normal = _normal(tuple(self._given.shape), generator)
        return normal * (self._mean_norm / normal.square().sum(dim=1, keepdim=True).sqrt_())

    def _gaussian(self, generator: torch.Generator, columns: bool) -> torch.Tensor:
        import torch

        n = len(self._given)
        mean, values, axes = self._mean_and_axes
        if columns:
            return mean + centred_product(n, axes, generator)
        if not len(values):
            return torch.zeros((n, 1), dtype=torch.float64, device=self._data.device)
        return centred_product(n, torch.diag(values), generator)


def centred_product(n: int, axes: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Compute Q A for axes A [r, D] and Q uniform among the [n, r] with orthonormal columns that sum to 0; r < n."""
    import torch

    factor, triangle = torch.linalg.qr(_normal((n - 1, len(axes)), generator))
    signs = torch.sign(triangle.diagonal())
    product = torch.zeros((n, axes.shape[1]), dtype=torch.float64, device=axes.device)
    product[1:] = factor @ (signs[:, None] * axes)
    mirror = torch.full((n, 1), 1 / math.sqrt(n), dtype=torch.float64, device=axes.device)
    mirror[0] += 1  # 1 - 2 v v' / v'v for v = 1 / sqrt(n) + e_1 takes e_1 to -1 / sqrt(n)
    return product - mirror * ((mirror * product).sum(dim=0) * (2 / mirror.square().sum()))


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    import torch

    return torch.randn(shape, dtype=torch.float64, device=generator.device, generator=generator)


def _permuted(rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Permute each column on its own, by the order of uniform numbers."""
    import torch

    made = torch.empty_like(rows, memory_format=torch.contiguous_format)
    step = max(1, _COLUMN_ENTRIES // len(rows))
    for start in range(0, rows.shape[1], step):
        part = rows[:, start : start + step]
        uniform = torch.rand(part.shape, dtype=torch.float64, device=rows.device, generator=generator)
        made[:, start : start + step] = part.gather(0, uniform.argsort(dim=0))
    return made
