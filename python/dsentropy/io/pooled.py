"""Items with several axes pooled to rows: tokens [N, T, D], or channels first [N, C, ...].

Of an array with three axes the second is that of tokens; of one with more, positions along the third axis and beyond
are the tokens, and channels are the columns. Cost: one pass.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

Pool: TypeAlias = Literal["flatten", "mean", "max", "first", "cls", "last", "tokens"]
"""What becomes of the axes of an item."""

POOLS: tuple[Pool, ...] = get_args(Pool)


def pooled(array: NDArray[Any], pool: Pool) -> NDArray[Any]:
    """Return rows of an array [N, ...]; one of two axes is returned as it is.

    Means of floats of at most 32 bits are summed in float64 and rounded to float32.
    """
    if array.ndim == 2:
        return array
    if pool == "flatten":
        return array.reshape(len(array), -1)
    tokens = array
    if array.ndim > 3:
        tokens = np.moveaxis(array.reshape(*array.shape[:2], -1), 1, 2)
    if pool == "tokens":
        return tokens.reshape(-1, tokens.shape[2])
    if pool in ("first", "cls", "last"):
        return tokens[:, -1 if pool == "last" else 0]
    if pool == "max":
        return np.asarray(tokens.max(axis=1))
    means = np.asarray(tokens.mean(axis=1, dtype=np.float64))
    return means.astype(np.float32) if array.dtype.kind == "f" and array.dtype.itemsize <= 4 else means
