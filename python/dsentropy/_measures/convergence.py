"""Entropy against the number of rows, and whether it still moves.

    change = mean_r (H(first n rows of order r) - H(first m rows of order r)) / log2(n / m),    m near n / 2

over random orders r of the rows: bits a doubling of the rows, with the interval of Student's t (Biometrika 6, 1908)
on the differences of nested subsets. Cost: one spectrum for each order and size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import plotting
from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.limits import MAX_DRAWS
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import Numbers, Precision, RandomState, as_choice, as_count, as_positive
from dsentropy._checks.unused import require_unused
from dsentropy._data.data import Metric
from dsentropy._data.device_rows import AnyData, data_of
from dsentropy._measures.nested_subsets import NestedSubsets, as_sizes, half_of, own_entropies, readings
from dsentropy._measures.random_subsets import SubsetArguments
from dsentropy._measures.student_interval import RepeatedMean, as_confidence, sum_of
from dsentropy._operator.bandwidth import BandwidthLike, is_rule
from dsentropy._results.tabular import Tabular
from dsentropy._spectrum.solver import Stochastic
from dsentropy._spectrum.spectrum import Spectrum


@dataclass(frozen=True, eq=False, repr=False)
class Convergence(Tabular):
    """Entropy, or another reading of a spectrum, against the number of rows, as returned by :func:`convergence`.

    Axes of t and order, or those of what ``reading`` returned, come last; they are dropped for numbers.

    Attributes
    ----------
    sizes : tuple of int
        Numbers of rows, ascending.
    mean : ndarray of shape (len(sizes), ...)
        Mean over the repeats, in bits.
    standard_deviation : ndarray of shape (len(sizes), ...)
        Spread over the repeats: of the choice of rows out of X. It is 0 at all rows.
    values : ndarray of shape (n_repeats, len(sizes), ...)
        The entropy of each subset; those of one repeat are nested.
    change : float or ndarray
        Mean change a doubling of the rows, at the largest size: from the size nearest to half of it, divided by the
        base-2 logarithm of their ratio.
    change_interval : tuple of two floats or ndarrays
        A confidence interval of the expected change over random orders of these rows.
    moves : bool or ndarray of bool
        Whether the value may still move: True unless the whole interval of the change lies within ``tolerance`` of 0.
    tolerance : float
        Change a doubling that counts as none, in bits.
    confidence : float
        Confidence of the interval.
    n_samples : int
        Rows of X.
    t, order : tuple of float, or None
        The diffusion times and Renyi orders; None where ``reading`` was given.
    bandwidth : float, ndarray of shape (N,) or None
        Bandwidth of all rows, with which each subset was computed; None where each subset has its own, and where
        affinities were given.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import convergence
    >>> found = convergence(np.random.default_rng(0).normal(size=(200, 2)))
    >>> low, high = found.change_interval
    >>> bool(low < found.change < high), found.moves == bool(low < -found.tolerance or high > found.tolerance)
    (True, True)
    """

    sizes: tuple[int, ...]
    mean: NDArray[np.float64]
    standard_deviation: NDArray[np.float64]
    values: NDArray[np.float64]
    change: float | NDArray[np.float64]
    change_interval: tuple[float | NDArray[np.float64], float | NDArray[np.float64]]
    moves: bool | NDArray[np.bool_]
    tolerance: float
    confidence: float
    n_samples: int
    t: tuple[float, ...] | None
    order: tuple[float, ...] | None
    bandwidth: float | NDArray[np.float64] | None

    def __repr__(self) -> str:
        bits = "" if self.t is None else " bits"
        of = f"{len(self.values)} nested subsets at {len(self.sizes)} sizes"
        moving, number = int(np.sum(self.moves)), np.size(self.moves)
        if number > 1:
            moved = f"{moving} may still move by more than {self.tolerance:g}{bits} a doubling"
            return (
                f"<Convergence of {number} readings at {self.sizes[-1]} of {self.n_samples} samples: {moved}; {of}>"
            )
        change, low, high = (float(np.squeeze(end)) for end in (self.change, *self.change_interval))
        moved = "may still move" if moving else "settled"
        return (
            f"<Convergence: {float(np.squeeze(self.mean[-1])):.4g}{bits} at {self.sizes[-1]} of {self.n_samples} "
            f"samples, {moved}: {change:.2g}{bits} a doubling (interval {low:.2g} to {high:.2g} at "
            f"{100 * self.confidence:.6g}%), tolerance {self.tolerance:g}; {of}>"
        )

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns of a table, one row a size and reading.

        They are ``n_samples``, then ``t`` and ``order``, or ``reading``, the place of a number of many, then
        ``mean``, ``standard_deviation`` and ``change``: that a doubling, from the size nearest to half; NaN at the
        first size.
        """
        mean = self.mean.reshape(len(self.sizes), -1)
        number = mean.shape[1]
        change = np.full(mean.shape, np.nan)
        for place in range(1, len(self.sizes)):
            before = half_of(list(self.sizes), place)
            change[place] = (mean[place] - mean[before]) / np.log2(self.sizes[place] / self.sizes[before])
        keys: dict[str, list[Any]] = {"reading": list(range(number))}
        if self.t is not None and self.order is not None:
            keys = {"t": np.repeat(self.t, len(self.order)).tolist(), "order": list(self.order) * len(self.t)}
        return {
            "n_samples": np.repeat(self.sizes, number).tolist(),
            **{name: key * len(self.sizes) for name, key in keys.items()},
            "mean": mean.ravel().tolist(),
            "standard_deviation": self.standard_deviation.ravel().tolist(),
            "change": change.ravel().tolist(),
        }

    def plot(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the mean against the number of rows, a line for each reading, with its standard deviation shaded.

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
        shape = (len(self.sizes), -1)
        labels = [f"reading {place}" for place in range(np.size(self.moves))]
        if self.t is not None and self.order is not None:
            pairs = [(time, order) for time in self.t for order in self.order]
            several = len(self.order) > 1
            labels = [f"t = {time:g}" + (f", order {order:g}" if several else "") for time, order in pairs]
        title = f"{len(self.values)} nested subsets of {self.n_samples} samples, standard deviation shaded"
        return plotting.convergence(
            self.sizes,
            self.mean.reshape(shape),
            self.standard_deviation.reshape(shape),
            labels,
            ylabel="reading" if self.t is None else "entropy (bits)",
            label=label,
            title=None if label is not None else title,
            ax=ax,
        )


def convergence(
    X: ArrayLike,
    sizes: Sequence[int] | None = None,
    *,
    n_repeats: int = 10,
    t: Numbers | None = None,
    order: Numbers | None = None,
    reading: Callable[[Spectrum], ArrayLike] | None = None,
    tolerance: float = 0.05,
    confidence: float = 0.95,
    bandwidth: BandwidthLike | None = None,
    bandwidth_of: Literal["all", "subset"] = "all",
    n_neighbors: int | None = None,
    alpha: float = 0.0,
    metric: Metric = "euclidean",
    precision: Precision = "auto",
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
) -> Convergence:
    r"""Compute the diffusion spectral entropy against the number of rows, and whether it still moves.

    .. math::

        \Delta = \frac{1}{R} \sum_{r=1}^R \frac{H(X_{\pi_r(1..n)}) - H(X_{\pi_r(1..m)})}{\log_2 (n / m)}

    is the change a doubling, with :math:`\pi_r` random orders of the rows, n the largest size and m the one nearest
    to n / 2. The subsets of a repeat are nested, so what the choice of rows adds to both cancels in part.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data; see :func:`diffusion_spectrum`.
    sizes : sequence of int, optional
        Numbers of rows, at least two different ones and at most N each. By default N or, where there are more, 4000
        rows, and half of that, a quarter, ..., six sizes and none below 16 rows.
    n_repeats : int, default 10
        R, the number of random orders of the rows, from 2 to 10^7.
    t, order : float or sequence of float, optional, default 1
        See :meth:`Spectrum.entropy`. Refused where ``reading`` is given.
    reading : callable, optional
        What to read off the :class:`Spectrum` of each subset in place of the entropy: a function of it that returns a
        number, or an array of one shape at all sizes, such as ``lambda spectrum: spectrum.participation_ratio()``.
    tolerance : float, default 0.05
        Change a doubling of the rows that counts as none, in bits or in the unit of ``reading``.
    confidence : float, default 0.95
        Confidence of the interval of the change, between 0 and 1.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, optional, default "median"
        See :func:`diffusion_spectrum`.
    bandwidth_of : {"all", "subset"}, default "all"
        Of which rows a rule takes the bandwidth: of all rows, which each subset uses, as in
        :func:`subsampled_entropy`, or of each subset. ``"all"`` answers how the entropy of one kernel depends on the
        number of rows, ``"subset"`` what would have been found with fewer data. Refused where the bandwidth is given
        by numbers, or affinities are.
    n_neighbors, alpha, metric, num_threads, progress
        See :func:`diffusion_spectrum`.
    precision : {"auto", "single", "double"}, default "auto"
        See :func:`subsampled_entropy`; ``"auto"`` is double where ``reading`` is given.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the orders and of the signs of estimates. It draws the same rows for all data sets with N rows; the
        subsets of the largest size are those of :func:`subsampled_entropy` of that ``n_samples``. A generator of
        NumPy gives one integer as the seed, and its state moves on. None draws from Python's global generator.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        See :func:`subsampled_entropy`. Where ``reading`` is given, the ``tol`` of a :class:`Stochastic` holds at its
        ``t`` and ``orders``.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`. The exact solver copies the rows
        to the processor, except those of subsets that a CUDA device solves for, of 1000 rows or more.

    Returns
    -------
    Convergence
        ``mean`` and ``standard_deviation`` at each of the ``sizes``, ``change``, ``change_interval``, ``moves``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectrum`.

    Warns
    -----
    SaturationWarning
        Where the mean entropy at the largest size is within 2% of 0 or of its maximum.
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    Cost: one spectrum for each repeat and size, of which those of the largest size take most; one of all N rows. With
    the bandwidth of all rows, entropies are spread over the threads; with ``bandwidth_of="subset"`` or a ``reading``
    subsets are solved one after the other.

    ``moves`` is False only where the interval of the change lies within ``tolerance`` of 0. A change that is small,
    but known too badly, is not settled: take more repeats. Neither answer extrapolates: at a small bandwidth the
    entropy grows by up to one bit a doubling until rows are within a bandwidth of each other, so it may rest on one
    scale and move again on another.

    The spread and the interval are of the choice of rows out of X, not of X out of a population, and shrink as the
    size nears N. Where entropies are estimates, the interval contains their standard errors and bounds; those of a
    ``reading`` are not known, and only their spread over the repeats is in it.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1; Student, "The probable error of a mean", Biometrika 6 (1908),
    doi 10.1093/biomet/6.1.1.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import convergence
    >>> X = np.random.default_rng(0).normal(size=(400, 2))
    >>> found = convergence(X)
    >>> found.sizes
    (25, 50, 100, 200, 400)
    >>> found.moves  # the interval of the change a doubling reaches beyond 0.05 bits
    True
    >>> convergence(X, tolerance=0.2).moves
    False
    """
    repeats, level = as_count(n_repeats, "n_repeats", least=2, most=MAX_DRAWS), as_confidence(confidence)
    tolerated, own = as_positive(tolerance, "tolerance"), _as_own(bandwidth_of, bandwidth, metric)
    _require_reading(reading, t, order)
    arguments = SubsetArguments.of(
        t=1 if t is None else t,
        order=1 if order is None else order,
        alpha=alpha,
        precision=precision,
        random_state=random_state,
        num_threads=num_threads,
        progress=progress,
        solver=solver,
        own_times=reading is None,
        fewer="smaller sizes",
    )
    data = data_of(device, X, metric, arguments.precision)
    of = as_sizes(sizes, data.n_samples)
    arguments.require_kernel(data, bandwidth, n_neighbors)
    subsets = NestedSubsets.of(of, repeats, data.n_samples, arguments.seed, arguments.readings)
    values, change, sigma = _changes(arguments, reading, data, bandwidth, n_neighbors, subsets, of, own)
    low, high = change.interval(level)
    moves = np.maximum(np.abs(low), np.abs(high)) > tolerated
    means = RepeatedMean.of(values, None)
    drop = arguments.drop_axes if reading is None else _number
    return Convergence(
        sizes=tuple(of),
        mean=drop(means.mean),
        standard_deviation=drop(means.deviation),
        values=drop(values),
        change=drop(change.mean),
        change_interval=(drop(low), drop(high)),
        moves=drop(moves),
        tolerance=tolerated,
        confidence=level,
        n_samples=data.n_samples,
        t=None if reading is not None else tuple(arguments.times),
        order=None if reading is not None else tuple(arguments.orders),
        bandwidth=None if own or data.metric == "affinity" else sigma,
    )


def _as_own(bandwidth_of: Any, bandwidth: Any, metric: Any) -> bool:
    """Return whether each subset has a bandwidth of its own, which must be a rule or a callable then."""
    own = as_choice(bandwidth_of, "bandwidth_of", "all", "subset") == "subset"
    if own and isinstance(metric, str) and metric == "affinity":
        raise ValueError("bandwidth_of must be 'all' where metric is 'affinity', which has no bandwidth")
    if own and not is_rule(bandwidth):
        raise ValueError(
            f"bandwidth_of must be 'all' where bandwidth is no rule and no callable, got {printed(bandwidth)}"
        )
    return own


def _require_reading(reading: Any, t: Any, order: Any) -> None:
    if reading is None:
        return
    if not callable(reading):
        raise TypeError(f"reading must be a function of a Spectrum, got {printed(reading)}")
    require_unused(t, "t", "reading is given")
    require_unused(order, "order", "reading is given")


def _number(values: NDArray[Any]) -> Any:
    return values if values.ndim else values.item()


def _changes(
    arguments: SubsetArguments,
    reading: Callable[[Spectrum], Any] | None,
    data: AnyData,
    bandwidth: Any,
    n_neighbors: Any,
    subsets: NestedSubsets,
    sizes: list[int],
    own: bool,
) -> tuple[NDArray[np.float64], RepeatedMean, Any]:
    """Return readings [repeats, sizes, ...], their change a doubling at the largest size, and the bandwidth."""
    last, half = len(sizes) - 1, half_of(sizes, len(sizes) - 1)
    doublings = float(np.log2(sizes[last] / sizes[half]))
    if reading is not None:
        found, sigma = readings(arguments, reading, data, bandwidth, n_neighbors, subsets.rows, own)
        values = found[subsets.keys]
        return values, RepeatedMean.of((values[:, last] - values[:, half]) / doublings, None), sigma
    solve = own_entropies if own else SubsetArguments.entropies
    sampled = solve(arguments, data, bandwidth, n_neighbors, subsets.rows)
    values = sampled.entropies.bits[subsets.keys]
    largest = f"the mean entropy at {sizes[last]} rows"
    arguments.warn_if_saturated(sampled, values[:, last].mean(axis=0), sizes[last], largest)
    known = [arguments.uncertainty(sampled.entropies, subsets.keys[:, place].tolist()) for place in (last, half)]
    change = RepeatedMean.of(values[:, last] - values[:, half], sum_of(*known))
    return values, change.divided(doublings), sampled.bandwidth
