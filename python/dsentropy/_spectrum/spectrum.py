"""A spectrum: eigenvalues of an operator, and the measures that are read off them.

With p_i = |lambda_i|^t / sum_j |lambda_j|^t every measure is a sum over the p_i, which costs microseconds where the
eigenvalues cost O(N^3). So a spectrum is computed once, and diffusion times, Renyi orders, counts and effective ranks
are read off it (Liao, Liu et al., arXiv 2312.04823).
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core, plotting
from dsentropy._checks.arrays import as_moduli
from dsentropy._checks.scalars import (
    Numbers,
    as_count,
    as_flag,
    as_nonnegative,
    as_numbers,
    as_path,
    as_positive,
    drop_axes,
)
from dsentropy._spectrum.arguments import require_results, times_and_orders
from dsentropy._spectrum.loading import loaded
from dsentropy._spectrum.provenance import as_fingerprint, frozen_array, frozen_parameters, shown
from dsentropy._spectrum.reading_table import ReadingTable
from dsentropy._spectrum.saturation import saturation, warn_if_saturated
from dsentropy.io import spectrum_file
from dsentropy.io.spectrum_file import SpectrumRecord


class Spectrum(ReadingTable):
    r"""Eigenvalues of an operator on N rows, and the measures that are read off them.

    Every measure is a sum over the probabilities

    .. math::

        p_i = \frac{|\lambda_i|^t}{\sum_j |\lambda_j|^t}

    and costs microseconds, where the eigenvalues cost O(N^3). A spectrum is made by :func:`diffusion_spectrum`,
    :func:`adjacency_spectrum`, :func:`kernel_spectrum` and :func:`covariance_spectrum`, or from given eigenvalues.
    It cannot be changed.

    Parameters
    ----------
    eigenvalues : array_like of shape (n,)
        Finite, not all zero. Their moduli are kept.
    n_samples : int, optional
        The number of rows of the data; by default the number of eigenvalues.
    parameters : mapping, optional
        The operator and how it was made: numbers, strings and arrays of numbers.
    fingerprint : str, optional
        A digest of the data.

    Attributes
    ----------
    eigenvalues : ndarray of shape (n,), float64
        Moduli, largest first. Where this package computed them, those that are rounding are 0: those below N eps of
        the largest, and those that the dtype of a given kernel explains (:func:`kernel_spectrum`). Others are kept.
    n_samples : int
        The number of rows.
    parameters : mapping
        The operator and how it was made; ``"bandwidth"`` is the number that was used, whatever rule gave it.
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

    _kinds: ClassVar[dict[str, type[Spectrum]]] = {}
    """Classes by the kind that their files name."""
    _kind: ClassVar[str] = "exact"

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
        moduli = as_moduli(eigenvalues, "eigenvalues")
        rows = len(moduli) if n_samples is None else as_count(n_samples, "n_samples")
        self._set_once(eigenvalues=frozen_array(moduli))
        about = frozen_parameters({} if parameters is None else parameters)
        self._set_once(n_samples=rows, parameters=about, fingerprint=as_fingerprint(fingerprint))

    def __init_subclass__(cls, *, kind: str | None = None, **rest: Any) -> None:
        """Register a class of spectra under the kind that its files name; without one it has that of its base."""
        super().__init_subclass__(**rest)
        if kind is not None:
            cls._kind = kind
            Spectrum._kinds[kind] = cls

    def _set_once(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a Spectrum cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Spectrum cannot be changed: {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return self._restored, (self._state(), self.n_samples, dict(self.parameters), self.fingerprint)

    def __len__(self) -> int:
        return len(self.eigenvalues)

    def __repr__(self) -> str:
        parameters = "".join(f", {name}={shown(value)}" for name, value in self.parameters.items())
        return (
            f"<{type(self).__name__} of {len(self)} eigenvalues, {self.n_samples} samples: entropy "
            f"{self.bits([1.0], [1.0])[0, 0]:.4g} of at most {self._max_entropy:.4g} bits at t = 1"
            f"{self._repr_uncertainty()}{parameters}>"
        )

    def _repr_uncertainty(self) -> str:
        """Return the part of the repr that follows the entropy."""
        return ""

    def _state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of which a file or a pickle consists, beside the number of rows and the parameters."""
        return {"eigenvalues": self.eigenvalues}

    @classmethod
    def _restored(
        cls, state: Mapping[str, NDArray[Any]], n_samples: int, parameters: Mapping[str, Any], fingerprint: str | None
    ) -> Spectrum:
        """Return the spectrum whose :meth:`_state` this is."""
        return cls(state["eigenvalues"], n_samples=n_samples, parameters=parameters, fingerprint=fingerprint)

    @overload
    def entropy(self, t: float = 1, order: float = 1, base: float = 2, normalized: bool = False) -> float: ...
    @overload
    def entropy(self, t: Numbers = 1, order: Numbers = 1, base: float = 2, normalized: bool = False) -> Any: ...

    def entropy(self, t: Numbers = 1, order: Numbers = 1, base: float = 2, normalized: bool = False) -> Any:
        r"""Return the Renyi entropy of :math:`p_i = |\lambda_i|^t / \sum_j |\lambda_j|^t`.

        .. math::

            H_1 = -\sum_i p_i \log p_i, \qquad H_q = \frac{1}{1 - q} \log \sum_i p_i^q, \qquad
            H_\infty = -\log \max_i p_i

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0. A sequence has at most 10^6 numbers, of every argument.
        order : float or sequence of float, default 1
            Renyi order q, at least 0, or infinity. Order 1 is Shannon's entropy. Order 0 is the logarithm of the
            number of eigenvalues that are not 0; at t = 0 all eigenvalues count.
        base : float, default 2
            Base of the logarithm: 2 gives bits. It cancels where ``normalized`` is True, and may not be given then.
        normalized : bool, default False
            Divide by the maximum, the logarithm of the number of eigenvalues.

        Returns
        -------
        float or ndarray
            A number for two numbers, else an array of shape (len(t), len(order)) without the axis of a number.

        Warns
        -----
        SaturationWarning
            Where the operator has a bandwidth and the entropy is within 2% of 0 or of its maximum.

        Examples
        --------
        >>> from dsentropy import Spectrum
        >>> Spectrum([0.5, 0.25, 0.25]).entropy()
        1.5
        >>> Spectrum([0.5, 0.25, 0.25]).entropy(order=float("inf"))
        1.0
        """
        times, several_times, orders, several_orders = times_and_orders(t, order)
        unit = as_positive(base, "base")
        if unit == 1:
            raise ValueError("base must not be 1")
        divided = as_flag(normalized, "normalized")
        if divided and unit != 2:
            raise ValueError(f"base must not be given where normalized is True: it cancels, got {unit:g}")
        bits = self.bits(times, orders)
        self._warn_if_saturated(bits, times, orders)
        if divided:
            values = bits / self._max_entropy if len(self) > 1 else np.zeros_like(bits)
        else:
            values = bits / math.log2(unit)
        return drop_axes(values, several_times, several_orders)

    @overload
    def effective_rank(self, t: float = 1) -> float: ...
    @overload
    def effective_rank(self, t: Numbers = 1) -> Any: ...

    def effective_rank(self, t: Numbers = 1) -> Any:
        r"""Return the number of equal eigenvalues with this entropy: 2 to the power of the entropy in bits.

        For the spectrum of a kernel at t = 1 it is the Vendi score; for the spectrum of a covariance at t = 1/2 the
        effective rank of Roy & Vetterli (2007), which is RankMe but for the centring.

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0.

        Returns
        -------
        float or ndarray of shape (len(t),)
            From 1 to the number of eigenvalues.
        """
        return self._effective_number(t, 1.0)

    @overload
    def participation_ratio(self, t: float = 1) -> float: ...
    @overload
    def participation_ratio(self, t: Numbers = 1) -> Any: ...

    def participation_ratio(self, t: Numbers = 1) -> Any:
        r"""Return the participation ratio, 2 to the power of the entropy of order 2.

        .. math::

            \frac{\left(\sum_i |\lambda_i|^t\right)^2}{\sum_i |\lambda_i|^{2t}}

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0.

        Returns
        -------
        float or ndarray of shape (len(t),)
            From 1 to the number of eigenvalues.
        """
        return self._effective_number(t, 2.0)

    @overload
    def count(self, threshold: float, t: float = 1) -> int: ...
    @overload
    def count(self, threshold: Numbers, t: Numbers = 1) -> Any: ...

    def count(self, threshold: Numbers, t: Numbers = 1) -> Any:
        r"""Count the :math:`|\lambda_i|^t` that are above a threshold.

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
        require_results("threshold and t", len(thresholds), len(times))
        counts = np.empty((len(thresholds), len(times)), dtype=np.int64)
        for column, time in enumerate(times):
            with np.errstate(over="ignore"):  # infinity is above every threshold
                powers = np.sort(self.eigenvalues**time)
            counts[:, column] = len(powers) - np.searchsorted(powers, thresholds, side="right")
        return drop_axes(counts, several_thresholds, several_times)

    def standard_error(self, t: Numbers = 1, order: Numbers = 1) -> Any:
        """Return the standard error of :meth:`entropy` in bits: the sampling error of an estimate.

        Parameters
        ----------
        t, order : float or sequence of float, default 1
            As in :meth:`entropy`.

        Returns
        -------
        float or ndarray
            Of the shape of :meth:`entropy`: one standard deviation of the sampling error, which is close to normally
            distributed. It is 0 where the spectrum is exact.
        """
        times, several_times, orders, several_orders = times_and_orders(t, order)
        return drop_axes(self._uncertainty(times, orders)[0], several_times, several_orders)

    def bounds(self, t: Numbers = 1, order: Numbers = 1) -> tuple[Any, Any]:
        """Return truncation bounds of :meth:`entropy` in bits: the error that the finite depth of an estimate leaves.

        Parameters
        ----------
        t, order : float or sequence of float, default 1
            As in :meth:`entropy`.

        Returns
        -------
        lower, upper : float or ndarray
            Of the shape of :meth:`entropy`. Both are the entropy where the spectrum is exact.

        Notes
        -----
        They are certain at t = 1 and 2 with orders up to 2 / t, and elsewhere where the estimate was asked for those
        t and orders and had the depth for it. At all others they are several times the difference of two quadrature
        rules, which has covered the error in experiments. See docs/theory.md.
        """
        times, several_times, orders, several_orders = times_and_orders(t, order)
        _, lower, upper = self._uncertainty(times, orders)
        lower, upper = (drop_axes(end, several_times, several_orders) for end in (lower, upper))
        return lower, upper

    def plot(self, t: Numbers = 1, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the probabilities p, largest first, for each t.

        Parameters
        ----------
        t : float or sequence of float, default 1
            Diffusion time, at least 0.
        label : str, optional
            The name of what is drawn, in place of the title, where several spectra are drawn on the same axes.
        ax : matplotlib Axes, optional
            Where to draw; by default on new axes.

        Returns
        -------
        matplotlib Axes
        """
        title = f"spectrum of {self.n_samples} samples"
        return plotting.spectrum(self.eigenvalues, t, label=label, title=None if label is not None else title, ax=ax)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one ``.npz`` under exactly this name: to a temporary name first, then renamed.

        The file has a checksum. A file that exists is replaced, where a symbolic link leads, and its permissions are
        kept; a failed write leaves it. See docs/promises.md.

        Parameters
        ----------
        path : path
            The file. Parent folders are made; ``~`` is the home folder.

        Raises
        ------
        OSError
            Where the file cannot be written.
        """
        name = as_path(path, "path")
        record = SpectrumRecord(self._kind, self._state(), self.n_samples, dict(self.parameters), self.fingerprint)
        spectrum_file.write(name, record, _core.__version__)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, X: ArrayLike | None = None) -> Spectrum:
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        path : path
            The file.
        X : array_like, optional
            The data from which the spectrum should have been made; other data are an error.

        Returns
        -------
        Spectrum
            Of the class that was saved, such as :class:`EstimatedSpectrum`.

        Raises
        ------
        FileNotFoundError
            Where there is no such file.
        ValueError
            Where the file is damaged, is no file of a spectrum, has a later format or numbers that no spectrum has,
            and where it was made from other data.
        """
        return loaded(as_path(path, "path"), Spectrum._kinds, X)

    def bits(self, times: Sequence[float], orders: Sequence[float]) -> NDArray[np.float64]:
        """Return entropies [times, orders] for numbers that were checked, without a warning."""
        return _core.renyi_entropies(self.eigenvalues, times, orders)

    def _uncertainty(
        self, times: Sequence[float], orders: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return standard errors and lower and upper truncation bounds, each [times, orders]."""
        bits = self.bits(times, orders)
        return np.zeros_like(bits), bits, bits

    @property
    def _max_entropy(self) -> float:
        """The maximum of the entropy, in bits."""
        return math.log2(len(self))

    def saturation(self, t: Numbers = 1, order: Numbers = 1) -> Any:
        """Return -1 where the entropy is within 2% of 0, 1 where it is within 2% of its maximum, and 0 elsewhere.

        Parameters
        ----------
        t, order : float or sequence of float, default 1
            As in :meth:`entropy`.

        Returns
        -------
        int or ndarray
            Of the shape of :meth:`entropy`.
        """
        times, several_times, orders, several_orders = times_and_orders(t, order)
        return drop_axes(saturation(self.bits(times, orders), self._max_entropy), several_times, several_orders)

    def _effective_number(self, t: Numbers, order: float) -> Any:
        times, several = as_numbers(t, "t", as_nonnegative)
        bits = self.bits(times, [order])
        self._warn_if_saturated(bits, times, [order])
        return drop_axes(np.exp2(bits), several, False)

    def _warn_if_saturated(self, bits: NDArray[np.float64], times: Sequence[float], orders: Sequence[float]) -> None:
        bandwidth, distinct = self.parameters.get("bandwidth"), self.parameters.get("distinct_rows")
        if isinstance(bandwidth, (int, float, np.ndarray)):  # the parameters of a file or of a caller may be others
            distinct = distinct if isinstance(distinct, int) and distinct > 0 else None
            warn_if_saturated(bits, self._max_entropy, times, orders, bandwidth, distinct_rows=distinct)


Spectrum._kinds[Spectrum._kind] = Spectrum
