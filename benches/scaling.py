"""Time, memory and error of a diffusion spectrum from 1000 to 100,000 rows: a table and a picture.

    python benches/scaling.py --results scaling.json                   print the table; go on where it was left
    python benches/scaling.py --rows 1000 2000                         only these sizes
    python benches/scaling.py --update docs/scaling.md --picture docs/scaling.png

Ten blobs of D = 64, bandwidth 10, tolerance 1e-3: exactly, by an estimate with the affinity stored and with nothing
stored, and on the graph of 15 neighbours, exactly and by an estimate. Each is a process of its own, which computes a
spectrum of few rows before, to warm up. Where the exact solver took over, because it costs less, the table says so.
Nothing else should run on the machine meanwhile. The picture needs `pip install "dsentropy[plot]"`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from against_reference import core_type, peak_megabytes
from estimates import SIGMA, TOL, blobs

Results: TypeAlias = "dict[str, dict[str, Any]]"
"""By `key`, what `measure` has printed."""

COLUMNS = 64
FEW = 300
ROWS = [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000]
BEGIN, END = "<!-- times -->\n", "<!-- end of times -->"

NEIGHBORS: dict[str, Any] = {"graph": "knn", "bandwidth": "knn", "n_neighbors": 15}
SOLVERS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "exact": (10_000, "exact", {"bandwidth": SIGMA}),
    "estimate, stored": (20_000, "exact", {"bandwidth": SIGMA, "solver": {"tol": TOL, "storage": "dense"}}),
    "estimate, tiled": (100_000, "exact", {"bandwidth": SIGMA, "solver": {"tol": TOL, "storage": "tiled"}}),
    "15 neighbours, exact": (10_000, "15 neighbours, exact", NEIGHBORS),
    "15 neighbours, estimate": (100_000, "15 neighbours, exact", {**NEIGHBORS, "solver": {"tol": TOL}}),
}
"""Up to how many rows, which other is the exact one, and what is asked for."""


def key(solver: str, n: int) -> str:
    """The name of a result."""
    return f"{solver}, N = {n}"


def measure(solver: str, n: int) -> None:
    """Print what a spectrum needs, as JSON."""
    from dsentropy import Stochastic, diffusion_spectrum

    made = dict(SOLVERS[solver][2])
    if "solver" in made:
        made["solver"] = Stochastic(**made["solver"])
    diffusion_spectrum(blobs(FEW, COLUMNS), **made).entropy()
    X = blobs(n, COLUMNS)
    start = time.perf_counter()
    spectrum = diffusion_spectrum(X, **made)
    entropy = spectrum.entropy()
    seconds = time.perf_counter() - start
    lower, upper = spectrum.bounds()
    result = {
        "seconds": seconds,
        "megabytes": peak_megabytes(),
        "entropy": entropy,
        "standard error": float(spectrum.standard_error()),
        "reach": max(float(upper) - entropy, entropy - float(lower)),
        "products": spectrum.parameters.get("products"),
    }
    print(json.dumps(result))


def run(solver: str, n: int) -> dict[str, Any]:
    """Run `measure` in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--measure", solver, str(n)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def error(results: Results, solver: str, n: int) -> float | None:
    """How far an entropy is from the exact one, where that is known."""
    exact = results.get(key(SOLVERS[solver][1], n))
    if exact is None or SOLVERS[solver][1] == solver:
        return None
    return abs(float(results[key(solver, n)]["entropy"]) - float(exact["entropy"]))


def row(results: Results, solver: str, n: int) -> str:
    """A line of the table."""
    result = results[key(solver, n)]
    off, products = error(results, solver, n), result["products"]
    uncertainty = [result["standard error"], result["reach"]]
    if products is None:
        made = "exact" if "solver" in SOLVERS[solver][2] else ""
    else:
        made = f"{products}, missed" if sum(uncertainty) > TOL else str(products)
    cells = [
        f"{n:,}",
        solver,
        f"{result['seconds']:.3g}",
        f"{result['entropy']:.4f}",
        "" if off is None else f"{off:.0e}",
        "" if products is None else ", ".join(f"{part:.1e}" for part in uncertainty),
        made,
        f"{result['megabytes']:.0f} MB",
    ]
    return f"| {' | '.join(cells)} |"


