"""A block that leaves a model and the process as they were."""

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from dsentropy.integrations.torch import untouched
from dsentropy.integrations.torch.generators import generators_in, global_generators, kept_generators
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Draws(nn.Module):
    """Draws from all kinds of generators, and changes buffers and attributes."""

    def __init__(self):
        super().__init__()
        self.own = [torch.Generator().manual_seed(1), {"numpy": np.random.default_rng(2)}]
        self.legacy, self.python = np.random.RandomState(3), random.Random(4)
        self.register_buffer("table", torch.tensor([float("nan"), -0.0, 1.0]))
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("cache", None)
        self.register_buffer("steady", torch.ones(2, dtype=torch.bool))
        self.calls, self.note, self.found = 0, "none", None
        self.lazy = [1]

    def forward(self, x):
        own, others = self.own
        drawn = [torch.rand(()), torch.rand((), generator=own), np.random.rand(), random.random()]
        drawn += [np.random.normal(), others["numpy"].random(), self.legacy.normal(), self.python.gauss(0, 1)]
        self.table.data.mul_(0)
        self.count += 1
        self.cache = x
        self.calls += 1
        self.note, self.found = "called", x
        return [float(number) for number in drawn]


def state(model):
    tables = [None if buffer is None else buffer.numpy().tobytes() for buffer in model._buffers.values()]
    return tables, model.calls, model.note, model.found


def test_modes_are_those_of_each_module():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.Dropout(), nn.Linear(2, 2)))
    model[1].eval()
    model[1][0].train()
    modes = [module.training for module in model.modules()]
    with untouched(model):
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
    assert [module.training for module in model.modules()] == modes == [True, True, False, True, False]
    assert torch.is_grad_enabled()


def test_mode_is_set_without_a_call_of_train_or_eval():
    class Refuses(nn.Linear):
        def train(self, mode=True):
            raise AssertionError

    model = Refuses(2, 2)
    with untouched(model):
        assert not model.training
    assert model.training


def test_buffers_attributes_and_generators_are_put_back():
    model = Draws()
    before = state(model)
    generators = [model.own[0], model.own[1]["numpy"], model.legacy, model.python, *global_generators()]
    with kept_generators(generators):
        expected = model(torch.ones(1))
    assert state(model) != before
    model = Draws()
    buffers = list(model._buffers.values())
    with untouched(model):
        model(torch.ones(1))
        model(torch.ones(1))
    assert state(model) == before
    assert all(one is other for one, other in zip(model._buffers.values(), buffers, strict=True))
    assert model(torch.ones(1)) == expected


def test_all_is_put_back_after_an_error():
    model = Draws()
    before = state(model)

    def interrupted():
        with untouched(model):
            model(torch.ones(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert state(model) == before
    assert model.training


def test_draws_with_a_seed_do_not_depend_on_earlier_draws():
    model, drawn = Draws(), []
    for _ in range(2):
        with untouched(model, seed=7):
            drawn.append(model(torch.ones(1)))
        model(torch.ones(1))
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 8


def test_a_buffer_that_a_graph_has_saved_is_not_written():
    """Autograd refuses a backward pass over a tensor that was written in place since."""
    model = nn.BatchNorm1d(2).eval()
    loss = model(torch.randn(4, 2, requires_grad=True)).sum()
    versions = [buffer._version for buffer in model.buffers()]
    with untouched(model):
        model(torch.randn(4, 2))
    assert [buffer._version for buffer in model.buffers()] == versions
    loss.backward()


def replace(model):
    model.table = torch.ones(5)


def resize(model):
    model.table.resize_(5).zero_()


@pytest.mark.parametrize("change", [replace, resize, nn.Module.half, lambda model: model.table.resize_(1, 3)])
def test_a_buffer_of_another_shape_or_type_is_put_back(change):
    model = nn.Module()
    model.register_buffer("table", torch.tensor([1.0, 2.0, 1e-30]))
    table = model.table
    with untouched(model):
        change(model)
    assert model.table is table
    assert table.dtype == torch.float32
    assert table.tolist() == torch.tensor([1.0, 2.0, 1e-30]).tolist()


def test_the_compiler_is_not_loaded_where_nothing_is_compiled(run_python):
    program = """
        import sys, torch
        from dsentropy.integrations.torch import untouched
        model = torch.nn.Linear(2, 2)
        with untouched(model):
            model(torch.ones(1, 2))
        print("torch._dynamo" in sys.modules)
    """
    assert run_python(program) == "False\n"


def test_the_cache_of_autocast_is_left_alone():
    """A weight that was cast without a gradient and cached would get none in the training."""
    gradients = []
    for watched in (False, True):
        model = nn.Linear(3, 2)
        nn.init.ones_(model.weight)
        with torch.autocast("cpu", torch.bfloat16):
            if watched:
                with untouched(model):
                    assert model(torch.ones(1, 3)).dtype == torch.bfloat16
            model(torch.ones(1, 3)).float().sum().backward()
            assert torch.is_autocast_cache_enabled()
        gradients.append(model.weight.grad)
    assert gradients[1] is not None
    assert torch.equal(*gradients)


def test_parameters_must_be_initialised():
    block = untouched(nn.Sequential(nn.LazyLinear(2)))
    with pytest.raises(ValueError, match=r"model must have initialised parameters, got '0\.weight'"), block:
        pass


def test_generators_of_a_loader_are_found_and_data_is_not_looked_through():
    generator, augmenting = torch.Generator(), np.random.default_rng(0)
    data = TensorDataset(torch.ones(3))
    data.transforms = [SimpleNamespace(rng=augmenting), np, TensorDataset]
    data.many = [random.Random(0) for _ in range(200)]
    data.itself = data
    loader = DataLoader(data, shuffle=True, generator=generator)
    found = list(generators_in([loader]))
    assert {id(one) for one in found} == {id(generator), id(augmenting)}
    deep = SimpleNamespace()
    deep.next = SimpleNamespace(next=SimpleNamespace(next=SimpleNamespace(next=SimpleNamespace(next=deep, rng=1))))
    assert list(generators_in([deep])) == []


def test_generators_of_devices_in_use_are_global_ones(monkeypatch):
    """A generator of the CPU takes the place of that of a device, which no test machine has."""
    of_device = torch.Generator()
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "default_generators", (of_device,))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "_get_default_mps_generator", lambda: of_device)
    assert global_generators()[-2:] == [of_device, of_device]
