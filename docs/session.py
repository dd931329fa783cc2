"""Write the terminal session of README.md, between its markers, and its figure, docs/session.png.

    python docs/session.py

Needs `pip install "dsentropy[files,plot]"`. tests/python/package/test_session.py runs it as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import safetensors.numpy
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

README = Path(__file__).parents[1] / "README.md"
PICTURE = Path(__file__).parent / "session.png"
BEGIN, END = "<!-- session -->\n```console\n", "```\n<!-- end of session -->"
ROWS, LAYERS = 300, 12

COMMANDS = [
    "dsentropy layers activations --null gaussian --plot layers.png",
    "dsentropy information activations/layer_12.safetensors --target labels.csv:digit --permutations 19",
    "dsentropy layers activations --format json | "
    'python -c \'import json, sys; print(min(json.load(sys.stdin), key=lambda layer: layer["value"])["layer"])\'',
]


def write_activations(folder: Path) -> None:
    """Train a network of 12 layers on handwritten digits, and write each layer to a file, and the labels."""
    images, labels = load_digits(return_X_y=True)
    network = MLPClassifier((48,) * LAYERS, activation="tanh", random_state=0)
    for _ in range(20):
        network.partial_fit(images / 16, labels, classes=np.unique(labels))
    Z = images[:ROWS] / 16
    (folder / "activations").mkdir()
    for number in range(LAYERS):
        Z = np.tanh(Z @ network.coefs_[number] + network.intercepts_[number])
        path = folder / "activations" / f"layer_{number + 1}.safetensors"
        safetensors.numpy.save_file({"hidden": Z.astype(np.float32)}, path)
    rows = "\n".join(f"{row},{label}" for row, label in enumerate(labels[:ROWS]))
    (folder / "labels.csv").write_text(f"image,digit\n{rows}\n")


def session(folder: Path) -> str:
    """Return the commands with what they print, in a folder that has the activations."""
    (folder / "bin").mkdir()
    for name, arguments in [("dsentropy", "-m dsentropy "), ("python", "")]:
        command = folder / "bin" / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    lines = []
    for command in COMMANDS:
        ran = subprocess.run(
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        lines.append(f"$ {command}\n{ran.stdout}{ran.stderr}")
    return "\n".join(lines)


def block() -> str:
    """Return the session that README.md shows."""
    text = README.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def main() -> None:
    """Write the session and the figure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_activations(folder)
        found = session(folder)
        shutil.copyfile(folder / "layers.png", PICTURE)
    README.write_text(README.read_text(encoding="utf-8").replace(BEGIN + block(), BEGIN + found), encoding="utf-8")


if __name__ == "__main__":
    main()
