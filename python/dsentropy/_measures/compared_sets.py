"""Data sets whose entropies are compared: two arrays, or named layers, all pairs of them or all against one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from dsentropy._checks.containers import named_arrays, reader_hint
from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import Precision, as_count
from dsentropy._data.device_rows import AnyData, data_of
from dsentropy._operator.bandwidth import require_neighbors_used

_DEFAULT_MOST_SAMPLES = 1000
"""The most rows of a subset where ``n_samples`` is not given: its entropy takes about a tenth of a second."""


_AsData: TypeAlias = "Callable[[Any, str], AnyData]"
"""Checks an array by the name of its argument."""


@dataclass(frozen=True)
class ComparedSets:
    """Data sets, their names, and the pairs of them that are compared."""

    names: list[Any]
    data: list[AnyData]
    pairs: list[tuple[int, int]]
    several: bool
    """Whether layers were given by name, rather than two arrays."""

    @classmethod
    def of(cls, A: Any, B: Any, against: Any, metric: Any, device: DeviceLike, precision: Precision) -> ComparedSets:
        """Check and convert two arrays, one mapping, or two mappings with equal names."""

        def data(X: Any, label: str) -> AnyData:
            return data_of(device, X, metric, precision, label)

        if not isinstance(A, Mapping):
            return cls._of_arrays(A, B, against, data)
        layers = named_arrays(A, "A")
        if B is None:
            if len(layers) < 2:
                raise ValueError(f"A must have at least two layers where B is None, got {len(layers)}")
            names = list(layers)
            pairs = list(combinations(range(len(names)), 2))
            if against is not None:
                other = _place(against, names)
                pairs = [(i, other) for i in range(len(names)) if i != other]
            return cls(names, [data(layers[name], _label("A", name)) for name in names], pairs, True)
        if against is not None:
            raise ValueError("against must not be given where B is: each layer of A is compared with that of B")
        if not isinstance(B, Mapping):
            way = "put the array into A under a name, and give the name as against"
            file = reader_hint(A, "A") or reader_hint(B, "B")
            raise TypeError(f"B must be a mapping of names to arrays where A is one, got {printed(B)}: {way}{file}")
        return cls._of_mappings(layers, named_arrays(B, "B"), data)

    @classmethod
    def _of_arrays(cls, A: Any, B: Any, against: Any, data: _AsData) -> ComparedSets:
        if B is None:
            raise TypeError(
                "B must be given where A is an array; a mapping of names to arrays as A compares all pairs"
            )
        if against is not None:
            raise ValueError("against must not be given where A is an array: it names a layer of a mapping")
        if isinstance(B, Mapping):
            kind = f"a {type(B).__name__}: give both as mappings"
            raise TypeError(f"B must be an array where A is one, got {kind}{reader_hint(B, 'B')}")
        return cls(["A", "B"], [data(A, "A"), data(B, "B")], [(0, 1)], False)

    @classmethod
    def _of_mappings(cls, first: dict[Any, Any], second: dict[Any, Any], data: _AsData) -> ComparedSets:
        if first.keys() != second.keys():
            lacking = [name for name in [*first, *second] if name not in first or name not in second]
            raise ValueError(
                f"B must have the names of A, {list(first)!r:.99}: one of both lacks {printed(lacking[0])}"
            )
        labels = [_label(argument, name) for argument in ("A", "B") for name in first]
        layers = [*first.values(), *(second[name] for name in first)]
        sets = [data(layer, label) for layer, label in zip(layers, labels, strict=True)]
        return cls(list(labels), sets, [(i, i + len(first)) for i in range(len(first))], True)

    @property
    def n_rows(self) -> dict[Any, int]:
        """The number of rows of each set, by its name."""
        return {name: data.n_samples for name, data in zip(self.names, self.data, strict=True)}

    def require_equal_rows(self) -> None:
        """Raise where the sets of a pair have unequal numbers of rows."""
        for i, j in self.pairs:
            one, other = self.data[i], self.data[j]
            if one.n_samples != other.n_samples:
                raise ValueError(
                    f"{other.argument} must have as many rows as {one.argument} where paired is True: row by row "
                    f"they are the same samples; got {other.n_samples} and {one.n_samples}. paired=False compares "
                    "sets of unequal size, at n_samples rows of each"
                )

    def subset_size(self, n_samples: Any) -> int:
        """Convert ``n_samples``, by default half the rows of the smallest set and at most 1000."""
        smallest = min(data.n_samples for data in self.data)
        if n_samples is None:
            return max(1, min(smallest // 2, _DEFAULT_MOST_SAMPLES))
        return as_count(n_samples, "n_samples", n_rows=smallest)

    def kernels(self, bandwidth: Any, n_neighbors: Any) -> list[tuple[Any, Any]]:
        """Return the bandwidth and the number of neighbours of each set."""
        if isinstance(bandwidth, str) and bandwidth == "structure" and self.data[0].metric in ("euclidean", "cosine"):
            raise ValueError(f"bandwidth must be 'median' or 'knn', got 'structure': {self._suggestion()}")
        if not isinstance(bandwidth, Mapping):
            return [(bandwidth, n_neighbors)] * len(self.names)
        if not bandwidth.keys() >= set(self.names):
            raise ValueError(f"bandwidth must have the names {self.names!r:.99}, got {list(bandwidth)!r:.99}")
        each = [bandwidth[name] for name in self.names]
        require_neighbors_used(n_neighbors, *each, reason="no bandwidth is 'knn'")
        return [(one, n_neighbors if isinstance(one, str) and one == "knn" else None) for one in each]

    def _suggestion(self) -> str:
        """Return how the bandwidths of all sets are found, by one multiple of their medians."""
        if not self.several:
            sets = "{'A': A, 'B': B}"
        elif self.names[0] == self.data[0].argument:
            sets = f"a mapping with the names {self.names!r:.99}"
        else:
            sets = "A"
        return f"suggest_bandwidth({sets}).bandwidth has the numbers of that rule"


def _label(argument: str, name: Any) -> str:
    return f"{argument}[{printed(name)}]"


def _place(against: Any, names: list[Any]) -> int:
    try:
        return names.index(against)
    except Exception as error:  # whatever comparing it raises, as of arrays
        raise ValueError(f"against must be one of the names in A, {names!r:.99}, got {printed(against)}") from error
