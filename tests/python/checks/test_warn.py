"""Warnings name the line of the caller, however deep in the package they are raised."""

from __future__ import annotations

import functools
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dsentropy
import numpy as np
import pytest
from dsentropy._checks import warn as warn_module

InPackage = Callable[[int], Callable[[], float]]


@pytest.fixture
def in_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InPackage:
    """Makes a function that calls itself so many times before it warns, in a file of a folder that is skipped."""
    folder = f"{tmp_path}{os.sep}"
    monkeypatch.setattr(warn_module, "_SKIPPED", (*warn_module._SKIPPED, folder))
    program = """
def recurse(depth):
    if depth:
        return [recurse(depth - 1) for _ in range(1)][0]
    warn("too much", UserWarning)
    return 1.0
"""
    names: dict[str, Any] = {"warn": warn_module.warn, "__name__": "dsentropy._somewhere"}
    exec(compile(program, f"{folder}_somewhere.py", "exec"), names)
    return lambda depth: functools.partial(names["recurse"], depth)


def here() -> int:
    return sys._getframe(1).f_lineno


@pytest.mark.parametrize("depth", [0, 1, 7])
def test_frames_of_the_package_are_skipped(depth: int, in_package: InPackage) -> None:
    call = in_package(depth)
    with pytest.warns(UserWarning, match="^too much$") as caught:
        call()
    assert [Path(one.filename).name for one in caught] == ["test_warn.py"]


def test_the_line_is_that_of_the_call() -> None:
    spectrum = dsentropy.diffusion_spectrum(np.eye(4), bandwidth=1e9)
    for read in (spectrum.entropy, spectrum.effective_rank, spectrum.participation_ratio):
        with pytest.warns(dsentropy.SaturationWarning) as caught:
            (read(), line := here())
        assert (caught[0].filename, caught[0].lineno) == (__file__, line)


def test_frames_of_numpy_are_skipped() -> None:
    spectrum = dsentropy.diffusion_spectrum(np.eye(4), bandwidth=1e9)
    with pytest.warns(dsentropy.SaturationWarning) as caught:
        np.vectorize(spectrum.entropy)([1.0, 2.0])
    assert {one.filename for one in caught} == {__file__}


def test_a_doctest_of_the_package_is_a_caller(in_package: InPackage) -> None:
    """Its module has a name of the package, but its file is none of the package."""
    names = {"call": in_package(2), "__name__": "dsentropy._spectrum.spectrum"}
    with pytest.warns(UserWarning, match="too much") as caught:
        exec(compile("\n\ncall()", "<doctest dsentropy[3]>", "exec"), names)
    assert (caught[0].filename, caught[0].lineno) == ("<doctest dsentropy[3]>", 3)


def test_filters_act_on_the_module_of_the_caller(in_package: InPackage) -> None:
    names = {"call": in_package(1), "__name__": "somebody.code"}
    program = compile("call()", "code.py", "exec")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"somebody\.code")
        exec(program, names)
        names["__name__"] = "somebody.other"
        with pytest.raises(UserWarning, match="too much"):
            exec(program, names)


def test_a_line_warns_once_by_default(in_package: InPackage) -> None:
    call = in_package(1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            call()
    assert len(caught) == 1


def test_threads_warn_at_their_own_frames(in_package: InPackage) -> None:
    call = in_package(3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=lambda: (call(),)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [one.filename for one in caught] == [__file__] * 8
