"""Kills during saves: a reader finds the old file or the new one, and the next save leaves no temporary file.

    python tests/soak/kills.py [COUNT] [--seed SEED]

A program saves two contents in turns, as a spectrum, an estimate, or the eigenvalue file of the reference, and is
killed after a random delay. The eigenvalue file is removed before each save, since one that exists is read.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from programs import Tally, environment, options, report

BEGINNING = """
import os, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from dsentropy import Spectrum, diffusion_spectral_entropy, diffusion_spectrum
path = sys.argv[1]
X = np.random.default_rng(0).normal(size=(40, 3))
"""

END = """
print(*values, flush=True)
while True:
    save(1)
    save(0)
"""

SPECTRA = """
spectra = {spectra}
values = [spectrum.entropy() for spectrum in spectra]

def save(i):
    spectra[i].save(path)

save(0)
"""

SAVES = {
    "spectrum": SPECTRA.format(spectra="Spectrum(np.ones(20_000)), Spectrum(np.arange(1.0, 20_001))"),
    "estimate": SPECTRA.format(
        spectra="[diffusion_spectrum(X, bandwidth=b, solver='stochastic') for b in (1.0, 2.0)]",
    ),
    "eigenvalue file": """
def save(i):
    if os.path.exists(path):
        os.remove(path)
    return diffusion_spectral_entropy(X, eigval_save_path=path, eigval_save_precision=np.float64)

values = [save(0)]
""",
}
"""The contents of a kind, their entropies, and the first save."""


def killed(path: Path, kind: str, delay: float) -> str | None:
    """Start a program that saves, kill it, and return what is wrong with the file."""
    program = [sys.executable, "-c", BEGINNING + SAVES[kind] + END, str(path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        values = [float(value) for value in process.stdout.readline().split()]
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    if process.returncode != -signal.SIGKILL:
        return f"the program ended with {process.returncode}"
    try:
        found = read(path, kind)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None if found in [None, *values] else f"read {found}, saved {values}"


def read(path: Path, kind: str) -> float | None:
    """Return the entropy that the file has, None where there is no eigenvalue file."""
    from dsentropy import Spectrum  # of this tree: `programs` puts it first

    if kind != "eigenvalue file":
        return float(Spectrum.load(path).entropy())
    return reference_entropy(path) if path.exists() else None


def reference_entropy(path: Path) -> float:
    """Return the entropy of the data of the programs, with a file."""
    from dsentropy import diffusion_spectral_entropy

    X = np.random.default_rng(0).normal(size=(40, 3))
    return diffusion_spectral_entropy(X, eigval_save_path=path, eigval_save_precision=np.float64)


def left_after_a_save(path: Path, kind: str) -> list[str]:
    """Save once more, and return the names of temporary files that are left."""
    from dsentropy import Spectrum

    if kind == "eigenvalue file":
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        reference_entropy(path)
    else:
        Spectrum([1.0, 2.0]).save(path)
    return temporaries(path)


def temporaries(path: Path) -> list[str]:
    """Return the names of the other files of a folder."""
    return sorted(other.name for other in path.parent.iterdir() if other != path)


def kills(kind: str, count: int, seed: int) -> Tally:
    """Kill a program `count` times while it saves to one path."""
    tally, delays, seen = Tally(f"kills, {kind}"), random.Random(seed), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.npz"
        for _ in range(count):
            tally.add(killed(path, kind, delays.uniform(0, 0.05)))
            seen += bool(temporaries(path))
        tally.figures = {"times that temporary files were seen": seen}
        left = left_after_a_save(path, kind)
        if left:
            tally.failures.append(f"{len(left)} temporary files are left, {left[0]}")
    return tally


def main(arguments: argparse.Namespace) -> int:
    """Run all kinds."""
    failed = 0
    for kind in SAVES:
        failed |= report([kills(kind, arguments.count, arguments.seed)])
    return failed


if __name__ == "__main__":
    sys.exit(main(options(__doc__ or "", count=20).parse_args()))
