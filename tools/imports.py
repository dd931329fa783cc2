"""The import graph of the core by folder and of the Python layer by package, its order, and circles of files.

    python tools/imports.py [ROOT]      print each import between folders; exit with 1 where one is against the order,
                                        or where files import one another

Code under `#[cfg(test)]`, comments, imports under `TYPE_CHECKING`, and the re-exports of `lib.rs` and `__init__.py`
do not count. Imports inside functions do. A name that `lib.rs` or `__init__.py` re-exports counts for the folder that
it comes from. For circles of files, a name that `mod.rs` re-exports counts for the file that it comes from.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import rust_source

CORE = [["error"], ["runtime"], ["linalg"], ["data"], ["kernel"], ["operator"], ["slq"], ["measure"], ["python"]]
LAYER = [
    ["_checks"],
    ["_data", "_results", "io", "plotting"],
    ["_operator"],
    ["_spectrum"],
    ["_measures", "_reference"],
    ["monitor"],
    ["integrations", "cli"],
    ["__main__"],
]
BOUNDARY = "_core"
"""The extension: any package may call it, and it imports none."""


@dataclass
class Graph:
    """Who imports whom: `edges[user, used]` lists the places, such as `src/slq/adaptive.rs:12`."""

    order: list[list[str]]
    nodes: set[str] = field(default_factory=set)
    edges: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    files: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The files that each file imports."""

    def add(self, user: str, used: str, place: str) -> None:
        """Note an import; those within a folder do not count."""
        if user != used:
            self.edges[user, used].append(place)

    def against_the_order(self) -> list[str]:
        """Return what breaks the order: one line a place."""
        level = {name: depth for depth, names in enumerate(self.order) for name in names} | {BOUNDARY: -1}
        faults = [f"{name} has no place in the order" for name in sorted(self.nodes - level.keys())]
        for (user, used), places in sorted(self.edges.items()):
            if level.get(user, 0) <= level.get(used, 0):
                faults += [f"{place}: {user} imports {used}" for place in places]
        faults += [f"a circle: {' -> '.join(circle)}" for circle in self.circles()]
        return self.faults + faults + [f"a circle of files: {', '.join(files)}" for files in self.circles_of_files()]

    def circles_of_files(self) -> list[list[str]]:
        """Return each group of files that import one another, directly or over others."""
        reached = {file: self._reached(file) for file in list(self.files)}
        groups = {
            frozenset(other for other in reached[file] if file in reached.get(other, ()))
            for file in reached
            if file in reached[file]
        }
        return sorted(sorted(group) for group in groups)

    def _reached(self, file: str) -> set[str]:
        reached: set[str] = set()
        left = [file]
        while left:
            new = self.files.get(left.pop(), set()) - reached
            reached |= new
            left += new
        return reached

    def circles(self) -> Iterator[list[str]]:
        """Yield one circle where there is one."""
        used_by = defaultdict(list)
        for user, used in sorted(self.edges):
            used_by[user].append(used)
        done: set[str] = set()

        def visit(node: str, path: list[str]) -> list[str] | None:
            if node in path:
                return [*path[path.index(node) :], node]
            if node in done:
                return None
            for used in used_by[node]:
                if circle := visit(used, [*path, node]):
                    return circle
            done.add(node)
            return None

        for node in sorted(self.nodes):
            if circle := visit(node, []):
                yield circle
                return


def core(root: Path) -> Graph:
    """Return the import graph of `src/` by folder."""
    graph = Graph(CORE)
    texts, test_files = {}, set()
    for path in rust_source.files(root):
        text, modules = rust_source.without_tests(rust_source.code(path.read_text(encoding="utf-8")))
        folder = path.parent if path.name in {"lib.rs", "mod.rs"} else path.with_suffix("")
        test_files |= {folder / f"{name}.rs" for name in modules} | {folder / name / "mod.rs" for name in modules}
        texts[path] = text
    modules = {path: _rust_module(path.relative_to(root / "src")) for path in texts if path not in test_files}
    graph.nodes = {module[0] for module in modules.values() if module}
    paths = {path: list(_rust_paths(texts[path], module)) for path, module in modules.items()}
    found = _RustFiles(modules, paths)
    for path, module in modules.items():
        if not module:
            continue  # lib.rs
        user = path.relative_to(root).as_posix()
        for target in paths[path]:
            parts = found.without_export([], target.parts)
            if not parts or parts[0] not in graph.nodes:
                graph.faults.append(f"{user}:{target.line}: crate::{'::'.join(target.parts)} is not found")
                continue
            graph.add(module[0], parts[0], f"{user}:{target.line}")
            used = found.file(parts)
            if used not in {None, path} and not (target.public and path.name == "mod.rs"):
                graph.files[user].add(used.relative_to(root).as_posix())
    return graph


