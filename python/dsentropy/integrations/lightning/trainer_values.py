"""Values that go to a trainer's other callbacks, and batches that come in its precision."""

from __future__ import annotations

from typing import Any

import torch


def publish(trainer: Any, scalars: dict[str, float]) -> None:
    """Give values to other callbacks; those that a module logs stay as they are."""
    device = trainer.strategy.root_device
    values = {key: torch.tensor(value, dtype=torch.float32, device=device) for key, value in scalars.items()}
    trainer.callback_metrics.update(values)


def run_converted(precision: Any, forward: Any, model: Any, batch: Any) -> Any:
    """Run the model on a batch in the precision of the trainer."""
    return forward(model, precision.convert_input(batch))
