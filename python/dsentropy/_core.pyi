"""The compiled core of dsentropy. Arguments are checked by the Python layer."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, Protocol, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float64]
_Rows: TypeAlias = NDArray[np.float32] | _Floats
_Metric: TypeAlias = Literal["euclidean", "precomputed", "affinity"]
_Precision: TypeAlias = Literal["single", "double", "fastest"]
_Storage: TypeAlias = Literal["auto", "dense", "tiled"]
_Symmetrize: TypeAlias = Literal["union", "mutual", "mean"]
_Counts: TypeAlias = NDArray[np.int64] | None
_Rounding: TypeAlias = float | None
"""A unit roundoff: distances that differ by no more than it explains are tied. None: those that are equal."""
_Progress: TypeAlias = Callable[[int, float], None]
"""Called with how much is done, and with the uncertainty of an estimate in bits (else NaN)."""

# fmt: off
__all__ = [
    "CHUNK_ALIGNMENT", "BlasConfig", "CallbackAffinity", "CallbackOperator", "Chunk", "Estimate", "EstimateArrays",
    "EstimateInfo", "GlobalScaling", "Measure", "Moments", "NeighborEdges", "Neighbors", "OperatorMatrix",
    "OperatorSpec", "PairProduct", "Readings", "Scatter", "Solution", "SparseOperator", "__version__",
    "allowed_single_error", "blas_config", "block_scatter", "chunk_error", "covariance_eigenvalues",
    "default_threads", "distinct_rows", "eigenvalues", "entropy", "estimate_bytes", "estimate_operator",
    "estimate_spectrum", "estimate_subsets", "haar_product", "matrix_eigenvalues", "median_distance",
    "nearest_neighbors", "neighbor_distances", "neighbor_edges", "neighbor_graph", "operator_eigenvalues",
    "pair_moments", "pair_product", "renyi_entropies", "require_memory", "spectral_entropy", "subset_eigenvalues",
    "subset_entropies", "sweep_eigenvalues", "symmetric_eigenvalues",
]
# fmt: on

CHUNK_ALIGNMENT: int
__version__: str

class _SlqOptions(Protocol):
    """The options of an estimate, read by field; see :class:`dsentropy._operator.slq_options.SlqOptions`."""

    @property
    def tol(self) -> float: ...
    @property
    def times(self) -> Sequence[float]: ...
    @property
    def orders(self) -> Sequence[float]: ...
    @property
    def max_products(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def storage(self) -> _Storage: ...
    @property
    def memory_limit(self) -> int | None: ...

@final
class OperatorSpec:
    """The description of a matrix that is built on a data set."""

    @staticmethod
    def diffusion(
        bandwidth: float | _Floats, alpha: float, precision: _Precision, row_weights: _Floats | None = None
    ) -> OperatorSpec:
        """The symmetric diffusion operator, with eigenvalues in this precision; each row counts as its weight."""
    @staticmethod
    def affinity(bandwidth: float | _Floats) -> OperatorSpec:
        """The Gaussian affinity itself."""
    @staticmethod
    def neighbor_graph(n_neighbors: int, symmetrize: _Symmetrize | None, rounding: _Rounding = None) -> OperatorSpec:
        """The nearest-neighbour graph, the row itself counted; made symmetric, or left as is."""

@final
class OperatorMatrix:
    """An operator as a matrix, until its eigenvalues are computed."""

    @staticmethod
    def of(x: _Rows, metric: _Metric, operator: OperatorSpec, num_threads: int | None = None) -> OperatorMatrix:
        """The operator of a kernel."""
    @staticmethod
    def at_median(x: _Rows, alpha: float, precision: _Precision, num_threads: int | None = None) -> OperatorMatrix:
        """The diffusion operator of rows, with the median of their distances as the bandwidth."""

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
    """Facts about the operator of an estimate, and how the estimate was made."""

    def __new__(
        cls,
        *,
        dim: int,
        positive_semidefinite: bool,
        products: int,
        rounding: float,
        entry_error: float,
        unit_roundoff: float,
        largest_modulus: float,
    ) -> EstimateInfo: ...
    def __eq__(self, other: object, /) -> bool: ...
    dim: Final[int]
    """N, the number of eigenvalues."""
    positive_semidefinite: Final[bool]
    """Whether no eigenvalue is negative, so that bounds are those of the operator and not of its square."""
    products: Final[int]
    """The number of matrix-vector products."""
    rounding: Final[float]
    """The fraction of the trace below which nothing is known."""
    entry_error: Final[float]
    """The relative error of the operator's entries."""
    unit_roundoff: Final[float]
    """The unit roundoff of the entries that the operator was made of, as they were given."""
    largest_modulus: Final[float]
    """An upper bound of the moduli of the eigenvalues; infinite if none is known."""

