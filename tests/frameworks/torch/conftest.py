"""Small models that the tests of PyTorch share."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn


class Convolutions(nn.Module):
    """Images to classes: dropout, batch norm, an operation in place, a block that is frozen in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(2)])
        self.frozen = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 3)
        self.frozen.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.drop(self.act(self.norm(self.stem(images)))).mean((2, 3))
        for block in self.blocks:
            x = block(x)
        return self.head(self.frozen(x))


class Tokens(nn.Module):
    """Numbers of tokens to states, with the arguments and the output of transformers."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 6)
        self.mix = nn.Linear(6, 6)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        return {"last_hidden_state": self.mix(self.embed(input_ids)).tanh()}


@pytest.fixture
def models() -> SimpleNamespace:
    """The classes of models; their weights come from the global generator."""
    return SimpleNamespace(Convolutions=Convolutions, Tokens=Tokens)
