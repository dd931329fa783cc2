"""From data to a spectrum."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.arrays import as_pairs, rounding_of
from dsentropy._checks.progress import progress_bar
from dsentropy._checks.scalars import Numbers, as_alpha, as_choice, as_precision, as_threads
from dsentropy._core import OperatorSpec
from dsentropy._data.data import Data
from dsentropy._data.neighbors import as_neighbors
from dsentropy._operator import bandwidth as _bandwidth
from dsentropy._operator import neighbor_graph as _graph
from dsentropy._operator.bandwidth import Bandwidth, BandwidthLike
from dsentropy._operator.linear_operators import Multiplier, SparseMatrix, as_operator, is_operator
from dsentropy._spectrum.rounding import without_rounding
from dsentropy._spectrum.solver import Accept, Request, is_stochastic
from dsentropy._spectrum.spectrum import Spectrum

_Symmetrize: TypeAlias = Literal["union", "mutual", "mean"]
"""How a graph of nearest neighbours is made symmetric."""

_NEGATIVE = 1e-5
"""What part of the largest eigenvalue a negative one of a positive semi-definite matrix may be by rounding."""


def diffusion_spectrum(
    X: ArrayLike,
    *,
    bandwidth: BandwidthLike = "median",
    n_neighbors: int = 15,
    alpha: float = 0.0,
    metric: str = "euclidean",
    precision: str = "auto",
    max_samples: int | None = None,
    random_state: int | None = 0,
    num_threads: int | None = None,
    progress: bool = False,
    graph: str = "gaussian",
    neighbors: Any = None,
    solver: str = "exact",
    tol: float = 1e-3,
    t: Numbers = 1,
    orders: Numbers = 1,
    max_products: int | None = None,
    storage: str = "auto",
    memory_limit: int | None = None,
) -> Spectrum:
    r"""Spectrum of the diffusion operator of a data set.

    .. math::

        G_{ij} = \exp\left(-\frac{d_{ij}^2}{2 \sigma_i \sigma_j}\right), \qquad
        G' = Q^{-\alpha} G Q^{-\alpha}, \qquad K = D^{-1/2} G' D^{-1/2},

    Q and D the diagonal matrices of the row sums of G and of G'.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data: anything that NumPy can make an array of, or a torch tensor. As affinities also a sparse matrix of
        SciPy, or an object with ``shape`` and ``matmat`` such as its LinearOperator. With ``solver="stochastic"``
        also a ``dask.array`` chunked by rows; see :mod:`dsentropy._operator.dask_affinity`.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, default "median"
        :math:`\sigma`, in units of the distances. A number is that of all rows. ``"median"`` is the median of the
        positive distances of all pairs, which makes the spectrum independent of the scale of the data; where there
        are more than 4000 rows, of a random subset of 4000. ``"knn"`` gives each row the distance to its
        ``n_neighbors``-th nearest other row (self-tuning; where that is 0, the smallest positive one of all rows),
        which shrinks as N grows.
        A callable is given the rows that are used, those of length 1 where the metric is ``"cosine"``, and returns a
        number or one a row.
    n_neighbors : int, default 15
        Of the bandwidth ``"knn"``, below N; the row itself is not counted.
    alpha : float, default 0.0
        How far the density of the rows is divided out, from 0 to 1: 0 is the operator of the diffusion spectral
        entropy, 1/2 approximates a Fokker-Planck operator, 1 the Laplace-Beltrami operator.
    metric : {"euclidean", "cosine", "precomputed", "affinity"}, default "euclidean"
        What d is: Euclidean distances; those of the rows scaled to length 1, whose squares are 2 - 2 cos; X itself,
        a symmetric matrix of distances; or X is G itself, symmetric and not negative, and ``bandwidth`` plays no
        part.
    precision : {"auto", "single", "double"}, default "auto"
        In what K is stored and decomposed. A spectrum may be read at any t and order, so ``"auto"`` is double.
        ``"single"`` takes half the memory for K, and entropies for ``1 <= t <= 10`` and orders from 1 to 2 are within
        1e-6 sqrt(N) bits. It is for one bandwidth, Euclidean or cosine distances and at least 256 rows; all else is
        computed in double.
    max_samples : int, optional
        Where there are more rows, a random subset of this size is used.
    random_state : int or None, default 0
        Seed of random subsets. None draws from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    progress : bool, default False
        Show a bar of tqdm.
    graph : {"gaussian", "knn"}, default "gaussian"
        ``"knn"`` keeps the affinities of rows of which one is among the ``n_neighbors`` nearest other rows of the
        other, and those on the diagonal; all else is 0. Such an operator is sparse and may have negative eigenvalues.
    neighbors : sparse matrix of shape (N, N), or pair of array_like of shape (N, k), optional
        For the graph ``"knn"``, in place of the exact nearest rows: distances, a stored 0 among them, as of
        scikit-learn's ``kneighbors_graph(mode="distance")`` or a transformer such as pynndescent's; or distances and
        indices, as of :func:`nearest_neighbors`.
    solver : {"exact", "stochastic"}, default "exact"
        ``"stochastic"`` estimates the spectrum from products of K with vectors, and takes the exact way where that
        costs less and fits into memory. The arguments below are its own.
    tol : float, default 1e-3
        Bits, at each ``t`` and order: of the standard error and of how far the bounds reach, together.
    t, orders : float or sequence of float, default 1
        For which ``tol`` is to hold; positive. The spectrum can be read at others, and tells their error.
    max_products : int, optional
        Products of K with a vector after which the estimate is returned as it is, with a ``ToleranceWarning``: by
        default 5000, and 50,000 where K is sparse. It looks at them now and then, for the first time after 216.
    storage : {"auto", "dense", "tiled"}, default "auto"
        Keep the affinity, N^2 numbers of which half are touched; or compute it anew for each product; or keep it if
        it fits.
    memory_limit : int, optional
        Bytes that may be used.

    Returns
    -------
    Spectrum
        Of N eigenvalues, of which the largest is 1; an :class:`EstimatedSpectrum` where it is estimated. With one
        bandwidth and Euclidean distances none is negative; the self-tuning kernel, kernels of other distances and
        sparse ones are not positive definite in general, and moduli are kept.

    Raises
    ------
    ValueError
        For a value out of range, and data that are not finite or, for pairs, not symmetric.
    TypeError
        For an argument, or data, of a wrong type.
    MemoryError
        Before any work, where one N x N matrix does not fit into the memory that the process can have.

    Warns
    -----
    ToleranceWarning
        Where an estimate is not within ``tol``.

    Notes
    -----
    Cost: 4/3 N^3 flops for the eigenvalues, N^2 D for the distances. Memory: N x N numbers and 15% more, and 16 N D
    bytes. An estimate takes 2 N^2 flops a product, of which there are a few hundred where the spectrum decays and
    thousands where it does not; without storage N^2 D more for every 16 products, and 4 to 8 kB a row. The graph
    ``"knn"`` takes N^2 D flops for the neighbours, and 4 N n_neighbors a product. See docs/scaling.md. Where no two
    rows differ, as in a collapsed layer, any bandwidth gives the entropy 0.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1; Coifman & Lafon, "Diffusion maps", ACHA 21 (2006), for alpha;
    Zelnik-Manor & Perona, "Self-tuning spectral clustering", NIPS 2004, for one bandwidth a row; Chen & Hallman,
    "Krylov-aware stochastic trace estimation", arXiv 2205.01736, for estimates.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectrum
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> spectrum = diffusion_spectrum(X)
    >>> bool(np.isclose(diffusion_spectrum(1000 * X).entropy(), spectrum.entropy()))
    True
    """
    of_alpha = as_alpha(alpha)
    wanted = as_precision(precision)
    threads = as_threads(num_threads)
    request = None
    if is_stochastic(solver):
        request = Request.of(tol, t, orders, max_products, storage, memory_limit, random_state)
    sparse = as_choice(graph, "graph", "gaussian", "knn") == "knn"
    if neighbors is not None and not sparse:
        raise ValueError("neighbors must be None where graph is 'gaussian'")
    if is_operator(X):
        if sparse:
            raise ValueError("graph must be 'gaussian' where X is an operator")
        about: dict[str, Any] = {"operator": "diffusion", "metric": "affinity", "alpha": of_alpha}
        given = _given(X, metric, max_samples, affinities=True)
        return _of_operator(given, {"alpha": of_alpha}, about, request, threads, progress)
    if request is not None and type(X).__module__.partition(".")[0] == "dask":
        from dsentropy._operator import dask_affinity as dask

        if sparse or max_samples is not None or metric not in ("euclidean", "cosine") or isinstance(bandwidth, str):
            raise ValueError("X as a dask.array needs bandwidth as a number, graph 'gaussian' and all rows")
        return dask.diffusion_spectrum(
            X,
            bandwidth=bandwidth,  # type: ignore[arg-type]
            alpha=of_alpha,
            metric=metric,
            tol=tol,
            t=t,
            orders=orders,
            max_products=max_products,
            random_state=random_state,
            memory_limit=memory_limit,
            num_threads=num_threads,
            progress=progress,
        )
    data = Data.of(X, metric)
    used = data.limited(max_samples, random_state)
    subset = subset_of(data, used, max_samples, random_state)
    if sparse:
        if used.metric == "affinity":
            raise ValueError("metric must be one of distances where graph is 'knn', got 'affinity'")
        found = _graph.neighbor_distances(neighbors, used, n_neighbors, threads)
        sigma: Bandwidth
        if isinstance(bandwidth, str) and bandwidth == "knn":
            sigma = _graph.farthest(found)
            about = {"bandwidth": sigma, "rule": "knn", "metric": used.metric}
        else:
            sigma, about = bandwidth_of(bandwidth, used, n_neighbors, random_state, threads, data.n_samples)
        how = {"n_neighbors": int(n_neighbors)} if neighbors is None else {"neighbors": "given"}
        about = {"operator": "diffusion", "graph": "knn", **how, **about, "alpha": of_alpha, **subset}
        affinity = _graph.neighbor_affinity(found, sigma)
        return _of_operator(affinity, {"alpha": of_alpha}, about, request, threads, progress, used)
    sigma, about = bandwidth_of(bandwidth, used, n_neighbors, random_state, threads, data.n_samples)
    about = {"operator": "diffusion", **about, "alpha": of_alpha, **subset}
    operator = OperatorSpec.diffusion(
        _bandwidth.for_core(sigma), of_alpha, "single" if wanted == "single" else "double"
    )
    if request is not None:
        return request.of_kernel(used, operator, about, threads, progress)
    with progress_bar(progress, 1, "spectrum") as advance:
        eigenvalues = _core.eigenvalues(used.rows, used.core_metric, operator, threads)
        advance(1, math.nan)
    return spectrum_of(eigenvalues, used, {**about, "precision": wanted})


def adjacency_spectrum(
    X: ArrayLike,
    *,
    graph: str = "gaussian",
    symmetrize: str | None = None,
    bandwidth: BandwidthLike = "median",
    n_neighbors: int = 15,
    metric: str = "euclidean",
    max_samples: int | None = None,
    random_state: int | None = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: str = "exact",
    tol: float = 1e-3,
    t: Numbers = 1,
    orders: Numbers = 1,
    max_products: int | None = None,
    storage: str = "auto",
    memory_limit: int | None = None,
) -> Spectrum:
    r"""Spectrum of an affinity, or of the graph of nearest neighbours.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"`` or ``"affinity"``
        The data; see :func:`diffusion_spectrum`. As affinities also a sparse matrix or an object that multiplies.
    graph : {"gaussian", "knn"}, default "gaussian"
        ``"gaussian"`` is the affinity G of :func:`diffusion_spectrum`. ``"knn"`` is the graph A of nearest
        neighbours: :math:`A_{ij} = 1` where row j is among the ``n_neighbors`` nearest other rows of row i, or as far
        as the last of them, and :math:`A_{ii} = 1`.
    symmetrize : {None, "union", "mutual", "mean"}, default None
        Of the graph ``"knn"``, which is not symmetric: an edge where there is one either way, an edge where there is
        one each way, the mean of A and its transpose; or leave it as it is.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, default "median"
        Of the graph ``"gaussian"``; see :func:`diffusion_spectrum`.
    n_neighbors : int, default 15
        Of the graph or of the bandwidth ``"knn"``; below N, the row itself is not counted. The ``knn`` of
        :func:`adjacency_spectral_entropy` counts it, and is one more.
    metric : {"euclidean", "cosine", "precomputed", "affinity"}, default "euclidean"
        See :func:`diffusion_spectrum`. A graph of neighbours needs distances, not affinities.
    max_samples : int, optional
        Where there are more rows, a random subset of this size is used.
    random_state : int or None, default 0
        Seed of random subsets. None draws from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    progress : bool, default False
        Show a bar of tqdm.
    solver, tol, t, orders, max_products, storage, memory_limit
        As in :func:`diffusion_spectrum`. The graph of neighbours can be estimated where it is made symmetric.

    Returns
    -------
    Spectrum
        Of the moduli of N eigenvalues; an :class:`EstimatedSpectrum` where it is estimated.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As in :func:`diffusion_spectrum`.

    Notes
    -----
    Cost: 4/3 N^3 flops for the eigenvalues of a symmetric matrix, about 10 N^3 on one thread for the graph of
    neighbours as it is; see :func:`adjacency_spectral_entropy`. Of estimates as in :func:`diffusion_spectrum`.

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
    how: _Symmetrize | None = None
    if symmetrize is not None:
        named: _Symmetrize = as_choice(symmetrize, "symmetrize", "union", "mutual", "mean")
        how = named
    threads = as_threads(num_threads)
    request = None
    if is_stochastic(solver):
        request = Request.of(tol, t, orders, max_products, storage, memory_limit, random_state)
    if kind != "knn" and how is not None:
        raise ValueError(f"symmetrize must be None where graph is 'gaussian', got {how!r}")
    if is_operator(X):
        if kind == "knn":
            raise ValueError("graph must be 'gaussian' where X is an operator")
        given = _given(X, metric, max_samples, affinities=True)
        return _of_operator(given, {}, {"operator": "affinity", "metric": "affinity"}, request, threads, progress)
    data = Data.of(X, metric)
    used = data.limited(max_samples, random_state)
    subset = subset_of(data, used, max_samples, random_state)
    if kind == "knn":
        if used.metric == "affinity":
            raise ValueError("metric must be one of distances where graph is 'knn', got 'affinity'")
        number = as_neighbors(n_neighbors, used.n_samples)
        about = {"n_neighbors": number, "symmetrize": how, "metric": used.metric}
        parameters = {"operator": "neighbor_graph", **about, **subset}
        if request is not None:
            if how is None:
                raise ValueError("symmetrize must not be None where solver is 'stochastic' and graph is 'knn'")
            adjacency = _graph.adjacency(used, number + 1, how, threads)
            return _of_operator(adjacency, {}, parameters, request, threads, progress, used)
        operator = OperatorSpec.neighbor_graph(number + 1, how)
    else:
        sigma, about = bandwidth_of(bandwidth, used, n_neighbors, random_state, threads, data.n_samples)
        parameters = {"operator": "affinity", **about, **subset}
        operator = OperatorSpec.affinity(_bandwidth.for_core(sigma))
        if request is not None:
            return request.of_kernel(used, operator, parameters, threads, progress)
    with progress_bar(progress, 1, "spectrum") as advance:
        eigenvalues = _core.eigenvalues(used.rows, used.core_metric, operator, threads)
        advance(1, math.nan)
    return spectrum_of(eigenvalues, used, parameters)


