"""Rows of layers on a device are those that the processor makes."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from dsentropy import layer_entropies
from dsentropy._checks import devices
from dsentropy._data import device_rows, layer_rows
from dsentropy._data.device_layers import layer_rows_on
from dsentropy._data.layer_rows import RowOptions

RNG = np.random.default_rng(8)
LAYER = RNG.normal(size=(30, 4, 3))
MASK = RNG.random((30, 4)) < 0.7
MASK[:, 0] = True


@pytest.fixture(autouse=True)
def torch_computes(monkeypatch):
    """Leaves tensors on the processor to PyTorch, as those on a GPU, in pieces of a few rows."""
    monkeypatch.setattr(devices, "CORE_DEVICES", ())
    monkeypatch.setattr(device_rows, "PIECE", 50)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int32])
@pytest.mark.parametrize("tokens", ["rows", "mean"])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("mask", [None, MASK, torch.tensor(MASK)])
def test_rows_are_those_of_the_processor(dtype, tokens, normalize, mask):
    layer = torch.tensor(10 * LAYER).to(dtype)
    options = RowOptions(tokens, normalize)
    found = layer_rows_on("cpu", layer, mask, options, "X")
    core = np.asarray(layer_rows.layer_rows(layer, mask, options, "X"))
    assert isinstance(found, torch.Tensor)
    # Half types are float32 on a device; NumPy makes float64 of float16.
    unit = 2.0**-23 if core.dtype == np.float32 or dtype == torch.float16 else 2.0**-50
    np.testing.assert_allclose(found.to(torch.float64).numpy(), core.astype(np.float64), rtol=unit, atol=10 * unit)
    if dtype not in (torch.bfloat16, torch.float16):
        assert str(found.dtype) == f"torch.{core.dtype}"


def test_padding_may_hold_anything():
    layer = torch.tensor(LAYER)
    layer[~torch.tensor(MASK)] = torch.nan
    found = layer_entropies([layer], masks=MASK, tokens="mean")
    np.testing.assert_allclose(found.entropy, layer_entropies([layer.numpy()], masks=MASK, tokens="mean").entropy)


def test_gradients_and_views_play_no_part():
    layer = torch.tensor(LAYER, requires_grad=True)
    found = layer_rows_on("cpu", layer.transpose(0, 1), None, RowOptions("mean", True), "X")
    assert not found.requires_grad
    core = layer_rows.layer_rows(LAYER.transpose(1, 0, 2), None, RowOptions("mean", True), "X")
    np.testing.assert_allclose(found.numpy(), core, rtol=1e-14)


@pytest.mark.parametrize(
    ("options", "masks", "error"),
    [
        ({"tokens": "rows"}, np.zeros((30, 4)), "masks must be 1 for at least one token of layers[0]"),
        ({"tokens": "mean"}, np.arange(120).reshape(30, 4) > 7, "masks must be 1 for a token of each sequence where"),
        ({"tokens": "mean"}, np.ones((30, 3)), "masks must have the shape (30, 4) for layers[0], got (30, 3)"),
        ({}, None, "layers[0] must have two dimensions [N, D] where tokens is None, got shape (30, 4, 3)"),
    ],
)
def test_errors_are_those_of_the_processor(options, masks, error):
    for layer in (torch.tensor(LAYER), LAYER):
        with pytest.raises(ValueError, match=re.escape(error)):
            layer_entropies([layer], masks=masks, **options)


def test_rows_without_a_direction_are_refused():
    rows = LAYER[:, 0] * (np.arange(30) != 4)[:, None]
    for layer in (torch.tensor(rows), rows):
        with pytest.raises(ValueError, match=r"no zero row where normalize is True, got zeros in row 4"):
            layer_entropies([layer], normalize=True)


def test_a_mask_needs_tokens():
    layers = {"a": torch.tensor(LAYER), "b": torch.tensor(LAYER[:, 0])}
    with pytest.raises(ValueError, match=r"masks must be None for layers\['b'\], which has no tokens"):
        layer_entropies(layers, masks={"a": MASK, "b": MASK}, tokens="mean")


def test_other_layers_are_left_to_the_processor(monkeypatch):
    assert isinstance(layer_rows_on("cpu", LAYER, None, RowOptions("mean", False), "X"), np.ndarray)
    monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("cpu",))
    layer = torch.tensor(LAYER, dtype=torch.float32)
    assert isinstance(layer_rows_on("cpu", layer, None, RowOptions("mean", False), "X"), np.ndarray)
