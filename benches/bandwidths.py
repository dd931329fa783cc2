"""Structure at the suggested bandwidth, at the median distance and at 10, on draws that were not used to choose.

    python benches/representations.py FOLDER     first, for the layers of the networks and of the encoder
    python benches/bandwidths.py FOLDER          print the table of docs/choosing-a-bandwidth.md

Rows are 600 of scikit-learn's digits, the layers of a network on them before and after it learned, and 600 sentences
in the layers of all-MiniLM-L6-v2. `suggest_bandwidth` has 10 draws of the normal null, at t = 1; `null_baseline` has
20 others at each bandwidth.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from dsentropy import SaturationWarning, estimate_bandwidth, null_baseline, suggest_bandwidth
from numpy.typing import NDArray


def data_sets(folder: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield names and rows."""
    networks = np.load(folder / "digits_networks.npz")
    yield "digits, pixels", networks["pixels"]
    for state in ("untrained", "trained"):
        for layer in ("hidden1", "hidden2", "hidden3"):
            yield f"{state} network, {layer}", networks[f"{state}_{layer}"]
    if (folder / "minilm.npz").exists():
        encoder = np.load(folder / "minilm.npz")
        for layer in range(7):
            yield f"MiniLM, layer {layer}", encoder[f"layer_{layer}"]


def cell(X: NDArray[Any], bandwidth: float) -> str:
    """The structure and z of fresh draws."""
    found = null_baseline(X, bandwidth=bandwidth)
    return f"{found.structure:.2f} ({found.z:.0f})"


def main(folder: Path) -> None:
    """Print the table."""
    warnings.simplefilter("ignore", SaturationWarning)
    print("| rows | median | suggested, in medians | clear | structure (z) there | at the median | at 10 |")
    print("|:--|--:|--:|:--|--:|--:|--:|")
    for name, X in data_sets(folder):
        found, median = suggest_bandwidth(X), estimate_bandwidth(X)
        cells = [cell(X, bandwidth) for bandwidth in (found.bandwidth, median, 10.0)]
        clear = "yes" if found.clear else "no"
        print(f"| {name} | {median:.3g} | {found.multiple:.2f} | {clear} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with digits_networks.npz and minilm.npz")
    main(parser.parse_args().folder)
