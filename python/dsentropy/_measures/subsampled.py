"""Entropy at a fixed number of rows, with its spread over random subsets.

The interval of the mean is Student's (Biometrika 6, 1908). Cost: one entropy for each subset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import plotting
from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.limits import MAX_DRAWS
from dsentropy._checks.scalars import Numbers, Precision, RandomState, as_count
from dsentropy._data.data import Metric
from dsentropy._data.device_rows import data_of
from dsentropy._measures.random_subsets import SubsetArguments, drawn, require_subsets
from dsentropy._measures.student_interval import RepeatedMean, as_confidence
from dsentropy._operator.bandwidth import BandwidthLike
from dsentropy._results.tabular import Tabular
from dsentropy._spectrum.solver import Stochastic


@dataclass(frozen=True, eq=False, repr=False)
class SubsampledEntropy(Tabular):
    """Entropy at a fixed number of rows, as returned by :func:`subsampled_entropy`.

    For a sequence of t or order, numbers are arrays of the shape that :meth:`Spectrum.entropy` returns.

    Attributes
    ----------
    mean : float or ndarray
        Mean over the subsets, in bits.
    standard_deviation : float or ndarray
        Spread over the subsets: how much the entropy of one subset varies. Sampling errors of estimates are in it.
    interval : tuple of two floats or ndarrays
        A confidence interval of the expected entropy of a random subset of these data (Student's t). It covers the
        choice of rows out of X, not that of X out of a population. Where entropies are estimates, it covers their
        uncertainty as well. It is too narrow where few of the ``values`` differ much from the others, see the notes
        of :func:`subsampled_entropy`.
    values : ndarray of shape (n_repeats, ...)
        The entropy of each subset.
    n_samples : int
        Rows of a subset.
    confidence : float
        Confidence of the interval.
    bandwidth : float or ndarray of shape (N,)
        Bandwidth of all rows, with which each subset was computed. None where affinities were given.
    t, order : tuple of float
        The diffusion times and Renyi orders.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import subsampled_entropy
    >>> found = subsampled_entropy(np.random.default_rng(0).normal(size=(100, 3)), n_samples=50)
    >>> bool(np.isclose(found.values.mean(), found.mean)), found.n_samples
    (True, 50)
    """

    mean: float | NDArray[np.float64]
    standard_deviation: float | NDArray[np.float64]
    interval: tuple[float | NDArray[np.float64], float | NDArray[np.float64]]
    values: NDArray[np.float64]
    n_samples: int
    confidence: float
    bandwidth: float | NDArray[np.float64] | None
    t: tuple[float, ...]
    order: tuple[float, ...]

    def __repr__(self) -> str:
        of = f"{len(self.values)} subsets of {self.n_samples} samples"
        if isinstance(self.mean, np.ndarray):
            low, high = self.mean.min(), self.mean.max()
            readings = f"{self.mean.size} {'reading' if self.mean.size == 1 else 'readings'} of t and order"
            return f"<SubsampledEntropy at {readings}: smallest mean {low:.4g} bits, largest {high:.4g} bits; {of}>"
        low, high = self.interval
        return (
            f"<SubsampledEntropy: mean {self.mean:.4g} bits (interval {low:.4g} to {high:.4g} at "
            f"{100 * self.confidence:.6g}%), standard deviation {self.standard_deviation:.2g}; {of}>"
        )

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns of a table with one row for each t and order.

        They are ``t``, ``order``, ``mean``, ``standard_deviation``, ``interval_low`` and ``interval_high``; bits.
        """
        low, high = self.interval
        read = {
            "mean": self.mean,
            "standard_deviation": self.standard_deviation,
            "interval_low": low,
            "interval_high": high,
        }
        return {
            "t": np.repeat(self.t, len(self.order)).tolist(),
            "order": list(self.order) * len(self.t),
            **{name: np.ravel(values).tolist() for name, values in read.items()},
        }

    def plot(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the mean and its interval against t, a line for each order, with the entropies of the subsets as dots.

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
        shape = (len(self.t), len(self.order))
        low, high = (np.reshape(end, shape) for end in self.interval)
        title = f"{len(self.values)} subsets of {self.n_samples} samples, interval at {100 * self.confidence:.6g}%"
        return plotting.subsampled(
            np.reshape(self.values, (-1, *shape)),
            np.stack([low, high]),
            self.t,
            self.order,
            label=label,
            title=None if label is not None else title,
            ax=ax,
        )


def subsampled_entropy(
    X: ArrayLike,
    *,
    n_samples: int,
    n_repeats: int = 20,
    t: Numbers = 1,
    order: Numbers = 1,
    confidence: float = 0.95,
    bandwidth: BandwidthLike | None = None,
    n_neighbors: int | None = None,
    alpha: float = 0.0,
    metric: Metric = "euclidean",
    precision: Precision = "auto",
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
) -> SubsampledEntropy:
    r"""Compute the mean and the spread of the diffusion spectral entropy over random subsets of a fixed size.

    An entropy grows with the number of rows; at the same ``n_samples`` data sets of unequal size can be compared.

    .. math::

        \bar H = \frac{1}{R} \sum_{r=1}^R H_r, \qquad
        \bar H \pm \tau_{R-1} \sqrt{\frac{s^2}{R} + e^2} + b

    are the mean and its interval, with :math:`H_r` the entropy of a subset, s their standard deviation and
    :math:`\tau_{R-1}` the quantile of Student's t. The sampling error e of the mean and the truncation bounds b are 0
    where entropies are exact.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`.
    n_samples : int
        Rows of a subset, drawn without replacement; at most N.
    n_repeats : int, default 20
        Subsets, drawn independently of each other; from 2 to 10^7. They are held in memory.
    t, order : float or sequence of float, default 1
        See :meth:`Spectrum.entropy`.
    confidence : float, default 0.95
        Confidence of the interval, between 0 and 1. Every such number gives a finite interval.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, optional, default "median"
        Bandwidth of all rows, which each subset uses; see :func:`diffusion_spectrum`.
    n_neighbors, alpha, metric, num_threads, progress
        See :func:`diffusion_spectrum`.
    precision : {"auto", "single", "double"}, default "auto"
        See :func:`diffusion_spectrum`, but ``"auto"`` is single for float32 data where that is faster and accurate:
        every t is from 1 to 10, every order from 1 to 2.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the subsets and of the signs of estimates. A generator of NumPy gives one integer as the seed, and
        its state moves on. None draws from Python's global generator.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"stochastic"`` estimates the entropy of each subset; :class:`Stochastic` has the options. Its ``tol`` holds
        at each positive t and each order given here, which must be positive.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`. The exact solver copies the rows
        to the processor, except those of subsets that a CUDA device solves for, of 1000 rows or more.

    Returns
    -------
    SubsampledEntropy
        ``mean``, ``standard_deviation``, ``interval``, ``values``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectrum`.

    Warns
    -----
    SaturationWarning
        Where the mean is within 2% of 0 or of log2 ``n_samples``.
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    Cost: ``n_repeats`` entropies of ``n_samples`` rows, spread over the threads. Where ``n_samples`` is N, all
    subsets are the same rows, and the interval of exact entropies is a point.

    The interval has its confidence where the entropies of subsets are near normally distributed. Where they depend
    on whether a few rows are in the subset, as at large t beside an outlier, it covers less: with one outlier, t = 30
    and subsets of a tenth of the rows, the interval of 95% covers 62%, 85%, 90% and 95% at 10, 20, 40 and 100
    repeats. So many ``n_repeats`` mend it that several subsets have the outlier.

    Estimates of different subsets have independent random signs, so the variance of their mean is the sum of their
    variances over R^2; equal subsets share one estimate. Bounds are added as they are, since they have one direction
    in all subsets. The spread over the subsets contains the sampling errors already: the interval is too wide rather
    than too narrow.

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
    repeats, level = as_count(n_repeats, "n_repeats", least=2, most=MAX_DRAWS), as_confidence(confidence)
    arguments = SubsetArguments.of(
        t=t,
        order=order,
        alpha=alpha,
        precision=precision,
        random_state=random_state,
        num_threads=num_threads,
        progress=progress,
        solver=solver,
    )
    data = data_of(device, X, metric, arguments.precision)
    size = as_count(n_samples, "n_samples", n_rows=data.n_samples)
    arguments.require_kernel(data, bandwidth, n_neighbors)
    require_subsets(repeats, size, data.n_samples, arguments.readings)
    rows, keys = drawn(repeats, size, data.n_samples, arguments.seed)
    sampled = arguments.entropies(data, bandwidth, n_neighbors, rows)
    bits = sampled.entropies.bits[keys]
    found = RepeatedMean.of(bits, arguments.uncertainty(sampled.entropies, keys))
    arguments.warn_if_saturated(sampled, found.mean, size, "the mean entropy")
    low, high = found.interval(level)
    return SubsampledEntropy(
        mean=arguments.drop_axes(found.mean),
        standard_deviation=arguments.drop_axes(found.deviation),
        interval=(arguments.drop_axes(low), arguments.drop_axes(high)),
        values=arguments.drop_axes(bits),
        n_samples=size,
        confidence=level,
        bandwidth=sampled.public_bandwidth,
        t=tuple(arguments.times),
        order=tuple(arguments.orders),
    )
