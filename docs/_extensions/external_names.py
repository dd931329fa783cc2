"""Links to the documentation of other projects, for the names that our docstrings use.

intersphinx reads an inventory of all names of a project, which is fetched from its site. The build has no network,
so `_inventories/NAME.txt` lists the names that are used with their pages, and an inventory is made of each here. The
first line of a file is the address of the site; the others have the form

    name domain:role page [word]

where a word, such as `array_like`, is what types of parameters write for the name.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from numpydoc.xref import DEFAULT_LINKS
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

_FOLDER = Path(__file__).parents[1] / "_inventories"


def _inventory(project: str, rows: list[list[str]]) -> bytes:
    """Return an inventory of version 2."""
    header = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n# The remainder is compressed\n"
    header = header.replace("is compressed", "of this file is compressed using zlib.")
    lines = "".join(f"{name} {role} 1 {page} -\n" for name, role, page, *_ in rows)
    return header.encode() + zlib.compress(lines.encode())


def _make(app: Sphinx, config: Any) -> None:
    made = Path(app.doctreedir) / "inventories"
    made.mkdir(parents=True, exist_ok=True)
    for table in sorted(_FOLDER.glob("*.txt")):
        address, *lines = table.read_text(encoding="utf-8").split("\n")
        rows = [line.split() for line in lines if line.strip()]
        path = made / f"{table.stem}.inv"
        path.write_bytes(_inventory(table.stem, rows))
        config.intersphinx_mapping[table.stem] = (address, str(path))
        for name, role, _, word in (row for row in rows if len(row) > 3):
            config.numpydoc_xref_aliases[word] = f":term:`{name}`" if role == "std:term" else name
    for word in DEFAULT_LINKS:  # words that numpydoc links by itself; those without a page here stay words
        config.numpydoc_xref_aliases.setdefault(word, word)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the inventories before intersphinx reads them."""
    app.connect("config-inited", _make, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
