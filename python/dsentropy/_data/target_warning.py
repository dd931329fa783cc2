"""Warnings of targets that may have been read as what they are not: labels as numbers, or numbers as labels.

The dtype and the shape of a target decide how it becomes clusters, and both readings give a number. A target of K
distinct values in N rows looks like labels where N >= 5 K, a label then has five rows on average, and like numbers
where there are fewer. The warning compares that with what was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.warn import warn

_ROWS_PER_LABEL = 5
"""Rows of a label, on average, from which on values look like labels."""

_FEW_LABELS = 20
"""Number of distinct integers up to which they are labels, however few rows each has."""

_MANY_FRACTIONS = 100
"""Number of distinct values beyond which numbers with a fractional part are no labels."""

_ONE_BIN = 0.95
"""Fraction of the rows in one bin from which on equal-width bins hardly divide a target."""


class TargetWarning(UserWarning):
    """A target was read as labels and looks like numbers, or was clustered and looks like labels."""


@dataclass(frozen=True)
class TargetNames:
    """Names of the arguments of the function that was called, for errors and warnings."""

    target: str
    data: str
    discrete: str


def warn_of_labels(labels: NDArray[Any], names: TargetNames) -> None:
    """Warn where a column that was taken as labels has few rows a label.

    Parameters
    ----------
    labels : ndarray of shape (N,) or (N, 1)
        Integers, bools or strings.
    names : TargetNames
        Names of the arguments.
    """
    n_samples, n_labels = labels.size, len(np.unique(labels))
    if n_labels <= _FEW_LABELS or n_samples >= _ROWS_PER_LABEL * n_labels:
        return
    way_out = f"for a continuous target pass {names.discrete}=False, which cuts it into n_clusters bins"
    if labels.dtype.kind not in "iu":
        way_out = "pass labels that more rows share"
    warn(
        f"{names.target}: {n_labels} distinct values in {n_samples} rows were taken as {n_labels} labels, with "
        f"{n_samples / n_labels:.2g} rows each on average: {way_out}; if they are labels, pass {names.discrete}=True",
        TargetWarning,
    )


def warn_of_bins(column: NDArray[Any], bins: NDArray[np.intp], n_clusters: int, names: TargetNames) -> None:
    """Warn where bins merge values that look like labels, or where one bin has nearly all rows.

    Parameters
    ----------
    column : ndarray of shape (N,) or (N, 1)
        Numbers.
    bins : ndarray of shape (N,) or (N, 1)
        The bin of each.
    n_clusters : int
        The number of bins from minimum to maximum.
    names : TargetNames
        Names of the arguments.
    """
    values = np.unique(column)
    n_samples, n_used = column.size, len(np.unique(bins))
    whole = bool((values == np.rint(values)).all())
    looks_like_labels = n_samples >= _ROWS_PER_LABEL * len(values) and (whole or len(values) <= _MANY_FRACTIONS)
    largest = int(np.unique(bins, return_counts=True)[1].max())
    if looks_like_labels and n_used < len(values):
        warn(
            f"{names.target}: {len(values)} distinct {'whole numbers' if whole else 'values'} in {n_samples} rows of "
            f"dtype {column.dtype} were cut into {n_clusters} equal-width bins (n_clusters), {n_used} of them with "
            f"rows: if they are labels, pass {names.discrete}=True; if not, {names.discrete}=False",
            TargetWarning,
        )
    elif n_clusters > 1 and len(values) > 1 and largest >= _ONE_BIN * n_samples:
        warn(
            f"{names.target}: {largest} of {n_samples} rows are in one of the n_clusters = {n_clusters} equal-width "
            f"bins from {values[0]:.4g} to {values[-1]:.4g}: transform {names.target} (logarithms, ranks), or pass "
            f"{names.discrete}=False to keep these bins",
            TargetWarning,
        )


def warn_of_clustering(columns: NDArray[Any], clusters: NDArray[Any], n_clusters: int, names: TargetNames) -> None:
    """Warn where a clustering merges or splits rows of several columns that look like labels.

    Parameters
    ----------
    columns : ndarray of shape (N, D2)
        Numbers.
    clusters : ndarray of shape (N,)
        The cluster of each row.
    n_clusters : int
        The number of clusters.
    names : TargetNames
        Names of the arguments.
    """
    n_samples = len(columns)
    joint, n_joint = _joint_labels(columns)
    if n_samples < _ROWS_PER_LABEL * n_joint and n_joint >= n_clusters:
        return
    n_used, n_pairs = len(np.unique(clusters)), len({*zip(joint.tolist(), clusters.tolist(), strict=True)})
    if n_pairs == n_used == n_joint:
        return  # one cluster for each combination
    warn(
        f"{names.target}: {columns.shape[1]} columns with {n_joint} distinct combinations in {n_samples} rows went "
        f"through spectral clustering into n_clusters = {n_clusters}, which are not those combinations: if they are "
        f"labels, pass joint labels as one column, {joint_labels_code(names.target)}; if not, {names.discrete}=False",
        TargetWarning,
    )


def joint_labels_code(target: str) -> str:
    """Return the code that makes one column of joint labels of the argument of this name."""
    return f"np.unique({target}, axis=0, return_inverse=True)[1]"


def _joint_labels(columns: NDArray[Any]) -> tuple[NDArray[np.intp], int]:
    """Return the number of the distinct row that each row is, and how many there are."""
    distinct, numbers = np.unique(columns, axis=0, return_inverse=True)
    return numbers.reshape(-1), len(distinct)  # NumPy 2.0 returns a column
