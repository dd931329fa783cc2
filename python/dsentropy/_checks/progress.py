"""Progress bars, of tqdm, where they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(shown: bool, total: int | None, description: str) -> Iterator[Callable[[int, float], None]]:
    """A function that is told how much of the total is done and, of an estimate, how many bits are in doubt."""
    if not shown:
        yield lambda done, doubt: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError("progress=True needs tqdm: pip install 'dsentropy[progress]'") from error
    with tqdm(total=total, desc=description) as bar:

        def advance(done: int, doubt: float) -> None:
            if math.isfinite(doubt):
                bar.set_postfix_str(f"error {doubt:.1g} bits", refresh=False)
            bar.update(done - bar.n)

        yield advance
