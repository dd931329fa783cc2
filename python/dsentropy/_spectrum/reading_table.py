"""Entropies of a spectrum as a table: one row for each diffusion time and Renyi order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.scalars import Numbers
from dsentropy._results.tabular import Tabular
from dsentropy._results.thumbnail import thumbnail
from dsentropy._spectrum.arguments import times_and_orders
from dsentropy._spectrum.saturation import saturation


class ReadingTable(Tabular):
    """A spectrum as a table, for classes whose entropies have an uncertainty and a maximum."""

    __slots__ = ()

    eigenvalues: NDArray[np.float64]

    def to_dict(self, t: Numbers = 1, order: Numbers = 1) -> dict[str, list[Any]]:
        """Return columns of a table with one row for each t and order.

        Parameters
        ----------
        t, order : float or sequence of float, default 1
            As in :meth:`entropy`.

        Returns
        -------
        dict of lists
            ``t``, ``order``, ``entropy``, ``standard_error``, ``lower`` and ``upper`` (bits), and ``saturated``:
            whether the entropy is within 2% of 0 or of its maximum. Of an exact entropy the error is 0, and both
            bounds are the entropy.
        """
        times, _, orders, _ = times_and_orders(t, order)
        bits = self.bits(times, orders)
        error, lower, upper = self._uncertainty(times, orders)
        saturated = saturation(bits, self._max_entropy) != 0
        read = {"entropy": bits, "standard_error": error, "lower": lower, "upper": upper, "saturated": saturated}
        return {
            "t": np.repeat(times, len(orders)).tolist(),
            "order": list(orders) * len(times),
            **{name: np.ravel(values).tolist() for name, values in read.items()},
        }

    def to_pandas(self, t: Numbers = 1, order: Numbers = 1) -> Any:
        """Return the table of :meth:`to_dict` as a pandas DataFrame. Needs pandas.

        Parameters
        ----------
        t, order : float or sequence of float, default 1
            As in :meth:`entropy`.
        """
        import pandas as pd

        return pd.DataFrame(self.to_dict(t, order))

    def _picture(self) -> str:
        """Return a thumbnail of the spectrum, for notebooks."""
        moduli = np.sort(self.eigenvalues)[::-1]
        return thumbnail(moduli, np.arange(1.0, len(moduli) + 1), len(moduli) * float(np.finfo(float).eps))

    @abstractmethod
    def bits(self, times: Sequence[float], orders: Sequence[float]) -> NDArray[np.float64]:
        """Return entropies [times, orders] for numbers that were checked, without a warning."""

    @abstractmethod
    def _uncertainty(
        self, times: Sequence[float], orders: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return standard errors and lower and upper truncation bounds, each [times, orders]."""

    @property
    @abstractmethod
    def _max_entropy(self) -> float:
        """The maximum of the entropy, in bits."""
