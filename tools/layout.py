"""Sizes of functions and files, and the words of comments, docstrings, error texts and pages.

    python tools/layout.py [ROOT]      print what is too long or worded badly; exit with 1 where there is anything

Limits: 60 lines a function of the core (signature included), 40 lines a body of the Python layer (without signature
and docstring), 450 lines a source file with its tests. The stub of the extension is one file by its nature, and free.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import rust_source

RUST_FUNCTION = 60
PYTHON_BODY = 40
FILE = 450

# Each begins a comment that cannot be read alone.
BEGINNINGS = ["The same", "That of", "Those of", "As above", "What is"]
# Patterns of words that the project does not use; CONTRIBUTING.md says what to write in their place. A letter in
# brackets keeps this file itself out of a plain search.
WORDS = [
    "d[o]ubt",
    "the e[x]act way",
    "is told",
    "are told",
    "tells whether",
    "stands beside",
    "stand beside",
    "the other way",
    "nobody",
]

_SOURCES = {
    "src": "*.rs",
    "python/dsentropy": "*.py",
    "tests": "*.*",
    "crates": "*.rs",
    "fuzz/targets": "*.rs",
    "tools": "*",
    "benches": "*",
}
_TEXTS = ["docs/*.md", "docs/*.py", "*.md", "*.toml", "noxfile.py", "python/dsentropy/*.pyi", ".ci/run"]
_EXEMPT = {"layout.py", "test_layout.py", "CONTRIBUTING.md"}
"""Files that have to name the words."""


def _files(root: Path) -> Iterator[Path]:
    for folder, pattern in _SOURCES.items():
        yield from sorted((root / folder).rglob(pattern))
    for pattern in _TEXTS:
        yield from sorted(root.glob(pattern))


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def sizes(root: Path) -> Iterator[str]:
    """Yield the functions and files that are too long."""
    for path in rust_source.files(root):
        text = rust_source.code(path.read_text(encoding="utf-8"))
        for name, line, lines in rust_source.functions(text):
            if lines > RUST_FUNCTION:
                yield f"{_name(root, path)}:{line}: {name} has {lines} lines, more than {RUST_FUNCTION}"
    for path in sorted((root / "python" / "dsentropy").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := _body(node)) > PYTHON_BODY:
                place = f"{_name(root, path)}:{node.lineno}"
                yield f"{place}: the body of {node.name} has {lines} lines, more than {PYTHON_BODY}"
    for folder in ["src", "python/dsentropy", "crates", "tests"]:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".rs", ".py"}:
                lines = path.read_text(encoding="utf-8").count("\n")
                if lines > FILE:
                    yield f"{_name(root, path)}: {lines} lines, more than {FILE}"


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines behind signature and docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def words(root: Path) -> Iterator[str]:
    """Yield the places of words that the project does not use."""
    pattern = re.compile(r"\b(?:" + "|".join(word.replace(" ", r"\s+") for word in WORDS) + ")", re.IGNORECASE)
    for path in _files(root):
        if path.name in _EXEMPT or not path.is_file() or "__pycache__" in path.parts:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a data file
        # A phrase may run over a line of a comment.
        text = re.sub(r"\n[ \t]*(?:///|//!|//|#)?[ \t]*", "\n", text)
        for match in pattern.finditer(text):
            yield f"{_name(root, path)}:{text.count(chr(10), 0, match.start()) + 1}: {' '.join(match[0].split())!r}"


def beginnings(root: Path) -> Iterator[str]:
    """Yield the comments and docstrings whose first sentence refers to another place."""
    pattern = re.compile(rf"(?:{'|'.join(BEGINNINGS)})\b")
    for path in _files(root):
        if path.suffix not in {".rs", ".py", ".pyi"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        found = _rust_comments(text) if path.suffix == ".rs" else _python_comments(text)
        for line, comment in found:
            if pattern.match(comment.strip()):
                yield f"{_name(root, path)}:{line}: a comment begins with {comment.strip()[:30]!r}"


def _rust_comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield comments with their first lines, and each line of a documentation comment."""
    yield from rust_source.comments(text)
    for line, source in enumerate(text.split("\n"), start=1):
        if match := re.match(r"\s*//[/!] (.*)", source):
            yield line, match[1]


def _python_comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings (of attributes, too) and comments with their first lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
    previous = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            line = token.start[0]
            if line != previous + 1 or token.line[: token.start[1]].strip():
                yield line, token.string.lstrip("# ")
            previous = line


def faults(root: Path) -> list[str]:
    """Return everything that is too long or worded badly, one line each."""
    return [*sizes(root), *words(root), *beginnings(root)]


def main() -> int:
    """Print what is too long or worded badly."""
    found = faults(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
