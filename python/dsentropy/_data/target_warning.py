"""Warnings of targets that may have been read as what they are not: labels as numbers, or numbers as labels.

The dtype and the shape of a target decide how it becomes clusters, and both readings give a number. Labels are mostly
codes: whole numbers from 0 or 1 without gaps, the last as frequent as the others. Numbers thin out at their ends, are
below -1 or have gaps. Where N rows have K distinct values, N >= 5 K is asked of labels that were given as floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.warn import warn

_ROWS_PER_LABEL = 5
"""Rows of a label, on average, from which on values look like labels."""

_ROWS_PER_NUMBER = 20
"""Rows of a label, on average, below which a difference between a number and labels moves the value visibly."""

_FEW_LABELS = 20
"""Number of distinct integers up to which they are labels, unless most have one row."""

_SINGLE_ROWS = 2
"""Rows of a label, on average, below which hardly any label has rows to compare."""

_COORDINATE_VALUES = 10
"""Number of distinct values in each column from which on columns are coordinates."""

_ONE_BIN = 0.95
"""Fraction of the rows in one bin from which on bins hardly divide a target."""

_ONE_COLUMN = 0.95
"""Fraction of the variance in one column from which on distances between rows are those in that column."""


class TargetWarning(UserWarning):
    """A target may have been misread: labels as numbers or the reverse, or bins or units that hide what it says.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from dsentropy import mutual_information
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> labels = np.arange(60.0) % 3  # labels as floats
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     found = mutual_information(X, labels)
    >>> caught[0].category.__name__
    'TargetWarning'
    >>> found = mutual_information(X, labels, target_discrete=True)  # says so, without a warning
    """


@dataclass(frozen=True)
class TargetNames:
    """Names of the arguments of the function that was called, for errors and warnings."""

    target: str
    data: str
    discrete: str
    reference: bool = True
    """Whether it is a function of the reference, which takes no joint labels and has equal-width bins only."""


def warn_of_labels(labels: NDArray[Any], names: TargetNames, n_columns: int = 1) -> None:
    """Warn where labels have few rows each.

    Parameters
    ----------
    labels : ndarray of shape (N,) or (N, 1)
        Integers, bools or strings; numbers of the combinations of several columns.
    names : TargetNames
        Names of the arguments.
    n_columns : int, default 1
        The number of columns of which these are joint labels.
    """
    values, counts = np.unique(labels, return_counts=True)
    n_samples, n_labels = labels.size, len(values)
    rows_each = n_samples / n_labels
    if n_labels <= _FEW_LABELS:
        few = n_labels > _FEW_LABELS / 2 and rows_each < _SINGLE_ROWS
    elif rows_each < _ROWS_PER_LABEL:
        few = True
    else:
        are_numbers = _look_like_numbers(values, counts) and not _are_codes_by_frequency(values, counts)
        few = rows_each < _ROWS_PER_NUMBER and are_numbers
    if not few:
        return
    what, way_out = (
        "values",
        f"for a continuous target pass {names.discrete}=False, which cuts it into n_clusters bins",
    )
    if n_columns > 1:
        what = f"combinations of {n_columns} columns"
        way_out = f"for points pass {names.discrete}=False, which clusters them if they are numbers"
    elif labels.dtype.kind not in "iu":
        way_out = "pass labels that more rows share"
    warn(
        f"{names.target}: {n_labels} distinct {what} in {n_samples} rows were taken as {n_labels} labels, with "
        f"{rows_each:.2g} rows each on average: {way_out}; if they are labels, pass {names.discrete}=True",
        TargetWarning,
    )


def are_codes_of_few_labels(columns: NDArray[Any], few: int) -> bool:
    """Return whether floats [N, D] are whole numbers of few kinds, and so labels rather than numbers.

    Of one column, they have at most ``few`` kinds, so that as many bins could only merge them, or look like codes of
    labels. Each kind, of several columns each combination, has 5 rows or more on average.
    """
    n_samples = len(columns)
    if columns.shape[1] > 1:
        alike = _columns_look_like_labels(columns)  # which costs less than combinations
        return alike and n_samples >= _ROWS_PER_LABEL * _joint_labels(columns)[1]
    values, counts = np.unique(columns, return_counts=True)
    if not 1 < len(values) <= n_samples / _ROWS_PER_LABEL or _whole(values) is None:
        return False
    return len(values) <= few or _look_like_labels(values, counts)


def warn_of_codes(columns: NDArray[Any], names: TargetNames) -> None:
    """Warn that floats [N, D], which are whole numbers of few kinds, were taken as labels."""
    n_samples, n_columns = columns.shape
    n_labels = _joint_labels(columns)[1]
    if n_columns == 1:
        kinds, otherwise = f"{n_labels} distinct whole numbers", "cuts numbers into n_clusters bins"
    else:
        kinds, otherwise = f"{n_columns} columns with {n_labels} combinations of whole numbers", "clusters points"
    warn(
        f"{names.target}: {kinds} in {n_samples} rows of dtype {columns.dtype} were taken as {n_labels} labels: if "
        f"they are labels, pass {names.discrete}=True; if not, {names.discrete}=False, which {otherwise}",
        TargetWarning,
    )


def warn_of_units(columns: NDArray[Any], names: TargetNames) -> None:
    """Warn where the units of several columns that were clustered as they are leave one of them to decide."""
    numbers = columns.astype(np.float64)
    largest = np.abs(numbers).max() or 1.0
    scaled = numbers / largest
    variances = np.var(scaled, axis=0)
    place = int(variances.argmax())
    if (np.ptp(scaled, axis=0) > 0).sum() > 1 and variances[place] >= _ONE_COLUMN * variances.sum():
        warn(
            f"{names.target}: column {place} has {variances[place] / variances.sum():.1%} of the variance of "
            f"{columns.shape[1]} columns, which were clustered in their own units, so that it decides the clusters: "
            f"divide each column by its standard deviation, or pass {names.discrete}=False for these units",
            TargetWarning,
        )


def warn_of_unused_clusters(labels: NDArray[Any], clusters: Any, name: str, names: TargetNames) -> None:
    """Warn where clusters that were given are other ones than the labels, which are used.

    Parameters
    ----------
    labels : ndarray of shape (N, 1)
        The labels.
    clusters : object
        The clusters, which were not checked.
    name : str
        The argument that has them.
    names : TargetNames
        Names of the arguments.
    """
    try:
        given = np.ravel(clusters).tolist()
        pairs = {*zip(labels.ravel().tolist(), given, strict=True)}
        alike = len(pairs) == len({*given}) == len(np.unique(labels))
    except (TypeError, ValueError):  # of another length, or of objects that are not hashable
        alike = False
    if not alike:
        warn(
            f"{name} is not used, because {names.target} has labels: pass {names.target}=None to use {name}",
            TargetWarning,
        )


def warn_of_noise(clusters: NDArray[Any], names: TargetNames) -> None:
    """Warn where a clusterer left rows out: scikit-learn's label -1, which is a class here."""
    n_left = int((clusters == -1).sum())
    if n_left:
        warn(
            f"{names.target}: clustering left {n_left} of {len(clusters)} rows out as noise (label -1), which are "
            f"one class here: pass a clustering without noise, or {names.discrete}=False to keep that class",
            TargetWarning,
        )


