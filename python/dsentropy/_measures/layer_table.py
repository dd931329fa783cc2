"""The result of `layer_entropies`: entropies of layers as a table, and as a picture by depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import plotting
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_place
from dsentropy._data.surrogates import null_label
from dsentropy._measures.layer_readings import NULL_COLUMNS
from dsentropy._measures.suggested_bandwidth import BandwidthSuggestion
from dsentropy._results.tabular import Tabular
from dsentropy._results.text_table import text_table


def _three_digits(bits: float) -> str:
    """Return a difference with three digits behind the point; zero has no sign."""
    text = f"{bits:.3f}"
    return "0.000" if text == "-0.000" else text


@dataclass(frozen=True, eq=False, repr=False)
class LayerEntropies(Tabular):
    """Entropies of layers, as returned by :func:`layer_entropies`.

    ``print`` shows a table of the layers: their entropy, that of noise, their structure, its z and their bandwidth.
    Arrays have the shape (layers, bandwidths, t, orders).

    Attributes
    ----------
    names : tuple
        The layers, in the order in which they were given.
    entropy : ndarray
        Bits.
    standard_error, lower, upper : ndarray
        Sampling error and truncation bounds of estimates; 0 and the entropy itself where that is exact.
    saturated : ndarray of bool
        Which entropies are within 2% of 0 or of log2 of the rows.
    null_mean, null_standard_deviation, structure, z, p_value, like_noise : ndarray or None
        The comparison with the surrogates of each layer, see :class:`NullBaseline`; None without a null.
    null : tuple of ndarray of shape (n_null, bandwidths, t, orders), or None
        Entropies of the surrogates of each layer.
    bandwidth : tuple of tuple
        The bandwidths of each layer: numbers, or ``"knn"`` or ``"adaptive"`` where they differ from row to row.
    rules : tuple of str or None
        The bandwidths as they were given: a rule or a number; None where layers or rows have their own.
    t, orders : tuple of float
        Diffusion times and Renyi orders.
    n_samples : tuple of int
        Rows of each layer that were used.
    null_name : str or None
        The surrogates.
    suggestion : BandwidthSuggestion or None
        What :func:`suggest_bandwidth` found for the bandwidth ``"structure"``.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import layer_entropies
    >>> rows = np.random.default_rng(0).normal(size=(60, 4))
    >>> found = layer_entropies({"first": rows, "second": np.tanh(rows)}, t=[1, 2])
    >>> found.names, found.entropy.shape  # layers, bandwidths, t, orders
    (('first', 'second'), (2, 1, 2, 1))
    >>> len(found.to_dict()["entropy"])
    4
    """

    names: tuple[Any, ...]
    entropy: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    saturated: NDArray[np.bool_]
    bandwidth: tuple[tuple[Any, ...], ...]
    rules: tuple[str | None, ...]
    t: tuple[float, ...]
    orders: tuple[float, ...]
    n_samples: tuple[int, ...]
    null_mean: NDArray[np.float64] | None = None
    null_standard_deviation: NDArray[np.float64] | None = None
    structure: NDArray[np.float64] | None = None
    z: NDArray[np.float64] | None = None
    p_value: NDArray[np.float64] | None = None
    like_noise: NDArray[np.bool_] | None = None
    null: tuple[NDArray[np.float64], ...] | None = None
    null_name: str | None = None
    suggestion: BandwidthSuggestion | None = None

    def __repr__(self) -> str:
        n, least, most = len(self.names), min(self.n_samples), max(self.n_samples)
        rows = f"{least}" if least == most else f"{least} or more"
        readings = self.entropy[0].size
        of_each = f"{readings} {'reading' if readings == 1 else 'readings'} each"
        size = f"{n} {'layer' if n == 1 else 'layers'} of {rows} samples, {of_each}"
        saturated = f"{int(self.saturated.sum())} of {self.saturated.size} entropies saturated"
        if self.structure is None or self.z is None or self.null is None:
            return f"<LayerEntropies of {size}: {saturated}>"
        place = tuple(int(i) for i in np.unravel_index(np.abs(self.structure).argmax(), self.structure.shape))
        layer, _, time, order = place
        noise = 0 if self.like_noise is None else int(self.like_noise.sum())
        return (
            f"<LayerEntropies of {size}: {saturated}, {noise} as good as noise; largest structure "
            f"{self.structure[place]:.3g} bits (z = {self.z[place]:.3g}) in {printed(self.names[layer])} at t = "
            f"{self.t[time]:g}, order {self.orders[order]:g}; {len(self.null[0])} draws of {self.null_name!r}>"
        )

    def __str__(self) -> str:
        """Return a table of at most 80 columns and some 20 rows, one an entropy, and lines that explain it."""
        lines = [text_table(self._printed_columns()), f"bits{self._printed_null()}"]
        if self.suggestion is not None:
            lines.append(f"bandwidth 'structure': {self.suggestion.multiple:.3g} medians of each layer")
        if self.saturated.any():
            lines.append("* saturated: within 2% of 0 or of log2 of the rows, at this bandwidth")
        return "\n".join(lines)

    def _printed_columns(self) -> dict[str, list[str]]:
        """Return the columns that :func:`print` shows, as texts."""
        table = self.to_dict()
        at = [name for name, several in [("t", self.t), ("order", self.orders)] if len(several) > 1]
        marks = ["*" if saturated else " " for saturated in table["saturated"]]
        marked = [f"{bits:.3f}{mark}" for bits, mark in zip(table["entropy"], marks, strict=True)]
        if not self.saturated.any():
            marked = [text.rstrip() for text in marked]
        columns = {"layer": [str(name) for name in table["layer"]]}
        columns |= {name: [f"{number:g}" for number in table[name]] for name in at}
        columns["entropy"] = marked
        if self.standard_error.any():
            columns["error"] = [f"{error:.1g}" for error in table["standard_error"]]
        if self.null is not None:
            columns["noise"] = [f"{bits:.3f}" for bits in table["null_mean"]]
            columns["structure"] = [_three_digits(bits) for bits in table["structure"]]
            columns["z"] = [f"{z:.3g}" for z in table["z"]]
        columns["bandwidth"] = [one if isinstance(one, str) else f"{one:.4g}" for one in table["bandwidth"]]
        return columns

    def _printed_null(self) -> str:
        if self.null is None:
            return ""
        name = f"{self.null_name!r:.30}"
        return f"; noise: mean of {len(self.null[0])} draws of {name}; structure: noise - entropy"

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns of a table with one row an entropy.

        They are ``layer``, ``n_samples``, ``bandwidth``, ``t``, ``order``; ``entropy``, ``standard_error``,
        ``lower``, ``upper`` (bits), ``saturated``; and with a null ``null_mean``, ``null_standard_deviation``,
        ``structure``, ``z``, ``p_value`` and ``like_noise``.
        """
        places = list(np.ndindex(self.entropy.shape))
        table: dict[str, list[Any]] = {
            "layer": [self.names[layer] for layer, _, _, _ in places],
            "n_samples": [self.n_samples[layer] for layer, _, _, _ in places],
            "bandwidth": [self.bandwidth[layer][place] for layer, place, _, _ in places],
            "t": [self.t[time] for _, _, time, _ in places],
            "order": [self.orders[order] for _, _, _, order in places],
        }
        columns = ["entropy", "standard_error", "lower", "upper", "saturated"]
        columns += [] if self.null is None else NULL_COLUMNS
        return {**table, **{name: getattr(self, name).ravel().tolist() for name in columns}}

    def plot(
        self, *, order: float | None = None, bandwidth: int = 0, label: str | None = None, ax: Any = None
    ) -> Any:
        """Draw the entropy by depth: a line for each t, the null's mean dashed with a band, saturated ones hollow.

        The title has the bandwidth and, by the rule ``"structure"``, its multiple of the medians.

        Parameters
        ----------
        order : float, optional
            The Renyi order that is drawn; by default the first.
        bandwidth : int, default 0
            Number of the bandwidth that is drawn, counted from 0.
        label : str, optional
            The name of what is drawn, in place of the title, where several results are drawn on the same axes.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        of_order = as_place(order, "order", self.orders)
        chosen = self.orders[of_order]
        number = self.entropy.shape[1]
        if isinstance(bandwidth, bool) or not isinstance(bandwidth, int) or not 0 <= bandwidth < number:
            raise ValueError(f"bandwidth must be a number from 0 to {number - 1}, got {printed(bandwidth)}")
        at = (slice(None), bandwidth, slice(None), of_order)
        of_rule = f", bandwidth {self.rules[bandwidth]}" if self.rules[bandwidth] else ""
        if self.rules[bandwidth] == "structure" and self.suggestion is not None:
            of_rule += f", {self.suggestion.multiple:.3g} medians"
        title = ("entropy" if chosen == 1 else f"entropy of order {chosen:g}") + " by depth" + of_rule
        return plotting.layers(
            self.entropy[at],
            [str(name) for name in self.names],
            self.t,
            null_mean=None if self.null_mean is None else self.null_mean[at],
            null_standard_deviation=None if self.null_mean is None else self.null_standard_deviation[at],  # type: ignore[index]
            null_label=null_label(self.null_name or ""),
            saturated=self.saturated[at],
            label=label,
            title=None if label is not None else title,
            ax=ax,
        )
