"""The script of benches for a GPU, on the processor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "benches" / "gpu.py"


def run_bench(*arguments: str) -> str:
    command = [sys.executable, str(BENCH), "--device", "cpu", "--small", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, env=environment).stdout


@pytest.mark.slow
def test_all_tables_are_printed_and_no_value_is_outside_of_its_error():
    text = run_bench()
    for title in ("Estimates against the exact", "All eigenvalues", "A pass", "Time of an estimate"):
        assert f"## {title}" in text
    assert "0 of 24 are outside" in text
    assert "| NO |" not in text
    assert "s in all" in text


def test_it_ends_with_its_budget():
    text = run_bench("--budget", "0.01")
    assert "The budget ended here." in text
