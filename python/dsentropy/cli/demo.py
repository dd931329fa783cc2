"""The demo: how the hidden layer of a small network changes while it learns.

A network of one hidden layer (64 rectified linear units, scikit-learn's ``MLPClassifier``) learns scikit-learn's
handwritten digits, once with their labels and once with shuffled ones. Every few epochs the hidden activations Z of
600 images X with labels Y are measured: the entropy of Z at two bandwidths, and its information about Y and about X.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsentropy import (
    SaturationWarning,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    estimate_bandwidth,
)
from dsentropy._checks.printing import printed
from dsentropy.cli.picture import picture_format, require_plot_path
from dsentropy.io.replacing import replacing

HELP = "watch a hidden layer learn handwritten digits"

EXAMPLE = "dsentropy demo --epochs 30"

BANDWIDTH = 10.0
HIDDEN_UNITS = 64
N_PROBES = 600


class Epoch(NamedTuple):
    """Measurements after an epoch; entropies and informations in bits."""

    epoch: int
    accuracy: float
    dse: float
    dse_median: float
    dsmi_labels: float
    dsmi_images: float


_COLUMNS = {
    "epoch": "epoch",
    "accuracy": "accuracy",
    "dse": "DSE(Z) sigma=10",
    "dse_median": "DSE(Z) sigma=median",
    "dsmi_labels": "DSMI(Z;Y)",
    "dsmi_images": "DSMI(Z;X)",
}

_PANELS = {
    "dse": "DSE(Z), sigma = 10",
    "dse_median": "DSE(Z), sigma = median distance",
    "dsmi_labels": "DSMI(Z; Y)",
    "dsmi_images": "DSMI(Z; X)",
}

_MAX_EPOCHS = 10**6
"""The most epochs of the demo: they take a day."""

_MIN_WIDTH = 9
"""Minimum width of a cell of the table."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = (
        "Train a small network on scikit-learn's digits, with true and with shuffled labels, and print the entropy "
        "of its hidden layer and its information about labels and images as it learns."
    )
    parser.add_argument("--epochs", type=_epochs, default=60, help="epochs of training (default: 60)")
    parser.add_argument("--every", type=_epochs, default=5, help="epochs between measurements (default: 5)")
    parser.add_argument(
        "--plot",
        metavar="FILE",
        type=_plot_path,
        default="dsentropy-demo.png",
        help="picture of the curves, drawn if matplotlib is installed (default: dsentropy-demo.png)",
    )


def execute(options: argparse.Namespace) -> None:
    """Run the demo with the options of the command line."""
    run(options.epochs, options.every, options.plot)


def _epochs(text: str) -> int:
    try:
        number = int(text)
    except ValueError:  # of no number, and of one with more digits than Python reads
        raise argparse.ArgumentTypeError(f"must be an integer, got {printed(text)}") from None
    if not 1 <= number <= _MAX_EPOCHS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {_MAX_EPOCHS}, got {printed(number)}")
    return number


def _plot_path(text: str) -> str:
    path = os.path.expanduser(text)
    try:
        require_plot_path(path)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return path


