"""Clusters of the rows from the target of the reference: the variable that information is about.

A column of labels is taken as it is, a column of other numbers is cut into equal-width bins, and several columns go
through scikit-learn's spectral clustering (Damle, Minden & Ying, "Simple, direct and efficient multi-way spectral
clustering", Information and Inference 8, 2019, doi 10.1093/imaiai/iay008). Values are those of dse-dsmi, except where
its bins overflow.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from dsentropy._checks.entries import first_non_number, non_numbers_error, place
from dsentropy._checks.printing import printed
from dsentropy._data.bins import width_bins
from dsentropy._data.clustering import spectral_clustering
from dsentropy._data.target_columns import (
    as_columns,
    as_numbers,
    discrete_by_dtype,
    given_clusters,
    is_discrete,
    require_finite,
    sortable,
)
from dsentropy._data.target_warning import (
    TargetNames,
    joint_labels_code,
    warn_of_bins,
    warn_of_clustering,
    warn_of_labels,
    warn_of_units,
    warn_of_unused_clusters,
)

_PRECOMPUTED = "precomputed_clusters"


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
        return given_clusters(precomputed_clusters, _PRECOMPUTED, n_samples, data_name), _PRECOMPUTED
    columns = as_columns(target, name, n_samples, data_name)
    one_column = columns.shape[1] == 1
    if is_discrete(columns, discrete):
        if not one_column:
            raise ValueError(
                f"{name} must have one column where {names.discrete} is True, such as joint labels, "
                f"{joint_labels_code(name, of_objects=columns.dtype.kind == 'O')}, got shape {columns.shape}"
            )
        labels = sortable(columns, name)
        if discrete is None:
            warn_of_labels(labels, names)
        if precomputed_clusters is not None:
            warn_of_unused_clusters(labels, precomputed_clusters, _PRECOMPUTED, names)
        return labels, name
    if precomputed_clusters is not None:
        return given_clusters(precomputed_clusters, _PRECOMPUTED, n_samples, data_name), _PRECOMPUTED
    columns = as_numbers(columns, name)
    if columns.dtype.kind not in "fiub":
        if not one_column:
            raise _non_numbers_error(target, columns, name)
        sortable(columns, name)  # objects of several types are neither
        raise TypeError(
            f"{name} must hold real numbers where it is not discrete, got dtype {columns.dtype}: "
            f"{names.discrete}=True takes one column of any type as labels"
        )
    require_finite(columns, target, name)
    clusters = width_bins(columns, n_clusters) if one_column else spectral_clustering(columns, n_clusters, name)
    if discrete is None:
        (warn_of_bins if one_column else warn_of_clustering)(columns, clusters, n_clusters, names)
        if not one_column:
            warn_of_units(columns, names)
    return clusters, name


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
