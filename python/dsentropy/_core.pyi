"""The compiled core of dsentropy. Arguments are checked by the Python layer."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Rows: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

__all__ = [
    "Estimate",
    "Measure",
    "Operator",
    "__version__",
    "blas_config",
    "covariance_eigenvalues",
    "default_threads",
    "eigenvalues",
    "entropy",
    "estimate_diffusion",
    "median_distance",
    "nearest_neighbors",
    "neighbor_distances",
    "neighbor_graph",
    "renyi_entropies",
    "spectral_entropy",
    "subset_eigenvalues",
    "subset_entropies",
    "sweep_eigenvalues",
    "symmetric_eigenvalues",
]

__version__: str

@final
class Operator:
    """A matrix built on a data set."""

    @staticmethod
    def diffusion(bandwidth: float | NDArray[np.float64], alpha: float, precision: str) -> Operator: ...
    @staticmethod
    def affinity(bandwidth: float | NDArray[np.float64]) -> Operator: ...
    @staticmethod
    def neighbor_graph(n_neighbors: int, symmetrize: str | None) -> Operator: ...

@final
class Measure:
    """An entropy of the rows of a data set that is not read off a spectrum."""

    @staticmethod
    def matrix_entries(bandwidth: float) -> Measure: ...
    @staticmethod
    def binned_rows(n_bins: int) -> Measure: ...

@final
class Estimate:
    """An estimated spectrum."""

    @property
    def dim(self) -> int: ...
    @property
    def products(self) -> int: ...
    @property
    def rounding(self) -> list[float]: ...
    def read(self, times: Sequence[float], orders: Sequence[float]) -> list[NDArray[np.float64]]: ...
    def to_arrays(self) -> tuple[list[float], NDArray[np.float64], NDArray[np.float64]]: ...
    @staticmethod
    def from_arrays(
        dim: int,
        products: int,
        rounding: Sequence[float],
        known: Sequence[float],
        deflated: NDArray[np.float64],
        probes: NDArray[np.float64],
    ) -> Estimate: ...

def estimate_diffusion(
    x: _Rows,
    bandwidth: float,
    alpha: float,
    tol: float,
    times: Sequence[float],
    orders: Sequence[float],
    max_products: int,
    seed: int,
    storage: str,
    memory_limit: int | None,
    num_threads: int | None,
) -> tuple[Estimate | None, bool, NDArray[np.float64] | None]: ...
def eigenvalues(x: _Rows, metric: str, operator: Operator, num_threads: int | None) -> NDArray[np.float64]: ...
def sweep_eigenvalues(
    x: _Rows,
    metric: str,
    operators: Sequence[Operator],
    progress: Callable[[int], None] | None,
    num_threads: int | None,
) -> list[NDArray[np.float64]]: ...
def subset_eigenvalues(
    x: _Rows,
    metric: str,
    subsets: Sequence[NDArray[np.uint64]],
    operator: Operator,
    progress: Callable[[int], None] | None,
    num_threads: int | None,
) -> list[NDArray[np.float64]]: ...
def symmetric_eigenvalues(matrix: _Rows, num_threads: int | None) -> NDArray[np.float64]: ...
def covariance_eigenvalues(x: _Rows, num_threads: int | None) -> NDArray[np.float64]: ...
def median_distance(x: _Rows, metric: str, num_threads: int | None) -> float: ...
def neighbor_distances(x: _Rows, metric: str, n_neighbors: int, num_threads: int | None) -> NDArray[np.float64]: ...
def renyi_entropies(
    eigenvalues: NDArray[np.float64], times: Sequence[float], orders: Sequence[float]
) -> NDArray[np.float64]: ...
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
