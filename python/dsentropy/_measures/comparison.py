"""Differences of entropies at a fixed number of rows, with their intervals.

    D_r = H(A, rows S_r) - H(B, rows S_r),    mean of D_r +- tau_{R-1} s_D / sqrt(R)

over random subsets S_r of the rows. What both representations owe to the choice of rows cancels. The interval is
Student's (Biometrika 6, 1908), for unpaired sets that of Welch (Biometrika 34, 1947). Cost: one entropy for each set
and subset, whatever the number of pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.limits import MAX_DRAWS
from dsentropy._checks.scalars import Numbers, Precision, RandomState, as_choice, as_count, as_flag
from dsentropy._data.data import Metric
from dsentropy._measures.compared_sets import ComparedSets
from dsentropy._measures.comparison_table import Comparison
from dsentropy._measures.population_difference import compared_populations, require_population
from dsentropy._measures.random_subsets import SampledData, SubsetArguments, drawn, require_subsets
from dsentropy._measures.student_interval import RepeatedMean, as_confidence, sum_of
from dsentropy._operator.bandwidth import BandwidthLike
from dsentropy._spectrum.solver import Stochastic


def compare(
    A: ArrayLike | Mapping[Any, ArrayLike],
    B: ArrayLike | Mapping[Any, ArrayLike] | None = None,
    *,
    against: Any = None,
    interval: Literal["subsets", "population"] = "subsets",
    paired: bool = True,
    n_samples: int | None = None,
    n_repeats: int | None = None,
    t: Numbers = 1,
    order: Numbers = 1,
    confidence: float = 0.95,
    bandwidth: BandwidthLike | Mapping[Any, BandwidthLike] | None = None,
    n_neighbors: int | None = None,
    alpha: float = 0.0,
    metric: Metric = "euclidean",
    precision: Precision = "auto",
    random_state: RandomState = 0,
    num_threads: int | None = None,
    progress: bool = False,
    solver: Literal["exact", "stochastic"] | Stochastic = "exact",
    device: DeviceLike = None,
) -> Comparison:
    r"""Compute differences of diffusion spectral entropies of two representations, or of layers, with an interval.

    .. math::

        \bar D = \frac{1}{R} \sum_{r=1}^R D_r, \qquad D_r = H(A_{S_r}) - H(B_{S_r}), \qquad
        \bar D \pm \tau_{R-1} \frac{s_D}{\sqrt{R}}

    with :math:`A_{S_r}` the rows of A in the random subset :math:`S_r`, and :math:`\tau_{R-1}` the quantile of
    Student's t. Both representations have the same rows in a subset, so what the choice of rows adds to both cancels.

    Parameters
    ----------
    A, B : array_like of shape (N, D), or mapping of names to such arrays
        Two representations of the same samples, row by row; the numbers of columns may differ. A mapping A without B:
        layers, of which all pairs are compared. Two mappings with equal names, as of two checkpoints: each layer of A
        minus that of B. For ``metric="precomputed"`` or ``"affinity"`` arrays have the shape (N, N).
    against : name, optional
        Name of one layer in A: all others minus this one, in place of all pairs.
    interval : {"subsets", "population"}, default "subsets"
        ``"subsets"``: the interval is that of the expected difference over random subsets of these rows, and says
        nothing of other data. ``"population"``: it is that of the expected difference of N rows from the source of
        the data, by the delete-d jackknife of :func:`population_interval` on the difference: the same rows are left
        out of both sets, and the difference is that of all rows. Sets must be paired, and the solver exact.
    paired : bool, default True
        Whether subsets have the same rows in all sets, which must have equal numbers of rows. False: sets of other
        samples, also of unequal size, are compared at ``n_samples`` rows of each, drawn independently.
    n_samples : int, optional
        Rows of a subset, at most those of the smallest set; by default half of those, and at most 1000. An entropy
        depends on the number of rows, so differences at unequal ``n_samples`` cannot be compared. Where ``interval``
        is ``"population"``, N - d with d rows left out: below N, by default nine tenths of it.
    n_repeats : int, optional, default 20, or 40 where ``interval`` is ``"population"``
        R, the number of subsets, drawn independently of each other; from 2 to 10^7.
    t, order : float or sequence of float, default 1
        See :meth:`Spectrum.entropy`.
    confidence : float, default 0.95
        Confidence of the interval, between 0 and 1.
    bandwidth : float, {"median", "knn"}, array_like of shape (N,), callable, or mapping, optional, default "median"
        A rule takes the bandwidth of all rows of each set, which each of its subsets uses: the difference does not
        depend on the units of either set. A number is common to all. A mapping gives one to each name, which is
        ``"A"`` and ``"B"`` for two arrays and as in ``names`` of the result else; it may have further names. Where
        ``interval`` is ``"population"``, a rule is applied to each subset, and a number is kept: the interval is then
        that of the difference at this number.
    n_neighbors, alpha, metric, num_threads, progress
        See :func:`diffusion_spectrum`.
    precision : {"auto", "single", "double"}, default "auto"
        See :func:`subsampled_entropy`.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the subsets and of the signs of estimates. It draws the same rows for all sets with N rows, in this
        call and in others: ``first_entropy`` is the ``mean`` of :func:`subsampled_entropy` of A with the same
        ``n_samples``, ``n_repeats`` and seed, and so is ``second_entropy`` of B where ``paired`` is True. A generator
        of NumPy gives one integer as the seed, and its state moves on. None draws from Python's global generator.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        See :func:`subsampled_entropy`.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where products of an estimate are computed; see :func:`diffusion_spectrum`. Each set is where it is, unless a
        device is given for all. The exact solver copies the rows to the processor, except those of subsets that a
        CUDA device solves for, of 1000 rows or more.

    Returns
    -------
    Comparison
        ``difference``, ``interval``, ``first_entropy``, ``second_entropy``; a table of one row a pair, t and order.

    Raises
    ------
    ValueError, TypeError, MemoryError
        See :func:`diffusion_spectrum`; ValueError also where numbers of rows differ and ``paired`` is True.

    Warns
    -----
    SaturationWarning
        Where a mean entropy is within 2% of 0 or of log2 ``n_samples``.
    ToleranceWarning
        Where an estimate did not converge to its tolerance.

    Notes
    -----
    Cost: ``n_repeats`` entropies of ``n_samples`` rows for each set, spread over the threads; pairs are free.

    The default interval is that of the *expected difference over random subsets of these rows*. Its ends move towards
    each other with ``n_repeats``, so whether it contains 0 is no test of two populations: all subsets are drawn from
    the same rows. At N rows of each set it is a point. ``interval="population"`` has the interval that is meant where
    other data could have been drawn. Intervals of several pairs hold one by one, not all at once.

    It has its confidence where differences are near normally distributed; see the notes of :func:`subsampled_entropy`
    on outliers. Measured: of 3000 intervals of 95% for each pair of three layers of 400 digits, at 100 rows, t of 1
    and 5 and orders 1 and 2, paired and not, 94% to 96% cover the mean difference of 10,000 other subsets
    (``benches/coverage.py --compare --repetitions 3000``).

    Intervals of the population: of 60 for each of six populations of 300 rows, a sample and a random layer that sees
    it, 90% to 100% cover the mean difference of fresh samples at the median distance, t of 1 and 5, orders 1 and 2;
    at 0.35 of it 88% to 98% (``benches/coverage.py --difference``, docs/theory.md). They take rows as independent
    draws, which frames of a film or tokens of a sentence are not.

    Where ``paired`` is False, the standard error is the root of the sum of both sets' squares, and :math:`\tau` has
    Welch's degrees of freedom. Estimates of both sets may share random signs, so the sum of their standard errors is
    taken, and that of their bounds.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823, Definition 3.1; Student, "The probable error of a mean", Biometrika 6 (1908),
    doi 10.1093/biomet/6.1.1; Welch, "The generalization of 'Student's' problem", Biometrika 34 (1947), doi
    10.1093/biomet/34.1-2.28.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy import compare
    >>> A = np.random.default_rng(0).normal(size=(300, 5))
    >>> B = np.tanh(A @ np.diag([3, 2, 1, 0.5, 0.1]))
    >>> found = compare(A, B, n_samples=100)
    >>> low, high = found.interval
    >>> bool(low < found.difference < high), bool(low > 0)
    (True, True)
    """
    of, matched = as_choice(interval, "interval", "subsets", "population"), as_flag(paired, "paired")
    default = 20 if of == "subsets" else 40  # of a population they estimate a variance
    repeats = as_count(default if n_repeats is None else n_repeats, "n_repeats", least=2, most=MAX_DRAWS)
    level = as_confidence(confidence)
    arguments = SubsetArguments.of(
        t=t,
        order=order,
        alpha=alpha,
        precision=precision,
        random_state=random_state,
        num_threads=num_threads,
        progress=progress,
        solver=solver,
    )
    sets = ComparedSets.of(A, B, against, metric, device, arguments.precision)
    if matched:
        sets.require_equal_rows()
    kernels = sets.kernels(bandwidth, n_neighbors)
    if of == "population":
        size = require_population(sets, n_samples, matched, arguments)
        return compared_populations(sets, kernels, repeats, size, level, arguments)
    size = sets.subset_size(n_samples)
    draws, sampled = _sampled(sets, kernels, repeats, size, matched, arguments)
    bits = [one.entropies.bits[keys] for one, (_, keys) in zip(sampled, draws, strict=True)]
    means = _means(draws, sampled, bits, arguments)
    for one, mean in zip(sampled, means, strict=True):
        arguments.warn_if_saturated(one, mean.mean, size, f"the mean entropy of {one.data.argument}")
    return Comparison(
        **_of_pairs(sets, bits, means, matched, level, arguments),
        names=tuple((sets.names[i], sets.names[j]) for i, j in sets.pairs),
        values={name: arguments.drop_axes(values) for name, values in zip(sets.names, bits, strict=True)},
        bandwidth={name: one.public_bandwidth for name, one in zip(sets.names, sampled, strict=True)},
        n_samples=size,
        n_rows=sets.n_rows,
        n_repeats=repeats,
        confidence=level,
        paired=matched,
        t=tuple(arguments.times),
        order=tuple(arguments.orders),
    )


_Draws = list[tuple[list[NDArray[np.uint64]], list[int]]]
"""Distinct subsets of each set, and the number of each draw."""


def _sampled(
    sets: ComparedSets,
    kernels: list[tuple[Any, Any]],
    repeats: int,
    size: int,
    paired: bool,
    arguments: SubsetArguments,
) -> tuple[_Draws, list[SampledData]]:
    """Draw the subsets of each set, if they fit into memory, and compute their entropies."""
    for data, kernel in zip(sets.data, kernels, strict=True):
        arguments.require_kernel(data, *kernel)
    readings = arguments.readings * (len(sets.data) + len(sets.pairs))
    sizes = [data.n_samples for data in sets.data]
    require_subsets(repeats, size, max(sizes), readings, draws=len({*sizes} if paired else sizes))
    draws = _draws(sets, repeats, size, paired, arguments.seed)
    return draws, [
        arguments.entropies(data, *kernel, rows)
        for data, kernel, (rows, _) in zip(sets.data, kernels, draws, strict=True)
    ]


def _means(
    draws: _Draws, sampled: list[SampledData], bits: list[NDArray[np.float64]], arguments: SubsetArguments
) -> list[RepeatedMean]:
    """Return the mean entropy of each set over its subsets."""
    return [
        RepeatedMean.of(values, arguments.uncertainty(one.entropies, keys))
        for values, one, (_, keys) in zip(bits, sampled, draws, strict=True)
    ]


def _draws(sets: ComparedSets, repeats: int, size: int, paired: bool, seed: int | None) -> _Draws:
    """Draw the subsets of each set: the same rows of sets with equal numbers of rows where they are paired."""
    sizes = [data.n_samples for data in sets.data]
    if paired:
        of_size = {n: drawn(repeats, size, n, seed) for n in dict.fromkeys(sizes)}
        return [of_size[n] for n in sizes]
    return [drawn(repeats, size, n, _stream(seed, place)) for place, n in enumerate(sizes)]


def _stream(seed: int | None, place: int) -> int | None:
    """Return the seed of the subsets of one of several unpaired sets; the first has the seed itself."""
    if seed is None or place == 0:
        return seed
    return int(np.random.default_rng([seed % 2**64, place]).integers(2**63))


def _of_pairs(
    sets: ComparedSets,
    bits: list[NDArray[np.float64]],
    means: list[RepeatedMean],
    paired: bool,
    confidence: float,
    arguments: SubsetArguments,
) -> dict[str, Any]:
    """Return the differences of all pairs, and both entropies of each."""
    found = [
        RepeatedMean.of(bits[i] - bits[j], sum_of(means[i].uncertainty, means[j].uncertainty))
        if paired
        else means[i].minus(means[j])
        for i, j in sets.pairs
    ]
    intervals = [one.interval(confidence) for one in found]

    def stacked(values: list[NDArray[np.float64]]) -> Any:
        return arguments.drop_axes(np.array(values) if sets.several else values[0])

    return {
        "difference": stacked([one.mean for one in found]),
        "interval": (stacked([low for low, _ in intervals]), stacked([high for _, high in intervals])),
        "standard_deviation": stacked([one.deviation for one in found]),
        "first_entropy": stacked([means[i].mean for i, _ in sets.pairs]),
        "second_entropy": stacked([means[j].mean for _, j in sets.pairs]),
    }
