"""Entropies over bandwidths, diffusion times, orders and normalisations.

One spectrum a bandwidth and alpha is decomposed, 4/3 N^3 flops each, from distances that are computed once; diffusion
times and orders are read off it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import _core
from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.limits import MAX_DRAWS
from dsentropy._checks.memory import memory_errors, require_bytes
from dsentropy._checks.progress import as_progress, progress_bar
from dsentropy._checks.scalars import (
    Numbers,
    Precision,
    RandomState,
    as_alpha,
    as_count,
    as_nonnegative,
    as_numbers,
    as_order,
    as_precision,
    as_seed,
    as_threads,
)
from dsentropy._checks.unused import require_unused
from dsentropy._data.data import DistanceMetric
from dsentropy._data.device_rows import AnyData, device_of
from dsentropy._data.surrogates import Null, as_null, null_name, require_rows
from dsentropy._measures.null_comparison import NullComparison, rounding_of
from dsentropy._measures.surface_null import SurfaceGrid, surface_null
from dsentropy._measures.surface_pictures import SurfacePictures
from dsentropy._operator.bandwidth import (
    Bandwidth,
    BandwidthLike,
    core_bandwidth,
    kernel_bandwidths,
    listed_bandwidths,
)
from dsentropy._operator.dense_operator import (
    DenseOperator,
    diffusion_operator,
    place_of_eigenvalues,
    solves_on_device,
)
from dsentropy._operator.precision import require_free_precision, require_single_used
from dsentropy._operator.slq_options import SlqOptions, memory_limit_of
from dsentropy._spectrum.missed_tolerance import MAX_SAMPLES
from dsentropy._spectrum.problem import Problem, exact_spectrum, selected_rows, solve
from dsentropy._spectrum.solver import Stochastic, resolve_solver
from dsentropy._spectrum.spectrum import Spectrum
from dsentropy._spectrum.ways_out import one_thread, ways_out

_Parts = list[tuple[Bandwidth, dict[str, Any]]]
"""Bandwidths, and what spectra say of them."""


@dataclass(frozen=True, eq=False, repr=False)
class EntropySurface(SurfacePictures):
    """Entropies over bandwidths, t, orders and alphas, as returned by :func:`entropy_surface`.

    Attributes
    ----------
    values : ndarray of shape (bandwidths, t, orders, alphas)
        Bits.
    dims : tuple of str
        The names of its axes: ``("bandwidth", "t", "order", "alpha")``.
    coords : dict
        The coordinates along each axis: numbers; for a bandwidth that differs from row to row its rule, or "adaptive"
        and its place.
    spectra : tuple of tuple of Spectrum
        The spectrum of each bandwidth and alpha.
    n_samples : int
        The number of rows.
    null : ndarray of shape (n_null, bandwidths, t, orders, alphas), or None
        Entropies of the surrogates, in bits; None where there are none, and so are the properties that compare with
        them.
    null_name : str or None
        The surrogates: ``"gaussian"``, ``"permuted"``, ``"sphere"``, or the name of a callable.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import entropy_surface
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> surface = entropy_surface(X, [0.01, 1.0], t=[1, 5])
    >>> surface.saturated[:, 0, 0, 0].tolist()
    [True, False]
    >>> bool(surface.spectra[1][0].entropy(t=5) == surface.values[1, 1, 0, 0])
    True
    """

    values: NDArray[np.float64]
    dims: tuple[str, str, str, str]
    coords: dict[str, tuple[Any, ...]]
    spectra: tuple[tuple[Spectrum, ...], ...]
    n_samples: int
    null: NDArray[np.float64] | None = None
    null_name: str | None = None

    def __repr__(self) -> str:
        sizes = ", ".join(f"{size} {name}" for name, size in zip(self.dims, self.values.shape, strict=True))
        return (
            f"<EntropySurface ({sizes}) of {self.n_samples} samples: smallest entropy {self.values.min():.4g} bits, "
            f"largest {self.values.max():.4g} bits, at most {np.log2(self.n_samples):.4g}{self._of_null()}>"
        )

    def _of_null(self) -> str:
        if self._compared is None or self.null is None:
            return ""
        noise = int(self._compared.like_noise.sum())
        return f"; {noise} of {self.values.size} as good as noise, {len(self.null)} draws of {self.null_name!r}"

    @cached_property
    def _compared(self) -> NullComparison | None:
        """The comparison with the surrogates; None where there are none."""
        if self.null is None:
            return None
        single = self.spectra[0][0].parameters.get("precision") == "single"
        return NullComparison(self.values, self.null, rounding_of("single" if single else "double", self.n_samples))

    @property
    def null_mean(self) -> NDArray[np.float64] | None:
        """Mean entropy of the surrogates, in bits."""
        return None if self._compared is None else self._compared.mean

    @property
    def null_standard_deviation(self) -> NDArray[np.float64] | None:
        """Standard deviation of the entropies of the surrogates: 0 where they differ by rounding alone."""
        return None if self._compared is None else self._compared.standard_deviation

    @property
    def structure(self) -> NDArray[np.float64] | None:
        """``null_mean`` minus ``values``, in bits."""
        return None if self._compared is None else self._compared.structure

    @property
    def z(self) -> NDArray[np.float64] | None:
        """``structure`` in standard deviations of the surrogates: NaN where those are 0, as toward saturation."""
        return None if self._compared is None else self._compared.z

    @property
    def p_value(self) -> NDArray[np.float64] | None:
        """Two-sided p of each entropy, see :func:`null_baseline`; approximate where a rule chose the bandwidth."""
        return None if self._compared is None else self._compared.p_value

    @property
    def like_noise(self) -> NDArray[np.bool_] | None:
        """Mask of entropies that are as good as noise: ``|z| < 2``, or equal to ``null_mean`` up to rounding."""
        return None if self._compared is None else self._compared.like_noise

    @property
    def saturated(self) -> NDArray[np.bool_]:
        """Mask, of the shape of ``values``, of entropies within 2% of 0 or of log2 N."""
        shaded: NDArray[np.bool_] = self._read(Spectrum.saturation) != 0
        return shaded

    def _read(self, reading: Callable[..., Any]) -> NDArray[Any]:
        """Return a reading of all spectra, called with each, the times and the orders, in the shape of ``values``."""
        times, orders = self.coords["t"], self.coords["order"]
        return np.moveaxis(np.array([[reading(one, times, orders) for one in row] for row in self.spectra]), 1, -1)

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns of a table with one row an entropy.

        They are the four coordinates, ``entropy``, ``standard_error``, ``lower``, ``upper`` (bits) and ``saturated``,
        and with surrogates ``null_mean``, ``null_standard_deviation``, ``structure``, ``z``, ``p_value`` and
        ``like_noise``. Of an exact entropy the error is 0, and both bounds are the entropy.
        """
        along = [np.array(self.coords[name], dtype=object) for name in self.dims]
        columns = {
            name: grid.ravel().tolist()
            for name, grid in zip(self.dims, np.meshgrid(*along, indexing="ij"), strict=True)
        }
        lower, upper = np.moveaxis(self._read(Spectrum.bounds), 1, 0)
        read = {
            "entropy": self.values,
            "standard_error": self._read(Spectrum.standard_error),
            "lower": lower,
            "upper": upper,
            "saturated": self.saturated,
        }
        if self._compared is not None:
            columns_of_null = self._compared.columns()
            names = ("null_mean", "null_standard_deviation", "structure", "z", "p_value", "like_noise")
            read |= {name: columns_of_null[name] for name in names}
        return {**columns, **{name: values.ravel().tolist() for name, values in read.items()}}


