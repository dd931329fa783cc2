"""Entropy of a data set: of a spectrum, of an operator's entries, of binned rows."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from dsentropy import _core
from dsentropy._checks.arrays import Rows, as_floating_dtype, as_rows
from dsentropy._checks.scalars import (
    Precision,
    as_count,
    as_limit,
    as_nonnegative,
    as_path,
    as_positive,
    as_precision,
    as_seed,
    as_threads,
)
from dsentropy._core import Measure, OperatorSpec, Solution
from dsentropy._data import subsets as _subsample
from dsentropy._data.fingerprint import digest
from dsentropy._spectrum.solver import NO_TIMES, Request, bits_of, is_stochastic
from dsentropy.io import eigenvalue_file as _eigenvalue_file


def diffusion_spectral_entropy(
    embedding_vectors: ArrayLike | None,
    gaussian_kernel_sigma: float = 10,
    t: float = 1,
    max_N: int | None = 10000,
    chebyshev_approx: bool = False,
    eigval_save_path: str | os.PathLike[str] | None = None,
    eigval_save_precision: DTypeLike = np.float16,
    classic_shannon_entropy: bool = False,
    matrix_entry_entropy: bool = False,
    num_bins_per_dim: int = 2,
    random_seed: int | None = 0,
    verbose: bool = False,
    *,
    precision: str = "auto",
    num_threads: int | None = None,
    solver: str = "exact",
    tol: float = 1e-3,
) -> float:
    r"""Diffusion spectral entropy (DSE) of a data set, in bits.

    With G the Gaussian affinity of the rows and D the diagonal matrix of its row sums,

    .. math::

        K = D^{-1/2} G D^{-1/2}, \qquad p_i = |\lambda_i(K)|^t / \sum_j |\lambda_j(K)|^t, \qquad
        H = -\sum_i p_i \log_2 p_i .

    Parameters
    ----------
    embedding_vectors : array_like of shape (N, D)
        The data: anything that NumPy can make an array of, or a torch tensor. May be None where
        ``eigval_save_path`` names an existing file.
    gaussian_kernel_sigma : float, default 10
        Bandwidth of the Gaussian affinity, in units of the data. The entropy depends on it: see Notes.
    t : float, default 1
        Diffusion time, at least 0.
    max_N : int or None, default 10000
        Where there are more rows, a random subset of this size is used. None is no limit.
    chebyshev_approx : bool, default False
        The same as ``solver="stochastic"``, where no file of eigenvalues is named. The reference's approximation by
        Chebyshev polynomials has no stated error; this one has.
    eigval_save_path : path, optional
        File of eigenvalues under exactly this name. If it exists it is read in place of the decomposition, if not
        it is written. See Notes.
    eigval_save_precision : dtype, default numpy.float16
        Floating dtype to which the eigenvalues in the file are rounded.
    classic_shannon_entropy : bool, default False
        Return the Shannon entropy of binned rows instead (and use no file).
    matrix_entry_entropy : bool, default False
        Return the entropy of the entries of the row-normalised K instead (and use neither ``t`` nor a file).
    num_bins_per_dim : int, default 2
        Bins a column of the classic Shannon entropy.
    random_seed : int or None, default 0
        Seed of the random subset. None draws from Python's global generator.
    verbose : bool, default False
        Print the stages.
    precision : {"auto", "single", "double"}, default "auto"
        In what K is stored and decomposed. ``"auto"`` is double precision, and single for float32 data where that is
        faster (at most N / 2 columns) and accurate (``1 <= t <= 10``) and no file is named. Single precision takes
        half the memory for K, and the value is within 1e-6 sqrt(N) bits of that in double precision for
        ``1 <= t <= 10``; outside, powers magnify what is rounded. Fewer than 256 rows are computed in double
        precision in any case.
    num_threads : int, optional
        Threads to use. By default ``RAYON_NUM_THREADS``, else ``OPENBLAS_NUM_THREADS``, else ``OMP_NUM_THREADS``,
        else the cores that the process may use.
    solver : {"exact", "stochastic"}, default "exact"
        ``"stochastic"`` estimates the entropy from products of K with vectors, to within ``tol``, or computes it
        where that costs less; :func:`diffusion_spectrum` tells the error as well. Set ``max_N=None`` to use all rows.
    tol : float, default 1e-3
        Bits, of an estimate: its standard error and what finite depth leaves, together.

    Returns
    -------
    float
        The entropy, between 0 and log2 N (up to a shift of p by machine epsilon, as in the reference).

    Raises
    ------
    ValueError
        For a value out of range, data that are not finite, and a file that is torn or was made from other data or
        with other parameters.
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
    Cost: 4/3 N^3 flops for the eigenvalues, N^2 D for the distances (twice, in single precision). Memory: N x N
    numbers of the precision and 15% more, and 16 N D bytes. Distances carry double precision in either case.

    DSE is not scale invariant: with distances far above ``gaussian_kernel_sigma`` it is log2 N, far below it is 0.

    A file that was written by this function carries a fingerprint of the data and of each parameter that shapes the
    spectrum; if it does not fit ``embedding_vectors``, that is an error. A file of the reference has none and is
    trusted. Eigenvalues are rounded to the precision of the file before the entropy is taken, so that the call that
    writes and the call that reads agree.

    References
    ----------
    Liao, Liu et al., "Assessing Neural Network Representations During Training Using Noise-Resilient Diffusion
    Spectral Entropy", arXiv 2312.04823, Definition 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectral_entropy
    >>> far_apart = 1000.0 * np.eye(8)
    >>> round(diffusion_spectral_entropy(far_apart), 6)
    3.0
    >>> abs(round(diffusion_spectral_entropy(np.ones((8, 3))), 6))
    0.0
    """
    sigma = as_positive(gaussian_kernel_sigma, "gaussian_kernel_sigma")
    time = as_nonnegative(t, "t")
    n_bins = as_count(num_bins_per_dim, "num_bins_per_dim")
    wanted = as_precision(precision)
    say = print if verbose else _silent
    source = _Source(embedding_vectors, max_N, random_seed)
    threads = as_threads(num_threads)
    file = _File(eigval_save_path, eigval_save_precision)
    measured = classic_shannon_entropy or matrix_entry_entropy
    request = familiar_request(solver, chebyshev_approx and file.path is None, tol, time, random_seed, measured)
    if measured:
        rows = source.rows()
        if classic_shannon_entropy:
            say("Computing Classic Shannon Entropy...")
            return _core.entropy(rows, Measure.binned_rows(n_bins), threads)
        say("Computing Diffusion Spectral Entropy...")
        say("Computing diffusion matrix and the entropy of its entries.")
        return _core.entropy(rows, Measure.matrix_entries(sigma), threads)
    say("Computing Diffusion Spectral Entropy...")
    chosen = core_precision(wanted, source.all_rows, [time], stored=file.path is not None)
    spectrum = _diffusion_spectrum("diffusion matrix", sigma, chosen)
    if request is not None:
        return spectrum.estimate(request, source, file, threads, say, time)
    return _core.spectral_entropy(spectrum.eigenvalues(source, file, threads, say), time)


def adjacency_spectral_entropy(
    embedding_vectors: ArrayLike | None,
    gaussian_kernel_sigma: float = 10,
    anisotropic: bool = False,
    use_knn: bool = False,
    knn: int = 10,
    max_N: int | None = 10000,
    eigval_save_path: str | os.PathLike[str] | None = None,
    eigval_save_precision: DTypeLike = np.float16,
    random_seed: int | None = 0,
    verbose: bool = False,
    *,
    precision: str = "auto",
    num_threads: int | None = None,
    solver: str = "exact",
    tol: float = 1e-3,
) -> float:
    r"""Adjacency spectral entropy (ASE) of a data set, in bits.

    The entropy of :math:`p_i = |\lambda_i| / \sum_j |\lambda_j|`, with :math:`\lambda` the eigenvalues of the
    Gaussian affinity G, of K (``anisotropic=True``: equal to the DSE at t = 1), or of the graph of nearest
    neighbours (``use_knn=True``).

    Parameters
    ----------
    embedding_vectors : array_like of shape (N, D)
        The data: anything that NumPy can make an array of, or a torch tensor. May be None where
        ``eigval_save_path`` names an existing file.
    gaussian_kernel_sigma : float, default 10
        Bandwidth of the Gaussian affinity, in units of the data.
    anisotropic : bool, default False
        Normalise the Gaussian affinity by its row sums.
    use_knn : bool, default False
        Use the graph A of nearest neighbours: A_ij = 1 where the distance of rows i and j is at most the
        ``knn``-th smallest of row i, ties kept.
    knn : int, default 10
        Number of neighbours, the row itself counted; in 1..N.
    max_N : int or None, default 10000
        Where there are more rows, a random subset of this size is used. None is no limit.
    eigval_save_path : path, optional
        File of eigenvalues under exactly this name: read if it exists, else written. See
        :func:`diffusion_spectral_entropy`. For the graph of neighbours it holds the moduli.
    eigval_save_precision : dtype, default numpy.float16
        Floating dtype to which the eigenvalues in the file are rounded.
    random_seed : int or None, default 0
        Seed of the random subset. None draws from Python's global generator.
    verbose : bool, default False
        Print the stages.
    precision : {"auto", "single", "double"}, default "auto"
        That of the eigenvalues where ``anisotropic=True``; see :func:`diffusion_spectral_entropy`. Those of the
        affinity itself and of the graph are computed in double precision always.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    solver, tol
        See :func:`diffusion_spectral_entropy`; the graph of neighbours is not symmetric, and has no estimate.

    Returns
    -------
    float
        The entropy, between 0 and log2 N.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As in :func:`diffusion_spectral_entropy`.

    Notes
    -----
    Cost: 4/3 N^3 flops for the eigenvalues of G or K. A is not symmetric: about 10 N^3 flops, on one thread, because
    its eigenvalues are ill conditioned and would depend on the number of threads. Rounding in another order, such as
    that of permuted rows, moves the value by up to 1e-6 bits for ``knn >= 8`` and 2e-3 below, and by more, up to
    1e-2, where there are few rows (N < 40) or the data are close to a line.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823; its implementation defines the adjacency variants.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import adjacency_spectral_entropy
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(adjacency_spectral_entropy(X, use_knn=True, knn=1), 3)  # each its own neighbour: log2 50
    5.644
    """
    say = print if verbose else _silent
    sigma = as_positive(gaussian_kernel_sigma, "gaussian_kernel_sigma")
    wanted = as_precision(precision)
    source = _Source(embedding_vectors, max_N, random_seed)
    n_neighbors = as_count(knn, "knn", n_rows=source.n_used if use_knn else None)
    file = _File(eigval_save_path, eigval_save_precision)
    chosen = core_precision(wanted, source.all_rows, [1.0], stored=file.path is not None)
    spectrum = _adjacency_spectrum(sigma, anisotropic, use_knn, n_neighbors, chosen)
    threads = as_threads(num_threads)
    request = familiar_request(solver, False, tol, 1.0, random_seed)
    if request is not None:
        if use_knn:
            raise ValueError("solver must be 'exact' where use_knn=True: the graph is not symmetric")
        return spectrum.estimate(request, source, file, threads, say, 1.0)
    return _core.spectral_entropy(spectrum.eigenvalues(source, file, threads, say), 1.0)


CorePrecision: TypeAlias = Literal["single", "double", "fastest"]
"""A precision by its name in the core."""


def core_precision(
    precision: Precision,
    rows: NDArray[Any] | None,
    times: Iterable[float],
    orders: Iterable[float] = (1.0,),
    *,
    stored: bool = False,
) -> CorePrecision:
    """The precision that the core computes in: with "auto", float32 data take the fastest where it is accurate."""
    if precision != "auto":
        return precision
    accurate = all(1 <= t <= 10 for t in times) and all(1 <= order <= 2 for order in orders) and not stored
    return "fastest" if accurate and rows is not None and rows.dtype == np.float32 else "double"


def familiar_entropy(solution: Solution, t: float) -> float:
    """Bits at t; of eigenvalues, shifted as the reference shifts it."""
    if solution.estimate is None:
        return _core.spectral_entropy(solution.eigenvalues, t)
    return float(bits_of(solution, [t], [1.0])[0][0, 0])


def familiar_request(
    solver: Any, chebyshev_approx: Any, tol: Any, t: float, random_seed: Any, measured: bool = False
) -> Request | None:
    """What is asked of an estimate, if one is asked for; what is ``measured`` is not read off a spectrum."""
    wanted = is_stochastic(solver)
    if wanted and measured:
        raise ValueError("solver must be 'exact' where the entropy is not read off a spectrum")
    if measured or not (wanted or chebyshev_approx):
        return None
    return Request.of(tol, [t] if t > 0 else NO_TIMES, 1, None, "auto", None, as_seed(random_seed, "random_seed"))


def _silent(text: str) -> None:
    """Print nothing."""


def _diffusion_spectrum(title: str, sigma: float, precision: CorePrecision) -> _FiledOperator:
    parameters: _eigenvalue_file.Fingerprint = {"operator": "diffusion", "gaussian_kernel_sigma": sigma}
    if precision == "single":  # asked for; where nothing is said, files are in double precision
        parameters["precision"] = precision
    return _FiledOperator(title, OperatorSpec.diffusion(sigma, 0.0, precision), parameters)


def _adjacency_spectrum(
    sigma: float, anisotropic: bool, use_knn: bool, knn: int, precision: CorePrecision
) -> _FiledOperator:
    if use_knn:
        operator = OperatorSpec.neighbor_graph(knn, None)
        return _FiledOperator("adjacency matrix", operator, {"operator": "neighbor_graph", "knn": knn})
    if anisotropic:
        return _diffusion_spectrum("adjacency matrix", sigma, precision)
    # The affinity of the paper has a factor that no entropy sees; the file has it, as the reference's has.
    factor = 1 / (sigma * math.sqrt(2 * math.pi))
    parameters: _eigenvalue_file.Fingerprint = {"operator": "affinity", "gaussian_kernel_sigma": sigma}
    return _FiledOperator("adjacency matrix", OperatorSpec.affinity(sigma), parameters, factor)


class _Source:
    """The data as given, and the rows of them that are used."""

    def __init__(self, embedding_vectors: Any, max_N: Any, random_seed: Any) -> None:
        self.max_N = as_limit(max_N, "max_N")
        self.seed = as_seed(random_seed, "random_seed")
        self.all_rows: Rows | None = None
        if embedding_vectors is not None:
            self.all_rows = as_rows(embedding_vectors, "embedding_vectors")

    @property
    def n_used(self) -> int | None:
        """How many rows are used; None where there are no data."""
        return None if self.all_rows is None else min(len(self.all_rows), self.max_N or len(self.all_rows))

    def rows(self) -> Rows:
        """The rows that are used."""
        if self.all_rows is None:
            raise ValueError("embedding_vectors must be given, got None, and no file of eigenvalues to read")
        n = len(self.all_rows)
        if self.max_N is None or n <= self.max_N:
            return self.all_rows
        chosen: Rows = self.all_rows[_subsample.draw(n, self.max_N, self.seed)]
        return chosen

    def fingerprint(self) -> _eigenvalue_file.Fingerprint | None:
        """What a file says about where its data come from."""
        if self.all_rows is None:
            return None
        subset = self.max_N is not None and len(self.all_rows) > self.max_N
        return {
            "data": digest(self.all_rows),
            "max_N": self.max_N if subset else None,
            "random_seed": self.seed if subset else None,
        }


class _File:
    """Where eigenvalues are kept, if anywhere, and in what precision."""

    def __init__(self, eigval_save_path: Any, eigval_save_precision: Any) -> None:
        self.path = None if eigval_save_path is None else as_path(eigval_save_path, "eigval_save_path")
        self.precision = as_floating_dtype(eigval_save_precision, "eigval_save_precision")

    def __str__(self) -> str:
        return str(self.path).encode("utf-8", "backslashreplace").decode()  # any name can be printed


class _FiledOperator:
    """An operator, what it is called, and what its file says of it."""

    def __init__(
        self, title: str, operator: OperatorSpec, parameters: _eigenvalue_file.Fingerprint, factor: float = 1.0
    ) -> None:
        self.title = title
        self.operator = operator
        self.parameters = parameters
        self.factor = factor

    def estimate(
        self, request: Request, source: _Source, file: _File, threads: int | None, say: Any, t: float
    ) -> float:
        """The entropy at t by an estimate, or as the exact way has it where that costs less."""
        if file.path is not None:
            raise ValueError("solver must be 'exact' where eigval_save_path is given: an estimate has no eigenvalues")
        rows = source.rows()
        say(f"Estimating the spectrum of the {self.title}.")
        solution = _core.estimate_spectrum(rows, "euclidean", self.operator, request.core(), num_threads=threads)
        request.warn_if_missed([solution], stacklevel=4)
        return familiar_entropy(solution, t)

    def eigenvalues(self, source: _Source, file: _File, threads: int | None, say: Any) -> NDArray[np.float64]:
        """From the file if it exists; else computed, rounded to the file's precision, and written."""
        if file.path is not None and os.path.exists(file.path):
            say(f"Loading pre-computed eigenvalues from {file}")
            fingerprint = source.fingerprint()
            expected = None if fingerprint is None else {**self.parameters, **fingerprint}
            values = _eigenvalue_file.load(file.path, expected)
            say("Pre-computed eigenvalues loaded.")
            return values
        rows = source.rows()
        say(f"Computing {self.title} and its eigenvalues.")
        values = _core.eigenvalues(rows, "euclidean", self.operator, threads)
        say("Eigenvalues computed.")
        if file.path is None:
            return values
        rounded = _eigenvalue_file.round_to(values * self.factor, file.precision)
        _eigenvalue_file.save(file.path, rounded, {**self.parameters, **(source.fingerprint() or {})})
        say(f"Eigenvalues saved to {file}")
        return rounded.astype(np.float64)
