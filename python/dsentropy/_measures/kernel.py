"""The spectrum of a kernel matrix that is given.

Any symmetric, positive semi-definite matrix has one. The entropy of ``K / tr K`` is its von Neumann entropy, and two
to its power the Vendi score (Friedman & Dieng, arXiv 2210.02410). Cost: 4/3 N^3 flops.
"""

from __future__ import annotations

from typing import Literal

from numpy.typing import ArrayLike

from dsentropy._checks.memory import memory_errors
from dsentropy._checks.pairs import as_pairs
from dsentropy._checks.progress import as_progress
from dsentropy._checks.scalars import RandomState, as_seed, as_threads
from dsentropy._data.data import Data
from dsentropy._operator.kernel_operator import KernelMatrix
from dsentropy._operator.linear_operators import LinearOperator, as_operator, is_operator
from dsentropy._spectrum.problem import Problem, solve
from dsentropy._spectrum.solver import Stochastic, require_default_storage, resolve_solver
from dsentropy._spectrum.spectrum import Spectrum
from dsentropy._spectrum.ways_out import ways_out


def kernel_spectrum(
    K: ArrayLike,
    *,
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
        LinearOperator. The dtype says how far entries are rounded: give a kernel that was computed in float32 or
        float16 in that dtype, not converted to float64.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the signs of an estimate. A generator of NumPy gives one integer as the seed, and its state moves
        on. None draws one from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    progress : bool, default False
        Show a progress bar. Needs tqdm.
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
        are real cannot be distinguished from errors, and are 0 too. An object has the roundoff of its ``dtype`` or of
        its products, whichever is larger. The bounds of an estimate include rounding. Where that alone takes the
        tolerance, as of half types, the exact solver is used if it fits into memory.

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
    Cost: 4/3 N^3 flops, and N products where K is an object. Memory: N x N numbers of float64 and 15% more.
    :class:`Stochastic` has the cost of an estimate.

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
    threads, shown = as_threads(num_threads), as_progress(progress)
    options = resolve_solver(solver, as_seed(random_state, "random_state"))
    parameters = {"operator": "kernel"}
    ways = ways_out(options, "a kernel of fewer rows", has_storage=not is_operator(K))
    with memory_errors(*ways):
        if is_operator(K):
            require_default_storage(options, "K is an operator, which is multiplied as it is")
            source = as_operator(K, "K", affinities=False)
            operator = LinearOperator(source, positive=True, name="K")
            return solve(Problem(operator, source.n_samples, parameters, source.fingerprint), options, threads, shown)
        pairs = as_pairs(K, "K")
        data = Data(pairs.matrix, "affinity", pairs.given)
        kernel = KernelMatrix(pairs.matrix, "K", pairs.unit_roundoff)
        problem = Problem(kernel, data.n_samples, parameters, data.fingerprint)
        return solve(problem, options, threads, shown)
