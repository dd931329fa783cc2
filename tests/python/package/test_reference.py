"""The reference of the site has every public name, each with an example."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
API = ROOT / "docs" / "api"
ADAPTERS = ROOT / "python" / "dsentropy" / "integrations"
MODULES = ["dsentropy", "dsentropy.io", "dsentropy.monitor", "dsentropy.plotting"]
NAMES = [
    (module, name) for module in MODULES for name in importlib.import_module(module).__all__ if name != "__version__"
]


def listed() -> list[tuple[str, str]]:
    """Modules and names of all summaries of the reference."""
    found = []
    for page in sorted(API.glob("*.rst")):
        module = None
        for line in page.read_text(encoding="utf-8").splitlines():
            current = re.fullmatch(r"\.\. currentmodule:: ([\w.]+)", line)
            module = current[1] if current else module
            if module is not None and (name := re.fullmatch(r"   (\w+)", line)):
                found.append((module, name[1]))
    return found


def test_every_public_name_is_listed_once() -> None:
    found = [entry for entry in listed() if "integrations" not in entry[0]]
    assert sorted(found) == sorted(NAMES)


def test_every_adapter_is_listed_once() -> None:
    """They need their frameworks, so their sources are read: packages with ``__all__``, and the trackers."""
    expected = []
    for package in sorted(ADAPTERS.glob("*/__init__.py")):
        tree = ast.parse(package.read_text(encoding="utf-8"))
        values = [node.value for node in tree.body if isinstance(node, ast.Assign) and "__all__" in ast.dump(node)]
        expected += [(package.parent.name, name) for value in values for name in ast.literal_eval(value)]
    trackers = ast.parse((ADAPTERS / "trackers.py").read_text(encoding="utf-8"))
    functions = [node.name for node in trackers.body if isinstance(node, ast.FunctionDef)]
    expected += [("trackers", name) for name in functions if not name.startswith("_")]
    found = [(module.rpartition(".")[2], name) for module, name in listed() if "integrations" in module]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_public_name_has_an_example(module: str, name: str) -> None:
    """test_documentation.py executes it."""
    text = inspect.getdoc(getattr(importlib.import_module(module), name)) or ""
    assert re.search(r"^Examples\n-+$", text, re.MULTILINE)
    assert ">>> " in text.split("Examples\n---")[1]


def test_every_page_is_in_the_reference() -> None:
    index = (API / "index.rst").read_text(encoding="utf-8")
    pages = {page.stem for page in API.glob("*.rst")} - {"index"}
    assert pages == set(re.findall(r"^   ([\w-]+)$", index, re.MULTILINE))