def growth(results: Results, solver: str, sizes: list[int]) -> str | None:
    """Return the power of N with which the time grows from 10,000 rows to the largest size."""
    known = sorted(n for n in sizes if key(solver, n) in results and n >= 10_000)
    if len(known) < 2:
        return None
    known = [known[0], known[-1]]
    first, last = (results[key(solver, n)]["seconds"] for n in known)
    power = np.log(last / first) / np.log(known[1] / known[0])
    return f'Between {known[0]:,} and {known[1]:,} rows the time of "{solver}" grows as N^{power:.2f}.'


def table(results: Results, sizes: list[int]) -> list[str]:
    """Return the lines of the table and of its caption."""
    lines = [
        "| N | | seconds | bits | error | standard error, reach of bounds | products | peak |",
        "|--:|:--|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [row(results, solver, n) for n in sizes for solver in SOLVERS if key(solver, n) in results]
    said = [
        f"Once each, on {os.cpu_count()} cores ({core_type()}), NumPy {np.__version__}; memory of the whole process."
    ]
    said += [power for solver in ("estimate, tiled",) if (power := growth(results, solver, sizes))]
    return [*lines, "", *said]


def draw(results: Results, sizes: list[int], path: Path) -> None:
    """Draw time against N, and error against N, with the uncertainty of estimates."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    times, errors = figure.subplots(1, 2)
    for colour, solver in enumerate(SOLVERS):
        known = [n for n in sizes if key(solver, n) in results]
        found = [results[key(solver, n)] for n in known]
        style = {"color": f"C{colour}", "marker": "o", "markersize": 4}
        times.plot(known, [result["seconds"] for result in found], label=solver, **style)
        estimated = [(n, result) for n, result in zip(known, found, strict=True) if result["products"] is not None]
        uncertainty = [result["standard error"] + result["reach"] for _, result in estimated]
        if estimated:
            errors.plot([n for n, _ in estimated], uncertainty, label=f"{solver}: uncertainty", **style)
        off = [(n, e) for n, _ in estimated if (e := error(results, solver, n)) is not None]
        if off:
            style = {**style, "marker": "x", "linestyle": "none"}
            errors.plot(*zip(*off, strict=True), label=f"{solver}: error", **style)
    errors.axhline(TOL, color="0.35", linewidth=0.8, linestyle="--", label="tolerance")
    times.set(title="time of a spectrum", ylabel="seconds")
    errors.set(title="error of its entropy", ylabel="bits")
    for axes in (times, errors):
        axes.set(xscale="log", yscale="log", xlabel="N", xlim=(0.8 * min(sizes), 1.25 * max(sizes)))
        axes.legend(frameon=False, fontsize=7)
        axes.title.set_fontsize(11)
        axes.spines[["top", "right"]].set_visible(False)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def main() -> None:
    """Measure what is not known yet, print the table, and put it and the picture where they belong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="sizes")
    parser.add_argument("--results", type=Path, help="a JSON file that keeps what was measured")
    parser.add_argument("--update", type=Path, help="a file with the marks, to write the table to")
    parser.add_argument("--picture", type=Path, help="a PNG file to draw")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.measure[0], int(options.measure[1]))
    sizes = sorted(options.rows)
    results: Results = {}
    if options.results and options.results.exists():
        results = json.loads(options.results.read_text())
    for n in sizes:
        for solver, (most, _, _) in SOLVERS.items():
            if n > most or key(solver, n) in results:
                continue
            results[key(solver, n)] = run(solver, n)
            print(row(results, solver, n), file=sys.stderr, flush=True)
            if options.results:
                beside = options.results.with_name(options.results.name + ".new")
                beside.write_text(json.dumps(results, indent=1))
                beside.replace(options.results)
    lines = table(results, sizes)
    print("\n".join(lines))
    if options.update:
        text = options.update.read_text()
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        options.update.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after)
    if options.picture:
        draw(results, sizes, options.picture)
    return None


if __name__ == "__main__":
    main()
