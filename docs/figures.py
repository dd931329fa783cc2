"""Draw the pictures of README.md and of docs/choosing-a-bandwidth.md.

    python docs/figures.py        write docs/demo.png, layers.png, quickstart.png, surface.png, trends.png, and for
                                  the first page of the site docs/_static/landing-*.svg, light, dark, wide, narrow

Takes about three minutes. Needs `pip install "dsentropy[plot]"`.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.style
import numpy as np
from dsentropy import LayerEntropies, diffusion_spectral_entropy, entropy_surface, estimate_bandwidth, layer_entropies
from dsentropy.cli import demo
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

FOLDER = Path(__file__).parent
ROWS = 600
LAYER_ROWS = 300
SIGMA = 10.0
EPOCHS = 60
EVERY = 3
TICKS = [5, 10, 20, 50, 100, 200]
GREY = "0.35"
_STYLES = {"light": "default", "dark": "dark_background"}


def measured(bandwidths: list[str], names: list[str]) -> LayerEntropies:
    """Return the entropies of the pixels and of layers of the README's network, beside their null."""
    images, labels = load_digits(return_X_y=True)
    network = MLPClassifier((64, 16), tol=1e-3, random_state=0).fit(images / 16, labels)
    Z = images[:LAYER_ROWS] / 16
    found = {"pixels": Z}
    for name, weights, bias in zip(names, network.coefs_, network.intercepts_, strict=False):
        Z = Z @ weights + bias if name == "logits" else np.maximum(Z @ weights + bias, 0)
        found[name] = Z
    return layer_entropies(found, bandwidths, null="gaussian")


def layers(narrow: bool = False) -> Figure:
    """Draw the entropies by depth at two bandwidths, beside or below each other."""
    entropies = measured(["median", "structure"], ["hidden 1", "hidden 2", "logits"])
    figure = Figure(figsize=(4.2, 6) if narrow else (8, 3.2), layout="constrained")
    if narrow:
        figure.get_layout_engine().set(h_pad=0.12)
    titles = ["at the median distance", f"at {entropies.suggestion.multiple:.2f} medians, of the largest structure"]
    for place, (axes, title) in enumerate(zip(figure.subplots(*((2, 1) if narrow else (1, 2))), titles, strict=True)):
        entropies.plot(bandwidth=place, ax=axes)
        axes.set_title(title, fontsize=11)
        axes.set(xlabel="", ylim=(0, 1.1 * entropies.null_mean[:, place].max()))
        line, null = (next(one for one in axes.get_lines() if one.get_linestyle() == style) for style in ("-", "--"))
        axes.legend([line, null], ["entropy", "normal noise of equal covariance"], frameon=False, loc="lower left")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def quickstart() -> Figure:
    """Draw the entropies of the quickstart as they come."""
    figure = Figure(figsize=(6, 3.6), layout="constrained")
    measured(["structure"], ["first", "second"]).plot(ax=figure.add_subplot())
    return figure


def surface() -> Figure:
    """Draw the entropy of digits over bandwidths, for four diffusion times."""
    X = load_digits().data[:ROWS]
    median = estimate_bandwidth(X)
    bandwidths = sorted([*np.geomspace(4, 250, 18), median])
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    entropy_surface(X, bandwidths, t=[1, 2, 5, 20]).plot(ax=axes)
    axes.axvline(median, color=GREY, linewidth=0.8, linestyle="--")
    axes.annotate(
        f"median distance, {median:.1f}",
        (median, 0.62),
        xycoords=("data", "axes fraction"),
        xytext=(6, 0),
        textcoords="offset points",
        color=GREY,
    )
    axes.set_xticks(TICKS, [str(tick) for tick in TICKS])
    axes.set_xticks([], minor=True)
    axes.set_title(f"digits, {axes.get_title()}", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def trends() -> Figure:
    """Draw the entropy of a hidden layer while it learns, at two bandwidths, and the bandwidths."""
    digits = load_digits()
    epochs, fixed, following, medians = [], [], [], []
    for epoch, _, Z in demo.training(digits.data / 16, digits.target, EPOCHS):
        if epoch % EVERY:
            continue
        median = estimate_bandwidth(Z)
        epochs.append(epoch)
        fixed.append(diffusion_spectral_entropy(Z, gaussian_kernel_sigma=SIGMA))
        following.append(diffusion_spectral_entropy(Z, gaussian_kernel_sigma=median))
        medians.append(median)
        print(f"epoch {epoch:2}: {fixed[-1]:.3f} at {SIGMA:g}, {following[-1]:.3f} at the median {median:.2f}")
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    entropies, bandwidths = figure.subplots(1, 2)
    entropies.plot(epochs, following, label="at the median distance")
    entropies.plot(epochs, fixed, label=f"at {SIGMA:g}")
    entropies.set(title="entropy of the hidden layer", ylabel="bits", ylim=(0, 3.5))
    entropies.legend(frameon=False, loc="center right")
    bandwidths.plot(epochs, medians, label="median distance")
    bandwidths.axhline(SIGMA, color="C1", label=f"{SIGMA:g}")
    bandwidths.set(title="bandwidth", ylabel="units of the activations", ylim=(0, 1.15 * SIGMA))
    bandwidths.legend(frameon=False, loc="lower right")
    for axes in (entropies, bandwidths):
        axes.set_xlabel("epoch")
        axes.title.set_fontsize(11)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def landing(style: str, narrow: bool = False) -> None:
    """Write the picture of the layers as an SVG without a background, for light or for dark pages."""
    with matplotlib.style.context([_STYLES[style], {"svg.fonttype": "path", "svg.hashsalt": "dsentropy"}]):
        figure = layers(narrow)
        FigureCanvasAgg(figure)
        path = FOLDER / "_static" / f"landing-{'narrow-' if narrow else ''}{style}.svg"
        figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})


def write(figure: Figure, name: str) -> None:
    """Write a PNG next to this script."""
    FigureCanvasAgg(figure)
    figure.savefig(FOLDER / name, dpi=120, metadata={"Software": None})


if __name__ == "__main__":
    demo.run(EPOCHS, 5, str(FOLDER / "demo.png"))
    write(layers(), "layers.png")
    for narrow in (False, True):
        landing("light", narrow)
        landing("dark", narrow)
    write(quickstart(), "quickstart.png")
    write(surface(), "surface.png")
    write(trends(), "trends.png")