def entropy_surface(
    X: ArrayLike,
    bandwidths: BandwidthLike | Sequence[BandwidthLike],
    t: Numbers = 1,
    orders: Numbers = (1,),
    alphas: Numbers = (0.0,),
    *,
    null: Null | None = None,
    n_null: int | None = None,
    n_neighbors: int | None = None,
    metric: DistanceMetric = "euclidean",
    precision: Precision = "auto",
    max_samples: int | None = None,
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
) -> EntropySurface:
    r"""Compute diffusion spectral entropies over bandwidths, diffusion times, Renyi orders and alphas.

    .. math::

        H_q(\sigma, t, \alpha) = \frac{1}{1 - q} \log_2 \sum_i p_i^q, \qquad
        p_i = |\lambda_i|^t / \sum_j |\lambda_j|^t,

    with :math:`\lambda_i` the eigenvalues of the diffusion operator of the bandwidth :math:`\sigma` and alpha.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"``
        The data: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`.
    bandwidths : sequence of float, {"median", "knn"}, array_like of shape (N,) or callable
        Each as the ``bandwidth`` of :func:`diffusion_spectrum`. The result shows ``"median"`` as a number. All
        spectra are held in memory; of bandwidths, t, orders and alphas there may be 10^6 each.
    t : float or sequence of float, default 1
        Diffusion times.
    orders : float or sequence of float, default (1,)
        Renyi orders; see :meth:`Spectrum.entropy`.
    alphas : float or sequence of float, default (0.0,)
        Normalisations; see :func:`diffusion_spectrum`.
    null : {"gaussian", "permuted", "sphere"} or callable, optional
        Surrogates whose entropies are computed as well; see :func:`null_baseline`. A bandwidth that is one number for
        the data, as the median is, is that of all surrogates; a rule that gives one number a row is followed by each.
        Surrogates of :func:`null_baseline` and :func:`layer_entropies` follow every rule, unless
        ``null_bandwidth="data"`` is given there.
    n_null : int, optional, default 20
        Number of surrogates; from 2 to 10^7. Refused without ``null``.
    n_neighbors, metric, precision, max_samples, random_state, num_threads
        See :func:`diffusion_spectrum`; the metric may not be ``"affinity"``, which has no bandwidth. ``n_neighbors``
        is refused where no bandwidth is ``"knn"``, ``precision="single"`` where all differ from row to row.
    progress : bool, default False
        Show a progress bar. Needs tqdm.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"stochastic"`` estimates the spectrum of each bandwidth and alpha; :class:`Stochastic` has the options. Its
        ``tol`` holds at each positive t and each order given here, which must be positive. Uncertainties are read
        from ``spectra``.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`. Surrogates are drawn there, by
        other random numbers than the core's, except those of a callable.

    Returns
    -------
    EntropySurface
        Entropies of the shape (bandwidths, t, orders, alphas), and their spectra.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectrum`.

    Warns
    -----
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    Cost: N^2 D flops for the distances, once (and once more for each ``"median"`` or ``"knn"``), and 4/3 N^3 for the
    eigenvalues of each bandwidth and alpha; t and orders are free. Memory: an N x N matrix of distances, and one of
    each operator that is decomposed: as many at once as there are threads up to 3000 rows, one beyond. Each surrogate
    costs as much time again and no more memory; their spectra are not kept.

    No warning is given where entropies saturate: see :attr:`EntropySurface.saturated`.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1; Coifman & Lafon, "Diffusion maps", ACHA 21 (2006), for alpha;
    Renyi, "On measures of entropy and information" (1961), for orders.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import entropy_surface
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> surface = entropy_surface(X, [1.0, 2.0, "median"], t=[1, 2], orders=[1, 2])
    >>> surface.values.shape
    (3, 2, 2, 1)
    >>> entropy_surface(X, [1.0, 2.0], null="gaussian").structure.shape
    (2, 1, 1, 1)
    """
    each, (times, _) = listed_bandwidths(bandwidths), as_numbers(t, "t", as_nonnegative)
    of_orders, _ = as_numbers(orders, "orders", as_order)
    of_alphas, _ = as_numbers(alphas, "alphas", as_alpha)
    stored, made, draws = as_precision(precision), *_surrogates(null, n_null)
    threads, shown = as_threads(num_threads), as_progress(progress)
    seed = as_seed(random_state, "random_state")
    options = resolve_solver(solver, seed, times=times, orders=of_orders)
    require_free_precision(stored, options)
    where = device_of(device, X, metric, stored)
    used, n_all, subset = selected_rows(X, metric, max_samples, seed, where)
    if used.metric == "affinity":
        raise ValueError("metric must be one of distances where bandwidths vary, got 'affinity'")
    if made is not None:
        require_rows(used)
    fewer = (*one_thread(threads, "decomposes one matrix"), "fewer rows, max_samples=...")
    has_single = stored != "single" and metric != "precomputed"
    with memory_errors(*ways_out(options, *fewer, has_single=has_single)):
        _require_results(len(each), len(times), len(of_orders), len(of_alphas), used.n_samples, draws)
        resolved = kernel_bandwidths(each, used, n_neighbors, seed, threads, n_all, memory_limit_of(options))
        require_single_used(stored, used, *(sigma for sigma, _ in resolved))
        about = {**subset} if options is not None else {"precision": stored, **subset}
        kernels = _kernels(used, resolved, of_alphas, stored, about, options)
        spectra = _spectra(used, kernels, options, threads, shown)
        given = [(one, sigma) for one, (sigma, _) in zip(each, resolved, strict=True)]
        grid = SurfaceGrid(given, of_alphas, times, of_orders, n_neighbors, _of_core(stored))
        drawn = None if made is None else surface_null(used, made, draws, grid, options, seed, threads, shown)
    axes = (_labels(resolved), tuple(times), tuple(of_orders), tuple(of_alphas))
    return _of_spectra(spectra, axes, used.n_samples, drawn, None if made is None else null_name(made))


