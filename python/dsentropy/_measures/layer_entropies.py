"""Entropies of the layers of a network, as one table and one picture by depth.

Cost: one entropy for each layer and bandwidth, and as many for each surrogate of a layer; t and orders are free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.limits import MAX_DRAWS
from dsentropy._checks.memory import memory_errors, require_bytes
from dsentropy._checks.printing import printed
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
)
from dsentropy._checks.unused import require_unused
from dsentropy._checks.warn import warn
from dsentropy._data.device_layers import layer_rows_on
from dsentropy._data.device_rows import AnyData, device_of, placed
from dsentropy._data.layer_rows import RowOptions, has_tokens, layers_of, masks_of
from dsentropy._data.surrogates import Null, as_null, fixed_seed, null_name
from dsentropy._measures.layer_readings import LayerReadings, ReadingOptions, read_layer
from dsentropy._measures.layer_table import LayerEntropies
from dsentropy._measures.suggested_bandwidth import BandwidthSuggestion, suggest_bandwidth
from dsentropy._operator.bandwidth import BandwidthLike, listed_bandwidths
from dsentropy._operator.precision import require_free_precision
from dsentropy._spectrum.saturation import SaturationWarning
from dsentropy._spectrum.solver import Stochastic, resolve_solver
from dsentropy._spectrum.ways_out import one_thread, ways_out

LayerBandwidths: TypeAlias = "BandwidthLike | Literal['structure']"
"""A bandwidth of each layer, or the rule that finds one multiple of their medians."""

_N_NULL = 20
"""Surrogates of each layer where n_null is not given."""

_BYTES_OF_READING = 80
"""Bytes of one reading of one data set: its numbers, and those of the comparison with the null."""


def layer_entropies(
    layers: Mapping[Any, ArrayLike] | Sequence[ArrayLike],
    bandwidths: LayerBandwidths | Sequence[LayerBandwidths] | Mapping[Any, Any] = "median",
    t: Numbers = 1,
    orders: Numbers = 1,
    *,
    masks: ArrayLike | Mapping[Any, ArrayLike] | None = None,
    tokens: Literal["rows", "mean"] | None = None,
    normalize: bool = False,
    null: Null | None = None,
    n_null: int | None = None,
    null_bandwidth: Literal["own", "data"] | None = None,
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
) -> LayerEntropies:
    r"""Compute the diffusion spectral entropy of each layer of a network: one table, one picture by depth.

    .. math::

        H_q(\sigma, t) = \frac{1}{1 - q} \log_2 \sum_i p_i^q, \qquad p_i = \lambda_i^t / \sum_j \lambda_j^t,

    with :math:`\lambda_i` the eigenvalues of the diffusion operator of a layer at the bandwidth :math:`\sigma`.

    Parameters
    ----------
    layers : mapping of names to array_like of shape (N, D) or (N, T, D), or list or tuple of such arrays
        The layers, from the first to the last; those of a list are numbered from 0. Each is whatever
        :func:`diffusion_spectrum` takes as rows, or the tokens of sequences, for which ``tokens`` must be given.
        Layers may differ in rows and columns.
    bandwidths : float, {"median", "knn", "structure"}, array_like (N,) or callable, or a sequence, default "median"
        As in :func:`entropy_surface`, for each layer. A mapping of all names to bandwidths, as many for each, gives
        each layer its own; it may have further names. ``"median"`` takes the scale of a layer out; a number compares
        scales as well. ``"structure"`` is the multiple of the medians at which the layers together differ most from
        their null (normal rows without one), at the first t and order, as :func:`suggest_bandwidth` finds it by its
        defaults, on draws of its own: the result has its ``suggestion``. The multiple is common to all layers, so the
        entropy of a layer depends on which others are given with it. Refused in a mapping.
    t, orders : float or sequence of float, default 1
        Diffusion times and Renyi orders; further ones are free. See :meth:`Spectrum.entropy`.
    masks : array_like of shape (N, T), or mapping of names to such arrays, optional
        Which tokens count: 1 or True for a token, 0 for padding, as attention masks have it. One array is that of all
        layers with tokens.
    tokens : {"rows", "mean"}, optional
        What becomes of the tokens of a layer (N, T, D): each is a row, without its padding; or the mean over the
        tokens of a sequence is its row. Refused where no layer has tokens.
    normalize : bool, default False
        Scale each row to length 1 (L2), after tokens were averaged. Surrogates are made of these rows; with
        ``metric="cosine"`` they are made of the rows before, and scaled afterwards.
    null : {"gaussian", "permuted", "sphere"} or callable, optional
        Surrogates that each layer is compared with; see :func:`null_baseline`, which has the same draws and numbers.
    n_null : int, optional, default 20
        Surrogates of each layer, at least 2. Refused without a null.
    null_bandwidth : {"own", "data"}, optional, default "own"
        Whether surrogates follow a rule of bandwidths or have the number of their layer; see :func:`null_baseline`.
        Refused without a null.
    n_neighbors, alpha, num_threads
        See :func:`diffusion_spectrum`. ``n_neighbors`` is refused where no bandwidth is ``"knn"``.
    metric : {"euclidean", "cosine"}, default "euclidean"
        See :func:`diffusion_spectrum`.
    precision : {"auto", "single", "double"}, default "auto"
        See :func:`null_baseline`.
    max_samples : int, optional
        Where a layer has more rows, a random subset of this size is used: the same one in layers of equally many
        rows.
    random_state : int, Generator, RandomState or None, default 0
        Seed of random subsets, of surrogates and of the signs of estimates. A generator of NumPy gives one integer as
        the seed, and its state moves on. None takes a fresh seed.
    progress : bool, default False
        Show a progress bar. Needs tqdm.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        ``"stochastic"`` estimates each entropy; :class:`Stochastic` has the options. Its ``tol`` holds at each
        positive t and each order given here, which must be positive.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`. Each layer is where it is, unless
        a device is given for all. Surrogates are drawn there, by other random numbers than the core's, except those
        of a callable.

    Returns
    -------
    LayerEntropies
        ``entropy``, with a null also ``structure``, ``z`` and ``p_value``; ``to_pandas()``, ``plot()``.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectrum`. Errors about a layer name it: ``layers['conv1']``.

    Warns
    -----
    SaturationWarning
        Where a layer has one row, or equal rows only: it has collapsed, and its entropy is 0 whatever the bandwidth.
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    Entropies of layers with unequal numbers of rows do not compare: take ``max_samples``, or :func:`compare` at a
    fixed number of rows, which has an interval for the difference. Over L layers, correct p for their number, as
    :func:`null_baseline` says. No warning is given where entropies of layers with distinct rows saturate: the table
    has a column.

    Cost: one entropy for each layer and bandwidth, and as many for each surrogate: see :func:`entropy_surface` and
    :func:`null_baseline`; ``"structure"`` takes 165 entropies a layer first. Memory: the rows of all layers, one
    layer's surface, and one surrogate.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1 and Figure 4, for entropies along depth; Phipson & Smyth, SAGMB
    9 (2010), for p.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import layer_entropies
    >>> rng = np.random.default_rng(0)
    >>> inputs = rng.normal(size=(90, 8))
    >>> layers = {"input": inputs, "groups": inputs + 8 * np.eye(8)[np.arange(90) % 3]}
    >>> found = layer_entropies(layers, t=2, null="gaussian")
    >>> [bool(z > 5) for z in found.z.ravel()]
    [False, True]
    >>> list(found.to_dict())[:6]
    ['layer', 'n_samples', 'bandwidth', 't', 'order', 'entropy']
    """
    given, rows = layers_of(layers), RowOptions.of(tokens, normalize)
    of_layers = masks_of(masks, list(given))
    _require_tokens(given, masks, tokens)
    times, _ = as_numbers(t, "t", as_nonnegative)
    each_order, _ = as_numbers(orders, "orders", as_order)
    stored, threads, shown = as_precision(precision), as_threads(num_threads), as_progress(progress)
    seed = fixed_seed(as_seed(random_state, "random_state"))
    options = resolve_solver(solver, seed, times=times, orders=each_order)
    require_free_precision(stored, options)
    as_choice(metric, "metric", "euclidean", "cosine")
    made, draws, follows = _null_arguments(null, n_null, null_bandwidth)
    read = ReadingOptions(
        times, each_order, as_alpha(alpha), stored, n_neighbors, made, draws, follows, seed, options, threads
    )
    places = _places(given, device, metric, stored)
    each = asked = _bandwidths(bandwidths, list(given))
    number, several = len(given) * (draws + 1), max(map(len, each.values()))
    needed = _BYTES_OF_READING * number * several * len(times) * len(each_order)
    require_bytes(
        f"{len(given)} layers and n_null = {draws}", number, needed, "a smaller n_null", "fewer t or orders"
    )
    single = one_thread(threads, "decomposes one matrix") if several > 1 else ()
    fewer = (*single, "fewer rows, max_samples=...")
    with memory_errors(*ways_out(options, *fewer, has_single=stored != "single")):
        sets = _data_sets(given, of_layers, masks, rows, metric, places)
        used = {name: data.limited(max_samples, seed) for name, data in sets.items()}
        suggestion = None
        if any(_is_structure(one) for one in each[next(iter(given))]):
            suggestion = _suggested(used, metric, solver, read)
            each = {name: [_number(one, suggestion, name) for one in listed] for name, listed in each.items()}
        with progress_bar(shown, number, "data sets") as advance:
            count = iter(range(1, number + 1))
            found = [
                read_layer(used[name], each[name], data.n_samples, read, lambda: advance(next(count), math.nan))
                for name, data in sets.items()
            ]
    _warn_if_collapsed(used)
    return _result(tuple(given), found, asked, read, suggestion)


def _data_sets(
    layers: dict[Any, Any],
    masks_of_layers: dict[Any, Any],
    masks: Any,
    rows: RowOptions,
    metric: Any,
    places: dict[Any, str | None],
) -> dict[Any, AnyData]:
    """Make the rows of each layer; one mask is that of the layers with tokens."""
    sets = {}
    for name, layer in layers.items():
        label = _label(name)
        mask = masks_of_layers[name] if isinstance(masks, Mapping) or has_tokens(layer) else None
        sets[name] = placed(places[name], layer_rows_on(places[name], layer, mask, rows, label), metric, label)
    return sets


def _warn_if_collapsed(sets: dict[Any, AnyData]) -> None:
    """Warn of layers whose entropy is 0 at any bandwidth."""
    for data in sets.values():
        if data.n_samples == 1 or data.few_distinct() == 1:
            rows = "has one row" if data.n_samples == 1 else "has collapsed: all its rows are equal"
            warn(f"{data.argument} {rows}, so its entropy is 0 whatever the bandwidth", SaturationWarning)


def _places(layers: dict[Any, Any], device: DeviceLike, metric: Any, precision: Precision) -> dict[Any, str | None]:
    """Return the device of each layer; None is the core."""
    return {name: device_of(device, layer, metric, precision, _label(name)) for name, layer in layers.items()}


def _label(name: Any) -> str:
    return f"layers[{printed(name)}]"


def _is_structure(bandwidth: Any) -> bool:
    return isinstance(bandwidth, str) and bandwidth == "structure"


def _suggested(sets: dict[Any, AnyData], metric: Any, solver: Any, options: ReadingOptions) -> BandwidthSuggestion:
    """Find the multiple of the medians at which the layers differ most from their null, at the first t and order."""
    return suggest_bandwidth(
        {name: data.given for name, data in sets.items()},
        options.times[0],
        "gaussian" if options.null is None else options.null,
        order=options.orders[0],
        alpha=options.alpha,
        metric=metric,
        precision=options.precision,
        random_state=options.seed,
        num_threads=options.num_threads,
        solver=solver,
    )


def _number(bandwidth: Any, suggestion: BandwidthSuggestion, name: Any) -> Any:
    """Return the bandwidth that a suggestion has for a layer: any number where no two of its rows differ."""
    if not _is_structure(bandwidth):
        return bandwidth
    assert isinstance(suggestion.bandwidth, dict)  # of several layers
    return suggestion.bandwidth[name] or 1.0


def _require_tokens(layers: dict[Any, Any], masks: Any, tokens: Any) -> None:
    """Raise where tokens or masks are given and no layer has tokens."""
    if not any(has_tokens(layer) for layer in layers.values()):
        require_unused(tokens, "tokens", "no layer has the shape (N, T, D)")
        require_unused(masks, "masks", "no layer has the shape (N, T, D)")


def _null_arguments(null: Any, n_null: Any, null_bandwidth: Any) -> tuple[Null | None, int, bool]:
    """Return the surrogates, their number, and whether they follow a rule of bandwidths."""
    if null is None:
        require_unused(n_null, "n_null", "null is None")
        require_unused(null_bandwidth, "null_bandwidth", "null is None")
        return None, 0, True
    draws = _N_NULL if n_null is None else as_count(n_null, "n_null", least=2, most=MAX_DRAWS)
    kept = "own" if null_bandwidth is None else as_choice(null_bandwidth, "null_bandwidth", "own", "data")
    return as_null(null), draws, kept == "own"


def _bandwidths(bandwidths: Any, names: list[Any]) -> dict[Any, list[Any]]:
    """Return the bandwidths of each layer, equally many."""
    if not isinstance(bandwidths, Mapping):
        return dict.fromkeys(names, listed_bandwidths(bandwidths))
    if not bandwidths.keys() >= set(names):
        raise ValueError(
            f"bandwidths must have the names of the layers, {names!r:.99}, got those of {list(bandwidths)!r:.99}"
        )
    each = {name: listed_bandwidths(bandwidths[name]) for name in names}
    if any(_is_structure(one) for listed in each.values() for one in listed):
        raise ValueError("bandwidths must not have 'structure' in a mapping: it is one multiple for all layers")
    numbers = {len(one) for one in each.values()}
    if len(numbers) > 1:
        raise ValueError(f"bandwidths must be equally many for each layer, got from {min(numbers)} to {max(numbers)}")
    return each


def _rule_of(of_layers: tuple[Any, ...]) -> str | None:
    """Return the rule or number of all layers, or None."""
    first = of_layers[0]
    shared = all(isinstance(one, (str, Real)) and one == first for one in of_layers)
    return (first if isinstance(first, str) else f"{first:g}") if shared else None


def _result(
    names: tuple[Any, ...],
    found: list[LayerReadings],
    asked: dict[Any, list[Any]],
    options: ReadingOptions,
    suggestion: BandwidthSuggestion | None,
) -> LayerEntropies:
    columns = {name: np.array([one.columns[name] for one in found]) for name in found[0].columns}
    for values in columns.values():
        values.setflags(write=False)
    null = tuple(one.null for one in found if one.null is not None)
    return LayerEntropies(
        names=names,
        bandwidth=tuple(one.labels for one in found),
        rules=tuple(map(_rule_of, zip(*asked.values(), strict=True))),
        t=tuple(options.times),
        orders=tuple(options.orders),
        n_samples=tuple(one.n_samples for one in found),
        null=null or None,
        null_name=None if options.null is None else null_name(options.null),
        suggestion=suggestion,
        **columns,
    )
