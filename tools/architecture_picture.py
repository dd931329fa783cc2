"""The picture of docs/architecture.md: folders and packages, and who imports whom, as tools/imports.py finds it.

    python tools/architecture_picture.py      write docs/architecture.svg

Each side is a column in the order of the law: a box imports only boxes below it. Dark arrows are the imports that the
others follow from; light ones lead to boxes that can also be reached over dark arrows.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import imports

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "architecture.svg"

ANSWERS = {
    "error": "one enum of errors",
    "runtime": "threads, memory, SIMD, tuning",
    "linalg": "matrices, never rows of data",
    "data": "rows, distances, neighbours",
    "kernel": "distances to affinities G",
    "operator": "affinities to the operator K",
    "slq": "K to an estimated spectrum",
    "measure": "what is asked of data",
    "python": "the binding, with PyO3",
    "_checks": "arguments, warnings, progress",
    "_data": "rows, subsets, clusters",
    "io": "files",
    "plotting": "arrays in, Axes out",
    "_operator": "bandwidths, graphs, operators",
    "_spectrum": "Spectrum, Stochastic, solve",
    "_measures": "the public functions",
    "_reference": "the functions of dse-dsmi",
    "monitor": "spectra during training",
    "integrations": "training frameworks",
    "cli": "the command line",
}
WIDTH, BOX, HEIGHT, STEP, TOP = 1080, 250, 44, 68, 92
LEFT, RIGHT = 190, WIDTH - 190 - BOX  # the left edges of the two columns of boxes
DARK, LIGHT, INK, MUTED = "#1f4e79", "#b9c4cf", "#1b1b1b", "#5a5a5a"
FILLS = {"core": "#fdf1e3", "layer": "#e8f1fa"}


def _reach(used_by: dict[str, set[str]], name: str) -> set[str]:
    """Return everything that can be reached from `name` over at least two imports."""
    return {far for near in used_by[name] for far in used_by[near] | _reach(used_by, near)}


class _Column:
    """One side of the picture."""

    def __init__(self, graph: imports.Graph, left: int, outside: int, levels: int) -> None:
        self.left = left
        self.outside = outside  # -1: arcs on the left; 1: arcs on the right
        self.names = [name for names in graph.order for name in names if name in graph.nodes and name != "__main__"]
        spread = (levels - 1) / max(1, len(self.names) - 1)
        self.top = {name: TOP + (levels - 1 - spread * place) * STEP for place, name in enumerate(self.names)}
        shown = set(self.names)
        level = {name: depth for depth, names in enumerate(graph.order) for name in names}
        self.used_by = {
            name: {used for user, used in graph.edges if user == name and used in shown and level[used] < level[user]}
            for name in self.names
        }
        self.callers = [name for name in self.names if (name, imports.BOUNDARY) in graph.edges]

    def boxes(self, fill: str) -> list[str]:
        parts = []
        for name in self.names:
            x, y = self.left, self.top[name]
            parts += [
                f'<rect x="{x}" y="{y:.1f}" width="{BOX}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="{DARK}"/>',
                f'<text x="{x + 12}" y="{y + 18:.1f}" class="name">{escape(name)}</text>',
                f'<text x="{x + 12}" y="{y + 35:.1f}" class="answer">{escape(ANSWERS.get(name, ""))}</text>',
            ]
        return parts

    def arrows(self) -> list[str]:
        """Draw the light arrows first, so that the dark ones lie on them."""
        found: list[tuple[bool, str]] = []
        for name in self.names:
            for used in self.used_by[name]:
                dark = used not in _reach(self.used_by, name)
                found.append((dark, self._arrow(name, used, dark)))
        return [arrow for _, arrow in sorted(found)]

    def _arrow(self, user: str, used: str, dark: bool) -> str:
        distance = self.names.index(user) - self.names.index(used)
        style = f'stroke="{DARK if dark else LIGHT}" stroke-width="{1.8 if dark else 1.2}" fill="none"'
        head = "dark" if dark else "light"
        if distance == 1:
            x = self.left + BOX / 2
            ends = f"M{x} {self.top[user] + HEIGHT:.1f} L{x} {self.top[used] - 3:.1f}"
            return f'<path d="{ends}" {style} marker-end="url(#{head})"/>'
        edge = self.left + (BOX if self.outside > 0 else 0)
        # Arrows leave a box above its middle and arrive below it, the longer the farther from the middle.
        start = self.top[user] + HEIGHT / 2 + 2 * distance
        end = self.top[used] + HEIGHT / 2 - 2 * distance
        bow = edge + self.outside * (14 + 19 * distance)
        tip = edge + self.outside * 3
        curve = f"M{edge} {start:.1f} C{bow} {start:.1f} {bow} {end:.1f} {tip} {end:.1f}"
        return f'<path d="{curve}" {style} marker-end="url(#{head})"/>'


def picture(root: Path = ROOT) -> str:
    """Return the picture as SVG."""
    core_graph, layer_graph = imports.core(root), imports.layer(root)
    levels = max(len([name for name in graph.nodes if name != "__main__"]) for graph in [core_graph, layer_graph])
    core = _Column(core_graph, LEFT, -1, levels)
    layer = _Column(layer_graph, RIGHT, 1, levels)
    bottom = TOP + (levels - 1) * STEP + HEIGHT
    middle = (LEFT + BOX + RIGHT) / 2
    bar = f'x="{middle - 9}" y="{TOP}" width="18" height="{bottom - TOP}" rx="4"'
    dark = f'stroke="{DARK}" stroke-width="1.8" fill="none" marker-end="url(#dark)"'
    calls = []
    for name in layer.callers:
        y = layer.top[name] + HEIGHT / 2
        calls.append(f'<path d="M{RIGHT} {y:.1f} L{middle + 12} {y:.1f}" {dark}/>')
    y = core.top["python"] + HEIGHT / 2
    calls.append(f'<path d="M{middle - 9} {y:.1f} L{LEFT + BOX + 3} {y:.1f}" {dark}/>')
    arrowheads = [
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 z" fill="{color}"/></marker>'
        for name, color in [("dark", DARK), ("light", LIGHT)]
    ]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 64:.0f}" font-family="sans-serif">',
        f"<title>Imports of the core and of the Python layer</title><defs>{''.join(arrowheads)}</defs>",
        f"<style>.head{{font-size:20px;font-weight:bold;fill:{INK}}}.name{{font-size:15px;font-weight:bold;fill:{INK}}}"
        f".answer,.note{{font-size:12.5px;fill:{MUTED}}}</style>",
        f'<rect width="{WIDTH}" height="{bottom + 64:.0f}" fill="white"/>',
        f'<text x="{LEFT}" y="40" class="head">Core: src/ (Rust)</text>',
        f'<text x="{RIGHT}" y="40" class="head">Python layer: python/dsentropy/</text>',
        f'<text x="{middle}" y="66" class="name" text-anchor="middle">the boundary</text>',
        f'<text x="{middle}" y="83" class="note" text-anchor="middle">dsentropy._core</text>',
        f'<rect {bar} fill="{LIGHT}" stroke="{MUTED}" stroke-dasharray="5 4"/>',
        *core.arrows(),
        *layer.arrows(),
        *calls,
        *core.boxes(FILLS["core"]),
        *layer.boxes(FILLS["layer"]),
        f'<text x="{LEFT}" y="{bottom + 30:.0f}" class="note">An arrow leads from a folder to one that it imports: '
        "always downwards, or over the boundary.</text>",
        f'<text x="{LEFT}" y="{bottom + 48:.0f}" class="note">A light arrow leads to a folder that can be reached '
        "over dark ones as well. Made from the imports by tools/architecture_picture.py.</text>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(picture(), encoding="utf-8")