def _surrogates(null: Any, n_null: Any) -> tuple[Null | None, int]:
    """Convert the arguments of surrogates: none, or their kind and their number."""
    if null is None:
        require_unused(n_null, "n_null", "null is None")
        return None, 0
    return as_null(null), as_count(20 if n_null is None else n_null, "n_null", least=2, most=MAX_DRAWS)


def _of_spectra(
    spectra: list[Spectrum],
    axes: tuple[tuple[Any, ...], ...],
    n_samples: int,
    null: NDArray[np.float64] | None,
    name: str | None,
) -> EntropySurface:
    """Read the entropies off the spectra, in the order of bandwidths and alphas."""
    dims = ("bandwidth", "t", "order", "alpha")
    _, times, orders, alphas = axes
    rows = tuple(tuple(spectra[i : i + len(alphas)]) for i in range(0, len(spectra), len(alphas)))
    bits = [[spectrum.bits(times, orders) for spectrum in row] for row in rows]
    values = np.ascontiguousarray(np.moveaxis(np.array(bits), 1, -1))
    values.setflags(write=False)
    return EntropySurface(values, dims, dict(zip(dims, axes, strict=True)), rows, n_samples, null, name)


def _require_results(bandwidths: int, times: int, orders: int, alphas: int, n: int, draws: int) -> None:
    """Raise a MemoryError where the spectra, or the entropies with the arrays that read them, do not fit."""
    spectra = bandwidths * alphas
    what = f"{bandwidths} bandwidths, {times} t, {orders} orders and {alphas} alphas"
    of_null = 3 * draws * spectra * (n + times * orders)
    require_bytes(
        what, n, 16 * spectra * (n + 2 * times * orders) + 8 * of_null, "fewer bandwidths, t, orders or alphas"
    )


