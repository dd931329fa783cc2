"""No memory grows over many sweeps."""

import gc
import os
import sys

import pytest
import torch
from dsentropy.integrations.torch import LayerMonitor

SWEEPS = 500


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def live_tensors():
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_memory_grows_over_500_sweeps(models):
    """A sweep copies 100 rows of 1024 numbers, 0.4 MB, of which 500 sweeps would keep 200 MB.

    The 2000 records stay, of 34 values each, about 20 of which are objects of their own of 32 bytes. With a pointer a
    value, and a key of 9 values, a record takes less than 1.5 kB, and all of them 3 MB. The limit is several times
    that, for what the allocators of Python and of C leave between them.
    """
    watch = LayerMonitor(
        models.Convolutions(),
        "stem",
        torch.randn(100, 1, 18, 18),
        pool="flatten",
        monitor={"measures": "dse", "max_samples": 10, "num_threads": 1},
    )
    for step in range(50):
        watch.sweep(step)
    tensors, before = live_tensors(), resident()
    for step in range(50, 50 + SWEEPS):
        watch.sweep(step)
    assert live_tensors() == tensors
    assert len(watch.monitor.records) == (50 + SWEEPS) * 4
    assert resident() - before < 20e6
