"""Mutual information with its Monte Carlo error, and a test of independence.

The information is the mean over the clusters of the target, weighted by their sizes, of the entropy of random rows
minus the entropy of the cluster (Liao, Liu et al., arXiv 2312.04823, Definition 4.1). The p-value counts the true
labels among the permutations (Phipson & Smyth, SAGMB 9, 2010). Cost: one entropy for each distinct subset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.limits import MAX_CLUSTERS, MAX_DRAWS
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.progress import as_progress
from dsentropy._checks.scalars import (
    Numbers,
    Precision,
    RandomState,
    as_alpha,
    as_count,
    as_nonnegative,
    as_numbers,
    as_optional_flag,
    as_precision,
    as_seed,
    as_threads,
    drop_axes,
)
from dsentropy._checks.unused import require_unused
from dsentropy._data.cluster_subsets import warn_if_cut
from dsentropy._data.clusters import assign_clusters, discrete_by_dtype, is_discrete
from dsentropy._data.data import Data, Metric
from dsentropy._data.target_warning import TargetNames
from dsentropy._measures.cluster_comparison import ClusterComparison, ClusterReadings
from dsentropy._operator.bandwidth import BandwidthLike
from dsentropy._spectrum.saturation import warn_if_saturated
from dsentropy._spectrum.solver import Stochastic, resolve_solver
from dsentropy._spectrum.subset_entropies import SubsetKernel, require_kernel, subset_entropies
from dsentropy._spectrum.ways_out import subset_ways_out

_DEFAULT_N_CLUSTERS = 10

_NAMES = TargetNames(target="target", data="X", discrete="target_discrete")


@dataclass(frozen=True, eq=False, repr=False)
class MutualInformation:
    """Mutual information, as returned by :func:`mutual_information`.

    For a sequence of t, numbers are arrays of shape (len(t),).

    Attributes
    ----------
    value : float or ndarray
        Mutual information in bits; it can be negative.
    standard_error : float or ndarray
        Monte Carlo error of ``value`` from the random subsets. Where clusters have one size it is the standard
        deviation over the repeats of the weighted sum, divided by the square root of their number. Else the subsets
        of different clusters share rows across repeats as well, and correlations are those of means over as many
        shared rows. It says nothing of other data from the same population. NaN for one repeat. Where entropies are
        estimates, it contains their standard errors, and their truncation bounds are added.
    p_value : float, ndarray or None
        Part of the permutations, the true labels counted among them, whose information is at least ``value``. None
        without permutations.
    null : ndarray of shape (n_permutations,) or (n_permutations, len(t)), or None
        Information of permuted labels.
    per_cluster : dict of lists
        Columns of a table with one row a cluster and t: ``cluster``, ``size``, ``t``, ``entropy`` (of the cluster),
        ``random_entropy`` (the mean of as large random subsets), ``information`` (their difference); bits.
    clusters : ndarray of shape (N,)
        The cluster of each row.
    ceiling : float
        Entropy of the clusters, in bits: an upper bound of Shannon's mutual information with them. This information
        is not bound by it, only comparable to it.
    t : tuple of float
        The diffusion times.
    bandwidth : float or ndarray of shape (N,)
        Bandwidth of all rows, with which each subset was computed. None where affinities were given.
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
            f"{value:.4g}{'' if np.isnan(error) else f' +- {error:.2g}'} bits at t = {t:g}{test}"
            for value, error, t, test in zip(values, errors, self.t, tests, strict=True)
        ]
        n = len(set(self.per_cluster["cluster"]))
        clusters = "1 cluster" if n == 1 else f"{n} clusters"
        return f"<MutualInformation {'; '.join(parts)}; {clusters}, ceiling {self.ceiling:.4g} bits>"

    def to_pandas(self) -> Any:
        """Return ``per_cluster`` as a pandas DataFrame. Needs pandas."""
        import pandas as pd

        return pd.DataFrame(self.per_cluster)


