"""The terminal session that README.md shows is what its commands print."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "session.py"


@pytest.mark.slow
def test_session_of_the_readme(tmp_path: Path) -> None:
    specification = importlib.util.spec_from_file_location("session", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    script.write_activations(tmp_path)
    assert script.session(tmp_path) == script.block()
    assert (tmp_path / "layers.png").read_bytes().startswith(b"\x89PNG")
