"""The script of benches for a GPU, on the processor."""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dsentropy._operator.torch_operator import EXACT_UP_TO

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


def test_its_data_sets_have_so_many_rows_that_a_gpu_estimates(monkeypatch):
    spec = importlib.util.spec_from_file_location("bench_of_a_gpu", BENCH)
    bench = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, bench)  # where dataclasses look their module up
    spec.loader.exec_module(bench)
    rows = []
    monkeypatch.setattr(bench, "data_sets", lambda n: rows.append(n) or {})
    bench.correctness(bench.Run("cpu", small=False, end=math.inf))
    assert rows[0] > EXACT_UP_TO
