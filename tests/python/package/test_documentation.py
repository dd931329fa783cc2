"""Every example in the docstrings, the README and the docs is executed; those of adapters in tests/frameworks."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path

import dsentropy
import pytest
from pages import run_page

ROOT = Path(__file__).parents[3]
PACKAGE = Path(dsentropy.__path__[0])
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.name != "__main__.py" and "integrations" not in path.parts
)
PAGES = [
    ROOT / "README.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if not page.name.startswith("training-")),
]
FUNCTIONS = [name for name in dsentropy.__all__ if inspect.isfunction(getattr(dsentropy, name))]


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_docstrings(module: str) -> None:
    failures, _ = doctest.testmod(importlib.import_module(module))
    assert failures == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_examples_of_pages(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_have_an_example_and_every_section(name: str) -> None:
    text = inspect.getdoc(getattr(dsentropy, name)) or ""
    for section in ["Parameters", "Returns", "Raises", "Notes", "References", "Examples"]:
        assert re.search(rf"^{section}\n-+$", text, re.MULTILINE), section
    assert ">>> " in text
    assert "Cost:" in text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_documented(name: str) -> None:
    function = getattr(dsentropy, name)
    section = (inspect.getdoc(function) or "").split("Returns\n---")[0]
    documented = {
        word.strip()
        for line in re.findall(r"^(\w[\w, ]*?)(?: : .*)?$", section, re.MULTILINE)
        for word in line.split(",")
    }
    assert set(inspect.signature(function).parameters) <= documented


def test_architecture_page_names_the_source_files_that_there_are() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    core, layer = ROOT / "src", ROOT / "python" / "dsentropy"
    sources = {path.relative_to(core).as_posix() for path in core.rglob("*.rs")}
    sources |= {path.relative_to(layer).as_posix() for path in layer.rglob("*.py")}
    named = set(re.findall(r"^\| `([\w/]+\.(?:rs|py))` \|", page, re.MULTILINE))
    assert named == {path for path in sources if not path.endswith("/__init__.py")}


def test_the_table_against_the_reference_is_the_same_in_both_places() -> None:
    mark = "<!-- table of benches/against_reference.py -->"
    readme, page = (
        (ROOT / name).read_text(encoding="utf-8").split(mark)[1] for name in ("README.md", "docs/performance.md")
    )
    assert readme == page
