"""The spectrum of an affinity, or of the graph of nearest neighbours.

The affinity is ``G_ij = exp(-d_ij^2 / (2 sigma_i sigma_j))``, the graph ``A_ij = 1`` where row j is among the nearest
of row i. Cost: 4/3 N^3 flops for a symmetric matrix, about 10 N^3 for one that is not.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from numpy.typing import ArrayLike

from dsentropy._checks.choices import Graph, Symmetrize
from dsentropy._checks.devices import DeviceLike, usable_device
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.progress import as_progress
from dsentropy._checks.scalars import RandomState, as_choice, as_seed, as_threads
from dsentropy._checks.unused import require_unused
from dsentropy._data.data import METRICS, Metric
from dsentropy._measures.operator_arguments import operator_source
from dsentropy._operator.bandwidth import BandwidthLike, core_bandwidth, kernel_bandwidth, n_neighbors_of
from dsentropy._operator.dense_operator import affinity_operator, place_of_eigenvalues
from dsentropy._operator.linear_operators import LinearOperator, is_operator_on
from dsentropy._operator.neighbor_graph import NeighborAdjacency
from dsentropy._operator.slq_options import SlqOptions, memory_limit_of
from dsentropy._spectrum.problem import Problem, selected_rows, solve
from dsentropy._spectrum.solver import Stochastic, require_default_storage, resolve_solver
from dsentropy._spectrum.spectrum import Spectrum
from dsentropy._spectrum.ways_out import ways_out


def adjacency_spectrum(
    X: ArrayLike,
    *,
    graph: Graph = "gaussian",
    symmetrize: Symmetrize | None = None,
    bandwidth: BandwidthLike | None = None,
    n_neighbors: int | None = None,
    metric: Metric = "euclidean",
    max_samples: int | None = None,
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
) -> Spectrum:
    r"""Compute or estimate the spectrum of an affinity, or of the graph of nearest neighbours.

    .. math::

        G_{ij} = \exp\left(-\frac{d_{ij}^2}{2 \sigma_i \sigma_j}\right), \qquad
        A_{ij} = [d_{ij} \le r_i],

    where :math:`r_i` is the distance of row i to the last of its nearest other rows.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data; see :func:`diffusion_spectrum`. Affinities may also be a sparse matrix or an object that multiplies
        (docs/operators.md).
    graph : {"gaussian", "knn"}, default "gaussian"
        ``"gaussian"`` is the affinity G. ``"knn"`` is the graph A of nearest neighbours: :math:`A_{ij} = 1` where row
        j is among the ``n_neighbors`` nearest other rows of row i, or as far as the last of them, and :math:`A_{ii} =
        1`.
    symmetrize : {None, "union", "mutual", "mean"}, default None
        Rule that makes the graph ``"knn"`` symmetric: an edge where there is one in either direction, an edge where
        there is one in both, the mean of A and its transpose. None leaves it as it is.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, optional, default "median"
        Bandwidth of the graph ``"gaussian"``; see :func:`diffusion_spectrum`. Refused where ``graph`` is ``"knn"`` or
        ``metric`` is ``"affinity"``.
    n_neighbors : int, optional, default 15
        Number of neighbours of the graph or of the bandwidth ``"knn"``; below N, the row itself is not counted. The
        ``knn`` of :func:`adjacency_spectral_entropy` counts it, and is one more. Refused where neither uses it.
    metric : {"euclidean", "cosine", "precomputed", "affinity"}, default "euclidean"
        See :func:`diffusion_spectrum`, also for what is repaired in given distances and affinities. A graph of
        neighbours needs distances, not affinities.
    max_samples : int, optional
        Where there are more rows, a random subset of this size is used.
    random_state : int, Generator, RandomState or None, default 0
        Seed of random subsets and of the signs of an estimate. A generator of NumPy gives one integer as the
        seed, and its state moves on. None draws from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    progress : bool, default False
        Show a progress bar with the time left: of an estimate in matrix-vector products, done of those expected, with
        the uncertainty in bits. Needs tqdm.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"exact"`` computes all eigenvalues. ``"stochastic"`` estimates the spectrum; :class:`Stochastic` has the
        options. The graph of neighbours can be estimated where it is made symmetric.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`.

    Returns
    -------
    Spectrum
        Moduli of N eigenvalues; an :class:`EstimatedSpectrum` where it is estimated.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectrum`.

    Warns
    -----
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    Cost: 4/3 N^3 flops for the eigenvalues of a symmetric matrix, about 10 N^3 on one thread for the graph of
    neighbours as it is; see :func:`adjacency_spectral_entropy`. :class:`Stochastic` has the cost of an estimate.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823; its implementation defines the adjacency variants.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import adjacency_spectrum
    >>> X = np.repeat([[0.0], [100.0]], 4, axis=0)  # two groups: a graph of two blocks of ones
    >>> round(adjacency_spectrum(X, graph="knn", n_neighbors=3).entropy(), 6)
    1.0
    """
    kind = as_choice(graph, "graph", "gaussian", "knn")
    as_choice(metric, "metric", *METRICS)
    rule: Symmetrize | None = None
    if symmetrize is not None:
        rule = as_choice(symmetrize, "symmetrize", *get_args(Symmetrize))
    threads, shown = as_threads(num_threads), as_progress(progress)
    seed = as_seed(random_state, "random_state")
    options = resolve_solver(solver, seed)
    if kind != "knn" and rule is not None:
        raise ValueError(f"symmetrize must be None where graph is 'gaussian', got {rule!r}")
    with memory_errors(*_ways_out(X, metric, kind, rule, options)):
        where = usable_device(
            device,
            X,
            ("X is an operator", is_operator_on(X, metric)),
            ("graph is 'knn'", kind == "knn"),
            (f"metric is {metric!r}", metric not in ("euclidean", "cosine")),
        )
        if is_operator_on(X, metric):
            source = operator_source(X, metric, kind, max_samples, bandwidth, n_neighbors, options)
            parameters: dict[str, Any] = {"operator": "affinity", "metric": "affinity"}
            operator = LinearOperator(source, positive=source.positive_semidefinite)
            problem = Problem(operator, source.n_samples, parameters, source.fingerprint)
        elif kind == "knn":
            require_unused(bandwidth, "bandwidth", "graph is 'knn'")
            problem = _of_graph(X, n_neighbors, rule, metric, max_samples, seed, options)
        else:
            used, n_all, subset = selected_rows(X, metric, max_samples, seed, where)
            sigma, about = kernel_bandwidth(
                bandwidth, used, n_neighbors, seed, threads, n_all, memory_limit=memory_limit_of(options)
            )
            kernel = affinity_operator(used, core_bandwidth(sigma))
            about |= {**subset, **place_of_eigenvalues(kernel, options)}
            problem = Problem(kernel, used.n_samples, {"operator": "affinity", **about}, used.fingerprint)
        return solve(problem, options, threads, shown)


def _ways_out(
    X: Any, metric: Any, graph: str, symmetrize: Symmetrize | None, options: SlqOptions | None
) -> tuple[str, ...]:
    """Return what to do where memory does not suffice, by the arguments that play a part."""
    if is_operator_on(X, metric):
        return ways_out(options, "affinities of fewer rows", has_storage=False)
    fewer = "fewer rows, max_samples=..."
    if graph != "knn":
        return ways_out(options, fewer)
    if symmetrize is None:  # which has no estimate
        return ("symmetrize='mean' with solver='stochastic'", fewer)
    return ways_out(options, fewer, has_storage=False)


def _of_graph(
    X: Any,
    n_neighbors: int | None,
    symmetrize: Symmetrize | None,
    metric: Any,
    max_samples: Any,
    random_state: Any,
    options: SlqOptions | None,
) -> Problem:
    """Make the problem of the graph of nearest neighbours."""
    require_default_storage(options, "graph is 'knn', whose edges are always stored")
    used, _, subset = selected_rows(X, metric, max_samples, random_state)
    if used.metric == "affinity":
        raise ValueError("metric must be one of distances where graph is 'knn', got 'affinity'")
    number = n_neighbors_of(n_neighbors, used.n_samples)
    about = {"n_neighbors": number, "symmetrize": symmetrize, "metric": used.metric}
    operator = NeighborAdjacency(used, number + 1, symmetrize)  # which counts the row itself
    return Problem(operator, used.n_samples, {"operator": "neighbor_graph", **about, **subset}, used.fingerprint)
