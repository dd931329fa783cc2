"""NumPy's ``.npz`` archives: written all or nothing, and read with errors that name the file.

A file is written under a temporary name in the folder of its own and then renamed, so that no reader sees half of it
and a failed write leaves the old file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Contents = TypeVar("Contents")


def write(path: str, **arrays: NDArray[Any]) -> None:
    """Write arrays under exactly this name, without adding a suffix. Missing folders are made."""
    import secrets

    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".dsentropy-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type] # no array is named as NumPy's other keyword
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise


def read(path: str, parse: Callable[[Mapping[str, NDArray[Any]]], Contents], error_text: str) -> Contents:
    """Return what ``parse`` makes of the arrays of a file.

    Parameters
    ----------
    path : str
    parse : callable
        Takes the arrays by name, each of which is read when it is asked for.
    error_text : str
        The beginning of the error, which names the file.

    Raises
    ------
    OSError
        Where the file cannot be opened.
    ValueError
        Where the bytes of the file are no such archive, or ``parse`` fails.
    """
    with open(path, "rb") as opened:  # the system's errors name the file
        try:
            with np.load(opened, allow_pickle=False) as file:
                return parse(file)
        except Exception as error:  # of NumPy, zipfile, zlib or json, whatever bytes the file has
            raise ValueError(f"{error_text}: {error}") from error
