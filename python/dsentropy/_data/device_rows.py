"""Rows of data on an accelerator, as tensors of PyTorch.

A tensor on the device is checked there and not copied. All else is checked on the processor, as :class:`Data` does,
and copied to the device. Values are those that were given: half types become float32, integers float64. Where a part
of the rows is needed by the core, as for the median distance, that part alone is copied back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.arrays import Rows
from dsentropy._checks.devices import DeviceLike, has_float64, is_tensor, usable_device
from dsentropy._checks.pairs import unit_roundoff
from dsentropy._checks.scalars import Precision, as_choice, as_limit, as_seed
from dsentropy._data import subsets
from dsentropy._data.data import METRICS, Data
from dsentropy._data.fingerprint import digest_of_pieces

if TYPE_CHECKING:
    import torch

PIECE = 2**20
"""Entries of the rows that are worked on at once where a copy is made of them, so that it takes little memory."""


@dataclass(frozen=True, eq=False)
class DeviceRows:
    """Checked rows on a device, with the attributes that :class:`Data` has for rows."""

    tensor: torch.Tensor
    """The rows [N, D] in float32 or float64, without a gradient; scaled to length 1 where the metric is cosine."""
    metric: Literal["euclidean", "cosine"]
    unit_roundoff: float
    """The unit roundoff of the dtype in which the caller gave the rows."""
    argument: str = "X"
    """The argument that gave the rows, for errors."""
    chosen: NDArray[np.uint64] | None = None
    """Numbers of the caller's rows that these are; None where they are all."""
    host: Data | None = None
    """The rows on the processor, where they were checked there."""

    @classmethod
    def of(cls, X: Any, metric: Any, device: str, argument: str = "X") -> DeviceRows:
        """Check ``X``, whose errors name its ``argument``, and copy it to ``device`` where it is not there."""
        name = as_choice(metric, "metric", *METRICS)
        if name == "precomputed" or name == "affinity":
            raise ValueError(
                f"metric must be 'euclidean' or 'cosine' where device is {device!r}, got {name!r}: device='cpu' "
                "takes pairs of rows"
            )
        is_there = is_tensor(X) and str(X.device) == device
        given = checked_rows(X, device, argument) if is_there else X
        if is_there and name == "euclidean":
            return cls(given, name, unit_roundoff(X), argument)
        # Rows that are parallel up to rounding are found by the core.
        data = Data.of(given, name, argument)
        return cls(uploaded(_held(data, device), device), name, unit_roundoff(X), argument, host=data)

    @property
    def device(self) -> str:
        """The device with its number, such as ``"cuda:0"``."""
        return str(self.tensor.device)

    @property
    def n_samples(self) -> int:
        """The number of rows, N."""
        return len(self.tensor)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the rows, N and D."""
        n, columns = self.tensor.shape
        return n, columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the rows before a metric changed them."""
        return np.dtype(str(self.given.dtype).removeprefix("torch."))

    @property
    def nbytes(self) -> int:
        """The bytes of the rows on the device."""
        return int(self.tensor.nbytes)

    @property
    def given(self) -> torch.Tensor:
        """The rows before a metric changed them."""
        return self.tensor if self.host is None else uploaded(self.host.given, self.device)

    @property
    def core_metric(self) -> Literal["euclidean"]:
        """The metric by which the core reads the rows."""
        return "euclidean"

    @cached_property
    def rows(self) -> Rows:
        """The rows on the processor."""
        copied: Rows = self.tensor.cpu().numpy() if self.host is None else self.host.rows
        return copied

    def on_processor(self) -> DeviceRows:
        """Return the rows as a tensor on the processor."""
        return replace(self, tensor=uploaded(self.rows, "cpu"))

    def part(self, chosen: NDArray[np.uint64]) -> DeviceRows:
        """Return some of the rows."""
        numbers = uploaded(chosen.astype(np.int64), self.device)
        host = None if self.host is None else self.host.part(chosen)
        return DeviceRows(self.tensor[numbers], self.metric, self.unit_roundoff, self.argument, chosen, host)

    def require_subsets(self, chosen_rows: Iterable[NDArray[np.uint64]]) -> None:
        """Accept any subsets: rows have affinities with themselves."""

    def limited(self, max_samples: Any, random_state: Any, *, ascending: bool = False) -> DeviceRows:
        """Return the rows, or a random subset of ``max_samples``, which :meth:`Data.limited` draws as well."""
        limit = as_limit(max_samples, "max_samples")
        seed = as_seed(random_state, "random_state")
        if limit is None or self.n_samples <= limit:
            return self
        chosen = subsets.draw(self.n_samples, limit, seed)
        return self.part(np.sort(chosen) if ascending else chosen)

    def few_distinct(self) -> int | None:
        """Return the number of distinct rows where it allows half of the greatest entropy or less, else None."""
        if self.host is not None:
            return self.host.few_distinct()
        number = len(np.unique(np.concatenate([_row_codes(piece) for piece in pieces(self.tensor)])))
        return number if self.n_samples > 1 and number**2 <= self.n_samples else None

    def fingerprint(self) -> str:
        """Return the digest that the same values have in an array of NumPy."""
        if self.host is not None:
            return self.host.fingerprint()
        return digest_of_pieces(tuple(self.tensor.shape), (piece.cpu().numpy() for piece in pieces(self.tensor)))


AnyData: TypeAlias = "Data | DeviceRows"
"""Data of the core, or rows on a device."""


