"""Rows of the layers of a network: as they are given, or those of the tokens of sequences.

A layer of a sequence model is an array [N, T, D], whose tokens are rows of their own or are averaged over each
sequence. Padding, where the mask is 0, is left out of both. Cost: one pass over the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.arrays import as_rows
from dsentropy._checks.containers import named_arrays, reader_hint
from dsentropy._checks.conversion import as_array
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_choice, as_flag

Tokens: TypeAlias = Literal["rows", "mean"]
"""What becomes of the tokens of a sequence: rows of their own, or their mean."""


@dataclass(frozen=True)
class RowOptions:
    """How a layer becomes rows."""

    tokens: Tokens | None
    normalize: bool

    @classmethod
    def of(cls, tokens: Any, normalize: Any) -> RowOptions:
        """Check both arguments."""
        if tokens is None:
            return cls(None, as_flag(normalize, "normalize"))
        chosen: Tokens = as_choice(tokens, "tokens", "rows", "mean")
        return cls(chosen, as_flag(normalize, "normalize"))


def layers_of(layers: Any) -> dict[Any, Any]:
    """Check layers by name, or a list of arrays, whose names are numbers from 0; each is read once, as of a file."""
    if isinstance(layers, (list, tuple)) and all(getattr(layer, "ndim", 0) in (2, 3) for layer in layers):
        found = dict(enumerate(layers))
    elif isinstance(layers, Mapping):
        found = named_arrays(layers, "layers")
    else:
        raise TypeError(
            f"layers must be a mapping of names to arrays, or a list of arrays, got {printed(layers)}: "
            f"{{'layer': array}} is a mapping of one layer{reader_hint(layers, 'layers')}"
        )
    if not found:
        raise ValueError("layers must have at least one layer, got none")
    return found


def masks_of(masks: Any, names: list[Any]) -> dict[Any, Any]:
    """Return the mask of each layer, None where it has none; one mask is that of all layers."""
    if not isinstance(masks, Mapping):
        return dict.fromkeys(names, masks)
    unknown = [name for name in masks if name not in names]
    if unknown:
        raise ValueError(f"masks must have names of layers, {names!r:.99}, got {printed(unknown[0])}")
    return {name: masks.get(name) for name in names}


def layer_rows(layer: Any, mask: Any, options: RowOptions, label: str) -> Any:
    """Return the rows of a layer, which is returned as it was given where nothing is asked for.

    Raises
    ------
    ValueError, TypeError
        For tokens without an array of three dimensions, or the reverse; a mask of another shape, or without a token
        where one is needed; and a zero row that is to have length 1. Errors call the layer by its ``label``.
    """
    rows = layer
    if _dimensions(layer) == 3:
        array = as_array(layer, label)
        rows = _of_tokens(array, mask_of(mask, array.shape[:2], label), options.tokens, label)
    else:
        refuse_mask(mask, label)
    return _of_length_one(rows, label) if options.normalize else rows


def has_tokens(layer: Any) -> bool:
    """Return whether a layer has three dimensions."""
    return _dimensions(layer) == 3


def _dimensions(layer: Any) -> int:
    """Return the number of dimensions without a conversion, where the array has it."""
    known = getattr(layer, "ndim", None)
    if known is None and isinstance(layer, (list, tuple)):
        try:
            return np.ndim(layer)
        except Exception:  # of rows of unequal length, which are refused later
            return 0
    return known if isinstance(known, int) else 0


def mask_of(mask: Any, shape: tuple[int, int], label: str) -> NDArray[np.bool_]:
    """Convert a mask to an array of bool [N, T]; without one all tokens count."""
    if mask is None:
        return np.ones(shape, dtype=bool)
    given = as_array(mask, "masks")
    if given.shape != shape:
        raise ValueError(f"masks must have the shape {shape} for {label}, got {given.shape}")
    if given.dtype.kind not in "fiub" or not np.isin(given, (0, 1)).all():
        raise ValueError(f"masks must be 1 (or True) for tokens and 0 for padding, got {printed(given.ravel()[0])}")
    return given.astype(bool)


def _of_tokens(array: NDArray[Any], mask: NDArray[np.bool_], tokens: Tokens | None, label: str) -> NDArray[Any]:
    require_tokens(tokens, array.shape, label)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{label} must be an array of real numbers, got dtype {array.dtype}")
    if tokens == "rows":
        require_kept(mask, label)
        rows: NDArray[Any] = array[mask]
        return rows
    require_kept_of_each(mask)
    means = np.array([row[kept].mean(axis=0, dtype=np.float64) for row, kept in zip(array, mask, strict=True)])
    return means.astype(np.float32) if array.dtype.itemsize < 8 and array.dtype.kind == "f" else means


def require_tokens(tokens: Tokens | None, shape: tuple[int, ...], label: str) -> None:
    """Raise where a layer has tokens and nothing says what becomes of them."""
    if tokens is None:
        raise ValueError(
            f"{label} must have two dimensions [N, D] where tokens is None, got shape {shape}: tokens='mean' "
            "takes the mean over each sequence, tokens='rows' each token as a row, without padding by masks"
        )


def require_kept(mask: NDArray[np.bool_], label: str) -> None:
    """Raise where a mask leaves no token."""
    if not mask.any():
        raise ValueError(f"masks must be 1 for at least one token of {label}")


def require_kept_of_each(mask: NDArray[np.bool_]) -> None:
    """Raise where a mask leaves no token of a sequence."""
    counts = mask.sum(axis=1)
    if not counts.all():
        raise ValueError(
            f"masks must be 1 for a token of each sequence where tokens is 'mean', got none in row {counts.argmin()}"
        )


def require_directions(largest: NDArray[Any], label: str) -> None:
    """Raise where the largest modulus of a row is 0, so that no multiple of it has length 1."""
    if not largest.all():
        raise ValueError(
            f"{label} must have no zero row where normalize is True, got zeros in row {largest.argmin()}"
        )


def refuse_mask(mask: Any, label: str) -> None:
    """Raise where a layer without tokens has a mask."""
    if isinstance(mask, np.ndarray) or mask is not None:
        raise ValueError(f"masks must be None for {label}, which has no tokens: it must have the shape (N, T, D)")


def _of_length_one(rows: Any, label: str) -> NDArray[Any]:
    """Scale rows to length 1; those of float32 are rounded to it again."""
    given = as_rows(rows, label)
    largest = np.abs(given).max(axis=1, keepdims=True).astype(np.float64)
    require_directions(largest, label)
    scaled = given / largest
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True)
    unit: NDArray[Any] = scaled.astype(given.dtype)
    return unit
