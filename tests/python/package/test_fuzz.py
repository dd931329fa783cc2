"""Random calls of every public function in worker processes, for half a minute; `nox -s fuzz` runs for hours."""

import subprocess
import sys
from pathlib import Path

import pytest

CALLS = Path(__file__).parents[2] / "fuzz" / "calls.py"


@pytest.mark.linux
@pytest.mark.slow
def test_random_calls_do_what_is_promised():
    ran = subprocess.run([sys.executable, CALLS, "30", "--seed", "0"], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "findings: none" in ran.stdout
    assert "returned" in ran.stdout
