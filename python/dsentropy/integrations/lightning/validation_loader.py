"""The validation loader of a trainer, as a probe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler


def validation_loader(trainer: Any) -> Any:
    """Return the validation loader with all its items: in distributed training each process has a part of them."""
    if trainer.val_dataloaders is None and trainer.enable_validation:  # the first epoch has no validation
        trainer.validating = True
        trainer.fit_loop.epoch_loop.val_loop.setup_data()
        trainer.training = True
    loaders = trainer.val_dataloaders
    given = list(loaders.values()) if isinstance(loaders, Mapping) else loaders
    given = given if isinstance(given, list) else [] if given is None else [given]
    if len(given) != 1:
        raise ValueError(f"probe must be given where there are {len(given)} validation loaders, got None")
    [loader] = given
    if isinstance(loader, DataLoader) and isinstance(loader.sampler, DistributedSampler):
        return DataLoader(loader.dataset, loader.batch_size, collate_fn=loader.collate_fn)
    return loader
