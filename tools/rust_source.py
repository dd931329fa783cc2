"""Rust source as text: without comments and strings, without test code, and its comments alone.

A small scanner, not a compiler. It knows comments (nested ones, too), strings, raw strings, characters and lifetimes,
attributes `#[cfg(test)]` and matching brackets. That is enough to read paths, functions and comments.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

_LITERAL = re.compile(
    r"""
    (?P<line>//[^\n]*)
    | (?P<block>/\*)
    | (?P<raw>\b(?:b|c|br|cr)?r(?P<hashes>\#*)".*?"(?P=hashes))
    | (?P<string>"(?:\\.|[^"\\])*")
    | (?P<char>'(?:\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.)|[^'\\\n])')
    """,
    re.DOTALL | re.VERBOSE,
)
_TEST = re.compile(r"#\[cfg\((?:all\()?test\b[^\]]*\]")
_OPENING, _CLOSING = "([{", ")]}"


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


@functools.cache
def code(text: str) -> str:
    """Return the text with comments and literals blanked; each character keeps its place."""
    parts = []
    position = 0
    while match := _LITERAL.search(text, position):
        end = _end_of_block_comment(text, match.start()) if match["block"] else match.end()
        parts += [text[position : match.start()], _blank(text[match.start() : end])]
        position = end
    return "".join(parts) + text[position:]


def _end_of_block_comment(text: str, start: int) -> int:
    depth = 0
    for match in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return start + match.end()
    return len(text)


def end_of_brackets(text: str, start: int) -> int:
    """Return the place behind the bracket that closes the one at `start`."""
    depth = 0
    for place in range(start, len(text)):
        if text[place] in _OPENING:
            depth += 1
        elif text[place] in _CLOSING:
            depth -= 1
            if depth == 0:
                return place + 1
    return len(text)


def _end_of_item(text: str, start: int) -> int:
    """Return the place behind the item at `start`: its semicolon, or the brace that closes it."""
    is_use = re.match(r"\s*(?:pub(?:\([^)]*\))?\s+)?use\b", text[start:]) is not None
    place = start
    while place < len(text):
        if text[place] == ";":
            return place + 1
        if text[place] in _OPENING:
            is_body = text[place] == "{" and not is_use
            place = end_of_brackets(text, place)
            if is_body:
                return place
        else:
            place += 1
    return place


@functools.cache
def without_tests(text: str) -> tuple[str, list[str]]:
    """Blank the items under `#[cfg(test)]` of `code(...)`; return the text and the names of test modules in files."""
    modules = []
    position = 0
    while match := _TEST.search(text, position):
        start = match.end()
        while attribute := re.match(r"\s*#\[", text[start:]):
            start = end_of_brackets(text, start + attribute.end() - 1)
        end = _end_of_item(text, start)
        if module := re.match(r"\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;", text[start:end]):
            modules.append(module[1])
        text = text[: match.start()] + _blank(text[match.start() : end]) + text[end:]
        position = end
    return text, modules


def functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield name, first line and number of lines of each function and macro in `code(...)`."""
    for match in re.finditer(r"\bfn\s+(\w+)|\bmacro_rules!\s*(\w+)", text):
        body = end = match.end()
        while body < len(text) and text[body] not in ";{":
            body = end_of_brackets(text, body) if text[body] in "([" else body + 1
        if body < len(text) and text[body] == "{":
            end = end_of_brackets(text, body)
            first = text.count("\n", 0, match.start()) + 1
            yield match[1] or match[2], first, text.count("\n", match.start(), end) + 1


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of each comment; lines below one another are one comment."""
    lines = text.splitlines()
    start, parts = 0, []
    kind = ""
    for number, line in enumerate([*lines, ""], 1):
        match = re.match(r"\s*(///|//!|//)(?!/)\s?(.*)", line)
        if parts and (match is None or match[1] != kind):
            yield start, "\n".join(parts)
            parts = []
        if match:
            kind = match[1]
            if not parts:
                start = number
            parts.append(match[2])
        elif trailing := re.search(r"\s// (.*)$", line):
            yield number, trailing[1]


def files(root: Path) -> list[Path]:
    """Return the source files of the crate."""
    return sorted((root / "src").rglob("*.rs"))
