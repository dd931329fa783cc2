"""The spectrum of the covariance of the columns, or of their second moments where rows are not centred.

The covariance is ``X_c^T X_c / (N - 1)``, with X_c the centred rows, and its eigenvalues are the variances along the
principal axes; the second moments are ``X^T X / N``. Cost: 2 N D min(N, D) flops, and 4/3 min(N, D)^3 for the
eigenvalues; 2 N D^2 and 4/3 D^3 where rows come in blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.arrays import as_rows
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.pairs import F64_ROUNDOFF, unit_roundoff
from dsentropy._checks.scalars import RandomState, as_flag, as_limit, as_seed, as_threads
from dsentropy._checks.unused import require_unused
from dsentropy._data.data import Data
from dsentropy._data.moments import Moments
from dsentropy._data.row_blocks import are_blocks, checked_blocks, joined_blocks
from dsentropy._operator.dask_affinity import is_dask_array
from dsentropy._spectrum.problem import selected_rows
from dsentropy._spectrum.rounding import without_rounding
from dsentropy._spectrum.spectrum import Spectrum


def covariance_spectrum(
    X: ArrayLike | Iterable[ArrayLike],
    *,
    center: bool = True,
    max_samples: int | None = None,
    random_state: RandomState = 0,
    num_threads: int | None = None,
) -> Spectrum:
    r"""Compute the spectrum of the covariance of the columns, or of their second moments.

    .. math::

        C = \frac{X_c^T X_c}{N - 1}, \quad X_c \text{ the centred rows;} \qquad
        M = \frac{X^T X}{N} \quad \text{with } \texttt{center=False.}

    Linear measures of dimension are read from it, to compare with the diffusion spectral entropy: the participation
    ratio at t = 1; at t = 1/2, where the eigenvalues become singular values, the effective rank of Roy & Vetterli,
    which is RankMe with ``center=False``.

    Parameters
    ----------
    X : array_like of shape (N, D), or iterable of array_like of shape (n, D)
        The data: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`. Or the rows in blocks: whatever can only be iterated, such
        as a generator or a data loader that yields rows alone, a list of two-dimensional arrays, or a
        ``dask.array``. Each block is checked as an array is, and is read once, so that N need not be known and the
        rows need not fit into memory. Errors call block i ``X[i]``.
    center : bool, default True
        Whether the mean row is taken off. Without it a mean far from the origin is the largest eigenvalue.
    max_samples : int, optional
        Where there are more rows, a random subset of this size is used. Refused where X is an iterable of blocks; a
        ``dask.array`` is made one array for it.
    random_state : int, Generator, RandomState or None, default 0
        Seed of random subsets. A generator of NumPy gives one integer as the seed, and its state moves on. None
        draws from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.

    Returns
    -------
    Spectrum
        D eigenvalues, variances along the principal axes (about the origin where rows are not centred), in squared
        units of the data. They are computed in float64 whatever the dtype of ``X``. Their error is 1e-16 of the
        largest, so singular values below 1e-8 of the largest are rounding, and so are those up to
        :math:`u \lVert X \rVert_F` of rows that are given in float32, float16 or bfloat16, of unit roundoff u. Both
        are 0. Spectra of blocks agree to rounding, and have no fingerprint.

    Raises
    ------
    ValueError
        Where all rows are equal (without centring: zero) or no square is in the range of float64, for blocks of
        unequally many columns or without rows; and see :func:`diffusion_spectrum`.
    TypeError, MemoryError
        See :func:`diffusion_spectrum`.

    Notes
    -----
    Cost: 2 N D min(N, D) flops, and 4/3 min(N, D)^3 for the eigenvalues. Memory: 16 N D bytes, min(N, D)^2 numbers.

    Of blocks, number, mean and scatter are kept and merged (Chan, Golub & LeVeque), in float64 and in one pass. Cost:
    2 N D^2 flops, and 4/3 D^3 for the eigenvalues. Memory: four D x D matrices and one block, whatever N is. Where
    there are fewer rows than columns, one array of them is cheaper. Blocks of a ``dask.array`` are summed by its
    scheduler, one thread each.

    References
    ----------
    Chan, Golub & LeVeque, "Algorithms for computing the sample variance", The American Statistician 37 (1983),
    doi:10.1080/00031305.1983.10483115; Roy & Vetterli, "The effective rank", EUSIPCO 2007; Garrido et al., "RankMe",
    arXiv 2210.02885; Gao et al., "A theory of multineuronal dimensionality, dynamics and measurement", bioRxiv 214262
    (participation ratio).

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import covariance_spectrum
    >>> X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(covariance_spectrum(X).participation_ratio(), 6)
    2.0
    >>> covariance_spectrum(X[i : i + 2] for i in range(0, 4, 2)).n_samples
    4
    >>> RankMe = covariance_spectrum(X + 5, center=False).effective_rank(t=0.5)
    """
    threads, seed = as_threads(num_threads), as_seed(random_state, "random_state")
    centred = as_flag(center, "center")
    limit = as_limit(max_samples, "max_samples")
    about = {"operator": "covariance", "metric": "euclidean", **({} if centred else {"center": False})}
    with memory_errors("fewer columns of X"):
        if are_blocks(X):
            require_unused(limit, "max_samples", "X is an iterable of blocks, whose number of rows is not known")
            return _of_moments(_moments_of_blocks(X, threads), centred, about, threads)
        if limit is None and is_dask_array(X) and getattr(X, "ndim", 0) == 2 and hasattr(X, "rechunk"):
            return _of_moments(_moments_of_dask(X), centred, about, threads)
    used, _, subset = selected_rows(X, "euclidean", limit, seed)
    _require_moments(centred, bool((used.rows == used.rows[0]).all()), bool(used.rows.any()))
    with memory_errors("fewer rows, max_samples=...", "fewer columns of X"):
        eigenvalues = _core.covariance_eigenvalues(used.rows, centred, threads)
    _require_scale(eigenvalues, float(np.abs(used.rows).max()))
    return Spectrum(
        _without_rounding(eigenvalues, _rounding_of_rows(used, centred)),
        n_samples=used.n_samples,
        parameters={**about, **subset, "solver": "exact"},
        fingerprint=used.fingerprint(),
    )


def _moments_of_blocks(blocks: Any, num_threads: int | None) -> Moments:
    """Read an iterable of blocks once, and merge their moments."""
    found: Moments | None = None
    for rows, roundoff in joined_blocks(checked_blocks(blocks, "X")):
        moments = Moments.of(rows, roundoff, num_threads)
        found = moments if found is None else found.merged(moments)
    assert found is not None  # checked_blocks yields a block or raises
    return found


def _moments_of_dask(X: Any) -> Moments:
    """Merge the moments of the chunks of a dask array in pairs, pairs of pairs and so on, where they are."""
    import dask

    if len(X.chunks[1]) > 1:
        X = X.rechunk({1: -1})
    tasks = [dask.delayed(_moments_of_chunk)(part) for part in X.to_delayed().ravel().tolist()]
    while len(tasks) > 1:
        pairs = [tasks[i : i + 2] for i in range(0, len(tasks), 2)]
        tasks = [dask.delayed(_merged)(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    found: Moments | None = dask.compute(tasks[0])[0]
    if found is None:
        raise ValueError(f"X must have at least one row and one column, got shape {X.shape}")
    return found


def _moments_of_chunk(part: Any) -> Moments | None:
    """Compute the moments of a chunk, None of one without rows, on one thread: the scheduler has the others."""
    return Moments.of(as_rows(part, "X"), unit_roundoff(part), 1) if len(part) else None


def _merged(one: Moments | None, other: Moments | None) -> Moments | None:
    if one is None or other is None:
        return other if one is None else one
    return one.merged(other)


def _of_moments(moments: Moments, centred: bool, about: dict[str, Any], num_threads: int | None) -> Spectrum:
    """Make the spectrum of rows of which the moments are known."""
    _require_moments(centred, moments.all_equal, bool(moments.largest))
    n, unit = moments.n_samples, 2 * moments.exponent
    matrix = moments.second_moments(centred=centred)
    eigenvalues = np.maximum(_core.symmetric_eigenvalues(matrix, num_threads)[::-1], 0)
    divisor = n - 1 if centred else n
    eigenvalues[divisor:] = 0  # the rank is at most this, and all others are rounding
    floor = 0.0
    if moments.unit_roundoff > F64_ROUNDOFF:
        floor = moments.unit_roundoff**2 * moments.squared_norm() / divisor
    with np.errstate(over="ignore"):
        eigenvalues = np.ldexp(eigenvalues / divisor, unit)
        floor = float(np.ldexp(floor, unit))
    _require_scale(eigenvalues, moments.largest)
    left = _without_rounding(eigenvalues, floor)
    return Spectrum(left, n_samples=n, parameters={**about, "solver": "exact"})


def _require_moments(centred: bool, all_equal: bool, any_positive: bool) -> None:
    """Raise where the matrix of the columns is zero, so that it has no probabilities."""
    if centred and all_equal:
        raise ValueError("X must have rows that differ, to have a covariance")
    if not centred and not any_positive:
        raise ValueError("X must have a row that is not zero, to have second moments")


def _require_scale(eigenvalues: NDArray[np.float64], largest: float) -> None:
    """Raise where squares of the data leave the range of float64."""
    if not np.isfinite(eigenvalues).all() or not eigenvalues.any():
        raise ValueError(
            f"X must have a scale whose squares are finite and not zero, to have a covariance, got entries up to "
            f"{largest:.3g}: X / np.abs(X).max() has the same entropies"
        )


def _without_rounding(eigenvalues: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    """Set eigenvalues that are rounding to 0; ``floor`` is what that of the rows explains."""
    left = without_rounding(eigenvalues, floor=floor)
    if not left.any():
        raise ValueError(
            "X must have rows that differ by more than the rounding of its dtype, to have a covariance: X of a wider "
            "dtype, or less its mean before it was rounded, has them"
        )
    return left


def _rounding_of_rows(data: Data, centred: bool) -> float:
    """Return the variance up to which rounding of the given rows explains an eigenvalue.

    Entries that are off by u of themselves move singular values by at most u |X|_F (Weyl). Rows in float64 have less
    than the threshold of :func:`without_rounding`.
    """
    if data.unit_roundoff <= F64_ROUNDOFF:
        return 0.0
    norm = float(np.linalg.norm(data.rows.astype(np.float64)))
    return (data.unit_roundoff * norm) ** 2 / (data.n_samples - 1 if centred else data.n_samples)
