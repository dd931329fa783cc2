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

from dsentropy import plotting
from dsentropy._checks.choices import Binning
from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.limits import MAX_DRAWS
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
)
from dsentropy._data.cluster_subsets import warn_if_cut
from dsentropy._data.data import Metric
from dsentropy._data.device_rows import data_of
from dsentropy._data.target import OfNumbers, classes_of
from dsentropy._data.target_warning import TargetNames
from dsentropy._measures.cluster_comparison import ClusterComparison, ClusterReadings
from dsentropy._measures.information import Information, counted, shaped, warn_of_random_subsets
from dsentropy._operator.bandwidth import BandwidthLike
from dsentropy._spectrum.missed_tolerance import MAX_SAMPLES
from dsentropy._spectrum.solver import Stochastic, resolve_solver
from dsentropy._spectrum.subset_entropies import SubsetKernel, require_kernel, subset_entropies
from dsentropy._spectrum.ways_out import subset_ways_out

_NAMES = TargetNames(target="target", data="X", discrete="target_discrete", reference=False)


@dataclass(frozen=True, eq=False, repr=False)
class MutualInformation(Information):
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
        Part of the permutations, the true labels counted among them, whose information is at least ``value``: at
        least 1 / (n_permutations + 1). None without permutations.
    z : float, ndarray or None
        ``value`` less the mean of ``null``, over its standard deviation (divisor n - 1): how far the information is
        beyond that of permuted labels, where ``p_value`` is at its least. NaN where the permutations do not differ
        by more than rounding, or there is one. None without permutations.
    null : ndarray of shape (n_permutations,) or (n_permutations, len(t)), or None
        Information of permuted labels.
    per_cluster : dict of lists
        Columns of a table with one row a cluster and t: ``cluster``, ``size``, ``t``, ``entropy`` (of the cluster),
        ``random_entropy`` (the mean of as large random subsets), ``information`` (their difference); bits. Of bins
        also ``lower_edge`` and ``upper_edge``, of several columns of labels ``labels``, a tuple. The table of
        :meth:`to_dict` and :meth:`to_pandas` has one row a t, and ``pandas.DataFrame(per_cluster)`` is this one.
    clusters : ndarray of shape (N,)
        The cluster of each row that was used: its label; of bins their numbers from 1; of a clustering, and of
        several columns of labels, numbers from 0. A later call takes them as ``clusters``.
    edges : ndarray of shape (n_clusters + 1,), or None
        Edges of the bins. Bin b has ``edges[b - 1] <= target < edges[b]``, and the last one its upper edge, too.
        Where quantiles are equal there are fewer. None where the target was not cut into bins.
    rows : ndarray of int or None
        Numbers of the rows that were used, ascending; None where these are all.
    ceiling : float
        Entropy of the clusters, in bits: an upper bound of Shannon's mutual information with them. This information
        is not bound by it, only comparable to it.
    null_per_cluster : ndarray of shape (n_permutations, n_clusters, len(t)), or None
        Information of each cluster of permuted labels, in the order of ``per_cluster``.
    t : tuple of float
        The diffusion times.
    bandwidth : float or ndarray of shape (N,)
        Bandwidth of all rows, with which each subset was computed. None where affinities were given.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import mutual_information
    >>> labels = np.arange(80) % 4
    >>> found = mutual_information(10.0 * np.eye(4)[labels], labels, bandwidth=1.0)
    >>> round(found.value, 3), found.ceiling
    (2.0, 2.0)
    >>> found.per_cluster["size"]
    [20, 20, 20, 20]
    """

    per_cluster: dict[str, list[Any]]
    clusters: NDArray[Any]
    edges: NDArray[np.float64] | None
    rows: NDArray[np.uint64] | None = None
    null_per_cluster: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        clusters = counted(len(set(self.per_cluster["cluster"])), "cluster", "clusters")
        return f"<MutualInformation {self._readings()}; {clusters}, ceiling {self.ceiling:.4g} bits>"

    def plot_clusters(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the information of each cluster, beside the range of 95% of the permutations.

        Parameters
        ----------
        label : str, optional
            The name of what is drawn, where several results are drawn on the same axes.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        named = self.per_cluster.get("labels", self.per_cluster["cluster"])[:: len(self.t)]
        values = np.reshape(self.per_cluster["information"], (-1, len(self.t)))
        names = [str(name) for name in named]
        return plotting.clusters(values, names, self.t, null=self.null_per_cluster, label=label, ax=ax)


def mutual_information(
    X: ArrayLike,
    target: ArrayLike | None = None,
    *,
    clusters: ArrayLike | None = None,
    bandwidth: BandwidthLike | None = None,
    n_neighbors: int | None = None,
    alpha: float = 0.0,
    metric: Metric = "euclidean",
    t: Numbers = 1,
    target_discrete: bool | None = None,
    n_clusters: int | None = None,
    binning: Binning | None = None,
    clustering: Any = None,
    n_repeats: int = 20,
    n_permutations: int = 0,
    precision: Precision = "auto",
    max_samples: int | None = None,
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
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
        The variable B. Labels, which are integers, strings, bools or categories, are classes as they are; of several
        columns, each of labels, each combination is a class. One column of other numbers is cut into ``n_clusters``
        bins. Several columns of numbers are standardised to zero mean and unit variance (constant columns become 0),
        so that their units do not decide, and go through scikit-learn's spectral clustering. Floats that are whole
        numbers of few kinds are labels, with a warning, unless an argument says how numbers become classes. Missing
        entries are refused.
    clusters : array_like of shape (N,) or (N, 1), optional
        Classes in place of ``target``, such as the ``clusters`` of an earlier result: a training loop clusters a
        target once, and not in each epoch.
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
        several than there are rows. Refused where it is discrete, as are ``binning`` and ``clustering``.
    binning : {"width", "quantile"}, optional, default "width"
        Bins of one column of numbers: of equal width from minimum to maximum, or with equally many rows each, which
        suits a skewed target. Equal numbers share a bin.
    clustering : clusterer of scikit-learn, optional
        Clusters numbers in place of bins and of the spectral clustering: a copy of it fits the standardised columns,
        or the one column as it is (``fit_predict``). A ``random_state`` of None becomes that of this call. Its label
        -1, rows that are noise, is a class.
    n_repeats : int, default 20
        R, the number of random subsets for each cluster; at most 10^7. They are held in memory.
    n_permutations : int, default 0
        Random permutations of the clusters for ``p_value`` and ``z``; at most 10^7. Their clusters are held in
        memory. They are the resolution of the p-value, which is a multiple of 1 / (n_permutations + 1) and at least
        that: 19 reach 0.05, 999 reach 0.001. ``z`` is known to about a part of 1 / sqrt(2 n_permutations).
    precision : {"auto", "single", "double"}, default "auto"
        See :func:`diffusion_spectrum`, but ``"auto"`` is single for float32 data where that is faster and accurate:
        every t is from 1 to 10.
    max_samples : int, optional
        Where there are more rows, a random subset of this size is used, with its entries of the target: those that
        :func:`diffusion_spectrum` uses with this seed. Bins and clusters are made of these rows.
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
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`. The exact solver copies the rows
        to the processor, except those of subsets that a CUDA device solves for, of 1000 rows or more. The target, and
        all that is made of it, is on the processor.

    Returns
    -------
    MutualInformation
        ``value``, ``standard_error``, ``p_value``, ``z``, ``null``, ``per_cluster``, ``clusters``, ``edges``,
        ``ceiling``; a table, and a picture by ``plot``.

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
        floats that are whole numbers, with 2 <= K <= 10 and N >= 5 K, or that look like codes of labels (from 0 or 1
        without gaps, with counts that have no thin tail, or with gaps and about equal counts), are taken as labels,
        and so are several columns where each has codes and one has fewer than 10 values. Labels, and combinations of
        labels, look like numbers where N < 5 K and K > 20, where N < 2 K and K > 10, and, as integers with N < 20 K
        and K > 20, where one is below -1 or counts of successive values are correlated (codes sorted by frequency
        excepted). Whole numbers that are spread evenly from 0 or 1 cannot be told from labels. Also where bins of
        ``n_clusters`` merge what looks like labels, where one bin has 95% of the rows, where several columns have
        fewer distinct rows than ``n_clusters``, and where a clusterer left rows out.
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
    of_numbers = OfNumbers.of(n_clusters, binning, clustering)
    seed = as_seed(random_state, "random_state")
    options = resolve_solver(solver, seed, times=times, orders=[1.0])
    given = data_of(device, X, metric, stored)
    data, n = given.limited(max_samples, seed, ascending=True), given.n_samples
    require_kernel(bandwidth, n_neighbors, data, stored, options, n)
    classes = classes_of(target, clusters, discrete, of_numbers, n, _NAMES, seed, data.chosen)
    comparison = ClusterComparison.of(classes.of_rows, repeats, permutations, seed, len(times))
    warn_if_cut(comparison.members, "target" if clusters is None else "clusters")
    fewer = ("smaller clusters", "fewer rows, max_samples=...")
    with memory_errors(*subset_ways_out(options, stored, metric, bandwidth, threads, *fewer)):
        kernel = SubsetKernel.of(
            data, bandwidth, n_neighbors, of_alpha, stored, seed, threads,
            times=times, orders=[1.0], options=options, n_all=n,
        )  # fmt: skip
        subsets = comparison.subsets.rows
        entropies = subset_entropies(kernel, subsets, times, [1.0], options, threads, shown, MAX_SAMPLES)
    read = ClusterReadings(comparison, entropies)
    warn_of_random_subsets(read.random_entropy, comparison.max_entropy, times, kernel)
    return MutualInformation(
        **shaped(several, read.value, read.standard_error(), read.p_value(), read.z(), read.null),
        per_cluster=read.table(classes.columns(len(times)), times),
        clusters=classes.of_rows,
        edges=classes.edges,
        rows=data.chosen,
        null_per_cluster=read.null_per_cluster,
        ceiling=comparison.cluster_entropy,
        t=tuple(times),
        bandwidth=None if data.metric == "affinity" else kernel.bandwidth,
    )
