"""The spectrum of the diffusion operator of a data set.

With G the Gaussian affinity of the rows::

    G' = Q^-alpha G Q^-alpha,    K = D^-1/2 G' D^-1/2,

Q and D the diagonal matrices of the row sums of G and of G' (Coifman & Lafon, "Diffusion maps", ACHA 21, 2006).
Row i may count as w_i rows: sums over rows are weighted then, and K is multiplied by W^1/2 on both sides. Cost: 4/3
N^3 flops for the eigenvalues, N^2 D for the distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import ArrayLike

from dsentropy._checks.choices import Graph
from dsentropy._checks.devices import DeviceLike, usable_device
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.progress import as_progress
from dsentropy._checks.scalars import (
    Precision,
    RandomState,
    as_alpha,
    as_choice,
    as_positive,
    as_precision,
    as_seed,
    as_threads,
)
from dsentropy._checks.unused import require_unused
from dsentropy._data.data import METRICS, Metric
from dsentropy._data.neighbors import warn_of_duplicates
from dsentropy._data.row_weights import as_row_weights, in_unit
from dsentropy._measures.operator_arguments import operator_source
from dsentropy._operator import neighbor_graph as _graph
from dsentropy._operator.bandwidth import (
    Bandwidth,
    BandwidthLike,
    core_bandwidth,
    kernel_bandwidth,
    n_neighbors_of,
    resolve_with_parameters,
)
from dsentropy._operator.dask_affinity import ChunkedDiffusion, Chunks, is_dask_array
from dsentropy._operator.dense_operator import diffusion_operator, place_of_eigenvalues
from dsentropy._operator.linear_operators import LinearOperator, is_operator_on
from dsentropy._operator.precision import allows_single, refuse_single, require_free_precision, require_single_used
from dsentropy._operator.slq_options import SlqOptions, memory_limit_of
from dsentropy._spectrum.missed_tolerance import MAX_SAMPLES
from dsentropy._spectrum.problem import Problem, selected_rows, solve
from dsentropy._spectrum.solver import Stochastic, require_default_storage, resolve_solver
from dsentropy._spectrum.spectrum import Spectrum
from dsentropy._spectrum.ways_out import ways_out


def diffusion_spectrum(
    X: ArrayLike,
    *,
    bandwidth: BandwidthLike | None = None,
    n_neighbors: int | None = None,
    alpha: float = 0.0,
    metric: Metric = "euclidean",
    weights: ArrayLike | None = None,
    precision: Precision = "auto",
    max_samples: int | None = None,
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    graph: Graph = "gaussian",
    neighbors: Any = None,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
) -> Spectrum:
    r"""Compute or estimate the spectrum of the diffusion operator of a data set.

    .. math::

        G_{ij} = \exp\left(-\frac{d_{ij}^2}{2 \sigma_i \sigma_j}\right), \qquad
        G' = Q^{-\alpha} G Q^{-\alpha}, \qquad K = D^{-1/2} G' D^{-1/2},

    where Q and D are the diagonal matrices of the row sums of G and of G'.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data: anything that NumPy can make an array of, such as a list of one-dimensional arrays, each a row
        (``np.column_stack`` makes rows of a list of columns); a table with numeric columns, as of pandas; torch
        tensors; a sparse matrix of SciPy, of which a dense copy is made (a square one needs ``X.toarray()``). Missing
        and masked entries are refused. Affinities may also be a sparse matrix, or an object with ``shape`` and
        ``matmat`` such as its LinearOperator, which may state its ``rounding`` and that it is
        ``positive_semidefinite``: see docs/operators.md. A ``dask.array`` in chunks of rows stays where it is with a
        stochastic solver, which needs a number as bandwidth and Euclidean or cosine distances, and reads it anew for
        each product unless it is persisted: ``X = X.persist()``. The exact solver makes one array of it.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, optional, default "median"
        :math:`\sigma`, in units of the distances. One number holds for all rows. ``"median"`` is the median of the
        positive distances of all pairs, which makes the spectrum independent of the scale of the data; where there
        are more than 4000 rows, a random subset of 4000 is used. ``"knn"`` gives each row the distance to its
        ``n_neighbors``-th nearest other row (self-tuning; where that is 0, the smallest positive one of all rows),
        which shrinks as N grows. A callable gets the rows that are used, scaled to length 1 where the metric is
        ``"cosine"``, and returns a number or one a row. Refused where ``metric`` is ``"affinity"``.
    n_neighbors : int, optional, default 15
        Number of neighbours of the bandwidth ``"knn"`` and of the graph ``"knn"``, below N; the row itself is not
        counted. Refused where neither uses it.
    alpha : float, default 0.0
        How far the density of the rows is divided out, from 0 to 1: 0 is the operator of the diffusion spectral
        entropy, 1/2 approximates a Fokker-Planck operator, 1 the Laplace-Beltrami operator.
    metric : {"euclidean", "cosine", "precomputed", "affinity"}, default "euclidean"
        What d is: Euclidean distances; Euclidean distances of the rows scaled to length 1, whose squares are
        2 - 2 cos, with rows that are parallel up to the rounding of their dtype made equal; X itself, a symmetric
        matrix of distances. With ``"affinity"`` X is G itself, symmetric and not negative. What the rounding of the
        dtype of such matrices explains is repaired in a copy, as in Notes, and what it does not explain is an error.
    weights : array_like of shape (N,), optional
        How many rows each row counts as, positive; their scale plays no part. The nonzero eigenvalues are those of
        the data with row i repeated w_i times: in sums over rows, row i counts w_i times. A pair counts
        :math:`w_i w_j` times for the ``"median"``; a random subset of rows is drawn without regard to weights.
        Refused with the bandwidth or the graph ``"knn"``, whose neighbours are whole rows, with
        ``precision="single"``, for affinities that are sparse or an object, and for a ``dask.array`` with a
        stochastic solver.
    precision : {"auto", "single", "double"}, default "auto"
        Precision in which K is stored and decomposed. A spectrum may be read at any t and order, so ``"auto"`` is
        double. ``"single"`` takes half the memory for K, and entropies for ``1 <= t <= 10`` and orders from 1 to 2
        are within 1e-6 sqrt(N) bits. It needs one bandwidth for all rows, Euclidean or cosine distances, the graph
        ``"gaussian"`` and the exact solver, and is refused elsewhere. Fewer than 256 rows are computed in double.
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
    graph : {"gaussian", "knn"}, default "gaussian"
        ``"knn"`` keeps the affinities of rows of which one is no farther from the other than its ``n_neighbors``-th
        nearest other row, and those on the diagonal; all others are 0. All ties are kept, and equal rows count as
        often as they occur, so the order of the rows does not matter. Such an operator is sparse and may have
        negative eigenvalues.
    neighbors : sparse matrix of shape (N, N), or pair of array_like of shape (N, k), optional
        Neighbours of the graph ``"knn"``, used as they are in place of the exact nearest rows with their ties:
        distances, stored zeros among them, as from scikit-learn's ``kneighbors_graph(mode="distance")`` or a
        transformer such as pynndescent's; or distances and indices, as from :func:`nearest_neighbors`. Distances that
        rounding made negative are 0. Equal rows must be neighbours of each other: those left out count as far apart.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"exact"`` computes all eigenvalues. ``"stochastic"`` estimates the spectrum from matrix-vector products, to
        within the tolerance of :class:`Stochastic`, which has the options.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed. None is where ``X`` is: a tensor of PyTorch on a CUDA or MPS
        device stays there, and the core computes all else on the processor. ``"cpu"`` is the core. On an accelerator
        rows need the graph ``"gaussian"`` and Euclidean or cosine distances; other data that are there are copied to
        the processor, and a device that is given is refused for them. The exact solver computes on a CUDA device
        from 1000 rows on, where its memory has room for three N x N matrices of float64, and on the processor else;
        ``parameters["eigenvalues_on"]`` says where. Needs PyTorch.

    Returns
    -------
    Spectrum
        N eigenvalues, of which the largest is 1; an :class:`EstimatedSpectrum` where it is estimated. With one
        bandwidth and Euclidean distances none is negative; the self-tuning kernel, kernels of other distances and
        sparse ones are not positive definite in general, and moduli are kept.

    Raises
    ------
    ValueError
        For a value out of range, an argument that plays no part, and data that are not finite or, for pairs, not
        symmetric.
    TypeError
        For an argument, or data, of a wrong type.
    MemoryError
        Before any work, where one N x N matrix does not fit into the memory that the process can have. After the
        search, where so many rows are equally far that the edges of the graph ``"knn"`` do not fit.

    Warns
    -----
    NeighborWarning
        Where all given ``neighbors`` of a row are at distance 0, and are not all rows equal to it.
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    With u the unit roundoff of the dtype (0 of integers) and m the largest modulus of an entry, a given matrix may be
    asymmetric by :math:`\sqrt{2 u} m`: entries above the diagonal count, and the mean of both in a sparse matrix.
    Distances down to :math:`-\sqrt{2 u} m` are clipped to 0, those of ``neighbors`` too, a diagonal up to
    :math:`8 \sqrt{2 u} m` is set to 0, and affinities down to :math:`-32 u m` are clipped to 0. Eigenvalues are those
    of these numbers as if they were given in float64; :func:`kernel_spectrum` allows for their rounding.

    With weights, G' = Q^-alpha G Q^-alpha for :math:`q_i = \sum_j w_j G_{ij}`, and
    :math:`K_{ij} = \sqrt{w_i w_j} G'_{ij} / \sqrt{d_i d_j}` for :math:`d_i = \sum_j w_j G'_{ij}`. There are N
    eigenvalues, one for each row that is given: copies of a row would only add zeros, which count at t = 0 alone. So
    the maximum of the entropy, by which saturation is judged, is log2 of the rows that are given.

    Cost: 4/3 N^3 flops for the eigenvalues, N^2 D for the distances. Memory: N x N numbers and 15% more, and 16 N D
    bytes. :class:`Stochastic` has the cost of an estimate. The graph ``"knn"`` takes N^2 D flops for the neighbours,
    and 4 N n_neighbors a product, where N counts equal rows once; ties add to it. See docs/scaling.md. Where no two
    rows differ, as in a collapsed layer, any bandwidth and either graph gives the entropy 0.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1; Coifman & Lafon, "Diffusion maps", ACHA 21 (2006), for alpha;
    Zelnik-Manor & Perona, "Self-tuning spectral clustering", NIPS 2004, for one bandwidth a row.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectrum
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> spectrum = diffusion_spectrum(X)
    >>> bool(np.isclose(diffusion_spectrum(1000 * X).entropy(), spectrum.entropy()))
    True
    """
    threads, shown = as_threads(num_threads), as_progress(progress)
    seed = as_seed(random_state, "random_state")
    options = resolve_solver(solver, seed)
    kind: Graph = as_choice(graph, "graph", "gaussian", "knn")
    as_choice(metric, "metric", *METRICS)
    if neighbors is not None and kind != "knn":
        raise ValueError("neighbors must be None where graph is 'gaussian'")
    arguments = _Arguments(
        bandwidth=bandwidth,
        n_neighbors=n_neighbors,
        alpha=as_alpha(alpha),
        metric=metric,
        weights=weights,
        precision=as_precision(precision),
        max_samples=max_samples,
        random_state=seed,
        num_threads=threads,
        graph=kind,
        neighbors=neighbors,
        options=options,
        device=device,
    )
    with memory_errors(*_ways_out(X, arguments)):
        return solve(_problem(X, arguments), options, threads, shown)


@dataclass(frozen=True)
class _Arguments:
    """Arguments of :func:`diffusion_spectrum`, of which those that need no data are checked."""

    bandwidth: Any
    n_neighbors: Any
    alpha: float
    metric: Any
    weights: Any
    precision: Precision
    max_samples: Any
    random_state: int | None
    num_threads: int | None
    graph: Graph
    neighbors: Any
    options: SlqOptions | None
    device: DeviceLike


def _ways_out(X: Any, arguments: _Arguments) -> tuple[str, ...]:
    """Return what to do where memory does not suffice, by the arguments that play a part."""
    options = arguments.options
    if is_operator_on(X, arguments.metric):
        return ways_out(options, "affinities of fewer rows", has_storage=False)
    if is_dask_array(X) and options is not None:
        return ways_out(options, "smaller chunks, X.rechunk(...)", has_storage=False)
    fewer = "fewer rows, max_samples=..." if arguments.neighbors is None else "neighbors of fewer rows"
    is_dense = arguments.graph == "gaussian"
    has_single = (
        is_dense
        and arguments.weights is None
        and arguments.precision != "single"
        and allows_single(arguments.metric, arguments.bandwidth)
    )
    return ways_out(options, fewer, has_storage=is_dense, has_single=has_single)


def _problem(X: Any, arguments: _Arguments) -> Problem:
    require_free_precision(arguments.precision, arguments.options)
    if arguments.weights is not None:
        _require_weighable(X, arguments)
    _device(X, arguments)  # which may be refused
    if is_operator_on(X, arguments.metric):
        return _of_operator(X, arguments)
    if is_dask_array(X) and arguments.options is not None:
        return _of_chunks(X, arguments)
    return (_of_neighbors if arguments.graph == "knn" else _of_rows)(X, arguments)


def _device(X: Any, arguments: _Arguments) -> str | None:
    """Return the device on which rows are multiplied; None is the core."""
    return usable_device(
        arguments.device,
        X,
        ("X is an operator", is_operator_on(X, arguments.metric)),
        ("X is a dask.array", is_dask_array(X)),
        ("graph is 'knn'", arguments.graph == "knn"),
        (f"metric is {arguments.metric!r}", arguments.metric not in ("euclidean", "cosine")),
        ("precision is 'single'", arguments.precision == "single"),
    )


def _require_weighable(X: Any, arguments: _Arguments) -> None:
    """Raise where rows cannot count as several."""
    rule = arguments.bandwidth if isinstance(arguments.bandwidth, str) else ""
    for reason, is_so, way in [
        ("graph is 'knn'", arguments.graph == "knn", "np.repeat(X, counts, axis=0) repeats rows"),
        ("bandwidth is 'knn'", rule == "knn", "a bandwidth as a number, 'median' or one a row has no neighbours"),
        ("precision is 'single'", arguments.precision == "single", "precision='double' takes them"),
        ("X is an operator", is_operator_on(X, arguments.metric), "affinities as a dense array take them"),
        (
            "X is a dask.array and solver is 'stochastic'",
            is_dask_array(X) and arguments.options is not None,
            "X.compute() makes an array of it",
        ),
    ]:
        if is_so:
            raise ValueError(f"weights must be None where {reason}: {way}")


def _of_rows(X: Any, arguments: _Arguments) -> Problem:
    """Make the problem of a dense kernel of rows, distances or affinities."""
    used, n_all, subset = selected_rows(
        X, arguments.metric, arguments.max_samples, arguments.random_state, _device(X, arguments)
    )
    weights = as_row_weights(arguments.weights, n_all)
    if weights is not None:
        weights = weights if used.chosen is None else weights[used.chosen]
        subset["weights"] = weights
    sigma, about = kernel_bandwidth(
        arguments.bandwidth,
        used,
        arguments.n_neighbors,
        arguments.random_state,
        arguments.num_threads,
        n_all,
        weights=weights,
        memory_limit=memory_limit_of(arguments.options),
    )
    require_single_used(arguments.precision, used, sigma)
    stored: Literal["single", "double"] = "single" if arguments.precision == "single" else "double"
    parameters = {"operator": "diffusion", **about, "alpha": arguments.alpha, **subset}
    if arguments.options is None:
        parameters["precision"] = arguments.precision
    of_rows = None if weights is None else in_unit(weights)
    operator = diffusion_operator(used, core_bandwidth(sigma), arguments.alpha, stored, of_rows)
    parameters |= place_of_eigenvalues(operator, arguments.options)
    return Problem(operator, used.n_samples, parameters, used.fingerprint, MAX_SAMPLES)


def _of_neighbors(X: Any, arguments: _Arguments) -> Problem:
    """Make the problem of the sparse affinities of nearest neighbours."""
    if arguments.precision == "single":
        refuse_single("graph is 'knn'")
    require_default_storage(arguments.options, "graph is 'knn', whose affinities are always stored")
    if arguments.neighbors is not None:
        require_unused(arguments.n_neighbors, "n_neighbors", "neighbors are given")
        require_unused(arguments.max_samples, "max_samples", "neighbors are given, of all rows")
    used, n_all, subset = selected_rows(X, arguments.metric, arguments.max_samples, arguments.random_state)
    if used.metric == "affinity":
        raise ValueError("metric must be one of distances where graph is 'knn', got 'affinity'")
    given: _graph.Neighbors | None = None
    chosen: dict[str, Any] = {"neighbors": "given"}
    if arguments.neighbors is not None:
        given = _graph.given_neighbors(arguments.neighbors, used.n_samples)
    else:
        chosen = {"n_neighbors": n_neighbors_of(arguments.n_neighbors, used.n_samples)}
    sigma: Bandwidth | None = None
    if not (isinstance(arguments.bandwidth, str) and arguments.bandwidth == "knn"):
        sigma, about = resolve_with_parameters(
            arguments.bandwidth, used, None, arguments.random_state, arguments.num_threads, n_all
        )
    if given is not None:
        found = given
        warn_of_duplicates(found.distances.row, found.distances.data, used)
    else:
        found = _graph.nearest(used, chosen["n_neighbors"], sigma, arguments.num_threads)
    if sigma is None:
        each = _graph.farthest(found)
        about = {"bandwidth": found.of_rows(each), "rule": "knn", "metric": used.metric}
        affinity = _graph.neighbor_affinity(found, each)
    else:
        affinity = _graph.neighbor_affinity(found, found.of_groups(sigma))
    parameters = {"operator": "diffusion", "graph": "knn", **chosen, **about, "alpha": arguments.alpha, **subset}
    operator = LinearOperator(affinity, alpha=arguments.alpha)
    return Problem(operator, used.n_samples, parameters, used.fingerprint)


def _of_operator(X: Any, arguments: _Arguments) -> Problem:
    """Make the problem of affinities that are a sparse matrix or an object that multiplies."""
    if arguments.precision == "single":
        refuse_single("X is an operator")
    source = operator_source(
        X,
        arguments.metric,
        arguments.graph,
        arguments.max_samples,
        arguments.bandwidth,
        arguments.n_neighbors,
        arguments.options,
    )
    parameters = {"operator": "diffusion", "metric": "affinity", "alpha": arguments.alpha}
    operator = LinearOperator(source, alpha=arguments.alpha, positive=source.positive_semidefinite)
    return Problem(operator, source.n_samples, parameters, source.fingerprint)


def _of_chunks(X: Any, arguments: _Arguments) -> Problem:
    """Make the problem of rows in a dask array."""
    require_default_storage(arguments.options, "X is a dask.array, whose affinities are never stored")
    bandwidth, metric = arguments.bandwidth, as_choice(arguments.metric, "metric", *METRICS)
    for needed, is_so in [
        ("graph 'gaussian'", arguments.graph == "gaussian"),
        ("max_samples None, since all rows are used", arguments.max_samples is None),
        ("metric 'euclidean' or 'cosine'", metric in ("euclidean", "cosine")),
        ("bandwidth as a number", bandwidth is not None and not isinstance(bandwidth, str)),
    ]:
        if not is_so:
            raise ValueError(f"X as a dask.array needs {needed} where solver is 'stochastic'")
    require_unused(arguments.n_neighbors, "n_neighbors", "X is a dask.array")
    sigma = as_positive(bandwidth, "bandwidth")
    chunks = Chunks.of(X, metric)
    about = {"bandwidth": sigma, "metric": metric, "alpha": arguments.alpha, "chunks": chunks.number}
    operator = ChunkedDiffusion(chunks, sigma, arguments.alpha)
    return Problem(operator, chunks.n_samples, {"operator": "diffusion", **about}, lambda: None)
