"""Whether estimates keep their tolerance, and say how far off they are: a table over data sets, tolerances and seeds.

    python benches/tolerances.py --update docs/scaling.md       20 seeds, 2000 rows: half an hour on two cores
    python benches/tolerances.py --force --seeds 5 --rows 900   nothing is computed exactly, whatever that costs
    python benches/tolerances.py --large --update docs/scaling.md   t up to 300, 400 to 8200 rows: two hours

Ten data sets, duplicated rows, a self-tuning kernel and a sparse graph of neighbours, whose operators have negative
eigenvalues. For each tolerance: products (median), or how many of the runs were exact, which costs less there; the
part of the runs in which the error is within three standard errors and the bounds (the least over t = 1, 2, 5); and
the root mean square of the error at each t. With ``--force`` the memory limit leaves no room for the exact solver.

With ``--large``: spectra that are dense near 1, a cell for each t. The error is to be within two standard errors and
the bounds in 95% of the runs of each cell, at each order.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from dsentropy import (
    EstimatedSpectrum,
    SaturationWarning,
    Spectrum,
    Stochastic,
    ToleranceWarning,
    diffusion_spectrum,
    estimate_bandwidth,
)
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


def row(name: str, X: np.ndarray, made: dict[str, Any], seeds: int, force: bool) -> str:
    """A line of the table."""
    n, d = X.shape
    exact = diffusion_spectrum(X, **made).entropy(T)
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


def large_cell(X: np.ndarray, made: dict[str, Any], exact: Spectrum, t: float, seeds: int, force: bool) -> str:
    """A cell of the table of large t."""
    n, d = X.shape
    limit = 8 * n * (n + 700) + 16 * n * d if force else None
    solver = Stochastic(tol=LARGE_TOL, t=t, orders=ORDERS, memory_limit=limit)
    spectra: list[Spectrum] = []
    for seed in range(seeds):
        # Exact spectra are all the same: a few of them show that the exact solver costs less.
        if seed == FEW and not any(isinstance(spectrum, EstimatedSpectrum) for spectrum in spectra):
            return "exact"
        spectra.append(diffusion_spectrum(X, **made, solver=solver, random_state=seed))
    right = exact.entropy([t], ORDERS)
    values = np.array([spectrum.entropy([t], ORDERS) for spectrum in spectra])
    deviations = np.array([spectrum.standard_error([t], ORDERS) for spectrum in spectra])
    bounds = np.array([spectrum.bounds([t], ORDERS) for spectrum in spectra])
    reach = np.maximum(bounds[:, 1] - values, values - bounds[:, 0])
    covered = (np.abs(values - right) <= 2 * deviations + reach + 1e-12).mean(axis=0).min()
    estimates = [spectrum for spectrum in spectra if isinstance(spectrum, EstimatedSpectrum)]
    if not estimates:
        return "exact"
    missed, computed = int(((deviations + reach).max(axis=(1, 2)) > LARGE_TOL).sum()), seeds - len(estimates)
    products = f"{np.median([spectrum.parameters['products'] for spectrum in estimates]):.0f}"
    products += f", {missed} missed" if missed else ""
    products += f", {computed} exact" if computed else ""
    return f"{products}; {covered:.0%}"


def large_lines(only: str, runs: list[tuple[int, int, bool]]) -> list[str]:
    """The table of large t, printed as it is made."""
    lines = [
        "| data, bandwidth | N | seeds | " + " | ".join(f"t = {t:g}" for t in LARGE_T) + " |",
        "|:--|--:|:--|" + ":--|" * len(LARGE_T),
    ]
    print("\n".join(lines), flush=True)
    for n, seeds, force in runs:
        for name, (X, made) in dense_near_one(n).items():
            if not name.startswith(only) or (len(X) < n // 2):
                continue
            exact = diffusion_spectrum(X, **made)
            cells = [large_cell(X, made, exact, t, seeds, force) for t in LARGE_T]
            lines.append("| " + " | ".join([name, str(len(X)), f"{seeds}{', forced' * force}", *cells]) + " |")
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Print the table, or write it between its marks in a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2000, help="rows of each data set")
    parser.add_argument("--force", action="store_true", help="nothing is computed exactly")
    parser.add_argument("--only", help="data sets whose name begins so")
    parser.add_argument("--update", type=Path, help="a file with the marks")
    parser.add_argument("--large", action="store_true", help="large t, on spectra that are dense near 1")
    parser.add_argument("--largest", type=int, help="the most rows of --large")
    options = parser.parse_args()
    for kind in (ToleranceWarning, SaturationWarning):
        warnings.simplefilter("ignore", kind)
    if options.large:
        runs = [run for run in LARGE_RUNS if not options.largest or run[0] <= options.largest]
        lines, marks = large_lines(options.only or "", runs), LARGE_MARKS
    else:
        lines, marks = tolerance_lines(options), MARKS
    if options.update:
        text = options.update.read_text()
        before, after = text.split(marks[0])[0], text.split(marks[1])[1]
        options.update.write_text(before + marks[0] + "\n".join(lines) + "\n" + marks[1] + after)


def tolerance_lines(options: argparse.Namespace) -> list[str]:
    """The table of tolerances, printed as it is made."""
    lines = [
        "| data, bandwidth | N | " + " | ".join(f"tol {tol:g}" for tol in TOLERANCES) + " |",
        "|:--|--:|:--|:--|:--|",
    ]
    print("\n".join(lines), flush=True)
    for name, (X, made) in data_sets(options.rows).items():
        if name.startswith(options.only or ""):
            lines.append(row(name, X, made, options.seeds, options.force))
            print(lines[-1], flush=True)
    return lines


if __name__ == "__main__":
    main()
