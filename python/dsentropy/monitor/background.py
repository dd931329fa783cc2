"""Work beside the thread that asks for it: one thread, a bounded queue, in order.

The thread is started where there is work, and ends where there is none, so an idle queue has no thread. It is no
daemon: the end of the interpreter waits for the work.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any


class Background:
    """A queue of calls that a thread makes in order; a caller waits where ``size`` of them are not done."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._changed = threading.Condition()
        self._calls: deque[Callable[[], Any]] = deque()
        self._error: BaseException | None = None
        self._running = False
        self._thread: int | None = None

    def require_other_thread(self) -> None:
        """Raise an error on the thread of this queue, which would wait for itself."""
        if self._thread == threading.get_ident():
            raise RuntimeError(
                "a sink in the background must not wait for its own Monitor: it gets the records, and "
                "observe, resume, state_dict, load_state_dict, flush and close belong to the thread that trains"
            )

    def submit(self, call: Callable[[], Any]) -> None:
        """Add a call, after a wait where the queue is full; raise the error of an earlier one."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._calls) < self._size)
            self._raise_error()
            self._calls.append(call)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="dsentropy-monitor").start()

    def wait(self) -> None:
        """Wait until all calls are done; raise the error of one that failed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running)
            self._raise_error()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self) -> None:
        self._thread = threading.get_ident()
        while True:
            with self._changed:
                if not self._calls:
                    self._running, self._thread = False, None
                    self._changed.notify_all()
                    return
                call = self._calls[0]
            try:
                call()
            except BaseException as error:  # raised again on the thread that asked
                self._error = error
            with self._changed:
                self._calls.popleft()
                self._changed.notify_all()
