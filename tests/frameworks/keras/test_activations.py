"""Rows that the callback of Keras takes, against those by hand: layers, pools, masks, channels, precision."""

from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np
import pytest
from dsentropy.integrations.keras.activations import activations
from dsentropy.integrations.keras.layers import named_layers
from dsentropy.integrations.keras.pooling import pooled
from dsentropy.integrations.keras.probe import Probe
from keras import ops
from tiny_keras import PROBE, convolutions, numbers

# Keras converts tensors of PyTorch by np.array, which NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

RNG = np.random.default_rng(0)
ON_TORCH = keras.backend.backend() == "torch"
TOKENS = RNG.normal(size=(4, 5, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0]], dtype=bool)
"""Padding on the right, on the left, none, and in between."""

REDUCED = {
    "mean": lambda item: item.mean(axis=0),
    "max": lambda item: item.max(axis=0),
    "cls": lambda item: item[0],
    "last": lambda item: item[-1],
}


def rows_of(model: Any, layers: Any, probe: Any, pool: Any = "mean", batch_size: int = 7) -> dict[str, Any]:
    return activations(model, named_layers(model, layers), Probe(probe, batch_size), pool)


def rows(output: Any, pool: Any, mask: Any = None, *, channels_first: bool = False) -> Any:
    kept = None if mask is None else ops.convert_to_tensor(mask)
    return pooled(ops.convert_to_tensor(output), pool, kept, "layer", channels_first=channels_first, first=10)


@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("pool", REDUCED)
def test_tokens_become_one_row(pool: str, mask: Any) -> None:
    used = np.ones_like(MASK) if mask is None else mask
    expected = [REDUCED[pool](item[kept]) for item, kept in zip(TOKENS, used, strict=True)]
    np.testing.assert_allclose(rows(TOKENS, pool, mask), expected, rtol=1e-6, atol=1e-7)


def test_tokens_become_rows() -> None:
    np.testing.assert_array_equal(rows(TOKENS, "tokens"), TOKENS.reshape(20, 3))
    np.testing.assert_array_equal(rows(TOKENS, "tokens", MASK), TOKENS[MASK])
    np.testing.assert_array_equal(rows(TOKENS, "flatten"), TOKENS.reshape(4, 15))
    np.testing.assert_array_equal(rows(TOKENS, "flatten", np.ones_like(MASK)), TOKENS.reshape(4, 15))
    np.testing.assert_array_equal(rows(TOKENS[:, 0], "mean"), TOKENS[:, 0])
    np.testing.assert_array_equal(rows(TOKENS[:, 0, 0], "mean"), TOKENS[:, :1, 0])
    with pytest.raises(ValueError, match="pool must not be 'flatten' where a mask has padding, of layer 'layer'"):
        rows(TOKENS, "flatten", MASK)
    with pytest.raises(ValueError, match="probe must have a token of each item, got none of item 11"):
        rows(TOKENS, "mean", MASK & (np.arange(4) != 1)[:, None])


