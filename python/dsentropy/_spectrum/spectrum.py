"""A spectrum, and everything that is read off it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.arrays import as_array, as_pairs
from dsentropy._checks.scalars import (
    Numbers,
    as_count,
    as_nonnegative,
    as_numbers,
    as_order,
    as_path,
    as_positive,
    drop_axes,
)
from dsentropy._checks.warn import warn
from dsentropy._data.data import Data
from dsentropy._operator.linear_operators import as_operator, is_operator
from dsentropy.io.eigenvalue_file import write_npz

SATURATED = 0.02
"""An entropy within this part of log2 N of 0 or of log2 N says little about the data."""

_FORMAT = 1
"""Of the file; a later one is refused."""


class SaturationWarning(UserWarning):
    """An entropy lies so near to its least or greatest value that it says little about the data."""


class Spectrum:
    r"""Eigenvalues of an operator on N rows, and the measures that are read off them.

    With :math:`p_i = |\lambda_i|^t / \sum_j |\lambda_j|^t`, every measure is a sum over the :math:`p_i`: it costs
    microseconds, where the eigenvalues cost O(N^3). Made by :func:`diffusion_spectrum`, :func:`adjacency_spectrum`,
    :func:`kernel_spectrum` and :func:`covariance_spectrum`, or of eigenvalues from elsewhere. It cannot be changed.

    Parameters
    ----------
    eigenvalues : array_like of shape (n,)
        Finite, not all zero. Moduli are kept.
    n_samples : int, optional
        The number of rows that they belong to; by default the number of eigenvalues.
    parameters : mapping, optional
        What the operator is and how it was made: numbers, strings and arrays of numbers.
    fingerprint : str, optional
        A digest of the data.

    Attributes
    ----------
    eigenvalues : ndarray of shape (n,), float64
        Moduli, largest first. Where this package computed them, those below N eps of the largest, which are rounding,
        are 0.
    n_samples : int
        The number of rows.
    parameters : mapping
        What the operator is and how it was made; ``"bandwidth"`` is the one that was used, whatever rule gave it.
    fingerprint : str or None
        SHA-256 of the rows that were used, as they were given.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823 (order 1); Renyi, "On measures of entropy and information" (1961);
    Friedman & Dieng, "The Vendi Score", arXiv 2210.02410 (the effective rank of a kernel).

    Examples
    --------
    >>> from dsentropy import Spectrum
    >>> spectrum = Spectrum([1.0, 1.0, 0.0, 0.0])
    >>> spectrum.entropy(), spectrum.effective_rank(), spectrum.count(0.5)
    (1.0, 2.0, 2)
    >>> spectrum.entropy(t=[1, 2], order=[1, 2]).shape
    (2, 2)
    """

    __slots__ = ("eigenvalues", "fingerprint", "n_samples", "parameters")

    eigenvalues: NDArray[np.float64]
    n_samples: int
    parameters: Mapping[str, Any]
    fingerprint: str | None

    def __init__(
        self,
        eigenvalues: ArrayLike,
        *,
        n_samples: int | None = None,
        parameters: Mapping[str, Any] | None = None,
        fingerprint: str | None = None,
    ) -> None:
        given = as_array(eigenvalues, "eigenvalues")
        if given.dtype.kind not in "fciu" or given.ndim != 1 or given.size == 0:
            raise ValueError(f"eigenvalues must be a vector of numbers, got dtype {given.dtype}, shape {given.shape}")
        moduli = np.sort(np.abs(given).astype(np.float64))[::-1]
        if not (np.isfinite(moduli[0]) and moduli[0] > 0):
            raise ValueError("eigenvalues must be finite and not all zero")
        values = {
            "eigenvalues": _frozen(moduli),
            "n_samples": len(moduli) if n_samples is None else as_count(n_samples, "n_samples"),
            "parameters": frozen_parameters(parameters or {}),
            "fingerprint": fingerprint,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a Spectrum cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Spectrum cannot be changed: {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.eigenvalues, self.n_samples, dict(self.parameters), self.fingerprint)

    def __len__(self) -> int:
        return len(self.eigenvalues)

    def __repr__(self) -> str:
        shown = [f"{name}={_shown(value)}" for name, value in self.parameters.items()]
        entropy = float(self.bits([1.0], [1.0])[0, 0])
        return (
            f"<Spectrum of {len(self)} eigenvalues, {self.n_samples} samples: {entropy:.4g} of "
            f"{self._most():.4g} bits at t = 1{self._said()}{''.join(', ' + part for part in shown)}>"
        )

    def _said(self) -> str:
        """What is to be said of the entropy."""
        return ""

    def _state(self) -> dict[str, NDArray[Any]]:
        """What a file holds."""
        return {"eigenvalues": self.eigenvalues}

    @overload
    def entropy(self, t: float = 1, order: float = 1, base: float = 2, normalized: bool = False) -> float: ...
    @overload
    def entropy(self, t: Numbers = 1, order: Numbers = 1, base: float = 2, normalized: bool = False) -> Any: ...

    def entropy(self, t: Numbers = 1, order: Numbers = 1, base: float = 2, normalized: bool = False) -> Any:
        r"""Renyi entropy of :math:`p_i = |\lambda_i|^t / \sum_j |\lambda_j|^t`.

        .. math::

            H_1 = -\sum_i p_i \log p_i, \qquad H_q = \frac{1}{1 - q} \log \sum_i p_i^q, \qquad
            H_\infty = -\log \max_i p_i

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0.
        order : float or sequence of float, default 1
            q, at least 0, or infinity. Order 1 is Shannon's entropy. Order 0 is the logarithm of the number of
            eigenvalues that are not 0; where t is 0 all count.
        base : float, default 2
            Of the logarithm: 2 gives bits.
        normalized : bool, default False
            Divide by the greatest value, the logarithm of the number of eigenvalues.

        Returns
        -------
        float or ndarray
            A number for two numbers, else an array of shape (len(t), len(order)) without the axis of a number.

        Warns
        -----
        SaturationWarning
            Where the operator has a bandwidth and the entropy is within 2% of 0 or of its greatest value.

        Examples
        --------
        >>> from dsentropy import Spectrum
        >>> Spectrum([0.5, 0.25, 0.25]).entropy()
        1.5
        >>> Spectrum([0.5, 0.25, 0.25]).entropy(order=float("inf"))
        1.0
        """
        times, several_times, orders, several_orders = _both(t, order)
        unit = as_positive(base, "base")
        if unit == 1:
            raise ValueError("base must not be 1")
        bits = self.bits(times, orders)
        self._warn_if_saturated(bits, times, orders)
        values = self._normalized(bits) if normalized else bits / math.log2(unit)
        return drop_axes(values, several_times, several_orders)

    @overload
    def effective_rank(self, t: float = 1) -> float: ...
    @overload
    def effective_rank(self, t: Numbers = 1) -> Any: ...

    def effective_rank(self, t: Numbers = 1) -> Any:
        r"""The number of equal eigenvalues that would have this entropy: 2 to the power of the entropy in bits.

        Of a kernel's spectrum at t = 1 this is the Vendi score; of a covariance's at t = 1/2 the effective rank of
        Roy & Vetterli (2007), which RankMe is without centring.

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0.

        Returns
        -------
        float or ndarray of shape (len(t),)
            From 1 to the number of eigenvalues.
        """
        times, several = as_numbers(t, "t", as_nonnegative)
        bits = self.bits(times, [1.0])
        self._warn_if_saturated(bits, times, [1.0])
        return drop_axes(np.exp2(bits), several, False)

    @overload
    def participation_ratio(self, t: float = 1) -> float: ...
    @overload
    def participation_ratio(self, t: Numbers = 1) -> Any: ...

    def participation_ratio(self, t: Numbers = 1) -> Any:
        r""":math:`(\sum_i |\lambda_i|^t)^2 / \sum_i |\lambda_i|^{2t}`: 2 to the power of the entropy of order 2.

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0.

        Returns
        -------
        float or ndarray of shape (len(t),)
            From 1 to the number of eigenvalues.
        """
        times, several = as_numbers(t, "t", as_nonnegative)
        bits = self.bits(times, [2.0])
        self._warn_if_saturated(bits, times, [2.0])
        return drop_axes(np.exp2(bits), several, False)

    @overload
    def count(self, threshold: float, t: float = 1) -> int: ...
    @overload
    def count(self, threshold: Numbers, t: Numbers = 1) -> Any: ...

    def count(self, threshold: Numbers, t: Numbers = 1) -> Any:
        r"""How many :math:`|\lambda_i|^t` are above a threshold.

        Parameters
        ----------
        threshold : float or sequence of float
            At least 0, in units of the eigenvalues' power. The largest eigenvalue of a diffusion operator is 1.
        t : float or sequence of float, default 1
            Diffusion time, at least 0.

        Returns
        -------
        int or ndarray
            A number for two numbers, else an array of shape (len(threshold), len(t)) without the axis of a number.
        """
        thresholds, several_thresholds = as_numbers(threshold, "threshold", as_nonnegative)
        times, several_times = as_numbers(t, "t", as_nonnegative)
        with np.errstate(over="ignore"):  # infinity is above every threshold
            powers = self.eigenvalues[:, None] ** np.array(times)
        counts = (powers > np.array(thresholds)[:, None, None]).sum(axis=1)
        return drop_axes(counts, several_thresholds, several_times)

    def standard_error(self, t: Numbers = 1, order: Numbers = 1) -> Any:
        """One standard error of :meth:`entropy` in bits, where the spectrum is an estimate; else 0.

        Parameters
        ----------
        t, order : float or sequence of float, default 1
            As in :meth:`entropy`.

        Returns
        -------
        float or ndarray
            Of the shape that :meth:`entropy` has: the error of the sampling, for which three cover what three of a
            normal distribution do.
        """
        times, several_times, orders, several_orders = _both(t, order)
        return drop_axes(self._doubts(times, orders)[0], several_times, several_orders)

    def bounds(self, t: Numbers = 1, order: Numbers = 1) -> tuple[Any, Any]:
        """What finite depth leaves around :meth:`entropy`, in bits, where the spectrum is an estimate; else a point.

        Parameters
        ----------
        t, order : float or sequence of float, default 1
            As in :meth:`entropy`.

        Returns
        -------
        lower, upper : float or ndarray
            Of the shape that :meth:`entropy` has.

        Notes
        -----
        They are certain at t = 1 and 2 with orders up to 2 / t, and where the estimate was asked for more and had the
        depth for it; elsewhere they may be several times what two rules differ by, which has been seen to cover the
        error. See docs/theory.md.
        """
        times, several_times, orders, several_orders = _both(t, order)
        _, lower, upper = self._doubts(times, orders)
        lower, upper = (drop_axes(end, several_times, several_orders) for end in (lower, upper))
        return lower, upper

    def plot(self, t: Numbers = 1, *, ax: Any = None) -> Any:
        """Draw the probabilities p, largest first, for each t.

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0.
        ax : matplotlib Axes, optional
            Where to draw; by default on new axes.

        Returns
        -------
        matplotlib Axes
        """
        from dsentropy import plotting as _plot

        return _plot.spectrum(self, as_numbers(t, "t", as_nonnegative)[0], ax)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one ``.npz`` under exactly this name: to a temporary name first, then renamed.

        Parameters
        ----------
        path : path
            The file. Parent folders are made, an existing file is replaced.
        """
        import json

        name = as_path(path, "path")
        arrays = {
            f"parameter {key}": value for key, value in self.parameters.items() if isinstance(value, np.ndarray)
        }
        plain = {key: value for key, value in self.parameters.items() if f"parameter {key}" not in arrays}
        about = {
            "format": _FORMAT,
            "version": _core.__version__,
            "n_samples": self.n_samples,
            "parameters": plain,
            "arrays": sorted(arrays),
            "fingerprint": self.fingerprint,
        }
        write_npz(name, about=np.array(json.dumps(about)), **self._state(), **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, X: ArrayLike | None = None) -> Spectrum:
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        path : path
            The file.
        X : array_like, optional
            The data that it should belong to; other data are an error.

        Returns
        -------
        Spectrum

        Raises
        ------
        FileNotFoundError
            Where there is no such file.
        ValueError
            Where the file is torn, of another kind or of a later version, and where it was made from other data.
        """
        name = as_path(path, "path")
        spectrum = _read(name)
        if X is not None and spectrum.fingerprint != (_fingerprint(X, spectrum.parameters) or ""):
            raise ValueError(f"path: {name!r} was made from other data than X")
        return spectrum

    def bits(self, times: Sequence[float], orders: Sequence[float]) -> NDArray[np.float64]:
        """Entropies [times, orders] of numbers that were checked, without a warning."""
        return _core.renyi_entropies(self.eigenvalues, times, orders)

    def _doubts(
        self, times: Sequence[float], orders: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Standard errors, and the ends of brackets."""
        bits = self.bits(times, orders)
        return np.zeros_like(bits), bits, bits

    def _most(self) -> float:
        """The greatest entropy, in bits."""
        return math.log2(len(self))

    def _normalized(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        return bits / self._most() if len(self) > 1 else np.zeros_like(bits)

    def saturation(self, t: Numbers = 1, order: Numbers = 1) -> Any:
        """Whether the entropy is within 2% of its range of 0 (-1) or of its greatest value (1), or of neither (0).

        Parameters
        ----------
        t, order : float or sequence of float, default 1
            As in :meth:`entropy`.

        Returns
        -------
        int or ndarray
            Of the shape that :meth:`entropy` has.
        """
        times, several_times, orders, several_orders = _both(t, order)
        return drop_axes(saturation(self.bits(times, orders), self._most()), several_times, several_orders)

    def _warn_if_saturated(self, bits: NDArray[np.float64], times: Sequence[float], orders: Sequence[float]) -> None:
        if "bandwidth" in self.parameters:
            warn_if_saturated(bits, self._most(), times, orders, self.parameters["bandwidth"])


def saturation(bits: NDArray[np.float64], most: float) -> NDArray[np.int64]:
    """-1 near 0, 1 near the most, 0 between."""
    return (bits >= (1 - SATURATED) * most).astype(np.int64) - (bits <= SATURATED * most)


def warn_if_saturated(
    bits: NDArray[np.float64],
    most: float,
    times: Sequence[float],
    orders: Sequence[float],
    bandwidth: float | NDArray[np.float64],
) -> None:
    """Say which way to move the bandwidth; where t or the order is 0 the entropy does not depend on it."""
    if most == 0:
        return
    signs = saturation(bits, most) * np.outer(np.array(times) > 0, np.array(orders) > 0)
    of_what = "the bandwidths are" if np.ndim(bandwidth) else f"the bandwidth {bandwidth:.4g} is"
    for sign, bound, kind, way in [
        (-1, "0", "large", "smaller"),
        (1, f"the most, {most:.4g} bits", "small", "larger"),
    ]:
        if (signs == sign).any():
            at = times[int(np.argwhere(signs == sign)[0, 0])]
            advice = f"{of_what} too {kind} to tell these data apart, use a {way} one (or a {way} t)"
            if not np.any(bandwidth):
                advice = "no two rows differ by more than rounding, or each has many duplicates"
            text = f"the entropy at t = {at:g} is within 2% of {bound}: {advice}"
            warn(text, SaturationWarning)


def _both(t: Numbers, order: Numbers) -> tuple[list[float], bool, list[float], bool]:
    return *as_numbers(t, "t", as_nonnegative), *as_numbers(order, "order", as_order)


def without_rounding(eigenvalues: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eigenvalues, 0 where they are below N eps of the largest, which is rounding: powers below 1 magnify it."""
    least = len(eigenvalues) * np.finfo(np.float64).eps * eigenvalues.max()
    return np.where(eigenvalues > least, eigenvalues, 0.0)


def _restored(
    eigenvalues: NDArray[np.float64], n_samples: int, parameters: dict[str, Any], fingerprint: str | None
) -> Spectrum:
    return Spectrum(eigenvalues, n_samples=n_samples, parameters=parameters, fingerprint=fingerprint)


def frozen_parameters(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """A copy that cannot be changed, of what a file can hold."""
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a mapping, got {parameters!r}")
    return MappingProxyType({str(name): _plain(name, value) for name, value in parameters.items()})


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        value = np.array(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and value.size:
        return _frozen(value)
    raise TypeError(f"parameters must be numbers, strings and arrays of numbers, got {value!r} for {name!r}")


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that cannot be made writable."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.min():.4g} to {value.max():.4g}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _fingerprint(X: Any, parameters: Mapping[str, Any]) -> str | None:
    if is_operator(X):
        return as_operator(X, "X", affinities=False).fingerprint()
    if parameters.get("operator") == "kernel":
        matrix = as_pairs(X, "X")
        return Data(matrix, "affinity", matrix).fingerprint()
    data = Data.of(X, parameters.get("metric", "euclidean"))
    if parameters.get("max_samples") is not None and parameters.get("random_state", 0) is None:
        raise ValueError("X cannot be checked: the rows were drawn without a seed")
    return data.limited(parameters.get("max_samples"), parameters.get("random_state", 0)).fingerprint()


def _read(path: str) -> Spectrum:
    import json

    not_one = f"path: {path!r} is not a whole file of a Spectrum"
    with open(path, "rb") as opened:  # the system's errors name the file
        try:
            with np.load(opened, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                arrays = {key.removeprefix("parameter "): file[key] for key in about.get("arrays", [])}
                version = about["format"]
                if version == _FORMAT:
                    parameters = {**about["parameters"], **arrays}
                    if "eigenvalues" in file:
                        return _restored(file["eigenvalues"], about["n_samples"], parameters, about["fingerprint"])
                    from dsentropy._spectrum import (
                        estimated as _estimated_spectrum,
                    )  # which has this module as its base

                    return _estimated_spectrum.restored(file, about["n_samples"], parameters, about["fingerprint"])
        except Exception as error:  # of NumPy, zipfile, zlib or json, whatever bytes the file has
            raise ValueError(f"{not_one}: {error}") from error
    raise ValueError(f"{not_one} that this version of dsentropy can read: its format is {version!r}")
