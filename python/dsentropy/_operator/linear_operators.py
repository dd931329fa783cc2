"""Operators in place of data: sparse matrices of SciPy, and objects with ``shape`` and ``matmat``.

They are taken as they are, or as affinities G of which the diffusion operator ``K = S G S`` is made, with S the
diagonal matrix of a scale (:func:`dsentropy.diffusion_spectrum`). Checks cost one pass over a sparse matrix, or one
product of an object with two vectors; eigenvalues take N products with vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dsentropy import _core
from dsentropy._checks.containers import is_sparse
from dsentropy._checks.conversion import as_product
from dsentropy._checks.pairs import F64_ROUNDOFF, affinity_rounding, negative_text, relative_roundoff, unit_roundoff
from dsentropy._checks.progress import Advance
from dsentropy._core import CallbackOperator, Solution, SparseOperator
from dsentropy._data.fingerprint import digest
from dsentropy._operator.eigenvalue_range import (
    GIVE_THE_DTYPE,
    binary_exponent,
    negative_tol,
    require_nonzero,
    require_positive_semidefinite,
)
from dsentropy._operator.product_statement import NOTHING_STATED, ProductStatement
from dsentropy._operator.slq_options import MAX_PRODUCTS, MAX_PRODUCTS_SPARSE, SlqOptions

ROUNDING = {2.0**-8: 1e-1, 2.0**-11: 1e-2, 2.0**-24: 1e-6}
"""The relative error of matrix-vector products, by the unit roundoff of the dtype in which they are computed."""

PRODUCT_ROUNDING = 1e-10
"""The relative error of sums of products in float64, and so the least of an estimate."""

_SHIFT = 64
"""Binary exponent by which vectors are divided, or multiplied, where products are near the ends of their range."""

_MANY_ROWS = 2.0**40
"""How far a product with random signs stays from the ends of the range: more than any operator has rows."""


@dataclass(frozen=True)
class LinearOperator:
    """A symmetric operator made of a sparse matrix or of an object that multiplies."""

    source: SparseMatrix | Multiplier
    alpha: float | None = None
    """The exponent of the density, where the source holds affinities and the diffusion operator is meant."""
    positive: bool = False
    """Whether no eigenvalue may be negative, as of a kernel and of an object that states so."""
    name: str = "X"
    """The argument's name, for errors."""

    @property
    def unit_roundoff(self) -> float:
        """The unit roundoff of given entries; it counts where negative eigenvalues are rounding."""
        return self.source.entry_roundoff(self.positive)

    @property
    def exponent(self) -> int:
        """The binary exponent of the unit in which the core computes; 0 for a diffusion operator, which has none."""
        return self.source.exponent if self.alpha is None else 0

    @property
    def node_exponent(self) -> int:
        """The exponent of eigenvalues, since both are computed from products."""
        return self.exponent

    @property
    def default_products(self) -> int:
        """The number of products after which an estimate ends, by default: those with a sparse matrix cost little."""
        return MAX_PRODUCTS_SPARSE if isinstance(self.source, SparseMatrix) else MAX_PRODUCTS

    def eigenvalues(self, num_threads: int | None) -> NDArray[np.float64]:
        """Compute all eigenvalues, ascending, in the unit of ``exponent``."""
        return _core.operator_eigenvalues(self._core(), num_threads)

    def estimate(self, options: SlqOptions, advance: Advance | None, num_threads: int | None) -> Solution:
        """Estimate the spectrum, or compute it where that costs less."""
        options = replace(options, default_products=self.default_products)
        return _core.estimate_operator(self._core(), options, progress=advance, num_threads=num_threads)

    def check_range(self, smallest: float, largest: float) -> None:
        """Raise a ValueError for a zero operator, or one that must be positive semi-definite and is not."""
        if self.positive:
            tol = negative_tol(self.source.n_samples, self.unit_roundoff)
            require_positive_semidefinite(smallest, largest, self.name, tol, self.source.way_out)
        else:
            require_nonzero(smallest, largest, self.name)

    def _core(self) -> SparseOperator | CallbackOperator:
        return self.source.core(alpha=self.alpha, positive=self.positive)


