"""Clusters of the rows, from the target: the variable that information is about.

A column of labels is taken as it is, a column of other numbers is cut into equal-width bins, and several columns go
through scikit-learn's spectral clustering (Damle, Minden & Ying, "Simple, direct and efficient multi-way spectral
clustering", Information and Inference 8, 2019, doi 10.1093/imaiai/iay008). Values are those of dse-dsmi, except where
its bins overflow.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading
import warnings
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.conversion import as_array
from dsentropy._checks.entries import first_non_number, is_missing, missing_error, non_numbers_error, place
from dsentropy._checks.memory import require_bytes
from dsentropy._checks.printing import printed
from dsentropy._data.target_warning import (
    TargetNames,
    joint_labels_code,
    warn_of_bins,
    warn_of_clustering,
    warn_of_labels,
)

_warning_filters = threading.Lock()
"""Lock while this module changes the warning filters of the process, so that threads restore them in order."""

_SPECTRAL_NEIGHBORS = 10
"""Neighbours in the graph of the spectral clustering, scikit-learn's ``n_neighbors``."""


def assign_clusters(
    target: Any,
    discrete: bool | None,
    n_clusters: int,
    precomputed_clusters: Any,
    n_samples: int,
    names: TargetNames,
) -> tuple[NDArray[Any], str]:
    """Return the cluster of each row, and the name of the argument from which the clusters come.

    Parameters
    ----------
    target : array_like of shape (N,) or (N, D2), or None where ``precomputed_clusters`` is given
        The variable that information is about.
    discrete : bool or None
        Whether the target is a column of labels. None: one column of integers, strings or bools is.
    n_clusters : int
        Bins or clusters of a target that is not discrete.
    precomputed_clusters : array_like of shape (N,) or (N, 1), or None
        Clusters to use in place of bins or a clustering of the target.
    n_samples : int
        The number of rows of the data, N.
    names : TargetNames
        Names of the target, of the data and of ``discrete``, for errors and warnings.

    Warns
    -----
    TargetWarning
        Where ``discrete`` is None and the target looks like labels but is clustered, or the reverse.
    """
    name, data_name = names.target, names.data
    discrete = discrete_by_dtype(target, discrete)
    if target is None and precomputed_clusters is not None and not discrete:
        return _precomputed(precomputed_clusters, n_samples, data_name), "precomputed_clusters"
    columns = _as_columns(target, name, n_samples, data_name)
    one_column = columns.shape[1] == 1
    if is_discrete(columns, discrete):
        if not one_column:
            raise ValueError(
                f"{name} must have one column where {names.discrete} is True, such as joint labels, "
                f"{joint_labels_code(name, of_objects=columns.dtype.kind == 'O')}, got shape {columns.shape}"
            )
        labels = _sortable(columns, name)
        if discrete is None:
            warn_of_labels(labels, names)
        return labels, name
    if precomputed_clusters is not None:
        return _precomputed(precomputed_clusters, n_samples, data_name), "precomputed_clusters"
    if columns.dtype.kind not in "fiub":
        if not one_column:
            raise _non_numbers_error(target, columns, name)
        _sortable(columns, name)  # objects of several types are neither
        raise TypeError(
            f"{name} must hold real numbers where it is not discrete, got dtype {columns.dtype}: "
            f"{names.discrete}=True takes one column of any type as labels"
        )
    finite = np.isfinite(columns)
    if not finite.all():
        index = tuple(np.argwhere(~finite)[0])
        where = place(target, index[:1] if one_column else index)
        missing = ", which is missing" if np.isnan(columns[index]) else ""
        raise ValueError(f"{name} must be finite where it is not discrete, got {columns[index]} in {where}{missing}")
    clusters = _bins(columns, n_clusters) if one_column else _spectral_clustering(columns, n_clusters, name)
    if discrete is None:
        (warn_of_bins if one_column else warn_of_clustering)(columns, clusters, n_clusters, names)
    return clusters, name


def _as_columns(target: Any, name: str, n_samples: int, data_name: str) -> NDArray[Any]:
    given = as_array(target, name)
    columns = given[:, None] if given.ndim == 1 else given
    if columns.ndim != 2 or columns.shape[1] == 0:
        shape = given.shape if given.ndim else printed(given)
        raise ValueError(f"{name} must have the shape [N] or [N, D], got {shape}")
    _require_length(columns, name, n_samples, data_name)
    _require_no_missing(target, given, name)
    return columns


def _require_no_missing(target: Any, given: NDArray[Any], name: str) -> None:
    """Raise where an entry is None, NA, or a NaN among strings, of which NumPy makes the string "nan"."""
    if isinstance(target, (list, tuple)) and given.ndim == 1 and given.dtype.kind in "US":
        given = np.fromiter(target, dtype=object, count=len(target))
    if given.dtype.kind != "O":
        return
    for place_in_all, entry in enumerate(given.flat):
        if is_missing(entry):
            index = tuple(map(int, np.unravel_index(place_in_all, given.shape)))
            raise missing_error(entry, target, index, name)


