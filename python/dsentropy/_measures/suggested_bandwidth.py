"""The bandwidth at which data differ most from their null, in bits.

In standard deviations of the null the difference has no maximum: toward saturation they go to 0. Cost: about 15
entropies for the data and for each draw.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dsentropy import plotting
from dsentropy._checks.containers import named_arrays
from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.limits import MAX_DRAWS
from dsentropy._checks.memory import memory_errors, require_bytes
from dsentropy._checks.printing import printed
from dsentropy._checks.progress import as_progress, progress_bar
from dsentropy._checks.scalars import (
    Precision,
    RandomState,
    as_alpha,
    as_choice,
    as_count,
    as_order,
    as_positive,
    as_precision,
    as_seed,
    as_threads,
)
from dsentropy._checks.warn import warn
from dsentropy._data.device_rows import AnyData, data_of
from dsentropy._data.device_surrogates import surrogates_of
from dsentropy._data.surrogates import (
    SUGGESTION_STREAM,
    Null,
    as_null,
    fixed_seed,
    null_name,
    require_rows,
)
from dsentropy._measures.structure_curve import USUAL_STEPS, CurveOptions, StructureCurve
from dsentropy._operator.bandwidth import resolve
from dsentropy._operator.precision import core_precision, require_free_precision
from dsentropy._operator.slq_options import memory_limit_of
from dsentropy._results.tabular import Tabular
from dsentropy._spectrum.solver import Stochastic, resolve_solver
from dsentropy._spectrum.ways_out import one_thread, ways_out

_SMALLEST, _LARGEST = 0.05, 5.0
"""Range of the first grid, in medians."""

_BYTES_OF_DRAW = 1000
"""Bytes of a draw: its entropies at some twenty bandwidths, and what is computed from each."""

_SETS = 15
"""Bandwidths at which each data set is usually compared with its draws."""


class BandwidthWarning(UserWarning):
    """Data do not differ clearly from their null at any bandwidth, so the one that was found may be chance.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from dsentropy import estimate_bandwidth
    >>> noise = np.random.default_rng(0).normal(size=(90, 5))
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     bandwidth = estimate_bandwidth(noise, "structure")
    >>> caught[0].category.__name__
    'BandwidthWarning'
    """


@dataclass(frozen=True, eq=False, repr=False)
class BandwidthSuggestion(Tabular):
    """A bandwidth at which data differ most from their null, as returned by :func:`suggest_bandwidth`.

    For several layers, ``structure`` and ``z`` are dictionaries with the names of the layers, and so is ``bandwidth``
    where ``common`` is ``"multiple"``.

    Attributes
    ----------
    bandwidth : float or dict
        The suggested bandwidth; 0 where no two rows differ.
    multiple : float
        The bandwidth in medians of the distances; with ``common="number"``, in the geometric mean of the medians of
        the layers.
    structure : float or dict
        Mean entropy of the draws minus that of the data at this bandwidth, in bits: negative where the data have more
        entropy than their null. It is the largest of a curve, so a little too large; :func:`null_baseline` has fresh
        draws.
    z : float or dict
        ``structure`` in standard deviations of the null.
    clear : bool
        Whether the largest structure is between the smallest and the largest bandwidth that were compared, and beyond
        the spread of the null: in one data set it passes Student's t at 1%, two-sided, corrected for the number of
        bandwidths and data sets.
    curve : dict of ndarray
        ``bandwidth``, ``multiple``, ``entropy``, ``null_mean``, ``null_standard_deviation``, ``structure`` and ``z``,
        each of shape (bandwidths,), or (layers, bandwidths) for several layers; ascending bandwidths.
    layers : tuple or None
        Names of the layers; None for one data set.
    t, order : float
        Diffusion time and Renyi order.
    null_name : str
        The surrogates.
    n_draws : int
        Their number.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import suggest_bandwidth
    >>> rng = np.random.default_rng(0)
    >>> found = suggest_bandwidth(rng.normal(size=(90, 5)) + 5 * np.eye(5)[np.arange(90) % 3])
    >>> bool(found.curve["structure"].max() == found.structure)
    True
    """

    bandwidth: float | dict[Any, float]
    multiple: float
    structure: float | dict[Any, float]
    z: float | dict[Any, float]
    clear: bool
    curve: dict[str, NDArray[np.float64]]
    layers: tuple[Any, ...] | None
    t: float
    order: float
    null_name: str
    n_draws: int

    def __repr__(self) -> str:
        at = f"t = {self.t:g}; {self.n_draws} draws of {self.null_name!r}"
        found = "clear maximum" if self.clear else "no clear maximum"
        if not np.any(self.curve["structure"]):
            return f"<BandwidthSuggestion {self.bandwidth}: no bandwidth shows structure at {at}>"
        if isinstance(self.structure, dict):
            n = len(self.structure)
            of = f"{n} {'layer' if n == 1 else 'layers'}: {self.multiple:.3g} medians"
            return f"<BandwidthSuggestion for {of}, {found} at {at}>"
        return (
            f"<BandwidthSuggestion {self.bandwidth:.4g} ({self.multiple:.3g} medians): structure "
            f"{self.structure:.3g} bits (z = {self.z:.3g}), {found} at {at}>"
        )

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the curve as columns of a table, one row a bandwidth, and a column ``layer`` for several layers."""
        n = self.curve["structure"].shape[-1]
        of_layers = {} if self.layers is None else {"layer": [name for name in self.layers for _ in range(n)]}
        return {**of_layers, **{name: values.ravel().tolist() for name, values in self.curve.items()}}

    def plot(self, *, label: str | None = None, ax: Any = None) -> Any:
        """Draw the structure against the bandwidth in medians, with the null's band and the suggestion.

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
        return plotting.structure(
            np.atleast_2d(self.curve["structure"]),
            np.atleast_2d(self.curve["null_standard_deviation"]),
            np.atleast_2d(self.curve["multiple"])[0],
            suggested=self.multiple,
            labels=None if self.layers is None else [str(name) for name in self.layers],
            label=label,
            title=None if label is not None else f"t = {self.t:g}, null {self.null_name!r}",
            ax=ax,
        )


def suggest_bandwidth(
    X: Any,
    t: float = 1,
    null: Null = "gaussian",
    *,
    order: float = 1,
    n_draws: int = 10,
    common: Literal["multiple", "number"] | None = None,
    alpha: float = 0.0,
    metric: Literal["euclidean", "cosine"] = "euclidean",
    precision: Precision = "auto",
    max_samples: int | None = 1000,
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
) -> BandwidthSuggestion:
    r"""Suggest the bandwidth at which the entropy of data differs most, in bits, from that of surrogates.

    .. math::

        \sigma^* = \arg\max_\sigma \left| \bar H_0(\sigma) - H(\sigma) \right|

    with H the diffusion spectral entropy of the data and :math:`\bar H_0` the mean of those of the draws, at the same
    bandwidth. For several layers it is the mean modulus over the layers.

    Parameters
    ----------
    X : array_like of shape (N, D), mapping of names to such arrays, or list or tuple of such arrays
        The data, or layers. Layers may have unequal numbers of rows and columns. See :func:`diffusion_spectrum`.
    t : float, default 1
        Diffusion time, positive. Larger times need smaller bandwidths, so the suggestion is for this time.
    null : {"gaussian", "permuted", "sphere"} or callable, default "gaussian"
        The surrogates; see :func:`null_baseline`.
    order : float, default 1
        Renyi order, positive.
    n_draws : int, default 10
        Surrogates of each data set; from 2 to 10^7.
    common : {"multiple", "number"}, optional, default "multiple"
        What the layers have in common: a multiple of the median distance of each, which compares their shapes, or one
        number, which compares their scales as well. Refused for one data set.
    alpha, num_threads, progress
        See :func:`diffusion_spectrum`.
    metric : {"euclidean", "cosine"}, default "euclidean"
        See :func:`diffusion_spectrum`. Surrogates are made of X as it is given, and scaled to length 1 afterwards.
    precision : {"auto", "single", "double"}, default "auto"
        See :func:`null_baseline`.
    max_samples : int or None, default 1000
        Where a data set has more rows, a random subset of this size is used. None uses all rows.
    random_state : int, Generator, RandomState or None, default 0
        Seed of draws, random subsets and the signs of estimates. A generator of NumPy gives one integer as the seed,
        and its state moves on. None takes a fresh seed. No draw is one that :func:`null_baseline` makes with the same
        seed, so that function tests the suggestion on draws that did not choose it.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"stochastic"`` estimates each entropy; :class:`Stochastic` has the options, without t and orders.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`. Each layer is where it is, unless
        a device is given for all. Surrogates are drawn there, by other random numbers than the core's, except those
        of a callable.

    Returns
    -------
    BandwidthSuggestion
        ``bandwidth``, ``structure``, ``clear``, ``curve``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`null_baseline`.

    Warns
    -----
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    The bandwidths that are compared go from 0.05 to 5 medians, and further where the largest structure is at an end.
    Where ``clear`` is False, these data do not differ from their null at any bandwidth by more than its spread, or
    the more the smaller (or larger) the bandwidth is. The entropy then says nothing that the null does not. Rows with
    duplicates, such as repeated tokens or binary data, can be of the second kind: at small bandwidths their entropy
    counts distinct rows.

    The criterion is in bits. In standard deviations of the null it would have no maximum, as they go to 0 toward
    saturation. A p-value of :func:`null_baseline` at the suggested bandwidth is approximate, since the same data
    chose it: it is exact on rows that were not used here.

    Cost: about 15 (n_draws + 1) entropies for each data set, with the memory of :func:`entropy_surface`. The
    distances of each draw are computed three times; a draw costs what it does in :func:`null_baseline`, and draws are
    kept where they take at most 64 MiB.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1; Garreau, Jitkrittum & Kanagawa, "Large sample analysis of the
    median heuristic", arXiv 1707.07269.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import suggest_bandwidth
    >>> rng = np.random.default_rng(0)
    >>> groups = rng.normal(size=(90, 5)) + 5 * np.eye(5)[np.arange(90) % 3]
    >>> found = suggest_bandwidth(groups)
    >>> found.clear, found.structure > 0.5
    (True, True)
    >>> suggest_bandwidth(rng.normal(size=(90, 5))).clear
    False
    """
    time, of_order = as_positive(t, "t"), _as_order(order)
    of_alpha, stored, made = as_alpha(alpha), as_precision(precision), as_null(null)
    threads, shown = as_threads(num_threads), as_progress(progress)
    draws = as_count(n_draws, "n_draws", least=2, most=MAX_DRAWS)
    seed = fixed_seed(as_seed(random_state, "random_state"))
    options = resolve_solver(solver, seed, times=[time], orders=[of_order], orders_name="order")
    require_free_precision(stored, options)
    names, sets = _data_sets(X, metric, max_samples, seed, device, stored)
    if common is not None and names is None:
        raise ValueError("common must not be given where X is one data set: it plays no part")
    shared = "multiple" if common is None else as_choice(common, "common", "multiple", "number")
    needed = _BYTES_OF_DRAW * draws * len(sets)
    require_bytes(f"n_draws = {draws}", max(data.n_samples for data in sets), needed, "a smaller n_draws")
    fewer = (*one_thread(threads, "decomposes one matrix"), "fewer rows by max_samples")
    with memory_errors(*ways_out(options, *fewer, has_single=stored != "single")):
        limit = memory_limit_of(options)
        medians = [float(resolve("median", data, None, seed, threads, memory_limit=limit)) for data in sets]
        units, ends = _units(medians, shared)
        curve_options = CurveOptions(
            t=time,
            order=of_order,
            n_draws=draws,
            alpha=of_alpha,
            precision=lambda data: core_precision(stored, data, [time], [of_order]),
            solver=options,
            num_threads=threads,
        )
        surrogates = [surrogates_of(data, made, seed, SUGGESTION_STREAM, threads) for data in sets]
        with progress_bar(shown, USUAL_STEPS * len(sets) * (draws + 1), "sets") as advance:
            curve = StructureCurve(sets, surrogates, units, curve_options, _counted(advance))
            curve.search(*ends)
    return _suggestion(curve, names, any(medians), shared, null_name(made))


def suggested_number(
    X: Any,
    t: float,
    *,
    metric: Literal["euclidean", "cosine"],
    random_state: RandomState,
    num_threads: int | None,
    device: DeviceLike,
) -> float:
    """Return the suggested bandwidth of one data set; warn where no maximum is clear."""
    if _layers(X) is not None:
        raise TypeError(f"X must be one array, got {printed(type(X))}: suggest_bandwidth takes layers")
    found = suggest_bandwidth(X, t, metric=metric, random_state=random_state, num_threads=num_threads, device=device)
    if not found.clear and found.bandwidth:
        warn(
            f"at no bandwidth does X differ clearly from {found.null_name} noise (t = {found.t:g}): its largest "
            f"structure is {found.structure:.2g} bits, z = {found.z:.2g}; suggest_bandwidth(X, t) has the curve, and "
            "rule='median' needs no structure",
            BandwidthWarning,
        )
    return float(found.bandwidth)  # type: ignore[arg-type]


def _as_order(order: Any) -> float:
    number = as_order(order, "order")
    if number == 0:
        raise ValueError("order must be positive, got 0: at order 0 an entropy counts eigenvalues")
    return number


def _counted(advance: Any) -> Any:
    """Return a function that advances a bar by one each time."""
    count = 0

    def done() -> None:
        nonlocal count
        count += 1
        advance(count, math.nan)

    return done


def _data_sets(
    X: Any, metric: Any, max_samples: Any, seed: int, device: DeviceLike, precision: Precision
) -> tuple[tuple[Any, ...] | None, list[AnyData]]:
    """Check one data set or several layers, and return the names of the layers."""
    as_choice(metric, "metric", "euclidean", "cosine")
    layers = _layers(X)
    if layers is None:
        sets = [data_of(device, X, metric, precision)]
    else:
        sets = [data_of(device, layer, metric, precision, f"X[{printed(name)}]") for name, layer in layers.items()]
    for data in sets:
        require_rows(data)
    return None if layers is None else tuple(layers), [data.limited(max_samples, seed) for data in sets]


def _layers(X: Any) -> dict[Any, Any] | None:
    """Return layers by name, or by number where they have none; None where X is one data set."""
    if isinstance(X, Mapping):
        found = named_arrays(X, "X", "an array or a mapping of names to arrays")
    elif isinstance(X, (list, tuple)) and X and all(getattr(layer, "ndim", None) == 2 for layer in X):
        found = dict(enumerate(X))
    else:
        return None
    if not found:
        raise ValueError("X must have at least one layer, got an empty mapping")
    return found


def _units(medians: list[float], shared: str) -> tuple[list[float], tuple[float, float]]:
    """Return the bandwidth of each layer at the multiple 1, and the ends of the grid of multiples."""
    positive = [median for median in medians if median > 0]
    if shared == "multiple" or not positive:
        return [median or 1.0 for median in medians], (_SMALLEST, _LARGEST)
    unit = math.exp(math.fsum(map(math.log, positive)) / len(positive))
    return [unit] * len(medians), (_SMALLEST * min(positive) / unit, _LARGEST * max(positive) / unit)


def _suggestion(
    curve: StructureCurve, names: tuple[Any, ...] | None, differ: bool, shared: str, null: str
) -> BandwidthSuggestion:
    compared = [curve.comparison(place) for place in range(len(curve.sets))]
    best = curve.best()
    multiple = float(curve.multiples[best])
    bandwidths = [multiple * unit if differ else 0.0 for unit in curve.units]
    columns = {
        "bandwidth": np.outer(curve.units, curve.multiples),
        "multiple": np.tile(curve.multiples, (len(compared), 1)),
        "entropy": np.array([one.value for one in compared]),
        "null_mean": np.array([one.mean for one in compared]),
        "null_standard_deviation": np.array([one.standard_deviation for one in compared]),
        "structure": np.array([one.structure for one in compared]),
        "z": np.array([one.z for one in compared]),
    }

    def of_layers(values: list[float]) -> Any:
        return values[0] if names is None else dict(zip(names, values, strict=True))

    options = curve.options
    return BandwidthSuggestion(
        bandwidth=bandwidths[0] if shared == "number" else of_layers(bandwidths),
        multiple=multiple,
        structure=of_layers([float(one.structure[best]) for one in compared]),
        z=of_layers([float(one.z[best]) for one in compared]),
        clear=curve.is_interior() and curve.falls_off() and curve.is_beyond_spread(best),
        curve={name: values[0] if names is None else values for name, values in columns.items()},
        layers=names,
        t=options.t,
        order=options.order,
        null_name=null,
        n_draws=options.n_draws,
    )
