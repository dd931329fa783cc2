"""Classes of the rows from a target: the variable that information is about.

Labels are classes as they are, and each combination of several columns of labels is one. A column of numbers is cut
into bins, of equal width or with equally many rows. Several columns of numbers, standardised, go through
scikit-learn's spectral clustering, or through a clusterer that is given. Cost: O(N log N), and that of a clustering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.choices import Binning
from dsentropy._checks.conversion import numbers_of
from dsentropy._checks.entries import first_non_number, non_numbers_error, place
from dsentropy._checks.limits import MAX_CLUSTERS
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_choice, as_count, as_optional_flag
from dsentropy._checks.unused import require_unused
from dsentropy._data.bins import quantile_bins, width_bins, width_edges
from dsentropy._data.clustering import cluster_by, spectral_clustering, standardized
from dsentropy._data.target_columns import (
    as_columns,
    discrete_by_dtype,
    given_clusters,
    is_label,
    require_finite,
    sortable,
)
from dsentropy._data.target_warning import (
    TargetNames,
    are_codes_of_few_labels,
    warn_of_bins,
    warn_of_clustering,
    warn_of_codes,
    warn_of_labels,
    warn_of_noise,
)

_DEFAULT_N_CLUSTERS = 10


@dataclass(frozen=True)
class Classes:
    """The class of each row, and how its number is read."""

    of_rows: NDArray[Any]
    """The class of each row [N]: labels, numbers of bins from 1, numbers of clusters or of combinations from 0."""
    edges: NDArray[np.float64] | None = None
    """Edges of the bins; None where there are none."""
    combinations: list[tuple[Any, ...]] | None = None
    """The labels of each column that a number stands for; None where labels have one column."""

    def columns(self, n_times: int) -> dict[str, list[Any]]:
        """Return columns of a table with one row a class and t, which say what each class is."""
        numbers = np.unique(self.of_rows)
        columns = {"cluster": numbers.tolist()}
        if self.edges is not None:
            columns |= {"lower_edge": self.edges[numbers - 1].tolist(), "upper_edge": self.edges[numbers].tolist()}
        if self.combinations is not None:
            columns["labels"] = self.combinations
        return {name: [entry for entry in column for _ in range(n_times)] for name, column in columns.items()}


@dataclass(frozen=True)
class TargetReading:
    """Checked arguments that say how a target becomes classes."""

    discrete: bool | None
    n_clusters: int | None
    binning: Binning | None
    clustering: Any

    @classmethod
    def of(cls, target_discrete: Any, n_clusters: Any, binning: Any, clustering: Any) -> TargetReading:
        """Check the arguments, and that a clusterer comes without what it replaces."""
        if clustering is not None:
            require_unused(n_clusters, "n_clusters", "clustering is given")
            require_unused(binning, "binning", "clustering is given")
        return cls(
            as_optional_flag(target_discrete, "target_discrete"),
            None if n_clusters is None else as_count(n_clusters, "n_clusters", most=MAX_CLUSTERS),
            None if binning is None else _as_binning(binning),
            clustering,
        )

    def require_unused(self, reason: str) -> None:
        """Raise where an argument was given that makes classes of numbers."""
        for name in ("n_clusters", "binning", "clustering"):
            require_unused(getattr(self, name), name, reason)

    @property
    def of_numbers(self) -> bool:
        """Whether an argument was given that makes classes of numbers."""
        return any(given is not None for given in (self.n_clusters, self.binning, self.clustering))

    def classes(self, target: Any, n_samples: int, names: TargetNames, seed: int | None) -> Classes:
        """Return the classes of a target of N rows; warn where it may have been misread."""
        columns = as_columns(target, names.target, n_samples, names.data)
        chosen = discrete_by_dtype(target, self.discrete)
        if chosen or (chosen is None and _all_are_labels(target, columns)):
            self.require_unused(f"{names.target} is discrete")
            classes = _joint(columns, names.target)
            if chosen is None:
                warn_of_labels(classes.of_rows, names, columns.shape[1])
            return classes
        if columns.dtype.kind not in "fiub":
            raise _not_numbers(target, columns, names)
        require_finite(columns, target, names.target)
        if self._are_codes(columns):
            warn_of_codes(columns, names)
            return _joint(columns, names.target)
        if self.clustering is not None:
            points = standardized(columns) if columns.shape[1] > 1 else columns.astype(np.float64)
            found = cluster_by(self.clustering, points, names.target, seed)
            if self.discrete is None:
                warn_of_noise(found, names)
            return Classes(found)
        return self._bins(columns, names) if columns.shape[1] == 1 else self._clusters(columns, names)

    def _are_codes(self, columns: NDArray[Any]) -> bool:
        """Return whether numbers are labels written as floats, and no argument says otherwise."""
        if self.discrete is not None or self.of_numbers:
            return False
        return are_codes_of_few_labels(columns, _DEFAULT_N_CLUSTERS)

    def _bins(self, column: NDArray[Any], names: TargetNames) -> Classes:
        number = _DEFAULT_N_CLUSTERS if self.n_clusters is None else self.n_clusters
        if self.binning == "quantile":
            bins, edges = quantile_bins(column, number)
        else:
            bins, edges = width_bins(column, number).ravel(), width_edges(column, number)
        if self.discrete is None:
            kind = "quantile" if self.binning == "quantile" else "equal-width"
            warn_of_bins(column.ravel(), bins, number, names, kind)
        return Classes(bins, edges)

    def _clusters(self, columns: NDArray[Any], names: TargetNames) -> Classes:
        require_unused(self.binning, "binning", f"{names.target} has several columns")
        number = _DEFAULT_N_CLUSTERS if self.n_clusters is None else self.n_clusters
        clusters = spectral_clustering(standardized(columns), number, names.target)
        if self.discrete is None:
            warn_of_clustering(columns, clusters, number, names)
        return Classes(clusters)


def classes_of(
    target: Any, clusters: Any, reading: TargetReading, n_samples: int, names: TargetNames, seed: int | None
) -> Classes:
    """Return the classes of a target, or those that were given as ``clusters``; exactly one of both is given."""
    if target is not None and clusters is not None:
        raise ValueError(f"{names.target} must not be given where clusters are, which take its place")
    if target is None and clusters is None:
        raise ValueError(f"{names.target} must be given, or clusters in its place, as [N] or [N, D], got None")
    if clusters is None:
        return reading.classes(target, n_samples, names, seed)
    require_unused(reading.discrete, names.discrete, "clusters are given")
    reading.require_unused("clusters are given")
    return Classes(given_clusters(clusters, "clusters", n_samples, names.data).ravel())


def _as_binning(value: Any) -> Binning:
    return as_choice(value, "binning", "width", "quantile")


def _all_are_labels(target: Any, columns: NDArray[Any]) -> bool:
    """Return whether each column of a target has labels; the columns of a table have dtypes of their own."""
    try:
        tabular = hasattr(target, "iloc") and len(target.shape) == 2
        each = [target.iloc[:, place] for place in range(columns.shape[1])] if tabular else list(columns.T)
        return all(hasattr(one.dtype, "categories") or is_label(numbers_of(np.asarray(one))) for one in each)
    except Exception:  # whatever the object's properties raise
        return False


def _joint(columns: NDArray[Any], name: str) -> Classes:
    """Return one column of labels as it is, and of several the number of the combination in each row."""
    if columns.shape[1] == 1:
        return Classes(sortable(columns, name).ravel())
    joint: NDArray[np.intp] = np.zeros(len(columns), dtype=np.intp)
    for column in columns.T:
        values, codes = np.unique(sortable(numbers_of(column), name), return_inverse=True)
        joint = np.unique(joint * len(values) + codes.reshape(-1), return_inverse=True)[1].reshape(-1)
    first = np.unique(joint, return_index=True)[1]
    return Classes(joint, combinations=[tuple(row.tolist()) for row in columns[first]])


def _not_numbers(target: Any, columns: NDArray[Any], names: TargetNames) -> Exception:
    """Make the error of a target that is neither labels nor numbers."""
    name = names.target
    if columns.shape[1] == 1:
        sortable(columns, name)  # objects of several types are neither
        return TypeError(
            f"{name} must hold real numbers where it is not discrete, got dtype {columns.dtype}: "
            f"{names.discrete}=True takes one column of any type as labels"
        )
    index = first_non_number(columns) if columns.dtype.kind in "OUT" else None
    if index is None or not isinstance(columns[index], str):
        return non_numbers_error(target, columns, name)
    return TypeError(
        f"{name} must hold real numbers, got {printed(columns[index])} in {place(target, index)}, or labels in each "
        f"column: {names.discrete}=True takes all columns as labels, and each combination as a class"
    )