def _non_numbers_error(target: Any, columns: NDArray[Any], name: str) -> Exception:
    """Make the error of several columns that are not all numbers; of text it names joint labels as a way out."""
    index = first_non_number(columns) if columns.dtype.kind in "OUT" else None
    if index is None or not isinstance(columns[index], str):
        return non_numbers_error(target, columns, name)
    code = joint_labels_code(name, of_objects=columns.dtype.kind != "U")
    return TypeError(
        f"{name} must hold real numbers, got {printed(columns[index])} in {place(target, index)}: pass joint labels "
        f"as one column, {code}"
    )


def discrete_by_dtype(target: Any, discrete: bool | None) -> bool | None:
    """Return True for categories, as those of pandas, where the caller did not choose, else the caller's choice."""
    if discrete is not None:
        return discrete
    try:
        one_column = hasattr(target, "iloc") and len(target.shape) == 2 and target.shape[1] == 1
        dtype = getattr(target.iloc[:, 0] if one_column else target, "dtype", None)
    except Exception:  # whatever the object's properties raise; it is refused later
        return None
    return True if hasattr(dtype, "categories") else None


def is_discrete(target: NDArray[Any], discrete: bool | None) -> bool:
    """Return whether a target [N] or [N, D2] is taken as labels; ``discrete`` is the caller's choice, or None."""
    if discrete is not None:
        return bool(discrete)
    return (target.ndim == 1 or target.shape[1] == 1) and _is_label(target)


def _is_label(column: NDArray[Any]) -> bool:
    """Return whether entries are labels: integers, bools or strings, which pandas keeps as objects.

    Integers beyond int64 are objects too.
    """
    if column.dtype.kind == "O":
        return any(all(isinstance(label, kind) for label in column.flat) for kind in (str, Integral))
    return column.dtype.kind in "iubSUT"


def _precomputed(precomputed_clusters: Any, n_samples: int, data_name: str) -> NDArray[Any]:
    clusters = as_array(precomputed_clusters, "precomputed_clusters")
    _require_length(clusters, "precomputed_clusters", n_samples, data_name)
    if clusters.size != n_samples:
        raise ValueError(f"precomputed_clusters must have the shape [N] or [N, 1], got {clusters.shape}")
    _require_no_missing(precomputed_clusters, clusters, "precomputed_clusters")
    return _sortable(clusters, "precomputed_clusters")


def _require_length(array: NDArray[Any], name: str, n_samples: int, data_name: str) -> None:
    length = len(array) if array.ndim else 0
    if length != n_samples:
        raise ValueError(f"{name} must be as long as {data_name}, {n_samples}, got {length}")


def _sortable(labels: NDArray[Any], name: str) -> NDArray[Any]:
    """Raise where labels are NaN or cannot be sorted; return them."""
    if labels.dtype.kind in "fcmM" and (labels != labels).any():
        index = tuple(np.argwhere(labels != labels)[0])
        raise missing_error(labels[index], labels, index[:1], name, "labels")
    try:
        np.unique(labels)
    except TypeError as error:
        raise TypeError(
            f"{name} must hold labels that can be sorted, which those of several types cannot ({error}): "
            f"np.asarray({name}).astype(str) makes strings of all"
        ) from error
    return labels


def _bins(column: NDArray[Any], n_clusters: int) -> NDArray[np.intp]:
    """Return equal-width bins from minimum to maximum, numbered from 1, with the rounding of the reference."""
    if column.dtype.kind != "f":
        column = column.astype(np.float64)
    minimum, maximum = column.min(), column.max()
    if minimum == maximum:
        return np.full(column.shape, n_clusters)
    with np.errstate(over="ignore"):
        extent = maximum - minimum
    if not np.isfinite(extent):  # beyond the largest number of this dtype
        column, minimum, maximum = column / 4, minimum / 4, maximum / 4
        extent = maximum - minimum
    return 1 + _edges_below((column - minimum) / extent, n_clusters)


def _edges_below(fractions: NDArray[Any], n_bins: int) -> NDArray[np.intp]:
    """Return how many of the inner edges k / n_bins, k from 1 to n_bins - 1, are at most each fraction of 0 to 1.

    An edge is k times 1 / n_bins, as ``np.linspace`` rounds it. It takes no array of edges, of which there may be
    more than rows.
    """
    step = 1.0 / n_bins
    below = np.minimum(np.floor(fractions.astype(np.float64) / step), n_bins - 1.0)
    while (too_large := below * step > fractions).any():  # by the rounding of the quotient
        below -= too_large
    while (too_small := (below < n_bins - 1) & ((below + 1) * step <= fractions)).any():
        below += too_small
    return below.astype(np.intp)


def _bytes_of_clustering(n: int, n_clusters: int) -> int:
    """Return the memory of a spectral clustering: ARPACK's 2 k + 1 vectors of N numbers, and four of k vectors."""
    return 8 * n * (6 * n_clusters + 1)


def _spectral_clustering(columns: NDArray[Any], n_clusters: int, name: str) -> NDArray[Any]:
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
