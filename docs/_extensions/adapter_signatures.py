"""Signatures of adapters whose base class belongs to a framework.

The reference is built without the frameworks: autodoc puts an object in the place of such a base, whose constructor
takes anything. The signature is read off the constructor of the adapter itself.
"""

from __future__ import annotations

import inspect
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature
from sphinx.util.typing import ExtensionMetadata


def _signature(
    app: Sphinx, kind: str, name: str, subject: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, None] | None:
    if kind != "class" or ".integrations." not in name or "__init__" not in vars(subject):
        return None
    found = inspect.signature(subject.__init__)
    parameters = list(found.parameters.values())[1:]  # without self
    own = found.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
    return stringify_signature(own, show_annotation=False), None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the signatures."""
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
