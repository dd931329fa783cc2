"""Pictures of all functions of `dsentropy.plotting`, of plain arrays, whose images are compared with files.

    python tests/support/pictures.py        write the files of tests/python/plotting/baseline/

The arrays are formulas, so no solver takes part. Texts, legends and ticks are left out of the images, since fonts,
their rendering and the ticks of logarithmic axes differ between versions of matplotlib; tests of the texts ask for
their strings. Look at each image that changes before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from dsentropy import plotting
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

BASELINE = Path(__file__).parents[1] / "python" / "plotting" / "baseline"

TIMES = [1, 2, 5]
BANDWIDTHS = [0.1, 0.3, 1.0, 3.0, 10.0, "knn"]
LAYERS = ["conv", "block 1", "block 2", "head"]
STEPS = [0, 10, 20, 50, 100]


def bits(n_rows: int, n_columns: int) -> Any:
    """A smooth array of bits, [rows, columns]."""
    rows, columns = np.ogrid[:n_rows, :n_columns]
    return 4 + 2 * np.cos(0.8 * rows + 0.6 * columns) - 0.5 * columns


def draws(*shape: int) -> Any:
    """Draws about the array above, which reach 0.4 bits to either side."""
    return bits(*shape[1:3])[None].reshape(1, *shape[1:]) + 0.2 * np.linspace(-2, 2, shape[0]).reshape(-1, 1, 1)


def spectrum(ax: Any) -> None:
    for name, rate in [("first", 8), ("second", 4)]:
        plotting.spectrum(np.exp(-np.arange(60.0) / rate), [1, 3, 20], label=name, ax=ax)


def estimate(ax: Any) -> None:
    counts = np.array([1.0, 3.0, 8.0, 20.0, 60.0])
    plotting.estimate([1.0, 0.5, 0.2, 0.05, 0.01], counts, 0.1 * counts, [1, 2], ax=ax)


def surface(ax: Any) -> None:
    values = np.clip(6.2 - bits(6, 3), 0.02, 6)
    plotting.surface(values, BANDWIDTHS, TIMES, max_entropy=6, null=values + draws(5, 6, 3) - bits(6, 3), ax=ax)


def surface_of_names(ax: Any) -> None:
    plotting.surface(bits(3, 2), ["knn", "adaptive 1", "adaptive 2"], [1, 2], null=draws(4, 3, 2), ax=ax)


def surface_map(ax: Any) -> None:
    values = np.clip(2.2 * bits(6, 3) - 4, 0, 6)
    values[3, 1] = np.nan
    null = values + 0.3 + 0.2 * np.linspace(-1, 1, 4)[:, None, None] * np.array([0.2, 1, 2])
    plotting.surface_map(values, BANDWIDTHS, TIMES, max_entropy=6, null=null, ax=ax)


def information(ax: Any) -> None:
    for name, shift in [("first", 0.0), ("second", 0.8)]:
        null = np.linspace(-0.3, 0.3, 21)[:, None] * np.ones(3)
        plotting.information(
            [1.2 + shift, 0.8, 0.3], [0.1, 0.2, np.nan], TIMES, null=null, ceiling=2.5, label=name, ax=ax
        )


def clusters(ax: Any) -> None:
    null = np.linspace(-0.4, 0.4, 21)[:, None, None] * np.ones((4, 2))
    plotting.clusters(bits(4, 2) / 4, ["a", "b", "c", "d"], [1, 2], null=null, ax=ax)


def subsampled(ax: Any) -> None:
    values = draws(6, 3, 2)
    plotting.subsampled(values, np.stack([values[1], values[4]]), TIMES, [1, 2], ax=ax)


def convergence(ax: Any) -> None:
    plotting.convergence([50, 100, 200, 400], bits(4, 2), 0.3 * np.ones((4, 2)), ["t = 1", "t = 2"], ax=ax)


def differences(ax: Any) -> None:
    middle = bits(3, 2) - 4
    plotting.differences(middle, middle - 0.5, middle + 0.3, ["A - B", "A - C", "B - C"], [1, 2], ax=ax)


def layers(ax: Any) -> None:
    saturated = np.zeros((4, 2))
    saturated[1, 0] = 1
    null = {"null_mean": bits(4, 2) + 0.4, "null_standard_deviation": 0.1 * np.ones((4, 2))}
    plotting.layers(bits(4, 2), LAYERS, [1, 2], saturated=saturated, **null, ax=ax)


def null_baseline(ax: Any) -> None:
    plotting.null_baseline(bits(3, 2) - 0.6, draws(5, 3, 2), TIMES, [1, 2], ax=ax)


def structure(ax: Any) -> None:
    multiples = np.geomspace(0.1, 10, 9)
    peaks = np.exp(-(np.log(multiples) ** 2)) * np.array([[1.0], [0.5]])
    plotting.structure(peaks, 0.1 * np.ones((2, 9)), multiples, suggested=1.0, labels=["conv", "head"], ax=ax)


def curves_of_steps() -> Any:
    values = bits(5, 4)
    values[2, 1] = np.nan
    return values


def training(ax: Any) -> None:
    values, names = curves_of_steps()[:, :2], LAYERS[:2]
    shown = {"null_mean": values + 0.6, "saturated": values < 3.2}
    plotting.training(STEPS, values, names, standard_errors=0.1 * np.ones((5, 2)), label="run a", ax=ax, **shown)
    plotting.training(STEPS, values + 0.3, names, label="run b", ax=ax)


def training_map(ax: Any) -> None:
    plotting.training_map(STEPS, curves_of_steps(), LAYERS, ax=ax)


def profile(ax: Any) -> None:
    plotting.profile(LAYERS, curves_of_steps(), STEPS, saturated=curves_of_steps() < 2, ax=ax)


PICTURES: dict[str, Callable[[Any], None]] = {
    each.__name__: each
    for each in [
        clusters,
        convergence,
        differences,
        estimate,
        information,
        layers,
        null_baseline,
        profile,
        spectrum,
        structure,
        subsampled,
        surface,
        surface_map,
        surface_of_names,
        training,
        training_map,
    ]
}


LEGEND_ABOVE = ("convergence", "layers", "profile", "training")
"""Pictures that have room for a legend in axes without a layout: by its height, which is that of fonts."""


def drawn(name: str) -> Figure:
    """Draw a picture with the settings of matplotlib, whatever those of the user are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        figure = Figure(figsize=(4, 3), dpi=60, layout="constrained" if name in LEGEND_ABOVE else None)
        FigureCanvasAgg(figure)
        PICTURES[name](figure.add_subplot())
    return figure


def save(name: str, path: Path) -> None:
    """Write the image of a picture without texts, legends and ticks."""
    with mpl.rc_context():
        mpl.rcdefaults()
        figure = drawn(name)
        for axes in figure.axes:
            axes.tick_params(which="both", length=0)
        for artist in figure.findobj(lambda one: isinstance(one, (Text, Legend))):
            artist.set_visible(False)
        figure.savefig(path, metadata={"Software": None})


if __name__ == "__main__":
    for picture in PICTURES:
        save(picture, BASELINE / f"{picture}.png")