def mutual_information(
    X: ArrayLike,
    target: ArrayLike,
    *,
    bandwidth: BandwidthLike | None = None,
    n_neighbors: int | None = None,
    alpha: float = 0.0,
    metric: Metric = "euclidean",
    t: Numbers = 1,
    target_discrete: bool | None = None,
    n_clusters: int | None = None,
    n_repeats: int = 20,
    n_permutations: int = 0,
    precision: Precision = "auto",
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
) -> MutualInformation:
    r"""Compute the diffusion spectral mutual information, its Monte Carlo error and a test of independence.

    .. math::

        I(A; B) = \sum_b p(b) \left[ \frac{1}{R} \sum_{r=1}^{R} H(A^*_{b,r}) - H(A | B = b) \right]

    with H the diffusion spectral entropy and :math:`A^*_{b,r}` random rows of A, as many as have :math:`B = b`.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data A: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`.
    target : array_like of shape (N,) or (N, D2)
        The variable B. One column of integers, strings, bools or categories is taken as labels; one column of other
        numbers is cut into ``n_clusters`` equal-width bins; more columns go through scikit-learn's spectral
        clustering. Columns of labels are passed as one: ``np.unique(target, axis=0, return_inverse=True)[1]``.
        Missing entries are refused.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, optional, default "median"
        Bandwidth of all rows, which each subset uses; see :func:`diffusion_spectrum`.
    n_neighbors, alpha, metric
        See :func:`diffusion_spectrum`.
    t : float or sequence of float, default 1
        Diffusion times; further ones are free.
    target_discrete : bool, optional
        Take ``target`` as labels, or not, whatever its dtype. With either there is no :class:`TargetWarning`.
    n_clusters : int, optional, default 10
        Bins or clusters of a target that is not discrete: at most 2^24 bins of one column, and fewer clusters of
        several than there are rows. Refused where it is discrete.
    n_repeats : int, default 20
        R, the number of random subsets for each cluster; at most 10^7. They are held in memory.
    n_permutations : int, default 0
        Random permutations of the clusters for ``p_value``; at most 10^7. Their clusters are held in memory.
    precision : {"auto", "single", "double"}, default "auto"
        See :func:`diffusion_spectrum`, but ``"auto"`` is single for float32 data where that is faster and accurate:
        every t is from 1 to 10.
    random_state : int, Generator, RandomState or None, default 0
        Seed of random subsets, permutations and signs of estimates. A generator of NumPy gives one integer as the
        seed, and its state moves on. None takes subsets from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    progress : bool, default False
        Show a progress bar. Needs tqdm.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"stochastic"`` estimates the entropy of each subset; :class:`Stochastic` has the options. Its ``tol`` holds
        at each positive t given here and order 1.

    Returns
    -------
    MutualInformation
        ``value``, ``standard_error``, ``p_value``, ``null``, ``per_cluster``, ``clusters``, ``ceiling``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectrum`; ValueError also where lengths differ.

    Warns
    -----
    SaturationWarning
        Where the mean entropy of the random subsets is within 2% of 0 or of its upper bound.
    SubsetWarning
        Where a cluster has more than 10,000 rows.
    TargetWarning
        Where ``target_discrete`` is None and the target may have been misread. With K distinct values in N rows:
        floats in fewer than K bins with N >= 5 K look like labels where they are whole numbers from 0 or 1 without
        gaps, whose counts have no thin tail, or have gaps and about equal counts; several columns look so where each
        does and one has fewer than 10 values, and fewer than ``n_clusters`` distinct rows are split in any case.
        Labels look like numbers where N < 5 K and K > 20, where N < 2 K and K > 10, and, as integers with N < 20 K
        and K > 20, where one is below -1 or counts of successive values are correlated (codes sorted by frequency
        excepted). Whole numbers that are spread evenly from 0 or 1 cannot be told from labels. Also where one bin has
        95% of the rows.
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    Cost: R + 1 entropies for each size of cluster that occurs, one more for each further cluster of that size, and
    one a cluster and permutation, spread over the threads. Clusters of more than 10,000 rows are cut to a random
    subset, and so are the subsets that they are compared with, which are independent of each other (those of dse-dsmi
    are not). With a number as bandwidth and 5 repeats the value is that of
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
    of_alpha, stored = as_alpha(alpha), as_precision(precision)
    threads, shown = as_threads(num_threads), as_progress(progress)
    repeats = as_count(n_repeats, "n_repeats", most=MAX_DRAWS)
    permutations = as_count(n_permutations, "n_permutations", least=0, most=MAX_DRAWS)
    discrete = as_optional_flag(target_discrete, "target_discrete")
    seed = as_seed(random_state, "random_state")
    options = resolve_solver(solver, seed, times=times, orders=[1.0])
    data = Data.of(X, metric)
    require_kernel(bandwidth, n_neighbors, data, stored, options)
    labels = _labels(target, discrete, n_clusters, data.n_samples)
    comparison = ClusterComparison.of(labels, repeats, permutations, seed, len(times))
    warn_if_cut(comparison.members, "target")
    fewer = ("smaller clusters", "fewer rows of X")
    with memory_errors(*subset_ways_out(options, stored, metric, bandwidth, threads, *fewer)):
        kernel = SubsetKernel.of(
            data, bandwidth, n_neighbors, of_alpha, stored, seed, threads, times=times, orders=[1.0], options=options
        )
        entropies = subset_entropies(kernel, comparison.subsets.rows, times, [1.0], options, threads, shown)
    read = ClusterReadings(comparison, entropies)
    _warn_if_saturated(read, times, kernel)
    p_value = read.p_value()
    return MutualInformation(
        value=drop_axes(read.value, several),
        standard_error=drop_axes(read.standard_error(), several),
        p_value=None if p_value is None else drop_axes(p_value, several),
        null=None if read.null is None else drop_axes(read.null, several),
        per_cluster=read.table(np.unique(labels), times),
        clusters=labels,
        ceiling=comparison.cluster_entropy,
        t=tuple(times),
        bandwidth=None if data.metric == "affinity" else kernel.bandwidth,
    )


def _warn_if_saturated(read: ClusterReadings, times: list[float], kernel: SubsetKernel) -> None:
    """Warn where the mean entropy of the random subsets is saturated, if there is a bandwidth to change."""
    if kernel.data.metric != "affinity":
        warn_if_saturated(
            read.random_entropy[:, None],
            read.comparison.max_entropy,
            times,
            [1.0],
            kernel.bandwidth,
            quantity="the mean entropy of random subsets",
            distinct_rows=kernel.data.few_distinct(),
        )


def _labels(target: Any, target_discrete: bool | None, n_clusters: Any, n_samples: int) -> NDArray[Any]:
    """Return the cluster of each row [N]; refuse a number of clusters where labels are given."""
    number = as_count(_DEFAULT_N_CLUSTERS if n_clusters is None else n_clusters, "n_clusters", most=MAX_CLUSTERS)
    clusters, _ = assign_clusters(target, target_discrete, number, None, n_samples, _NAMES)
    if is_discrete(as_array(target, "target"), discrete_by_dtype(target, target_discrete)):
        require_unused(n_clusters, "n_clusters", "target is discrete")
    return clusters.ravel()
