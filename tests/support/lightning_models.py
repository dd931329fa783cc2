"""A small LightningModule with layers whose state a pass could change, and trainers of it."""

from __future__ import annotations

import warnings

import lightning.pytorch as pl
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

N = 48

# Lightning 2.6 asks PyTorch for what is deprecated there; its class PossibleUserWarning is of hints.
QUIET = [
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty"),
    pytest.mark.filterwarnings("ignore::lightning.fabric.utilities.warnings.PossibleUserWarning"),
]


class Net(pl.LightningModule):
    """Dropout, batch norm, and a batch norm that is frozen in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 16)
        self.norm = nn.BatchNorm1d(16)
        self.frozen = nn.BatchNorm1d(16).eval()
        self.drop = nn.Dropout(0.3)
        self.second = nn.Sequential(nn.Linear(16, 8), nn.ReLU(inplace=True))
        self.head = nn.Linear(8, 3)

    def train(self, mode=True):
        super().train(mode)
        self.frozen.eval()
        return self

    def forward(self, x):
        return self.head(self.second(self.drop(self.frozen(self.norm(self.first(x))))))

    def training_step(self, batch, _):
        x, y = batch
        loss = nn.functional.cross_entropy(self(x), y)
        self.log("loss", loss)
        return loss

    def validation_step(self, batch, _, dataloader_idx=0):
        x, y = batch
        self.log("val_loss", nn.functional.cross_entropy(self(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.01)


def data(n=N):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, 6, generator=generator)
    return TensorDataset(x, (x[:, 0] > 0).long() + (x[:, 1] > 0).long())


def loader(shuffle=False):
    return DataLoader(data(), batch_size=8, shuffle=shuffle)


def trainer(*callbacks, **options):
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    defaults = {"accelerator": "cpu", "devices": 1, "max_epochs": 2, "enable_checkpointing": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hints on progress bars, workers and GPUs
        return pl.Trainer(callbacks=list(callbacks), **{**quiet, **defaults, **options})


def net(seed=0):
    torch.manual_seed(seed)
    return Net()
