"""The compiled core of dsentropy. Arguments are checked by the Python layer."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Rows: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
_Metric: TypeAlias = Literal["euclidean", "precomputed", "affinity"]
_Precision: TypeAlias = Literal["single", "double", "fastest"]
_Storage: TypeAlias = Literal["auto", "dense", "tiled"]
_Symmetrize: TypeAlias = Literal["union", "mutual", "mean"]
_Progress: TypeAlias = Callable[[int, float], None]
"""Called with how much is done, and with the uncertainty of an estimate in bits (else NaN)."""

__all__ = [
    "CHUNK_ALIGNMENT",
    "BlasConfig",
    "CallbackAffinity",
    "CallbackOperator",
    "Chunk",
    "Estimate",
    "EstimateArrays",
    "EstimateInfo",
    "GlobalScaling",
    "Measure",
    "Moments",
    "NeighborEdges",
    "Neighbors",
    "OperatorSpec",
    "PairProduct",
    "Readings",
    "Solution",
    "SparseOperator",
    "__version__",
    "allowed_single_error",
    "blas_config",
    "chunk_error",
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
    "renyi_entropies",
    "spectral_entropy",
    "subset_eigenvalues",
    "subset_entropies",
    "sweep_eigenvalues",
    "symmetric_eigenvalues",
]

CHUNK_ALIGNMENT: int
__version__: str

class _SlqOptions(Protocol):
    """The options of an estimate, read by field: any object with these attributes."""

    @property
    def tol(self) -> float:
        """The uncertainty to reach, in bits."""
    @property
    def times(self) -> Sequence[float]:
        """The diffusion times at which ``tol`` holds."""
    @property
    def orders(self) -> Sequence[float]:
        """The Renyi orders at which ``tol`` holds."""
    @property
    def max_products(self) -> int:
        """The most matrix-vector products."""
    @property
    def seed(self) -> int:
        """The seed of the random probes, below 2^64."""
    @property
    def storage(self) -> _Storage:
        """Whether the affinity is stored or computed anew for each product."""
    @property
    def memory_limit(self) -> int | None:
        """The most bytes that may be used; by default what the machine has."""

class _Moments(Protocol):
    """The moments of a scaled affinity, read by field."""

    @property
    def trace(self) -> float: ...
    @property
    def squared_norm(self) -> float: ...

@final
class OperatorSpec:
    """The description of a matrix that is built on a data set."""

    @staticmethod
    def diffusion(bandwidth: float | NDArray[np.float64], alpha: float, precision: _Precision) -> OperatorSpec:
        """The symmetric diffusion operator, with eigenvalues in this precision."""
    @staticmethod
    def affinity(bandwidth: float | NDArray[np.float64]) -> OperatorSpec:
        """The Gaussian affinity itself."""
    @staticmethod
    def neighbor_graph(n_neighbors: int, symmetrize: _Symmetrize | None) -> OperatorSpec:
        """The nearest-neighbour graph, the row itself counted; made symmetric, or left as is."""

@final
class Measure:
    """The description of an entropy of data that is not read off a spectrum."""

    @staticmethod
    def matrix_entries(bandwidth: float) -> Measure:
        """The entropy of the entries of the row-normalised diffusion operator."""
    @staticmethod
    def binned_rows(n_bins: int) -> Measure:
        """The entropy of rows whose entries are put into equal-width bins."""

@final
class EstimateInfo:
    """What an estimate states about its operator, and about how it was made."""

    def __new__(
        cls,
        *,
        dim: int,
        positive_semidefinite: bool,
        products: int,
        rounding: float,
        entry_error: float,
        deflated_degree: int,
        probe_degree: int,
        largest_modulus: float,
    ) -> EstimateInfo: ...
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def dim(self) -> int:
        """N, the number of eigenvalues."""
    @property
    def positive_semidefinite(self) -> bool:
        """Whether no eigenvalue is negative, so that bounds are those of the operator and not of its square."""
    @property
    def products(self) -> int:
        """The number of matrix-vector products."""
    @property
    def rounding(self) -> float:
        """The fraction of the trace below which nothing is known."""
    @property
    def entry_error(self) -> float:
        """The relative error of the operator's entries."""
    @property
    def deflated_degree(self) -> int:
        """The degree up to which the quadrature rules of the deflated part are exact for polynomials."""
    @property
    def probe_degree(self) -> int:
        """The degree up to which the quadrature rules of the probes are exact for polynomials."""
    @property
    def largest_modulus(self) -> float:
        """An upper bound of the moduli of the eigenvalues, as far as is known."""

