"""The output of a layer to rows: one an item by a mean, a maximum or one token, or one a token.

An output of shape (B, D) is rows already. (B, T, D) has T tokens. (B, C, H, W), and with other axes of space, has
channels first, and each position in space is a token. Padding is no token.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from dsentropy._checks.printing import printed
from dsentropy.integrations.pool import Pool, takes_mask


def pooled(output: Any, pool: Pool, mask: Any, name: str, *, first: int = 0) -> NDArray[Any]:
    """Return the rows of a layer's output, copied to the CPU; half and bfloat16 become float32.

    Parameters
    ----------
    output : tensor, sequence or mapping
        What the layer returned for a batch. Of a mapping ``last_hidden_state`` counts, else the first tensor.
    pool : {"mean", "max", "cls", "last", "tokens", "flatten"} or callable
        The mean, the maximum, the first or the last of the tokens of an item; each token; all numbers of an item; or
        a callable of the tensor, and of the mask where its second argument is required or is named ``mask``.
    mask : tensor of shape (B, T) or None
        0 where a token is padding, which is left out.
    name : str
        The name of the layer, for errors.
    first : int, default 0
        The number of the batch's first item among all, for errors.

    Returns
    -------
    ndarray of shape (rows, D)
    """
    return as_numpy(rows_of(output, pool, mask, name, first=first))


def as_numpy(rows: torch.Tensor) -> NDArray[Any]:
    """Copy rows to the CPU, as NumPy; types narrower than float32 become float32."""
    narrow = rows.is_floating_point() and rows.element_size() < 4
    copied = rows.detach().to("cpu", torch.float32 if narrow else rows.dtype, copy=True)
    array: NDArray[Any] = copied.resolve_neg().numpy()
    return array.reshape(len(array), math.prod(array.shape[1:]))


def rows_of(output: Any, pool: Pool, mask: Any, name: str, *, first: int = 0) -> torch.Tensor:
    """Return the rows of a layer's output on its device; may be a view of it. See :func:`pooled`."""
    tensor = tensor_of(output, name)
    if callable(pool):
        return _of_callable(tensor, pool, mask, name)
    _require_real(tensor, name)
    if tensor.ndim <= 2:
        return tensor.reshape(len(tensor), -1) if tensor.ndim == 1 else tensor
    tokens = tensor if tensor.ndim == 3 else tensor.flatten(2).transpose(1, 2)
    kept = (
        None
        if mask is None
        else checked_mask(mask, (tokens.shape[0], tokens.shape[1]), name, first).to(tokens.device)
    )
    if pool == "flatten":
        if kept is not None and not kept.all():
            raise ValueError(
                f"pool must not be 'flatten' where a mask has padding, of layer {name!r}: "
                "pool='tokens' makes a row of each token"
            )
        return tensor.flatten(1)
    if pool == "tokens":
        return tokens.flatten(0, 1) if kept is None else tokens[kept]
    return _reduced(tokens, pool, kept)


def _reduced(tokens: torch.Tensor, pool: str, kept: torch.Tensor | None) -> torch.Tensor:
    """Reduce the tokens of each item to one row."""
    if pool == "mean":
        # Sums of half precision overflow.
        wide = tokens if tokens.dtype in (torch.float32, torch.float64) else tokens.to(torch.float32)
        if kept is None:
            return wide.mean(1)
        return wide.masked_fill(~kept[:, :, None], 0).sum(1) / kept.sum(1, keepdim=True)
    if pool == "max":
        if kept is None:
            return tokens.amax(1)
        least = -torch.inf if tokens.is_floating_point() else _least(tokens.dtype)
        return tokens.masked_fill(~kept[:, :, None], least).amax(1)
    if kept is None:
        return tokens[:, 0 if pool == "cls" else -1]
    # argmax gives the first of equal entries, also of the reversed mask.
    place = kept.int().argmax(1) if pool == "cls" else kept.shape[1] - 1 - kept.flip(1).int().argmax(1)
    return tokens[torch.arange(len(tokens), device=tokens.device), place]


def _least(dtype: torch.dtype) -> int | bool:
    return False if dtype == torch.bool else torch.iinfo(dtype).min


def _of_callable(tensor: torch.Tensor, pool: Callable[..., Any], mask: Any, name: str) -> torch.Tensor:
    rows = pool(tensor, mask) if takes_mask(pool) else pool(tensor)
    if not isinstance(rows, torch.Tensor) or rows.ndim == 0:
        raise TypeError(f"pool must return a tensor with one row or more, of layer {name!r}, got {printed(rows)}")
    _require_real(rows, name)
    return rows


def tensor_of(output: Any, name: str) -> torch.Tensor:
    """Return the tensor of a layer's output: of a sequence or mapping the first, or ``last_hidden_state``."""
    found = _first_tensor(output)
    if found is None:
        raise TypeError(
            f"layer {name!r} must return a tensor, or a sequence or mapping with one, got {_kind(output)}"
        )
    if found.ndim == 0:
        raise ValueError(f"layer {name!r} must return a tensor with an axis of items, got one number")
    return found


def _first_tensor(output: Any) -> torch.Tensor | None:
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, Mapping):
        states = output.get("last_hidden_state")
        return states if isinstance(states, torch.Tensor) else _first_tensor(list(output.values()))
    if isinstance(output, (list, tuple)):
        return next((found for entry in output if (found := _first_tensor(entry)) is not None), None)
    return None


def _require_real(tensor: torch.Tensor, name: str) -> None:
    if tensor.is_complex():
        raise TypeError(
            f"layer {name!r} must return real numbers, got {tensor.dtype}: pool=torch.view_as_real makes them real"
        )
    if tensor.layout != torch.strided or tensor.is_nested:
        raise TypeError(
            f"layer {name!r} must return a dense tensor, got layout {tensor.layout}: pool=... makes it dense"
        )


def _kind(output: Any) -> str:
    return "None" if output is None else f"an object of type {type(output).__name__}"


def checked_mask(mask: Any, shape: tuple[int, int], name: str, first: int = 0) -> torch.Tensor:
    """Check a mask against the items and tokens of an output, and return it as booleans."""
    if not isinstance(mask, torch.Tensor):
        raise TypeError(f"mask must be a tensor of shape (items, tokens), got {printed(mask)}")
    if tuple(mask.shape) != shape:
        raise ValueError(
            f"mask must have the shape (items, tokens) of layer {name!r}, {shape}, got {tuple(mask.shape)}: "
            "mask=lambda batch: ... gives another one, or None where no token is padding"
        )
    kept: torch.Tensor = mask != 0
    empty = (~kept.any(1)).nonzero().flatten().tolist()
    if empty:
        raise ValueError(f"mask must have a token of each item, got none of item {first + empty[0]}")
    return kept
