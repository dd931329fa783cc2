"""Optional packages that read files, imported where a file needs one."""

from __future__ import annotations

import importlib
from typing import Any


def required(module: str, what: str) -> Any:
    """Import a package, or raise an ImportError that says what needs it and how it is installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        way = f'pip install "dsentropy[{"torch" if package == "torch" else "files"}]"'
        raise ImportError(f"{what} files need the package {package}, which cannot be imported: {way}") from error
