"""Whether estimates keep their tolerance, and say how far off they are: a table over data sets, tolerances and seeds.

    python benches/tolerances.py --update docs/scaling.md       20 seeds, 2000 rows: half an hour on two cores
    python benches/tolerances.py --force --seeds 5 --rows 900   nothing is computed exactly, whatever that costs

Ten data sets, duplicated rows, a self-tuning kernel and a sparse graph of neighbours, whose operators have negative
eigenvalues. For each tolerance: products (median), or how many of the runs were exact, which costs less there; the
part of the runs in which the error is within three standard errors and the bounds (the least over t = 1, 2, 5); and
the root mean square of the error at each t. With ``--force`` the memory limit leaves no room for the exact solver.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from dsentropy import EstimatedSpectrum, SaturationWarning, Stochastic, ToleranceWarning, diffusion_spectrum
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

T = [1.0, 2.0, 5.0]
TOLERANCES = [1e-2, 1e-3, 3e-4]
MAX_PRODUCTS = 100_000
BEGIN, END = "<!-- tolerances -->\n", "<!-- end of tolerances -->"


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


def main() -> None:
    """Print the table, or write it between its marks in a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2000, help="rows of each data set")
    parser.add_argument("--force", action="store_true", help="nothing is computed exactly")
    parser.add_argument("--only", help="data sets whose name begins so")
    parser.add_argument("--update", type=Path, help="a file with the marks")
    options = parser.parse_args()
    for kind in (ToleranceWarning, SaturationWarning):
        warnings.simplefilter("ignore", kind)
    lines = [
        "| data, bandwidth | N | " + " | ".join(f"tol {tol:g}" for tol in TOLERANCES) + " |",
        "|:--|--:|:--|:--|:--|",
    ]
    print("\n".join(lines), flush=True)
    for name, (X, made) in data_sets(options.rows).items():
        if name.startswith(options.only or ""):
            lines.append(row(name, X, made, options.seeds, options.force))
            print(lines[-1], flush=True)
    if options.update:
        text = options.update.read_text()
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        options.update.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after)


if __name__ == "__main__":
    main()
