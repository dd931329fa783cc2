"""The precision in which the core stores and decomposes an operator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.scalars import Precision
from dsentropy._data.device_rows import AnyData
from dsentropy._operator.bandwidth import Bandwidth
from dsentropy._operator.slq_options import SlqOptions

CorePrecision: TypeAlias = Literal["single", "double", "fastest"]
"""A precision of the core; "fastest" is single where that is faster."""


def core_precision(
    precision: Precision,
    data: NDArray[Any] | AnyData | None,
    times: Iterable[float],
    orders: Iterable[float] = (1.0,),
    *,
    stored: bool = False,
) -> CorePrecision:
    """Resolve ``"auto"``: for float32 data the fastest precision where all readings are accurate, else double.

    Readings are accurate in single precision for ``1 <= t <= 10`` and orders from 1 to 2. Eigenvalues that are
    ``stored`` in a file can be read at any t, and are double.
    """
    if precision != "auto":
        return precision
    accurate = all(1 <= t <= 10 for t in times) and all(1 <= order <= 2 for order in orders) and not stored
    return "fastest" if accurate and data is not None and data.dtype == np.float32 else "double"


def require_single_used(precision: Precision, data: AnyData, *bandwidths: Bandwidth) -> None:
    """Raise a ValueError where single precision is asked for and would not be used.

    The core bounds the effect of rounding for one bandwidth and distances of rows only.
    """
    if precision != "single":
        return
    if data.metric in ("precomputed", "affinity"):
        refuse_single(f"metric is {data.metric!r}")
    if all(np.ndim(bandwidth) for bandwidth in bandwidths):
        refuse_single("the bandwidth differs from row to row")


def allows_single(metric: Any, bandwidth: Any) -> bool:
    """Return whether ``precision="single"`` may play a part; a callable may give one bandwidth for all rows."""
    if isinstance(bandwidth, str):
        return metric in ("euclidean", "cosine") and bandwidth != "knn"
    try:
        several = np.ndim(bandwidth) > 0
    except Exception:  # whatever the object's methods raise; it is refused later
        several = False
    return metric in ("euclidean", "cosine") and not several


def require_free_precision(precision: Precision, options: SlqOptions | None) -> None:
    """Raise a ValueError where a precision was chosen for an estimate, which chooses its own."""
    if options is not None and precision != "auto":
        raise ValueError(
            "precision must be 'auto' where solver is 'stochastic': an estimate chooses its precision by tol, "
            f"got {precision!r}"
        )


def refuse_single(reason: str) -> None:
    """Raise the ValueError of a ``precision="single"`` that plays no part."""
    raise ValueError(f"precision must be 'auto' or 'double' where {reason}: the computation is in double precision")
