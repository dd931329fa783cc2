"""Tables and curves of the records of one run, as methods of a monitor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from dsentropy.monitor.curves import Curves, Profile
from dsentropy.monitor.records import Records


class RunCurves(ABC):
    """Methods of an object that has the records of one run."""

    @property
    @abstractmethod
    def records(self) -> Records:
        """The records of the run."""

    @property
    @abstractmethod
    def first_measure(self) -> str:
        """The measure of curves where none is given."""

    def to_pandas(self) -> Any:
        """Return the table of ``records`` as a pandas DataFrame. Needs pandas."""
        return self.records.to_pandas()

    def curves(self, measure: str | None = None, *, t: float | None = None, order: float | None = None) -> Curves:
        """Return the values of a measure against the step, for each layer; see :meth:`Records.curves`.

        Without ``measure`` they are those of the entropy or, where it is not measured, of the first information.
        """
        return self.records.curves(self.first_measure if measure is None else measure, t=t, order=order)

    def profile(self, measure: str | None = None, *, t: float | None = None, order: float | None = None) -> Profile:
        """Return the values of a measure over the depth, for each step; see :meth:`Records.profile`."""
        return self.curves(measure, t=t, order=order).profile()

    def change_since_first(
        self, measure: str | None = None, *, t: float | None = None, order: float | None = None
    ) -> Curves:
        """Return each value of a measure less the first one of its layer."""
        return self.curves(measure, t=t, order=order).change_since_first()

    def drawdown(self, measure: str | None = None, *, t: float | None = None, order: float | None = None) -> Curves:
        """Return how far each value of a measure is below the largest one of its layer so far: at least 0."""
        return self.curves(measure, t=t, order=order).drawdown()

    def plot(
        self, measure: str | None = None, *, t: float | None = None, order: float | None = None, ax: Any = None
    ) -> Any:
        """Draw a measure against the step, a line a layer. Needs matplotlib.

        Parameters
        ----------
        measure : str, optional
            By default the entropy or, where it is not measured, the first information.
        t, order : float, optional
            Diffusion time and Renyi order, by default the first ones.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        return self.curves(measure, t=t, order=order).plot(ax=ax)
