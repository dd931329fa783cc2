"""The main job on real data: how the hidden layer of a small network changes while it learns.

A network of one hidden layer (64 rectified linear units) learns scikit-learn's handwritten digits, once with their
labels and once with shuffled ones. Every few epochs the hidden activations Z of 600 images X with labels Y are
measured.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsentropy import diffusion_spectral_entropy, diffusion_spectral_mutual_information

_SIGMA = 10.0
_HIDDEN = 64
_PROBES = 600
_BATCH = 64
_LEARNING_RATE = 0.015
_MOMENTUM = 0.9


class Epoch(NamedTuple):
    """What is measured after an epoch; entropies in bits."""

    epoch: int
    accuracy: float
    dse: float
    dse_median: float
    dsmi_labels: float
    dsmi_images: float


_CELL = 9
"""Least width of a cell of the table."""

_COLUMNS = {
    "epoch": "epoch",
    "accuracy": "accuracy",
    "dse": "DSE(Z) sigma=10",
    "dse_median": "DSE(Z) sigma=median",
    "dsmi_labels": "DSMI(Z;Y)",
    "dsmi_images": "DSMI(Z;X)",
}


def run(epochs: int, every: int, plot_path: str | None, say: Callable[[str], None] = print) -> None:
    """Train twice, print a table each, and draw the curves where matplotlib is installed.

    Parameters
    ----------
    epochs : int
        The number of the last epoch; the first, 0, is before training.
    every : int
        Epochs from one row of the table to the next.
    plot_path : str or None
        Where the curves are drawn. None draws nothing.
    say : callable
        Takes each line.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = digits.data / 16, digits.target
    say(f"A network of {_HIDDEN} hidden units learns {len(images)} handwritten digits.")
    say(f"Z: its hidden layer on {_PROBES} of them, X: their images, Y: their true labels. Bits; DSMI at sigma=10.")
    histories = {}
    image_clusters = None
    for title, targets in {
        "true labels": labels,
        "shuffled labels": np.random.default_rng(1).permutation(labels),
    }.items():
        say("")
        say(f"Trained on {title}:")
        say("  ".join(f"{column:>{_CELL}}" for column in _COLUMNS.values()))
        history = []
        for epoch, accuracy, hidden in _training(images, targets, epochs):
            if epoch % every and epoch != epochs:
                continue
            measured, image_clusters = _measure(hidden, images, labels, image_clusters)
            history.append(Epoch(epoch, accuracy, *measured))
            say(_table_row(history[-1]))
        histories[title] = history
    if plot_path is not None:
        _plot(histories, plot_path, say)
    say("")
    say(_conclusion(histories["true labels"], histories["shuffled labels"]))


def median_distance(X: NDArray[Any]) -> float:
    """The median distance of two different rows."""
    from sklearn.metrics import pairwise_distances

    return float(np.median(pairwise_distances(X)[np.triu_indices(len(X), k=1)]))


