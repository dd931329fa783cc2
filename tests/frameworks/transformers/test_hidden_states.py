"""Hidden states of encoders, of decoders, of both, and of images, against those of a pass of each item alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from dsentropy.integrations.transformers import RepresentationMonitor
from tiny_transformers import Sentences, bert, gpt2, t5, vit
from transformers import PreTrainedTokenizerFast

PROBE = Sentences(20, 1)
QUIET = {"num_threads": 1}
WIDE = {"atol": 1e-5, "rtol": 1e-4}
"""Sums over the tokens of a padded batch round in another order: float32 has 6e-8, over some hundred operations."""


def rows_of(trainer: Any, probe: Any, **options: Any) -> dict[str, np.ndarray]:
    """The rows that a callback takes before the first step."""
    callback = RepresentationMonitor(probe, monitor=QUIET, **options).bind(trainer)
    callback.on_train_begin(trainer.args, trainer.state, trainer.control)
    return callback._watch.activations()


def states_of(model: Any, name: str = "hidden_states", **batch: Any) -> list[torch.Tensor]:
    with torch.no_grad():
        return list(model.eval()(**batch, output_hidden_states=True)[name])


def tokens_alone(model: Any) -> list[list[np.ndarray]]:
    """The tokens of each layer and item, from a pass of the item alone, without padding."""
    alone = []
    for tokens, mask in zip(PROBE.tokens, PROBE.mask, strict=True):
        states = states_of(model, input_ids=tokens[None, mask.bool()])
        alone.append([state[0].numpy() for state in states])
    return [list(layer) for layer in zip(*alone, strict=True)]


@pytest.mark.parametrize("make", [bert, gpt2])
@pytest.mark.parametrize("pool", ["mean", "max", "cls", "last", "tokens"])
def test_padding_is_no_part_of_a_row(make_trainer, make: Any, pool: str) -> None:
    reduce = {
        "mean": lambda item: item.mean(axis=0, keepdims=True),
        "max": lambda item: item.max(axis=0, keepdims=True),
        "cls": lambda item: item[:1],
        "last": lambda item: item[-1:],
        "tokens": lambda item: item,
    }[pool]
    model = make()
    found = rows_of(make_trainer(model), PROBE, pool=pool, batch_size=8)
    expected = [np.concatenate([reduce(item) for item in layer]) for layer in tokens_alone(model)]
    assert list(found) == ["layer_00", "layer_01", "layer_02"]
    for rows, by_hand in zip(found.values(), expected, strict=True):
        np.testing.assert_allclose(rows, by_hand, **WIDE)


def test_encoder_and_decoder(make_trainer) -> None:
    """The states of the decoder have the mask of its own tokens: of labels, those that count."""
    model = t5()
    targets = torch.where(PROBE.mask == 1, PROBE.tokens, -100).roll(1, 0)[:, :7].contiguous()
    targets[:, 0] = 5
    batch = {"input_ids": PROBE.tokens, "attention_mask": PROBE.mask, "labels": targets}
    found = rows_of(make_trainer(model), batch, batch_size=8)
    assert list(found) == [f"{part}_layer_{i:02d}" for part in ("encoder", "decoder") for i in range(3)]
    starts = torch.cat([torch.zeros(20, 1, dtype=torch.long), targets[:, :-1]], dim=1)
    for name, mask in (("encoder", PROBE.mask), ("decoder", (starts != -100).long())):
        states = states_of(model, f"{name}_hidden_states", **batch)
        for i, state in enumerate(states):
            by_hand = (state * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            np.testing.assert_allclose(found[f"{name}_layer_{i:02d}"], by_hand.numpy(), **WIDE)


def test_a_decoder_without_targets_has_its_first_token(make_trainer) -> None:
    model, start = t5(), torch.zeros(20, 1, dtype=torch.long)
    batch = {"input_ids": PROBE.tokens, "attention_mask": PROBE.mask}
    found = rows_of(make_trainer(model), batch, layers="decoder_*")
    states = states_of(model, "decoder_hidden_states", decoder_input_ids=start, **batch)
    assert list(found) == ["decoder_layer_00", "decoder_layer_01", "decoder_layer_02"]
    for rows, state in zip(found.values(), states, strict=True):
        np.testing.assert_allclose(rows, state[:, 0].numpy(), **WIDE)
    given = rows_of(make_trainer(model), {**batch, "decoder_input_ids": start}, layers="decoder_*")
    np.testing.assert_array_equal(given["decoder_layer_02"], found["decoder_layer_02"])
    model.config.decoder_start_token_id = model.generation_config.decoder_start_token_id = None
    with pytest.raises(ValueError, match="probe must have 'decoder_input_ids' or 'labels' of tokens"):
        rows_of(make_trainer(model), batch)


def test_images_have_no_mask(make_trainer) -> None:
    model, pixels = vit(), torch.rand(10, 1, 8, 8)
    found = rows_of(make_trainer(model), {"pixel_values": pixels, "labels": torch.arange(10) % 2}, pool="cls")
    for rows, state in zip(found.values(), states_of(model, pixel_values=pixels), strict=True):
        np.testing.assert_allclose(rows, state[:, 0].numpy(), **WIDE)


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        (None, ["layer_00", "layer_01", "layer_02"]),
        (-1, ["layer_02"]),
        ([2, 0], ["layer_00", "layer_02"]),
        ("layer_01", ["layer_01"]),
        (["layer_0[12]"], ["layer_01", "layer_02"]),
        ("bert.encoder.layer.*", ["bert.encoder.layer.0", "bert.encoder.layer.1"]),
    ],
)
def test_layers_by_number_name_and_pattern(make_trainer, layers: Any, names: list[str]) -> None:
    model = bert()
    found = rows_of(make_trainer(model), PROBE, layers=layers, pool="cls")
    assert list(found) == names
    states = states_of(model, input_ids=PROBE.tokens, attention_mask=PROBE.mask)
    np.testing.assert_allclose(found[names[-1]], states[1 if names[-1].endswith("_01") else 2][:, 0].numpy(), **WIDE)


def test_modules_of_an_encoder_decoder(make_trainer) -> None:
    model = t5()
    module = model.encoder.block[1]
    batch = {"input_ids": PROBE.tokens, "attention_mask": PROBE.mask}
    found = rows_of(make_trainer(model), batch, layers=module, pool="cls")
    by_hand = []
    with module.register_forward_hook(lambda *given: by_hand.append(given[2][0])), torch.no_grad():
        model.eval()(decoder_input_ids=torch.zeros(20, 1, dtype=torch.long), **batch)
    np.testing.assert_allclose(found["encoder.block.1"], by_hand[0][:, 0].numpy(), **WIDE)


class Plain(torch.nn.Module):
    """A model that knows no hidden states."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = torch.nn.Embedding(50, 8), torch.nn.Linear(8, 2)

    def forward(self, input_ids, attention_mask=None, labels=None):
        scores = self.out(self.embed(input_ids).mean(1))
        return {"loss": torch.nn.functional.cross_entropy(scores, labels), "logits": scores}


