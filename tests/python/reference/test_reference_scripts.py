"""The reference's own test scripts run on dsentropy with nothing changed but the package's name.

They are taken from the description of the installed dse-dsmi 1.1.
"""

import importlib.metadata
import math
import re
import subprocess
import sys
import textwrap

import pytest

CODE = re.compile(r"^( *)```python3\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def scripts():
    description = importlib.metadata.metadata("dse-dsmi")["Description"]
    blocks = [textwrap.dedent(code) for _, code in CODE.findall(description)]
    return [code for code in blocks if "if __name__ == '__main__':" in code]


@pytest.fixture(scope="module", params=[0, 1], ids=["entropy", "mutual_information"])
def script(request):
    found = scripts()
    assert len(found) == 2
    return found[request.param]


@pytest.mark.slow
def test_script_runs_on_dsentropy(script, tmp_path):
    """No error, no warning but of saturation, every value a finite number, and no file left behind."""
    ours, changes = re.subn(r"^from dse_dsmi import", "from dsentropy import", script, flags=re.MULTILINE)
    assert changes == 1
    run = subprocess.run(
        [sys.executable, "-c", ours], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0
    assert all(": SaturationWarning: " in line for line in run.stderr.splitlines())
    values = [float(value) for value in re.findall(r"^\S.* = (.*)$", run.stdout, re.MULTILINE)]
    assert len(values) == len(re.findall(r"^ +print\('[^']* =', ", script, re.MULTILINE)) >= 9
    assert all(map(math.isfinite, values))
    assert not list(tmp_path.iterdir())
