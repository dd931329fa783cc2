"""The compiled core of dsentropy. Arguments are checked by the Python layer."""

from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Rows: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

__all__ = [
    "Measure",
    "Operator",
    "__version__",
    "blas_config",
    "default_threads",
    "eigenvalues",
    "entropy",
    "nearest_neighbors",
    "neighbor_graph",
    "spectral_entropy",
    "subset_entropies",
]

__version__: str

@final
class Operator:
    """A matrix built on the rows of a data set."""

    @staticmethod
    def diffusion(bandwidth: float, precision: str) -> Operator: ...
    @staticmethod
    def affinity(bandwidth: float) -> Operator: ...
    @staticmethod
    def neighbor_graph(n_neighbors: int) -> Operator: ...

@final
class Measure:
    """An entropy of the rows of a data set."""

    @staticmethod
    def spectral(operator: Operator, t: float) -> Measure: ...
    @staticmethod
    def matrix_entries(bandwidth: float) -> Measure: ...
    @staticmethod
    def binned_rows(n_bins: int) -> Measure: ...

def eigenvalues(x: _Rows, operator: Operator, num_threads: int | None) -> NDArray[np.float64]: ...
def spectral_entropy(eigenvalues: NDArray[np.float64], t: float) -> float: ...
def entropy(x: _Rows, measure: Measure, num_threads: int | None) -> float: ...
def subset_entropies(
    x: _Rows, subsets: list[NDArray[np.uint64]], measure: Measure, num_threads: int | None
) -> NDArray[np.float64]: ...
def neighbor_graph(x: _Rows, n_neighbors: int, num_threads: int | None) -> NDArray[np.float64]: ...
def nearest_neighbors(
    x: _Rows, n_neighbors: int, num_threads: int | None
) -> tuple[NDArray[np.float64], NDArray[np.uintp]]: ...
def default_threads() -> int: ...
def blas_config() -> tuple[str, str] | None: ...