@final
class Readings:
    """Entropies that are read off an estimate, with their errors: arrays [times, orders], in bits."""

    entropy: Final[_Floats]
    """The entropies."""
    standard_error: Final[_Floats]
    """One standard error of the sampling."""
    lower: Final[_Floats]
    """The lower truncation bounds; rounding is in them."""
    upper: Final[_Floats]
    """The upper truncation bounds; rounding is in them."""

@final
class EstimateArrays:
    """The numbers that an estimate consists of, besides its `EstimateInfo`."""

    known: Final[_Floats]
    """The sums of 1, x and x^2 over the part that is left to the probes, as far as they are known: [0 to 3]."""
    deflated: Final[_Floats]
    """Nodes and weights of the five quadrature rules of the deflated part: [10, nodes]."""
    probes: Final[_Floats]
    """Nodes and weights of the five quadrature rules of each probe: [probes, 10, nodes]."""
    steps: Final[NDArray[np.uint64]]
    """The products of the deflated part and of each probe: [1 + probes]."""

@final
class Estimate:
    """An estimated spectrum: nodes and weights, from which entropies are read with their errors."""

    info: Final[EstimateInfo]
    """What the estimate states about its operator, and about how it was made."""
    smallest_node: Final[float]
    """The smallest node, or 0 where none is negative: an eigenvalue as small exists."""
    largest_node: Final[float]
    """The largest node, or 0 where none is positive: an eigenvalue as large exists."""
    def read(self, times: Sequence[float], orders: Sequence[float]) -> Readings:
        """Reads the entropy, its standard error and its bounds at each pair of a time and an order, all positive."""
    def to_arrays(self) -> EstimateArrays:
        """Copies the estimate into arrays, from which `from_arrays` restores it."""
    @staticmethod
    def from_arrays(
        info: EstimateInfo, known: Sequence[float] | _Floats, deflated: _Floats, probes: _Floats, steps: Sequence[int]
    ) -> Estimate:
        """Restores an estimate from its `info` and the arrays of `to_arrays`."""

@final
class Solution:
    """An estimated spectrum, or all eigenvalues where the exact solver costs less."""

    @staticmethod
    def exact(eigenvalues: _Floats) -> Solution:
        """Wraps the eigenvalues that the exact solver computed."""
    estimate: Final[Estimate | None]
    """The estimate; None where the exact solver was used."""
    converged: Final[bool]
    """Whether the uncertainty is within the tolerance; always true of the exact solver."""
    eigenvalues: Final[_Floats]
    """The eigenvalues of the exact solver; AttributeError where the spectrum is estimated."""

@final
class Neighbors:
    """The nearest other rows of each row: two arrays [N, n_neighbors], ascending by distance, then by number."""

    distances: Final[_Floats]
    indices: Final[NDArray[np.uintp]]

@final
class NeighborEdges:
    """The edges of a nearest-neighbour graph, those from rows to themselves among them, in compressed rows (CSR)."""

    indptr: Final[NDArray[np.uintp]]
    indices: Final[NDArray[np.uintp]]
    distances: Final[_Floats]

@final
class GlobalScaling:
    """The mean row, largest entry, bandwidth and precision that all chunks of a data set share."""

    def __new__(cls, *, mean: _Floats, largest: float, bandwidth: float, single: bool) -> GlobalScaling: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, object]]: ...
    mean: Final[_Floats]
    """The mean row [D]."""
    largest: Final[float]
    """The largest modulus of an entry of the data."""
    bandwidth: Final[float]
    """The bandwidth, in units of the data."""
    single: Final[bool]
    """Whether affinities are computed in f32."""

