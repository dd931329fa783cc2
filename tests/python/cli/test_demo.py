"""The command line and its demo."""

from __future__ import annotations

import builtins
import importlib
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dsentropy import __version__
from dsentropy._checks.memory import memory_errors
from dsentropy.cli import demo as _demo
from dsentropy.cli.main import main


def table(text: str) -> dict[str, np.ndarray]:
    """The rows of numbers under each title."""
    parts = re.split(r"^Trained on (.*):$", text, flags=re.MULTILINE)[1:]
    rows = re.compile(r"^ +\d+(?: +\d+\.\d+)+$", re.MULTILINE)
    return {
        title: np.array([line.split() for line in rows.findall(body)], dtype=float)
        for title, body in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.mark.slow
def test_demo_shows_learning_and_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "curves.png"
    main(["demo", "--epochs", "20", "--every", "10", "--plot", str(picture)])
    printed = capsys.readouterr().out
    tables = table(printed)
    true, shuffled = tables["true labels"], tables["shuffled labels"]
    assert true[:, 0].tolist() == shuffled[:, 0].tolist() == [0, 10, 20]
    _, accuracy, dse, dse_median, labels, images = true.T
    assert accuracy[-1] > 0.9 > 0.3 > shuffled[-1, 1]
    assert dse[-1] > 2 * dse[0]  # at a fixed bandwidth DSE rises,
    assert dse_median[-1] < dse_median[0]  # at one that follows the data it falls
    assert labels[-1] > 4 * labels[0]
    assert images[-1] > images[0]
    assert shuffled[-1, 4] < 0.2
    assert printed.splitlines()[-1].startswith("What to see: ")
    assert str(picture) in printed
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]


def test_demo_without_matplotlib_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real_import = builtins.__import__

    def no_matplotlib(name: str, *rest: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real_import(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    lines: list[str] = []
    _demo.require_plot_path(str(tmp_path / "none.xyz"))  # nothing will be drawn, so any suffix will do
    _demo.run(epochs=1, every=1, plot_path=str(tmp_path / "none.png"), say=lines.append)
    assert any("dsentropy[plot]" in line for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_no_picture_where_none_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    _demo.run(epochs=1, every=1, plot_path=None, say=lines.append)
    assert lines[-1].startswith("What to see")
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_said_without_arguments_of_functions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: Any) -> None:
        with memory_errors("a smaller max_N"):
            raise MemoryError("600 rows need 3 MB of memory, and this process can have 1 MB")

    monkeypatch.setattr(_demo, "run", run)
    with pytest.raises(SystemExit) as stopped:
        main(["demo"])
    assert stopped.value.code == 1
    text = capsys.readouterr().err
    assert text == (
        "dsentropy demo: too little memory: 600 rows need 3 MB of memory, and this process can have 1 MB\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [["--no"], ["demo", "--epochs", "0"], ["demo", "--every", "x"], ["demo", "--epochs", "9" * 5000], ["sing"]],
)
def test_bad_command_lines_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: dsentropy" in capsys.readouterr().err


def test_without_a_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    assert "usage: dsentropy" in capsys.readouterr().out


BAD_PICTURES = {
    "missing/curves.png": "the folder of .*missing/curves.png' does not exist",
    "curves.xyz": r"must end in one of .*\.pdf, .*\.png",
    "folder.png": "is a folder",
    "": "'' is no name of a file",
    "closed/curves.png": "cannot be written to",
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_bad_picture_is_refused_before_training(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "closed").mkdir()
    real_access = os.access  # root may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: "closed" not in path and real_access(path, mode))
    monkeypatch.setattr(_demo, "training", None)
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--plot", str(tmp_path / name) if name else ""])
    assert stopped.value.code == 2
    assert re.search(f"argument --plot: .*{BAD_PICTURES[name]}", capsys.readouterr().err)


@pytest.mark.parametrize("name", ["curves", "curves.PDF", "curves.svg"])
def test_a_picture_has_the_format_of_its_suffix(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    _demo.require_plot_path(path)
    history = [_demo.Epoch(0, 0.1, 1.0, 1.0, 0.5, 0.5), _demo.Epoch(1, 0.5, 1.5, 1.0, 0.6, 0.5)]
    _demo._plot({"labels": history}, path, lambda line: None)
    beginning = {"curves": b"\x89PNG", "curves.PDF": b"%PDF", "curves.svg": b"<?xml"}[name]
    assert (tmp_path / name).read_bytes().startswith(beginning)


def test_a_picture_that_cannot_be_put_in_its_place_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*names: str) -> None:
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        _demo._plot({"labels": [_demo.Epoch(0, 0.1, 1.0, 1.0, 0.5, 0.5)]}, str(tmp_path / "a.png"), lambda line: None)
    assert list(tmp_path.iterdir()) == []


def test_the_network_before_training_is_that_which_is_trained() -> None:
    """One step too small to change a weight shows how weights were initialized, so epoch 0 is a training's first."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(130, 6)), rng.integers(0, 3, size=130)
    epochs, _, hidden = zip(*_demo.training(X, y, 2), strict=True)
    assert epochs == (0, 1, 2)
    assert all(Z.shape == (130, _demo.HIDDEN_UNITS) and (Z >= 0).all() for Z in hidden)
    steps = [np.abs(after - before).max() for before, after in itertools.pairwise(hidden)]
    assert 0 < steps[0] < 0.5 * hidden[0].max()
    assert 0 < steps[1] < 0.5 * hidden[0].max()


def test_module_runs_as_a_program() -> None:
    assert importlib.import_module("dsentropy.__main__").main is main
    version = subprocess.run(
        [sys.executable, "-m", "dsentropy", "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout == f"dsentropy {__version__}\n"


def test_a_picture_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        _demo.require_plot_path(str(tmp_path / ("x" * 300 + ".png")))
