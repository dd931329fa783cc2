"""The mask of a batch's tokens: an entry of the batch, or what a callable returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from dsentropy._checks.printing import printed
from dsentropy.integrations.torch.structure import inputs_of

_ATTENTION_MASK = "attention_mask"
"""The key of a mask by the custom of tokenizers."""

GivenMask: TypeAlias = str | Callable[[Any], Any] | None


def as_given_mask(mask: Any) -> GivenMask:
    """Check ``mask``."""
    if mask is not None and not isinstance(mask, str) and not callable(mask):
        raise TypeError(f"mask must be a key of a batch, a callable of it, or None, got {printed(mask)}")
    checked: GivenMask = mask
    return checked


def mask_of(batch: Any, mask: GivenMask) -> Any:
    """Return the mask of a batch; None where nothing is padding."""
    if callable(mask):
        return mask(batch)
    inputs = inputs_of(batch)
    keys = list(inputs) if isinstance(inputs, Mapping) else []
    if mask is not None and mask not in keys:
        raise ValueError(f"mask must be a key of each batch, {printed(keys)}, got {mask!r}")
    key = _ATTENTION_MASK if mask is None else mask
    return inputs[key] if key in keys else None
