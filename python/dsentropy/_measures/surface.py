"""Entropies over bandwidths, diffusion times, orders and normalisations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core, plotting
from dsentropy._checks.progress import progress_bar
from dsentropy._checks.scalars import (
    Numbers,
    as_alpha,
    as_nonnegative,
    as_numbers,
    as_order,
    as_precision,
    as_threads,
)
from dsentropy._core import OperatorSpec
from dsentropy._data.data import Data
from dsentropy._measures.spectra import bandwidth_of, spectrum_of, subset_of
from dsentropy._operator import bandwidth as _bandwidth
from dsentropy._operator.bandwidth import Bandwidth, BandwidthLike
from dsentropy._spectrum.saturation import MARGIN
from dsentropy._spectrum.solver import NO_TIMES, Request, is_stochastic
from dsentropy._spectrum.spectrum import Spectrum


@dataclass(frozen=True, eq=False, repr=False)
class EntropySurface:
    """Entropies over bandwidths, t, orders and alphas. Made by :func:`entropy_surface`.

    Attributes
    ----------
    values : ndarray of shape (bandwidths, t, orders, alphas)
        Bits.
    dims : tuple of str
        The names of its axes: ``("bandwidth", "t", "order", "alpha")``.
    coords : dict
        What stands along each: numbers; for a bandwidth that differs from row to row its rule, or "adaptive" and its
        place.
    spectra : tuple of tuple of Spectrum
        Those of each bandwidth and alpha.
    n_samples : int
        The number of rows.
    """

    values: NDArray[np.float64]
    dims: tuple[str, str, str, str]
    coords: dict[str, tuple[Any, ...]]
    spectra: tuple[tuple[Spectrum, ...], ...]
    n_samples: int

    def __repr__(self) -> str:
        sizes = ", ".join(f"{size} {name}" for name, size in zip(self.dims, self.values.shape, strict=True))
        return (
            f"<EntropySurface ({sizes}) of {self.n_samples} samples: {self.values.min():.4g} to "
            f"{self.values.max():.4g} of {np.log2(self.n_samples):.4g} bits>"
        )

    @property
    def saturated(self) -> NDArray[np.bool_]:
        """Where an entropy is within 2% of 0 or of log2 N; of the shape of ``values``."""
        times, orders = self.coords["t"], self.coords["order"]
        signs = [[spectrum.saturation(times, orders) for spectrum in row] for row in self.spectra]
        shaded: NDArray[np.bool_] = np.moveaxis(np.array(signs), 1, -1) != 0
        return shaded

    def to_dict(self) -> dict[str, list[Any]]:
        """Columns of a table with one row an entropy: the four coordinates, ``entropy`` (bits), ``saturated``."""
        along = [np.array(self.coords[name], dtype=object) for name in self.dims]
        columns = {
            name: grid.ravel().tolist()
            for name, grid in zip(self.dims, np.meshgrid(*along, indexing="ij"), strict=True)
        }
        return {**columns, "entropy": self.values.ravel().tolist(), "saturated": self.saturated.ravel().tolist()}

    def to_pandas(self) -> Any:
        """The same as a pandas DataFrame. Needs pandas."""
        import pandas as pd

        return pd.DataFrame(self.to_dict())

    def plot(self, *, order: float | None = None, alpha: float | None = None, ax: Any = None) -> Any:
        """Draw the entropy against the bandwidth, a line for each t, with the saturated region shaded.

        Parameters
        ----------
        order, alpha : float, optional
            Which ones; by default the first.
        ax : matplotlib Axes, optional
            Where to draw; by default on new axes.

        Returns
        -------
        matplotlib Axes
        """
        orders, alphas = self.coords["order"], self.coords["alpha"]
        of_order, of_alpha = self._place("order", order), self._place("alpha", alpha)
        title = f"{self.n_samples} samples"
        if len(orders) > 1 or orders[0] != 1:
            title += f", order {orders[of_order]:g}"
        if len(alphas) > 1 or alphas[0] != 0:
            title += f", alpha {alphas[of_alpha]:g}"
        return plotting.surface(
            self.values[:, :, of_order, of_alpha],
            self.coords["bandwidth"],
            self.coords["t"],
            max_entropy=float(np.log2(self.n_samples)),
            margin=MARGIN,
            title=f"{title}; saturated where shaded",
            ax=ax,
        )

    def _place(self, name: str, value: float | None) -> int:
        along = self.coords[name]
        if value is None:
            return 0
        if value not in along:
            raise ValueError(f"{name} must be one of {along}, got {value!r}")
        return along.index(value)


def entropy_surface(
    X: ArrayLike,
    bandwidths: BandwidthLike | Sequence[BandwidthLike],
    t: Numbers = 1,
    orders: Numbers = (1,),
    alphas: Numbers = (0.0,),
    *,
    n_neighbors: int = 15,
    metric: str = "euclidean",
    precision: str = "auto",
    max_samples: int | None = None,
    random_state: int | None = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: str = "exact",
    tol: float = 1e-3,
    max_products: int | None = None,
    storage: str = "auto",
    memory_limit: int | None = None,
) -> EntropySurface:
    r"""Diffusion spectral entropies over bandwidths, diffusion times, Renyi orders and alphas.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"``
        The data: anything that NumPy can make an array of, or a torch tensor.
    bandwidths : sequence of float, {"median", "knn"}, array_like of shape (N,) or callable
        Each as the ``bandwidth`` of :func:`diffusion_spectrum`. ``"median"`` stands in the result as the number that
        it is.
    t : float or sequence of float, default 1
        Diffusion times.
    orders : float or sequence of float, default (1,)
        Renyi orders; see :meth:`Spectrum.entropy`.
    alphas : float or sequence of float, default (0.0,)
        Normalisations; see :func:`diffusion_spectrum`.
    n_neighbors, metric, precision, max_samples, random_state, num_threads
        As in :func:`diffusion_spectrum`; the metric may not be ``"affinity"``, which has no bandwidth.
    progress : bool, default False
        Show a bar of tqdm.
    solver, tol, max_products, storage, memory_limit
        As in :func:`diffusion_spectrum`, for each bandwidth and alpha; ``tol`` holds at each positive t and each
        order. Errors are read from ``spectra``.

    Returns
    -------
    EntropySurface
        Its values have the shape (bandwidths, t, orders, alphas).

    Raises
    ------
    ValueError, TypeError, MemoryError
        As in :func:`diffusion_spectrum`.

    Notes
    -----
    Cost: N^2 D flops for the distances, once (and once more for each ``"median"`` or ``"knn"``), and 4/3 N^3 for the
    eigenvalues of each bandwidth and alpha; t and orders are free. Memory: an N x N matrix of distances, and one of
    each operator that is decomposed: as many at once as there are threads up to 3000 rows, one beyond.

    No warning is given where entropies saturate: see :attr:`EntropySurface.saturated`.

    References
    ----------
    As of :func:`diffusion_spectrum` and :class:`Spectrum`.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import entropy_surface
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> surface = entropy_surface(X, [1.0, 2.0, "median"], t=[1, 2], orders=[1, 2])
    >>> surface.values.shape
    (3, 2, 2, 1)
    """
    times, _ = as_numbers(t, "t", as_nonnegative)
    of_orders, _ = as_numbers(orders, "orders", as_order)
    of_alphas, _ = as_numbers(alphas, "alphas", as_alpha)
    wanted = as_precision(precision)
    threads = as_threads(num_threads)
    request = None
    if is_stochastic(solver):
        positive = [time for time in times if time > 0] or NO_TIMES
        request = Request.of(tol, positive, of_orders, max_products, storage, memory_limit, random_state)
    data = Data.of(X, metric)
    if data.metric == "affinity":
        raise ValueError("metric must be one of distances where bandwidths vary, got 'affinity'")
    used = data.limited(max_samples, random_state)
    single = isinstance(bandwidths, (str, bytes)) or callable(bandwidths) or not np.iterable(bandwidths)
    each: list[Any] = [bandwidths] if single else list(bandwidths)  # type: ignore[arg-type]
    if not each:
        raise ValueError("bandwidths must not be empty")
    resolved = [bandwidth_of(one, used, n_neighbors, random_state, threads, data.n_samples) for one in each]
    subset = subset_of(data, used, max_samples, random_state)
    parts = [(sigma, {**about, "alpha": alpha}) for sigma, about in resolved for alpha in of_alphas]
    spectra = _spectra(used, parts, subset, wanted, request, threads, progress)
    rows = tuple(tuple(spectra[i : i + len(of_alphas)]) for i in range(0, len(spectra), len(of_alphas)))
    bits = [[spectrum.bits(times, of_orders) for spectrum in row] for row in rows]
    values = np.ascontiguousarray(np.moveaxis(np.array(bits), 1, -1))
    values.setflags(write=False)
    labels = tuple(
        sigma if isinstance(sigma, float) else str(about.get("rule", f"adaptive {place}"))
        for place, (sigma, about) in enumerate(resolved)
    )
    coords: dict[str, tuple[Any, ...]] = {
        "bandwidth": labels,
        "t": tuple(times),
        "order": tuple(of_orders),
        "alpha": tuple(of_alphas),
    }
    return EntropySurface(values, ("bandwidth", "t", "order", "alpha"), coords, rows, used.n_samples)


def _spectra(
    data: Data,
    parts: list[tuple[Bandwidth, dict[str, Any]]],
    subset: dict[str, Any],
    precision: str,
    request: Request | None,
    num_threads: int | None,
    progress: bool,
) -> list[Spectrum]:
    """That of each bandwidth and alpha, in order."""
    chosen: Literal["single", "double"] = "single" if precision == "single" else "double"
    operators = [OperatorSpec.diffusion(_bandwidth.for_core(sigma), about["alpha"], chosen) for sigma, about in parts]
    with progress_bar(progress, len(operators), "spectra") as advance:
        if request is None:
            computed = _core.sweep_eigenvalues(
                data.rows, data.core_metric, operators, progress=advance, num_threads=num_threads
            )
            return [
                spectrum_of(values, data, {"operator": "diffusion", **about, "precision": precision, **subset})
                for values, (_, about) in zip(computed, parts, strict=True)
            ]
        found = []
        for operator, (_, about) in zip(operators, parts, strict=True):
            parameters = {"operator": "diffusion", **about, **subset}
            found.append(request.of_kernel(data, operator, parameters, num_threads, False, stacklevel=4))
            advance(len(found), math.nan)
        return found
