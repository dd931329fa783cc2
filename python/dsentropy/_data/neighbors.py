"""Exact nearest neighbours by Euclidean distance, found by the core without an N x N matrix.

A distance of 0, of duplicates, is no bandwidth: :func:`replace_zeros` puts the smallest positive distance in its
place. Where all neighbours that were given to a row are duplicates, more of them may be left out:
:func:`warn_of_duplicates`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.arrays import as_rows
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_count, as_threads
from dsentropy._checks.warn import warn
from dsentropy._data.data import Data
from dsentropy._data.distinct import Groups


class NeighborWarning(UserWarning):
    """Given neighbours of a row are all at distance 0, and are not all rows equal to it.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectrum
    >>> X = np.repeat(np.arange(5.0), 3)[:, None]  # each row three times
    >>> neighbors = (np.zeros((15, 1)), (np.arange(15) // 3 * 3 + (np.arange(15) + 1) % 3)[:, None])
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     spectrum = diffusion_spectrum(X, bandwidth=1.0, graph="knn", neighbors=neighbors)
    >>> caught[0].category.__name__
    'NeighborWarning'
    """


def nearest_neighbors(
    X: ArrayLike, n_neighbors: int, *, num_threads: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the nearest other rows of each row, by Euclidean distance, exactly.

    Parameters
    ----------
    X : array_like of shape (N, D)
        The data: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`.
    n_neighbors : int
        Neighbours of each row, from 1 to N - 1. The row itself is not counted; other rows equal to it are.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.

    Returns
    -------
    distances : ndarray of shape (N, n_neighbors), float64
        In units of the data, ascending, with the accuracy of float64 whatever the dtype of ``X``.
    indices : ndarray of shape (N, n_neighbors), int64
        Row numbers of the neighbours, ascending where distances are equal. Of several rows at the distance of the
        last neighbour, those of the lowest numbers are taken; the graphs ``"knn"`` of :func:`diffusion_spectrum` and
        :func:`adjacency_spectrum` keep them all.

    Raises
    ------
    ValueError
        For ``n_neighbors`` out of range, and data that are not finite.
    TypeError
        For an argument, or data, of a wrong type.
    MemoryError
        Before any work, where the result does not fit into the memory that the process can have.

    Notes
    -----
    Cost: N^2 D flops in single precision, and D more for each candidate whose distance differs from that of the last
    neighbour by less than the rounding of single precision; where many rows are at exactly that distance, as
    duplicates are, 2 N D more. Memory: the result, three copies of X, at most 128 (n_neighbors + 21) bytes a row,
    mostly a quarter of that, and a few MiB a thread, at most 70; there is no N x N matrix.

    References
    ----------
    Garcia, Debreuve & Barlaud, "Fast k nearest neighbor search using GPU", CVPR Workshops 2008: distances of all
    pairs by matrix products.

    Examples
    --------
    >>> from dsentropy import nearest_neighbors
    >>> distances, indices = nearest_neighbors([[0.0], [1.0], [3.0]], 2)
    >>> indices.tolist()
    [[1, 2], [0, 2], [1, 0]]
    >>> distances.tolist()
    [[1.0, 3.0], [1.0, 2.0], [2.0, 3.0]]
    """
    rows = as_rows(X, "X")
    number = as_neighbors(n_neighbors, len(rows))
    threads = as_threads(num_threads)
    with memory_errors("a smaller n_neighbors", "fewer rows of X"):
        found = _core.nearest_neighbors(rows, number, threads)
    return found.distances, found.indices.view(np.intp).astype(np.int64, copy=False)


def as_neighbors(value: Any, n_samples: int, argument: str = "X") -> int:
    """Convert ``n_neighbors`` to a number of other rows of an argument, from 1 to ``n_samples`` - 1."""
    number = as_count(value, "n_neighbors")
    if n_samples == 1:
        raise ValueError(f"{argument} must have at least two rows, of which one is a neighbor of the other, got 1")
    if number >= n_samples:
        raise ValueError(f"n_neighbors must be below {n_samples}, the number of rows, got {printed(number)}")
    return number


def replace_zeros(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace distances of 0 by the smallest positive one. Where none is positive, all stay 0."""
    positive = distances > 0
    if positive.all() or not positive.any():
        return distances
    return np.where(positive, distances, distances[positive].min())


def warn_of_duplicates(row_numbers: NDArray[Any], distances: NDArray[np.float64], data: Data) -> None:
    """Warn where all given neighbours of a row are at distance 0, and are more or fewer than the rows equal to it.

    Equal rows that are no neighbours have the affinity 0, as if they were far apart.

    Parameters
    ----------
    row_numbers, distances : ndarray of shape (number of pairs,)
        The row and the distance of each given pair of different rows.
    data : Data
        All rows.
    """
    n = data.n_samples
    has_zeros_only = np.bincount(row_numbers[distances > 0], minlength=n) == 0
    if not has_zeros_only.any():
        return
    groups = Groups.of(data.rows)
    equal = np.ones(n, dtype=np.int64) if groups is None else groups.sizes[groups.of_rows]
    given = np.bincount(row_numbers, minlength=n)
    cut = has_zeros_only & (given + 1 != equal)
    if cut.any():
        row = int(cut.argmax())
        warn(
            f"neighbors: all that are given of {np.count_nonzero(cut)} of {n} rows are at distance 0, and are not "
            f"the rows equal to it (row {row} has {given[row]} neighbors, and X has {equal[row] - 1} other rows "
            "equal to it): equal rows that are no neighbors count as far apart, so the entropy is too high; give all "
            "equal rows, or leave neighbors out and give n_neighbors, which counts them all",
            NeighborWarning,
        )
