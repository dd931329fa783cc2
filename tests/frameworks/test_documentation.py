"""Every example in the docstrings of the adapters, and on the pages about them, is executed."""

from __future__ import annotations

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
