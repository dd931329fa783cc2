"""A spectrum that is estimated, with what is known of its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._spectrum.spectrum import Spectrum, frozen_parameters


class ToleranceWarning(UserWarning):
    """An estimate is not as good as was asked for."""


class EstimatedSpectrum(Spectrum):
    r"""Nodes and weights of the spectrum of an operator: a :class:`Spectrum` whose readings have an error.

    Made by functions with ``solver="stochastic"``. There are two doubts: :meth:`standard_error`, the error of the
    sampling, and :meth:`bounds`, what the finite depth of recurrences leaves around the entropy. Where the operator
    may have negative eigenvalues, bounds come through its square and are wider. An entropy of order 0, the
    eigenvalues and their counts cannot be estimated.

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
        return self._estimate.about()[0]

    def __getattr__(self, name: str) -> NoReturn:
        if name == "eigenvalues":
            raise AttributeError("an estimated spectrum has no eigenvalues: solver='exact' computes them")
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def _said(self) -> str:
        bits, error, lower, upper = (float(read[0, 0]) for read in self._read([1.0], [1.0]))
        reach = max(upper - bits, bits - lower)
        through = "" if self._estimate.about()[1] else " through the square"
        return f" (estimate: standard error {error:.1g}, bounds{through} within {reach:.1g})"

    def count(self, threshold: Any, t: Any = 1) -> NoReturn:
        """Counts cannot be estimated by quadrature.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("threshold: eigenvalues above it cannot be counted in an estimate; solver='exact' can")

    def bits(self, times: Sequence[float], orders: Sequence[float]) -> NDArray[np.float64]:
        """Entropies [times, orders] of numbers that were checked, without a warning."""
        return self._read(times, orders)[0]

    def _doubts(
        self, times: Sequence[float], orders: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        _, errors, lower, upper = self._read(times, orders)
        return errors, lower, upper

    def _read(self, times: Sequence[float], orders: Sequence[float]) -> list[NDArray[np.float64]]:
        return readings(self._estimate, times, orders)

    def _state(self) -> dict[str, Any]:
        known, deflated, probes = self._estimate.to_arrays()
        about = np.array(self._estimate.about(), dtype=np.float64)
        return {"about_estimate": about, "known": np.array(known), "deflated": deflated, "probes": probes}


def readings(estimate: _core.Estimate, times: Sequence[float], orders: Sequence[float]) -> list[NDArray[np.float64]]:
    """Entropies [times, orders], standard errors, and the ends of bounds; at t = 0 all eigenvalues are equal."""
    if 0 in orders:
        raise ValueError("order must be positive where the spectrum is an estimate: a rank cannot be estimated")
    at_0 = np.array(times) == 0
    most = float(np.log2(estimate.about()[0]))
    found = estimate.read([t or 1.0 for t in times], orders)
    for values, of_equal in zip(found, (most, 0.0, most, most), strict=True):
        values[at_0] = of_equal
    return found


def restored(
    state: Mapping[str, Any], n_samples: int, parameters: Mapping[str, Any], fingerprint: str | None
) -> EstimatedSpectrum:
    """The spectrum whose ``_state`` this is."""
    dim, positive, products, rounding, error, *degrees, largest = state["about_estimate"].tolist()
    of_deflated, of_probes = (int(degree) for degree in degrees)
    about = (int(dim), bool(positive), int(products), rounding, error, of_deflated, of_probes, largest)
    estimate = _core.Estimate.from_arrays(about, state["known"].tolist(), state["deflated"], state["probes"])
    return EstimatedSpectrum(estimate, n_samples=n_samples, parameters=parameters, fingerprint=fingerprint)
