"""Warnings that point to the line of the caller.

A warning names a file and a line, and Python's filters act on the module there. The line is the one that called this
package, however many frames of the package, or of NumPy calling back into it, lie between. pandas does this with
``find_stack_level``, and Python 3.12 has ``skip_file_prefixes`` for it.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType

import numpy as np

_SKIPPED = tuple(os.path.dirname(os.path.abspath(path)) + os.sep for path in (os.path.dirname(__file__), np.__file__))
"""Folders of this package and of NumPy: a file name, unlike a module's name, tells a doctest from its module."""

_collected: ContextVar[list[str] | None] = ContextVar("dsentropy_collected_warnings", default=None)
"""Texts of the warnings of this thread or task, where it collects them."""


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Give a list that takes the texts of this package's warnings within the block, in place of warnings."""
    texts: list[str] = []
    token = _collected.set(texts)
    try:
        yield texts
    finally:
        _collected.reset(token)


def warn(message: str, category: type[Warning]) -> None:
    """Warn at the first frame outside the package, or add the text to those that are collected.

    Parameters
    ----------
    message : str
        The text, which names the way out.
    category : type of Warning
        The class of the warning.
    """
    texts = _collected.get()
    if texts is not None:
        texts.append(f"{category.__name__}: {message}")
        return
    frame = _outside(sys._getframe(1))
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__", "<string>"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _outside(frame: FrameType) -> FrameType:
    """Return the first frame outside the package, or the outermost one where all are inside."""
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_SKIPPED):
        frame = frame.f_back
    return frame