def kernel_spectrum(
    K: ArrayLike,
    *,
    random_state: int | None = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: str = "exact",
    tol: float = 1e-3,
    t: Numbers = 1,
    orders: Numbers = 1,
    max_products: int | None = None,
    memory_limit: int | None = None,
) -> Spectrum:
    r"""Spectrum of a kernel matrix: of any symmetric, positive semi-definite matrix.

    At t = 1 its entropy is the von Neumann entropy of :math:`K / \mathrm{tr} K`, its effective rank the Vendi score.

    Parameters
    ----------
    K : array_like of shape (N, N)
        Symmetric up to the rounding of its dtype; what stands on and above the diagonal is used. Also a sparse matrix
        of SciPy, or an object with ``shape`` and ``matmat`` such as its LinearOperator.
    random_state : int or None, default 0
        Seed of the signs of an estimate. None draws one from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    progress : bool, default False
        Show a bar of tqdm.
    solver, tol, t, orders, max_products, memory_limit
        As in :func:`diffusion_spectrum`. An object's trace is not known, so an estimate of its spectrum takes more
        products than that of a matrix.

    Returns
    -------
    Spectrum
        Of N eigenvalues; an :class:`EstimatedSpectrum` where it is estimated. Negative ones, down to 1e-5 of the
        largest or to what the dtype rounds, are taken as 0.

    Raises
    ------
    ValueError
        For a matrix that is not square, not finite, not symmetric, zero, or has a negative eigenvalue below that.
    TypeError, MemoryError
        As in :func:`diffusion_spectrum`.

    Notes
    -----
    Cost: 4/3 N^3 flops, and N products where K is an object. Memory: N x N numbers of float64 and 15% more. Of
    estimates as in :func:`diffusion_spectrum`.

    References
    ----------
    Friedman & Dieng, "The Vendi Score: A Diversity Evaluation Metric for Machine Learning", arXiv 2210.02410.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import kernel_spectrum
    >>> kernel_spectrum(np.eye(4)).effective_rank()
    4.0
    """
    threads = as_threads(num_threads)
    about = {"operator": "kernel"}
    request = None
    if is_stochastic(solver):
        request = Request.of(tol, t, orders, max_products, "auto", memory_limit, random_state)
    if is_operator(K):
        given = as_operator(K, "K", affinities=False)
        return _of_operator(given, {"positive": True}, about, request, threads, progress, name="K")
    matrix = as_pairs(K, "K")
    rounding = max(_NEGATIVE, 4 * np.sqrt(len(matrix)) * rounding_of(K, matrix))
    data = Data(matrix, "affinity", matrix)
    if request is not None:
        return request.of_kernel(
            data, OperatorSpec.affinity(1.0), about, threads, progress, accept=_positive("K", rounding)
        )
    eigenvalues = _core.symmetric_eigenvalues(matrix, threads)
    _positive("K", rounding)(eigenvalues[0], eigenvalues[-1])
    return spectrum_of(np.maximum(eigenvalues, 0), data, about)


