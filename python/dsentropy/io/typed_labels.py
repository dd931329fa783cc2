"""Labels from their texts: integers where all are integers, floats where all are numbers, else text."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TEXT = re.compile(r"[+-]?(0[0-9]+|[0-9]{16,})|.*_.*")
"""Numbers that are names: with leading zeros, more digits than a float has, or underscores, which Python allows."""


def typed_labels(texts: list[str]) -> NDArray[Any]:
    """Return an array of labels; ``007`` is text, as it differs from ``7``."""
    for convert in (_integers, _floats):
        numbers = convert(texts)
        if numbers is not None:
            return numbers
    return np.array(texts)


def _integers(texts: list[str]) -> NDArray[Any] | None:
    try:
        numbers = [int(text) for text in texts]
        return np.array(numbers, dtype=np.int64) if list(map(str, numbers)) == texts else None
    except (ValueError, OverflowError):
        return None


def _floats(texts: list[str]) -> NDArray[Any] | None:
    try:
        numbers = np.array(list(map(float, texts)))
    except ValueError:
        return None
    return None if any(_TEXT.fullmatch(text) for text in texts) else numbers