def product_rounding(u: float) -> float:
    """Return the relative error of products that are computed with a unit roundoff."""
    return ROUNDING.get(u, PRODUCT_ROUNDING)


def is_operator(X: Any) -> bool:
    """Return whether ``X`` is a sparse matrix, or an object that multiplies blocks of vectors."""
    return is_sparse(X) or callable(getattr(X, "matmat", None))


def is_operator_on(X: Any, metric: Any) -> bool:
    """Return whether ``X`` is an operator, and not data, under a metric.

    A sparse matrix that is not square holds rows of data. A square one may hold affinities whose metric was
    forgotten, so it counts as an operator. As distances (``"precomputed"``) it is data.
    """
    if not is_sparse(X):
        return is_operator(X)
    square = len(X.shape) == 2 and X.shape[0] == X.shape[1]
    metric = metric if isinstance(metric, str) else ""
    return metric == "affinity" or (square and metric != "precomputed")


def as_operator(X: Any, name: str, *, affinities: bool) -> SparseMatrix | Multiplier:
    """Check an operator in place of data; ``affinities`` are not negative, as far as entries are known."""
    if is_sparse(X):
        return SparseMatrix.of(X, name, affinities=affinities)
    found = Multiplier.of(X, name)
    # Of what is no affinity the function says whether eigenvalues may be negative.
    return found if affinities else replace(found, stated=replace(found.stated, positive_semidefinite=False))


@dataclass(frozen=True)
class SparseMatrix:
    """A symmetric matrix of scipy.sparse."""

    matrix: Any
    unit_roundoff: float = F64_ROUNDOFF
    """The unit roundoff of the dtype in which entries were given."""
    multiplicities: NDArray[np.int64] | None = None
    """The number of equal rows that each row stands for, whose spectrum is meant; None where each is one."""
    positive_semidefinite: ClassVar[bool] = False
    """Whether no eigenvalue is known to be negative, which a matrix cannot state."""
    way_out: ClassVar[str] = GIVE_THE_DTYPE
    """The way out where an eigenvalue is negative that must not be."""

    @classmethod
    def of(cls, X: Any, name: str, *, affinities: bool) -> SparseMatrix:
        """Check a sparse matrix, and convert it to compressed rows of float64.

        What rounding of its dtype explains is repaired: the mean with its transpose is taken, and affinities are
        clipped to 0.
        """
        if X.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold real numbers, got dtype {X.dtype}")
        if X.ndim != 2 or X.shape[0] != X.shape[1] or X.shape[0] == 0:
            raise ValueError(f"{name} must be square, got shape {X.shape}")
        exact = X if X.dtype.kind == "b" else X.astype(np.float64)  # before entries of one place are added up
        matrix = exact.tocsr().astype(np.float64, copy=True)
        matrix.sum_duplicates()
        if not np.isfinite(matrix.data).all():
            raise ValueError(f"{name} must be finite")
        u, largest = unit_roundoff(X), np.abs(matrix.data).max(initial=0.0)
        _require_symmetric(matrix, np.sqrt(2 * u) * largest, name)
        if affinities and matrix.data.min(initial=0.0) < 0:
            _clip(matrix, affinity_rounding(u, largest), name)
        if affinities and not (matrix.max(axis=1).toarray() > 0).all():
            row = int((matrix.max(axis=1).toarray() > 0).argmin())
            raise ValueError(f"{name} must have a positive entry in each row, got none in row {row}")
        if u and (matrix != matrix.T).nnz:
            matrix = ((matrix + matrix.T) / 2).tocsr()
        return cls(matrix, relative_roundoff(u, matrix.data))

    @property
    def exponent(self) -> int:
        """The exponent of the largest power of two that is at most the largest entry."""
        return binary_exponent(float(np.abs(self.matrix.data).max(initial=0.0)))

    @property
    def n_samples(self) -> int:
        """The number of rows, N."""
        return int(self.matrix.shape[0] if self.multiplicities is None else self.multiplicities.sum())

    def entry_roundoff(self, positive: bool) -> float:
        """Return the unit roundoff of entries, which counts where no eigenvalue is negative."""
        return self.unit_roundoff if positive else F64_ROUNDOFF

    def core(self, *, alpha: float | None = None, positive: bool = False) -> SparseOperator:
        """Make the core's operator: the matrix or, with an alpha, the diffusion operator of these affinities."""
        matrix = self.matrix
        starts, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.uint32)
        return SparseOperator(
            starts,
            columns,
            matrix.data,
            positive_semidefinite=positive,
            unit_roundoff=self.entry_roundoff(positive),
            alpha=alpha,
            multiplicities=self.multiplicities,
        )

    def weighted(self, weights: NDArray[np.float64]) -> SparseMatrix:
        """Return ``W^1/2 A W^1/2``, with W the diagonal matrix of the weights of rows."""
        roots = np.sqrt(weights)
        matrix = self.matrix.copy()
        rows = np.repeat(roots, np.diff(matrix.indptr))
        matrix.data = matrix.data * (rows * roots[matrix.indices])
        return replace(self, matrix=matrix)

    def fingerprint(self) -> str:
        """Digest the entries and their places."""
        sorted_matrix = self.matrix.sorted_indices()
        parts = (sorted_matrix.indptr, sorted_matrix.indices, sorted_matrix.data)
        return "+".join(digest(np.asarray(part, np.float64)[:, None]) for part in parts)