class _RustPath(NamedTuple):
    """A path below the crate's root, with its new name where it has one, and whether it is a `pub use`."""

    parts: list[str]
    alias: str | None
    line: int
    public: bool


class _RustFiles:
    """The file that a path leads to, through the re-exports of `lib.rs` and `mod.rs`."""

    def __init__(self, modules: dict[Path, list[str]], paths: dict[Path, list[_RustPath]]) -> None:
        self.by_module = {tuple(module): path for path, module in modules.items()}
        self.exports = {
            tuple(modules[path]): {use.alias or use.parts[-1]: use.parts for use in uses if use.public and use.parts}
            for path, uses in paths.items()
            if path.name in {"lib.rs", "mod.rs"}
        }

    def without_export(self, module: list[str], name: list[str]) -> list[str]:
        """Return the path of a name within a module, or where that module takes it from."""
        exported = self.exports.get(tuple(module), {}).get(name[0]) if name else None
        is_module = tuple(module + name[:1]) in self.by_module
        return module + name if exported is None or is_module else exported + name[1:]

    def file(self, parts: list[str]) -> Path | None:
        """Return the file of a path; None for the crate itself."""
        while True:
            depth = max(depth for depth in range(len(parts) + 1) if tuple(parts[:depth]) in self.by_module)
            origin = self.without_export(parts[:depth], parts[depth:])
            if origin == parts:
                return self.by_module[tuple(parts[:depth])] if depth else None
            parts = origin


def _rust_module(path: Path) -> list[str]:
    parts = [*path.parent.parts, path.stem]
    return parts[:-1] if path.stem in {"lib", "mod"} else parts


def _rust_paths(text: str, module: list[str]) -> Iterator[_RustPath]:
    """Yield each path below the crate's root."""
    children = re.findall(r"\bmod\s+(\w+)\s*;", text)
    blocks = [
        (match[1], match.start(), rust_source.end_of_brackets(text, match.end() - 1))
        for match in re.finditer(r"\bmod\s+(\w+)\s*\{", text)
    ]

    def module_at(place: int) -> list[str]:
        return module + [name for name, start, end in blocks if start < place < end]

    def absolute(parts: list[str], place: int) -> list[str] | None:
        # The paths of a file's own modules have no prefix.
        return _absolute(["self", *parts] if parts[0] in children else parts, module_at(place))

    uses = re.compile(r"\b(?P<public>pub(?:\([^)]*\))?\s+)?use\s+(?P<tree>[^;]+);")
    for match in uses.finditer(text):
        line = text.count("\n", 0, match.start("tree")) + 1
        for parts, alias in _use_tree(re.sub(r"\s+", " ", match["tree"])):
            path = absolute(parts, match.start())
            if path is not None:
                yield _RustPath(path, alias, line, match["public"] is not None)
    rest = uses.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    rest = re.sub(r"\bpub\(in [^)]*\)", lambda match: " " * len(match[0]), rest)
    first = "|".join(["crate", "super", "self", *children])
    for match in re.finditer(rf"(?<!::)\b(?:{first})(?:\s*::\s*\w+)+", rest):
        path = absolute(re.split(r"\s*::\s*", match[0]), match.start())
        if path is not None:
            yield _RustPath(path, None, rest.count("\n", 0, match.start()) + 1, public=False)