def run(epochs: int, every: int, plot_path: str | None, say: Callable[[str], None] = print) -> None:
    """Train twice, print a table for each, and draw the curves where matplotlib is installed.

    Parameters
    ----------
    epochs : int
        Number of the last epoch; the first, 0, is before training.
    every : int
        Epochs from one row of the table to the next.
    plot_path : str or None
        File of the picture. None draws nothing.
    say : callable
        Takes each line.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = digits.data / 16, digits.target
    say(f"A network of {HIDDEN_UNITS} hidden units learns {len(images)} handwritten digits.")
    say(f"Z: its hidden layer on {N_PROBES} of them, X: their images, Y: their true labels. Bits; DSMI at sigma=10.")
    targets = {"true labels": labels, "shuffled labels": np.random.default_rng(1).permutation(labels)}
    histories: dict[str, list[Epoch]] = {}
    image_clusters = None
    for title, learned in targets.items():
        say("")
        say(f"Trained on {title}:")
        say("  ".join(f"{column:>{_MIN_WIDTH}}" for column in _COLUMNS.values()))
        histories[title] = []
        for epoch, accuracy, hidden in training(images, learned, epochs):
            if epoch % every and epoch != epochs:
                continue
            measured, image_clusters = _measure(hidden, images, labels, image_clusters)
            histories[title].append(Epoch(epoch, accuracy, *measured))
            say(_table_row(histories[title][-1]))
    if plot_path is not None:
        _plot(histories, plot_path, say)
    say("")
    say(_conclusion(histories["true labels"], histories["shuffled labels"]))


def training(
    X: NDArray[np.float64], y: NDArray[np.int64], epochs: int
) -> Iterator[tuple[int, float, NDArray[np.float64]]]:
    """Yield the epoch, the accuracy and the hidden layer of the probes, before training and after each epoch.

    The network learns by stochastic gradient descent with momentum on the cross entropy.
    """
    classes = np.unique(y)
    untrained = _network(learning_rate=1e-12).partial_fit(X, y, classes=classes)  # weights as they were initialized
    yield 0, untrained.score(X, y), _hidden(untrained, X[:N_PROBES])
    network = _network(learning_rate=0.015)
    for epoch in range(1, epochs + 1):
        network.partial_fit(X, y, classes=classes)
        yield epoch, network.score(X, y), _hidden(network, X[:N_PROBES])


def _network(learning_rate: float) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        hidden_layer_sizes=(HIDDEN_UNITS,),
        solver="sgd",
        alpha=0.0,
        batch_size=64,
        learning_rate_init=learning_rate,
        momentum=0.9,
        nesterovs_momentum=False,
        random_state=np.random.RandomState(0),  # an integer would give each epoch the same batches
    )


def _hidden(network: Any, X: NDArray[np.float64]) -> NDArray[np.float64]:
    activations: NDArray[np.float64] = np.maximum(X @ network.coefs_[0] + network.intercepts_[0], 0)
    return activations


def _measure(
    Z: NDArray[np.float64], images: NDArray[np.float64], labels: NDArray[np.int64], image_clusters: Any
) -> tuple[tuple[float, float, float, float], Any]:
    """Return both DSE and both DSMI of the probes, and the clusters of the images, which are found once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)  # at the start; the conclusion says so
        about_labels, _ = diffusion_spectral_mutual_information(Z, labels[: len(Z)], gaussian_kernel_sigma=BANDWIDTH)
        about_images, image_clusters = diffusion_spectral_mutual_information(
            Z, images[: len(Z)], gaussian_kernel_sigma=BANDWIDTH, precomputed_clusters=image_clusters
        )
        measured = (
            diffusion_spectral_entropy(Z, gaussian_kernel_sigma=BANDWIDTH),
            diffusion_spectral_entropy(Z, gaussian_kernel_sigma=estimate_bandwidth(Z)),
            about_labels,
            about_images,
        )
    return measured, image_clusters


def _table_row(measured: Epoch) -> str:
    cells = [f"{measured.epoch}", *(f"{value:.3f}" for value in measured[1:])]
    widths = [max(_MIN_WIDTH, len(column)) for column in _COLUMNS.values()]
    return "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _conclusion(true: list[Epoch], shuffled: list[Epoch]) -> str:
    """Return one line about the two tables, with the figures of this run."""
    return (
        f"What to see: trained on true labels the layer comes to carry them, DSMI(Z;Y) {true[0].dsmi_labels:.2f} -> "
        f"{true[-1].dsmi_labels:.2f} bits, trained on shuffled ones it hardly does, "
        f"{shuffled[0].dsmi_labels:.2f} -> {shuffled[-1].dsmi_labels:.2f}; and the bandwidth decides what DSE says: "
        f"{true[0].dse:.2f} -> {true[-1].dse:.2f} at sigma=10, {true[0].dse_median:.2f} -> "
        f"{true[-1].dse_median:.2f} at the median distance. An entropy within 2% of 0 or of log2 of the rows says "
        "little about them, and has a SaturationWarning, which the demo does not print."
    )


def _plot(histories: dict[str, list[Epoch]], path: str, say: Callable[[str], None]) -> None:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        say('\n(For a picture of the curves install matplotlib: pip install "dsentropy[plot]")')
        return
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (field, title) in zip(figure.subplots(1, len(_PANELS)), _PANELS.items(), strict=True):
        for label, history in histories.items():
            axes.plot([row.epoch for row in history], [getattr(row, field) for row in history], label=label)
        axes.set(title=title, xlabel="epoch", ylim=(0, None))
        axes.title.set_fontsize(10)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("bits")
    figure.axes[0].legend(frameon=False)
    with replacing(path) as file:
        figure.savefig(file, dpi=150, format=picture_format(path))
    say(f"\nCurves: {os.path.abspath(path)}")
