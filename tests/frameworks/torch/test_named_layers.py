"""Layers by name, pattern and module."""

import pytest
import torch
from dsentropy.integrations.torch.named_layers import called_module, named_layers
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn, self.mlp = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.ReLU())


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(11))
        self.heads = nn.ModuleDict({"b": nn.Linear(2, 2), "a": nn.ModuleList([nn.Linear(2, 2)])})
        self.nothing = None
        self.register_module("empty", None)
        self.shared = self.heads["b"]


MODEL = Model()


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("blocks.1.attn", ["blocks.1.attn"]),
        ("blocks.[23]", ["blocks.2", "blocks.3"]),
        ("blocks.[!0-9]", []),
        ("blocks.?", [f"blocks.{i}" for i in range(10)]),
        ("blocks.1*", ["blocks.1", "blocks.10"]),
        ("blocks.0.*", ["blocks.0.attn", "blocks.0.mlp"]),
        ("blocks.0.**", ["blocks.0.attn", "blocks.0.mlp", "blocks.0.mlp.0", "blocks.0.mlp.1"]),
        ("**.attn", [f"blocks.{i}.attn" for i in range(11)]),
        ("blocks", [f"blocks.{i}" for i in range(11)]),
        ("heads", ["heads.b", "heads.a.0"]),
        (["blocks.3", "blocks.2", "blocks.3", MODEL.blocks[2]], ["blocks.2", "blocks.3"]),
        (MODEL.blocks[4].mlp, ["blocks.4.mlp"]),
        (MODEL.heads, ["heads.b", "heads.a.0"]),
        (MODEL, ["Model"]),
        ([MODEL, "shared"], ["Model", "heads.b"]),
        ("blocks.0.mlp[", []),
    ],
)
def test_names_are_in_the_order_of_the_model(layers, expected):
    if not expected:
        with pytest.raises(ValueError, match="layers must be names or patterns"):
            named_layers(MODEL, layers)
        return
    found = named_layers(MODEL, layers)
    assert list(found) == expected
    modules = dict(MODEL.named_modules())
    assert all(module is modules["" if name == "Model" else name] for name, module in found.items())


def test_a_name_without_a_match_is_an_error_with_near_names():
    with pytest.raises(ValueError, match=r"got 'blocks.3.atn': near ones are 'blocks.3.attn'"):
        named_layers(MODEL, ["blocks.0", "blocks.3.atn"])
    with pytest.raises(ValueError, match=r"got 'zzz\*': near ones are 'blocks', 'blocks.0'"):
        named_layers(MODEL, "zzz*")
    with pytest.raises(ValueError, match=r"got another Block: near ones are 'blocks.0', 'blocks.1', 'blocks.2'"):
        named_layers(MODEL, Block())
    with pytest.raises(ValueError, match=r"got another Model$"):
        named_layers(MODEL, type(MODEL)())
    with pytest.raises(ValueError, match=r"got another Conv1d$"):
        named_layers(MODEL, nn.Conv1d(1, 1, 1))
    with pytest.raises(ValueError, match="layers must be names or patterns of modules of the model, got ''"):
        named_layers(MODEL, "")


def test_other_layers_are_refused():
    for layers in [3, [3], None]:
        with pytest.raises(TypeError, match="layers must be names, patterns or modules of the model, got"):
            named_layers(MODEL, layers)
    for layers in [[], nn.ModuleList()]:
        with pytest.raises(ValueError, match="layers must"):
            named_layers(MODEL, layers)


def test_wrappers_have_no_part_in_names():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2)), checkpoint_wrapper(nn.Linear(2, 2)))
    inner = [model[0], model[1][0], model[2]._checkpoint_wrapped_module]
    model[1] = torch.compile(model[1], backend="eager")
    wrapped = nn.DataParallel(torch.compile(model, backend="eager"))
    found = named_layers(wrapped, ["0", "1.0", "2"])
    assert list(found.items()) == list(zip(["0", "1.0", "2"], inner, strict=True))
    assert list(named_layers(wrapped, [model[2], wrapped])) == ["Sequential", "2"]
    assert called_module(wrapped) is model
