"""What tests against frameworks share: no network, no GPU, one thread, generators as they were.

They run against the frameworks as PyPI serves them. Models are made from configurations; nothing is downloaded.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from python_runs import run_python  # noqa: F401 a fixture

OFFLINE = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_OFFLINE": "1",
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
}
os.environ.update(OFFLINE)  # before the test modules import what reads them
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("KERAS_BACKEND", "torch")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: this test takes more than some seconds; the gate runs it")
    torch.set_num_threads(1)  # workers share the cores, and sums have one order


@pytest.fixture(autouse=True)
def generators_as_found() -> Iterator[None]:
    """Seeds the global generators before a test, and puts them back after it."""
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    yield
    random.setstate(kept[0])
    np.random.set_state(kept[1])
    torch.set_rng_state(kept[2])
