"""The import graph of the core by folder and of the Python layer by package, and the order that it must follow.

    python tools/imports.py [ROOT]      print each import between folders; exit with 1 where one is against the order

Code under `#[cfg(test)]`, comments, imports under `TYPE_CHECKING`, and the re-exports of `lib.rs` and `__init__.py`
do not count. Imports inside functions do. A name that `lib.rs` or `__init__.py` re-exports counts for the folder that
it comes from.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import rust_source

CORE = [["error"], ["runtime"], ["linalg"], ["data"], ["kernel"], ["operator"], ["slq"], ["measure"], ["python"]]
LAYER = [
    ["_checks"],
    ["_data", "io", "plotting"],
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
        return self.faults + faults + [f"a circle: {' -> '.join(circle)}" for circle in self.circles()]

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
    exports = {
        alias or path[-1]: path[0]
        for path, alias, _ in _rust_paths(texts[root / "src" / "lib.rs"], [])
        if path and path[0] in graph.nodes
    }
    for path, module in modules.items():
        if not module:
            continue  # lib.rs
        for target, _, line in _rust_paths(texts[path], module):
            place = f"{path.relative_to(root).as_posix()}:{line}"
            name = target[0] if target else "*"
            used = name if name in graph.nodes else exports.get(name)
            if used is None:
                graph.faults.append(f"{place}: crate::{'::'.join(target)} is not found")
            else:
                graph.add(module[0], used, place)
    return graph


def _rust_module(path: Path) -> list[str]:
    parts = [*path.parent.parts, path.stem]
    return parts[:-1] if path.stem in {"lib", "mod"} else parts


def _rust_paths(text: str, module: list[str]) -> Iterator[tuple[list[str], str | None, int]]:
    """Yield each path below the crate's root: its parts, its new name, and the line."""
    blocks = [
        (match[1], match.start(), rust_source.end_of_brackets(text, match.end() - 1))
        for match in re.finditer(r"\bmod\s+(\w+)\s*\{", text)
    ]

    def module_at(place: int) -> list[str]:
        return module + [name for name, start, end in blocks if start < place < end]

    uses = re.compile(r"\buse\s+([^;]+);")
    for match in uses.finditer(text):
        line = text.count("\n", 0, match.start(1)) + 1
        for parts, alias in _use_tree(re.sub(r"\s+", " ", match[1])):
            # In lib.rs, paths of modules have no prefix.
            prefixed = parts[0] in {"crate", "self", "super"} or module
            path = _absolute(parts, module_at(match.start())) if prefixed else parts
            if path is not None:
                yield path, alias, line
    rest = uses.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    rest = re.sub(r"\bpub\(in [^)]*\)", lambda match: " " * len(match[0]), rest)
    for match in re.finditer(r"\b(?:crate|super|self)(?:\s*::\s*\w+)+", rest):
        path = _absolute(re.split(r"\s*::\s*", match[0]), module_at(match.start()))
        if path is not None:
            yield path, None, rest.count("\n", 0, match.start()) + 1


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
    exports = _exports(package / "__init__.py")
    for path in paths:
        module = path.relative_to(package).with_suffix("").parts
        if module == ("__init__",):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for target, line in _python_imports(tree, module):
            place = f"{path.relative_to(root).as_posix()}:{line}"
            name = target[0] if target else "*"
            used = name if name in graph.nodes | {BOUNDARY} else exports.get(name)
            if used is None:
                graph.faults.append(f"{place}: dsentropy.{'.'.join(target)} is not found")
            else:
                graph.add(module[0], used, place)
    return graph


def _exports(init: Path) -> dict[str, str]:
    """Return the package that each name of `__init__.py` comes from."""
    exports = {}
    for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            parts = (node.module or "").removeprefix("dsentropy.").split(".")
            exports |= {alias.asname or alias.name: parts[0] or alias.name for alias in node.names}
    return exports


def _python_imports(tree: ast.AST, module: tuple[str, ...]) -> Iterator[tuple[list[str], int]]:
    """Yield the imports of the package's own modules: the parts of each below `dsentropy`, and the line."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from _python_imports(ast.Module([other], []), module)
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


def faults(root: Path) -> list[str]:
    """Return the imports against the order, one line each."""
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
