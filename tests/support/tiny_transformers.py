"""Tiny models of transformers from configurations, and random sentences for them."""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    T5Config,
    T5ForConditionalGeneration,
    ViTConfig,
    ViTForImageClassification,
)

LENGTH, WORDS = 12, 50


class Sentences(torch.utils.data.Dataset):
    """Random tokens of several lengths, padded by 0, with two classes."""

    def __init__(self, n: int, seed: int, *, padded: bool = True) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(1, WORDS, (n, LENGTH), generator=generator)
        lengths = torch.randint(3, LENGTH + 1, (n,), generator=generator) if padded else torch.full((n,), LENGTH)
        self.mask = (torch.arange(LENGTH) < lengths[:, None]).long()
        self.tokens *= self.mask
        self.labels = torch.randint(0, 2, (n,), generator=generator)

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {"input_ids": self.tokens[i], "attention_mask": self.mask[i], "labels": self.labels[i]}

    @property
    def batch(self) -> dict[str, Any]:
        return {"input_ids": self.tokens, "attention_mask": self.mask, "labels": self.labels}


def bert() -> Any:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return BertForSequenceClassification(BertConfig(vocab_size=WORDS, max_position_embeddings=32, **sizes))


def gpt2() -> Any:
    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=WORDS, n_positions=32, n_embd=16, n_layer=2, n_head=2, **ends))


def t5() -> Any:
    torch.manual_seed(0)
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
    return T5ForConditionalGeneration(T5Config(vocab_size=WORDS, decoder_start_token_id=0, **sizes))


def vit() -> Any:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return ViTForImageClassification(ViTConfig(image_size=8, patch_size=4, num_channels=1, **sizes))