def test_errors_of_layers(make_trainer) -> None:
    for layers, text in [
        (3, "layers must be numbers of hidden states, 0 to 2, got 3"),
        (["layer_00", "bert.pooler"], "layers must be hidden states, .* or modules, not both, got 'bert.pooler'"),
        ("bert.encodre", "layers must be names or patterns of modules of the model, got 'bert.encodre'"),
    ]:
        with pytest.raises(ValueError, match=text):
            rows_of(make_trainer(bert()), PROBE, layers=layers)
    with pytest.raises(TypeError, match=r"model must take output_hidden_states .* Plain does not: layers=\[\.\.\.\]"):
        rows_of(make_trainer(Plain()), PROBE)
    with pytest.raises(TypeError, match="probe must have batches that are mappings"):
        rows_of(make_trainer(bert()), torch.arange(12).reshape(2, 6))


def test_a_model_of_any_keywords_without_hidden_states(make_trainer) -> None:
    class Silent(Plain):
        def forward(self, input_ids, **_):
            return {"logits": self.out(self.embed(input_ids).mean(1))}

    with pytest.raises(TypeError, match="Silent does not"):
        rows_of(make_trainer(Silent()), PROBE)
    assert list(rows_of(make_trainer(Silent()), PROBE, layers=["embed", "out"])) == ["embed", "out"]


