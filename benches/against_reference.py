"""Our time, the reference's, the ratio and both peaks of memory, in one run.

Each measurement is a process of its own (two OpenBLAS in one process would disturb each other's threads): it imports
one of the packages, makes the data, computes the case once on a fraction of the data to warm up, and then in full, at
least three times and for a second. The two packages take turns. Times are the best, peaks those of the whole process.

    python benches/against_reference.py          print the table
    python benches/against_reference.py DSMI     only the cases whose name contains a word
    python benches/against_reference.py --update README.md docs/performance.md
                                                 and write it there, between its two marks

Nothing else should run on the machine meanwhile. Needs `pip install "dsentropy[test]"`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

REPEATS = 3
SECONDS = 1.0
MARK = "<!-- table of benches/against_reference.py -->"


def blobs(n: int, d: int) -> np.ndarray:
    """Ten groups of rows, two bandwidths of 10 apart."""
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=20 / np.sqrt(2 * d), size=(10, d))
    return centres[np.arange(n) % 10] + rng.normal(scale=5 / np.sqrt(2 * d), size=(n, d))


def uniform(n: int, d: int) -> np.ndarray:
    """Rows without structure."""
    return np.random.default_rng(0).uniform(-1, 1, size=(n, d))


def equal_classes(n: int) -> np.ndarray:
    """Ten labels, equally often."""
    return np.arange(n) % 10


def unequal_classes(n: int) -> np.ndarray:
    """Ten labels, of 1/55 to 10/55 of the rows."""
    return np.repeat(np.arange(10), np.diff(np.round(np.cumsum(np.arange(11)) / 55 * n).astype(int)))


def entropy(X: np.ndarray, **options: Any) -> Callable[[Any], Any]:
    """A DSE."""
    return lambda package: package.diffusion_spectral_entropy(X, **options)


def adjacency(X: np.ndarray, **options: Any) -> Callable[[Any], Any]:
    """An ASE."""
    return lambda package: package.adjacency_spectral_entropy(X, **options)


def information(X: np.ndarray, labels: np.ndarray) -> Callable[[Any], Any]:
    """A DSMI."""
    return lambda package: package.diffusion_spectral_mutual_information(X, labels)


CASES: dict[str, tuple[int, Callable[[int], Callable[[Any], Any]]]] = {
    "DSE, N = 800, D = 512": (800, lambda n: entropy(blobs(n, 512))),
    "DSE, N = 2000, D = 512": (2000, lambda n: entropy(blobs(n, 512))),
    "DSE, N = 5000, D = 512": (5000, lambda n: entropy(blobs(n, 512))),
    "DSE, N = 5000, D = 512, float32": (5000, lambda n: entropy(blobs(n, 512).astype(np.float32))),
    "DSE, matrix entries, N = 4000, D = 512": (4000, lambda n: entropy(blobs(n, 512), matrix_entry_entropy=True)),
    "classic Shannon, N = 5000, D = 512": (5000, lambda n: entropy(blobs(n, 512), classic_shannon_entropy=True)),
    "ASE, Gaussian, N = 2000, D = 512": (2000, lambda n: adjacency(blobs(n, 512))),
    "ASE, neighbours, N = 2000, ten blobs": (2000, lambda n: adjacency(blobs(n, 512), use_knn=True)),
    "ASE, neighbours, N = 2000, uniform, D = 128": (2000, lambda n: adjacency(uniform(n, 128), use_knn=True)),
    "DSMI, N = 8000, D = 512, ten equal classes": (8000, lambda n: information(blobs(n, 512), equal_classes(n))),
    "DSMI, N = 6000, D = 512, ten unequal classes": (6000, lambda n: information(blobs(n, 512), unequal_classes(n))),
}


def measure(package_name: str, case: str) -> None:
    """Print what one package needs for one case, as JSON."""
    package = __import__(package_name)
    n, make = CASES[case]
    make(max(n // 8, 200))(package)
    compute = make(n)
    times = []
    while len(times) < REPEATS or sum(times) < SECONDS:
        start = time.perf_counter()
        result = compute(package)
        times.append(time.perf_counter() - start)
    value = result[0] if isinstance(result, tuple) else result
    print(json.dumps({"seconds": times, "megabytes": peak_megabytes(), "value": float(value)}))


def peak_megabytes() -> float:
    """Peak resident memory of this process."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def compare(case: str) -> list[str]:
    """Measure both packages, in turn; one row of the table."""
    ours, reference = (
        json.loads(
            subprocess.run(
                [sys.executable, __file__, "--measure", package, case], check=True, capture_output=True, text=True
            ).stdout.splitlines()[-1]
        )
        for package in ("dsentropy", "dse_dsmi")
    )
    our_time, reference_time = min(ours["seconds"]), min(reference["seconds"])
    return [
        case,
        f"{our_time:.3f} s",
        f"{reference_time:.3f} s",
        f"**{reference_time / our_time:.1f}x**",
        f"{ours['megabytes']:.0f} MB",
        f"{reference['megabytes']:.0f} MB",
        f"{abs(ours['value'] - reference['value']):.0e}",
    ]


def core_type() -> str:
    """The kind of core that our OpenBLAS dispatches to."""
    from dsentropy import _core

    config = _core.blas_config()
    return config.core if config else platform.machine()


def main() -> None:
    """Print the table, and write it where it belongs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("word", nargs="?", default="", help="only cases whose name contains it")
    parser.add_argument("--update", type=Path, nargs="+", default=[], help="the files to write the table to")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(*options.measure)
    lines = [
        "| case | dsentropy | dse-dsmi 1.1 | faster | peak | its peak | difference in bits |",
        "|:--|--:|--:|--:|--:|--:|--:|",
    ]
    print("\n".join(lines), flush=True)
    for case in CASES:
        if options.word in case:
            lines.append(f"| {' | '.join(compare(case))} |")
            print(lines[-1], flush=True)
    lines += [
        "",
        f"Best of {REPEATS} or more, float64 unless said, on {os.cpu_count()} cores ({core_type()}), NumPy "
        f"{np.__version__}; memory of the whole process. Made by "
        "`python benches/against_reference.py --update README.md docs/performance.md`.",
    ]
    print("\n".join(lines[-2:]))
    for path in options.update:
        before, _, after = path.read_text().split(MARK)
        path.write_text("\n".join([before + MARK, "", *lines, "", MARK + after]))
    return None


if __name__ == "__main__":
    main()
