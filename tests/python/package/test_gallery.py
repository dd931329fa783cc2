"""The form of the gallery's pages: a title, a figure, and numbers that the page itself asserts.

The pages are executed where the site is built.
"""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs" / "gallery").glob("*.py"))

pytestmark = pytest.mark.skipif(not PAGES, reason="the documentation is not there")


def calls(tree: ast.AST) -> set[str]:
    """Return the functions that are called, as they are written."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def faults(name: str, source: str) -> list[str]:
    """Return what the form of a page lacks."""
    tree = ast.parse(source)
    lines = (ast.get_docstring(tree) or "").split("\n")
    found = []
    if not re.fullmatch(r"plot_\w+\.py", name):
        found.append("sphinx-gallery executes plot_*.py only")
    if len(lines) < 4 or set(lines[1]) != {"="} or len(lines[1]) != len(lines[0]) or lines[2] or not lines[3]:
        found.append("the docstring is a title, underlined by as many =, and a paragraph")
    if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        found.append("no number is asserted")
    if not {"plt.subplots", "plt.show"} <= calls(tree):
        found.append("no figure is made and shown")
    if not re.search(r"^# %%\n# \S", source, re.MULTILINE):
        found.append("no text is between the code")
    if not re.search(r"default_rng\(|random_state=", source):
        found.append("no seed is fixed")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_a_title_a_text_a_figure_and_an_assertion(page: Path) -> None:
    assert faults(page.name, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("=====", "====", "title"),
        ("assert", "print", "asserted"),
        ("plt.show()", "", "shown"),
        ("default_rng", "Generator", "seed"),
        ("# %%\n# Text.\n", "", "text"),
    ],
)
def test_a_page_that_lacks_something_is_found(old: str, new: str, fault: str) -> None:
    page = (
        '"""\nTitle\n=====\n\nParagraph.\n"""\n# %%\n# Text.\nrng = np.random.default_rng(0)\n'
        "plt.subplots()\nplt.show()\nassert (1)\n"
    )
    assert faults("plot_x.py", page) == []
    assert fault in faults("plot_x.py", page.replace(old, new))[0]
    assert "plot_*.py" in faults("x.py", page)[0]


def test_what_was_made_of_a_page_that_is_gone_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    build_site = importlib.import_module("build_site")
    pages, made = tmp_path / "gallery", tmp_path / "made"
    (made / "images" / "thumb").mkdir(parents=True)
    pages.mkdir()
    (pages / "plot_01_blobs.py").write_text("", encoding="utf-8")
    kept = ["index.rst", "plot_01_blobs.py.md5", "plot_01_blobs.rst", "images/sphx_glr_plot_01_blobs_001.png"]
    gone = ["plot_blobs.py.md5", "plot_blobs.rst", "plot_blobs.zip", "images/sphx_glr_plot_blobs_001.png"]
    gone.append("images/thumb/sphx_glr_plot_blobs_thumb.png")
    for name in [*kept, *gone]:
        (made / name).write_text("", encoding="utf-8")
    build_site.remove_gone(made, pages)
    assert sorted(path.relative_to(made).as_posix() for path in made.rglob("*.*")) == sorted(kept)