@final
class Readings:
    """Entropies that are read off an estimate, with their errors: arrays [times, orders], in bits."""

    @property
    def entropy(self) -> NDArray[np.float64]:
        """The entropies."""
    @property
    def standard_error(self) -> NDArray[np.float64]:
        """One standard error of the sampling."""
    @property
    def lower(self) -> NDArray[np.float64]:
        """The lower truncation bounds; rounding is in them."""
    @property
    def upper(self) -> NDArray[np.float64]:
        """The upper truncation bounds; rounding is in them."""

@final
class EstimateArrays:
    """The numbers that an estimate consists of, besides its `EstimateInfo`."""

    @property
    def known(self) -> NDArray[np.float64]:
        """The sums of 1, x and x^2 over the part that is left to the probes, as far as they are known: [0 to 3]."""
    @property
    def deflated(self) -> NDArray[np.float64]:
        """Nodes and weights of the three quadrature rules of the deflated part: [6, nodes]."""
    @property
    def probes(self) -> NDArray[np.float64]:
        """Nodes and weights of the three quadrature rules of each probe: [probes, 6, nodes]."""

@final
class Estimate:
    """An estimated spectrum: nodes and weights, from which entropies are read with their errors."""

    @property
    def info(self) -> EstimateInfo:
        """What the estimate states about its operator, and about how it was made."""
    @property
    def smallest_node(self) -> float:
        """The smallest node, or 0 where none is negative: an eigenvalue as small exists."""
    @property
    def largest_node(self) -> float:
        """The largest node, or 0 where none is positive: an eigenvalue as large exists."""
    def read(self, times: Sequence[float], orders: Sequence[float]) -> Readings:
        """Reads the entropy, its standard error and its bounds at each pair of a time and an order, all positive."""
    def to_arrays(self) -> EstimateArrays:
        """Copies the estimate into arrays, from which `from_arrays` restores it."""
    @staticmethod
    def from_arrays(
        info: EstimateInfo,
        known: Sequence[float] | NDArray[np.float64],
        deflated: NDArray[np.float64],
        probes: NDArray[np.float64],
    ) -> Estimate:
        """Restores an estimate from its `info` and the arrays of `to_arrays`."""

@final
class Solution:
    """An estimated spectrum, or all eigenvalues where the exact solver costs less."""

    @staticmethod
    def exact(eigenvalues: NDArray[np.float64]) -> Solution:
        """Wraps the eigenvalues that the exact solver computed."""
    @property
    def estimate(self) -> Estimate | None:
        """The estimate; None where the exact solver was used."""
    @property
    def converged(self) -> bool:
        """Whether the uncertainty is within the tolerance; always true of the exact solver."""
    @property
    def eigenvalues(self) -> NDArray[np.float64]:
        """The eigenvalues of the exact solver; AttributeError where the spectrum is estimated."""

@final
class Neighbors:
    """The nearest other rows of each row: two arrays [N, n_neighbors], ascending by distance."""

    @property
    def distances(self) -> NDArray[np.float64]:
        """Euclidean distances."""
    @property
    def indices(self) -> NDArray[np.uintp]:
        """Row numbers; ascending where distances are equal."""

@final
class NeighborEdges:
    """The sparsity pattern of a nearest-neighbour graph in compressed rows (CSR); each stored entry is 1."""

    @property
    def indptr(self) -> NDArray[np.uintp]:
        """Row i has the entries indptr[i] to indptr[i + 1]."""
    @property
    def indices(self) -> NDArray[np.uintp]:
        """The column of each entry."""