def test_space_is_of_tokens_with_channels_first_or_last() -> None:
    image = RNG.normal(size=(2, 3, 4, 5)).astype("float32")
    np.testing.assert_allclose(rows(image, "mean"), image.mean(axis=(1, 2)), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(rows(image, "max", channels_first=True), image.max(axis=(2, 3)))
    by_place = image.transpose(0, 2, 3, 1).reshape(40, 3)
    np.testing.assert_array_equal(rows(image, "tokens", channels_first=True), by_place)
    np.testing.assert_array_equal(rows(image, "flatten", channels_first=True), image.reshape(2, 60))


def test_types_that_overflow_or_have_no_infinity() -> None:
    large = np.full((2, 8, 1), 6e4, dtype="float16")
    assert rows(large, "mean").dtype == np.float32
    np.testing.assert_array_equal(rows(large, "mean"), [[6e4], [6e4]])
    bfloat = ops.cast(TOKENS, "bfloat16")
    np.testing.assert_array_equal(rows(bfloat, "cls"), np.array(numbers([ops.cast(bfloat, "float32")])[0][:, 0]))
    whole = RNG.integers(-9, 0, (4, 5, 3))
    np.testing.assert_array_equal(
        rows(whole, "max", MASK), [x[m].max(axis=0) for x, m in zip(whole, MASK, strict=True)]
    )
    np.testing.assert_array_equal(rows(TOKENS > 0, "max", MASK)[0], (TOKENS > 0)[0, :3].any(axis=0))


def test_pool_is_a_callable() -> None:
    np.testing.assert_array_equal(rows(TOKENS, lambda x: x[:, 1]), TOKENS[:, 1])
    np.testing.assert_array_equal(
        rows(TOKENS, lambda x, mask: numbers([x])[0][numbers([mask])[0]], MASK), TOKENS[MASK]
    )
    with pytest.raises(TypeError, match="pool must return a tensor with one row or more, of layer 'layer', got 'x'"):
        rows(TOKENS, lambda _: "x")


def test_masks_of_embeddings_reach_the_rows() -> None:
    tokens = np.where(MASK, RNG.integers(1, 9, MASK.shape), 0)
    inputs = keras.Input((5,))
    x = keras.layers.Embedding(9, 4, mask_zero=True, name="embed")(inputs)
    x = keras.layers.Dropout(0.5, name="drop")(x)
    states = keras.layers.LSTM(6, return_sequences=True, return_state=True, name="lstm")(x)
    model = keras.Model(inputs, keras.layers.LSTM(2, name="last")(states[0]))
    found = rows_of(model, "*", tokens, batch_size=3)
    assert list(found) == ["embed", "drop", "lstm", "last"] or "not_equal" in found
    outputs = [model.get_layer("embed").output, states[0], model.output]
    embed, lstm, last = numbers(keras.Model(inputs, outputs)(tokens))
    for name, full in (("embed", embed), ("drop", embed), ("lstm", lstm)):
        by_hand = [item[kept].mean(axis=0) for item, kept in zip(full, MASK, strict=True)]
        np.testing.assert_allclose(found[name], by_hand, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["last"], last, rtol=1e-5, atol=1e-6)


def nested() -> Any:
    """A model within a model, as a network that was trained before and has a new head."""
    inputs = keras.Input((8,))
    x = keras.layers.Dense(5, activation="relu", name="block_1")(inputs)
    backbone = keras.Model(inputs, keras.layers.Dense(4, name="block_2")(x), name="backbone")
    outside = keras.Input((8,))
    return keras.Model(outside, keras.layers.Dense(2, name="head")(backbone(outside)))


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ("*", ["backbone", "head"]),
        ("backbone/*", ["backbone/block_1", "backbone/block_2"]),
        ("**", ["backbone", "backbone/block_1", "backbone/block_2", "head"]),
        (["head", "**block_?", "head"], ["backbone/block_1", "backbone/block_2", "head"]),
        ("backbone/block_[!2]", ["backbone/block_1"]),
        ("backbone/block_[0-1]", ["backbone/block_1"]),
    ],
)
def test_layers_within_layers(layers: Any, names: list[str]) -> None:
    model, X = nested(), RNG.normal(size=(6, 8)).astype("float32")
    found = rows_of(model, layers, X)
    assert list(found) == names
    backbone = model.get_layer("backbone")
    first, second = numbers(keras.Model(backbone.input, [backbone.get_layer("block_1").output, backbone.output])(X))
    by_hand = {
        "backbone": second,
        "backbone/block_1": first,
        "backbone/block_2": second,
        "head": numbers([model(X)])[0],
    }
    for name, rows_of_layer in found.items():
        np.testing.assert_allclose(rows_of_layer, by_hand[name], rtol=1e-5, atol=1e-6)
    assert list(named_layers(model, backbone.get_layer("block_2"))) == ["backbone/block_2"]