def warn_of_bins(
    column: NDArray[Any], bins: NDArray[np.intp], n_clusters: int, names: TargetNames, kind: str = "equal-width"
) -> None:
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
    kind : {"equal-width", "quantile"}, default "equal-width"
        How the bins were made.
    """
    values, counts = np.unique(column, return_counts=True)
    n_samples, n_used = column.size, len(np.unique(bins))
    largest = int(np.unique(bins, return_counts=True)[1].max())
    if n_used < len(values) and n_samples >= _ROWS_PER_LABEL * len(values) and _look_like_labels(values, counts):
        warn(
            f"{names.target}: {len(values)} distinct whole numbers in {n_samples} rows of "
            f"dtype {column.dtype} were cut into {n_clusters} {kind} bins (n_clusters), {n_used} of them with "
            f"rows: if they are labels, pass {names.discrete}=True; if not, {names.discrete}=False",
            TargetWarning,
        )
    elif n_clusters > 1 and len(values) > 1 and largest >= _ONE_BIN * n_samples:
        way_out = f"transform {names.target} (logarithms, ranks)"
        if not names.reference and kind == "equal-width":
            way_out = "binning='quantile' makes bins of equally many rows"
        warn(
            f"{names.target}: {largest} of {n_samples} rows are in one of the n_clusters = {n_clusters} {kind} "
            f"bins from {values[0]:.4g} to {values[-1]:.4g}: {way_out}, or pass "
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
    labels = n_samples >= _ROWS_PER_LABEL * n_joint and _columns_look_like_labels(columns)
    if not labels and n_joint >= n_clusters:
        return
    n_used, n_pairs = len(np.unique(clusters)), len({*zip(joint.tolist(), clusters.tolist(), strict=True)})
    if n_pairs == n_used == n_joint:
        return  # one cluster for each combination
    way_out = f"pass joint labels as one column, {joint_labels_code(names.target)}"
    if not names.reference:
        way_out = f"pass {names.discrete}=True, which takes each combination as a label"
    warn(
        f"{names.target}: {columns.shape[1]} columns with {n_joint} distinct combinations in {n_samples} rows went "
        f"through spectral clustering into n_clusters = {n_clusters}, which are not those combinations: if they are "
        f"labels, {way_out}; if not, {names.discrete}=False",
        TargetWarning,
    )


def joint_labels_code(target: str, *, of_objects: bool = False) -> str:
    """Return the code that makes one column of joint labels of the argument of this name.

    Rows of objects cannot be sorted, so text is made of them.
    """
    rows = f"np.asarray({target}).astype(str)" if of_objects else target
    return f"np.unique({rows}, axis=0, return_inverse=True)[1]"


def _look_like_labels(values: NDArray[Any], counts: NDArray[np.intp]) -> bool:
    """Return whether sorted numbers, with the rows of each, look like codes of labels.

    Either they are codes from 0 or 1, of which the last tenth has no thin tail, or, with gaps, are in about equally
    many rows each.
    """
    if _look_like_numbers(values, counts):
        return False
    if _are_codes(values):
        last = counts[-max(len(counts) // 10, 1) :]
        return bool(last.mean() >= counts.mean() / 4)
    whole = _whole(values)
    if whole is None:
        return False
    steps = np.diff(whole)
    has_gaps = steps.sum() >= 2 * len(steps) * np.gcd.reduce(steps)
    return bool(has_gaps and counts.var() <= 2 * counts.mean())  # 1 for rows that are drawn at random


def _look_like_numbers(values: NDArray[Any], counts: NDArray[np.intp]) -> bool:
    """Return whether sorted values, with the rows of each, look like numbers: below -1, or of a smooth density.

    The density is smooth where the correlation of the counts of successive values is beyond 3 standard errors.
    """
    if values.dtype.kind not in "fiu":
        return False
    if values[0] < -1:
        return True
    before, after = counts[:-1], counts[1:]
    if len(before) < 2 or before.min() == before.max() or after.min() == after.max():
        return False
    return bool(np.corrcoef(before, after)[0, 1] > 3 / np.sqrt(len(before)))


def _are_codes_by_frequency(values: NDArray[Any], counts: NDArray[np.intp]) -> bool:
    """Return whether labels are codes of which the first are the most frequent."""
    return values.dtype.kind in "iu" and _are_codes(values) and bool(counts.argmax() <= len(counts) // 10)


def _are_codes(values: NDArray[Any]) -> bool:
    """Return whether sorted values are whole numbers from -1, 0 or 1 on, of which at most a tenth is left out."""
    whole = _whole(values)
    if whole is None or abs(whole[0]) > 1:
        return False
    possible = int(whole[-1] - whole[0]) + 1
    return possible - len(whole) <= possible // 10


def _whole(values: NDArray[Any]) -> NDArray[np.int64] | None:
    """Convert to integers; None where a value has a fractional part, or is beyond the integers of float64."""
    if not (np.abs(values[[0, -1]].astype(np.float64)) < 2.0**53).all() or (values != np.rint(values)).any():
        return None
    return values.astype(np.int64)


def _columns_look_like_labels(columns: NDArray[Any]) -> bool:
    """Return whether each column has codes of labels, and one has fewer of them than coordinates have."""
    distinct = [np.unique(column) for column in columns.T]
    return all(map(_are_codes, distinct)) and min(map(len, distinct)) < _COORDINATE_VALUES


def _joint_labels(columns: NDArray[Any]) -> tuple[NDArray[np.intp], int]:
    """Return the number of the distinct row that each row is, and how many there are."""
    distinct, numbers = np.unique(columns, axis=0, return_inverse=True)
    return numbers.reshape(-1), len(distinct)  # NumPy 2.0 returns a column
