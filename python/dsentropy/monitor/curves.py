"""Values of a measure by step and layer, as curves against the step and as profiles over the depth.

With v_s the value at step s, the change since the first is v_s - v_0, and the drawdown max_{r <= s} v_r - v_s.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import plotting
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
    label: str

    @classmethod
    def of(cls, records: Iterable[dict[str, Any]], label: str) -> Curves:
        """Collect records of one run, measure, t and order."""
        given = list(records)
        depths = {record["layer"]: record["depth"] for record in given}
        layers = sorted(depths, key=lambda layer: (depths[layer] is None, depths[layer]))
        steps = sorted({record["step"] for record in given})
        values, errors = (np.full((len(steps), len(layers)), np.nan) for _ in range(2))
        rows, columns = ({name: i for i, name in enumerate(names)} for names in (steps, layers))
        for record in given:
            place = rows[record["step"]], columns[record["layer"]]
            values[place] = np.nan if record["value"] is None else record["value"]
            errors[place] = np.nan if record["standard_error"] is None else record["standard_error"]
        first = given[0]
        read = first["measure"], first["t"], first["order"]
        return cls(*read, tuple(steps), tuple(layers), values, errors, label)

    def __repr__(self) -> str:
        at = "".join(f", {name} = {number:g}" for name, number in self._readings())
        return f"<{type(self).__name__} of {self.measure}{at}: {len(self.steps)} steps, {len(self.layers)} layers>"

    def _readings(self) -> list[tuple[str, float]]:
        return [(name, number) for name, number in (("t", self.t), ("order", self.order)) if number is not None]

    def _title(self) -> str | None:
        return ", ".join(f"{name} = {number:g}" for name, number in self._readings()) or None

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
        return replace(self, values=values, standard_errors=unknown, label=label)

    def profile(self) -> Profile:
        """Return the values as profiles over the depth."""
        return Profile(**{name: getattr(self, name) for name in self.__dataclass_fields__})

    def plot(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the values against the step, a line a layer, with their standard errors shaded. Needs matplotlib.

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
            ylabel=self.label,
            label=label,
            title=None if label is not None else self._title(),
            ax=ax,
        )

    def plot_map(self, *, ax: Any = None) -> Any:
        """Draw the values over steps and layers as colours, the first layer on top. Needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        return plotting.training_map(
            self.steps, self.values, self.layers, ylabel=self.label, title=self._title(), ax=ax
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
        title = None if label is not None else self._title()
        return plotting.profile(
            self.layers, self.values, self.steps, ylabel=self.label, label=label, title=title, ax=ax
        )
