"""Picture of the information of each cluster, beside that of permuted clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dsentropy._checks.scalars import as_nonnegative, as_numbers
from dsentropy.plotting._axes import as_drawn, as_names, finish, new_axes
from dsentropy.plotting._series import along, as_label, beside, claim, color_of, count_of, marker_of, named

_MOST_NAMES = 40
"""Clusters whose names are drawn, at most about."""


def clusters(
    values: ArrayLike,
    names: Sequence[str],
    t: float | Sequence[float],
    *,
    null: ArrayLike | None = None,
    label: str | None = None,
    title: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw the information of each cluster, a row for each and a colour for each diffusion time.

    Parameters
    ----------
    values : array_like of shape (len(names), len(t))
        Informations in bits.
    names : sequence of str
        Names of the clusters, from top to bottom.
    t : float or sequence of float
        Diffusion times, one for each column of ``values``.
    null : array_like of shape (n_permutations, len(names), len(t)), optional
        Informations of permuted clusters: a grey bar has 95% of them, from the quantile of 2.5% to that of 97.5%.
    label : str, optional
        The name of what is drawn, for a legend where several calls draw on the same axes; colours go on from one
        call to the next.
    title : str, optional
        Title of the axes.
    ax : matplotlib Axes, optional
        Axes to draw on; by default new ones.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        Where matplotlib is not installed.
    ValueError
        Where arrays have another shape, or ``t`` is negative.
    TypeError
        Where ``t`` is no number, or a name no string.

    Examples
    --------
    >>> from dsentropy import plotting
    >>> from matplotlib.figure import Figure
    >>> axes = plotting.clusters([[0.5], [0.7]], ["cats", "dogs"], 1, ax=Figure().add_subplot())
    >>> axes.get_xlabel(), [name.get_text() for name in axes.get_yticklabels()]
    ('information (bits)', ['cats', 'dogs'])
    """
    times, _ = as_numbers(t, "t", as_nonnegative)
    rows = as_names(names, "names")
    bits, permuted = as_drawn(values, "values"), None if null is None else as_drawn(null, "null")
    shape = (len(rows), len(times))
    if bits.shape != shape:
        raise ValueError(f"values must have the shape {shape}, got {bits.shape}")
    if permuted is not None and (permuted.ndim != 3 or permuted.shape[1:] != shape or not len(permuted)):
        raise ValueError(f"null must have the shape {('n_permutations', *shape)}, got {permuted.shape}")
    of_call, ax = as_label(label), new_axes(ax, title)
    (at, every), first = along(ax, rows), count_of(ax)
    height = 0.7 / len(times)
    for i, time in enumerate(times):
        number = first + i
        places = at + (beside(number) if first else 0.7 * ((i + 0.5) / len(times) - 0.5))
        if permuted is not None:
            low, high = np.quantile(permuted[:, :, i], [0.025, 0.975], axis=0)
            called = named(of_call, "permuted clusters, 95%", 2) if i == 0 else None
            ax.barh(places, high - low, left=low, height=0.8 * height, color="0.8", label=called)
        points = {"color": color_of(number), "marker": marker_of(number), "linestyle": "", "markersize": 6}
        line = ax.plot(bits[:, i], places, label=named(of_call, f"t = {time:g}", len(times)), **points)[0]
        claim(line, number, rows)
    ax.axvline(0, color="0.4", linewidth=0.8, linestyle=":")
    ticks = range(0, len(every), -(-len(every) // _MOST_NAMES))
    ax.set_yticks(list(ticks), [every[place] for place in ticks])
    head = max(0.3 * len(every), 0.9) if len(times) > 1 or permuted is not None or first else 0  # for the legend
    ax.set(xlabel="information (bits)", ylabel="cluster", ylim=(len(every) - 0.5, -0.5 - head))
    ax.use_sticky_edges = False  # so that bars at an end have a margin
    finish(ax, title, len(times) + (permuted is not None), of_call)
    if head:
        ax.legend(loc="upper center", ncols=2, fontsize="small")
    return ax
