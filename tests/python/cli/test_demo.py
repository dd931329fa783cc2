"""The command line and its demo."""

from __future__ import annotations

import builtins
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dsentropy import __version__
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
    _demo.run(epochs=1, every=1, plot_path=str(tmp_path / "none.png"), say=lines.append)
    assert any("dsentropy[plot]" in line for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_no_picture_where_none_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    _demo.run(epochs=1, every=1, plot_path=None, say=lines.append)
    assert lines[-1].startswith("What to see")
    assert list(tmp_path.iterdir()) == []


def test_median_distance_is_over_pairs_of_different_rows() -> None:
    assert _demo.median_distance(np.array([[0.0], [1.0], [5.0]])) == 4.0


@pytest.mark.parametrize("arguments", [[], ["demo", "--epochs", "0"], ["demo", "--every", "x"], ["sing"]])
def test_bad_command_lines_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: dsentropy" in capsys.readouterr().err


def test_module_runs_as_a_program() -> None:
    version = subprocess.run(
        [sys.executable, "-m", "dsentropy", "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout == f"dsentropy {__version__}\n"
