"""Random generators of the process, kept: whatever is drawn meanwhile, they are put back."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def kept_generators(*objects: Any) -> Iterator[None]:
    """Put back the generators of Python and NumPy and, where PyTorch is loaded, those of it and of objects."""
    if "torch" in sys.modules:
        from dsentropy.integrations.torch.generators import kept_generators as kept

        with kept(objects):
            yield
        return
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
