"""Mutual information with its Monte Carlo error, and a test of independence."""

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
    as_count_or_zero,
    as_nonnegative,
    as_numbers,
    as_precision,
    as_seed,
    as_threads,
)
from dsentropy._core import OperatorSpec, Solution
from dsentropy._data.clusters import assign_clusters
from dsentropy._data.data import Data
from dsentropy._data.subsets import INNER_MAX_N, Draws
from dsentropy._measures.spectra import bandwidth_of
from dsentropy._operator import bandwidth as _bandwidth
from dsentropy._operator.bandwidth import BandwidthLike
from dsentropy._reference.entropy import core_precision
from dsentropy._reference.mutual_information import Subsets, cluster_members
from dsentropy._spectrum.saturation import warn_if_saturated
from dsentropy._spectrum.solver import NO_TIMES, Request, bits_of, is_stochastic

_ROUNDING = 1e-10
"""Bits by which equal informations may differ."""


@dataclass(frozen=True, eq=False, repr=False)
class MutualInformation:
    """What :func:`mutual_information` found. For a sequence of t, numbers are arrays of shape (len(t),).

    Attributes
    ----------
    value : float or ndarray
        Bits; it can be negative.
    standard_error : float or ndarray
        The Monte Carlo error of ``value`` that the random subsets leave. Where clusters have one size it is the
        standard deviation over the repetitions of the weighted sum, divided by the square root of their number. Else
        the subsets of different clusters share rows across repetitions as well, and correlations are those of means
        over as many shared rows. It says nothing of other data from the same population. NaN for one repetition.
        Where entropies are estimates, their standard errors are in it, and how far their bounds reach is added.
    p_value : float, ndarray or None
        The part of the permutations, with the labels as they are counted among them, whose information is at least
        ``value``. None without permutations.
    null : ndarray of shape (n_permutations,) or (n_permutations, len(t)), or None
        The information of permuted labels.
    per_cluster : dict of lists
        Columns of a table with one row a cluster and t: ``cluster``, ``size``, ``t``, ``entropy`` (of the cluster),
        ``random_entropy`` (the mean of as large random subsets), ``information`` (their difference); bits.
    clusters : ndarray of shape (N,)
        The cluster of each row.
    ceiling : float
        The entropy of the clusters, in bits: the most that Shannon's mutual information with them could be. This one
        is not bound by it, only comparable to it.
    t : tuple of float
        The diffusion times.
    bandwidth : float or ndarray of shape (N,)
        That of all rows, with which each subset was computed. None where affinities were given.
    """

    value: float | NDArray[np.float64]
    standard_error: float | NDArray[np.float64]
    p_value: float | NDArray[np.float64] | None
    null: NDArray[np.float64] | None
    per_cluster: dict[str, list[Any]]
    clusters: NDArray[Any]
    ceiling: float
    t: tuple[float, ...]
    bandwidth: float | NDArray[np.float64] | None

    def __repr__(self) -> str:
        values, errors = np.atleast_1d(self.value), np.atleast_1d(self.standard_error)
        tests = (
            [""] * len(values) if self.p_value is None else [f", p = {p:.3g}" for p in np.atleast_1d(self.p_value)]
        )
        parts = [
            f"{value:.4g} +- {error:.2g} bits at t = {t:g}{test}"
            for value, error, t, test in zip(values, errors, self.t, tests, strict=True)
        ]
        n = len(set(self.per_cluster["cluster"]))
        return f"<MutualInformation {'; '.join(parts)}; {n} clusters of {self.ceiling:.4g} bits>"

    def to_pandas(self) -> Any:
        """``per_cluster`` as a pandas DataFrame. Needs pandas."""
        import pandas as pd

        return pd.DataFrame(self.per_cluster)


