"""What sweeps over the model of a trainer: a :class:`LayerMonitor` of its hidden states, or of its modules."""

from __future__ import annotations

from typing import Any

import torch

from dsentropy.integrations.given_monitor import GivenMonitor
from dsentropy.integrations.pool import Pool
from dsentropy.integrations.torch import LayerMonitor
from dsentropy.integrations.torch.masks import GivenMask
from dsentropy.integrations.transformers.hidden_states import HiddenStates, chosen_states


def watching(
    trainer: Any,
    batches: list[Any],
    layers: Any,
    *,
    pool: Pool,
    mask: GivenMask,
    max_rows: int | None,
    monitor: GivenMonitor,
    random_state: int,
) -> LayerMonitor:
    """Return what sweeps over the model as the trainer has it now; see :class:`RepresentationMonitor`."""
    # The model itself takes part in no communication, but for one that DeepSpeed or FSDP has cut into parts.
    model = trainer.model_wrapped if trainer.is_deepspeed_enabled else trainer.model
    states = HiddenStates(model, pool, mask, trainer.label_names or ())
    names = states.name_states(batches[0])
    if layers is None and not names:
        raise TypeError(
            f"model must take output_hidden_states and return them, and {type(model).__name__} does not: "
            "layers=[...] takes names of its modules"
        )
    options: dict[str, Any] = {"max_rows": max_rows, "monitor": monitor, "random_state": random_state}
    chosen = chosen_states(layers, names)
    if chosen is None:
        return LayerMonitor(
            model, layers, batches, pool=pool, mask=mask, forward=lambda _, batch: states.run(batch), **options
        )
    of_rows: Pool = "tokens" if pool == "tokens" else _as_they_are if callable(pool) else "mean"
    return LayerMonitor(states, chosen, batches, pool=of_rows, mask=_no_mask, forward=_call, **options)


def _call(states: HiddenStates, batch: Any) -> None:
    """Run a batch; the model is given its labels as well, to make the inputs of a decoder."""
    states(batch)


def _no_mask(_: Any) -> None:
    """Return no mask: rows have been made with those of their tokens."""


def _as_they_are(rows: torch.Tensor) -> torch.Tensor:
    """Return rows that a callable has made."""
    return rows
