"""The memory of a device: what is left of it, and what an estimate may take.

An accelerator's own memory counts by itself. The memory of the processor, and of devices that share it, also holds
the vectors of the estimate, which a limit includes.
"""

from __future__ import annotations

from dataclasses import dataclass

from dsentropy import _core

_SHARED = ("cpu", "mps")
"""Types of devices whose memory is that of the processor."""


@dataclass(frozen=True)
class DeviceMemory:
    """The memory that an estimate of so many rows may take on a device."""

    device: str
    n_samples: int
    limit: int | None
    """Bytes; None where only what is there limits."""

    @classmethod
    def of(cls, device: str, n_samples: int, memory_limit: int | None) -> DeviceMemory:
        """Take a limit, of which the vectors of the estimate have a part where the memory is shared."""
        if memory_limit is None or device.partition(":")[0] not in _SHARED:
            return cls(device, n_samples, memory_limit)
        return cls(device, n_samples, max(memory_limit - _core.estimate_bytes(n_samples), 0))

    def has(self, needed: int) -> bool:
        """Return whether so many bytes are there."""
        try:
            self.require(needed)
        except MemoryError:
            return False
        return True

    def require(self, needed: int) -> None:
        """Raise a MemoryError where so many bytes are not there."""
        if self.limit is not None and needed > self.limit:
            self._refuse(needed, self.limit)
        free = self.free()
        if free is None:
            _core.require_memory(self.n_samples, needed)
        elif needed > free:
            self._refuse(needed, free)

    def free(self) -> int | None:
        """Return the bytes that are left on the device; None where the core knows them."""
        import torch

        if self.device.startswith("cuda"):
            left, _ = torch.cuda.mem_get_info(self.device)
            return int(left + torch.cuda.memory_reserved(self.device) - torch.cuda.memory_allocated(self.device))
        if self.device.startswith("mps"):
            return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
        return None

    def release(self) -> None:
        """Give memory that PyTorch keeps for later back to the device."""
        import torch

        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        elif self.device.startswith("mps"):
            torch.mps.empty_cache()

    def _refuse(self, needed: int, there: int) -> None:
        raise MemoryError(
            f"{self.n_samples} rows need {needed / 2**20:.0f} MB of memory on device {self.device!r}, and "
            f"{there / 2**20:.0f} MB are left"
        )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether an error of PyTorch says that memory did not suffice."""
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return "out of memory" in text or "not enough memory" in text or "can't allocate memory" in text