def mutual_information(
    X: ArrayLike,
    reference: ArrayLike,
    *,
    bandwidth: BandwidthLike = "median",
    n_neighbors: int = 15,
    alpha: float = 0.0,
    metric: str = "euclidean",
    t: Numbers = 1,
    reference_discrete: bool | None = None,
    n_clusters: int = 10,
    n_repetitions: int = 20,
    n_permutations: int = 0,
    precision: str = "auto",
    random_state: int | None = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: str = "exact",
    tol: float = 1e-3,
    max_products: int | None = None,
    storage: str = "auto",
    memory_limit: int | None = None,
) -> MutualInformation:
    r"""Diffusion spectral mutual information, with its Monte Carlo error and a test of independence.

    .. math::

        I(A; B) = \sum_b p(b) \left[ \frac{1}{R} \sum_{r=1}^{R} H(A^*_{b,r}) - H(A | B = b) \right]

    with H the diffusion spectral entropy and :math:`A^*_{b,r}` random rows of A, as many as have :math:`B = b`.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data A: anything that NumPy can make an array of, or a torch tensor.
    reference : array_like of shape (N,) or (N, D2)
        The variable B. One column of integers, strings or bools is taken as labels; one column of other numbers is
        cut into ``n_clusters`` equal bins; more columns go through scikit-learn's spectral clustering.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, default "median"
        As in :func:`diffusion_spectrum`, of all rows, and then the same in each subset.
    n_neighbors, alpha, metric
        As in :func:`diffusion_spectrum`.
    t : float or sequence of float, default 1
        Diffusion times; further ones are free.
    reference_discrete : bool, optional
        Take ``reference`` as labels, or not, whatever its dtype.
    n_clusters : int, default 10
        Bins or clusters of a reference that is not discrete.
    n_repetitions : int, default 20
        R, the number of random subsets for each cluster.
    n_permutations : int, default 0
        Random permutations of the clusters for ``p_value``.
    precision : {"auto", "single", "double"}, default "auto"
        As in :func:`diffusion_spectrum`, but ``"auto"`` is single for float32 data where that is accurate: every t is
        from 1 to 10.
    random_state : int or None, default 0
        Seed of random subsets and permutations. None takes subsets from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    progress : bool, default False
        Show a bar of tqdm.
    solver, tol, max_products, storage, memory_limit
        As in :func:`diffusion_spectrum`, for each subset; ``tol`` holds at each positive t.

    Returns
    -------
    MutualInformation
        ``value``, ``standard_error``, ``p_value``, ``null``, ``per_cluster``, ``clusters``, ``ceiling``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As in :func:`diffusion_spectrum`; ValueError also where lengths differ.

    Warns
    -----
    SaturationWarning
        Where the mean entropy of the random subsets is within 2% of 0 or of the most that it can be.

    Notes
    -----
    Cost: that of R + 1 entropies for each size of cluster that occurs, of one more for each further cluster of that
    size, and of one a cluster and permutation, spread over the threads. Clusters of more than 10,000 rows are cut to
    a random subset, and so are the subsets that they are compared with, which are independent of each other (the
    reference's are not). With a number as bandwidth and 5 repetitions the value is that of
    :func:`diffusion_spectral_mutual_information`.

    It is not Shannon's mutual information: it can be negative, and I(A; A) is not H(A).

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 4.1; Phipson & Smyth, "Permutation p-values should never be zero",
    SAGMB 9 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import mutual_information
    >>> labels = np.repeat([0, 1], 50)
    >>> X = np.random.default_rng(0).normal(size=(100, 3)) + 10.0 * labels[:, None]
    >>> information = mutual_information(X, labels, bandwidth=1.0, n_permutations=19)
    >>> information.p_value
    0.05
    """
    times, several = as_numbers(t, "t", as_nonnegative)
    of_alpha = as_alpha(alpha)
    wanted = as_precision(precision)
    threads = as_threads(num_threads)
    repetitions = as_count(n_repetitions, "n_repetitions")
    permutations = as_count_or_zero(n_permutations, "n_permutations")
    seed = as_seed(random_state, "random_state")
    request = None
    if is_stochastic(solver):
        positive = [time for time in times if time > 0] or NO_TIMES
        request = Request.of(tol, positive, 1, max_products, storage, memory_limit, random_state)
    data = Data.of(X, metric)
    n = data.n_samples
    number = as_count(n_clusters, "n_clusters")
    labels = assign_clusters(reference, reference_discrete, number, None, n, "reference", "X")[0].ravel()
    sigma, _ = bandwidth_of(bandwidth, data, n_neighbors, seed, threads)
    operator = OperatorSpec.diffusion(_bandwidth.for_core(sigma), of_alpha, core_precision(wanted, data.given, times))

    members = cluster_members(labels)
    subsets, draws = Subsets(), Draws(seed)
    keys = [subsets.add_cluster(cluster, n, repetitions, draws, independent=True) for cluster in members]
    own = [key for key, _ in keys]
    random = [among for _, among in keys]
    shuffled = [_permuted(members, permutation, subsets) for permutation in _permutations(n, permutations, seed)]

    data.require_subsets(subsets.rows)
    with progress_bar(progress, len(subsets.rows), "entropies") as advance:
        if request is None:
            spectra = _core.subset_eigenvalues(
                data.rows, data.core_metric, subsets.rows, operator, progress=advance, num_threads=threads
            )
            solutions = [Solution.exact(eigenvalues) for eigenvalues in spectra]
        else:
            solutions = request.of_subsets(data, subsets.rows, operator, threads, advance)
    readings = np.array([bits_of(solution, times, [1.0]) for solution in solutions])[..., 0]
    bits, errors, reaches = np.moveaxis(readings, 1, 0)  # each [subsets, times]

    weights = np.array([len(cluster) / n for cluster in members])
    of_random = bits[np.array(random)]  # [clusters, repetitions, times]
    random_entropy = weights @ of_random.mean(axis=1)
    value = random_entropy - weights @ bits[own]
    error = np.full(len(times), np.nan)
    if repetitions > 1:
        error = _standard_error(of_random, weights, [[subsets.rows[key] for key in keys] for keys in random], n)
        shares = np.zeros(len(bits))
        np.subtract.at(shares, own, weights)
        np.add.at(shares, np.array(random), weights[:, None] / repetitions)
        error = np.sqrt(error**2 + shares**2 @ errors**2) + np.abs(shares) @ reaches
    null = p_value = None
    if permutations:
        null = random_entropy - np.einsum("b,pbt->pt", weights, bits[np.array(shuffled)])
        p_value = (1 + (null >= value - _ROUNDING).sum(axis=0)) / (1 + permutations)

    if data.metric != "affinity":
        most = float(weights @ np.log2([min(len(cluster), INNER_MAX_N) for cluster in members]))
        warn_if_saturated(random_entropy[:, None], most, times, [1.0], sigma)

    def of_t(values: NDArray[Any]) -> Any:
        return values if several else values[..., 0][()]

    return MutualInformation(
        value=_number(of_t(value)),
        standard_error=_number(of_t(error)),
        p_value=None if p_value is None else _number(of_t(p_value)),
        null=None if null is None else of_t(null),
        per_cluster=_table(np.unique(labels), members, times, bits[own], of_random.mean(axis=1)),
        clusters=labels,
        ceiling=float(-(weights * np.log2(weights)).sum()) + 0.0,
        t=tuple(times),
        bandwidth=None if data.metric == "affinity" else sigma,
    )


