"""A block in which PyTorch computes in float32 as IEEE 754 has it, whatever the caller has set.

TensorFloat32 and bfloat16, which PyTorch may use for products of float32, have 11 and 8 bits. Within the block they
are off, by the older setting (``set_float32_matmul_precision``) and by the newer ones (``fp32_precision``, since
PyTorch 2.9), which PyTorch refuses to read one by the other where they differ. Neither autocast, inference mode nor
gradients play a part. At the end all is as it was; settings that another thread has changed in the meantime stay as
it set them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

_Key: TypeAlias = tuple[str, str]
"""A backend and an operation, by the names of the newer settings."""

_MATMULS: tuple[_Key, ...] = (("cuda", "matmul"), ("mkldnn", "matmul"))
"""The newer settings that products of matrices obey."""

_lock = threading.Lock()
_open: set[object] = set()
"""Blocks that run, in any thread."""
_kept: _Settings | None = None
"""The settings before the first of them, where they are others."""
_is_restoring = False
"""Whether they are being put back, which an interrupt may have ended between two of them."""


@dataclass(frozen=True)
class _Settings:
    """The settings of products in float32."""

    older: str
    newer: tuple[str, ...]
    """The values of ``_MATMULS``; "none" where the backend's, or the common one, holds. Empty before PyTorch 2.9."""

    @classmethod
    def now(cls) -> _Settings:
        """Read the settings, which are as they were afterwards."""
        import torch

        newer = tuple(map(_own, _MATMULS)) if _has_newer() else ()
        try:
            return cls(torch.get_float32_matmul_precision(), newer)
        except RuntimeError:  # the newer settings contradict the older one
            return cls(_hidden_older(newer), newer)

    def set(self) -> None:
        import torch

        torch.set_float32_matmul_precision(self.older)  # which sets the newer ones as well
        _set_newer(self.newer)


@contextmanager
def plain_arithmetic(device: str) -> Iterator[None]:
    """Run a block with products in float32 as they are, without autocast, inference mode and gradients.

    Blocks may overlap in several threads: the settings of the process are put back at the end of the last one.
    """
    import torch

    kind = device.partition(":")[0]
    with torch.inference_mode(False), torch.no_grad(), torch.autocast(kind, enabled=False):
        block = object()
        try:  # which an interrupt may end at any place
            _enter(block)
            yield
        finally:
            _surely(_leave, block)


def _surely(call: Callable[..., None], *arguments: Any) -> None:
    """Call a function that may be called again, and once more where an interrupt ends it."""
    try:
        call(*arguments)
    except BaseException:  # of the handler of a signal, such as KeyboardInterrupt
        call(*arguments)
        raise


def _enter(block: object) -> None:
    global _kept
    with _lock:
        if not _open and not _is_plain():
            if not _is_restoring:
                _kept = _Settings.now()
            _PLAIN.set()
        _open.add(block)


def _leave(block: object) -> None:
    global _kept, _is_restoring
    with _lock:
        _open.discard(block)
        if not _open and _kept is not None:
            if _is_restoring or _is_plain():
                _is_restoring = True
                _kept.set()
            _kept, _is_restoring = None, False


_PLAIN = _Settings("highest", ())
"""Settings by which products are in float32."""


def _is_plain() -> bool:
    """Return whether products are in float32 by all settings."""
    import torch

    try:
        older = torch.get_float32_matmul_precision()
    except RuntimeError:
        return False
    return older == "highest" and not (_has_newer() and {*map(_get, _MATMULS)} - {"none", "ieee"})


def _has_newer() -> bool:
    import torch

    return hasattr(torch._C, "_get_fp32_precision_getter")


def _get(key: _Key) -> Any:
    """Return what holds for an operation: its own setting, that of its backend, or the one of all."""
    import torch

    return torch._C._get_fp32_precision_getter(*key)


def _set(key: _Key, value: str) -> None:
    import torch

    torch._C._set_fp32_precision_setter(*key, value)


def _set_newer(values: tuple[str, ...]) -> None:
    for key, value in zip(_MATMULS, values, strict=False):
        _set(key, value)


def _own(key: _Key) -> str:
    """Return the setting of an operation itself: "none" where it follows that of its backend, or the one of all.

    PyTorch returns what holds. Where that equals what its parent has, the parent is changed for a moment.
    """
    value = str(_get(key))
    backend, operation = key
    if key == ("generic", "all") or value == "none":
        return value
    parent = (backend, "all") if operation != "all" else ("generic", "all")
    if _get(parent) != value:
        return value
    kept = _own(parent)
    try:
        _set(parent, "tf32" if value == "ieee" else "ieee")
        return value if _get(key) == value else "none"
    finally:
        _surely(_set, parent, kept)


def _hidden_older(newer: tuple[str, ...]) -> str:
    """Return the older setting where the newer ones contradict it: it can be read while these are "ieee"."""
    import torch

    try:
        _set_newer(("ieee", "ieee"))
        return str(torch.get_float32_matmul_precision())
    finally:
        _surely(_set_newer, newer)