def device_of(
    device: DeviceLike, X: Any, metric: Any, precision: Precision = "auto", argument: str = "X"
) -> str | None:
    """Resolve the argument ``device`` for data of a kernel; None is the core."""
    name = as_choice(metric, "metric", *METRICS)
    return usable_device(
        device,
        X,
        (f"metric is {name!r}", name not in ("euclidean", "cosine")),
        ("precision is 'single'", precision == "single"),
        argument=argument,
    )


def placed(where: str | None, X: Any, metric: Any, argument: str = "X") -> AnyData:
    """Check ``X``, and put it on a device; None is the core."""
    return Data.of(X, metric, argument) if where is None else DeviceRows.of(X, metric, where, argument)


def data_of(device: DeviceLike, X: Any, metric: Any, precision: Precision = "auto", argument: str = "X") -> AnyData:
    """Check ``X``, whose errors name its ``argument``, where the argument ``device`` puts it."""
    return placed(device_of(device, X, metric, precision, argument), X, metric, argument)


def pieces(rows: torch.Tensor, entries: int | None = None) -> Iterator[torch.Tensor]:
    """Yield the rows in order, as many at once as have so many entries, by default ``PIECE``."""
    step = max(1, (PIECE if entries is None else entries) // rows.shape[1])
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def uploaded(array: NDArray[Any], device: str) -> torch.Tensor:
    """Return an array as a tensor on a device; on the processor it may share the array's memory."""
    import torch

    readable = np.ascontiguousarray(array)
    if not readable.flags.writeable:  # of which PyTorch warns
        readable = readable.copy()
    return torch.from_numpy(readable).to(device)


def checked_rows(X: torch.Tensor, device: str, argument: str) -> torch.Tensor:
    """Return finite, real rows [N, D] in float32 or float64, whose memory may be that of ``X``."""
    import torch

    given = plain(X, argument)
    _require_rows(tuple(X.shape), argument)
    rows = _widened(given, device, argument)
    for number, piece in enumerate(pieces(rows)):
        finite = torch.isfinite(piece)
        if not bool(finite.all()):
            i, j = torch.nonzero(~finite)[0].tolist()
            row = number * max(1, PIECE // rows.shape[1]) + i
            raise ValueError(f"{argument} must be finite, got {float(piece[i, j])} in row {row}, column {j}")
    return rows


def plain(X: torch.Tensor, argument: str) -> torch.Tensor:
    """Return a dense tensor of real numbers without a gradient, whose memory may be that of ``X``."""
    import torch

    if X.layout is not torch.strided:
        raise TypeError(
            f"{argument} must be a dense tensor, got the layout {X.layout}: {argument}.to_dense() makes one"
        )
    if X.is_complex():
        raise TypeError(
            f"{argument} must hold real numbers, got dtype {X.dtype}: torch.abs({argument}) has the moduli"
        )
    return X.detach().as_subclass(torch.Tensor).resolve_neg()


def _require_rows(shape: tuple[int, ...], argument: str) -> None:
    """Raise where a tensor has not two dimensions, or no entry."""
    if len(shape) != 2:
        ways = {
            0: "",
            1: f": {argument}.reshape(-1, 1) makes N rows of one number, {argument}.reshape(1, -1) one row",
        }
        way = ways.get(len(shape), f": {argument}.flatten(1) flattens each row, {argument}.mean(dim=1) pools it")
        raise ValueError(f"{argument} must have two dimensions [N, D], got shape {shape}{way}")
    if 0 in shape:
        raise ValueError(f"{argument} must have at least one row and one column, got shape {shape}")


def _widened(rows: torch.Tensor, device: str, argument: str) -> torch.Tensor:
    """Return rows in float32 or float64 without rounding them."""
    import torch

    if rows.dtype in (torch.float32, torch.float64):
        return rows
    if rows.is_floating_point():
        return rows.to(torch.float32)
    if has_float64(device):
        return rows.to(torch.float64)
    single = rows.to(torch.float32)
    if not bool((single.to(torch.int64) == rows).all()):
        raise ValueError(_no_float64(argument, device, "integers up to 2^24 in modulus"))
    return single


def _held(data: Data, device: str) -> Rows:
    """Return the rows of data in a dtype that a device has; directions, which have been rounded, may be rounded."""
    if has_float64(device) or data.rows.dtype == np.float32:
        return data.rows
    with np.errstate(over="ignore"):
        single = data.rows.astype(np.float32)
    if data.metric == "euclidean" and not np.array_equal(single, data.rows):
        raise ValueError(_no_float64(data.argument, device, "numbers of float32"))
    return single


def _no_float64(argument: str, device: str, kind: str) -> str:
    return (
        f"{argument} must hold {kind} where device is {device!r}, which has no float64: numbers rounded to float32 "
        "are taken, and device='cpu' takes all"
    )


def _row_codes(rows: torch.Tensor) -> NDArray[np.int64]:
    """Return a code of each row: equal rows have equal ones, and others with a probability of about 2^-63.

    It is a sum over the columns modulo 2^64, of bits that are multiplied by odd numbers of the column. The high half
    is folded into the low one in between, since entries such as integers have zeros there.
    """
    import torch

    bits = (rows + 0.0).view(torch.int32 if rows.dtype == torch.float32 else torch.int64).to(torch.int64)
    random = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, size=(2, rows.shape[1]), dtype=np.int64)
    first, second = uploaded(random | 1, str(rows.device))
    mixed = bits * first
    codes: NDArray[np.int64] = ((mixed ^ (mixed >> 32)) * second).sum(dim=1).cpu().numpy()
    return codes
