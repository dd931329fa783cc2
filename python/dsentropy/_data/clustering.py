"""Clusters of points by scikit-learn: its spectral clustering, or a clusterer that the user gives.

Damle, Minden & Ying, "Simple, direct and efficient multi-way spectral clustering", Information and Inference 8, 2019,
doi 10.1093/imaiai/iay008. Cost: a graph of 10 neighbours and as many of its eigenvectors as there are clusters.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.memory import require_bytes
from dsentropy._checks.printing import printed

_warning_filters = threading.Lock()
"""Lock while this module changes the warning filters of the process, so that threads restore them in order."""

_SPECTRAL_NEIGHBORS = 10
"""Neighbours in the graph of the spectral clustering, scikit-learn's ``n_neighbors``."""

_ROUNDING = 10
"""Relative deviation of a column, in units of eps, up to which it is constant."""


def _bytes_of_clustering(n: int, n_clusters: int) -> int:
    """Return the memory of a spectral clustering: ARPACK's 2 k + 1 vectors of N numbers, and four of k vectors."""
    return 8 * n * (6 * n_clusters + 1)


def spectral_clustering(columns: NDArray[Any], n_clusters: int, name: str) -> NDArray[Any]:
    """Cluster rows by the eigenvectors of their graph of nearest neighbours.

    Parameters
    ----------
    columns : ndarray of shape (N, D)
        Finite numbers.
    n_clusters : int
        The number of clusters, below N.
    name : str
        Name of the argument that has the columns, for errors.

    Returns
    -------
    ndarray of shape (N,)
        Numbers from 0.
    """
    n = len(columns)
    if n < max(_SPECTRAL_NEIGHBORS, n_clusters):
        raise ValueError(
            f"{name} must have at least {max(_SPECTRAL_NEIGHBORS, n_clusters)} rows to be "
            f"clustered into n_clusters = {n_clusters}, got {n}"
        )
    if n_clusters == n:  # as many eigenvectors as rows, which ARPACK does not compute
        raise ValueError(
            f"n_clusters must be below {n}, the number of rows, where {name} has several columns, got {n_clusters}"
        )
    require_bytes(f"n_clusters = {n_clusters}", n, _bytes_of_clustering(n, n_clusters), "a smaller n_clusters")
    from sklearn.cluster import SpectralClustering

    clustering = SpectralClustering(
        n_clusters=n_clusters,
        affinity="nearest_neighbors",
        n_neighbors=_SPECTRAL_NEIGHBORS,
        assign_labels="cluster_qr",
        random_state=0,
    )
    with _warning_filters, warnings.catch_warnings(), _seeded_restarts():
        warnings.filterwarnings("ignore", message="Graph is not fully connected", category=UserWarning)
        labels: NDArray[Any] = clustering.fit_predict(columns)
    return labels


def standardized(columns: NDArray[Any]) -> NDArray[np.float64]:
    """Return columns of zero mean and unit variance, so that their units do not decide how far rows are apart.

    Columns that are constant up to rounding become 0.
    """
    numbers = columns.astype(np.float64)
    largest = np.abs(numbers).max(axis=0)
    scaled = numbers / np.where(largest > 0, largest, 1)  # a square may overflow
    centred = scaled - scaled.mean(axis=0)
    deviation = centred.std(axis=0)
    constant = deviation <= _ROUNDING * np.finfo(np.float64).eps
    return np.where(constant, 0.0, centred / np.where(constant, 1, deviation))


def cluster_by(clustering: Any, columns: NDArray[Any], name: str, seed: int | None) -> NDArray[Any]:
    """Cluster rows by a copy of a clusterer of scikit-learn.

    Parameters
    ----------
    clustering : object
        Has ``fit_predict`` and ``get_params``. It is cloned, and stays as it is.
    columns : ndarray of shape (N, D)
        Finite numbers.
    name : str
        Name of the argument that has the columns, for errors.
    seed : int or None
        The ``random_state`` of clusterers whose own is None.

    Returns
    -------
    ndarray of shape (N,)
        A label of each row.
    """
    from sklearn.base import clone

    try:
        own = clone(clustering)
        own.fit_predict  # noqa: B018  a method that some clusterers have only with some parameters
        parameters = own.get_params()
    except Exception as error:  # whatever the object's methods raise
        raise TypeError(
            f"clustering must be a clusterer of scikit-learn, with fit_predict and get_params, got "
            f"{printed(clustering)}: clusters= takes clusters that were computed before"
        ) from error
    if seed is not None:
        unseeded = {key for key, value in parameters.items() if key.endswith("random_state") and value is None}
        own.set_params(**dict.fromkeys(unseeded, seed % 2**32))
    try:
        labels = np.asarray(own.fit_predict(columns))
    except ValueError as error:
        raise ValueError(f"clustering must be able to cluster the rows of {name}: {error}") from error
    if labels.shape != (len(columns),) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"clustering must return one integer for each of the {len(columns)} rows of {name}, got shape "
            f"{labels.shape} and dtype {labels.dtype}"
        )
    return labels


@contextlib.contextmanager
def _seeded_restarts() -> Iterator[None]:
    """Seed the vectors with which SciPy's ARPACK restarts, as it does where equal rows make many equal eigenvalues.

    Where ``eigsh`` has a parameter ``rng`` (SciPy 1.17), it draws them from the entropy of the system unless that is
    given, and scikit-learn seeds the first vector only. Other threads that cluster meanwhile get this seed, too.
    """
    from sklearn.manifold import spectral_embedding

    module = sys.modules[spectral_embedding.__module__]
    eigsh = vars(module).get("eigsh")
    if eigsh is None or "rng" not in inspect.signature(eigsh).parameters:
        yield
        return
    vars(module)["eigsh"] = functools.partial(eigsh, rng=0)
    try:
        yield
    finally:
        vars(module)["eigsh"] = eigsh
