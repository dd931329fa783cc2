"""Informations as results: a value at each diffusion time with its error and its test, a table and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import plotting
from dsentropy._checks.printing import printed_bits
from dsentropy._checks.scalars import drop_axes
from dsentropy._results.tabular import Tabular
from dsentropy._spectrum.saturation import warn_if_saturated
from dsentropy._spectrum.subset_entropies import SubsetKernel


@dataclass(frozen=True, eq=False, repr=False)
class Information(Tabular):
    """An information at one or several diffusion times; the subclasses say of what, and describe the fields."""

    value: float | NDArray[np.float64]
    standard_error: float | NDArray[np.float64]
    p_value: float | NDArray[np.float64] | None
    z: float | NDArray[np.float64] | None
    null: NDArray[np.float64] | None
    ceiling: float
    t: tuple[float, ...]
    bandwidth: float | NDArray[np.float64] | None

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns of a table with one row a t.

        They are ``t``, ``value``, ``standard_error``, ``p_value``, ``z`` and ``ceiling``. Without permutations
        ``p_value`` and ``z`` are NaN.
        """
        times = len(self.t)
        read = {name: getattr(self, name) for name in ("value", "standard_error", "p_value", "z", "ceiling")}
        numbers = {name: np.nan if number is None else number for name, number in read.items()}
        return {
            "t": list(self.t),
            **{name: np.broadcast_to(number, times).tolist() for name, number in numbers.items()},
        }

    def plot(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the information against t with its standard error, beside the range of permuted classes.

        The range has 95% of the permutations in its middle. A dotted line is the ceiling.

        Parameters
        ----------
        label : str, optional
            The name of what is drawn, in place of the title, where several results are drawn on the same axes.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        times = len(self.t)
        return plotting.information(
            np.reshape(self.value, times),
            np.reshape(self.standard_error, times),
            self.t,
            null=None if self.null is None else np.reshape(self.null, (-1, times)),
            ceiling=self.ceiling,
            label=label,
            ax=ax,
        )

    def _readings(self) -> str:
        """Return the value, its error and its test at each t, as a repr shows them."""
        table, parts = self.to_dict(), []
        for place, t in enumerate(self.t):
            value, error, p, z = (table[name][place] for name in ("value", "standard_error", "p_value", "z"))
            shown = printed_bits(value) + ("" if np.isnan(error) else f" +- {error:.2g}") + f" bits at t = {t:g}"
            tested = ("" if np.isnan(p) else f", p = {p:.3g}") + ("" if np.isnan(z) else f", z = {z:.3g}")
            parts.append(shown + tested)
        return "; ".join(parts)


def shaped(
    several: bool,
    value: NDArray[np.float64],
    standard_error: NDArray[np.float64],
    p_value: NDArray[np.float64] | None,
    z: NDArray[np.float64] | None,
    null: NDArray[np.float64] | None,
) -> dict[str, Any]:
    """Return these fields by name, without the axis of t where t was one number."""
    given = {"value": value, "standard_error": standard_error, "p_value": p_value, "z": z, "null": null}
    return {name: None if numbers is None else drop_axes(numbers, several) for name, numbers in given.items()}


def warn_of_random_subsets(
    random_entropy: NDArray[np.float64], max_entropy: float, times: list[float], kernel: SubsetKernel
) -> None:
    """Warn where the mean entropy of random subsets [times] is saturated, if there is a bandwidth to change."""
    if kernel.data.metric != "affinity":
        warn_if_saturated(
            random_entropy[:, None],
            max_entropy,
            times,
            [1.0],
            kernel.bandwidth,
            quantity="the mean entropy of random subsets",
            distinct_rows=kernel.data.few_distinct(),
        )


def counted(n: int, one: str, several: str) -> str:
    """Return a number with its noun."""
    return f"{n} {one if n == 1 else several}"
