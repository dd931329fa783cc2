"""Entropy at a fixed number of rows, with its spread over random subsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.progress import progress_bar
from dsentropy._checks.scalars import (
    Numbers,
    as_alpha,
    as_count,
    as_float,
    as_nonnegative,
    as_numbers,
    as_order,
    as_precision,
    as_seed,
    as_threads,
)
from dsentropy._core import OperatorSpec
from dsentropy._data.data import Data
from dsentropy._data.subsets import Draws
from dsentropy._measures.spectra import bandwidth_of, entropies
from dsentropy._operator import bandwidth as _bandwidth
from dsentropy._operator.bandwidth import BandwidthLike
from dsentropy._reference.entropy import core_precision
from dsentropy._reference.mutual_information import Subsets
from dsentropy._spectrum.saturation import warn_if_saturated


@dataclass(frozen=True, eq=False, repr=False)
class SubsampledEntropy:
    """What :func:`subsampled_entropy` found.

    For a sequence of t or order, numbers are arrays as :meth:`Spectrum.entropy` returns them.

    Attributes
    ----------
    mean : float or ndarray
        Bits.
    standard_deviation : float or ndarray
        Over the subsets: how much the entropy of one subset varies.
    interval : tuple of two floats or ndarrays
        A confidence interval of the expected entropy of a random subset of these data (Student's t). It covers the
        choice of rows out of X, not that of X out of a population.
    values : ndarray of shape (n_repeats, ...)
        The entropy of each subset.
    n_samples : int
        Rows of a subset.
    confidence : float
        Of the interval.
    bandwidth : float or ndarray of shape (N,)
        That of all rows, with which each subset was computed. None where affinities were given.
    """

    mean: float | NDArray[np.float64]
    standard_deviation: float | NDArray[np.float64]
    interval: tuple[float | NDArray[np.float64], float | NDArray[np.float64]]
    values: NDArray[np.float64]
    n_samples: int
    confidence: float
    bandwidth: float | NDArray[np.float64] | None

    def __repr__(self) -> str:
        of = f"{len(self.values)} subsets of {self.n_samples} samples"
        if isinstance(self.mean, np.ndarray):
            return f"<SubsampledEntropy {self.mean.min():.4g} to {self.mean.max():.4g} bits; {of}>"
        low, high = self.interval
        return (
            f"<SubsampledEntropy {self.mean:.4g} bits ({low:.4g} to {high:.4g} at {self.confidence:.0%}), standard "
            f"deviation {self.standard_deviation:.2g}; {of}>"
        )


def subsampled_entropy(
    X: ArrayLike,
    *,
    n_samples: int,
    n_repeats: int = 20,
    t: Numbers = 1,
    order: Numbers = 1,
    confidence: float = 0.95,
    bandwidth: BandwidthLike = "median",
    n_neighbors: int = 15,
    alpha: float = 0.0,
    metric: str = "euclidean",
    precision: str = "auto",
    random_state: int | None = 0,
    num_threads: int | None = None,
    progress: bool = False,
) -> SubsampledEntropy:
    r"""Diffusion spectral entropy of random subsets of a fixed size: its mean and its spread.

    An entropy grows with the number of rows; at the same ``n_samples`` data sets of unequal size can be compared.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data: anything that NumPy can make an array of, or a torch tensor.
    n_samples : int
        Rows of a subset, drawn without replacement; at most N.
    n_repeats : int, default 20
        Subsets, drawn independently of each other; at least 2.
    t, order : float or sequence of float, default 1
        See :meth:`Spectrum.entropy`.
    confidence : float, default 0.95
        Of the interval, between 0 and 1.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, default "median"
        As in :func:`diffusion_spectrum`, of all rows, and then the same in each subset.
    n_neighbors, alpha, metric, num_threads, progress
        As in :func:`diffusion_spectrum`.
    precision : {"auto", "single", "double"}, default "auto"
        As in :func:`entropy_surface`.
    random_state : int or None, default 0
        Seed of the subsets. None draws from Python's global generator.

    Returns
    -------
    SubsampledEntropy
        ``mean``, ``standard_deviation``, ``interval``, ``values``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As in :func:`diffusion_spectrum`.

    Warns
    -----
    SaturationWarning
        Where the mean is within 2% of 0 or of log2 ``n_samples``.

    Notes
    -----
    Cost: that of ``n_repeats`` entropies of ``n_samples`` rows, spread over the threads. Where ``n_samples`` is N,
    all subsets are the same rows, and the interval is a point.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1; Student, "The probable error of a mean", Biometrika 6 (1908).

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import subsampled_entropy
    >>> X = np.random.default_rng(0).normal(size=(300, 5))
    >>> found = subsampled_entropy(X, n_samples=100)
    >>> low, high = found.interval
    >>> bool(low < found.mean < high), found.values.shape
    (True, (20,))
    """
    times, several_times = as_numbers(t, "t", as_nonnegative)
    orders, several_orders = as_numbers(order, "order", as_order)
    of_alpha = as_alpha(alpha)
    wanted = as_precision(precision)
    threads = as_threads(num_threads)
    data = Data.of(X, metric)
    size = as_count(n_samples, "n_samples", n_rows=data.n_samples)
    repeats = as_count(n_repeats, "n_repeats")
    if repeats < 2:
        raise ValueError(f"n_repeats must be at least 2, to have a spread, got {repeats}")
    level = as_float(confidence, "confidence")
    if not 0 < level < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}")
    seed = as_seed(random_state, "random_state")
    sigma, _ = bandwidth_of(bandwidth, data, n_neighbors, seed, threads)
    chosen = core_precision(wanted, data.given, times, orders)
    operator = OperatorSpec.diffusion(_bandwidth.for_core(sigma), of_alpha, chosen)

    draws, subsets = Draws(seed), Subsets()
    # In the order of the rows: subsets of all of them are one and the same.
    keys = [subsets.add(np.sort(draws.next(data.n_samples, size))) for _ in range(repeats)]
    data.require_subsets(subsets.rows)
    with progress_bar(progress, len(subsets.rows), "entropies") as advance:
        spectra = _core.subset_eigenvalues(
            data.rows, data.core_metric, subsets.rows, operator, progress=advance, num_threads=threads
        )
    bits = np.array([entropies(eigenvalues, times, orders) for eigenvalues in spectra])[keys]

    def shaped(values: NDArray[np.float64]) -> Any:
        values = values if several_orders else values[..., 0]
        return values if several_times else (values[..., 0, :] if several_orders else values[..., 0])

    mean, deviation = bits.mean(axis=0), bits.std(axis=0, ddof=1)
    if data.metric != "affinity":
        warn_if_saturated(mean, float(np.log2(size)), times, orders, sigma)
    reach = _student(level, repeats - 1) * deviation / np.sqrt(repeats)
    mean, deviation, low, high = (_plain(shaped(values)) for values in (mean, deviation, mean - reach, mean + reach))
    return SubsampledEntropy(
        mean=mean,
        standard_deviation=deviation,
        interval=(low, high),
        values=shaped(bits),
        n_samples=size,
        confidence=level,
        bandwidth=None if data.metric == "affinity" else sigma,
    )


def _student(confidence: float, degrees_of_freedom: int) -> float:
    """How many standard errors reach to either side."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, (1 + confidence) / 2))


def _plain(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else value