def _positive(name: str, rounding: float) -> Accept:
    """What a positive semi-definite matrix must have, up to rounding."""

    def accept(smallest: float, largest: float) -> None:
        if not (np.isfinite(smallest) and np.isfinite(largest)):
            raise ValueError(f"{name} must have finite eigenvalues: scale it down")
        if smallest < -rounding * max(largest, 0.0):
            raise ValueError(
                f"{name} must be positive semi-definite, got eigenvalues from {smallest:g} to {largest:g}"
            )
        if largest == 0:
            raise ValueError(f"{name} must not be zero")

    return accept


def _nonzero(name: str) -> Accept:
    def accept(smallest: float, largest: float) -> None:
        if smallest == largest == 0:
            raise ValueError(f"{name} must not be zero")

    return accept


def covariance_spectrum(
    X: ArrayLike,
    *,
    max_samples: int | None = None,
    random_state: int | None = 0,
    num_threads: int | None = None,
) -> Spectrum:
    r"""Spectrum of the covariance of the columns, :math:`X_c^T X_c / (N - 1)` with :math:`X_c` the centred rows.

    What linear measures of dimension are read from, to put beside the diffusion spectral entropy: the participation
    ratio at t = 1; at t = 1/2, where the eigenvalues become singular values of :math:`X_c`, the effective rank of Roy
    & Vetterli (which RankMe is without centring).

    Parameters
    ----------
    X : array_like of shape (N, D)
        The data: anything that NumPy can make an array of, or a torch tensor.
    max_samples : int, optional
        Where there are more rows, a random subset of this size is used.
    random_state : int or None, default 0
        Seed of random subsets. None draws from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.

    Returns
    -------
    Spectrum
        Of D eigenvalues, variances along the principal axes, in squared units of the data. With an error of
        1e-16 of the largest, so singular values below 1e-8 of the largest are rounding.

    Raises
    ------
    ValueError
        Where all rows are equal, and as in :func:`diffusion_spectrum`.
    TypeError, MemoryError
        As in :func:`diffusion_spectrum`.

    Notes
    -----
    Cost: 2 N D min(N, D) flops, and 4/3 min(N, D)^3 for the eigenvalues. Memory: 16 N D bytes, min(N, D)^2 numbers.

    References
    ----------
    Roy & Vetterli, "The effective rank", EUSIPCO 2007; Garrido et al., "RankMe", arXiv 2210.02885; Gao et al., "A
    theory of multineuronal dimensionality, dynamics and measurement", bioRxiv 214262 (participation ratio).

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import covariance_spectrum
    >>> X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(covariance_spectrum(X).participation_ratio(), 6)
    2.0
    """
    threads = as_threads(num_threads)
    data = Data.of(X)
    used = data.limited(max_samples, random_state)
    if (used.rows == used.rows[0]).all():
        raise ValueError("X must have rows that differ, to have a covariance")
    eigenvalues = _core.covariance_eigenvalues(used.rows, threads)
    if not np.isfinite(eigenvalues).all() or not eigenvalues.any():
        raise ValueError("X must have a scale whose squares are finite and not zero, to have a covariance")
    parameters = {"operator": "covariance", "metric": "euclidean"}
    return spectrum_of(eigenvalues, used, {**parameters, **subset_of(data, used, max_samples, random_state)})