@final
class GlobalScaling:
    """What all chunks of a data set share: its mean row, its largest entry, the bandwidth and the precision."""

    def __new__(
        cls, *, mean: NDArray[np.float64], largest: float, bandwidth: float, single: bool
    ) -> GlobalScaling: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, object]]:
        """The arguments of the constructor, for pickle."""
    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean row [D]."""
    @property
    def largest(self) -> float:
        """The largest modulus of an entry of the data."""
    @property
    def bandwidth(self) -> float:
        """The bandwidth, in units of the data."""
    @property
    def single(self) -> bool:
        """Whether affinities are computed in f32."""

@final
class Chunk:
    """Rows [n, D] of a chunk, and vectors [n, b] of these rows or the diagonal [n, 1] of a scaling."""

    def __new__(cls, rows: _Rows, vectors: NDArray[np.float64]) -> Chunk: ...

@final
class PairProduct:
    """The products of one or two chunks with the affinity between them."""

    @property
    def first(self) -> NDArray[np.float64]:
        """The rows of the first chunk: G_12 x_2 of two chunks, G_11 x_1 of one."""
    @property
    def second(self) -> NDArray[np.float64] | None:
        """The rows of the second chunk, G_21 x_1; None where there is one chunk."""

@final
class Moments:
    """The trace and the squared Frobenius norm of a scaled affinity S G S, or of a part of it."""

    def __new__(cls, *, trace: float, squared_norm: float) -> Moments: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, object]]:
        """The arguments of the constructor, for pickle."""
    @property
    def trace(self) -> float:
        """The sum of the diagonal entries."""
    @property
    def squared_norm(self) -> float:
        """The sum of the squared entries."""

@final
class SparseOperator:
    """A sparse symmetric matrix, or the diffusion operator of sparse affinities."""

    def __new__(
        cls,
        indptr: NDArray[np.int64],
        indices: NDArray[np.uint32],
        data: NDArray[np.float64],
        *,
        positive_semidefinite: bool,
        alpha: float | None = None,
    ) -> SparseOperator: ...

@final
class CallbackOperator:
    """A symmetric operator whose products a Python callable computes."""

    def __new__(
        cls,
        product: Callable[[NDArray[np.float64]], NDArray[np.float64]],
        dim: int,
        *,
        name: str,
        positive_semidefinite: bool,
        rounding: float,
        alpha: float | None = None,
    ) -> CallbackOperator: ...

@final
class CallbackAffinity:
    """The diffusion operator of an affinity whose products and moments Python callables compute."""

    def __new__(
        cls,
        product: Callable[[NDArray[np.float64], list[float], bool], NDArray[np.float64]],
        moments: Callable[[NDArray[np.float64], bool], _Moments],
        dim: int,
        *,
        alpha: float,
        error: float,
    ) -> CallbackAffinity: ...

@final
class BlasConfig:
    """The linked OpenBLAS: its build configuration and the kind of core that it dispatches to."""

    @property
    def build(self) -> str:
        """The version and the options of the build."""
    @property
    def core(self) -> str:
        """The kind of core that is dispatched to."""

def estimate_spectrum(
    x: _Rows,
    metric: _Metric,
    operator: OperatorSpec,
    options: _SlqOptions,
    *,
    positive_semidefinite: bool = False,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> Solution:
    """Estimates the spectrum of a kernel operator, or computes it where the exact solver costs less.

    Given affinities are estimated as indefinite unless ``positive_semidefinite`` states otherwise. Exact eigenvalues
    are moduli, but for an affinity matrix that was stated to be positive semi-definite. ``progress(products,
    uncertainty)`` is called with the number of matrix-vector products and the uncertainty in bits.
    """

def estimate_subsets(
    x: _Rows,
    metric: _Metric,
    subsets: Sequence[NDArray[np.uint64]],
    operator: OperatorSpec,
    options: _SlqOptions,
    *,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> list[Solution]:
    """Estimates the spectrum of a kernel operator on each subset of the rows, or computes it where that costs less.

    ``progress(done, nan)`` is called with the number of subsets that are done.
    """

def estimate_operator(
    operator: SparseOperator | CallbackOperator | CallbackAffinity,
    options: _SlqOptions,
    *,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> Solution:
    """Estimates the spectrum of an operator that is not built on rows, or computes it where that costs less.

    Exact eigenvalues keep their signs. ``progress(products, uncertainty)`` is called with the number of matrix-vector
    products and the uncertainty in bits.
    """

def operator_eigenvalues(
    operator: SparseOperator | CallbackOperator, num_threads: int | None = None
) -> NDArray[np.float64]:
    """The eigenvalues of a sparse or a callback operator, ascending, from its products with the identity matrix."""

def eigenvalues(
    x: _Rows, metric: _Metric, operator: OperatorSpec, num_threads: int | None = None
) -> NDArray[np.float64]:
    """The moduli of an operator's eigenvalues, in no particular order."""

