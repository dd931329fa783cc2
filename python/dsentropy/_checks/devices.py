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


def as_device(device: DeviceLike, X: Any) -> str | None:
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
    if device == "cpu" and "cpu" in CORE_DEVICES:
        return None
    chosen = _parsed(device)
    if chosen.type in CORE_DEVICES:
        return None
    resolved = str(_numbered(chosen, of_data))
    there = available_devices()
    if resolved not in there:
        raise ValueError(f"device must be one that is there, {', '.join(there)}, got {printed(str(device))}")
    if of_data is not None and of_data.type != "cpu" and str(of_data) != resolved:
        raise ValueError(
            f"device must be that of X where X is a tensor on an accelerator, {of_data}, got {printed(str(device))}: "
            f"X.to({resolved!r}) moves it"
        )
    return resolved


def available_devices() -> list[str]:
    """Return the names of the devices that are there and can be used, the processor first."""
    import torch

    names = ["cpu"]
    if torch.cuda.is_available():
        names += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    return [*names, "mps:0"] if torch.backends.mps.is_available() else names


def _computes(kind: str) -> bool:
    """Return whether tensors on devices of this type stay there."""
    return kind in _TORCH_DEVICES and kind not in CORE_DEVICES


def _parsed(device: str | torch.device) -> torch.device:
    """Return the device of a text, whose type is one on which PyTorch can compute."""
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"device={printed(device)} needs PyTorch: pip install 'dsentropy[torch]'; device='cpu' does not"
        ) from error
    try:
        parsed = torch.device(device)
    except RuntimeError:
        parsed = None
    if parsed is None or parsed.type not in _TORCH_DEVICES:
        raise ValueError(
            f"device must be None, 'cpu', 'cuda', 'mps' or one by its number such as 'cuda:1', got "
            f"{printed(str(device))}"
        )
    return parsed


def _numbered(device: torch.device, of_data: torch.device | None) -> torch.device:
    """Return a device with its number: that of the data where they are on one of this type, else the current one."""
    import torch

    if device.type == "cpu":
        return torch.device("cpu")
    if device.index is not None:
        return device
    if of_data is not None and of_data.type == device.type:
        return of_data
    is_cuda_there = device.type == "cuda" and torch.cuda.is_available()
    return torch.device(device.type, torch.cuda.current_device() if is_cuda_there else 0)
