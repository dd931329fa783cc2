"""The compiled core of dsentropy. Arguments are checked by the Python layer."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Rows: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
_About: TypeAlias = tuple[int, bool, int, float, float, int, int, float]
_Part: TypeAlias = tuple[_Rows, NDArray[np.float64]]
_Solution: TypeAlias = tuple[Estimate | None, bool, NDArray[np.float64] | None]

__all__ = [
    "CELL",
    "Estimate",
    "Frame",
    "GivenAffinity",
    "GivenOperator",
    "Measure",
    "Operator",
    "Request",
    "SparseOperator",
    "__version__",
    "allowed_single_error",
    "blas_config",
    "covariance_eigenvalues",
    "default_threads",
    "eigenvalues",
    "entropy",
    "estimate_operator",
    "estimate_spectrum",
    "estimate_subsets",
    "median_distance",
    "nearest_neighbors",
    "neighbor_distances",
    "neighbor_edges",
    "neighbor_graph",
    "operator_eigenvalues",
    "pair_moments",
    "pair_product",
    "part_error",
    "renyi_entropies",
    "spectral_entropy",
    "subset_eigenvalues",
    "subset_entropies",
    "sweep_eigenvalues",
    "symmetric_eigenvalues",
]

CELL: int
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

    def about(self) -> _About: ...
    def range(self) -> tuple[float, float]: ...
    def read(self, times: Sequence[float], orders: Sequence[float]) -> list[NDArray[np.float64]]: ...
    def to_arrays(self) -> tuple[list[float], NDArray[np.float64], NDArray[np.float64]]: ...
    @staticmethod
    def from_arrays(
        about: _About,
        known: Sequence[float],
        deflated: NDArray[np.float64],
        probes: NDArray[np.float64],
    ) -> Estimate: ...

@final
class Request:
    """What is asked of an estimate."""

    def __new__(
        cls,
        tol: float,
        times: Sequence[float],
        orders: Sequence[float],
        max_products: int,
        seed: int,
        storage: str,
        memory_limit: int | None,
    ) -> Request: ...

@final
class Frame:
    """What all parts of a data set have in common."""

    def __new__(cls, mean: NDArray[np.float64], largest: float, bandwidth: float, single: bool) -> Frame: ...
    def __getnewargs__(self) -> tuple[NDArray[np.float64], float, float, bool]: ...

@final
class SparseOperator:
    """A sparse symmetric matrix, or the diffusion operator of one."""

    def __new__(
        cls,
        starts: NDArray[np.int64],
        columns: NDArray[np.uint32],
        values: NDArray[np.float64],
        positive: bool,
        alpha: float | None,
    ) -> SparseOperator: ...

@final
class GivenOperator:
    """An operator that is known by its products."""

    def __new__(
        cls,
        product: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        dim: int,
        positive: bool,
        leading: NDArray[np.float64] | None,
        rounding: float,
    ) -> GivenOperator: ...

@final
class GivenAffinity:
    """The diffusion operator of an affinity that is computed by calls of Python."""

    def __new__(
        cls,
        product: Callable[[NDArray[np.float64], list[float], bool], NDArray[np.float64]],
        moments: Callable[[NDArray[np.float64], bool], tuple[float, float]],
        dim: int,
        alpha: float,
        error: float,
    ) -> GivenAffinity: ...

def estimate_spectrum(
    x: _Rows,
    metric: str,
    operator: Operator,
    positive: bool,
    request: Request,
    progress: Callable[[int, float], None] | None,
    num_threads: int | None,
) -> _Solution: ...
def estimate_subsets(
    x: _Rows,
    metric: str,
    subsets: Sequence[NDArray[np.uint64]],
    operator: Operator,
    request: Request,
    progress: Callable[[int, float], None] | None,
    num_threads: int | None,
) -> list[_Solution]: ...
def estimate_operator(
    operator: SparseOperator | GivenOperator | GivenAffinity,
    request: Request,
    progress: Callable[[int, float], None] | None,
    num_threads: int | None,
) -> _Solution: ...
def operator_eigenvalues(
    operator: SparseOperator | GivenOperator, num_threads: int | None
) -> NDArray[np.float64]: ...
def allowed_single_error(n: int, request: Request) -> float | None: ...
def part_error(x: _Rows, frame: Frame) -> float: ...
def pair_product(
    frame: Frame, ceilings: Sequence[float], one: _Part, other: _Part | None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]: ...
def pair_moments(frame: Frame, one: _Part, other: _Part | None) -> tuple[float, float]: ...
def eigenvalues(x: _Rows, metric: str, operator: Operator, num_threads: int | None) -> NDArray[np.float64]: ...
def sweep_eigenvalues(
    x: _Rows,
    metric: str,
    operators: Sequence[Operator],
    progress: Callable[[int, float], None] | None,
    num_threads: int | None,
) -> list[NDArray[np.float64]]: ...
def subset_eigenvalues(
    x: _Rows,
    metric: str,
    subsets: Sequence[NDArray[np.uint64]],
    operator: Operator,
    progress: Callable[[int, float], None] | None,
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
def neighbor_edges(
    x: _Rows, n_neighbors: int, num_threads: int | None
) -> tuple[NDArray[np.uintp], NDArray[np.uintp]]: ...
def default_threads() -> int: ...
def blas_config() -> tuple[str, str] | None: ...
