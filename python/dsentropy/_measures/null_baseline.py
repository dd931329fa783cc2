"""The entropy of data beside that of surrogates of the same size.

Cost: one entropy for the data and one for each draw, and the surrogates themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy import plotting
from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.limits import MAX_DRAWS
from dsentropy._checks.memory import memory_errors, require_bytes
from dsentropy._checks.progress import as_progress, progress_bar
from dsentropy._checks.scalars import (
    Numbers,
    Precision,
    RandomState,
    as_alpha,
    as_choice,
    as_count,
    as_nonnegative,
    as_numbers,
    as_order,
    as_precision,
    as_seed,
    as_threads,
    drop_axes,
)
from dsentropy._data.device_rows import device_of
from dsentropy._data.device_surrogates import surrogates_of
from dsentropy._data.surrogates import BASELINE_STREAM, Null, as_null, fixed_seed, null_name, require_rows
from dsentropy._measures.null_comparison import NullComparison, rounding_of
from dsentropy._measures.null_sets import NullBandwidth, NullSets
from dsentropy._operator.bandwidth import BandwidthLike, kernel_bandwidth
from dsentropy._operator.precision import allows_single, core_precision, require_free_precision, require_single_used
from dsentropy._operator.slq_options import memory_limit_of
from dsentropy._results.tabular import Tabular
from dsentropy._spectrum.problem import selected_rows
from dsentropy._spectrum.saturation import warn_if_saturated
from dsentropy._spectrum.solver import Stochastic, resolve_solver
from dsentropy._spectrum.subset_entropies import read_solution
from dsentropy._spectrum.ways_out import ways_out

_BYTES_OF_READING = 40
"""Bytes of one reading of a draw: its value and what the comparison computes from it."""

_BYTES_OF_EIGENVALUE = 8
"""Bytes of one eigenvalue of a draw; all are held until they are read."""


@dataclass(frozen=True, eq=False, repr=False)
class NullBaseline(Tabular):
    """The entropy of data beside that of surrogates, as returned by :func:`null_baseline`.

    For a sequence of t or orders, numbers are arrays of the shape that :meth:`Spectrum.entropy` returns.

    Attributes
    ----------
    value : float or ndarray
        Entropy of the data, in bits.
    null : ndarray of shape (n_draws, ...)
        Entropy of each surrogate, in bits.
    null_mean, null_standard_deviation : float or ndarray
        Their mean and their standard deviation (with n_draws - 1), which is 0 where they differ by rounding alone.
    structure : float or ndarray
        ``null_mean`` minus ``value``, in bits: positive where the data have less entropy than their null.
    z : float or ndarray
        ``structure`` in standard deviations of the null. NaN where those are 0: see ``reason``. Where the null is
        about normally distributed and the data are of it, ``z / sqrt(1 + 1 / n_draws)`` follows Student's t with
        n_draws - 1 degrees of freedom.
    p_value : float or ndarray
        Two-sided, from 1 / (n_draws + 1) to 1: the part of data and draws, counted together, whose entropy is at
        least as far from the mean of all of them as that of the data.
    like_noise : bool or ndarray
        Whether an entropy is as good as noise: ``|z| < 2``, or equal to ``null_mean`` up to rounding.
    null_name : str
        The surrogates: ``"gaussian"``, ``"permuted"``, ``"sphere"``, or the name of a callable.
    bandwidth : float or ndarray of shape (N,)
        Bandwidth of the data.
    null_bandwidth : {"own", "data"}
        Whether surrogates follow the rule of the bandwidth, or have that of the data.
    t, orders : tuple of float
        Diffusion times and Renyi orders.
    n_samples : int
        Rows of the data and of each surrogate.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import null_baseline
    >>> rng = np.random.default_rng(0)
    >>> found = null_baseline(rng.normal(size=(90, 5)) + 5 * np.eye(5)[np.arange(90) % 3])
    >>> bool(np.isclose(found.structure, found.null.mean() - found.value)), found.like_noise
    (True, False)
    """

    value: float | NDArray[np.float64]
    null: NDArray[np.float64]
    null_mean: float | NDArray[np.float64]
    null_standard_deviation: float | NDArray[np.float64]
    structure: float | NDArray[np.float64]
    z: float | NDArray[np.float64]
    p_value: float | NDArray[np.float64]
    like_noise: bool | NDArray[np.bool_]
    null_name: str
    bandwidth: float | NDArray[np.float64]
    null_bandwidth: NullBandwidth
    t: tuple[float, ...]
    orders: tuple[float, ...]
    n_samples: int

    def __repr__(self) -> str:
        table = self.to_dict()
        drawn = f"{len(self.null)} draws of {self.null_name!r}"
        n = len(table["z"])
        if n == 1:
            row = {name: column[0] for name, column in table.items()}
            noise = ", as good as noise" if row["like_noise"] else ""
            return (
                f"<NullBaseline: {row['entropy']:.4g} bits, null {row['null_mean']:.4g} +- "
                f"{row['null_standard_deviation']:.2g}; structure {row['structure']:.3g} bits, z = {row['z']:.3g}, "
                f"p = {row['p_value']:.3g}{noise}; {drawn}>"
            )
        most = int(np.argmax(np.abs(table["structure"])))
        return (
            f"<NullBaseline at {n} readings of t and order: structure of largest modulus "
            f"{table['structure'][most]:.3g} bits (z = {table['z'][most]:.3g}) at t = {table['t'][most]:g}, order "
            f"{table['order'][most]:g}; {sum(table['like_noise'])} as good as noise; {drawn}>"
        )

    @property
    def reason(self) -> str | None:
        """Why a z is NaN; None where none is."""
        if not np.isnan(self.z).any():
            return None
        return (
            "the entropies of all draws are equal up to rounding, so z is not defined: the entropy is saturated, or "
            "the null keeps all that the entropy depends on"
        )

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns of a table, one row a reading: t, order, entropy, null, structure, z, p."""
        times, orders = np.meshgrid(self.t, self.orders, indexing="ij")
        columns = {
            "t": times,
            "order": orders,
            "entropy": self.value,
            "null_mean": self.null_mean,
            "null_standard_deviation": self.null_standard_deviation,
            "structure": self.structure,
            "z": self.z,
            "p_value": self.p_value,
            "like_noise": self.like_noise,
        }
        return {name: np.ravel(column).tolist() for name, column in columns.items()}

    def plot(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the entropy against t, a line for each order, with the null's mean and two standard deviations.

        Parameters
        ----------
        label : str, optional
            The name of what is drawn, in place of the title, where several results are drawn on the same axes.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        shape = (len(self.t), len(self.orders))
        title = f"{self.n_samples} samples, null {self.null_name!r}"
        return plotting.null_baseline(
            np.reshape(self.value, shape),
            np.reshape(self.null, (-1, *shape)),
            self.t,
            self.orders,
            label=label,
            title=None if label is not None else title,
            ax=ax,
        )


def null_baseline(
    X: ArrayLike,
    *,
    null: Null = "gaussian",
    n_draws: int = 20,
    bandwidth: BandwidthLike | None = None,
    null_bandwidth: Literal["own", "data"] = "own",
    t: Numbers = 1,
    orders: Numbers = 1,
    n_neighbors: int | None = None,
    alpha: float = 0.0,
    metric: Literal["euclidean", "cosine"] = "euclidean",
    precision: Precision = "auto",
    max_samples: int | None = None,
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
) -> NullBaseline:
    r"""Compute the diffusion spectral entropy of data and that of surrogates, which share some of its statistics.

    .. math::

        \mathrm{structure} = \bar H_0 - H, \qquad z = \frac{\bar H_0 - H}{s_0},

        p = \frac{1}{n + 1} \#\{k \in 0 \dots n : |H_k - \bar H| \ge |H - \bar H|\},

    with H the entropy of the data, also :math:`H_0`'s member k = 0 in p, :math:`H_1 \dots H_n` those of the draws,
    :math:`\bar H_0` and :math:`s_0` the mean and the standard deviation of the draws, and :math:`\bar H` the mean of
    all n + 1.

    Parameters
    ----------
    X : array_like of shape (N, D)
        The data: anything that NumPy can make an array of, a table, a torch tensor, or a sparse matrix, of which a
        dense copy is made; see :func:`diffusion_spectrum`.
    null : {"gaussian", "permuted", "sphere"} or callable, default "gaussian"
        ``"gaussian"``: normally distributed rows, with exactly the sample's mean and covariance. ``"permuted"``: the
        entries of each column in random order, independently. ``"sphere"``: rows uniform on the sphere around 0 whose
        radius is the mean norm of the rows. A callable takes the rows, which it cannot change, and a NumPy
        ``Generator``, and returns rows of the same shape.
    n_draws : int, default 20
        Surrogates; from 2 to 10^7. The smallest p is 1 / (n_draws + 1), so 19 are needed for 0.05.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), or callable, optional, default "median"
        See :func:`diffusion_spectrum`.
    null_bandwidth : {"own", "data"}, default "own"
        ``"own"``: each surrogate follows the rule, as the data do. The comparison is then of shape apart from scale,
        and with what the same call gives on noise. ``"data"``: surrogates have the number that the data have, so that
        a different spread of distances counts as well; refused where the rule gives one bandwidth a row. A
        ``bandwidth`` that is a number, or one for each row, is that of all sets with either. The surrogates of
        :func:`entropy_surface` have the number of the data.
    t, orders : float or sequence of float, default 1
        Diffusion times and Renyi orders; further ones are free. See :meth:`Spectrum.entropy`.
    n_neighbors, alpha, max_samples, num_threads, progress
        See :func:`diffusion_spectrum`.
    metric : {"euclidean", "cosine"}, default "euclidean"
        See :func:`diffusion_spectrum`. Surrogates are made of X as it is given, and scaled to length 1 afterwards.
    precision : {"auto", "single", "double"}, default "auto"
        See :func:`diffusion_spectrum`, but ``"auto"`` is single for float32 data where that is faster and accurate:
        every t is from 1 to 10, every order from 1 to 2.
    random_state : int, Generator, RandomState or None, default 0
        Seed of draws, random subsets and the signs of estimates. A generator of NumPy gives one integer as the seed,
        and its state moves on. None takes a fresh seed. No draw is one that :func:`suggest_bandwidth` or
        :func:`entropy_surface` makes with the same seed.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"stochastic"`` estimates each entropy; :class:`Stochastic` has the options. Its ``tol`` holds at each
        positive t and each order given here, which must be positive. The sampling errors are in the null's spread.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`. Surrogates are drawn there, by
        other random numbers than the core's, except those of a callable.

    Returns
    -------
    NullBaseline
        ``value``, ``null``, ``structure``, ``z``, ``p_value``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectrum`; ValueError also for distances or affinities, of which there are no surrogates.

    Warns
    -----
    SaturationWarning
        Where the entropy is within 2% of 0 or of log2 N.
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    The test is exact where data and draws are exchangeable: p is then uniform on its grid. For this the rows must be
    independent and normally distributed (``"gaussian"``), have independent columns (``"permuted"``) or be uniform on
    a sphere around 0 (``"sphere"``), or a callable must draw from the distribution of the data. And the bandwidth
    must be a number that was chosen without these data or, with ``null_bandwidth="own"``, a rule. The test is
    approximate with ``null_bandwidth="data"``, and with a number that was chosen from these data, as by
    :func:`suggest_bandwidth`. A small p says that the data are not of the null, not that an entropy is large or
    small. Over many layers, bandwidths or t, correct for their number: with Bonferroni's correction for L layers a p
    below 0.05 / L counts, which takes n_draws of at least 20 L.

    Toward saturation the null's spread goes to 0, and z grows without bound, however few bits the structure has.

    Cost: n_draws + 1 entropies and the draws. A draw of ``"gaussian"`` takes 2 N r^2 - 2/3 r^3 flops for
    r = min(N - 1, D), and the eigenvalues of the covariance N D min(N, D), once; where the columns themselves count,
    for the metric ``"cosine"`` or a callable bandwidth, a draw takes 4 D (N r - r^2 / 2), and the decomposition of
    the centred data 6 N D min(N, D). By the exact solver, the matrices of two draws are decomposed at a time where
    N <= 1024, or N <= 1536 and N <= 4 D; with the median rule and N <= 4000, distances are computed once for a draw's
    bandwidth and its affinities. So 20 draws on two threads cost 5 to 21 entropies, with the median rule. Memory: at
    most that of two entropies and, where the columns count, five copies of X.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1; Phipson & Smyth, "Permutation p-values should never be zero",
    SAGMB 9 (2010), doi 10.2202/1544-6115.1585; Stewart, "The efficient generation of random orthogonal matrices",
    SIAM J. Numer. Anal. 17 (1980), doi 10.1137/0717034.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import null_baseline
    >>> rng = np.random.default_rng(0)
    >>> groups = rng.normal(size=(100, 5)) + 5 * np.eye(5)[np.arange(100) % 3]
    >>> found = null_baseline(groups, t=2)
    >>> found.z > 5, round(found.p_value, 3)
    (True, 0.048)
    >>> null_baseline(rng.normal(size=(100, 5)), t=2).p_value > 0.05
    True
    """
    times, several_times = as_numbers(t, "t", as_nonnegative)
    each_order, several_orders = as_numbers(orders, "orders", as_order)
    of_alpha, stored, made = as_alpha(alpha), as_precision(precision), as_null(null)
    kept: NullBandwidth = as_choice(null_bandwidth, "null_bandwidth", "own", "data")
    threads, shown = as_threads(num_threads), as_progress(progress)
    draws = as_count(n_draws, "n_draws", least=2, most=MAX_DRAWS)
    seed = fixed_seed(as_seed(random_state, "random_state"))
    options = resolve_solver(solver, seed, times=times, orders=each_order)
    require_free_precision(stored, options)
    used, n_all, _ = selected_rows(X, metric, max_samples, seed, device_of(device, X, metric, stored))
    require_rows(used)
    readings = len(times) * len(each_order)
    needed = draws * (_BYTES_OF_EIGENVALUE * used.n_samples + _BYTES_OF_READING * readings)
    require_bytes(f"n_draws = {draws}", used.n_samples, needed, "a smaller n_draws")
    has_single = stored != "single" and allows_single(metric, bandwidth)
    with memory_errors(*ways_out(options, "fewer rows, max_samples=...", has_single=has_single)):
        sigma, _ = kernel_bandwidth(
            bandwidth, used, n_neighbors, seed, threads, n_all, memory_limit=memory_limit_of(options)
        )
        require_single_used(stored, used, sigma)
        solved = core_precision(stored, used, times, each_order)
        drawn = surrogates_of(used, made, seed, BASELINE_STREAM, threads)
        sets = NullSets(used, drawn, bandwidth, sigma, kept, n_neighbors, seed, of_alpha, solved, options, threads)
        with progress_bar(shown, draws + 1, "entropies") as advance:
            solutions = sets.solutions(draws, advance)
    bits = np.array([read_solution(solution, times, each_order)[0] for solution in solutions])
    distinct = used.few_distinct()
    warn_if_saturated(bits[0], float(np.log2(used.n_samples)), times, each_order, sigma, distinct_rows=distinct)
    compared = NullComparison(bits[0], bits[1:], rounding_of(solved, used.n_samples))
    numbers = {name: drop_axes(values, several_times, several_orders) for name, values in compared.columns().items()}
    return NullBaseline(
        **numbers,
        null_name=null_name(made),
        bandwidth=sigma,
        null_bandwidth=kept,
        t=tuple(times),
        orders=tuple(each_order),
        n_samples=used.n_samples,
    )
