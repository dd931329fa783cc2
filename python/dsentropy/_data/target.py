"""Classes of the rows from a target: the variable that information is about.

Labels are classes as they are, and each combination of several columns of labels is one. A column of numbers is cut
into bins, of equal width or with equally many rows. Several columns of numbers, standardised, go through
scikit-learn's spectral clustering, or through a clusterer that is given. Cost: O(N log N), and that of a clustering.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.choices import Binning
from dsentropy._checks.conversion import numbers_of
from dsentropy._checks.entries import first_non_number, non_numbers_error, place
from dsentropy._checks.limits import MAX_CLUSTERS
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_choice, as_count
from dsentropy._checks.unused import require_unused
from dsentropy._data.bins import quantile_bins, width_bins, width_edges
from dsentropy._data.clustering import cluster_by, spectral_clustering, standardized
from dsentropy._data.target_columns import (
    as_columns,
    as_numbers,
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
class OfNumbers:
    """Checked arguments that say how numbers become classes; None where they were not given."""

    n_clusters: int | None
    binning: Binning | None
    clustering: Any

    @classmethod
    def of(cls, n_clusters: Any, binning: Any, clustering: Any) -> OfNumbers:
        """Check the arguments, and that a clusterer comes without what it replaces."""
        if clustering is not None:
            require_unused(n_clusters, "n_clusters", "clustering is given")
            require_unused(binning, "binning", "clustering is given")
        return cls(
            None if n_clusters is None else as_count(n_clusters, "n_clusters", most=MAX_CLUSTERS),
            None if binning is None else _as_binning(binning),
            clustering,
        )

    @property
    def number(self) -> int:
        """The number of bins or clusters."""
        return _DEFAULT_N_CLUSTERS if self.n_clusters is None else self.n_clusters

    def require_unused(self, reason: str) -> None:
        """Raise where one of the arguments was given."""
        for name in ("n_clusters", "binning", "clustering"):
            require_unused(getattr(self, name), name, reason)

    def require_used(self, *targets: Target) -> None:
        """Raise where one of the arguments was given and plays no part for any of these targets."""
        names = " and ".join(target.names.target for target in targets)
        one = len(targets) == 1
        if all(target.kind in ("labels", "codes") for target in targets):
            self.require_unused(f"{names} {'is' if one else 'are'} discrete")
        elif not any(target.kind == "bins" for target in targets):
            reason = f"{names} {'has' if one else 'have'} several columns or labels"
            require_unused(self.binning, "binning", reason.removesuffix(" or labels") if one else reason)


@dataclass(frozen=True)
class Target:
    """A checked target of N rows, and what its columns are."""

    columns: NDArray[Any]
    kind: Literal["labels", "codes", "bins", "points"]
    """Labels; floats that are codes of labels; a column of numbers; points, or numbers for a clusterer."""
    chosen: bool | None
    """Whether the caller chose labels or numbers: then there is no warning."""
    names: TargetNames

    @classmethod
    def of(
        cls, target: Any, discrete: bool | None, of_numbers: OfNumbers, n_samples: int, names: TargetNames
    ) -> Target:
        """Check a target, and find out what it is: by choice, or by the dtype of each column."""
        columns = as_columns(target, names.target, n_samples, names.data)
        chosen = discrete_by_dtype(target, discrete)
        if chosen or (chosen is None and _all_are_labels(target, columns)):
            return cls(columns, "labels", chosen, names)
        columns = as_numbers(columns, names.target)
        if columns.dtype.kind not in "fiub":
            raise _not_numbers(target, columns, names)
        require_finite(columns, target, names.target)
        free = chosen is None and of_numbers == OfNumbers(None, None, None)
        if free and are_codes_of_few_labels(columns, _DEFAULT_N_CLUSTERS):
            return cls(columns, "codes", chosen, names)
        one_column = columns.shape[1] == 1 and of_numbers.clustering is None
        return cls(columns, "bins" if one_column else "points", chosen, names)

    def part(self, chosen: NDArray[np.uint64] | None) -> Target:
        """Return the target of some rows; what its columns are was found out of all. None is all rows."""
        return self if chosen is None else replace(self, columns=self.columns[chosen])

    def classes(self, of_numbers: OfNumbers, seed: int | None) -> Classes:
        """Return the class of each row; warn where the target may have been misread."""
        if self.kind in ("labels", "codes"):
            return self._labels()
        if self.kind == "bins":
            return self._bins(of_numbers)
        return self._clusters(of_numbers, seed)

    def _labels(self) -> Classes:
        classes = _joint(self.columns, self.names.target)
        if self.kind == "codes":
            warn_of_codes(self.columns, self.names)
        elif self.chosen is None:
            warn_of_labels(classes.of_rows, self.names, self.columns.shape[1])
        return classes

    def _bins(self, of_numbers: OfNumbers) -> Classes:
        column, number = self.columns, of_numbers.number
        if of_numbers.binning == "quantile":
            bins, edges = quantile_bins(column, number)
        else:
            bins, edges = width_bins(column, number).ravel(), width_edges(column, number)
        if self.chosen is None:
            kind = "quantile" if of_numbers.binning == "quantile" else "equal-width"
            warn_of_bins(column.ravel(), bins, number, self.names, kind)
        return Classes(bins, edges)

    def _clusters(self, of_numbers: OfNumbers, seed: int | None) -> Classes:
        several = self.columns.shape[1] > 1
        points = standardized(self.columns) if several else self.columns.astype(np.float64)
        if of_numbers.clustering is not None:
            clusters = cluster_by(of_numbers.clustering, points, self.names.target, seed)
            if self.chosen is None:
                warn_of_noise(clusters, self.names)
        else:
            clusters = spectral_clustering(points, of_numbers.number, self.names.target)
            if self.chosen is None:
                warn_of_clustering(self.columns, clusters, of_numbers.number, self.names)
        return Classes(clusters)


def classes_of(
    target: Any,
    clusters: Any,
    discrete: bool | None,
    of_numbers: OfNumbers,
    n_samples: int,
    names: TargetNames,
    seed: int | None,
    chosen: NDArray[np.uint64] | None = None,
) -> Classes:
    """Return the classes of a target, or those that were given as ``clusters``; exactly one of both is given.

    ``chosen`` are the numbers of the rows that are used, out of ``n_samples``; None is all of them.
    """
    if target is not None and clusters is not None:
        raise ValueError(f"{names.target} must not be given where clusters are, which take its place")
    if target is None and clusters is None:
        raise ValueError(f"{names.target} must be given, or clusters in its place, as [N] or [N, D], got None")
    if clusters is None:
        found = Target.of(target, discrete, of_numbers, n_samples, names)
        of_numbers.require_used(found)
        return found.part(chosen).classes(of_numbers, seed)
    require_unused(discrete, names.discrete, "clusters are given")
    of_numbers.require_unused("clusters are given")
    each = given_clusters(clusters, "clusters", n_samples, names.data).ravel()
    return Classes(each if chosen is None else each[chosen])


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
        if column.dtype.kind in "iub" and joint.max() == len(joint) - 1:
            continue  # each row is a class of its own already
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
