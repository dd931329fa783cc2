"""Progress bars, of tqdm, where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(shown: bool, total: int, description: str) -> Iterator[Callable[[int], None]]:
    """A function that is told how much of the total is done."""
    if not shown:
        yield lambda done: None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError("progress=True needs tqdm: pip install 'dsentropy[progress]'") from error
    with tqdm(total=total, desc=description) as bar:

        def advance(done: int) -> None:
            bar.update(done - bar.n)

        yield advance
