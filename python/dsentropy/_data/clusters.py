"""From a reference variable to cluster labels."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.arrays import as_array

_warning_filters = threading.Lock()
"""Held while this module changes the process's warning filters, so that its threads put them back in order."""

_SPECTRAL_NEIGHBORS = 10
"""scikit-learn's ``n_neighbors`` of a spectral clustering."""


def assign_clusters(
    reference_vectors: Any,
    reference_discrete: bool | None,
    n_clusters: int,
    precomputed_clusters: Any,
    n_samples: int,
    name: str = "reference_vectors",
    data_name: str = "embedding_vectors",
) -> tuple[NDArray[Any], str]:
    """Return the cluster of each row, and the argument that it comes from.

    ``name`` is that of the reference variable, and ``data_name`` that of the data, in errors.

    Clusters are labels as they are, bins of a number, or a spectral clustering. Discrete are one column of integers,
    strings or bools, or what ``reference_discrete=True`` says; other variables use ``precomputed_clusters`` where
    they are given.
    """
    if reference_vectors is None and precomputed_clusters is not None and not reference_discrete:
        return _precomputed(precomputed_clusters, n_samples, data_name), "precomputed_clusters"
    reference = as_array(reference_vectors, name)
    if reference.ndim == 1:
        reference = reference[:, None]
    if reference.ndim != 2 or reference.shape[1] == 0:
        raise ValueError(f"{name} must have the shape [N] or [N, D], got {reference.shape}")
    _require_length(reference, name, n_samples, data_name)
    one_column = reference.shape[1] == 1
    if reference_discrete is None:
        reference_discrete = one_column and _is_label(reference)
    if reference_discrete:
        if not one_column:
            raise ValueError(
                f"{name} must have one column where reference_discrete is True, got shape {reference.shape}"
            )
        return _sortable(reference, name), name
    if precomputed_clusters is not None:
        return _precomputed(precomputed_clusters, n_samples, data_name), "precomputed_clusters"
    if reference.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers where it is not discrete, got dtype {reference.dtype}")
    if not np.isfinite(reference).all():
        raise ValueError(f"{name} must be finite where it is not discrete")
    clusters = _bins(reference, n_clusters) if one_column else _spectral_clustering(reference, n_clusters, name)
    return clusters, name


def _is_label(reference: NDArray[Any]) -> bool:
    """Integers, bools and strings, which pandas keeps as objects, are labels."""
    if reference.dtype.kind == "O":
        return all(isinstance(label, str) for label in reference.flat)
    return reference.dtype.kind in "iubSUT"


def _precomputed(precomputed_clusters: Any, n_samples: int, data_name: str) -> NDArray[Any]:
    clusters = as_array(precomputed_clusters, "precomputed_clusters")
    _require_length(clusters, "precomputed_clusters", n_samples, data_name)
    if clusters.size != n_samples:
        raise ValueError(f"precomputed_clusters must have the shape [N] or [N, 1], got {clusters.shape}")
    return _sortable(clusters, "precomputed_clusters")


def _require_length(array: NDArray[Any], name: str, n_samples: int, data_name: str) -> None:
    length = len(array) if array.ndim else 0
    if length != n_samples:
        raise ValueError(f"{name} must be as long as {data_name}, {n_samples}, got {length}")


def _sortable(labels: NDArray[Any], name: str) -> NDArray[Any]:
    """Labels that can be told apart and put in order."""
    if labels.dtype.kind in "fc" and np.isnan(labels).any():
        raise ValueError(f"{name} must not be NaN")
    try:
        np.unique(labels)
    except TypeError as error:
        raise TypeError(f"{name} must hold labels that can be sorted: {error}") from error
    return labels


def _bins(column: NDArray[Any], n_clusters: int) -> NDArray[np.intp]:
    """Equal bins between the least and the greatest value, numbered from 1, rounded as the reference rounds."""
    if column.dtype.kind != "f":
        column = column.astype(np.float64)
    least, greatest = column.min(), column.max()
    if least == greatest:
        return np.full(column.shape, n_clusters)
    with np.errstate(over="ignore"):
        extent = greatest - least
    if not np.isfinite(extent):  # beyond the largest number of this dtype
        column, least, greatest = column / 4, least / 4, greatest / 4
        extent = greatest - least
    edges = np.linspace(0, 1, n_clusters + 1)[:-1]
    bins: NDArray[np.intp] = np.digitize((column - least) / extent, edges)
    return bins


def _spectral_clustering(reference: NDArray[Any], n_clusters: int, name: str) -> NDArray[Any]:
    if len(reference) < max(_SPECTRAL_NEIGHBORS, n_clusters):
        raise ValueError(
            f"{name} must have at least {max(_SPECTRAL_NEIGHBORS, n_clusters)} rows to be "
            f"clustered into n_clusters = {n_clusters}, got {len(reference)}"
        )
    from sklearn.cluster import SpectralClustering

    clustering = SpectralClustering(
        n_clusters=n_clusters,
        affinity="nearest_neighbors",
        n_neighbors=_SPECTRAL_NEIGHBORS,
        assign_labels="cluster_qr",
        random_state=0,
    )
    with _warning_filters, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Graph is not fully connected", category=UserWarning)
        labels: NDArray[Any] = clustering.fit_predict(reference)
    return labels
