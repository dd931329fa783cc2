"""Settings of PyTorch within a block of plain arithmetic, and after it."""

from __future__ import annotations

import itertools
import threading

import pytest
import torch
from dsentropy._operator import torch_modes
from dsentropy._operator.torch_modes import plain_arithmetic

KEYS = [("generic", "all"), ("cuda", "all"), ("cuda", "matmul"), ("mkldnn", "all"), ("mkldnn", "matmul")]
get, put = torch._C._get_fp32_precision_getter, torch._C._set_fp32_precision_setter


@pytest.fixture(autouse=True)
def settings_as_found():
    yield
    torch.set_float32_matmul_precision("highest")
    for key in KEYS:
        put(*key, "none")


def older():
    """The older setting; PyTorch refuses to read it where the newer ones differ."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return "hidden"


def shown():
    return older(), [get(*key) for key in KEYS]


def behaviour():
    """What the settings are, also after each parent is set: an inherited one follows it."""
    seen = [shown()]
    kept = {key: get(*key) for key in KEYS}
    for parent in (("cuda", "all"), ("mkldnn", "all"), ("generic", "all")):
        for value in ("ieee", "tf32"):
            put(*parent, value)
            seen.append(shown())
        put(*parent, "none" if parent == ("generic", "all") else kept[parent])
    return seen


def is_plain():
    return older() == "highest" and {get(*KEYS[2]), get(*KEYS[4])} <= {"ieee", "none"}


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_the_older_setting_is_put_back(precision):
    torch.set_float32_matmul_precision(precision)
    before = shown()
    with plain_arithmetic("cpu"):
        assert is_plain()
    assert shown() == before


@pytest.mark.parametrize("values", list(itertools.product(["none", "ieee", "tf32"], repeat=3)))
@pytest.mark.parametrize("precision", [None, "high", "medium"])
def test_the_newer_settings_are_put_back(values, precision):
    def settings():
        torch.set_float32_matmul_precision("highest")
        for key in KEYS:
            put(*key, "none")
        if precision is not None:
            torch.set_float32_matmul_precision(precision)
        for key, value in zip([("generic", "all"), ("cuda", "all"), ("cuda", "matmul")], values, strict=True):
            put(*key, value)

    settings()
    untouched = behaviour()
    settings()
    with plain_arithmetic("cpu"):
        assert is_plain()
    assert behaviour() == untouched


def test_settings_of_the_processor_are_put_back():
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    before = shown()
    with plain_arithmetic("cpu"):
        assert is_plain()
    assert shown() == before
    put("mkldnn", "matmul", "none")
    torch.backends.fp32_precision = "bf16"
    before = shown()
    with plain_arithmetic("cpu"):
        assert is_plain()
    assert shown() == before


def test_allow_tf32_is_put_back():
    torch.backends.cuda.matmul.allow_tf32 = True
    with plain_arithmetic("cuda:0"):
        assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False


def test_all_is_put_back_after_an_error():
    torch.set_float32_matmul_precision("medium")
    with pytest.raises(ZeroDivisionError), plain_arithmetic("cpu"):
        raise ZeroDivisionError
    assert torch.get_float32_matmul_precision() == "medium"


def test_an_interrupt_at_the_beginning_of_a_block_leaves_no_trace(monkeypatch):
    torch.set_float32_matmul_precision("medium")

    def interrupted(self):
        torch.set_float32_matmul_precision("highest")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch_modes._Settings, "set", interrupted)
    with pytest.raises(KeyboardInterrupt):
        torch_modes._enter(object())
    monkeypatch.undo()
    with plain_arithmetic("cpu"):
        pass
    assert torch.get_float32_matmul_precision() == "medium"


@pytest.mark.parametrize("precision", ["medium", "high"])
@pytest.mark.parametrize("place", range(6))
def test_an_interrupt_at_the_end_of_a_block_is_raised_when_all_is_put_back(monkeypatch, precision, place):
    torch.set_float32_matmul_precision(precision)
    put("mkldnn", "matmul", "ieee")
    before = [get(*key) for key in KEYS]
    left = itertools.count(-place)

    def interrupting(call):
        def called(*arguments):
            if next(left) == 0:
                raise KeyboardInterrupt
            result = call(*arguments)
            if next(left) == 0:
                raise KeyboardInterrupt
            return result

        return called

    def interrupted():
        with plain_arithmetic("cpu"):
            for name in ("_is_plain", "_set_newer", "_set"):
                monkeypatch.setattr(torch_modes, name, interrupting(getattr(torch_modes, name)))

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    monkeypatch.undo()
    assert [get(*key) for key in KEYS] == before
    with plain_arithmetic("cpu"):
        assert is_plain()
    assert [get(*key) for key in KEYS] == before
    assert older() == precision


def test_a_block_that_begins_before_settings_are_put_back_keeps_them(monkeypatch):
    torch.set_float32_matmul_precision("medium")
    block = object()
    torch_modes._enter(block)

    def interrupted(values):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch_modes, "_set_newer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        torch_modes._leave(block)
    monkeypatch.undo()
    with plain_arithmetic("cpu"):
        assert is_plain()
    assert torch.get_float32_matmul_precision() == "medium"


def test_a_change_in_between_stays():
    torch.set_float32_matmul_precision("medium")
    with plain_arithmetic("cpu"):
        torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"


def test_blocks_of_several_threads_end_with_the_last():
    torch.set_float32_matmul_precision("high")
    entered, ended = threading.Event(), threading.Event()

    def other():
        with plain_arithmetic("cpu"):
            entered.set()
            ended.wait()

    thread = threading.Thread(target=other)
    with plain_arithmetic("cpu"):
        thread.start()
        entered.wait()
    assert is_plain()
    ended.set()
    thread.join()
    assert torch.get_float32_matmul_precision() == "high"


def test_only_the_older_setting_is_used_before_pytorch_2_9(monkeypatch):
    torch.set_float32_matmul_precision("high")
    monkeypatch.setattr(torch_modes, "_has_newer", lambda: False)
    with plain_arithmetic("cpu"):
        assert is_plain()
    assert torch.get_float32_matmul_precision() == "high"


def test_modes_of_the_caller_are_off():
    x = torch.ones(2, 2, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        with plain_arithmetic("cpu"):
            product = x @ x
            assert product.dtype == torch.float32
            assert not product.requires_grad
            assert not product.is_inference()
            assert not torch.is_autocast_enabled("cpu")
        assert torch.is_autocast_enabled("cpu")
        assert torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()
