"""The example of README.md and its picture."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "digits_cnn.py"


@pytest.mark.slow
def test_the_example_draws_its_picture(run_python, tmp_path):
    program = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    run_python(program, EXAMPLE, tmp_path / "drawn.png", 1)
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_the_lines_of_the_readme_are_those_of_the_example():
    page, example = (ROOT / "README.md").read_text("utf-8"), EXAMPLE.read_text("utf-8")
    (block,) = re.findall(r"^```py\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    lines = [line.strip() for line in block.splitlines() if line.strip() and "..." not in line]
    assert len(lines) == 5
    assert [line for line in lines if f"{line}\n" not in example] == []