def _require_symmetric(matrix: Any, tolerance: float, name: str) -> None:
    """Raise where an entry differs from its transpose by more than a tolerance."""
    difference = abs(matrix - matrix.T).tocoo()
    if difference.data.max(initial=0.0) > tolerance:
        place = int(difference.data.argmax())
        i, j = int(difference.row[place]), int(difference.col[place])
        raise ValueError(
            f"{name} must be symmetric, got {matrix[i, j]} and {matrix[j, i]} for rows {i} and {j}: "
            f"({name} + {name}.T) / 2 is"
        )


def _clip(matrix: Any, allowed: float, name: str) -> None:
    """Set negative entries to 0; raise where one is below that by more than ``allowed``."""
    if matrix.data.min() < -allowed:
        entries = matrix.tocoo()
        place = int(entries.data.argmin())
        row, column = int(entries.row[place]), int(entries.col[place])
        raise ValueError(negative_text(name, entries.data[place], row, column, allowed))
    np.maximum(matrix.data, 0, out=matrix.data)


@dataclass(frozen=True)
class Multiplier:
    """An object with ``shape`` and ``matmat``, such as a LinearOperator of SciPy."""

    multiply: Callable[[NDArray[np.float64]], NDArray[Any]]
    """Returns K X for a block X of vectors [N, b]."""
    n_samples: int
    rounding: float
    """The relative error of products."""
    unit_roundoff: float
    """The unit roundoff of the dtype of the object or of its products, whichever is larger."""
    name: str
    """The argument's name, for errors."""
    exponent: int
    """The binary exponent of the unit in which the core computes, so that entries of any scale neither overflow nor
    vanish."""
    shift: int = 0
    """The binary exponent by which vectors are divided, so that products neither overflow nor lose digits."""
    stated: ProductStatement = NOTHING_STATED
    """What the object states of its products."""

    @property
    def positive_semidefinite(self) -> bool:
        """Whether the object states that no eigenvalue is negative."""
        return self.stated.positive_semidefinite

    @property
    def way_out(self) -> str:
        """The way out where an eigenvalue is negative that must not be."""
        if self.positive_semidefinite:
            return f"leave out {self.name}.positive_semidefinite, or state a larger {self.name}.rounding"
        return f"{GIVE_THE_DTYPE}, or state {self.name}.rounding, the relative error of its products"

    @classmethod
    def of(cls, X: Any, name: str) -> Multiplier:
        """Check an object by one product with two vectors of random signs."""
        shape = tuple(getattr(X, "shape", ()))
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 1:
            raise ValueError(f"{name} must have a square shape, got {shape}")
        n = int(shape[0])

        def multiply(vectors: NDArray[np.float64]) -> NDArray[Any]:
            return as_product(X.matmat(vectors), name)

        probes = np.random.default_rng(0).choice([-1.0, 1.0], size=(n, 2))
        with np.errstate(over="ignore", invalid="ignore"):
            found = multiply(probes.copy())  # which an object may change
        shift = _shift_of(found)
        if shift:
            found = multiply(np.ldexp(probes, -shift))
        products = found.astype(np.float64)
        if products.shape != probes.shape or not np.isfinite(products).all():
            raise ValueError(f"{name}.matmat must return finite numbers of the shape that it is given")
        rounding, u = product_rounding(unit_roundoff(found)), _roundoff_of_object(X, found)
        stated = ProductStatement.of(X, name, max(unit_roundoff(found), F64_ROUNDOFF))
        if stated.rounding is not None:
            rounding = max(stated.rounding, PRODUCT_ROUNDING)
        _, exponent = np.frexp(np.abs(products).max())
        scaled = np.ldexp(products, -exponent)
        one, other = probes[:, 0] @ scaled[:, 1], probes[:, 1] @ scaled[:, 0]
        allowed = max(np.sqrt(product_rounding(u) * n), 16 * (stated.rounding or 0.0))
        if abs(one - other) > allowed * np.linalg.norm(scaled):
            raise ValueError(f"{name} must be symmetric: x'{name}y and y'{name}x are as {one:g} to {other:g}")
        return cls(multiply, n, rounding, u, name, int(exponent) + shift, shift, stated)

    def entry_roundoff(self, positive: bool) -> float:
        """Return the unit roundoff of entries: as stated and, where no eigenvalue is negative, that of the dtype."""
        return max(self.unit_roundoff if positive else F64_ROUNDOFF, self.stated.unit_roundoff)

    def product(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return K X for a block X of vectors [N, b], in the unit near 1."""
        found = self.multiply(np.ldexp(vectors, -self.shift) if self.shift else vectors)
        return np.ldexp(np.ascontiguousarray(found, np.float64), self.shift - self.exponent)

    def core(self, *, alpha: float | None = None, positive: bool = False) -> CallbackOperator:
        """Make the core's operator in a unit near 1: K or, with an alpha, the diffusion operator of affinities."""
        return CallbackOperator(
            self.product,
            self.n_samples,
            name=self.name,
            positive_semidefinite=positive,
            rounding=self.rounding,
            unit_roundoff=self.entry_roundoff(positive),
            alpha=alpha,
        )

    def fingerprint(self) -> None:
        """Return None: the data behind an object are not known."""


def _shift_of(products: NDArray[Any]) -> int:
    """Return the exponent by which vectors are divided, so that products neither overflow nor lose digits.

    Half types have no range in which to divide vectors.
    """
    if products.dtype.kind != "f" or products.dtype.itemsize < np.dtype(np.float32).itemsize:
        return 0
    largest, limits = np.abs(products).max(initial=0), np.finfo(products.dtype)
    if not largest < limits.max / _MANY_ROWS:
        return _SHIFT
    return -_SHIFT if 0 < largest < limits.tiny * _MANY_ROWS else 0


def _roundoff_of_object(X: Any, products: NDArray[Any]) -> float:
    """Return the unit roundoff of the entries of an object: that of its dtype, if it has one, or of its products."""
    of_products = max(unit_roundoff(products), F64_ROUNDOFF)
    return of_products if getattr(X, "dtype", None) is None else max(unit_roundoff(X), of_products)
