"""The spectrum of a kernel matrix that is given.

Any symmetric, positive semi-definite matrix has one. The entropy of ``K / tr K`` is its von Neumann entropy, and two
to its power the Vendi score (Friedman & Dieng, arXiv 2210.02410). Cost: 4/3 N^3 flops.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.memory import memory_errors
from dsentropy._checks.pairs import as_pairs
from dsentropy._checks.progress import as_progress
from dsentropy._checks.scalars import RandomState, as_seed, as_threads
from dsentropy._data.data import Data
from dsentropy._data.row_weights import WeightedMultiplier, as_row_weights, weighted_matrix
from dsentropy._operator.kernel_operator import KernelMatrix
from dsentropy._operator.linear_operators import LinearOperator, SparseMatrix, as_operator, is_operator
from dsentropy._spectrum.problem import Problem, solve
from dsentropy._spectrum.solver import Stochastic, require_default_storage, resolve_solver
from dsentropy._spectrum.spectrum import Spectrum
from dsentropy._spectrum.ways_out import ways_out


def kernel_spectrum(
    K: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
) -> Spectrum:
    r"""Compute or estimate the spectrum of a kernel matrix: of any symmetric, positive semi-definite matrix.

    At t = 1 its entropy is the von Neumann entropy of :math:`K / \mathrm{tr} K`, its effective rank the Vendi score.

    Parameters
    ----------
    K : array_like of shape (N, N)
        Symmetric up to the rounding of its dtype: entries on and above the diagonal are used. Also a sparse matrix of
        SciPy, of which the mean with its transpose is used, or an object with ``shape`` and ``matmat`` such as its
        LinearOperator, which may state the ``rounding`` of its products (docs/operators.md). The dtype says how far
        entries are rounded: give a kernel that was computed in float32 or float16 in that dtype, not converted to
        float64.
    weights : array_like of shape (N,), optional
        How many rows each row counts as, positive: the spectrum is that of :math:`W^{1/2} K W^{1/2}`, W their
        diagonal matrix. A row of weight 2 has the nonzero eigenvalues of a kernel in which it occurs twice. The
        entropies at t > 0 do not depend on the scale of the weights.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the signs of an estimate. A generator of NumPy gives one integer as the seed, and its state moves
        on. None draws one from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    progress : bool, default False
        Show a progress bar with the time left: of an estimate in matrix-vector products, done of those expected, with
        the uncertainty in bits. Needs tqdm.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"exact"`` computes all eigenvalues. ``"stochastic"`` estimates the spectrum; :class:`Stochastic` has the
        options. An object's trace is not known, so an estimate of its spectrum takes more products than that of a
        matrix.

    Returns
    -------
    Spectrum
        N eigenvalues; an :class:`EstimatedSpectrum` where it is estimated. For every kind of K and every solver,
        those that are rounding are 0: negative ones, down to 1e-5 of the largest or :math:`8 \sqrt{N} u` of it, and
        positive ones up to N eps of the largest. Of K in float32, float16 or bfloat16, of unit roundoff u, positive
        ones are rounding up to twice the modulus of the most negative one, at most :math:`2 u \lVert K \rVert_F`, and
        up to the size of random errors, at most :math:`2 u \lVert K \rVert_F / \sqrt{N}`. Eigenvalues as small that
        are real cannot be distinguished from errors, and are 0 too. An object has the roundoff of its ``dtype``, of
        its products, or half of its ``rounding``, whichever is largest. The bounds of an estimate include rounding.
        Where that alone takes the tolerance, as of half types, the exact solver is used if it fits into memory.

    Raises
    ------
    ValueError
        For a matrix that is not square, not finite, not symmetric, zero, or has a negative eigenvalue below that.
    TypeError, MemoryError
        See :func:`diffusion_spectrum`.

    Warns
    -----
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    Cost: 4/3 N^3 flops, and N products where K is an object. Memory: N x N numbers of float64 and 15% more; with
    weights one N x N matrix more.

    With weights there are N eigenvalues all the same, one for each row that is given: copies of a row would only add
    zeros, which count at t = 0 alone. So the maximum of the entropy is log2 of the rows that are given.
    :class:`Stochastic` has the cost of an estimate.

    References
    ----------
    Friedman & Dieng, "The Vendi Score: A Diversity Evaluation Metric for Machine Learning", arXiv 2210.02410;
    Sanchez Giraldo, Rao & Principe, "Measures of entropy from data using infinitely divisible kernels", arXiv
    1211.2459, for joint kernels.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import kernel_spectrum
    >>> kernel_spectrum(np.eye(4)).effective_rank()
    4.0

    A joint kernel of two views of the same rows is the product of theirs, entry by entry: its entropy is their joint
    entropy, and the sum of both less it a mutual information (Sanchez Giraldo et al.).

    >>> kernels = [np.kron(np.eye(2), np.ones((2, 2))), np.kron(np.ones((2, 2)), np.eye(2))]
    >>> [kernel_spectrum(K).entropy() for K in (*kernels, kernels[0] * kernels[1])]
    [1.0, 1.0, 2.0]
    """
    threads, shown = as_threads(num_threads), as_progress(progress)
    options = resolve_solver(solver, as_seed(random_state, "random_state"))
    ways = ways_out(options, "a kernel of fewer rows", has_storage=not is_operator(K))
    with memory_errors(*ways):
        if is_operator(K):
            require_default_storage(options, "K is an operator, which is multiplied as it is")
            return solve(_of_operator(K, weights), options, threads, shown)
        return solve(_of_matrix(K, weights), options, threads, shown)


def _of_operator(K: Any, weights: Any) -> Problem:
    """Make the problem of a sparse matrix or an object that multiplies."""
    source = as_operator(K, "K", affinities=False)
    each = as_row_weights(weights, source.n_samples)
    weighted = source
    if each is not None and isinstance(source, SparseMatrix):
        weighted = source.weighted(each)
    elif each is not None:
        weighted = as_operator(WeightedMultiplier(K, each), "K", affinities=False)
    operator = LinearOperator(weighted, positive=True, name="K")
    return Problem(operator, source.n_samples, _parameters(each), source.fingerprint)


def _of_matrix(K: Any, weights: Any) -> Problem:
    """Make the problem of a matrix [N, N]."""
    pairs = as_pairs(K, "K")
    data = Data(pairs.matrix, "affinity", pairs.given)
    each = as_row_weights(weights, data.n_samples)
    matrix = pairs.matrix if each is None else weighted_matrix(pairs.matrix, each)
    kernel = KernelMatrix(matrix, "K", pairs.unit_roundoff)
    return Problem(kernel, data.n_samples, _parameters(each), data.fingerprint)


def _parameters(weights: NDArray[np.float64] | None) -> dict[str, Any]:
    return {"operator": "kernel", **({} if weights is None else {"weights": weights})}
