"""The two entropies of dse-dsmi: of the spectrum of a diffusion operator, and of an adjacency matrix.

    p_i = |lambda_i|^t / sum_j |lambda_j|^t,    H = -sum_i p_i log2 p_i

(Liao, Liu et al., arXiv 2312.04823, Definition 3.1). Arguments, defaults, printed stages and files are those of the
reference. Cost: 4/3 N^3 flops for the eigenvalues.
"""

from __future__ import annotations

import math
import os
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from dsentropy import _core
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.scalars import (
    Precision,
    RandomState,
    as_count,
    as_flag,
    as_nonnegative,
    as_positive,
    as_precision,
    as_threads,
)
from dsentropy._core import Measure
from dsentropy._operator.precision import core_precision
from dsentropy._reference.eigenvalue_cache import EigenvalueFile
from dsentropy._reference.operators import adjacency_operator, diffusion_operator
from dsentropy._reference.rows import ReferenceRows
from dsentropy._reference.saturation import SaturationCheck
from dsentropy._reference.solver import SMALLER_MAX_N, reference_options, require_spectrum, spectral_entropy


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
    random_seed: RandomState = 0,
    verbose: bool = False,
    *,
    precision: Precision = "auto",
    num_threads: int | None = None,
    solver: Literal["exact", "stochastic"] = "exact",
    tol: float = 1e-3,
) -> float:
    r"""Compute the diffusion spectral entropy (DSE) of a data set, in bits.

    With G the Gaussian affinity of the rows and D the diagonal matrix of its row sums,

    .. math::

        K = D^{-1/2} G D^{-1/2}, \qquad p_i = |\lambda_i(K)|^t / \sum_j |\lambda_j(K)|^t, \qquad
        H = -\sum_i p_i \log_2 p_i .

    Parameters
    ----------
    embedding_vectors : array_like of shape (N, D)
        The data: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`. May be None where ``eigval_save_path`` names an existing
        file.
    gaussian_kernel_sigma : float, default 10
        Bandwidth of the Gaussian affinity, in units of the data. The entropy depends on it: see Notes.
    t : float, default 1
        Diffusion time, at least 0.
    max_N : int or None, default 10000
        Where there are more rows, a random subset of this size is used, with a warning. None is no limit.
    chebyshev_approx : bool, default False
        Equal to ``solver="stochastic"``, where no file of eigenvalues is named. The reference's approximation by
        Chebyshev polynomials has no stated error; this one has.
    eigval_save_path : path, optional
        File of eigenvalues under exactly this name; ``~`` is the home folder. If it exists it is read in place of the
        decomposition, if not it is written; a file that cannot be written is an error before the decomposition. See
        Notes.
    eigval_save_precision : dtype, default numpy.float16
        Floating dtype to which the eigenvalues in the file are rounded.
    classic_shannon_entropy : bool, default False
        Return the Shannon entropy of binned rows instead (and use no file).
    matrix_entry_entropy : bool, default False
        Return the entropy of the entries of the row-normalised K instead (and use neither ``t`` nor a file).
    num_bins_per_dim : int, default 2
        Bins a column of the classic Shannon entropy, at most 2^63 - 1. They take no memory.
    random_seed : int, Generator, RandomState or None, default 0
        Seed of the random subset. A generator of NumPy gives one integer as the seed, and its state moves on.
        None draws from Python's global generator.
    verbose : bool, default False
        Print the stages.
    precision : {"auto", "single", "double"}, default "auto"
        Precision in which K is stored and decomposed. ``"auto"`` is double precision, and single for float32 data
        where that is faster (at most N / 2 columns) and accurate (``1 <= t <= 10``) and no file is named. Single
        precision takes half the memory for K, and the value is within 1e-6 sqrt(N) bits of that in double precision
        for ``1 <= t <= 10``; outside, powers magnify rounding. Fewer than 256 rows are computed in double precision
        in any case.
    num_threads : int, optional
        Threads to use. By default ``RAYON_NUM_THREADS``, else ``OPENBLAS_NUM_THREADS``, else ``OMP_NUM_THREADS``,
        else the cores that the process may use.
    solver : {"exact", "stochastic"}, default "exact"
        ``"stochastic"`` estimates the entropy from matrix-vector products with K, to within ``tol``, or computes it
        where that costs less; :func:`diffusion_spectrum` returns the uncertainty as well. Set ``max_N=None`` to use
        all rows.
    tol : float, default 1e-3
        Largest uncertainty of an estimate, in bits: standard error and truncation bounds together.

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
    SaturationWarning
        Where the entropy is within 2% of 0 or of log2 N, with the direction in which to move
        ``gaussian_kernel_sigma``. With ``matrix_entry_entropy`` the mean entropy of a row of K counts; with
        ``classic_shannon_entropy``, which has no bandwidth, there is no warning.
    SubsetWarning
        Where there are more than ``max_N`` rows.
    ToleranceWarning
        Where an estimate did not converge to ``tol``.

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
    >>> groups = np.repeat(1000.0 * np.eye(4), 2, axis=0)  # four groups of two equal rows
    >>> round(diffusion_spectral_entropy(groups), 6)
    2.0
    """
    sigma = as_positive(gaussian_kernel_sigma, "gaussian_kernel_sigma")
    time = as_nonnegative(t, "t")
    n_bins = as_count(num_bins_per_dim, "num_bins_per_dim")
    chosen = as_precision(precision)
    say = print if as_flag(verbose, "verbose") else _silent
    approximate = as_flag(chebyshev_approx, "chebyshev_approx")
    classic = as_flag(classic_shannon_entropy, "classic_shannon_entropy")
    measured = as_flag(matrix_entry_entropy, "matrix_entry_entropy") or classic
    threads = as_threads(num_threads)
    require_spectrum(solver, measured)
    rows = ReferenceRows(embedding_vectors, max_N, random_seed)
    file = EigenvalueFile(eigval_save_path, eigval_save_precision)
    options = reference_options(solver, approximate and file.path is None and not measured, tol, time, rows.seed)
    if measured:
        used = rows.used()
        say(f"Computing {'Classic Shannon' if classic else 'Diffusion Spectral'} Entropy...")
        measure = Measure.binned_rows(n_bins)
        if not classic:
            say("Computing diffusion matrix and the entropy of its entries.")
            measure = Measure.matrix_entries(sigma)
        with memory_errors(SMALLER_MAX_N):
            entropy = _core.entropy(used, measure, threads)
        if not classic:
            SaturationCheck(sigma, None, entries=True).warn(entropy, math.log2(len(used)), used)
        return entropy
    say("Computing Diffusion Spectral Entropy...")
    stored = core_precision(chosen, rows.given, [time], stored=file.path is not None)
    operator = diffusion_operator("diffusion matrix", sigma, stored)
    return spectral_entropy(operator, rows, file, options, time, threads, say, SaturationCheck(sigma, time))