def test_pool_is_a_callable(make_trainer) -> None:
    model = bert()
    found = rows_of(make_trainer(model), PROBE, layers=1, pool=lambda state, mask: state[mask.bool()][::2])
    state = states_of(model, input_ids=PROBE.tokens, attention_mask=PROBE.mask)[1]
    # Each batch of 32 is the whole probe.
    np.testing.assert_allclose(found["layer_01"], state[PROBE.mask.bool()][::2].numpy(), **WIDE)


def test_mask_is_a_callable(make_trainer) -> None:
    model = bert()
    found = rows_of(make_trainer(model), PROBE, layers=2, mask=lambda batch: torch.ones_like(batch["input_ids"]))
    state = states_of(model, input_ids=PROBE.tokens, attention_mask=PROBE.mask)[2]
    np.testing.assert_allclose(found["layer_02"], state.mean(1).numpy(), **WIDE)


def test_an_empty_item_is_named_by_its_number(make_trainer) -> None:
    batch = {name: tensor.clone() for name, tensor in PROBE.batch.items()}
    batch["attention_mask"][13] = 0
    with pytest.raises(ValueError, match="mask must have a token of each item, got none of item 13"):
        rows_of(make_trainer(bert()), batch, batch_size=8)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_models_of_half_precision(make_trainer, dtype: torch.dtype) -> None:
    model = bert().to(dtype)
    found = rows_of(make_trainer(model), PROBE)
    states = states_of(model, input_ids=PROBE.tokens, attention_mask=PROBE.mask)
    mask = PROBE.mask[:, :, None]
    for rows, state in zip(found.values(), states, strict=True):
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, ((state.float() * mask).sum(1) / mask.sum(1)).numpy(), atol=1e-5, rtol=1e-4)


def test_autocast_of_the_trainer_holds(make_trainer) -> None:
    """With bf16=True the states are those of a pass in autocast, as in the training."""
    model = bert()
    trainer = make_trainer(model, bf16=True, num_train_epochs=1)
    callback = RepresentationMonitor(PROBE, monitor=QUIET, every_n_epochs=None, sweep_steps=[5]).bind(trainer)
    trainer.train()
    found = callback._watch.activations()
    with torch.autocast("cpu", torch.bfloat16):
        states = states_of(model, input_ids=PROBE.tokens, attention_mask=PROBE.mask)
    mask = PROBE.mask[:, :, None]
    by_hand = ((states[2].float() * mask).sum(1) / mask.sum(1)).numpy()
    # bfloat16 has 8 bits; the mean over tokens is in float32.
    np.testing.assert_allclose(found["layer_02"], by_hand, atol=1e-5, rtol=1e-4)


def test_a_compiled_model(make_trainer) -> None:
    trainer = make_trainer(bert(), torch_compile=True, torch_compile_backend="eager", num_train_epochs=1)
    callback = RepresentationMonitor(PROBE, monitor=QUIET).bind(trainer)
    trainer.train()
    assert callback.monitor.curves().steps == (5,)
    assert np.isfinite(callback.monitor.curves().values).all()


def tokenizer(**options: Any) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"[PAD]": 0, **{str(i): i for i in range(1, 50)}}))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, padding_side="left", **options)


