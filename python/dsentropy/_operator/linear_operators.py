"""Operators in place of data: sparse matrices, and objects that multiply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsentropy._core import CallbackOperator, SparseOperator
from dsentropy._data.fingerprint import digest

ROUNDING = {np.dtype(np.float16): 1e-2, np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-10}
"""The relative error of products, by the dtype in which they are made."""


def is_operator(X: Any) -> bool:
    """Whether it is a sparse matrix, or an object that multiplies blocks of vectors."""
    return is_sparse(X) or callable(getattr(X, "matmat", None))


def as_operator(X: Any, name: str, *, affinities: bool) -> SparseMatrix | Multiplier:
    """Check what is in place of data; ``affinities`` are not negative, as far as entries are known."""
    if is_sparse(X):
        return SparseMatrix.of(X, name, affinities=affinities)
    return Multiplier.of(X, name)


def is_sparse(X: Any) -> bool:
    """Whether it is of scipy.sparse."""
    if type(X).__module__.partition(".")[0] != "scipy":
        return False
    from scipy.sparse import issparse

    return bool(issparse(X))


@dataclass(frozen=True)
class SparseMatrix:
    """A symmetric matrix of scipy.sparse."""

    matrix: Any

    @classmethod
    def of(cls, X: Any, name: str, *, affinities: bool) -> SparseMatrix:
        """Check and coerce it."""
        if X.dtype.kind not in "fiub":
            raise TypeError(f"{name} must hold real numbers, got dtype {X.dtype}")
        if X.ndim != 2 or X.shape[0] != X.shape[1] or X.shape[0] == 0:
            raise ValueError(f"{name} must be square, got shape {X.shape}")
        matrix = X.tocsr().astype(np.float64, copy=True)
        matrix.sum_duplicates()
        if not np.isfinite(matrix.data).all():
            raise ValueError(f"{name} must be finite")
        largest = np.abs(matrix.data).max(initial=0.0)
        rounding = float(np.finfo(X.dtype).eps) if X.dtype.kind == "f" else 0.0
        if abs(matrix - matrix.T).max() > np.sqrt(rounding) * largest:
            raise ValueError(f"{name} must be symmetric")
        if affinities and matrix.data.min(initial=0.0) < 0:
            raise ValueError(f"{name} must not be negative, got {matrix.data.min()}")
        if affinities and not (matrix.max(axis=1).toarray() > 0).all():
            raise ValueError(f"{name} must have a positive entry in each row")
        if rounding and (matrix != matrix.T).nnz:
            matrix = ((matrix + matrix.T) / 2).tocsr()
        return cls(matrix)

    @property
    def n_samples(self) -> int:
        """N."""
        return int(self.matrix.shape[0])

    def core(self, *, alpha: float | None = None, positive: bool = False) -> SparseOperator:
        """The matrix as it is or, with an alpha, the diffusion operator of these affinities."""
        matrix = self.matrix
        starts, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.uint32)
        return SparseOperator(starts, columns, matrix.data, positive_semidefinite=positive, alpha=alpha)

    def fingerprint(self) -> str:
        """A digest of its entries and where they are."""
        sorted_matrix = self.matrix.sorted_indices()
        parts = (sorted_matrix.indptr, sorted_matrix.indices, sorted_matrix.data)
        return "+".join(digest(np.asarray(part, np.float64)[:, None]) for part in parts)


@dataclass(frozen=True)
class Multiplier:
    """An object with ``shape`` and ``matmat``, such as a LinearOperator of SciPy."""

    multiply: Callable[[NDArray[np.float64]], NDArray[Any]]
    """K X, of a block of vectors [N, b]."""
    n_samples: int
    rounding: float
    name: str
    exponent: int
    """The binary one of its unit."""

    @classmethod
    def of(cls, X: Any, name: str) -> Multiplier:
        """Check it by one product with two vectors."""
        shape = tuple(getattr(X, "shape", ()))
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 1:
            raise ValueError(f"{name} must have a square shape, got {shape}")
        n = int(shape[0])

        def multiply(vectors: NDArray[np.float64]) -> NDArray[Any]:
            found = np.asarray(X.matmat(vectors))
            if found.dtype.kind not in "fiub":
                raise TypeError(f"{name}.matmat must return real numbers, got dtype {found.dtype}")
            return found

        probes = np.random.default_rng(0).choice([-1.0, 1.0], size=(n, 2))
        found = multiply(probes)
        products = found.astype(np.float64)
        if products.shape != probes.shape or not np.isfinite(products).all():
            raise ValueError(f"{name}.matmat must return finite numbers of the shape that it is given")
        rounding = ROUNDING.get(found.dtype, 1e-10)
        _, exponent = np.frexp(np.abs(products).max())
        scaled = np.ldexp(products, -exponent)
        one, other = probes[:, 0] @ scaled[:, 1], probes[:, 1] @ scaled[:, 0]
        if abs(one - other) > np.sqrt(rounding) * np.sqrt(n) * np.linalg.norm(scaled):
            raise ValueError(f"{name} must be symmetric: x'{name}y and y'{name}x are as {one:g} to {other:g}")
        return cls(multiply, n, rounding, name, int(exponent))

    def _in_unit(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ldexp(np.ascontiguousarray(self.multiply(vectors), np.float64), -self.exponent)

    def core(self, *, alpha: float | None = None, positive: bool = False) -> CallbackOperator:
        """The operator, in a unit near 1, or with an alpha the diffusion operator of these affinities."""
        if alpha is None:
            return CallbackOperator(
                self._in_unit, self.n_samples, positive_semidefinite=positive, rounding=self.rounding
            )
        scale, leading = self.normalization(alpha)
        product = partial(self.product, scale=scale)
        return CallbackOperator(
            product, self.n_samples, positive_semidefinite=positive, rounding=self.rounding, leading=leading
        )

    def product(self, vectors: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
        """S G S X, S the diagonal matrix of a scale [N, 1]."""
        found: NDArray[np.float64] = scale * self._in_unit(scale * vectors)
        return found

    def normalization(self, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The scale [N, 1] that makes the diffusion operator of these affinities, and its first eigenvector."""
        weights = np.ones((self.n_samples, 1))
        degrees = self._row_sums(weights)
        if alpha > 0:
            weights = degrees**-alpha
            degrees = self._row_sums(weights)
        return weights / np.sqrt(degrees), np.sqrt(degrees / degrees.sum())[:, 0]

    def _row_sums(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = weights * self._in_unit(weights)
        if not (sums > 0).all():
            raise ValueError(f"{self.name} must have positive row sums, to be affinities, got {sums.min():g}")
        return sums

    def fingerprint(self) -> None:
        """What it is built on is not known."""