def adjacency_spectral_entropy(
    embedding_vectors: ArrayLike | None,
    gaussian_kernel_sigma: float = 10,
    anisotropic: bool = False,
    use_knn: bool = False,
    knn: int = 10,
    max_N: int | None = 10000,
    eigval_save_path: str | os.PathLike[str] | None = None,
    eigval_save_precision: DTypeLike = np.float16,
    random_seed: RandomState = 0,
    verbose: bool = False,
    *,
    precision: Precision = "auto",
    num_threads: int | None = None,
    solver: Literal["exact", "stochastic"] = "exact",
    tol: float = 1e-3,
) -> float:
    r"""Compute the adjacency spectral entropy (ASE) of a data set, in bits.

    .. math::

        H = -\sum_i p_i \log_2 p_i, \qquad p_i = |\lambda_i| / \sum_j |\lambda_j|,

    with :math:`\lambda` the eigenvalues of the Gaussian affinity G, of K (``anisotropic=True``: equal to the DSE at
    t = 1), or of the graph of nearest neighbours (``use_knn=True``).

    Parameters
    ----------
    embedding_vectors : array_like of shape (N, D)
        The data: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`. May be None where ``eigval_save_path`` names an existing
        file.
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
        Where there are more rows, a random subset of this size is used, with a warning. None is no limit.
    eigval_save_path : path, optional
        File of eigenvalues under exactly this name: read if it exists, else written. See
        :func:`diffusion_spectral_entropy`. For the graph of neighbours it holds the moduli.
    eigval_save_precision : dtype, default numpy.float16
        Floating dtype to which the eigenvalues in the file are rounded.
    random_seed : int, Generator, RandomState or None, default 0
        Seed of the random subset. A generator of NumPy gives one integer as the seed, and its state moves on.
        None draws from Python's global generator.
    verbose : bool, default False
        Print the stages.
    precision : {"auto", "single", "double"}, default "auto"
        Precision of the eigenvalues where ``anisotropic=True``; see :func:`diffusion_spectral_entropy`. Eigenvalues
        of the affinity itself and of the graph are always computed in double precision.
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
        See :func:`diffusion_spectral_entropy`.

    Warns
    -----
    SaturationWarning
        Where the entropy is within 2% of 0 or of log2 N; not with ``use_knn``, which has no bandwidth.
    SubsetWarning
        Where there are more than ``max_N`` rows.
    ToleranceWarning
        Where an estimate is not within ``tol``.

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
    say = print if as_flag(verbose, "verbose") else _silent
    sigma = as_positive(gaussian_kernel_sigma, "gaussian_kernel_sigma")
    chosen, threads = as_precision(precision), as_threads(num_threads)
    of_graph, normalized = as_flag(use_knn, "use_knn"), as_flag(anisotropic, "anisotropic")
    rows = ReferenceRows(embedding_vectors, max_N, random_seed)
    n_neighbors = as_count(knn, "knn", n_rows=rows.n_used if of_graph else None)
    file = EigenvalueFile(eigval_save_path, eigval_save_precision)
    stored = core_precision(chosen, rows.given, [1.0], stored=file.path is not None)
    operator = adjacency_operator(sigma, normalized, n_neighbors if of_graph else None, stored)
    options = reference_options(solver, False, tol, 1.0, rows.seed)
    if options is not None and of_graph:
        raise ValueError("solver must be 'exact' where use_knn=True: the graph is not symmetric")
    check = None if of_graph else SaturationCheck(sigma, None)
    return spectral_entropy(operator, rows, file, options, 1.0, threads, say, check)


def _silent(text: str) -> None:
    """Print nothing."""
