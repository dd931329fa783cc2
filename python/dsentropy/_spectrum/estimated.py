"""A spectrum that is estimated by stochastic Lanczos quadrature, with its uncertainty.

The uncertainty has two parts: the sampling error of random probe vectors, and truncation bounds, which cover the
error of recurrences of finite depth (Golub & Meurant, "Matrices, moments and quadrature with applications", 2010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from dsentropy import plotting
from dsentropy._checks.pairs import F64_ROUNDOFF
from dsentropy._checks.scalars import Numbers, as_count, as_nonnegative, as_numbers
from dsentropy._core import Estimate, EstimateInfo, Readings
from dsentropy._results.thumbnail import thumbnail
from dsentropy._spectrum.provenance import frozen_parameters
from dsentropy._spectrum.spectrum import Spectrum

_NUMBERS = 7
"""The count of numbers that describe an estimate in a file."""

_EARLIER_NUMBERS = 8
"""The count of numbers that describe an estimate in files of earlier versions."""


class ToleranceWarning(UserWarning):
    """An estimate has not reached the tolerance that was asked for.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import scipy.sparse
    >>> from dsentropy import Stochastic, kernel_spectrum
    >>> K = scipy.sparse.diags_array(np.linspace(1, 2, 1500)).tocsr()
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     estimate = kernel_spectrum(K, solver=Stochastic(tol=1e-5, max_products=20))
    >>> caught[0].category.__name__
    'ToleranceWarning'
    """


class EstimatedSpectrum(Spectrum, kind="estimate"):
    r"""Nodes and weights of the spectrum of an operator: a :class:`Spectrum` whose readings have an uncertainty.

    Made by functions with ``solver="stochastic"``. The uncertainty is the sampling error, :meth:`standard_error`, and
    truncation bounds, :meth:`bounds`, which cover the error of recurrences of finite depth. Where the operator may
    have negative eigenvalues, bounds come through its square and are wider. An entropy of order 0, the eigenvalues
    and their counts cannot be estimated.

    Attributes
    ----------
    n_samples : int
        The number of rows.
    parameters : mapping
        As in :class:`Spectrum`; ``parameters["products"]`` is the number of matrix-vector products that were made.
    fingerprint : str or None
        As in :class:`Spectrum`.

    References
    ----------
    Chen & Hallman, "Krylov-aware stochastic trace estimation", arXiv 2205.01736; Golub & Meurant, "Matrices, moments
    and quadrature with applications" (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectrum
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> spectrum = diffusion_spectrum(X, bandwidth=0.5, solver="stochastic")
    >>> lower, upper = spectrum.bounds()
    >>> bool(lower <= spectrum.entropy() <= upper)
    True
    """

    __slots__ = ("_estimate",)

    _estimate: Estimate

    def __init__(
        self, estimate: Estimate, *, n_samples: int, parameters: Mapping[str, Any], fingerprint: str | None
    ) -> None:
        self._set_once(_estimate=estimate)
        self._set_once(n_samples=n_samples, parameters=frozen_parameters(parameters), fingerprint=fingerprint)

    def __len__(self) -> int:
        return self._estimate.info.dim

    def __getattr__(self, name: str) -> NoReturn:
        if name == "eigenvalues":
            raise AttributeError("an estimated spectrum has no eigenvalues: solver='exact' computes them")
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def count(self, threshold: Any, t: Any = 1) -> NoReturn:
        """Raise: counts cannot be estimated by quadrature.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError("threshold: eigenvalues above it cannot be counted in an estimate; solver='exact' can")

    def plot(self, t: Numbers = 1, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the probabilities p against the estimated rank, for each t.

        The rank is the estimated number of eigenvalues that are as large: those that the deflated Krylov space holds,
        and the mean over random probes of the others. Two standard errors of that mean over the probes are shaded.
        They have no part of the truncation: the finite depth of the recurrences merges eigenvalues into one step.
        Where many small ones are merged, the step is long, its height is not theirs, and the probes agree on it
        nevertheless. :meth:`bounds` has the effect on entropies.

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0.
        label : str, optional
            The name of what is drawn, in place of the title, where several results are drawn on the same axes.
        ax : matplotlib Axes, optional
            Where to draw; by default on new axes.

        Returns
        -------
        matplotlib Axes
        """
        times, _ = as_numbers(t, "t", as_nonnegative)
        title = None if label is not None else f"estimate of {self.n_samples} samples; shaded: sampling error only"
        return plotting.estimate(*spectral_distribution(self._estimate), times, label=label, title=title, ax=ax)

    def _picture(self) -> str:
        moduli, ranks, _ = spectral_distribution(self._estimate)
        return thumbnail(moduli, ranks, 0.0)

    def bits(self, times: Sequence[float], orders: Sequence[float]) -> NDArray[np.float64]:
        """Return entropies [times, orders] for numbers that were checked, without a warning."""
        return readings(self._estimate, times, orders).entropy

    def _uncertainty(
        self, times: Sequence[float], orders: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        found = readings(self._estimate, times, orders)
        return found.standard_error, found.lower, found.upper

    def _repr_uncertainty(self) -> str:
        found = readings(self._estimate, [1.0], [1.0])
        bits, error = float(found.entropy[0, 0]), float(found.standard_error[0, 0])
        distance = max(float(found.upper[0, 0]) - bits, bits - float(found.lower[0, 0]))
        through = "" if self._estimate.info.positive_semidefinite else " through the square"
        return f" (estimate: standard error {error:.1g}, bounds{through} within {distance:.1g})"

    def _state(self) -> dict[str, NDArray[Any]]:
        arrays = self._estimate.to_arrays()
        return {
            "about_estimate": _info_array(self._estimate.info),
            "known": arrays.known,
            "deflated": arrays.deflated,
            "probes": arrays.probes,
            "steps": arrays.steps,
        }

    @classmethod
    def _restored(
        cls,
        state: Mapping[str, NDArray[Any]],
        n_samples: int,
        parameters: Mapping[str, Any],
        fingerprint: str | None,
    ) -> Spectrum:
        info = _info_from_array(state["about_estimate"])
        rows = as_count(n_samples, "n_samples")
        if rows != info.dim:
            raise ValueError(f"n_samples must be {info.dim}, the number of eigenvalues, got {rows}")
        known, deflated, probes = (
            _as_stored(state[name], name, ndim) for name, ndim in [("known", 1), ("deflated", 2), ("probes", 3)]
        )
        estimate = Estimate.from_arrays(info, known, deflated, probes, _steps(state, len(probes)))
        return cls(estimate, n_samples=rows, parameters=parameters, fingerprint=fingerprint)


def spectral_distribution(
    estimate: Estimate,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return moduli in descending order, how many eigenvalues are as large, and the standard errors of these numbers.

    The Gauss rule of each probe is scaled to the known number of eigenvalues that are left to the probes. A probe
    that the deflated eigenvectors span, as happens where there are few rows, has no weight and is left out.
    """
    arrays = estimate.to_arrays()
    sums = arrays.probes[:, 1].sum(axis=1)
    probes = arrays.probes[sums > np.finfo(float).eps * sums.max(initial=0.0)]
    held, rules = np.abs(arrays.deflated[0]), np.abs(probes[:, 0])
    weights = probes[:, 1] * (arrays.known[0] / probes[:, 1].sum(axis=1, keepdims=True))
    moduli = np.unique(np.concatenate([held, rules.ravel()]))[::-1]
    moduli = moduli[moduli > estimate.info.rounding * moduli[0]]
    of_probes = np.array([_counts(*rule, moduli) for rule in zip(rules, weights, strict=True)])
    if not len(of_probes):
        of_probes = np.zeros((1, len(moduli)))
    error = of_probes.std(axis=0, ddof=min(1, len(of_probes) - 1)) / np.sqrt(len(of_probes))
    return moduli, _counts(held, arrays.deflated[1], moduli) + of_probes.mean(axis=0), error


def _counts(
    nodes: NDArray[np.float64], weights: NDArray[np.float64], moduli: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the sum of the weights of the nodes that are at least as large as each modulus."""
    order = np.argsort(nodes)
    above = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    found: NDArray[np.float64] = above[np.searchsorted(nodes[order], moduli)]
    return found


def _info_array(info: EstimateInfo) -> NDArray[np.float64]:
    """Return the numbers by which a file of a spectrum holds the info of its estimate."""
    numbers = [
        info.dim,
        info.positive_semidefinite,
        info.products,
        info.rounding,
        info.entry_error,
        info.largest_modulus,
        info.unit_roundoff,
    ]
    return np.array(numbers, dtype=np.float64)


def _info_from_array(numbers: NDArray[np.float64]) -> EstimateInfo:
    """Return the info that :func:`_info_array` made these numbers of.

    Files of earlier versions have the degrees of the rules before the last number, and entries in float64.
    """
    numbers = _as_stored(numbers, "about_estimate", 1)
    if len(numbers) == _EARLIER_NUMBERS:
        numbers = np.array([*numbers[:5], numbers[7], F64_ROUNDOFF])
    if len(numbers) != _NUMBERS:
        raise ValueError(f"about_estimate must be {_NUMBERS} numbers, got {len(numbers)}")
    dim, positive, products, rounding, entry_error, largest, roundoff = numbers.tolist()
    return EstimateInfo(
        dim=_as_stored_count(dim, "dim", least=1),
        positive_semidefinite=bool(_as_stored_count(positive, "positive_semidefinite", most=1)),
        products=_as_stored_count(products, "products"),
        rounding=rounding,
        entry_error=entry_error,
        unit_roundoff=roundoff,
        largest_modulus=largest,
    )


def _as_stored(array: NDArray[Any], name: str, ndim: int) -> NDArray[np.float64]:
    """Return an array of a file as the core reads it."""
    if array.dtype.kind != "f" or array.ndim != ndim:
        raise ValueError(
            f"{name} must be an array of {ndim} dimensions and floating dtype, "
            f"got dtype {array.dtype} and shape {array.shape}"
        )
    return np.ascontiguousarray(array, dtype=np.float64)


def _as_stored_count(number: float, name: str, least: int = 0, most: int = 2**53) -> int:
    """Convert a count that a file holds as a floating number: up to 2^53 it is exact."""
    if not (least <= number <= most and number.is_integer()):
        raise ValueError(f"{name} must be an integer from {least} to {most}, got {number!r}")
    return int(number)


def _steps(state: Mapping[str, NDArray[Any]], n_probes: int) -> list[int]:
    """Return the numbers of steps of the deflated part and of each probe.

    Files of earlier versions have the degrees of the rules instead, that of the probes as the least of all.
    """
    if "steps" in state:
        steps = state["steps"]
        if steps.dtype.kind not in "iu" or steps.ndim != 1 or not (steps > 0).all():
            raise ValueError(f"steps must be positive integers, got dtype {steps.dtype} and shape {steps.shape}")
        return [int(number) for number in steps]
    of_deflated, of_probes = state["about_estimate"][5:7].tolist()
    degrees = [of_deflated, *[of_probes] * n_probes]
    return [1 + _as_stored_count(degree, "degrees") // 2 for degree in degrees]


def readings(estimate: Estimate, times: Sequence[float], orders: Sequence[float]) -> Readings:
    """Read entropies, standard errors, and lower and upper truncation bounds off an estimate, each [times, orders].

    At t = 0 all eigenvalues are equal, so the entropy is known exactly.
    """
    if 0 in orders:
        raise ValueError("order must be positive where the spectrum is an estimate: a rank cannot be estimated")
    at_zero = np.array(times) == 0
    max_entropy = float(np.log2(estimate.info.dim))
    found = estimate.read([t or 1.0 for t in times], orders)
    for values in (found.entropy, found.lower, found.upper):
        values[at_zero] = max_entropy
    found.standard_error[at_zero] = 0.0
    return found
