"""Every example in the docstrings of the adapters, and on the pages about them, is executed."""

from __future__ import annotations

import re
from pathlib import Path

import dsentropy
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = Path(dsentropy.__path__[0])
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in (PACKAGE / "integrations").rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
PAGES = sorted((ROOT / "docs").glob("training-*.md"))


# In processes of their own: Keras has one backend a process.
@pytest.mark.parametrize("module", MODULES)
def test_examples_of_docstrings(run_python, module: str) -> None:
    program = """
        import doctest, importlib, sys
        result = doctest.testmod(importlib.import_module(sys.argv[1]))
        assert result.attempted
        sys.exit(result.failed)
    """
    run_python(program, module, timeout=180)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_pages(run_python, page: Path, tmp_path: Path) -> None:
    """A warning of a monitor is an error; those of the frameworks are theirs."""
    program = """
        import os, pathlib, sys, warnings
        from dsentropy.monitor import MonitorWarning
        warnings.simplefilter("error", MonitorWarning)
        os.chdir(sys.argv[1])
        sys.path.append(sys.argv[2])
        from pages import run_page
        run_page(pathlib.Path(sys.argv[3]))
    """
    run_python(program, tmp_path, ROOT / "tests" / "support", page, timeout=300)


def test_the_example_of_the_readme(run_python, tmp_path: Path) -> None:
    """The block that watches a training runs with a network whose modules have its names."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"^```py\n(.*?)^```$", readme, re.M | re.S) if "LayerMonitor" in block]
    assert len(blocks) == 1
    program = """
        import sys, torch
        from sklearn.datasets import load_digits
        torch.set_num_threads(1)
        torch.manual_seed(0)
        digits = torch.from_numpy(load_digits().target)
        X = torch.from_numpy(load_digits().images / 16).float()[:, None]
        layers = [torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Conv2d(4, 8, 2)]
        layers += [torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(32, 16), torch.nn.BatchNorm1d(16)]
        model, epochs = torch.nn.Sequential(*layers, torch.nn.ReLU(), torch.nn.Linear(16, 10)), 1
        exec(sys.argv[1])
        assert set(watch.monitor.curves("dsmi").layers) == {"1", "4", "8"}
        assert len(watch.monitor.curves("dse").steps) == epochs + 1
    """
    run_python(program, blocks[0], timeout=180)
