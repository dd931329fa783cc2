"""Progress bars of tqdm, an optional dependency, where they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dsentropy._checks.scalars import as_flag

Advance = Callable[[int, float], None]
"""Takes how much of the total is done and, of an estimate, its uncertainty in bits; NaN where there is none."""


def as_progress(value: Any) -> bool:
    """Convert ``progress`` to a bool. A bar that cannot be shown is an error, before any work.

    Raises
    ------
    ImportError
        Where a bar is asked for and tqdm is not installed.
    """
    shown = as_flag(value, "progress")
    if shown:
        _tqdm()
    return shown


@contextmanager
def progress_bar(shown: bool, total: int | None, description: str) -> Iterator[Advance]:
    """Show a bar, where that is asked for, and yield the function that advances it.

    Parameters
    ----------
    shown : bool
        Whether there is a bar.
    total : int or None
        How much there is to do; None where that is not known.
    description : str
        The text in front of the bar.
    """
    if not shown:
        yield lambda done, uncertainty: None
        return
    with _tqdm()(total=total, desc=description) as bar:

        def advance(done: int, uncertainty: float) -> None:
            if math.isfinite(uncertainty):
                bar.set_postfix_str(f"uncertainty {uncertainty:.1g} bits", refresh=False)
            bar.update(done - bar.n)

        yield advance


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError("progress=True needs tqdm: pip install 'dsentropy[progress]'") from error
    return tqdm
