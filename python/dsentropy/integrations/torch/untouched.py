"""A block in which a model can be run without a trace of it in the training.

No gradient is recorded, every sub-module is in evaluation mode, and compiled code runs uncompiled. At the end modes,
buffers, plain attributes and random generators are as they were. Cost: a copy of the buffers and of the state of each
generator.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from dsentropy.integrations.torch.generators import kept_generators

_PLAIN = (bool, int, float, str, type(None))
"""Types of attributes that are put back where the model binds them anew: counters, sizes of caches."""


@contextmanager
def untouched(model: torch.nn.Module, *, seed: int | None = None) -> Iterator[None]:
    """Run a model within a block that leaves it, and the process, as they were.

    Within the block there is no gradient, and the attribute ``training`` of every sub-module is False: a call of
    ``eval()`` and ``train()`` would move sub-modules that are frozen in evaluation mode, and models override both.
    ``torch.compiler.set_stance("force_eager")`` holds, and autocast holds as it did outside, with its cache of
    weights left alone. At the end the modes, the buffers, bit for bit, numbers and texts that modules bound to
    their attributes anew, and the generators of Python, NumPy, PyTorch and of the model are put back.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    seed : int, optional
        Seeds the generators within the block, so that a model which draws in evaluation mode draws the same numbers
        each time.
    """
    modules = list(model.modules())
    lazy = [name for name, parameter in model.named_parameters() if is_lazy(parameter)]
    if lazy:
        raise ValueError(
            f"model must have initialised parameters, got {lazy[0]!r} without: pass one batch through it"
        )
    with ExitStack() as stack:
        stack.enter_context(kept_generators(modules, seed=seed))
        stack.callback(_put_back_buffers, _buffers(modules))
        stack.callback(_put_back_attributes, _attributes(modules))
        stack.callback(_put_back_modes, [(module, module.training) for module in modules])
        for module in modules:
            module.training = False
        stack.enter_context(_uncompiled())
        stack.enter_context(_without_autocast_cache())
        stack.enter_context(torch.no_grad())
        yield


def _buffers(modules: Sequence[torch.nn.Module]) -> list[tuple[torch.nn.Module, str, Any, Any]]:
    """Return the module, name, tensor and copy of each buffer; a buffer may be None."""
    return [
        (module, name, buffer, None if buffer is None else buffer.detach().clone())
        for module in modules
        for name, buffer in module._buffers.items()
    ]


def _put_back_buffers(kept: list[tuple[torch.nn.Module, str, Any, Any]]) -> None:
    for module, name, buffer, copy in kept:
        if module._buffers.get(name) is not buffer:
            module._buffers[name] = buffer
        if copy is None:
            continue
        if buffer.shape != copy.shape or buffer.dtype != copy.dtype:
            buffer.data = copy
        # One that did not change is not written: that would count as a change where a graph has saved it.
        elif not _equal_bits(buffer.detach(), copy):
            with torch.no_grad():
                buffer.copy_(copy)


def _equal_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.equal(*(tensor.reshape(-1).view(torch.uint8) for tensor in (a, b)))


def _attributes(modules: Sequence[torch.nn.Module]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return the attributes of each module and those that are plain; wrappers of PyTorch set theirs once for all."""
    return [
        (vars(module), {name: value for name, value in vars(module).items() if isinstance(value, _PLAIN)})
        for module in modules
        if not type(module).__module__.startswith("torch.")
    ]


def _put_back_attributes(kept: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for attributes, plain in kept:
        for name, value in plain.items():
            if attributes.get(name, kept) is not value:
                attributes[name] = value


def _put_back_modes(kept: list[tuple[torch.nn.Module, bool]]) -> None:
    for module, training in kept:
        module.training = training


@contextmanager
def _uncompiled() -> Iterator[None]:
    """Run compiled code uncompiled; where the compiler is not loaded there is none, and loading it takes seconds."""
    if "torch._dynamo" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


@contextmanager
def _without_autocast_cache() -> Iterator[None]:
    """Keep weights that are cast without a gradient out of the cache, from which the training would take them."""
    enabled = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(enabled)