class Own(keras.Model):
    """A model without a graph: two layers of one name, one that runs twice, one that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = keras.layers.Dense(3, name="dense")
        self.second = keras.layers.Dense(4, name="dense")
        self.twice = keras.layers.Dense(4, name="twice")
        self.never = keras.layers.Dense(4, name="never")
        self.never.build((None, 4))

    def call(self, x: Any) -> Any:
        return self.twice(self.twice(self.second(self.first(x))))


def test_models_of_classes_of_their_own() -> None:
    model, X = Own(), RNG.normal(size=(6, 8)).astype("float32")
    model(X)
    found = rows_of(model, ["dense", "dense#2"], X)
    by_hand = numbers([model.first(X), model.second(model.first(X))])
    for rows_of_layer, expected in zip(found.values(), by_hand, strict=True):
        np.testing.assert_allclose(rows_of_layer, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="layer 'twice' must run once in a pass, and ran 2 times: name the"):
        rows_of(model, "twice", X)
    with pytest.raises(ValueError, match="layer 'never' must run once in a pass, and ran 0 times: leave it out"):
        rows_of(model, "never", X)
    assert not any("call" in vars(layer) for layer in model.layers)


def test_a_call_that_was_replaced_is_put_back() -> None:
    model, X = Own(), RNG.normal(size=(6, 8)).astype("float32")
    model(X)
    call = model.first.call
    vars(model.first)["call"] = replaced = lambda x: call(x) * 2
    np.testing.assert_allclose(rows_of(model, "dense", X)["dense"], 2 * numbers([call(X)])[0], rtol=1e-6)
    assert vars(model.first)["call"] is replaced


class Odd(keras.layers.Layer):
    """A layer with an output that cannot be rows, of each kind."""

    def __init__(self, kind: str) -> None:
        super().__init__(name="odd")
        self.kind = kind

    def call(self, x: Any) -> Any:
        if self.kind == "none":
            return None
        return {"sum": ops.sum(x), "fewer": x[:2], "ragged": ops.reshape(x, (-1, ops.shape(x)[0] * 2))[:1]}[self.kind]


class Holder(keras.Model):
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer = layer

    def call(self, x: Any) -> Any:
        self.layer(x)
        return x


@pytest.mark.parametrize(
    ("kind", "pool", "text"),
    [
        ("none", "mean", "layer 'odd' must return a tensor with an axis of items, got None"),
        ("sum", "mean", "layer 'odd' must return a tensor with an axis of items"),
        ("fewer", "mean", "layer 'odd' must return one entry an item along its first axis, 4 in this batch, got 2"),
        ("ragged", "tokens", "layer 'odd' must have as many numbers a row in each batch, 8, got 4"),
    ],
)
def test_outputs_that_are_no_rows(kind: str, pool: str, text: str) -> None:
    model, X = Holder(Odd(kind)), RNG.normal(size=(6, 8)).astype("float32")
    model(X[:4])
    with pytest.raises((TypeError, ValueError), match=text):
        rows_of(model, "odd", X, pool, batch_size=4)


class Noisy(keras.layers.Layer):
    """A layer that draws when it is used, also in inference: with and without a seed generator, and in NumPy."""

    def __init__(self) -> None:
        super().__init__(name="noisy")
        self.seeds = keras.random.SeedGenerator(1)
        self.count = self.add_weight(name="count", shape=(), trainable=False, initializer="zeros")

    def call(self, x: Any) -> Any:
        self.count.assign_add(1.0)
        drawn = keras.random.normal(ops.shape(x), seed=self.seeds) + keras.random.normal(ops.shape(x))
        return x + drawn + float(np.random.random()) + random.random()


def test_generators_and_variables_are_as_before() -> None:
    from keras.src.backend.common import global_state

    model, X = Holder(Noisy()), RNG.normal(size=(6, 8)).astype("float32")
    model(X)
    keras.utils.clear_session()

    def state_of_all() -> Any:
        states = [*numbers(model.layer.weights), *numbers([model.layer.seeds.state]), np.random.get_state()[1]]
        return [state.tolist() for state in states], random.getstate()

    before = state_of_all()
    np.testing.assert_array_equal(rows_of(model, "noisy", X)["noisy"].shape, (6, 8))
    assert state_of_all() == before
    assert global_state.get_global_attribute("global_seed_generator") is None
    keras.random.normal((2,))
    seeds = global_state.get_global_attribute("global_seed_generator")
    state = numbers([seeds.state])
    rows_of(model, "noisy", X)
    assert global_state.get_global_attribute("global_seed_generator") is seeds
    np.testing.assert_array_equal(numbers([seeds.state]), state)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", *(["float64"] if ON_TORCH else [])])
def test_precision_of_the_model(policy: str) -> None:
    inputs = keras.Input((8,))
    model = keras.Model(inputs, keras.layers.Dense(3, dtype=policy, name="dense")(inputs))
    X = RNG.normal(size=(6, 8))
    found = rows_of(model, "dense", X)["dense"]
    assert found.dtype == (np.float64 if policy == "float64" else np.float32)
    by_hand = numbers([ops.cast(model(X), "float32")])[0]
    np.testing.assert_array_equal(found.astype(np.float32), by_hand)


def test_channels_are_where_the_layer_has_them() -> None:
    image = RNG.normal(size=(3, 2, 6, 6)).astype("float32")
    inputs = keras.Input((2, 6, 6))
    # A CPU has no convolution with channels first on every backend; a pooling layer has.
    layer = keras.layers.AveragePooling2D(2, data_format="channels_first", name="pool")
    found = rows_of(keras.Model(inputs, layer(inputs)), "pool", image)["pool"]
    np.testing.assert_allclose(found, image.mean(axis=(2, 3)), rtol=1e-5, atol=1e-6)


def test_a_layer_within_a_loop() -> None:
    """The cell of a recurrent layer runs at each step of time, and in JAX where no value can be read."""
    inputs = keras.Input((5, 3))
    model = keras.Model(inputs, keras.layers.LSTM(2, name="lstm")(inputs))
    with pytest.raises((TypeError, ValueError), match="'lstm/lstm_cell'"):
        rows_of(model, "lstm/lstm_cell", TOKENS)


def test_torch_modules_within_keras() -> None:
    if not ON_TORCH:
        pytest.skip("modules of PyTorch need its backend")
    import torch

    inner = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5))
    wrapped = keras.layers.TorchModuleWrapper(inner, output_shape=(None, 4), name="inner")
    relu = keras.layers.TorchModuleWrapper(torch.nn.ReLU(inplace=True), output_shape=(None, 4), name="relu")

    class Both(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.relu = wrapped, relu

        def call(self, x: Any, training: bool | None = None) -> Any:
            return self.relu(self.inner(x, training=training), training=training)

    model, X = Both(), RNG.normal(size=(6, 8)).astype("float32")
    model(X)
    inner.train()
    inner[2].eval()
    bits = [tensor.clone() for tensor in inner.state_dict().values()]
    modes = [module.training for module in model.modules()]
    found = rows_of(model, ["inner", "relu"], X)
    assert [module.training for module in model.modules()] == modes
    assert all(map(torch.equal, bits, inner.state_dict().values()))
    inner.eval()
    by_hand = inner(torch.as_tensor(X, device=bits[0].device)).detach().cpu().numpy()
    np.testing.assert_allclose(found["inner"], by_hand, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["relu"], np.maximum(by_hand, 0), rtol=1e-5, atol=1e-6)


def test_rows_do_not_depend_on_the_size_of_a_batch() -> None:
    model = convolutions()
    whole, parts = (rows_of(model, ["conv", "out"], PROBE, batch_size=size) for size in (60, 7))
    for one, other in zip(whole.values(), parts.values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
