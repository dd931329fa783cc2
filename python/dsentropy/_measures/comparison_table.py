"""The result of `compare`: differences of entropies with their intervals, as a table and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dsentropy import plotting
from dsentropy._checks.printing import printed_bits
from dsentropy._checks.scalars import as_place
from dsentropy._results.tabular import Tabular


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Tabular):
    """Differences of entropies at a fixed number of rows, as returned by :func:`compare`.

    For two arrays, numbers are floats, or arrays of the shape that :meth:`Spectrum.entropy` returns where t or order
    is a sequence. For mappings they have a leading axis, of the pairs.

    Attributes
    ----------
    difference : float or ndarray
        Mean over the subsets of the entropy of the first set minus that of the second, in bits. Where
        ``interval_of`` is ``"population"``, the difference of the entropies of all rows.
    interval : tuple of two floats or ndarrays
        A confidence interval. Where ``interval_of`` is ``"subsets"``, it is that of the expected difference over
        random subsets of these rows: it covers the choice of rows out of those given, not that of the data out of a
        population. Where it is ``"population"``, it is that of the expected difference of as many rows from the
        source of the data. Neither covers the training of another network.
    interval_of : {"subsets", "population"}
        What the interval is of.
    standard_deviation : float or ndarray
        Spread of the difference over the subsets.
    first_entropy, second_entropy : float or ndarray
        Mean entropies of both sets, in bits; those of all rows where ``interval_of`` is ``"population"``.
    names : tuple of pairs
        The names of the first and the second set of each pair; ``(("A", "B"),)`` for two arrays.
    values : dict of ndarray of shape (n_repeats, ...)
        The entropy of each subset, by the name of the set. Where ``paired`` is True, entry r belongs to the same rows
        of all sets.
    bandwidth : dict
        Bandwidth of all rows of each set, by its name; None where affinities were given.
    n_samples : int
        Rows of a subset.
    n_rows : dict
        Rows of each set, by its name.
    n_repeats : int
        Number of subsets.
    confidence : float
        Confidence of the interval.
    paired : bool
        Whether subsets have the same rows in all sets.
    t, order : tuple of float
        The diffusion times and Renyi orders.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import compare
    >>> rows = np.random.default_rng(0).normal(size=(100, 4))
    >>> found = compare({"first": rows, "second": np.tanh(rows), "third": rows**3})
    >>> found.names
    (('first', 'second'), ('first', 'third'), ('second', 'third'))
    >>> len(found.difference)
    3
    """

    difference: float | NDArray[np.float64]
    interval: tuple[float | NDArray[np.float64], float | NDArray[np.float64]]
    standard_deviation: float | NDArray[np.float64]
    first_entropy: float | NDArray[np.float64]
    second_entropy: float | NDArray[np.float64]
    names: tuple[tuple[Any, Any], ...]
    values: dict[Any, NDArray[np.float64]]
    bandwidth: dict[Any, float | NDArray[np.float64] | None]
    n_samples: int
    n_rows: dict[Any, int]
    n_repeats: int
    confidence: float
    paired: bool
    t: tuple[float, ...]
    order: tuple[float, ...]
    interval_of: Literal["subsets", "population"] = "subsets"

    def __repr__(self) -> str:
        pairing = "paired" if self.paired else "independent"
        of = f"{self.n_repeats} {pairing} subsets of {self.n_samples} samples"
        difference, low, high = map(self._grid, (self.difference, *self.interval))
        place = np.unravel_index(int(np.abs(difference).argmax()), difference.shape)
        pair, time, order = (int(i) for i in place)
        first, second = self.names[pair]
        found = (
            f"{first} - {second} = {printed_bits(difference[place])} bits (interval {low[place]:.4g} to "
            f"{high[place]:.4g} at {100 * self.confidence:.6g}%, over {self._range()})"
        )
        if difference.size == 1:
            one, other = self._grid(self.first_entropy)[place], self._grid(self.second_entropy)[place]
            return f"<Comparison: {found}, {first} {one:.4g} bits, {second} {other:.4g} bits; {of}>"
        pairs, readings = len(self.names), len(self.t) * len(self.order)
        size = (
            f"{pairs} {'pair' if pairs == 1 else 'pairs'} at {readings} {'reading' if readings == 1 else 'readings'}"
        )
        at = f"at t = {self.t[time]:g}, order {self.order[order]:g}"
        return f"<Comparison of {size} of t and order: largest difference {found} {at}; {of}>"

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns of a table, one row a pair, t and order; entropies are in bits."""
        places = list(np.ndindex(len(self.names), len(self.t), len(self.order)))
        numbers: dict[str, Any] = {
            "first_entropy": self.first_entropy,
            "second_entropy": self.second_entropy,
            "difference": self.difference,
            "interval_low": self.interval[0],
            "interval_high": self.interval[1],
            "standard_deviation": self.standard_deviation,
        }
        return {
            "first": [self.names[pair][0] for pair, _, _ in places],
            "second": [self.names[pair][1] for pair, _, _ in places],
            "t": [self.t[time] for _, time, _ in places],
            "order": [self.order[order] for _, _, order in places],
            **{name: self._grid(values).ravel().tolist() for name, values in numbers.items()},
            "interval_of": [self.interval_of] * len(places),
        }

    def plot(self, *, order: float | None = None, label: str | None = None, ax: Any = None) -> Any:
        """Draw the difference of each pair with its interval, in a colour for each t.

        Parameters
        ----------
        order : float, optional
            Renyi order of the entropies; by default the first.
        label : str, optional
            The name of what is drawn, in place of the title, where several results are drawn on the same axes.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        of_order = as_place(order, "order", self.order)
        difference, low, high = (self._grid(values)[..., of_order] for values in (self.difference, *self.interval))
        of = f"intervals of {100 * self.confidence:.6g}% over {self._range()}"
        title = of if self.interval_of == "population" else f"{self.n_samples} rows, {of}"
        labels = [f"{first} - {second}" for first, second in self.names]
        return plotting.differences(
            difference, low, high, labels, self.t, label=label, title=None if label is not None else title, ax=ax
        )

    def _range(self) -> str:
        """Return what the interval is over: subsets of these rows, or samples of a population."""
        least, most = min(self.n_rows.values()), max(self.n_rows.values())
        rows = f"{least}" if least == most else f"{least} to {most}"
        if self.interval_of == "population":
            return f"other samples of {rows} rows"
        return f"subsets of these {rows} rows"

    def _grid(self, values: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers of the shape (pairs, t, order)."""
        return np.reshape(values, (len(self.names), len(self.t), len(self.order)))
