"""Checks of arguments where the data are an operator: a sparse matrix or an object that multiplies."""

from __future__ import annotations

from typing import Any

from dsentropy._checks.containers import is_sparse
from dsentropy._checks.printing import printed
from dsentropy._checks.unused import require_unused
from dsentropy._operator.linear_operators import Multiplier, SparseMatrix, as_operator
from dsentropy._operator.slq_options import SlqOptions
from dsentropy._spectrum.solver import require_default_storage


def operator_source(
    X: Any,
    metric: Any,
    graph: str,
    max_samples: Any,
    bandwidth: Any,
    n_neighbors: Any,
    options: SlqOptions | None,
) -> SparseMatrix | Multiplier:
    """Check the affinities, and that no argument was given that needs rows or distances."""
    if graph == "knn":
        raise ValueError("graph must be 'gaussian' where X is an operator")
    if metric != "affinity":
        way = ": X.toarray() has its entries as rows of data" if is_sparse(X) else ""
        raise ValueError(f"metric must be 'affinity' where X is an operator, got {printed(metric)}{way}")
    if max_samples is not None:
        raise ValueError("max_samples must be None where X is an operator")
    require_unused(bandwidth, "bandwidth", "X is an operator")
    require_unused(n_neighbors, "n_neighbors", "X is an operator")
    require_default_storage(options, "X is an operator, which is multiplied as it is")
    return as_operator(X, "X", affinities=True)
