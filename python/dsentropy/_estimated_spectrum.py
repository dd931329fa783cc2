"""A spectrum that is estimated, with what is known of its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._spectrum import Spectrum, frozen_parameters


class ToleranceWarning(UserWarning):
    """An estimate is not as good as was asked for."""


class EstimatedSpectrum(Spectrum):
    r"""Nodes and weights of the spectrum of an operator: a :class:`Spectrum` whose readings have an error.

    Made by :func:`diffusion_spectrum` with ``solver="stochastic"``. There are two doubts: :meth:`standard_error`, the
    error of the sampling, and :meth:`bounds`, what the finite depth of recurrences leaves. The entropy is the middle
    of the bounds. An entropy of order 0, the eigenvalues and their counts cannot be estimated.

    Attributes
    ----------
    n_samples, parameters, fingerprint
        As of a :class:`Spectrum`; ``parameters["products"]`` says how many products with a vector were made.

    References
    ----------
    Chen & Hallman, "Krylov-aware stochastic trace estimation", arXiv 2205.01736; Golub & Meurant, "Matrices, moments
    and quadrature with applications" (2010).
    """

    __slots__ = ("_estimate",)

    _estimate: _core.Estimate

    def __init__(
        self, estimate: _core.Estimate, *, n_samples: int, parameters: Mapping[str, Any], fingerprint: str | None
    ) -> None:
        values = {
            "_estimate": estimate,
            "n_samples": n_samples,
            "parameters": frozen_parameters(parameters),
            "fingerprint": fingerprint,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (self._state(), self.n_samples, dict(self.parameters), self.fingerprint)

    def __len__(self) -> int:
        return self._estimate.dim

    def __getattr__(self, name: str) -> NoReturn:
        if name == "eigenvalues":
            raise AttributeError("an estimated spectrum has no eigenvalues: solver='exact' computes them")
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def _said(self) -> str:
        error, lower, upper = (float(doubt[0, 0]) for doubt in self._doubts([1.0], [1.0]))
        return f" (estimate: standard error {error:.1g}, bounds {0.5 * (upper - lower):.1g} to either side)"

    def count(self, threshold: Any, t: Any = 1) -> NoReturn:
        """Counts cannot be estimated by quadrature.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("threshold: eigenvalues above it cannot be counted in an estimate; solver='exact' can")

    def _bits(self, times: Sequence[float], orders: Sequence[float]) -> NDArray[np.float64]:
        return self._read(times, orders)[0]

    def _doubts(
        self, times: Sequence[float], orders: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        _, errors, lower, upper = self._read(times, orders)
        return errors, lower, upper

    def _read(self, times: Sequence[float], orders: Sequence[float]) -> list[NDArray[np.float64]]:
        if 0 in orders:
            raise ValueError("order must be positive where the spectrum is an estimate: a rank cannot be estimated")
        at_0 = np.array(times) == 0
        found = self._estimate.read([t or 1.0 for t in times], orders)
        for values, of_equal in zip(found, (self._most(), 0.0, self._most(), self._most()), strict=True):
            values[at_0] = of_equal
        return found

    def _state(self) -> dict[str, Any]:
        known, deflated, probes = self._estimate.to_arrays()
        sizes = np.array([self._estimate.dim, self._estimate.products])
        rounding = np.array(self._estimate.rounding)
        return {
            "sizes": sizes,
            "rounding": rounding,
            "known": np.array(known),
            "deflated": deflated,
            "probes": probes,
        }


def restored(
    state: Mapping[str, Any], n_samples: int, parameters: Mapping[str, Any], fingerprint: str | None
) -> EstimatedSpectrum:
    """The spectrum whose ``_state`` this is."""
    dim, products = state["sizes"].tolist()
    rounding, known = state["rounding"].tolist(), state["known"].tolist()
    estimate = _core.Estimate.from_arrays(dim, products, rounding, known, state["deflated"], state["probes"])
    return EstimatedSpectrum(estimate, n_samples=n_samples, parameters=parameters, fingerprint=fingerprint)
