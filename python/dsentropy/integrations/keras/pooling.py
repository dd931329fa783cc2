"""The output of a Keras layer to rows: one an item by a mean, maximum or one token, or one a token.

An output of shape (B, D) is rows already. (B, T, D) has T tokens. Of (B, H, W, C), and with other axes of space, each
position in space is a token, and the channels are where the layer or ``keras.config.image_data_format()`` has them.
Padding is no token.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.printing import printed
from dsentropy.integrations.pool import Pool, takes_mask


def pooled(output: Any, pool: Pool, mask: Any, name: str, *, channels_first: bool, first: int) -> NDArray[Any]:
    """Return the rows of a layer's output, copied to the CPU; half and bfloat16 become float32.

    Parameters
    ----------
    output : tensor
        The output.
    pool : {"mean", "max", "cls", "last", "tokens", "flatten"} or callable
        The mean, the maximum, the first or the last of the tokens of an item; each token; all numbers of an item; or
        a callable of the tensor, and of the mask where it takes one.
    mask : tensor of shape (B, T) or None
        False where a token is padding, which is left out.
    name : str
        The name of the layer, for errors.
    channels_first : bool
        Whether the channels are along axis 1 where there are axes of tokens.
    first : int
        The number of the batch's first item among all, for errors.
    """
    if callable(pool):
        rows = pool(output, mask) if takes_mask(pool) else pool(output)
        if not (ops.is_tensor(rows) or isinstance(rows, np.ndarray)) or not rows.ndim:
            raise TypeError(f"pool must return a tensor with one row or more, of layer {name!r}, got {printed(rows)}")
    elif output.ndim <= 2:
        rows = output
    else:
        moved = ops.moveaxis(output, 1, -1) if channels_first else output
        tokens = ops.reshape(moved, (moved.shape[0], math.prod(moved.shape[1:-1]), moved.shape[-1]))
        kept = None if mask is None else _kept(mask, name, first)
        rows = (
            ops.reshape(_flat(output, kept, name), (len(output), -1))
            if pool == "flatten"
            else _rows(tokens, pool, kept)
        )
    return _as_numpy(rows, f"the output of layer {name!r}")


def _as_numpy(rows: Any, called: str) -> NDArray[Any]:
    """Copy rows to the CPU; types narrower than float32 become float32."""
    array = np.array(as_array(_widened(rows) if ops.is_tensor(rows) else rows, called))
    return array.reshape(len(array), math.prod(array.shape[1:]))


def _widened(tensor: Any) -> Any:
    """Return floating numbers of half precision, and booleans, in a type whose sums neither overflow nor wrap."""
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if keras.backend.is_float_dtype(dtype) and dtype not in ("float32", "float64"):
        return ops.cast(tensor, "float32")
    return ops.cast(tensor, "int32") if dtype == "bool" else tensor


def _kept(mask: Any, name: str, first: int) -> NDArray[np.bool_]:
    """Return a mask as an array, which must have a token of each item."""
    kept: NDArray[np.bool_] = as_array(mask, "probe") != 0
    empty = np.flatnonzero(~kept.any(axis=1))
    if len(empty):
        raise ValueError(
            f"probe must have a token of each item, got none of item {first + empty[0]} in the mask of layer {name!r}"
        )
    return kept


def _flat(output: Any, kept: NDArray[np.bool_] | None, name: str) -> Any:
    if kept is not None and not kept.all():
        raise ValueError(
            f"pool must not be 'flatten' where a mask has padding, of layer {name!r}: pool='tokens' makes a row of "
            "each token"
        )
    return output


def _rows(tokens: Any, pool: Pool, kept: NDArray[np.bool_] | None) -> Any:
    """Return each token as a row, or one row an item."""
    n_items, length, width = tokens.shape
    if pool == "tokens":
        rows = ops.reshape(tokens, (n_items * length, width))
        return rows if kept is None else ops.take(rows, np.flatnonzero(kept), axis=0)
    if pool in ("cls", "last"):
        used = np.ones((n_items, length), dtype=bool) if kept is None else kept
        place = used.argmax(axis=1) if pool == "cls" else length - 1 - used[:, ::-1].argmax(axis=1)
        return ops.take(ops.reshape(tokens, (n_items * length, width)), place + length * np.arange(n_items), axis=0)
    wide = _widened(tokens)
    if kept is None:
        return ops.mean(wide, axis=1) if pool == "mean" else ops.max(wide, axis=1)
    used = ops.convert_to_tensor(kept[:, :, None])
    if pool == "max":
        is_float = keras.backend.is_float_dtype(wide.dtype)
        least = -math.inf if is_float else int(np.iinfo(keras.backend.standardize_dtype(wide.dtype)).min)
        return ops.max(ops.where(used, wide, least), axis=1)
    counts = kept.sum(axis=1, keepdims=True, dtype=np.float32)
    return ops.sum(ops.where(used, wide, 0), axis=1) / ops.convert_to_tensor(counts)
