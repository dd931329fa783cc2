"""The two mutual informations of dse-dsmi, of a data set and a variable.

    I(A; B) = sum_b p(b) (mean over r of H(A*_{b,r}) - H(A | B = b))

with A*_{b,r} random rows of A, as many as have B = b (Liao, Liu et al., arXiv 2312.04823, Definition 4.1). Arguments,
defaults, random draws and printed stages are those of the reference. Cost: R + 1 entropies for each size of cluster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows, as_rows
from dsentropy._checks.limits import MAX_CLUSTERS, MAX_DRAWS
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.scalars import (
    Precision,
    RandomState,
    as_count,
    as_flag,
    as_nonnegative,
    as_optional_flag,
    as_positive,
    as_precision,
    as_seed,
    as_threads,
)
from dsentropy._core import Measure
from dsentropy._data.cluster_subsets import (
    Subsets,
    cluster_members,
    max_subset_entropy,
    require_repeats,
    warn_if_cut,
)
from dsentropy._data.clusters import assign_clusters
from dsentropy._data.data import Data
from dsentropy._data.subsets import Draws
from dsentropy._data.target_warning import TargetNames
from dsentropy._operator.kernel_operator import KernelOperator
from dsentropy._operator.precision import core_precision
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._reference.operators import ReferenceOperator, adjacency_operator, diffusion_operator
from dsentropy._reference.saturation import SaturationCheck
from dsentropy._reference.solver import (
    MORE_TOLERANCE,
    reference_entropy,
    reference_options,
    reference_ways_out,
    require_spectrum,
)
from dsentropy._spectrum.subset_entropies import subset_solutions
from dsentropy._spectrum.ways_out import one_thread

_ASMI_KNN = 10
"""Number of neighbours of the graph of the adjacency spectral mutual information, the row itself counted."""

_NAMES = TargetNames(target="reference_vectors", data="embedding_vectors", discrete="reference_discrete")


def diffusion_spectral_mutual_information(
    embedding_vectors: ArrayLike,
    reference_vectors: ArrayLike | None,
    reference_discrete: bool | None = None,
    gaussian_kernel_sigma: float = 10,
    t: float = 1,
    chebyshev_approx: bool = False,
    num_repetitions: int = 5,
    n_clusters: int = 10,
    precomputed_clusters: ArrayLike | None = None,
    classic_shannon_entropy: bool = False,
    matrix_entry_entropy: bool = False,
    num_bins_per_dim: int = 2,
    random_seed: RandomState = 0,
    verbose: bool = False,
    *,
    precision: Precision = "auto",
    num_threads: int | None = None,
    solver: Literal["exact", "stochastic"] = "exact",
    tol: float = 1e-3,
) -> tuple[float, NDArray[Any]]:
    r"""Compute the diffusion spectral mutual information (DSMI) of a data set and a variable, in bits.

    .. math::

        DSMI(A; B) = \sum_b p(b) \left[ \frac{1}{R} \sum_{r=1}^{R} DSE(A^*_{b,r}) - DSE(A | B = b) \right]

    where :math:`A^*_{b,r}` is a random subset of the rows of A, as many as have :math:`B = b`.

    Parameters
    ----------
    embedding_vectors : array_like of shape (N, D)
        The data A: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`.
    reference_vectors : array_like of shape (N,) or (N, D2)
        The variable B. One column of integers, strings, bools or categories is taken as labels; one column of other
        numbers is cut into ``n_clusters`` equal-width bins; more columns go through scikit-learn's spectral
        clustering (nearest neighbours). May be None where ``precomputed_clusters`` are given. Columns of labels are
        passed as one: ``np.unique(reference_vectors, axis=0, return_inverse=True)[1]``.
    reference_discrete : bool, optional
        Take ``reference_vectors`` as labels, or not, whatever their dtype. With either there is no
        :class:`TargetWarning` of how they were read.
    gaussian_kernel_sigma, t, classic_shannon_entropy, matrix_entry_entropy, num_bins_per_dim
        Arguments of the entropy; see :func:`diffusion_spectral_entropy`.
    chebyshev_approx : bool, default False
        Equal to ``solver="stochastic"``.
    num_repetitions : int, default 5
        R, the number of random subsets for each cluster; at most 10^7. They are held in memory.
    n_clusters : int, default 10
        Bins or clusters of a variable that is not discrete: at most 2^24 bins of one column, and fewer clusters of
        several than there are rows.
    precomputed_clusters : array_like of shape (N,) or (N, 1), optional
        Clusters to use in place of a variable that is not discrete. Where it is discrete, its labels are used.
    random_seed : int, Generator, RandomState or None, default 0
        Seed of the random subsets. Clusters of equal size are compared with the same subsets. A generator of
        NumPy gives one integer as the seed, and its state moves on. None draws from Python's global generator.
    verbose : bool, default False
        Print the stages.
    precision : {"auto", "single", "double"}, default "auto"
        Precision of the eigenvalues; see :func:`diffusion_spectral_entropy`.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    solver, tol
        Solver and tolerance of each entropy; see :func:`diffusion_spectral_entropy`.

    Returns
    -------
    information : float
        In bits. It can be negative, and DSMI(A; A) is not DSE(A): this is not Shannon's mutual information.
    clusters : ndarray
        The clusters used: the labels as a column [N, 1]; the numbers of the bins, from 1, [N, 1]; the numbers of the
        clusters of the spectral clustering, from 0, [N]; or ``precomputed_clusters``.

    Raises
    ------
    ValueError
        For a value out of range, data that are not finite, and lengths that differ.
    TypeError
        For an argument, or data, of a wrong type.
    MemoryError
        Before any work, where the largest clusters' matrices do not fit into the memory that the process can have.

    Warns
    -----
    SaturationWarning
        Where the mean entropy of the random subsets is within 2% of 0 or of its upper bound, where no difference of
        entropies can be seen; see :func:`diffusion_spectral_entropy`.
    SubsetWarning
        Where a cluster has more than 10,000 rows.
    TargetWarning
        Where ``reference_discrete`` is None and ``reference_vectors`` may have been misread: as labels with few rows
        each, or clustered though they look like labels or one column's units decide; see :func:`mutual_information`.
        Also where ``precomputed_clusters`` are not used, because labels are given that differ from them.
    ToleranceWarning
        Where an estimate is not within ``tol``.

    Notes
    -----
    Cost: R + 1 entropies for each size of cluster that occurs, and one more for each further cluster of that
    size, spread over the threads. Clusters of more than 10,000 rows are cut to a random subset.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectral_mutual_information
    >>> labels = np.repeat(["cat", "dog"], 50)
    >>> activations = np.where(labels[:, None] == "cat", 0.0, 100.0) + np.zeros((1, 3))
    >>> information, clusters = diffusion_spectral_mutual_information(activations, labels)
    >>> round(information, 1), clusters.shape
    (1.0, (100, 1))
    """
    sigma = as_positive(gaussian_kernel_sigma, "gaussian_kernel_sigma")
    time = as_nonnegative(t, "t")
    n_bins = as_count(num_bins_per_dim, "num_bins_per_dim")
    chosen = as_precision(precision)
    classic = as_flag(classic_shannon_entropy, "classic_shannon_entropy")
    entries = as_flag(matrix_entry_entropy, "matrix_entry_entropy")
    approximate = as_flag(chebyshev_approx, "chebyshev_approx")
    draws = _Draws.of(num_repetitions, random_seed, verbose, num_threads)
    measured = classic or entries
    require_spectrum(solver, measured)
    options = reference_options(solver, approximate and not measured, tol, time, draws.seed)
    rows, clusters, source = _rows_and_clusters(
        embedding_vectors, reference_vectors, reference_discrete, n_clusters, precomputed_clusters
    )
    entropies: _Entropies
    check: SaturationCheck | None = SaturationCheck(sigma, time)
    if classic:
        check = None
        entropies = _measured(Measure.binned_rows(n_bins))
    elif entries:
        check = SaturationCheck(sigma, None, entries=True)
        entropies = _measured(Measure.matrix_entries(sigma))
    else:
        operator = diffusion_operator("diffusion matrix", sigma, core_precision(chosen, rows, [time]))
        entropies = _spectral(operator, time, options)
    information = _information(rows, clusters, source, entropies, check, draws)
    return information, clusters


def adjacency_spectral_mutual_information(
    embedding_vectors: ArrayLike,
    reference_vectors: ArrayLike | None,
    reference_discrete: bool | None = None,
    gaussian_kernel_sigma: float = 10,
    use_knn: bool = False,
    anisotropic: bool = False,
    num_repetitions: int = 5,
    n_clusters: int = 10,
    precomputed_clusters: ArrayLike | None = None,
    random_seed: RandomState = 0,
    verbose: bool = False,
    *,
    precision: Precision = "auto",
    num_threads: int | None = None,
    solver: Literal["exact", "stochastic"] = "exact",
    tol: float = 1e-3,
) -> tuple[float, NDArray[Any]]:
    r"""Compute the adjacency spectral mutual information (ASMI) of a data set and a variable, in bits.

    .. math::

        ASMI(A; B) = \sum_b p(b) \left[ \frac{1}{R} \sum_{r=1}^{R} ASE(A^*_{b,r}) - ASE(A | B = b) \right]

    with the :func:`adjacency_spectral_entropy` in place of the diffusion spectral entropy of
    :func:`diffusion_spectral_mutual_information`.

    Parameters
    ----------
    embedding_vectors : array_like of shape (N, D)
        The data.
    reference_vectors, reference_discrete, num_repetitions, n_clusters, precomputed_clusters, random_seed, verbose
        See :func:`diffusion_spectral_mutual_information`.
    gaussian_kernel_sigma, use_knn, anisotropic
        See :func:`adjacency_spectral_entropy`. The graph of neighbours has ``knn = 10``, so each cluster must
        have at least 10 rows.
    precision : {"auto", "single", "double"}, default "auto"
        Precision of the eigenvalues; see :func:`diffusion_spectral_entropy`.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    solver, tol
        Solver and tolerance of each entropy; see :func:`adjacency_spectral_entropy`.

    Returns
    -------
    information : float
        In bits; it can be negative.
    clusters : ndarray
        See :func:`diffusion_spectral_mutual_information`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectral_mutual_information`; ValueError also where a cluster is too small for the
        graph of neighbours.

    Warns
    -----
    SaturationWarning, SubsetWarning, TargetWarning
        See :func:`diffusion_spectral_mutual_information`.
    ToleranceWarning
        Where an estimate is not within ``tol``.

    Notes
    -----
    Cost: R + 1 adjacency spectral entropies for each size of cluster that occurs, and one more for each further
    cluster of that size.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823; its implementation defines the adjacency variants.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import adjacency_spectral_mutual_information
    >>> labels = np.repeat([0, 1], 50)
    >>> activations = np.random.default_rng(0).normal(size=(100, 3)) + 100.0 * labels[:, None]
    >>> information, clusters = adjacency_spectral_mutual_information(activations, labels, anisotropic=True)
    >>> round(information, 1)
    1.0
    """
    sigma = as_positive(gaussian_kernel_sigma, "gaussian_kernel_sigma")
    chosen = as_precision(precision)
    of_graph, normalized = as_flag(use_knn, "use_knn"), as_flag(anisotropic, "anisotropic")
    draws = _Draws.of(num_repetitions, random_seed, verbose, num_threads)
    options = reference_options(solver, False, tol, 1.0, draws.seed)
    if of_graph and options is not None:
        raise ValueError("solver must be 'exact' where use_knn=True: the graph is not symmetric")
    rows, clusters, source = _rows_and_clusters(
        embedding_vectors, reference_vectors, reference_discrete, n_clusters, precomputed_clusters
    )
    if of_graph:
        _require_neighbors(clusters, source)
    knn = _ASMI_KNN if of_graph else None
    operator = adjacency_operator(sigma, normalized, knn, core_precision(chosen, rows, [1.0]))
    entropies = _spectral(operator, 1.0, options)
    check = None if of_graph else SaturationCheck(sigma, None)
    information = _information(rows, clusters, source, entropies, check, draws)
    return information, clusters


@dataclass(frozen=True)
class _Draws:
    """Checked arguments of the random subsets, and of how their entropies are computed."""

    repetitions: int
    seed: int | None
    verbose: bool
    num_threads: int | None

    @classmethod
    def of(cls, num_repetitions: Any, random_seed: Any, verbose: Any, num_threads: Any) -> _Draws:
        """Check the arguments."""
        return cls(
            as_count(num_repetitions, "num_repetitions", most=MAX_DRAWS),
            as_seed(random_seed, "random_seed"),
            as_flag(verbose, "verbose"),
            as_threads(num_threads),
        )


def _require_neighbors(clusters: NDArray[Any], source: str) -> None:
    """Raise a ValueError where a cluster has fewer rows than the graph has neighbours."""
    labels, sizes = np.unique(clusters, return_counts=True)
    if sizes.min() < _ASMI_KNN:
        small = int(sizes.argmin())
        raise ValueError(
            f"{source}: cluster {labels.tolist()[small]!r} has {sizes[small]} rows, and the graph of "
            f"nearest neighbours (use_knn=True) needs at least {_ASMI_KNN}"
        )


_Entropies: TypeAlias = "Callable[[Rows, list[NDArray[np.uint64]], int | None], list[float]]"
"""Computes entropies of subsets of the rows with a number of threads."""


def _fewer(num_threads: int | None) -> tuple[str, ...]:
    """Return what to do where memory does not suffice for the clusters."""
    one = one_thread(num_threads, "holds one cluster's matrix")
    return (*one, "smaller clusters", "fewer rows of embedding_vectors")


def _measured(measure: Measure) -> _Entropies:
    """Return a function that computes entropies which need no spectrum."""

    def entropies(rows: Rows, subsets: list[NDArray[np.uint64]], threads: int | None) -> list[float]:
        with memory_errors(*_fewer(threads)):
            bits: list[float] = _core.subset_entropies(rows, subsets, measure, threads).tolist()
        return bits

    return entropies


def _spectral(operator: ReferenceOperator, t: float, options: SlqOptions | None) -> _Entropies:
    """Return a function that computes or estimates spectral entropies at t."""

    def entropies(rows: Rows, subsets: list[NDArray[np.uint64]], threads: int | None) -> list[float]:
        kernel = KernelOperator(Data(rows, "euclidean", rows), operator.spec)
        with memory_errors(*reference_ways_out(operator, options, *_fewer(threads))):
            solutions = subset_solutions(kernel, subsets, options, None, threads, MORE_TOLERANCE)
        return [reference_entropy(solution, t) for solution in solutions]

    return entropies


def _rows_and_clusters(
    embedding_vectors: Any,
    reference_vectors: Any,
    reference_discrete: Any,
    n_clusters: Any,
    precomputed_clusters: Any,
) -> tuple[Rows, NDArray[Any], str]:
    """Return the rows, their clusters, and the argument that the clusters come from."""
    discrete = as_optional_flag(reference_discrete, "reference_discrete")
    number = as_count(n_clusters, "n_clusters", most=MAX_CLUSTERS)
    rows = as_rows(embedding_vectors, "embedding_vectors")
    clusters, source = assign_clusters(reference_vectors, discrete, number, precomputed_clusters, len(rows), _NAMES)
    return rows, clusters, source


def _information(
    rows: Rows,
    clusters: NDArray[Any],
    source: str,
    entropies: _Entropies,
    check: SaturationCheck | None,
    draws: _Draws,
) -> float:
    """Compute weighted differences of entropies, with all subsets of rows in one call of the core."""
    members = cluster_members(clusters)
    warn_if_cut(members, source)
    require_repeats("num_repetitions", draws.repetitions, members, seed=draws.seed, readings=1)
    subsets, generator = Subsets(), Draws(draws.seed)
    keys = [subsets.add_cluster(cluster, len(rows), draws.repetitions, generator) for cluster in members]
    if draws.verbose:
        print(f"Computing entropies of {len(subsets.rows)} subsets of rows for {len(members)} clusters.")
    values = entropies(rows, subsets.rows, draws.num_threads)
    if draws.verbose:
        print("Entropies computed.")
    weights = [len(cluster) / len(rows) for cluster in members]
    random = [sum(values[key] for key in of_cluster) / draws.repetitions for _, of_cluster in keys]
    if check is not None:
        mean = sum(weight * bits for weight, bits in zip(weights, random, strict=True))
        check.warn(mean, max_subset_entropy(members), rows, " of random subsets")
    return sum(weight * (bits - values[own]) for weight, bits, (own, _) in zip(weights, random, keys, strict=True))
