"""References to public names by their last part, from any docstring.

Docstrings write ``:func:`diffusion_spectrum``` in every module. Sphinx finds such a name in the module of the
docstring alone; here it is found wherever it is the name of one object only, or of one in `dsentropy` itself. Types
of parameters link by the same names.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from docutils.nodes import Element, TextElement
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode
from sphinx.util.typing import ExtensionMetadata

MODULES = ["dsentropy", "dsentropy.monitor"]
"""Public modules whose classes are linked where they are the type of a parameter."""


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: TextElement) -> Element | None:
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    objects = env.domains.python_domain.objects
    found = {name for name, entry in objects.items() if name.endswith(f".{target}") and not entry.aliased}
    if node["reftype"] == "meth" and "." not in target:  # of the class whose docstring it is
        found = {name for name in found if name.split(".")[-2] == node.get("py:class")}
    direct = {name for name in found if name.count(".") == 1}  # dsentropy.null_baseline before that of plotting
    if len(direct or found) != 1:
        return None
    (name,) = direct or found
    entry = objects[name]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, name)


def _aliases(app: Sphinx, config: Any) -> None:
    for module in MODULES:
        public = importlib.import_module(module)
        for name in public.__all__:
            if inspect.isclass(getattr(public, name)):
                config.numpydoc_xref_aliases[name] = f"{module}.{name}"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register both."""
    app.connect("config-inited", _aliases)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
