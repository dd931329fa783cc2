"""The strings that arguments of public functions take, as types."""

from __future__ import annotations

from typing import Literal, TypeAlias

Graph: TypeAlias = Literal["gaussian", "knn"]
"""All affinities, or those of near rows."""

Symmetrize: TypeAlias = Literal["union", "mutual", "mean"]
"""How a graph of nearest neighbours is made symmetric."""

Binning: TypeAlias = Literal["width", "quantile"]
"""Bins of equal width, or with equally many rows each."""
