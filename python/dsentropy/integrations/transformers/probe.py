"""The probe of a callback for ``Trainer``: texts, features, or batches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from dsentropy.integrations.torch.generators import kept_generators
from dsentropy.integrations.torch.probe import take_probe
from dsentropy.integrations.torch.structure import LABELS
from dsentropy.integrations.transformers.hidden_states import parameters_of


def take_batches(probe: Any, trainer: Any, tokenizer: Any, batch_size: int, seed: int) -> list[Any]:
    """Return the batches of a probe on the CPU; see :func:`batches_of` and :func:`take_probe`."""
    with kept_generators([probe, trainer.data_collator], seed=seed):
        given = batches_of(probe, trainer, tokenizer, batch_size)
        return [batch.content for batch in take_probe(given, batch_size, seed).batches]


def batches_of(probe: Any, trainer: Any, tokenizer: Any, batch_size: int) -> Any:
    """Return what :class:`LayerMonitor` takes as a probe.

    Parameters
    ----------
    probe : sequence of str or of mappings, Dataset, mapping of tensors, DataLoader or iterable of batches
        Texts go through the tokenizer, features through the collator of the trainer; batches stay as they are.
    trainer : Trainer
        The trainer.
    tokenizer : callable or None
        The tokenizer of texts; None stands for that of the trainer.
    batch_size : int
        Texts or features a batch.
    """
    if isinstance(probe, (list, tuple)) and probe and all(isinstance(text, str) for text in probe):
        return _of_texts(list(probe), trainer, tokenizer, batch_size)
    is_features = isinstance(probe, (list, tuple)) and probe and all(isinstance(one, Mapping) for one in probe)
    if is_features or _is_dataset(probe):
        return _of_features(probe, trainer, batch_size)
    return probe


def _is_dataset(probe: Any) -> bool:
    """Return whether a probe is items by number, of PyTorch or of the library ``datasets``."""
    is_other = isinstance(probe, (torch.Tensor, Mapping, list, tuple, DataLoader))
    return isinstance(probe, Dataset) or (
        not is_other and hasattr(probe, "__len__") and hasattr(probe, "__getitem__")
    )


def _of_texts(texts: list[str], trainer: Any, tokenizer: Any, batch_size: int) -> Iterator[Any]:
    given = getattr(trainer, "processing_class", None) if tokenizer is None else tokenizer
    if given is None:
        raise ValueError("tokenizer must be given where the probe is texts and the trainer has none, got None")
    if getattr(given, "pad_token", True) is None:
        raise ValueError(
            "tokenizer must have a padding token, got one without: tokenizer.pad_token = tokenizer.eos_token is one"
        )
    config = getattr(trainer.model, "config", None)
    limits = [getattr(given, "model_max_length", None), getattr(config, "max_position_embeddings", None)]
    length = min((limit for limit in limits if limit and limit < 10**9), default=None)
    for start in range(0, len(texts), batch_size):
        yield given(
            texts[start : start + batch_size],
            padding=True,
            padding_side="right",  # where a model counts positions from the left, as in training
            truncation=length is not None,
            max_length=length,
            return_tensors="pt",
        )


def _of_features(features: Any, trainer: Any, batch_size: int) -> Iterator[Any]:
    known = _kept_keys(trainer)
    for start in range(0, len(features), batch_size):
        items = [features[i] for i in range(start, min(start + batch_size, len(features)))]
        kept = [_without_unused(item, known) if isinstance(item, Mapping) else item for item in items]
        yield trainer.data_collator(kept)


def _kept_keys(trainer: Any) -> Collection[str] | None:
    """Return the keys of features that the trainer keeps; None stands for all."""
    names = parameters_of(trainer.model)
    if not trainer.args.remove_unused_columns or not names:
        return None
    return {*names, *LABELS, *(trainer.label_names or ())}


def _without_unused(item: Mapping[str, Any], known: Collection[str] | None) -> dict[str, Any]:
    return {name: value for name, value in item.items() if known is None or name in known}
