"""A small convolutional network learns handwritten digits, with true and with shuffled labels, while it is watched.

    python examples/digits_cnn.py [FILE] [EPOCHS]      draw FILE, by default docs/training.png, of 20 epochs

Three layers are measured on 500 images: their information on the true digits, and their entropy. Takes half a minute
on one core. Needs `pip install "dsentropy[torch,plot]"`.
"""

import sys
from pathlib import Path

import torch
from dsentropy.integrations.torch import LayerMonitor
from dsentropy.monitor import Monitor
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import nn

LAYERS = {"conv1": ("C0", "1"), "conv2": ("C1", "4"), "dense": ("C2", "8")}  # colours, and names of modules


def watched(X: torch.Tensor, digits: torch.Tensor, learned: torch.Tensor, epochs: int) -> Monitor:
    """Train a network on some labels, and return its monitor."""
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    convolutions += [nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    watch = LayerMonitor(model, ["1", "4", "8"], (X[:500], digits[:500]), pool="flatten")
    for epoch in range(epochs + 1):
        watch.sweep(epoch)
        for rows in torch.randperm(len(X)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(X[rows]), learned[rows]).backward()
            optimizer.step()
    watch.close()
    return watch.monitor


def main(path: str, epochs: int) -> None:
    """Train twice, and draw the curves of both."""
    torch.set_num_threads(1)  # sums have one order
    images, classes = load_digits(return_X_y=True)
    X, digits = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(classes)
    shuffled = digits[torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    panels = dict(zip(["dsmi", "dse"], figure.subplots(1, 2), strict=True))
    for kind, learned, style in [("true", digits, "-"), ("shuffled", shuffled, "--")]:
        monitor = watched(X, digits, learned, epochs)
        for measure, axes in panels.items():
            curves = monitor.curves(measure)
            for (name, (color, _)), values in zip(LAYERS.items(), curves.values.T, strict=True):
                axes.plot(curves.steps, values, style, color=color, label=f"{name}, {kind} labels")
    for title, axes in zip(["DSMI(Z; Y), Y the true digits", "DSE(Z)"], panels.values(), strict=True):
        axes.set(title=title, xlabel="epoch", ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    panels["dsmi"].set_ylabel("bits")
    panels["dse"].legend(ncols=2, frameon=False, fontsize=8, handlelength=1.5, loc="lower left")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    default = Path(__file__).parents[1] / "docs" / "training.png"
    main(sys.argv[1] if len(sys.argv) > 1 else str(default), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
