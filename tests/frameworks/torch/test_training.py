"""The training is what it would be without a monitor, bit for bit, also where it is compiled."""

import random
import shutil

import numpy as np
import pytest
import torch
from dsentropy.integrations.torch import LayerMonitor
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Augmented(Dataset):
    """Images to which noise of Python, NumPy and PyTorch is added when they are read."""

    def __init__(self):
        generator = torch.Generator().manual_seed(3)
        self.images, self.own = torch.randn(120, 1, 6, 6, generator=generator), np.random.default_rng(0)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        noise = random.random() + np.random.rand() + float(self.own.random()) + torch.rand(())
        return self.images[i] + 0.1 * noise, i % 3


def trained(models, *, watched, workers=0, optimizer="adam", wrap=lambda net: net, autocast=False, steps=50):
    """Train for some steps, with a sweep every third, and return the state of all that has one."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    net = models.Convolutions()
    model = wrap(net)
    loader = DataLoader(Augmented(), 16, shuffle=True, num_workers=workers, persistent_workers=workers > 0)
    makes = {"adam": torch.optim.Adam, "momentum": lambda weights, lr: torch.optim.SGD(weights, lr, momentum=0.9)}
    descent = makes[optimizer](net.parameters(), lr=1e-2)
    layers = ["stem", "norm", "drop", "blocks.*", "frozen", "head"]
    options = {"max_samples": 60, "n_repeats": 2, "num_threads": 1}
    watch = LayerMonitor(model, layers, loader, monitor=options) if watched else None
    step = 0
    while step < steps:
        for images, labels in loader:
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                if watch is not None and step % 3 == 0:
                    watch.sweep(step)
                loss = nn.functional.cross_entropy(model(images).float(), labels)
            descent.zero_grad()
            loss.backward()
            descent.step()
            step += 1
            if step == steps:
                break
    if watch is not None:
        entropies = watch.monitor.records.select("dse")
        assert len(entropies) == 7 * len(range(0, steps, 3))
        assert all(record["value"] > 0 for record in entropies)
    moments = {
        f"{i}.{name}": one for i, state in descent.state_dict()["state"].items() for name, one in state.items()
    }
    modes = torch.tensor([module.training for module in net.modules()])
    drawn = torch.tensor([torch.rand(()), random.random(), np.random.rand()])
    return {**net.state_dict(), **moments, "modes": modes, "drawn": drawn}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(torch.as_tensor(one[name]), torch.as_tensor(other[name]))] == []


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_weights_after_50_steps_are_equal_bit_for_bit(models, workers, optimizer):
    """Dropout, batch norm, a sub-module frozen in evaluation mode, and the shuffling loader as the probe."""
    given = {"workers": workers, "optimizer": optimizer}
    assert_equal(trained(models, watched=False, **given), trained(models, watched=True, **given))


def test_weights_under_autocast_are_equal_bit_for_bit(models):
    """The sweep is in the same autocast block as the step, whose cache of weights it must not fill."""
    states = [trained(models, watched=watched, autocast=True, steps=20) for watched in (False, True)]
    assert_equal(*states)


def counting(graphs):
    """A backend that runs the graph as it is, and counts graphs."""

    def backend(graph, _inputs):
        graphs.append(graph)
        return graph.forward

    return backend


def wrapper(backend):
    return lambda net: torch.compile(net, backend=backend)


def in_place(backend):
    def wrap(net):
        net.compile(backend=backend)
        return net

    return wrap


def of_submodules(backend):
    def wrap(net):
        net.blocks[0] = torch.compile(net.blocks[0], backend=backend)
        net.blocks[1].compile(backend=backend)
        net.head = torch.compile(net.head, backend=backend)
        return net

    return wrap


NOT_A_LEAF = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
"""The compiler looks at the gradients of all inputs of a sub-module."""


@NOT_A_LEAF
@pytest.mark.parametrize("compiled", [wrapper, in_place, of_submodules])
def test_a_compiled_model_is_watched_uncompiled_and_trained_compiled(models, compiled):
    graphs = {False: [], True: []}
    states = {}
    for watched, made in graphs.items():
        torch.compiler.reset()
        states[watched] = trained(models, watched=watched, wrap=compiled(counting(made)), steps=12)
    assert_equal(states[False], states[True])
    assert len(graphs[True]) == len(graphs[False]) > 0


@NOT_A_LEAF
@pytest.mark.parametrize("compiled", [wrapper, in_place, of_submodules])
def test_names_and_rows_of_a_compiled_model_are_those_of_the_model(models, compiled):
    images = torch.randn(20, 1, 6, 6)
    net, plain = models.Convolutions(), models.Convolutions()
    model = compiled("eager")(net)
    model(images)  # compiles, and moves the statistics of batch norm
    plain.load_state_dict({name.replace("_orig_mod.", ""): one for name, one in net.state_dict().items()})
    expected = LayerMonitor(plain, ["stem", "blocks.*", "head"], images).activations()
    found = LayerMonitor(model, ["stem", "blocks.*", "head"], images).activations()
    assert list(found) == ["stem", "blocks.0", "blocks.1", "head"]
    for name, rows in expected.items():
        np.testing.assert_array_equal(found[name], rows)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the compiler
def test_a_model_of_inductor_is_watched():
    if shutil.which("g++") is None:
        pytest.skip("inductor needs a compiler of C++")
    X = torch.randn(20, 3)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    model = torch.compile(net)
    with torch.no_grad():
        model(X)
    found = LayerMonitor(model, "1", X).activations()["1"]
    np.testing.assert_array_equal(found, LayerMonitor(net, "1", X).activations()["1"])
