"""The bandwidth of a data set as one number, by a rule.

Cost: N^2 D flops; by the rule "structure" as in `suggested_bandwidth.py`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from dsentropy._checks.devices import DeviceLike
from dsentropy._checks.memory import memory_errors
from dsentropy._checks.scalars import RandomState, as_choice, as_seed, as_threads
from dsentropy._checks.unused import require_unused
from dsentropy._data.device_rows import data_of
from dsentropy._measures.suggested_bandwidth import suggested_number
from dsentropy._operator.bandwidth import resolve


def estimate_bandwidth(
    X: ArrayLike,
    rule: Literal["median", "knn", "structure"] = "median",
    *,
    n_neighbors: int | None = None,
    t: float | None = None,
    metric: Literal["euclidean", "cosine", "precomputed"] = "euclidean",
    random_state: RandomState = 0,
    num_threads: int | None = None,
    device: DeviceLike = None,
) -> float:
    r"""Estimate a bandwidth of the order of the distances between rows.

    Parameters
    ----------
    X : array_like of shape (N, D), or (N, N) where ``metric`` is ``"precomputed"``
        The data; see :func:`diffusion_spectrum`.
    rule : {"median", "knn", "structure"}, default "median"
        ``"median"``: the median of the positive distances of all pairs of rows, and of a random subset of 4000 rows
        where there are more. ``"knn"``: the median over the rows of :math:`\sigma_i`, the distance to the
        ``n_neighbors``-th nearest other row. ``"structure"``: the bandwidth at which the entropy differs most, in
        bits, from that of normally distributed rows with the same mean and covariance, as
        :func:`suggest_bandwidth` finds it by its defaults. That function has the curve, and says whether the maximum
        is clear.
    n_neighbors : int, optional, default 15
        Number of neighbours of the rule ``"knn"``, below N; the row itself is not counted. Refused with other
        rules, which have none.
    t : float, optional, default 1
        Diffusion time of the rule ``"structure"``, positive. Refused with other rules, which do not depend on it.
    metric : {"euclidean", "cosine", "precomputed"}, default "euclidean"
        See :func:`diffusion_spectrum`. The rule ``"structure"`` needs rows.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the random subset, and of the draws of the rule ``"structure"``. A generator of NumPy gives one
        integer as the seed, and its state moves on. None draws from Python's global generator; by the rule
        ``"structure"`` it takes a fresh seed.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    device : {"cpu", "cuda", "cuda:1", "mps"}, torch.device or None, default None
        Where the rows are; see :func:`diffusion_spectrum`. The rule ``"structure"`` draws its surrogates there.

    Returns
    -------
    float
        In units of the data; 0 where no two rows differ and, by the rule ``"knn"``, where each row has as many
        duplicates as neighbours are asked for.

    Raises
    ------
    ValueError
        For a value out of range, data that are not finite, and an argument that plays no part.
    TypeError, MemoryError
        See :func:`diffusion_spectrum`.

    Warns
    -----
    BandwidthWarning
        By the rule ``"structure"``, where the maximum is not clear: data that are noise have none.

    Notes
    -----
    Cost: N^2 D flops, with at most 4000 rows for the median, which takes 8 bytes a pair. By the rule ``"structure"``
    about 165 entropies of at most 1000 rows.

    References
    ----------
    Garreau, Jitkrittum & Kanagawa, "Large sample analysis of the median heuristic", arXiv 1707.07269; Zelnik-Manor &
    Perona, "Self-tuning spectral clustering", NIPS 2004.

    Examples
    --------
    >>> from dsentropy import estimate_bandwidth
    >>> estimate_bandwidth([[0.0], [1.0], [3.0]])  # of 1, 2 and 3
    2.0
    """
    name = as_choice(rule, "rule", "median", "knn", "structure")
    as_choice(metric, "metric", "euclidean", "cosine", "precomputed")
    if name != "knn":
        require_unused(n_neighbors, "n_neighbors", f"rule is {name!r}")
    if name == "structure":
        if metric == "precomputed":
            raise ValueError("metric must be 'euclidean' or 'cosine' where rule is 'structure', got 'precomputed'")
        of_time = 1.0 if t is None else t
        return suggested_number(
            X, of_time, metric=metric, random_state=random_state, num_threads=num_threads, device=device
        )
    require_unused(t, "t", f"rule is {name!r}")
    data = data_of(device, X, metric)
    seed, threads = as_seed(random_state, "random_state"), as_threads(num_threads)
    with memory_errors(*(["a smaller n_neighbors"] if name == "knn" else []), "fewer rows of X"):
        bandwidth = resolve(name, data, n_neighbors, seed, threads)
    return float(np.median(bandwidth))