@final
class Chunk:
    """Rows [n, D] of a chunk, and vectors [n, b] of these rows or the diagonal [n, 1] of a scaling."""

    def __new__(cls, rows: _Rows, vectors: _Floats) -> Chunk: ...

@final
class PairProduct:
    """The products of one or two chunks with the affinity between them."""

    first: Final[_Floats]
    """The rows of the first chunk: G_12 x_2 of two chunks, G_11 x_1 of one."""
    second: Final[_Floats | None]
    """The rows of the second chunk, G_21 x_1; None where there is one chunk."""

@final
class Moments:
    """The trace and the squared Frobenius norm of a scaled affinity S G S, or of a part of it."""

    def __new__(cls, *, trace: float, squared_norm: float) -> Moments: ...
    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, object]]:
        """The arguments of the constructor, for pickle."""
    trace: Final[float]
    """The sum of the diagonal entries."""
    squared_norm: Final[float]
    """The sum of the squared entries."""

@final
class SparseOperator:
    """A sparse symmetric matrix, or the diffusion operator of sparse affinities."""

    def __new__(
        cls,
        indptr: NDArray[np.int64],
        indices: NDArray[np.uint32],
        data: _Floats,
        *,
        positive_semidefinite: bool,
        unit_roundoff: float,
        alpha: float | None = None,
        multiplicities: _Counts = None,
    ) -> SparseOperator: ...

@final
class CallbackOperator:
    """A symmetric operator whose products a Python callable computes."""

    def __new__(
        cls,
        product: Callable[[_Floats], _Floats],
        dim: int,
        *,
        name: str,
        positive_semidefinite: bool,
        rounding: float,
        unit_roundoff: float,
        alpha: float | None = None,
    ) -> CallbackOperator: ...

@final
class CallbackAffinity:
    """An operator made of an affinity whose products and moments Python callables compute."""

    def __new__(
        cls,
        product: Callable[[_Floats, list[float], bool], _Floats],
        moments: Callable[[_Floats, bool], Moments],
        dim: int,
        *,
        alpha: float | None,
        error: float,
        rounding: float | None = None,
        positive_semidefinite: bool = True,
        row_weights: _Floats | None = None,
        speed: float = 1.0,
    ) -> CallbackAffinity: ...

@final
class BlasConfig:
    """The linked OpenBLAS: its build configuration and the kind of core that it dispatches to."""

    build: Final[str]
    """The version and the options of the build."""
    core: Final[str]
    """The kind of core that is dispatched to."""

