"""Whether estimates keep their tolerance, and say how far off they are: a table over data sets, tolerances and seeds.

    python benches/tolerances.py --update docs/scaling.md       20 seeds, 2000 rows: half an hour on two cores
    python benches/tolerances.py --force --seeds 5 --rows 900   nothing is computed exactly, whatever that costs
    python benches/tolerances.py --torch --force --seeds 3     2000 rows by PyTorch, on its processor
    python benches/tolerances.py --large --update docs/scaling.md   t up to 300, 400 to 8200 rows: two hours on
                                                                    two cores, with --jobs 2 --runs FILE

Ten data sets, duplicated rows, a self-tuning kernel and a sparse graph of neighbours, whose operators have negative
eigenvalues. For each tolerance: products (median), or how many of the runs were exact, which costs less there; the
part of the runs in which the error is within three standard errors and the bounds (the least over t = 1, 2, 5); and
the root mean square of the error at each t. With ``--force`` the memory limit leaves no room for the exact solver.

With ``--torch``: by the code for accelerators, on PyTorch's processor; ``--device cuda`` is one. It takes no graphs.

With ``--large``: spectra that are dense near 1, a cell for each t. The error is to be within two standard errors and
the bounds in 95% of the runs of each cell, at each order.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from dsentropy import (
    EstimatedSpectrum,
    SaturationWarning,
    Stochastic,
    ToleranceWarning,
    diffusion_spectrum,
    estimate_bandwidth,
)
from dsentropy._checks import devices
from sklearn.datasets import load_digits, make_swiss_roll
from sklearn.neural_network import MLPClassifier

T = [1.0, 2.0, 5.0]
TOLERANCES = [1e-2, 1e-3, 3e-4]
MAX_PRODUCTS = 100_000
MARKS = "<!-- tolerances -->\n", "<!-- end of tolerances -->"

LARGE_T = [8.0, 10.0, 20.0, 30.0, 100.0, 300.0]
ORDERS = [0.5, 1.0, 2.0, float("inf")]
LARGE_TOL = 1e-2
LARGE_MARKS = "<!-- large -->\n", "<!-- end of large -->"
FEW = 20
# Rows, seeds, and whether the exact solver has no room.
LARGE_RUNS = [(400, 60, True), (800, 60, False), (2000, 60, False), (8200, 20, True)]


def data_sets(n: int) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Rows of each, and what its operator is."""
    rng = np.random.default_rng(0)
    digits, labels = load_digits(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it need not converge
        network = MLPClassifier(64, max_iter=30, random_state=0).fit(digits, labels)
    hidden = np.maximum(digits @ network.coefs_[0] + network.intercepts_[0], 0)[:n]
    uniform, low_rank = rng.uniform(size=(n, 256)), rng.normal(size=(n, 10)) @ rng.normal(size=(10, 128))
    blobs = 3 * rng.normal(size=(10, 512))[rng.integers(0, 10, n)] + 0.5 * rng.normal(size=(n, 512))
    plane = rng.normal(size=(n, 2))
    return {
        "digits, 10": (digits[:n], {"bandwidth": 10.0}),
        "digits, 30": (digits[:n], {"bandwidth": 30.0}),
        "uniform, 256 dims, 10": (uniform, {"bandwidth": 10.0}),
        "uniform, 256 dims, 3": (uniform, {"bandwidth": 3.0}),
        "rank 10 in 128 dims, 10": (low_rank, {"bandwidth": 10.0}),
        "rank 10 in 128 dims, 30": (low_rank, {"bandwidth": 30.0}),
        "ten blobs, 512 dims, 10": (blobs, {"bandwidth": 10.0}),
        "hidden layer, 10": (hidden, {"bandwidth": 10.0}),
        "hidden layer, 1": (hidden, {"bandwidth": 1.0}),
        "normal, 2 dims, 0.1": (plane, {"bandwidth": 0.1}),
        "duplicated rows, 1": (plane[rng.integers(0, n // 10, n)], {"bandwidth": 1.0}),
        "digits, self-tuning": (digits[:n], {"bandwidth": "knn"}),
        "digits, graph of 15 neighbours": (digits[:n], {"bandwidth": "knn", "graph": "knn"}),
    }


def row(name: str, X: np.ndarray, made: dict[str, Any], seeds: int, force: bool, device: str | None) -> str:
    """A line of the table."""
    n, d = X.shape
    exact = diffusion_spectrum(X, **made).entropy(T)
    made = made if device is None else {**made, "device": device}
    limit = 8 * n * (n + 700) + 16 * n * d if force else None
    solver = Stochastic(t=T, max_products=MAX_PRODUCTS, memory_limit=limit)
    cells = [name, str(n)]
    for tol in TOLERANCES:
        spectra = [
            diffusion_spectrum(X, **made, solver=replace(solver, tol=tol), random_state=seed) for seed in range(seeds)
        ]
        estimates = [spectrum for spectrum in spectra if isinstance(spectrum, EstimatedSpectrum)]
        errors = np.array([spectrum.entropy(T) - exact for spectrum in spectra])
        deviations = np.array([spectrum.standard_error(T) for spectrum in spectra])
        bounds = np.array([spectrum.bounds(T) for spectrum in spectra])
        reach = np.maximum(bounds[:, 1] - exact - errors, errors + exact - bounds[:, 0])
        below, above = bounds[:, 0] - 3 * deviations - 1e-9, bounds[:, 1] + 3 * deviations + 1e-9
        covered = ((below <= exact) & (exact <= above)).mean(axis=0).min()
        rms = ", ".join(f"{error:.0e}" for error in np.sqrt((errors**2).mean(axis=0)))
        if estimates:
            products = f"{np.median([spectrum.parameters['products'] for spectrum in estimates]):.0f}"
            missed = int(((deviations + reach).max(axis=1) > tol).sum())
            products += f", {missed} missed" if missed else ""
            products += f", {seeds - len(estimates)} exact" if len(estimates) < seeds else ""
        else:
            products = "exact"
        cells.append(products if products == "exact" else f"{products}; {covered:.0%}; {rms}")
    return "| " + " | ".join(cells) + " |"


def dense_near_one(n: int) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """Rows whose operator has many eigenvalues near 1, and what the operator is."""
    rng = np.random.default_rng(1)
    roll = make_swiss_roll(n, random_state=0)[0]
    side = int(np.sqrt(n))
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2).astype(float)
    place = np.sort(rng.uniform(size=n))
    curve = np.stack([np.cos(5 * place), np.sin(7 * place), place], axis=1)
    graph = {"graph": "knn", "bandwidth": "knn"}
    return {
        "swiss roll, graph": (roll, graph),
        "swiss roll, 1.5": (roll, {"bandwidth": 1.5}),
        "line, 3": (n * place[:, None], {"bandwidth": 3.0}),
        "curve, 0.05": (curve, {"bandwidth": 0.05}),
        "grid, alpha 1": (grid, {"bandwidth": 0.1 * estimate_bandwidth(grid), "alpha": 1.0}),
        "random walk, graph": (rng.normal(size=(n, 16)).cumsum(axis=0), graph),
        "digits, graph": (load_digits().data[:n], graph),
    }


@dataclass(frozen=True)
class Task:
    """A spectrum of the table of large t: an estimate of a data set with one seed, or its exact value (no seed)."""

    rows: int
    name: str
    force: bool
    t: float = 0.0
    seed: int | None = None


@lru_cache(maxsize=1)
def data_dense_near_one(n: int) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    return dense_near_one(n)


def large_run(task: Task) -> dict[str, Any]:
    """Values at the orders with their uncertainty, and products; exact entropies at all t without a seed."""
    for kind in (ToleranceWarning, SaturationWarning):
        warnings.simplefilter("ignore", kind)
    X, made = data_dense_near_one(task.rows)[task.name]
    if task.seed is None:
        return {"right": diffusion_spectrum(X, **made).entropy(LARGE_T, ORDERS).tolist()}
    n, d = X.shape
    limit = 8 * n * (n + 700) + 16 * n * d if task.force else None
    solver = Stochastic(tol=LARGE_TOL, t=task.t, orders=ORDERS, memory_limit=limit)
    spectrum = diffusion_spectrum(X, **made, solver=solver, random_state=task.seed)
    value, bounds = spectrum.entropy(task.t, ORDERS), np.array(spectrum.bounds(task.t, ORDERS))
    return {
        "value": value.tolist(),
        "deviation": np.asarray(spectrum.standard_error(task.t, ORDERS)).tolist(),
        "reach": np.maximum(bounds[1] - value, value - bounds[0]).tolist(),
        "products": spectrum.parameters["products"] if isinstance(spectrum, EstimatedSpectrum) else None,
    }


class Runs:
    """Runs of tasks by several processes, kept in a file: a task that is there is not run again."""

    def __init__(self, jobs: int, path: Path | None) -> None:
        self.jobs, self.path = jobs, path
        self.done: dict[str, dict[str, Any]] = {}
        if path is not None and path.exists():
            for line in path.read_text().splitlines():
                found = json.loads(line)
                self.done[found.pop("task")] = found

    def run(self, tasks: list[Task]) -> None:
        """Run the tasks that are missing, in this order."""
        missing = [task for task in tasks if str(task) not in self.done]
        if self.jobs == 1:
            for task in missing:
                self._keep(task, large_run(task))
            return
        with ProcessPoolExecutor(self.jobs, mp_context=get_context("spawn")) as pool:
            futures = {pool.submit(large_run, task): task for task in missing}
            for future in as_completed(futures):
                self._keep(futures[future], future.result())

    def of(self, task: Task) -> dict[str, Any]:
        """Return the result of a task that was run."""
        return self.done[str(task)]

    def _keep(self, task: Task, found: dict[str, Any]) -> None:
        self.done[str(task)] = found
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps({"task": str(task), **found}) + "\n")


def large_cell(runs: list[dict[str, Any]], right: np.ndarray) -> str:
    """A cell of the table of large t."""
    estimates = [run["products"] for run in runs if run["products"] is not None]
    if not estimates:
        return "exact"
    values, deviations, reach = (np.array([run[name] for run in runs]) for name in ("value", "deviation", "reach"))
    covered = (np.abs(values - right) <= 2 * deviations + reach + 1e-12).mean(axis=0).min()
    missed, computed = int(((deviations + reach).max(axis=1) > LARGE_TOL).sum()), len(runs) - len(estimates)
    products = f"{np.median(estimates):.0f}"
    products += f", {missed} missed" if missed else ""
    products += f", {computed} exact" if computed else ""
    return f"{products}; {covered:.0%}"


def large_lines(only: str, cells: list[tuple[int, int, bool]], runs: Runs) -> list[str]:
    """The table of large t, printed at the end."""
    lines = [
        "| data, bandwidth | N | seeds | " + " | ".join(f"t = {t:g}" for t in LARGE_T) + " |",
        "|:--|--:|:--|" + ":--|" * len(LARGE_T),
    ]
    sets = [
        (n, max(seeds, 60) if "graph" in made else seeds, force, name, len(X))  # sparse products cost little
        for n, seeds, force in cells
        for name, (X, made) in dense_near_one(n).items()
        if name.startswith(only) and len(X) >= n // 2
    ]
    exact = [Task(n, name, force) for n, _, force, name, _ in sets]
    # The longest first; then those of which a few were no exact spectra, which are all the same.
    few = [Task(n, name, force, t, seed) for n, _, force, name, _ in sets for t in LARGE_T for seed in range(FEW)]
    runs.run(sorted([*exact, *few], key=lambda task: (task.rows, task.t), reverse=True))
    more = [
        Task(n, name, force, t, seed)
        for n, seeds, force, name, _ in sets
        for t in LARGE_T
        if any(runs.of(Task(n, name, force, t, seed))["products"] is not None for seed in range(FEW))
        for seed in range(FEW, seeds)
    ]
    runs.run(sorted(more, key=lambda task: (task.rows, task.t), reverse=True))
    for n, seeds, force, name, rows in sets:
        right = np.array(runs.of(Task(n, name, force))["right"])
        tasks = [[Task(n, name, force, t, seed) for seed in range(seeds)] for t in LARGE_T]
        found = [[runs.done[str(task)] for task in cell if str(task) in runs.done] for cell in tasks]
        texts = [large_cell(cell, right[i]) for i, cell in enumerate(found)]
        lines.append("| " + " | ".join([name, str(rows), f"{seeds}{', forced' * force}", *texts]) + " |")
    print("\n".join(lines), flush=True)
    return lines


def main() -> None:
    """Print the table, or write it between its marks in a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2000, help="rows of each data set")
    parser.add_argument("--force", action="store_true", help="nothing is computed exactly")
    parser.add_argument("--torch", action="store_true", help="by PyTorch on the processor")
    parser.add_argument("--device", help="by PyTorch on this device")
    parser.add_argument("--only", help="data sets whose name begins so")
    parser.add_argument("--update", type=Path, help="a file with the marks")
    parser.add_argument("--large", action="store_true", help="large t, on spectra that are dense near 1")
    parser.add_argument("--largest", type=int, help="the most rows of --large")
    parser.add_argument("--jobs", type=int, default=1, help="processes of --large, with one thread each if several")
    parser.add_argument("--runs", type=Path, help="a file that keeps the runs of --large, which goes on from there")
    options = parser.parse_args()
    for kind in (ToleranceWarning, SaturationWarning):
        warnings.simplefilter("ignore", kind)
    if options.large:
        runs = [run for run in LARGE_RUNS if not options.largest or run[0] <= options.largest]
        if options.jobs > 1:
            os.environ["RAYON_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
        lines, marks = large_lines(options.only or "", runs, Runs(options.jobs, options.runs)), LARGE_MARKS
    else:
        lines, marks = tolerance_lines(options), MARKS
    if options.update:
        text = options.update.read_text()
        before, after = text.split(marks[0])[0], text.split(marks[1])[1]
        options.update.write_text(before + marks[0] + "\n".join(lines) + "\n" + marks[1] + after)


def tolerance_lines(options: argparse.Namespace) -> list[str]:
    """The table of tolerances, printed as it is made."""
    device = options.device
    if options.torch:
        devices.CORE_DEVICES, device = (), "cpu"  # so that PyTorch computes what is on the processor
    lines = [
        "| data, bandwidth | N | " + " | ".join(f"tol {tol:g}" for tol in TOLERANCES) + " |",
        "|:--|--:|:--|:--|:--|",
    ]
    print("\n".join(lines), flush=True)
    for name, (X, made) in data_sets(options.rows).items():
        if name.startswith(options.only or "") and (device is None or "graph" not in made):
            lines.append(row(name, X, made, options.seeds, options.force, device))
            print(lines[-1], flush=True)
    return lines


if __name__ == "__main__":
    main()