def sweep_eigenvalues(
    x: _Rows,
    metric: _Metric,
    operators: Sequence[OperatorSpec],
    *,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> list[NDArray[np.float64]]:
    """The moduli of the eigenvalues of each of several operators on the same data.

    ``progress(done, nan)`` is called with the number of operators that are done.
    """

def subset_eigenvalues(
    x: _Rows,
    metric: _Metric,
    subsets: Sequence[NDArray[np.uint64]],
    operator: OperatorSpec,
    *,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> list[NDArray[np.float64]]:
    """The moduli of the eigenvalues of an operator on each subset of the rows.

    ``progress(done, nan)`` is called with the number of subsets that are done.
    """

def symmetric_eigenvalues(matrix: _Rows, num_threads: int | None = None) -> NDArray[np.float64]:
    """The eigenvalues of a symmetric matrix, ascending; only its diagonal and what is above it are read."""

def covariance_eigenvalues(x: _Rows, num_threads: int | None = None) -> NDArray[np.float64]:
    """The eigenvalues of the covariance matrix of the columns."""

def renyi_entropies(
    eigenvalues: NDArray[np.float64], times: Sequence[float], orders: Sequence[float]
) -> NDArray[np.float64]:
    """The Renyi entropies of eigenvalues raised to each power t, in bits: an array [times, orders]."""

def spectral_entropy(eigenvalues: NDArray[np.float64], t: float) -> float:
    """The entropy of eigenvalues raised to the power t, in bits, shifted as in dse-dsmi."""

def entropy(x: _Rows, measure: Measure, num_threads: int | None = None) -> float:
    """The entropy of all rows by a measure that needs no spectrum, in bits."""

def subset_entropies(
    x: _Rows, subsets: Sequence[NDArray[np.uint64]], measure: Measure, num_threads: int | None = None
) -> NDArray[np.float64]:
    """The entropy of each subset of the rows by a measure that needs no spectrum, in bits."""

def median_distance(x: _Rows, metric: _Metric, num_threads: int | None = None) -> float:
    """The median of the positive distances of all pairs of rows; 0 where no distance is positive."""

def neighbor_distances(
    x: _Rows, metric: _Metric, n_neighbors: int, num_threads: int | None = None
) -> NDArray[np.float64]:
    """The distance of each row to its ``n_neighbors``-th nearest other row."""

def nearest_neighbors(x: _Rows, n_neighbors: int, num_threads: int | None = None) -> Neighbors:
    """The nearest other rows of each row; the row itself is not counted."""

def neighbor_graph(x: _Rows, n_neighbors: int, num_threads: int | None = None) -> NDArray[np.float64]:
    """The adjacency matrix of the nearest-neighbour graph [N, N]; the row itself is counted."""

def neighbor_edges(x: _Rows, n_neighbors: int, num_threads: int | None = None) -> NeighborEdges:
    """The nearest-neighbour graph of `neighbor_graph` in compressed rows, without an N x N matrix."""

def allowed_single_error(dim: int, options: _SlqOptions) -> float | None:
    """The relative error that affinities of ``dim`` rows may have in f32 for an estimate; None: f64 is needed."""

def chunk_error(rows: _Rows, scaling: GlobalScaling) -> float:
    """The relative error that affinities of the rows of a chunk have in f32; infinite where f32 cannot hold them."""

def pair_product(
    scaling: GlobalScaling, ceilings: Sequence[float], first: Chunk, second: Chunk | None = None
) -> PairProduct:
    """The products of the affinity between two chunks, or within one, with the vectors of the chunks.

    The products are rounded by ``ceilings``, one for each vector, so that their sums over pairs do not depend on the
    order.
    """

def pair_moments(scaling: GlobalScaling, first: Chunk, second: Chunk | None = None) -> Moments:
    """The moments of what S G S has between two chunks, in both of its blocks, or within one.

    The vectors of the chunks are the diagonal of S [n, 1].
    """

def default_threads() -> int:
    """The number of threads of a call that names none."""

def blas_config() -> BlasConfig | None:
    """The configuration of the linked OpenBLAS; None with another LAPACK."""