def _training(
    X: NDArray[np.float64], y: NDArray[np.int64], epochs: int
) -> Iterator[tuple[int, float, NDArray[np.float64]]]:
    """Yield the epoch, the accuracy and the hidden layer of the probes, before training and after each epoch.

    Stochastic gradient descent with momentum on the cross entropy.
    """
    rng = np.random.default_rng(0)
    n_classes = int(y.max()) + 1
    weights = [
        rng.normal(scale=np.sqrt(1 / X.shape[1]), size=(X.shape[1], _HIDDEN)),
        np.zeros(_HIDDEN),
        rng.normal(scale=np.sqrt(1 / _HIDDEN), size=(_HIDDEN, n_classes)),
        np.zeros(n_classes),
    ]
    velocities = [np.zeros_like(w) for w in weights]
    one_hot = np.eye(n_classes)[y]
    for epoch in range(epochs + 1):
        if epoch:
            order = rng.permutation(len(X))
            for batch in np.array_split(order, len(X) // _BATCH):
                gradients = _gradients(weights, X[batch], one_hot[batch])
                for w, velocity, gradient in zip(weights, velocities, gradients, strict=True):
                    velocity *= _MOMENTUM
                    velocity -= _LEARNING_RATE * gradient
                    w += velocity
        hidden = np.maximum(X @ weights[0] + weights[1], 0)
        predicted = (hidden @ weights[2] + weights[3]).argmax(axis=1)
        yield epoch, float((predicted == y).mean()), hidden[:_PROBES]


def _gradients(
    weights: list[NDArray[np.float64]], X: NDArray[np.float64], one_hot: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the mean cross entropy's gradient with respect to each weight."""
    hidden = np.maximum(X @ weights[0] + weights[1], 0)
    scores = hidden @ weights[2] + weights[3]
    likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
    at_scores = (likelihood / likelihood.sum(axis=1, keepdims=True) - one_hot) / len(X)
    at_hidden = (at_scores @ weights[2].T) * (hidden > 0)
    return [X.T @ at_hidden, at_hidden.sum(axis=0), hidden.T @ at_scores, at_scores.sum(axis=0)]


def _measure(
    Z: NDArray[np.float64], images: NDArray[np.float64], labels: NDArray[np.int64], image_clusters: Any
) -> tuple[tuple[float, float, float, float], Any]:
    """Return both DSE and both DSMI of the probes, and the clusters of the images, which are found once."""
    information, _ = diffusion_spectral_mutual_information(Z, labels[: len(Z)], gaussian_kernel_sigma=_SIGMA)
    about_images, image_clusters = diffusion_spectral_mutual_information(
        Z, images[: len(Z)], gaussian_kernel_sigma=_SIGMA, precomputed_clusters=image_clusters
    )
    measured = (
        diffusion_spectral_entropy(Z, gaussian_kernel_sigma=_SIGMA),
        diffusion_spectral_entropy(Z, gaussian_kernel_sigma=median_distance(Z)),
        information,
        about_images,
    )
    return measured, image_clusters


def _table_row(measured: Epoch) -> str:
    cells = [f"{measured.epoch}", *(f"{value:.3f}" for value in measured[1:])]
    widths = [max(_CELL, len(column)) for column in _COLUMNS.values()]
    return "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _conclusion(true: list[Epoch], shuffled: list[Epoch]) -> str:
    """Say in one line what there is to see, with the figures of this run."""
    return (
        f"What to see: trained on true labels the layer comes to carry them, DSMI(Z;Y) {true[0].dsmi_labels:.2f} -> "
        f"{true[-1].dsmi_labels:.2f} bits, trained on shuffled ones it hardly does, "
        f"{shuffled[0].dsmi_labels:.2f} -> {shuffled[-1].dsmi_labels:.2f}; and the bandwidth decides what DSE says: "
        f"{true[0].dse:.2f} -> {true[-1].dse:.2f} at sigma=10, {true[0].dse_median:.2f} -> "
        f"{true[-1].dse_median:.2f} at the median distance."
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
    panels = {"dse": "DSE(Z), sigma = 10", "dse_median": "DSE(Z), sigma = median distance"}
    panels |= {"dsmi_labels": "DSMI(Z; Y)", "dsmi_images": "DSMI(Z; X)"}
    for axes, (field, title) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        for label, history in histories.items():
            axes.plot([row.epoch for row in history], [getattr(row, field) for row in history], label=label)
        axes.set(title=title, xlabel="epoch", ylim=(0, None))
        axes.title.set_fontsize(10)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("bits")
    figure.axes[0].legend(frameon=False)
    temporary = f"{path}.{os.getpid()}.tmp"
    figure.savefig(temporary, dpi=150, format=os.path.splitext(path)[1].lstrip(".") or "png")
    os.replace(temporary, path)
    say(f"\nCurves: {os.path.abspath(path)}")