def _labels(resolved: _Parts) -> tuple[Any, ...]:
    """Return the coordinates along the axis of bandwidths."""
    return tuple(
        sigma if isinstance(sigma, float) else str(about.get("rule", f"adaptive {place}"))
        for place, (sigma, about) in enumerate(resolved)
    )


def _of_core(precision: Precision) -> Literal["single", "double"]:
    """Return the precision of the core: spectra may be read at any t, so "auto" is double."""
    return "single" if precision == "single" else "double"


def _kernels(
    data: AnyData,
    resolved: _Parts,
    alphas: list[float],
    precision: Precision,
    about: dict[str, Any],
    options: SlqOptions | None,
) -> list[tuple[DenseOperator, dict[str, Any]]]:
    """Make the operator of each bandwidth and alpha, in order, and what its spectrum says of it."""
    made = []
    for sigma, of_bandwidth in resolved:
        for alpha in alphas:
            kernel = diffusion_operator(data, core_bandwidth(sigma), alpha, _of_core(precision))
            of_kernel = {"operator": "diffusion", **of_bandwidth, "alpha": alpha, **about}
            made.append((kernel, of_kernel | place_of_eigenvalues(kernel, options)))
    return made


def _spectra(
    data: AnyData,
    kernels: list[tuple[DenseOperator, dict[str, Any]]],
    options: SlqOptions | None,
    num_threads: int | None,
    progress: bool,
) -> list[Spectrum]:
    """Solve for each operator: eigenvalues in one call of the core, on a device and estimates one after the other."""
    fingerprint = functools.cache(data.fingerprint)
    problems = [
        Problem(kernel, data.n_samples, parameters, fingerprint, MAX_SAMPLES) for kernel, parameters in kernels
    ]
    with progress_bar(progress, len(problems), "spectra") as advance:
        if options is None and not any(solves_on_device(kernel) for kernel, _ in kernels):
            specs = [kernel.spec for kernel, _ in kernels]
            computed = _core.sweep_eigenvalues(
                data.rows, data.core_metric, specs, progress=advance, num_threads=num_threads
            )
            return [exact_spectrum(*pair) for pair in zip(problems, computed, strict=True)]
        found = []
        for problem in problems:
            found.append(solve(problem, options, num_threads, False))
            advance(len(found), math.nan)
        return found
