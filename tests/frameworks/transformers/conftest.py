"""A trainer of transformers that writes to a temporary folder, and quiet logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_transformers import Sentences
from transformers import Trainer, TrainingArguments


@pytest.fixture(autouse=True)
def one_quiet_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """Makes a trainer of 5 steps an epoch."""

    def make(model: Any, *, data: Any = None, collator: Any = None, **arguments: Any) -> Trainer:
        given = {
            "output_dir": str(tmp_path / "out"),
            "per_device_train_batch_size": 8,
            "num_train_epochs": 2,
            "learning_rate": 1e-3,
            "report_to": "none",
            "logging_steps": 5,
            "save_strategy": "no",
            "disable_tqdm": True,
            "use_cpu": True,
            "seed": 0,
            **arguments,
        }
        kept = {} if collator is None else {"data_collator": collator}
        items = data or Sentences(40, 0)
        return Trainer(model, TrainingArguments(**given), train_dataset=items, eval_dataset=items, **kept)

    return make