def _standard_error(
    bits: NDArray[np.float64], weights: NDArray[np.float64], rows: list[list[NDArray[np.uint64]]], n: int
) -> NDArray[np.float64]:
    """Of the weighted sum of means over repetitions, for bits [clusters, repetitions, times].

    Subsets of k and l of n rows that share m have means with the correlation (m / k l - 1 / n) / sqrt((1 / k - 1 / n)
    (1 / l - 1 / n)), and an entropy is, to first order, such a mean. The draws of clusters of unequal size come from
    one stream of random numbers, which they cut at different places, so what they share crosses repetitions.
    """
    repetitions = bits.shape[1]
    sizes, first, which = np.unique(
        [len(of_cluster[0]) for of_cluster in rows], return_index=True, return_inverse=True
    )
    drawn = np.array([np.bincount(np.concatenate(rows[b]), minlength=n) for b in first], dtype=np.float64)
    shared = drawn @ drawn.T  # over all pairs of repetitions
    variances = 1 / sizes - 1 / n
    scale = repetitions * np.sqrt(np.outer(variances, variances))
    difference = shared / np.outer(sizes, sizes) - repetitions**2 / n
    correlations = np.divide(difference, scale, out=np.zeros_like(scale), where=scale > 0)
    np.fill_diagonal(correlations, 1)  # of one size the same subsets, independent from repetition to repetition
    parts = np.zeros((len(sizes), bits.shape[2]))
    np.add.at(parts, which, weights[:, None] * bits.std(axis=1, ddof=1))
    variance: NDArray[np.float64] = np.einsum("bt,bc,ct->t", parts, correlations, parts) / repetitions
    return np.sqrt(np.maximum(variance, 0))


def _permutations(n: int, number: int, seed: int | None) -> list[NDArray[np.int64]]:
    generator = np.random.default_rng(None if seed is None else [seed % 2**64, 1])
    return [generator.permutation(n) for _ in range(number)]


def _permuted(members: list[NDArray[np.uint64]], permutation: NDArray[np.int64], subsets: Subsets) -> list[int]:
    """The numbers of the subsets that the clusters become."""
    draws = Draws(0)
    rows = permutation.astype(np.uint64)
    return [subsets.add(draws.limit(np.sort(rows[cluster]))) for cluster in members]


def _number(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else float(value)


def _table(
    labels: NDArray[Any],
    members: list[NDArray[np.uint64]],
    times: list[float],
    entropy: NDArray[np.float64],
    random_entropy: NDArray[np.float64],
) -> dict[str, list[Any]]:
    n = len(times)
    return {
        "cluster": np.repeat(labels, n).tolist(),
        "size": np.repeat([len(cluster) for cluster in members], n).tolist(),
        "t": times * len(members),
        "entropy": entropy.ravel().tolist(),
        "random_entropy": random_entropy.ravel().tolist(),
        "information": (random_entropy - entropy).ravel().tolist(),
    }
