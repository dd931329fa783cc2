"""How a spectrum was made: its parameters, and the fingerprint of its data.

Parameters are numbers, strings and arrays of numbers, which a file can hold, and cannot be changed. The fingerprint
is the SHA-256 of the rows that were used, so that a saved spectrum can be checked against data.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.containers import is_sparse
from dsentropy._checks.limits import MAX_SEED_BITS
from dsentropy._checks.pairs import as_pairs
from dsentropy._checks.printing import printed
from dsentropy._data.data import Data
from dsentropy._operator.linear_operators import as_operator, is_operator


def frozen_parameters(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a copy that cannot be changed, of values that a file can hold."""
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a mapping, got {printed(parameters)}")
    return MappingProxyType({str(name): _storable(name, value) for name, value in parameters.items()})


def as_fingerprint(value: Any) -> str | None:
    """Check a fingerprint: a string, or None where the data are not known."""
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"fingerprint must be a string or None, got {printed(value)}")


def frozen_array(array: NDArray[Any]) -> NDArray[Any]:
    """Return a copy that cannot be made writable."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def shown(value: Any) -> str:
    """Return a parameter as a repr shows it: of an array its range."""
    if isinstance(value, np.ndarray):
        return f"{value.min():.4g} to {value.max():.4g}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def fingerprint_of(X: Any, parameters: Mapping[str, Any]) -> str | None:
    """Return the fingerprint that a spectrum of ``X`` has if it was made with these parameters.

    Raises
    ------
    ValueError
        Where the parameters name a random subset that was drawn without a seed.
    """
    sparse_rows = is_sparse(X) and parameters.get("operator") != "kernel" and parameters.get("metric") != "affinity"
    if is_operator(X) and not sparse_rows:
        return as_operator(X, "X", affinities=False).fingerprint()
    if parameters.get("operator") == "kernel":
        matrix = as_pairs(X, "X").given
        return Data(matrix, "affinity", matrix).fingerprint()
    data = Data.of(X, parameters.get("metric", "euclidean"))
    if parameters.get("max_samples") is not None and parameters.get("random_state", 0) is None:
        raise ValueError("X cannot be checked: the rows were drawn without a seed")
    return data.limited(parameters.get("max_samples"), parameters.get("random_state", 0)).fingerprint()


def _storable(name: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int) and value.bit_length() > MAX_SEED_BITS:
        most = f"integers of at most {MAX_SEED_BITS} bits"
        raise ValueError(
            f"parameters must be numbers that a file can hold, {most}, got {printed(value)} for {name!r}"
        )
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        value = np.array(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and value.size:
        return frozen_array(value)
    raise TypeError(f"parameters must be numbers, strings and arrays of numbers, got {printed(value)} for {name!r}")
