"""Files of embeddings, and the command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.numpy
from dsentropy.cli.main import main

LABELS = np.repeat(range(3), 20)


class Ran(NamedTuple):
    """What a command wrote, and its exit code."""

    out: str
    err: str
    code: int

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of JSON."""
        found: list[dict[str, Any]] = json.loads(self.out)
        return found


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs a command on one thread, and returns what it wrote."""

    def called(*arguments: Any) -> Ran:
        code = 0
        try:
            main(list(map(str, arguments)))
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else 0
        written = capsys.readouterr()
        return Ran(written.out, written.err, code)

    return called


@pytest.fixture
def layers(tmp_path: Path) -> dict[str, np.ndarray]:
    """Twelve layers of 60 rows, each a file of safetensors in the folder ``layers``."""
    rng = np.random.default_rng(0)
    rows, found = rng.normal(size=(60, 5)), {}
    (tmp_path / "layers").mkdir()
    for number in range(12):
        rows = np.tanh(rows + np.eye(5)[LABELS] + 0.1 * rng.normal(size=rows.shape))
        found[f"layer_{number}"] = rows.astype(np.float32)
        safetensors.numpy.save_file(
            {"hidden": found[f"layer_{number}"]}, tmp_path / "layers" / f"layer_{number}.safetensors"
        )
    return found