TEXTS = [
    " ".join(str(int(token)) for token in row[mask.bool()])
    for row, mask in zip(PROBE.tokens, PROBE.mask, strict=True)
]


@pytest.mark.parametrize("is_of_trainer", [False, True])
def test_texts(make_trainer, is_of_trainer: bool) -> None:
    """Padded on the right and cut at the length of the model."""
    model = gpt2()
    made = tokenizer(pad_token="[PAD]", model_input_names=["input_ids", "attention_mask"])
    trainer = make_trainer(model)
    if is_of_trainer:
        trainer.processing_class = made
    texts = [*TEXTS, " ".join(["7"] * 99)]
    found = rows_of(trainer, texts, tokenizer=None if is_of_trainer else made, layers=2, pool="last", batch_size=8)
    expected = [item[-1] for item in tokens_alone(model)[2]]
    expected.append(states_of(model, input_ids=torch.full((1, 32), 7))[2][0, -1].numpy())
    np.testing.assert_allclose(found["layer_02"], expected, **WIDE)


def test_errors_of_texts(make_trainer) -> None:
    with pytest.raises(ValueError, match="tokenizer must be given where the probe is texts"):
        rows_of(make_trainer(bert()), TEXTS)
    with pytest.raises(ValueError, match=r"tokenizer must have a padding token, .*tokenizer\.eos_token"):
        rows_of(make_trainer(bert()), TEXTS, tokenizer=tokenizer())
    with pytest.raises(TypeError, match="probe must be"):
        RepresentationMonitor("a text")


@pytest.mark.parametrize("remove", [True, False])
def test_features_go_through_the_collator(make_trainer, remove: bool) -> None:
    """Keys that the model does not take are left out, as in training."""
    features = [{**item, "index": i} for i, item in enumerate(PROBE)] if remove else list(PROBE)
    seen = []

    def collate(items: list[Any]) -> dict[str, torch.Tensor]:
        seen.append(set(items[0]))
        return {name: torch.stack([item[name] for item in items]) for name in items[0]}

    model = bert()
    trainer = make_trainer(model, collator=collate, remove_unused_columns=remove)
    found = rows_of(trainer, features, layers=0, pool="cls", batch_size=8)
    state = states_of(model, input_ids=PROBE.tokens, attention_mask=PROBE.mask)[0]
    np.testing.assert_allclose(found["layer_00"], state[:, 0].numpy(), **WIDE)
    assert seen == [{"input_ids", "attention_mask", "labels"}] * 3


class Rows:
    """Items by number, of no class of PyTorch, as those of the library datasets; they are no mappings."""

    def __len__(self) -> int:
        return 6

    def __getitem__(self, i: int) -> tuple[Any, Any]:
        return PROBE.tokens[i], PROBE.mask[i]

    def __iter__(self) -> Any:
        return (self[i] for i in range(6))


def test_items_of_any_class_and_loaders(make_trainer) -> None:
    model = bert()
    state = states_of(model, input_ids=PROBE.tokens, attention_mask=PROBE.mask)[0][:, 0].numpy()

    def collate(items: list[Any]) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.stack([item[0] for item in items]), "attention_mask": items[0][1].repeat(6, 1)}

    found = rows_of(make_trainer(model, collator=collate), Rows(), layers=0, pool="cls")
    np.testing.assert_allclose(found["layer_00"], state[:6], **WIDE)
    loader = torch.utils.data.DataLoader(PROBE, batch_size=7)
    np.testing.assert_allclose(rows_of(make_trainer(model), loader, layers=0, pool="cls")["layer_00"], state, **WIDE)


def test_a_model_with_adapters(make_trainer) -> None:
    """The keys of features are those of the model within."""
    model = bert()
    model.get_base_model = lambda: model
    assert len(rows_of(make_trainer(model), list(PROBE), layers=0)["layer_00"]) == 20
