"""MathJax as files of the site, from the PyPI package sphinx-mathjax-offline.

That package is an extension as well, which copies all of MathJax, 20 MB. Here are only TeX input and CHTML output
with their fonts, 3 MB.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from shutil import copytree, ignore_patterns

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

_PACKAGE = "sphinx-mathjax-offline"
_UNUSED = ignore_patterns("mml*", "*svg*", "*full*", "node-main.js", "latest.js", "tex-mml*", "sre*", "asciimath.js")


def _copy(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        package = importlib.util.find_spec(_PACKAGE)
        if package is None or package.origin is None:
            raise ExtensionError(f"pip install {_PACKAGE}: the site carries MathJax")
        source = Path(package.origin).parent / "static" / "mathjax"
        copytree(source, Path(app.outdir, "_static", "mathjax"), ignore=_UNUSED, dirs_exist_ok=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Copy the files when the pages are written."""
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
