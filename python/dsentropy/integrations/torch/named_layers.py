"""Layers of a model by name, glob pattern or module, in the order of the model.

Names are those of the model without its wrappers: neither ``_orig_mod.`` of ``torch.compile``, nor ``module.`` of
DistributedDataParallel, nor those of FSDP and of gradient checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

import torch
from torch.nn.parallel import DataParallel, DistributedDataParallel

from dsentropy._checks.printing import printed
from dsentropy.integrations.name_pattern import matching

_WRAPPED = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Attributes by which wrappers of PyTorch hold the module that they wrap."""


def unwrapped(module: torch.nn.Module) -> torch.nn.Module:
    """Return the module within wrappers."""
    inner: Any = module
    while True:
        if isinstance(inner, (DataParallel, DistributedDataParallel)):
            inner = inner.module
            continue
        held = next((getattr(inner, name) for name in _WRAPPED if hasattr(inner, name)), None)
        if held is None:
            return inner
        inner = held


def called_module(model: torch.nn.Module) -> torch.nn.Module:
    """Return what a pass calls: the model without ``torch.compile`` and DataParallel, in other wrappers."""
    module: Any = model
    while isinstance(module, DataParallel) or hasattr(module, "_orig_mod"):
        module = module.module if isinstance(module, DataParallel) else module._orig_mod
    return module


def named_layers(model: torch.nn.Module, layers: Any) -> dict[str, torch.nn.Module]:
    """Return the layers that are asked for by their names, in the order of the model, each once.

    Parameters
    ----------
    model : torch.nn.Module
        The model.
    layers : str, torch.nn.Module or sequence of them
        Names, patterns or modules. In a pattern ``*`` stands for any text without a dot, ``**`` for any text, ``?``
        for a character but a dot, ``[...]`` for one of several. A ModuleList and a ModuleDict, which never run, stand
        for the modules in them. The model itself is called after its class.
    """
    known = dict(_walk(model, ""))
    given = [layers] if isinstance(layers, (str, torch.nn.Module)) else layers
    if not isinstance(given, Iterable):
        raise TypeError(f"layers must be names, patterns or modules of the model, got {printed(layers)}")
    names = {name for layer in given for name in _found(layer, known)}
    if not names:
        raise ValueError("layers must have one layer or more, got none")
    first_names: dict[int, str] = {}
    for name, module in known.items():
        if any(module is known[chosen] for chosen in names):
            first_names.setdefault(id(module), name)
    return {name or type(known[name]).__name__: known[name] for name in first_names.values()}


def _walk(module: torch.nn.Module, name: str) -> Iterator[tuple[str, torch.nn.Module]]:
    """Yield the names of all modules, also of one that has several."""
    inner = unwrapped(module)
    yield name, inner
    for child_name, child in inner._modules.items():
        if child is not None:
            yield from _walk(child, f"{name}.{child_name}" if name else child_name)


def _found(layer: Any, known: dict[str, torch.nn.Module]) -> list[str]:
    """Return the names of one layer that was given, or of the layers that match a pattern."""
    if isinstance(layer, torch.nn.Module):
        names = [name for name, module in known.items() if module is unwrapped(layer)][:1]
        if not names:
            near = [name for name, module in known.items() if name and type(module) is type(layer)]
            raise ValueError(f"layers must be modules of the model, got another {type(layer).__name__}{_near(near)}")
    elif isinstance(layer, str):
        names = [layer] if layer and layer in known else matching(layer, filter(None, known), ".")
        if not names:
            near = get_close_matches(layer, known, n=4, cutoff=0.3) or [*known][1:5]
            raise ValueError(f"layers must be names or patterns of modules of the model, got {layer!r}{_near(near)}")
    else:
        raise TypeError(f"layers must be names, patterns or modules of the model, got {printed(layer)}")
    return [called for name in names for called in _called(name, known)]


def _near(names: list[str]) -> str:
    return f": near ones are {', '.join(map(repr, names[:4]))}" if names else ""


def _called(name: str, known: dict[str, torch.nn.Module]) -> list[str]:
    """Return the name, or those of what it holds where it is a container that is never called."""
    if not isinstance(known[name], (torch.nn.ModuleList, torch.nn.ModuleDict)):
        return [name]
    held = [f"{name}.{child}" if name else child for child in known[name]._modules]
    return [called for child in held if child in known for called in _called(child, known)]
