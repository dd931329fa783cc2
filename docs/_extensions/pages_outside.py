"""Pages of the site whose text lies outside docs/, such as CHANGELOG.md.

The page of each in docs/ is a line that names it. Links between files, which GitHub follows from where a file lies,
are rewritten so that they lead to the pages, and those that show the name of a file show the title of its page.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

OUTSIDE = {"changelog": "CHANGELOG.md", "contributing": "CONTRIBUTING.md", "security": "SECURITY.md"}
"""Documents of the site, and the files of the repository that they show."""

_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+\.md)(#[^)\s]*)?\)")


def _read(app: Sphinx, document: str, source: list[str]) -> None:
    root = Path(app.srcdir).parent
    inside = OUTSIDE.get(document)
    if inside is not None:
        app.env.note_dependency(str(root / inside))
        source[0] = (root / inside).read_text(encoding="utf-8")
    folder = root if inside is not None else Path(app.srcdir, document).parent

    def rewritten(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if "://" in target:
            return link[0]
        path = (folder / target).resolve()
        for page, name in OUTSIDE.items():
            if path == (root / name).resolve():
                path = (root / "docs" / page).with_suffix(".md").resolve()
        if not path.is_relative_to(Path(app.srcdir).resolve()):
            return link[0]  # myst reports it
        shown = "" if text.endswith(".md") and not anchor else text  # a page is named by its title
        return f"[{shown}](/{path.relative_to(Path(app.srcdir).resolve()).as_posix()}{anchor})"

    source[0] = _LINK.sub(rewritten, source[0])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the rewriting."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