def estimate_spectrum(
    x: _Rows,
    metric: _Metric,
    operator: OperatorSpec,
    options: _SlqOptions,
    *,
    positive_semidefinite: bool = False,
    unit_roundoff: float = ...,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> Solution:
    """Estimates the spectrum of a kernel operator, or computes it where the exact solver costs less.

    Given affinities, entries of this ``unit_roundoff``, are indefinite unless ``positive_semidefinite`` states
    otherwise. Exact eigenvalues are moduli, but for those. ``progress(products, uncertainty)`` has bits.
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

    ``progress(done, nan)`` has the number of subsets that are done.
    """

def estimate_operator(
    operator: SparseOperator | CallbackOperator | CallbackAffinity,
    options: _SlqOptions,
    *,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> Solution:
    """Estimates the spectrum of an operator that is not built on rows, or computes it where that costs less.

    Exact eigenvalues keep their signs. ``progress(products, uncertainty)`` has the uncertainty in bits.
    """

def estimate_bytes(dim: int) -> int:
    """The bytes that an estimate of an operator of ``dim`` rows holds at once, without rows and affinities."""

def operator_eigenvalues(operator: SparseOperator | CallbackOperator, num_threads: int | None = None) -> _Floats:
    """The eigenvalues of a sparse or a callback operator, ascending, from its products with the identity matrix."""

def eigenvalues(x: _Rows, metric: _Metric, operator: OperatorSpec, num_threads: int | None = None) -> _Floats:
    """The moduli of an operator's eigenvalues, in no particular order."""

def sweep_eigenvalues(
    x: _Rows,
    metric: _Metric,
    operators: Sequence[OperatorSpec],
    *,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> list[_Floats]:
    """The moduli of eigenvalues of several operators on the same data; ``progress(done, nan)`` after each."""

def matrix_eigenvalues(matrices: Sequence[OperatorMatrix], num_threads: int | None = None) -> list[_Floats]:
    """The moduli of the eigenvalues of each of several matrices, which are used up."""

def subset_eigenvalues(
    x: _Rows,
    metric: _Metric,
    subsets: Sequence[NDArray[np.uint64]],
    operator: OperatorSpec,
    *,
    progress: _Progress | None = None,
    num_threads: int | None = None,
) -> list[_Floats]:
    """The moduli of an operator's eigenvalues on each subset of the rows; ``progress(done, nan)`` after each."""

def symmetric_eigenvalues(matrix: _Rows, num_threads: int | None = None) -> _Floats:
    """The eigenvalues of a symmetric matrix, ascending; only its diagonal and what is above it are read."""

def haar_product(n: int, normal: _Floats, a: _Floats, num_threads: int | None = None) -> _Floats:
    """The product Q A [n, d], with Q uniform among the matrices whose columns are orthonormal and sum to 0.

    A is a matrix, or the diagonal of one.
    """

def covariance_eigenvalues(x: _Rows, centred: bool, num_threads: int | None = None) -> _Floats:
    """The eigenvalues of the covariance matrix of the columns or, if not ``centred``, of their second moments."""

@final
class Scatter:
    """Mean and scatter of a block of rows, in units of a power of two."""

    mean: Final[_Floats]
    scatter: Final[_Floats]
    exponent: Final[int]

def block_scatter(x: _Rows, num_threads: int | None = None) -> Scatter:
    """Mean and scatter of a block of rows."""

def renyi_entropies(eigenvalues: _Floats, times: Sequence[float], orders: Sequence[float]) -> _Floats:
    """The Renyi entropies of eigenvalues raised to each power t, in bits: an array [times, orders]."""

def spectral_entropy(eigenvalues: _Floats, t: float) -> float:
    """The entropy of eigenvalues raised to the power t, in bits, shifted as in dse-dsmi."""

def entropy(x: _Rows, measure: Measure, num_threads: int | None = None) -> float:
    """The entropy of all rows by a measure that needs no spectrum, in bits."""

def subset_entropies(
    x: _Rows, subsets: Sequence[NDArray[np.uint64]], measure: Measure, num_threads: int | None = None
) -> _Floats:
    """The entropy of each subset of the rows by a measure that needs no spectrum, in bits."""

def distinct_rows(x: _Rows, tolerance: float = 0.0) -> NDArray[np.uintp]:
    """The number of a row that represents each row: one that is equal to it, or at most ``tolerance`` from it."""

def median_distance(
    x: _Rows, metric: _Metric, multiplicities: _Floats | None = None, num_threads: int | None = None
) -> float:
    """The median of the positive distances of all pairs of rows, each of which may stand for several; or 0."""

def neighbor_distances(x: _Rows, metric: _Metric, n_neighbors: int, num_threads: int | None = None) -> _Floats:
    """The distance of each row to its ``n_neighbors``-th nearest other row."""

def nearest_neighbors(x: _Rows, n_neighbors: int, num_threads: int | None = None) -> Neighbors:
    """The nearest other rows of each row; the row itself is not counted."""

def neighbor_graph(x: _Rows, n_neighbors: int, num_threads: int | None = None) -> _Floats:
    """The adjacency matrix of the nearest-neighbour graph [N, N]; the row itself is counted."""

def neighbor_edges(
    x: _Rows, metric: _Metric, n_neighbors: int, multiplicities: _Counts = None, rounding: _Rounding = None,
    num_threads: int | None = None
) -> NeighborEdges:  # fmt: skip
    """The nearest-neighbour graph with ties, the row itself counted; each row may stand for several equal ones."""

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

def require_memory(rows: int, needed: int) -> None:
    """Raise a MemoryError unless an array of ``rows`` rows that takes ``needed`` bytes fits into memory."""

def blas_config() -> BlasConfig | None:
    """The configuration of the linked OpenBLAS; None with another LAPACK."""
