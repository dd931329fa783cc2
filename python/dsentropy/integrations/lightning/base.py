"""The base class of callbacks: Lightning is installed as ``lightning``, as ``pytorch_lightning``, or as both.

Each refuses callbacks of the other.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

_NAMES = ("lightning.pytorch", "pytorch_lightning")


def callback_class() -> Any:
    """Return the base class of the package that is loaded, or else of the one that is installed."""
    found = [name for name in _NAMES if name in sys.modules] or [
        name for name in _NAMES if importlib.util.find_spec(name.partition(".")[0]) is not None
    ]
    if not found:
        raise ModuleNotFoundError("Lightning must be installed: pip install 'dsentropy[lightning]'")
    return importlib.import_module(found[0]).Callback