def _given(X: Any, metric: Any, max_samples: Any, *, affinities: bool) -> SparseMatrix | Multiplier:
    """An operator in place of affinities."""
    if metric != "affinity":
        raise ValueError(f"metric must be 'affinity' where X is an operator, got {metric!r}")
    if max_samples is not None:
        raise ValueError("max_samples must be None where X is an operator")
    return as_operator(X, "X", affinities=affinities)


def _of_operator(
    given: SparseMatrix | Multiplier,
    made: dict[str, Any],
    about: dict[str, Any],
    request: Request | None,
    num_threads: int | None,
    progress: bool,
    data: Data | None = None,
    name: str = "X",
) -> Spectrum:
    """The spectrum of an operator that is ``made`` with these arguments, estimated where that is asked for."""
    fingerprint = given.fingerprint() if data is None else data.fingerprint()
    operator = given.core(**made)
    accept = _positive(name, _NEGATIVE) if made.get("positive") else _nonzero(name)
    if request is not None:
        return request.of_operator(
            operator, given.n_samples, about, fingerprint, num_threads, progress, accept=accept, stacklevel=4
        )
    with progress_bar(progress, 1, "spectrum") as advance:
        eigenvalues = _core.operator_eigenvalues(operator, num_threads)
        advance(1, math.nan)
    accept(eigenvalues[0], eigenvalues[-1])
    values = without_rounding(np.abs(eigenvalues))
    return Spectrum(values, n_samples=given.n_samples, parameters=about, fingerprint=fingerprint)


