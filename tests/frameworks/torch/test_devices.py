"""The argument ``device``: where data are computed, and the errors of devices that are not there."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
import torch
from dsentropy._checks import devices
from dsentropy._checks.devices import as_device, available_devices, is_tensor
from torch._subclasses.fake_tensor import FakeTensorMode


@pytest.fixture
def two_gpus(monkeypatch):
    """Lets PyTorch report two CUDA devices, of which the second is current; tensors on them hold no data."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)


def tensor_on(device):
    with FakeTensorMode():
        return torch.empty(3, 2, device=device)


class Numbers(torch.Tensor):
    """A class of tensors that another package defines."""


def test_tensors_are_recognised_without_an_import(monkeypatch):
    assert is_tensor(torch.zeros(1))
    assert is_tensor(torch.zeros(1).as_subclass(Numbers))
    assert is_tensor(torch.nn.Parameter(torch.zeros(1)))
    assert not is_tensor(np.zeros(1))
    monkeypatch.delitem(sys.modules, "torch")
    assert not is_tensor(np.zeros(1))
    assert "torch" not in sys.modules


@pytest.mark.parametrize("X", [[[1.0]], np.ones((2, 2)), torch.ones(2, 2)])
@pytest.mark.parametrize("device", [None, "cpu", torch.device("cpu"), "cpu:0"])
def test_data_of_the_processor_are_the_cores(X, device):
    assert as_device(device, X) is None


@pytest.mark.parametrize("device", [None, "cpu"])
def test_the_core_needs_no_torch(monkeypatch, device):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert as_device(device, np.ones((2, 2))) is None


def test_a_tensor_on_an_accelerator_stays_there():
    assert as_device(None, tensor_on("cuda:1")) == "cuda:1"
    assert as_device(None, tensor_on("mps")) == "mps:0"


def test_a_tensor_on_a_device_of_another_type_is_the_cores():
    assert as_device(None, tensor_on("xpu")) is None


def test_a_tensor_on_an_accelerator_can_be_given_to_the_core():
    assert as_device("cpu", tensor_on("cuda:1")) is None


@pytest.mark.parametrize("X", [[[1.0]], np.ones((2, 2)), torch.ones(2, 2)])
def test_data_of_the_processor_go_to_any_device(two_gpus, X):
    assert as_device("cuda", X) == "cuda:1"
    assert as_device("cuda:0", X) == "cuda:0"
    assert as_device(torch.device("cuda", 0), X) == "cuda:0"


def test_a_device_without_a_number_is_that_of_the_tensor(two_gpus):
    assert as_device("cuda", tensor_on("cuda:0")) == "cuda:0"
    assert as_device("cuda:1", tensor_on("cuda:1")) == "cuda:1"


def test_mps_has_one_device(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert as_device("mps", np.ones((2, 2))) == "mps:0"
    with pytest.raises(ValueError, match=re.escape("one that is there, cpu, mps:0, got 'mps:1'")):
        as_device("mps:1", np.ones((2, 2)))


@pytest.mark.parametrize(("device", "of_data"), [("cuda:0", "cuda:1"), ("cuda", "mps:0"), ("cuda", "xpu:0")])
def test_a_tensor_on_another_accelerator_is_refused(two_gpus, device, of_data):
    with pytest.raises(ValueError, match=rf"{of_data}, got '{device}': X\.to\('cuda:[01]'\) moves it"):
        as_device(device, tensor_on(of_data))


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device):
    with pytest.raises(ValueError, match=f"device must be one that is there, cpu, got '{device}'"):
        as_device(device, np.ones((2, 2)))


def test_a_number_beyond_the_last_device_is_refused(two_gpus):
    assert available_devices(torch) == ["cpu", "cuda:0", "cuda:1"]
    with pytest.raises(ValueError, match="one that is there, cpu, cuda:0, cuda:1, got 'cuda:2'"):
        as_device("cuda:2", np.ones((2, 2)))


@pytest.mark.parametrize("device", ["gpu", "", "cuda:", "cuda:x", "cuda:-1", "cuda:01", "CUDA", torch.device("meta")])
@pytest.mark.parametrize("is_installed", [True, False])
def test_texts_that_are_no_device_are_refused(monkeypatch, device, is_installed):
    if not is_installed and isinstance(device, str):
        monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ValueError, match="device must be None, 'cpu', 'cuda', 'mps' or one by its number"):
        as_device(device, np.ones((2, 2)))


@pytest.mark.parametrize("device", [0, True, b"cuda", ["cuda"]])
def test_other_types_are_refused(device):
    with pytest.raises(TypeError, match=r"device must be a string, a torch\.device or None, got"):
        as_device(device, np.ones((2, 2)))


def test_a_device_without_torch_says_how_it_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'dsentropy[torch]'; device='cpu' does not")):
        as_device("cuda", np.ones((2, 2)))
    with pytest.raises(TypeError, match="device must be a string"):
        as_device(0, np.ones((2, 2)))


def test_without_devices_of_the_core_tensors_stay_on_the_processor(monkeypatch):
    monkeypatch.setattr(devices, "CORE_DEVICES", ())
    assert as_device(None, torch.ones(2, 2)) == "cpu"
    assert as_device("cpu", np.ones((2, 2))) == "cpu"
    assert as_device(None, np.ones((2, 2))) is None
