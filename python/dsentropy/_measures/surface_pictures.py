"""Pictures of an entropy surface: lines over the bandwidth, and a map over bandwidth and t."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy import plotting
from dsentropy._checks.scalars import as_place
from dsentropy._results.tabular import Tabular
from dsentropy._spectrum.saturation import MARGIN


class SurfacePictures(Tabular):
    """A surface that is drawn; the subclass describes the fields."""

    values: NDArray[np.float64]
    coords: dict[str, tuple[Any, ...]]
    n_samples: int
    null: NDArray[np.float64] | None

    def plot(
        self,
        *,
        order: float | None = None,
        alpha: float | None = None,
        label: str | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw the entropy against the bandwidth, a line for each t, with the saturated region shaded.

        With surrogates, their mean is dashed, with two standard deviations to either side.

        Parameters
        ----------
        order, alpha : float, optional
            Coordinates of the entropies to draw; by default the first.
        label : str, optional
            The name of what is drawn, in place of the title, where several results are drawn on the same axes.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        arrays, title = self._drawn(order, alpha)
        shown = None if label is not None else f"{title}; saturated where shaded"
        return plotting.surface(**arrays, label=label, title=shown, ax=ax)

    def plot_map(self, *, order: float | None = None, alpha: float | None = None, ax: Any = None) -> Any:
        """Draw the entropy over bandwidth and t as colours, with outlines of what is saturated, and within the null.

        Parameters
        ----------
        order, alpha : float, optional
            Coordinates of the entropies to draw; by default the first.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        arrays, title = self._drawn(order, alpha)
        return plotting.surface_map(**arrays, title=title, ax=ax)

    def _drawn(self, order: Any, alpha: Any) -> tuple[dict[str, Any], str]:
        """Return the arguments of a picture of this order and alpha, and its title."""
        orders, alphas = self.coords["order"], self.coords["alpha"]
        of_order, of_alpha = as_place(order, "order", orders), as_place(alpha, "alpha", alphas)
        title = f"{self.n_samples} samples"
        if len(orders) > 1 or orders[0] != 1:
            title += f", order {orders[of_order]:g}"
        if len(alphas) > 1 or alphas[0] != 0:
            title += f", alpha {alphas[of_alpha]:g}"
        return {
            "values": self.values[:, :, of_order, of_alpha],
            "bandwidths": self.coords["bandwidth"],
            "t": self.coords["t"],
            "max_entropy": float(np.log2(self.n_samples)),
            "margin": MARGIN,
            "null": None if self.null is None else self.null[..., of_order, of_alpha],
        }, title
