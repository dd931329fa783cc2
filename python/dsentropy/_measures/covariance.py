"""The spectrum of the covariance of the columns.

It is ``X_c^T X_c / (N - 1)``, with X_c the centred rows, and its eigenvalues are the variances along the principal
axes. Cost: 2 N D min(N, D) flops, and 4/3 min(N, D)^3 for the eigenvalues.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dsentropy import _core
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.pairs import F64_ROUNDOFF
from dsentropy._checks.scalars import RandomState, as_seed, as_threads
from dsentropy._data.data import Data
from dsentropy._spectrum.problem import selected_rows
from dsentropy._spectrum.rounding import without_rounding
from dsentropy._spectrum.spectrum import Spectrum


def covariance_spectrum(
    X: ArrayLike,
    *,
    max_samples: int | None = None,
    random_state: RandomState = 0,
    num_threads: int | None = None,
) -> Spectrum:
    r"""Compute the spectrum of the covariance of the columns.

    .. math::

        C = \frac{X_c^T X_c}{N - 1}, \qquad X_c \text{ the centred rows.}

    Linear measures of dimension are read from it, to compare with the diffusion spectral entropy: the participation
    ratio at t = 1; at t = 1/2, where the eigenvalues become singular values of :math:`X_c`, the effective rank of Roy
    & Vetterli (which RankMe is without centring).

    Parameters
    ----------
    X : array_like of shape (N, D)
        The data: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`.
    max_samples : int, optional
        Where there are more rows, a random subset of this size is used.
    random_state : int, Generator, RandomState or None, default 0
        Seed of random subsets. A generator of NumPy gives one integer as the seed, and its state moves on. None
        draws from Python's global generator.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.

    Returns
    -------
    Spectrum
        D eigenvalues, variances along the principal axes, in squared units of the data. They are computed in float64
        whatever the dtype of ``X``. Their error is 1e-16 of the largest, so singular values below 1e-8 of the largest
        are rounding, and so are those up to :math:`u \lVert X \rVert_F` of rows that are given in float32, float16
        or bfloat16, of unit roundoff u. Both are 0.

    Raises
    ------
    ValueError
        Where all rows are equal or no square is in the range of float64; and see :func:`diffusion_spectrum`.
    TypeError, MemoryError
        See :func:`diffusion_spectrum`.

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
    threads, seed = as_threads(num_threads), as_seed(random_state, "random_state")
    used, _, subset = selected_rows(X, "euclidean", max_samples, seed)
    if (used.rows == used.rows[0]).all():
        raise ValueError("X must have rows that differ, to have a covariance")
    with memory_errors("fewer rows, max_samples=...", "fewer columns of X"):
        eigenvalues = _core.covariance_eigenvalues(used.rows, threads)
    if not np.isfinite(eigenvalues).all() or not eigenvalues.any():
        raise ValueError(
            f"X must have a scale whose squares are finite and not zero, to have a covariance, got entries up to "
            f"{np.abs(used.rows).max():.3g}: X / np.abs(X).max() has the same entropies"
        )
    left = without_rounding(eigenvalues, floor=_rounding_of_rows(used))
    if not left.any():
        raise ValueError(
            "X must have rows that differ by more than the rounding of its dtype, to have a covariance: X of a wider "
            "dtype, or less its mean before it was rounded, has them"
        )
    return Spectrum(
        left,
        n_samples=used.n_samples,
        parameters={"operator": "covariance", "metric": "euclidean", **subset, "solver": "exact"},
        fingerprint=used.fingerprint(),
    )


def _rounding_of_rows(data: Data) -> float:
    """Return the variance up to which rounding of the given rows explains an eigenvalue.

    Entries that are off by u of themselves move singular values by at most u |X|_F (Weyl). Rows in float64 have less
    than the threshold of :func:`without_rounding`.
    """
    if data.unit_roundoff <= F64_ROUNDOFF:
        return 0.0
    norm = float(np.linalg.norm(data.rows.astype(np.float64)))
    return (data.unit_roundoff * norm) ** 2 / (data.n_samples - 1)
