"""Glob patterns of names that have parts, such as ``blocks.3.mlp`` or ``encoder/block_3``.

``*`` stands for any text within a part, ``**`` for any text, ``?`` for a character within a part, and ``[...]`` for
one of several characters, ``[!...]`` for any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WILD = re.compile(r"(\*\*|\*|\?|\[[^]]+\])")


def matching(pattern: str, names: Iterable[str], separator: str) -> list[str]:
    """Return the names that a pattern matches; none where it is no pattern.

    Parameters
    ----------
    pattern : str
        The pattern.
    names : iterable of str
        The names.
    separator : str
        The character between the parts of a name.
    """
    parts = _WILD.split(pattern)
    if len(parts) == 1:
        return []
    within = f"[^{re.escape(separator)}]"
    meaning = {"**": ".*", "*": f"{within}*", "?": within}
    expression = "".join(
        meaning.get(part) or (f"[{_set_of(part[1:-1])}]" if _WILD.fullmatch(part) else re.escape(part))
        for part in parts
    )
    return [name for name in names if re.fullmatch(expression, name, re.DOTALL)]


def _set_of(characters: str) -> str:
    """Return a set of characters as regular expressions have it; ``-`` between two of them is a range."""
    sign, rest = ("^", characters[1:]) if characters[0] == "!" and len(characters) > 1 else ("", characters)
    return sign + re.sub(r"([\\^\]\[&~|])", r"\\\1", rest)