def _use_tree(tree: str) -> Iterator[tuple[list[str], str | None]]:
    """Yield the paths of `a::{b, c as d}`."""
    head, brace, inner = tree.partition("{")
    prefix = [part.strip() for part in head.split("::") if part.strip()]
    if not brace:
        path, _, alias = tree.partition(" as ")
        yield [part.strip() for part in path.split("::")], alias.strip() or None
        return
    inner = inner[: inner.rindex("}")]
    depth, start = 0, 0
    for place, character in enumerate(inner + ","):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            if part := inner[start:place].strip():
                for path, alias in _use_tree(part):
                    yield prefix + (path if path != ["self"] else []), alias
            start = place + 1


def _absolute(parts: list[str], module: list[str]) -> list[str] | None:
    """Return the path below the crate's root, or None for a path of another crate or a module of the file's own."""
    if parts[0] == "crate":
        return parts[1:]
    if parts[0] not in {"self", "super"}:
        return None
    base = list(module)
    while parts and parts[0] in {"self", "super"}:
        if parts[0] == "super":
            base = base[:-1]
        parts = parts[1:]
    return base + parts


def layer(root: Path) -> Graph:
    """Return the import graph of `python/dsentropy` by package."""
    graph = Graph(LAYER)
    package = root / "python" / "dsentropy"
    paths = sorted(package.rglob("*.py"))
    graph.nodes = {path.relative_to(package).parts[0].removesuffix(".py") for path in paths} - {"__init__"}
    modules = {path.relative_to(package).with_suffix("").parts: path for path in paths}
    by_module = {parts[:-1] if parts[-1] == "__init__" else parts: path for parts, path in modules.items()}
    exports = _exports(package / "__init__.py")
    for module, path in modules.items():
        if module == ("__init__",):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for target, line in _python_imports(tree, module):
            user = path.relative_to(root).as_posix()
            name = target[0] if target else "*"
            parts = target if name in graph.nodes | {BOUNDARY} else exports.get(name)
            if parts is None:
                graph.faults.append(f"{user}:{line}: dsentropy.{'.'.join(target)} is not found")
                continue
            graph.add(module[0], parts[0], f"{user}:{line}")
            depth = max(depth for depth in range(len(parts) + 1) if tuple(parts[:depth]) in by_module)
            if depth and by_module[tuple(parts[:depth])] != path:
                graph.files[user].add(by_module[tuple(parts[:depth])].relative_to(root).as_posix())
    return graph


def _exports(init: Path) -> dict[str, list[str]]:
    """Return the path of each name of `__init__.py` below the package."""
    exports = {}
    for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            parts = [part for part in (node.module or "").removeprefix("dsentropy").split(".") if part]
            exports |= {alias.asname or alias.name: [*parts, alias.name] for alias in node.names}
    return exports


def _python_imports(tree: ast.AST, module: tuple[str, ...]) -> Iterator[tuple[list[str], int]]:
    """Yield the imports of the package's own modules: the parts of each below `dsentropy`, and the line."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and (branch := _branch_at_run_time(node)) is not None:
            yield from _python_imports(ast.Module(branch, []), module)
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ["dsentropy", *module[: len(module) - node.level]] if node.level else []
            base += (node.module or "").split(".") if node.module else []
            names = [".".join([*base, alias.name]) for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names = [str(node.args[0].value)] if node.args and isinstance(node.args[0], ast.Constant) else []
        for name in names:
            parts = name.split(".")
            if parts[0] == "dsentropy":
                yield parts[1:], node.lineno
        yield from _python_imports(node, module)


def _branch_at_run_time(node: ast.If) -> list[ast.stmt] | None:
    """Return the statements that run where the condition is `TYPE_CHECKING` or its negation; None for others."""
    condition = ast.unparse(node.test).replace("typing.", "")
    return {"TYPE_CHECKING": node.orelse, "not TYPE_CHECKING": node.body}.get(condition)


def faults(root: Path) -> list[str]:
    """Return the imports against the order and the circles of files, one line each."""
    return core(root).against_the_order() + layer(root).against_the_order()


def main() -> int:
    """Print both graphs and what breaks the order."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    for name, graph in [("core", core(root)), ("Python layer", layer(root))]:
        print(f"{name}:")
        for (user, used), places in sorted(graph.edges.items()):
            print(f"  {user} -> {used} ({len(places)})")
    found = faults(root)
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
