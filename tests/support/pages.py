"""Pages of the documentation as programs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path


def run_page(page: Path) -> None:
    """Run the Python blocks of a page, which are one program, in order; those with prompts are checked."""
    names: dict[str, object] = {"__name__": page.stem}
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        if ">>>" in block:
            example = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), 0)
            assert doctest.DocTestRunner().run(example, clear_globs=False).failed == 0
            names = example.globs
        else:
            exec(compile(block, str(page), "exec"), names)
