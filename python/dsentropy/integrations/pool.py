"""The argument ``pool`` of an adapter: how the output of a layer becomes rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_choice

_Name: TypeAlias = Literal["mean", "max", "cls", "last", "tokens", "flatten"]

Pool: TypeAlias = _Name | Callable[..., Any]
"""The mean, the maximum, the first or the last of the tokens of an item; each token; all numbers of an item; or a
callable of the output, and of the mask where it takes one."""


def as_pool(pool: Any) -> Pool:
    """Check ``pool``."""
    if not isinstance(pool, str) and not callable(pool):
        raise TypeError(
            "pool must be 'mean', 'max', 'cls', 'last', 'tokens', 'flatten' or a callable of a tensor, "
            f"got {printed(pool)}"
        )
    checked: Pool = pool if callable(pool) else as_choice(pool, "pool", *get_args(_Name))
    return checked


def takes_mask(pool: Callable[..., Any]) -> bool:
    """Return whether a callable has a second positional argument that is required, or that is named ``mask``."""
    try:
        parameters = list(inspect.signature(pool).parameters.values())
    except ValueError:  # of callables that are written in C
        return False
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return len(places) > 1 and (places[1].name == "mask" or places[1].default is inspect.Parameter.empty)
