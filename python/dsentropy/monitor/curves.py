"""Values of a measure by step and layer, as curves against the step and as profiles over the depth.

With v_s the value at step s, the change since the first is v_s - v_0, and the drawdown max_{r <= s} v_r - v_s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import plotting
from dsentropy._data.surrogates import null_label
from dsentropy._results.tabular import Tabular

_LABELS = {
    "dse": "diffusion spectral entropy (bits)",
    "dsmi": "information on the labels (bits)",
    "dsmi_inputs": "information on the inputs (bits)",
    "mean_resultant": "norm of the mean / mean norm",
    "spread": "spread of the directions",
    "effective_rank": "effective rank",
}
"""Labels of axes, by measure."""


def curve_label(measure: str) -> str:
    """Return the label of an axis that has the values of a measure."""
    return _LABELS.get(measure, measure)


@dataclass(frozen=True, eq=False, repr=False)
class Curves(Tabular):
    """Values of a measure at each step, for each layer.

    Attributes
    ----------
    measure : str
        The measure.
    t, order : float or None
        Diffusion time and Renyi order; None of a measure that has none.
    steps : tuple of int
        The steps, ascending.
    layers : tuple of str
        The layers, by depth.
    values, standard_errors : ndarray of shape (len(steps), len(layers))
        NaN where there is none.
    saturated : ndarray of bool of that shape
        Which values are read off an entropy within 2% of an end of its range, so that they say little.
    null_mean : ndarray of that shape, or None
        Of an entropy, the mean of its null; NaN where there is none, and None where no value has one.
    null_name : str or None
        The surrogates of ``null_mean``.
    epochs : tuple of float or None
        The epoch of each step; None where one has none, or they do not ascend with the steps.
    bandwidth : str or None
        The rules of the bandwidth, or the number; None of a measure that has none.
    label : str
        What the values are, as axes of a picture have it.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy.monitor import Monitor
    >>> rows = np.random.default_rng(0).normal(size=(50, 3))
    >>> with Monitor() as monitor:
    ...     for step, layer in enumerate([rows, rows, rows**3]):
    ...         records = monitor.observe(step, {"layer": layer})
    >>> curves = monitor.curves("dse")
    >>> curves.steps, curves.values.shape
    ((0, 1, 2), (3, 1))
    >>> curves.change_since_first().values[:2, 0].tolist()
    [0.0, 0.0]
    """

    measure: str
    t: float | None
    order: float | None
    steps: tuple[int, ...]
    layers: tuple[str, ...]
    values: NDArray[np.float64]
    standard_errors: NDArray[np.float64]
    saturated: NDArray[np.bool_]
    null_mean: NDArray[np.float64] | None
    null_name: str | None
    epochs: tuple[float, ...] | None
    bandwidth: str | None
    label: str

    @classmethod
    def of(cls, records: Iterable[dict[str, Any]], label: str) -> Curves:
        """Collect records of one run, measure, t and order."""
        given = list(records)
        depths = {record["layer"]: record["depth"] for record in given}
        layers = sorted(depths, key=lambda layer: (depths[layer] is None, depths[layer]))
        steps = sorted({record["step"] for record in given})
        names = ("value", "standard_error", "null_mean")
        columns = {name: np.full((len(steps), len(layers)), np.nan) for name in names}
        saturated = np.zeros((len(steps), len(layers)), dtype=np.bool_)
        rows, places = ({name: i for i, name in enumerate(listed)} for listed in (steps, layers))
        for record in given:
            place = rows[record["step"]], places[record["layer"]]
            saturated[place] = record["saturation"] is not None
            for name, column in columns.items():
                column[place] = np.nan if record[name] is None else record[name]
        first, null = given[0], columns["null_mean"]
        has_null = first["measure"] == "dse" and bool(np.isfinite(null).any())
        return cls(
            measure=first["measure"],
            t=first["t"],
            order=first["order"],
            steps=tuple(steps),
            layers=tuple(layers),
            values=columns["value"],
            standard_errors=columns["standard_error"],
            saturated=saturated,
            null_mean=null if has_null else None,
            null_name=next((record["null"] for record in given if record["null"]), None) if has_null else None,
            epochs=_epochs(given, steps),
            bandwidth=_bandwidth(given),
            label=label,
        )

    def __repr__(self) -> str:
        at = "".join(f", {name} = {number:g}" for name, number in self._readings())
        return f"<{type(self).__name__} of {self.measure}{at}: {len(self.steps)} steps, {len(self.layers)} layers>"

    def _readings(self) -> list[tuple[str, float]]:
        return [(name, number) for name, number in (("t", self.t), ("order", self.order)) if number is not None]

    def _title(self) -> str | None:
        parts = [f"{name} = {number:g}" for name, number in self._readings()]
        parts += [] if self.bandwidth is None else [f"bandwidth {self.bandwidth}"]
        return ", ".join(parts) or None

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns of a table with one row a step and layer: ``step``, ``layer``, ``depth``, ``value``."""
        n_steps, n_layers = self.values.shape
        return {
            "step": [step for step in self.steps for _ in range(n_layers)],
            "layer": [*self.layers] * n_steps,
            "depth": [*range(n_layers)] * n_steps,
            "value": self.values.ravel().tolist(),
        }

    def change_since_first(self) -> Curves:
        """Return each value less the first value of its layer."""
        known = np.isfinite(self.values)
        first = np.take_along_axis(self.values, known.argmax(axis=0)[None], axis=0)
        return self._derived(self.values - first, f"change of {self.label}")

    def drawdown(self) -> Curves:
        """Return how far each value is below the largest value of its layer so far: at least 0."""
        return self._derived(np.fmax.accumulate(self.values) - self.values, f"drawdown of {self.label}")

    def _derived(self, values: NDArray[np.float64], label: str) -> Curves:
        unknown = np.full_like(values, np.nan)  # subsets are paired, so that errors of a difference are not known
        return replace(self, values=values, standard_errors=unknown, null_mean=None, null_name=None, label=label)

    def profile(self) -> Profile:
        """Return the values as profiles over the depth."""
        return Profile(**{name: getattr(self, name) for name in self.__dataclass_fields__})

    def plot(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the values against the epoch, a line a layer, with their standard errors shaded. Needs matplotlib.

        The axis has the steps where ``epochs`` is None. Saturated values are hollow. The mean of the null of an
        entropy, where the monitor has one, is dashed. The title has the bandwidth.

        Parameters
        ----------
        label : str, optional
            The name of a run, in place of the title, where several are drawn on the same axes.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        return plotting.training(
            self.steps,
            self.values,
            self.layers,
            standard_errors=self.standard_errors,
            null_mean=self.null_mean,
            null_label=null_label(self.null_name or "null"),
            saturated=self.saturated,
            epochs=self.epochs,
            ylabel=self.label,
            label=label,
            title=None if label is not None else self._title(),
            ax=ax,
        )

    def plot_map(self, *, ax: Any = None) -> Any:
        """Draw the values over steps, or epochs, and layers as colours, the first layer on top. Needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        return plotting.training_map(
            self.steps,
            self.values,
            self.layers,
            epochs=self.epochs,
            ylabel=self.label,
            title=self._title(),
            ax=ax,
        )


@dataclass(frozen=True, eq=False, repr=False)
class Profile(Curves):
    """Values of a measure over the depth, for each step; the attributes are those of :class:`Curves`.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy.monitor import Monitor
    >>> rows = np.random.default_rng(0).normal(size=(50, 3))
    >>> with Monitor() as monitor:
    ...     records = monitor.observe(0, {"first": rows, "second": np.tanh(rows)})
    >>> monitor.profile("dse").layers
    ('first', 'second')
    """

    def plot(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the values over the depth, a line a step, at most eight of them. Needs matplotlib.

        The title of the legend has the number of steps where there are more. Saturated values are hollow.

        Parameters
        ----------
        label : str, optional
            The name of a run, in place of the title, where several are drawn on the same axes.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        return plotting.profile(
            self.layers,
            self.values,
            self.steps,
            saturated=self.saturated,
            epochs=self.epochs,
            ylabel=self.label,
            label=label,
            title=None if label is not None else self._title(),
            ax=ax,
        )


def _epochs(records: list[dict[str, Any]], steps: list[int]) -> tuple[float, ...] | None:
    """Return the epoch of each step, where all records have one and they ascend with the steps."""
    known: dict[int, float] = {record["step"]: record["epoch"] for record in records}
    if any(record["epoch"] is None for record in records):
        return None
    epochs = tuple(known[step] for step in steps)
    return epochs if all(epoch < later for epoch, later in pairwise(epochs)) else None


def _bandwidth(records: list[dict[str, Any]]) -> str | None:
    """Return the rules and numbers of the bandwidths of records; those without a value may lack the number."""
    rules = (
        record["bandwidth_rule"] if record["bandwidth_rule"] != "number" else record["bandwidth"]
        for record in records
    )
    return ", ".join(rule if isinstance(rule, str) else f"{rule:g}" for rule in dict.fromkeys(rules) if rule) or None
