"""The device that computes: the processor, by the core, or an accelerator, by PyTorch.

PyTorch is imported only where a device other than the processor is asked for; where data are a tensor, it is loaded
already. Devices have the names that PyTorch gives them, such as ``"cuda:0"``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from dsentropy._checks.printing import printed

if TYPE_CHECKING:
    import torch

DeviceLike: TypeAlias = "str | torch.device | None"
"""The argument ``device``."""

CORE_DEVICES: tuple[str, ...] = ("cpu",)
"""Types of devices whose data the core computes."""

_TORCH_DEVICES = ("cpu", "cuda", "mps")
"""Types of devices on which PyTorch can compute; those of the core are not needed, and serve for tests."""


WITHOUT_FLOAT64: tuple[str, ...] = ("mps",)
"""Types of devices that compute in float32 at most."""


def has_float64(device: str) -> bool:
    """Return whether a device computes in float64."""
    return device.partition(":")[0] not in WITHOUT_FLOAT64


def is_tensor(value: Any) -> bool:
    """Return whether a value is a tensor of PyTorch, without importing it."""
    return isinstance(value, getattr(sys.modules.get("torch"), "Tensor", ()))


def as_device(device: DeviceLike, X: Any, argument: str = "X") -> str | None:
    """Resolve the argument ``device`` for the data ``X``.

    Parameters
    ----------
    device : str, torch.device or None
        None is where ``X`` is: a tensor on a CUDA or MPS device stays there, and the core computes all else.
        ``"cpu"`` is the core, for tensors on other devices too. ``"cuda"``, of which PyTorch's current one is used
        unless ``X`` is on another, ``"cuda:1"`` and ``"mps"`` take arrays and tensors that are on that device or on
        the processor.
    X : object
        The data.
    argument : str
        The argument that gave the data, for errors.

    Returns
    -------
    str or None
        The device with its number; None is the core.

    Raises
    ------
    ImportError
        Where a device needs PyTorch, which is not installed.
    TypeError
        Where the device is no text and no ``torch.device``.
    ValueError
        For a device that does not exist or is not there, and data that are on another accelerator.
    """
    of_data = X.device if is_tensor(X) else None
    if device is None:
        return None if of_data is None or not _computes(of_data.type) else str(of_data)
    if not isinstance(device, (str, getattr(sys.modules.get("torch"), "device", str))):
        raise TypeError(f"device must be a string, a torch.device or None, got {printed(device)}")
    kind, number = _parsed(str(device))
    if kind in CORE_DEVICES:
        return None
    resolved = kind if kind == "cpu" else f"{kind}:{_index(kind, device, of_data) if number is None else number}"
    there = available_devices(_imported(device))
    if resolved not in there:
        raise ValueError(f"device must be one that is there, {', '.join(there)}, got {printed(str(device))}")
    if of_data is not None and of_data.type != "cpu" and str(of_data) != resolved:
        raise ValueError(
            f"device must be that of {argument} where {argument} is a tensor on an accelerator, {of_data}, got "
            f"{printed(str(device))}: {argument}.to({resolved!r}) moves it"
        )
    return resolved


def usable_device(device: DeviceLike, X: Any, *obstacles: tuple[str, bool], argument: str = "X") -> str | None:
    """Resolve the argument ``device`` as :func:`as_device` does, for a function that needs the core in some cases.

    Parameters
    ----------
    device, X, argument
        See :func:`as_device`.
    *obstacles : tuple of str and bool
        Why the core must compute, after "where", and whether it is so. Data on an accelerator are copied to the
        processor then; an accelerator that was asked for is refused.

    Returns
    -------
    str or None
        The device with its number; None is the core.
    """
    resolved = as_device(device, X, argument)
    if resolved is None:
        return None
    for reason, is_so in obstacles:
        if is_so and device is None:
            return None
        if is_so:
            raise ValueError(f"device must be None or 'cpu' where {reason}, got {printed(str(device))}")
    return resolved


def available_devices(torch: Any) -> list[str]:
    """Return the names of the devices that are there and can be used, the processor first."""
    names = ["cpu"]
    if torch.cuda.is_available():
        names += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [*names, "mps:0"] if torch.backends.mps.is_available() else names


def _computes(kind: str) -> bool:
    """Return whether tensors on devices of this type stay there."""
    return kind in _TORCH_DEVICES and kind not in CORE_DEVICES


def _parsed(device: str) -> tuple[str, int | None]:
    """Return the type of a device on which PyTorch can compute, and its number where there is one."""
    kind, colon, number = device.partition(":")
    is_number = number.isascii() and number.isdecimal() and str(int(number)) == number
    if kind not in _TORCH_DEVICES or (colon and not is_number):
        raise ValueError(
            f"device must be None, 'cpu', 'cuda', 'mps' or one by its number such as 'cuda:1', got {printed(device)}"
        )
    return kind, int(number) if colon else None


def _index(kind: str, device: Any, of_data: torch.device | None) -> int:
    """Return the number of a device without one: where the data are on one of this type, else the current one."""
    torch = _imported(device)
    if of_data is not None and of_data.type == kind:
        return int(of_data.index)
    return int(torch.cuda.current_device()) if kind == "cuda" and torch.cuda.is_available() else 0


def _imported(device: Any) -> Any:
    """Return PyTorch, which a device needs."""
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"device={printed(str(device))} needs PyTorch: pip install 'dsentropy[torch]'; device='cpu' does not"
        ) from error
    return torch