def bandwidth_of(
    bandwidth: Any, data: Data, n_neighbors: Any, random_state: Any, num_threads: int | None, n_all: int | None = None
) -> tuple[Bandwidth, dict[str, Any]]:
    """The bandwidth of a kernel, and what a spectrum's parameters say of it and of the metric."""
    if data.metric == "affinity":
        return 1.0, {"metric": data.metric}
    sigma = _bandwidth.resolve(bandwidth, data, n_neighbors, random_state, num_threads, n_all)
    about: dict[str, Any] = {"bandwidth": sigma}
    if isinstance(bandwidth, str):
        about["rule"] = bandwidth
        if bandwidth == "knn":
            about["n_neighbors"] = int(n_neighbors)
    return sigma, {**about, "metric": data.metric}


def entropies(eigenvalues: NDArray[np.float64], times: list[float], orders: list[float]) -> NDArray[np.float64]:
    """Bits [times, orders] of a computed spectrum."""
    return _core.renyi_entropies(without_rounding(eigenvalues), times, orders)


def spectrum_of(eigenvalues: NDArray[np.float64], data: Data, parameters: dict[str, Any]) -> Spectrum:
    """With the data's number of rows and fingerprint."""
    values = without_rounding(eigenvalues)
    return Spectrum(values, n_samples=data.n_samples, parameters=parameters, fingerprint=data.fingerprint())


def subset_of(data: Data, used: Data, max_samples: Any, random_state: Any) -> dict[str, Any]:
    """How the rows were chosen, where not all are used."""
    if used is data:
        return {}
    return {"max_samples": int(max_samples), "random_state": None if random_state is None else int(random_state)}
