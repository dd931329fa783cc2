"""Links of the built site: each leads to a file and an anchor that are there, and no page asks another host.

    python tools/check_site.py build/site [--browser]     print what is wrong; exit with 1 where there is anything

Links between pages, images, scripts, styles, and files that styles name are followed. A page may link to another
host, but may not load anything from one. With --browser every page is opened in headless Chromium as well, which
reports what scripts ask for, and errors of the console; see `site_in_browser.py`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"), ("iframe", "src"), ("video", "src")}
"""Attributes that a browser fetches by itself."""
NOT_LOADED = {"canonical", "search", "next", "prev", "index", "genindex", "author", "copyright", "license"}
"""Relations of a <link> that name a page."""


class Page(HTMLParser):
    """The anchors of a page, and its links: what they name, and whether a browser fetches it by itself."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[str, bool]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the anchors and links of one tag."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        for name in ("href", "src", "data-src"):
            if values.get(name):
                named = tag == "link" and values.get("rel", "").lower() in NOT_LOADED
                self.links.append((values[name], (tag, name) in LOADED and not named))
        for candidate in values.get("srcset", "").split(","):
            if candidate.strip():
                self.links.append((candidate.split()[0], True))


@cache
def page_of(path: Path) -> Page:
    """Return the links and anchors of a page, which is read once."""
    return Page(path)


def pages(site: Path) -> list[Path]:
    """Return the pages of a site; templates of the theme lie among the other files."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


def faults(site: Path) -> Iterator[str]:
    """Yield what is wrong with the pages of a site."""
    for path in pages(site):
        for link, loaded in page_of(path).links:
            reason = _fault(site, path, link, loaded)
            if reason:
                yield f"{path.relative_to(site)}: {link}: {reason}"
    for path in sorted(site.rglob("*.css")):
        for link in re.findall(r"url\(\s*['\"]?([^'\")]+)", path.read_text(encoding="utf-8")):
            reason = _fault(site, path, link, loaded=True)
            if reason:
                yield f"{path.relative_to(site)}: {link}: {reason}"


def _fault(site: Path, path: Path, link: str, loaded: bool) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in {"data", "mailto", "javascript"}:
        return None
    if parts.scheme or parts.netloc:
        return "is loaded from another host" if loaded else None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(site):
        return "leads out of the site"
    if not target.is_file():
        return "is no file"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in page_of(target).anchors:
        return "is no anchor"
    return None


def main(arguments: list[str]) -> int:
    """Print the faults of the site that the arguments name."""
    site = Path(arguments[0]).resolve()
    found = list(faults(site))
    if "--browser" in arguments[1:]:
        import site_in_browser

        found += site_in_browser.faults(site, pages(site))
    print(*found, sep="\n")
    print(f"{len(pages(site))} pages, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
