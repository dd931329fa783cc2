"""What the check of the built site finds: links to nothing, and what is loaded from another host."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from chromium import CHROMIUM

TOOLS = Path(__file__).parents[3] / "tools"
PAGE = '<html><body id="top"><a href="{}">a link</a></body></html>'


@pytest.fixture
def check_site(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(TOOLS)
    monkeypatch.delitem(sys.modules, "check_site", raising=False)
    return importlib.import_module("check_site")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    (tmp_path / "index.html").write_text(PAGE.format("more/page.html#part"), encoding="utf-8")
    (tmp_path / "more" / "page.html").write_text('<h2 id="part"></h2><a href="../index.html">', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "link",
    ["more/", "more/page.html?x=1", "#top", "https://numpy.org/doc/", "mailto:a@b.example", "more/page.html#part"],
)
def test_a_link_that_leads_somewhere_is_no_fault(check_site: ModuleType, site: Path, link: str) -> None:
    (site / "more" / "index.html").write_text("", encoding="utf-8")
    (site / "other.html").write_text(PAGE.format(link), encoding="utf-8")
    assert list(check_site.faults(site)) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (PAGE.format("none.html"), "none.html: is no file"),
        (PAGE.format("more/page.html#none"), "more/page.html#none: is no anchor"),
        (PAGE.format("../outside.html"), "../outside.html: leads out of the site"),
        ('<img src="none.png">', "none.png: is no file"),
        ('<script src="https://cdn.example/x.js"></script>', "https://cdn.example/x.js: is loaded from another host"),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', "//cdn.example/x.css: is loaded from another host"),
        ('<img srcset="https://cdn.example/x.png 2x">', "https://cdn.example/x.png: is loaded from another host"),
    ],
)
def test_a_fault_is_found(check_site: ModuleType, site: Path, text: str, fault: str) -> None:
    (site / "other.html").write_text(text, encoding="utf-8")
    assert list(check_site.faults(site)) == [f"other.html: {fault}"]


def test_files_that_styles_load_are_looked_for(check_site: ModuleType, site: Path) -> None:
    (site / "font.woff2").write_bytes(b"")
    style = "@font-face { src: url('font.woff2'), url(none.woff2) } a { background: url(data:image/png;base64,AA) }"
    (site / "site.css").write_text(style, encoding="utf-8")
    assert list(check_site.faults(site)) == ["site.css: none.woff2: is no file"]


def test_faults_are_printed_and_are_the_exit_status(
    check_site: ModuleType, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_site.main([str(site)]) == 0
    (site / "index.html").write_text(PAGE.format("none.html"), encoding="utf-8")
    check_site.page_of.cache_clear()
    assert check_site.main([str(site)]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == ["index.html: none.html: is no file", "2 pages, 1 faults"]


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_the_browser_finds_requests_errors_and_what_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(TOOLS)
    browser = importlib.import_module("site_in_browser")
    (tmp_path / "fine.html").write_text('<article class="bd-article"><p>text</p></article>', encoding="utf-8")
    (tmp_path / "wrong.html").write_text(
        f'<article class="bd-article"><p style="width: 900px; white-space: nowrap">{"word " * 99}</p></article>'
        '<script>console.error("bad"); fetch("https://host.example/x").catch(() => 0)</script>'
        "<mjx-merror></mjx-merror>",
        encoding="utf-8",
    )
    found = list(browser.faults(tmp_path, sorted(tmp_path.glob("*.html"))))
    assert all(fault.startswith("wrong.html: ") for fault in found)
    for text in ["1 formulas have errors", "asks for https://host.example/x", "console: ", "is wider than a window"]:
        assert any(text in fault for fault in found)
