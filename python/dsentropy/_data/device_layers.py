"""Rows of a layer that is a tensor on a device, made there: see :mod:`dsentropy._data.layer_rows` for what they are.

Means over tokens and lengths of rows are computed in float64, of a piece of the layer at a time. Layers on devices
without float64 are left to the processor. Cost: one pass over the layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsentropy._checks.devices import has_float64, is_tensor
from dsentropy._data.device_rows import checked_rows, pieces, plain, uploaded
from dsentropy._data.layer_rows import (
    RowOptions,
    layer_rows,
    mask_of,
    refuse_mask,
    require_directions,
    require_kept,
    require_kept_of_each,
    require_tokens,
)

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


def layer_rows_on(where: str | None, layer: Any, mask: Any, options: RowOptions, label: str) -> Any:
    """Return the rows of a layer: on the device ``where`` if the layer is there, else as NumPy has them."""
    if where is None or not is_tensor(layer) or str(layer.device) != where or not has_float64(where):
        return layer_rows(layer, mask, options, label)
    rows = layer
    if layer.ndim == 3:
        rows = _of_tokens(plain(layer, label), mask, options, label)
    else:
        refuse_mask(mask, label)
    return _of_length_one(checked_rows(rows, where, label), label) if options.normalize else rows


def _of_tokens(layer: torch.Tensor, mask: Any, options: RowOptions, label: str) -> torch.Tensor:
    """Return each token as a row, or the mean of each sequence."""
    n, tokens, columns = layer.shape
    of_tokens = mask_of(mask, (n, tokens), label)
    require_tokens(options.tokens, (n, tokens, columns), label)
    kept = uploaded(of_tokens, str(layer.device))
    if options.tokens == "rows":
        require_kept(of_tokens, label)
        return layer[kept]
    require_kept_of_each(of_tokens)
    return _means(layer, kept)


def _means(layer: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Return the means over tokens that are kept: in float32 of a shorter floating type, else in float64."""
    import torch

    n, tokens, columns = layer.shape
    short = layer.is_floating_point() and layer.element_size() < 8
    dtype = torch.float32 if short else torch.float64
    means = torch.empty((n, columns), dtype=dtype, device=layer.device)
    start = 0
    for piece in pieces(layer.reshape(n, tokens * columns)):
        end = start + len(piece)
        of_tokens = kept[start:end, :, None]
        values = piece.reshape(-1, tokens, columns).to(torch.float64)
        # Padding may hold anything, also NaN.
        means[start:end] = values.masked_fill_(~of_tokens, 0.0).sum(dim=1) / of_tokens.sum(dim=1)
        start = end
    return means


def _of_length_one(rows: torch.Tensor, label: str) -> torch.Tensor:
    """Scale rows to length 1; those of float32 are rounded to it again."""
    import torch

    largest = rows.abs().amax(dim=1, keepdim=True).to(torch.float64)
    of_rows: NDArray[np.float64] = largest.cpu().numpy()
    require_directions(of_rows, label)
    unit = torch.empty_like(rows, memory_format=torch.contiguous_format)
    start = 0
    for piece in pieces(rows):
        end = start + len(piece)
        scaled = piece.to(torch.float64) / largest[start:end]
        unit[start:end] = scaled / scaled.square().sum(dim=1, keepdim=True).sqrt()
        start = end
    return unit
