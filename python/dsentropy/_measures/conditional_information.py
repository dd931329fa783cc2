"""Mutual information within the classes of a third variable, and a test of conditional independence.

    I(A; B | C) = sum_c p(c) I(A; B | C = c)

with I the information that ``mutual_information`` computes, of the rows of one class of C. The test permutes B within
the classes of C. Cost: one entropy for each distinct subset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
from dsentropy._data.data import Metric
from dsentropy._data.device_rows import data_of
from dsentropy._data.target import Classes, OfNumbers, Target
from dsentropy._data.target_warning import TargetNames
from dsentropy._measures.conditional_comparison import ConditionalComparison, ConditionalReadings
from dsentropy._measures.information import Information, counted, shaped, warn_of_random_subsets
from dsentropy._operator.bandwidth import BandwidthLike
from dsentropy._spectrum.missed_tolerance import MAX_SAMPLES
from dsentropy._spectrum.solver import Stochastic, resolve_solver
from dsentropy._spectrum.subset_entropies import SubsetKernel, require_kernel, subset_entropies
from dsentropy._spectrum.ways_out import subset_ways_out


@dataclass(frozen=True, eq=False, repr=False)
class ConditionalMutualInformation(Information):
    """Information within the classes of a variable, as returned by :func:`conditional_mutual_information`.

    For a sequence of t, numbers are arrays of shape (len(t),). The table of :meth:`to_dict` and :meth:`to_pandas` has
    one row a t.

    Attributes
    ----------
    value : float or ndarray
        Mean over the classes, weighted by their sizes, of the mutual information within each; bits. It can be
        negative.
    standard_error : float or ndarray
        Monte Carlo error of ``value`` from the random subsets, which are independent between classes; see
        :class:`MutualInformation`. NaN for one repeat.
    p_value : float, ndarray or None
        Part of the permutations within the classes, the true labels counted among them, whose information is at
        least ``value``: at least 1 / (n_permutations + 1). None without permutations.
    z : float, ndarray or None
        ``value`` less the mean of ``null``, over its standard deviation (divisor n - 1). NaN where the permutations
        do not differ by more than rounding, or there is one. None without permutations.
    null : ndarray of shape (n_permutations,) or (n_permutations, len(t)), or None
        Information of labels that are permuted within each class.
    per_class : dict of lists
        Columns of a table with one row a class of ``given`` and t: ``given`` (the class), ``size``, ``t``,
        ``information`` and ``standard_error`` within it (bits), ``p_value`` and ``z`` of its own permutations (NaN
        without any), ``clusters`` (how many of the target are in it), ``ceiling`` (their entropy, bits). Of bins also
        ``lower_edge`` and ``upper_edge``, of several columns of labels ``labels``.
    classes : ndarray of shape (N,)
        The class of ``given`` of each row that was used.
    clusters : ndarray of shape (N,)
        The class of the target of each row that was used; see :class:`MutualInformation`.
    edges : ndarray or None
        Edges of the bins of the target; None where it was not cut into bins.
    rows : ndarray of int or None
        Numbers of the rows that were used, ascending; None where these are all.
    ceiling : float
        Conditional entropy of the classes of the target within those of ``given``, in bits.
    t : tuple of float
        The diffusion times.
    bandwidth : float or ndarray of shape (N,)
        Bandwidth of all rows, with which each subset was computed. None where affinities were given.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import conditional_mutual_information
    >>> batch, labels = np.arange(80) % 2, np.arange(80) // 2 % 2
    >>> found = conditional_mutual_information(10.0 * labels[:, None], labels, batch, bandwidth=1.0)
    >>> round(found.value, 2), found.ceiling
    (1.0, 1.0)
    """

    per_class: dict[str, list[Any]]
    classes: NDArray[Any]
    clusters: NDArray[Any]
    edges: NDArray[np.float64] | None
    rows: NDArray[np.uint64] | None = None

    def __repr__(self) -> str:
        classes = counted(len(set(self.per_class["given"])), "class", "classes")
        return f"<ConditionalMutualInformation {self._readings()}; within {classes}, ceiling {self.ceiling:.4g} bits>"


def conditional_mutual_information(
    X: ArrayLike,
    target: ArrayLike,
    given: ArrayLike,
    *,
    bandwidth: BandwidthLike | None = None,
    n_neighbors: int | None = None,
    alpha: float = 0.0,
    metric: Metric = "euclidean",
    t: Numbers = 1,
    target_discrete: bool | None = None,
    given_discrete: bool | None = None,
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
) -> ConditionalMutualInformation:
    r"""Compute the information about a target that is left within the classes of another variable, and test it.

    .. math::

        I(A; B \mid C) = \sum_c p(c) \sum_b p(b \mid c)
        \left[ \frac{1}{R} \sum_{r=1}^{R} H(A^*_{b,c,r}) - H(A \mid B = b, C = c) \right]

    with H the diffusion spectral entropy and :math:`A^*_{b,c,r}` random rows of those with :math:`C = c`, as many as
    have :math:`B = b` as well. Where B and A both depend on C, such as on a batch or on the subject of a recording,
    :func:`mutual_information` finds that dependence; this function leaves it out.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data A; see :func:`mutual_information`.
    target : array_like of shape (N,) or (N, D2)
        The variable B; see :func:`mutual_information`. A target of numbers is cut into bins, or clustered, as a whole
        and not in each class.
    given : array_like of shape (N,) or (N, D3)
        The variable C, which is read as ``target`` is: labels are classes, numbers become classes.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, optional, default "median"
        Bandwidth of all rows, which each subset uses; see :func:`diffusion_spectrum`.
    n_neighbors, alpha, metric, t
        See :func:`mutual_information`.
    target_discrete, given_discrete : bool, optional
        Take ``target`` or ``given`` as labels, or not, whatever its dtype. With either there is no
        :class:`TargetWarning` of it.
    n_clusters, binning, clustering : optional
        How a ``target`` and a ``given`` that are not discrete become classes; see :func:`mutual_information`. Refused
        where both are discrete.
    n_repeats : int, default 20
        R, the number of random subsets for each class of the target within each class of ``given``; at most 10^7.
    n_permutations : int, default 0
        Random permutations of the target within the classes of ``given``; at most 10^7. They are the resolution of
        the p-value, which is a multiple of 1 / (n_permutations + 1) and at least that.
    precision, max_samples, random_state, num_threads, progress, solver, device
        See :func:`mutual_information`. Each class of ``given`` has a seed of its own, of which the first is that of
        ``random_state``.

    Returns
    -------
    ConditionalMutualInformation
        ``value``, ``standard_error``, ``p_value``, ``z``, ``null``, ``per_class``, ``ceiling``; a table, and a
        picture by ``plot``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`mutual_information`.

    Warns
    -----
    SaturationWarning, SubsetWarning, TargetWarning, ToleranceWarning
        See :func:`mutual_information`.

    Notes
    -----
    Cost: R + 1 entropies for each class of ``given`` and size of cluster in it, one more for each further cluster of
    that size, and one for each permutation and cluster.

    The test is exact where, within each class of ``given``, all assignments of the target to the rows are equally
    probable under the null hypothesis, that A and B are independent given C. A ``given`` of numbers is a variable of
    its bins: what the target says of A through the numbers within a bin is found as information.

    With one class of ``given`` it is :func:`mutual_information`, and where ``given`` is the target it is 0. It is not
    Shannon's conditional mutual information, and there is no chain rule.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 4.1, for the information within a class; Phipson & Smyth,
    "Permutation p-values should never be zero", SAGMB 9 (2010), doi 10.2202/1544-6115.1585, for the p-value.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import conditional_mutual_information, mutual_information
    >>> rng = np.random.default_rng(0)
    >>> batch = np.repeat([0, 1], 50)
    >>> labels = np.where(rng.random(100) < 0.9, batch, 1 - batch)
    >>> X = rng.normal(size=(100, 3)) + 10.0 * batch[:, None]  # the labels say nothing that the batch does not
    >>> mutual_information(X, labels, bandwidth=1.0, n_permutations=19).p_value
    0.05
    >>> conditional_mutual_information(X, labels, batch, bandwidth=1.0, n_permutations=19).p_value > 0.05
    True
    """
    times, several = as_numbers(t, "t", as_nonnegative)
    of_alpha, stored = as_alpha(alpha), as_precision(precision)
    threads, shown = as_threads(num_threads), as_progress(progress)
    repeats = as_count(n_repeats, "n_repeats", most=MAX_DRAWS)
    permutations = as_count(n_permutations, "n_permutations", least=0, most=MAX_DRAWS)
    discrete = (
        as_optional_flag(target_discrete, "target_discrete"),
        as_optional_flag(given_discrete, "given_discrete"),
    )
    of_numbers = OfNumbers.of(n_clusters, binning, clustering)
    seed = as_seed(random_state, "random_state")
    options = resolve_solver(solver, seed, times=times, orders=[1.0])
    every = data_of(device, X, metric, stored)
    data, n = every.limited(max_samples, seed, ascending=True), every.n_samples
    require_kernel(bandwidth, n_neighbors, data, stored, options, n)
    of_target, of_given = _classes(target, given, discrete, of_numbers, n, seed, data.chosen)
    comparison = ConditionalComparison.of(
        of_target.of_rows, of_given.of_rows, repeats, permutations, seed, len(times)
    )
    fewer = ("smaller classes of target", "fewer rows, max_samples=...")
    with memory_errors(*subset_ways_out(options, stored, metric, bandwidth, threads, *fewer)):
        kernel = SubsetKernel.of(
            data, bandwidth, n_neighbors, of_alpha, stored, seed, threads,
            times=times, orders=[1.0], options=options, n_all=n,
        )  # fmt: skip
        entropies = subset_entropies(kernel, comparison.subsets(), times, [1.0], options, threads, shown, MAX_SAMPLES)
    read = ConditionalReadings.of(comparison, entropies)
    warn_of_random_subsets(read.random_entropy, comparison.max_entropy, times, kernel)
    return ConditionalMutualInformation(
        **shaped(several, read.value, read.standard_error(), *read.test()),
        per_class=read.table(of_given, times),
        classes=of_given.of_rows,
        clusters=of_target.of_rows,
        edges=of_target.edges,
        rows=data.chosen,
        ceiling=comparison.ceiling,
        t=tuple(times),
        bandwidth=None if data.metric == "affinity" else kernel.bandwidth,
    )


def _classes(
    target: Any,
    given: Any,
    discrete: tuple[bool | None, bool | None],
    of_numbers: OfNumbers,
    n_samples: int,
    seed: int | None,
    chosen: NDArray[np.uint64] | None,
) -> tuple[Classes, Classes]:
    """Return the classes of the target and of the variable that is given, in the rows that are chosen."""
    names = (
        TargetNames(target="target", data="X", discrete="target_discrete", reference=False),
        TargetNames(target="given", data="X", discrete="given_discrete", reference=False),
    )
    of_target = Target.of(target, discrete[0], of_numbers, n_samples, names[0])
    of_given = Target.of(given, discrete[1], of_numbers, n_samples, names[1])
    of_numbers.require_used(of_target, of_given)
    return of_target.part(chosen).classes(of_numbers, seed), of_given.part(chosen).classes(of_numbers, seed)
