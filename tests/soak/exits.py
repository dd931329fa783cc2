"""Exits of a process while daemon threads compute: the status must be 0, on every CPython that is found.

    python tests/soak/exits.py [COUNT] [--seed SEED] [--only callbacks] [--python PATH ...]

Each interpreter gets an environment in target/soak (NumPy, SciPy, scikit-learn, Dask) and imports the package of this
tree, whose extension serves all of them (abi3).
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

from programs import PACKAGE, ROOT, Tally, options, report, run

NEEDS = ["numpy", "scipy", "scikit-learn", "dask[array]"]

BEGINNING = """
import sys, threading, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from dsentropy import (
    Stochastic,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
    kernel_spectrum,
)
X = np.random.default_rng(0).normal(size=(600, 5))

class Twice:
    shape, dtype = (40, 40), np.dtype(float)

    def matmat(self, block):
        return 2 * block

def repeated(work):
    while True:
        work()
"""

WORK = {
    "callbacks": "lambda: kernel_spectrum(Twice())",
    "estimates by callbacks": "lambda: kernel_spectrum(Twice(), solver='stochastic')",
    "chunks": "lambda: diffusion_spectrum(rows, bandwidth=2.0, solver=Stochastic(t=1, tol=1e-5))",
    "progress": "lambda: diffusion_spectrum(X, bandwidth=2.0, progress=True, solver=Stochastic(storage='tiled'))",
    "exact": "lambda: diffusion_spectral_entropy(X, num_threads=2)",
    "many problems": "lambda: diffusion_spectral_mutual_information(X, np.arange(600) % 4)",
}
"""The function that each daemon thread calls again and again."""

BEFORE = {"chunks": "import dask.array as da\nrows = da.from_array(X, chunks=(200, 5))\n"}

END = """
for _ in range(4):
    threading.Thread(target=repeated, args=({work},), daemon=True).start()
time.sleep(float(sys.argv[1]))
"""


def interpreters() -> list[str]:
    """Find the CPythons that the package serves: of pyenv, and this one."""
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = [path for path in sorted(versions.glob("3.*/bin/python")) if minor_version(path) >= 10]
    return [str(path) for path in found] or [sys.executable]


def minor_version(python: Path) -> int:
    """Return 11 for a path with a folder 3.11.7."""
    return int("".join(c for c in python.parents[1].name.split(".")[1] if c.isdigit()))


def environment_of(python: str) -> str:
    """Return an interpreter that has what the package needs: this one, or that of an environment in target/soak."""
    imports = [python, "-c", "import numpy, scipy, sklearn, dask.array"]
    if subprocess.run(imports, capture_output=True).returncode == 0:
        return python
    folder = ROOT / "target" / "soak" / Path(python).parents[1].name
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    subprocess.run(
        [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *NEEDS],
        check=True,
        cwd=PACKAGE,  # no project there
    )
    return str(inside)


def exits(python: str, work: str, count: int, seed: int) -> Tally:
    """End a process while four daemon threads work, after delays of 0.1 to 0.4 s."""
    version = Path(python).parents[1].name
    tally = Tally(f"exits, {work}, {version}")
    delays = random.Random(seed)
    program = BEGINNING + BEFORE.get(work, "") + END.format(work=WORK[work])
    for _ in range(count):
        delay = delays.uniform(0.1, 0.4)
        ended = run(program, delay, python=python)
        tally.add(None if ended.status == 0 else f"after {delay:.3f} s: {ended.text()}")
    return tally


def main(arguments: argparse.Namespace) -> int:
    """Run all kinds on all interpreters."""
    failed = 0
    for python in map(environment_of, arguments.python or interpreters()):
        for work in arguments.only or WORK:
            failed |= report([exits(python, work, arguments.count, arguments.seed)])
    return failed


if __name__ == "__main__":
    parser = options(__doc__ or "", count=10)
    parser.add_argument("--only", action="append", choices=WORK, help="one kind of work")
    parser.add_argument("--python", action="append", help="one interpreter")
    sys.exit(main(parser.parse_args()))
