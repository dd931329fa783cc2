"""Pages of the built site in headless Chromium: requests to other hosts, errors of scripts and of the console.

    python tools/site_in_browser.py build/site FOLDER [PAGES]     write screenshots, light and dark, wide and narrow

Needs Chromium; where there is none, that is a fault.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from chromium import CHROMIUM, Page

_SETTLED = """(async () => {
    if (window.MathJax?.startup) await window.MathJax.startup.promise;
    await document.fonts.ready;
    return document.querySelectorAll("mjx-merror").length;
})()"""
"""Waits until formulas are drawn, and counts those that are not."""

_CLIPPED = """(() => {
    const scrolls = (one) => one && (["auto", "scroll"].includes(getComputedStyle(one).overflowX)
        && one !== document.documentElement || scrolls(one.parentElement));
    return [...document.querySelectorAll(".bd-article *")]
        .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1 && !scrolls(one))
        .map((one) => one.textContent.trim().slice(0, 60)).slice(0, 3);
})()"""
"""The beginnings of texts that end beyond the right edge of the window and cannot be scrolled to."""

SHOWN = ["index.html", "auto_gallery/plot_00_first_entropy.html", "api/generated/dsentropy.diffusion_spectrum.html"]
SIZES = {"wide": (1280, 1600), "narrow": (390, 1600)}


def _load(browser: Page, path: Path) -> int:
    browser.path = path
    browser.events.clear()
    browser.open()
    return int(browser.evaluate(_SETTLED))


def faults(site: Path, pages: list[Path]) -> Iterator[str]:
    """Yield what the browser finds wrong with the pages of a site."""
    if CHROMIUM is None:
        yield "there is no Chromium"
        return
    width, height = SIZES["narrow"]
    with Page(pages[0], width, height) as browser:
        for path in pages:
            formulas = _load(browser, path)
            for fault in _of_page(browser, site, formulas, width):
                yield f"{path.relative_to(site)}: {fault}"


def _of_page(browser: Page, site: Path, formulas: int, width: int) -> Iterator[str]:
    if formulas:
        yield f"{formulas} formulas have errors"
    for address in browser.requests():
        if not address.startswith(("data:", "blob:", site.as_uri())):
            yield f"asks for {address}"
    for event in browser.faults():
        yield f"{event['params']}"
    for event in browser.events:
        if event["method"] == "Runtime.consoleAPICalled" and event["params"]["type"] in ("error", "assert"):
            yield f"console: {event['params']['args']}"
    for text in browser.evaluate(_CLIPPED):
        yield f"is wider than a window of {width} pixels: {text!r}"


def _screenshots(site: Path, folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        with Page(site / names[0], width, height) as browser:
            for scheme in ("light", "dark"):
                browser.emulate(scheme=scheme)
                for name in names:
                    _load(browser, site / name)
                    picture = folder / f"{Path(name).stem}-{size}-{scheme}.png"
                    picture.write_bytes(browser.screenshot())


if __name__ == "__main__":
    _screenshots(Path(sys.argv[1]).resolve(), Path(sys.argv[2]), sys.argv[3:] or SHOWN)
