"""Arguments that play no part in a call are refused where they were given, never ignored."""

from __future__ import annotations

from typing import Any


def require_unused(value: Any, name: str, reason: str) -> None:
    """Raise a ValueError where an argument whose default is None was given.

    Parameters
    ----------
    value : object
        The argument; None where it was not given.
    name : str
        Its name.
    reason : str
        Why it plays no part, after "where": ``"metric is 'affinity'"``.
    """
    if value is not None:
        raise ValueError(f"{name} must not be given where {reason}: it plays no part")
