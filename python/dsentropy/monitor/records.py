"""Records of a monitor in long form: one for each run, step, layer, measure, bandwidth rule, alpha, t and order.

A record is a dictionary with the names of :data:`FIELDS`. A value that could not be had is None, and ``reason`` says
why. Of records with one key the last one counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeAlias

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import as_float, as_path
from dsentropy._results.tabular import Tabular
from dsentropy.io.replacing import replacing
from dsentropy.monitor.arguments import as_string
from dsentropy.monitor.curves import Curves, Profile, curve_label
from dsentropy.monitor.scalars import scalars_of

Record: TypeAlias = dict[str, Any]
"""One reading of one layer at one step, with the names of :data:`FIELDS`."""

FIELDS: dict[str, type] = {
    "run": str,
    "step": int,
    "epoch": float,
    "time": float,
    "layer": str,
    "depth": int,
    "measure": str,
    "value": float,
    "standard_error": float,
    "lower": float,
    "upper": float,
    "n": int,
    "n_all": int,
    "d": int,
    "bandwidth_rule": str,
    "bandwidth": float,
    "bandwidth_multiple": float,
    "t": float,
    "order": float,
    "alpha": float,
    "metric": str,
    "solver": str,
    "precision": str,
    "random_state": int,
    "digest": str,
    "saturation": str,
    "null": str,
    "null_mean": float,
    "null_standard_deviation": float,
    "z": float,
    "p_value": float,
    "warnings": str,
    "reason": str,
    "seconds": float,
    "version": str,
}
"""The fields of a record and the types of their values; ``run``, ``step``, ``layer`` and ``measure`` are not None.

``run`` names a training, ``time`` is in seconds since 1970, ``depth`` is the place of the layer among those that were
observed, from 0. ``lower`` and ``upper`` are truncation bounds of an estimate. ``n`` rows of ``n_all`` were used, of
``d`` numbers each; ``digest`` is of these rows. ``bandwidth_multiple`` is the bandwidth in medians of the distances,
which the rule ``"structure"`` found at the first step of the layer; None of other rules. ``saturation`` is ``"low"``
or ``"high"`` where an entropy, or the mean entropy of the random subsets of an information, is within 2% of an end of
its range. ``null`` names surrogates, or permuted classes of an information. ``seconds`` were spent on all records of
this layer, step and measure together, with the bandwidth.
"""

REQUIRED = ("run", "step", "layer", "measure")
"""Fields without which a line of a log is no record."""


def key_of(record: Record) -> tuple[Any, ...]:
    """Return what a record is a reading of; a bandwidth that was given as a number is a rule of its own."""
    number = record["bandwidth"] if record["bandwidth_rule"] == "number" else None
    names = ("run", "step", "layer", "measure", "bandwidth_rule", "alpha", "t", "order")
    return (*(record[name] for name in names), number)


class Records(list[Record], Tabular):
    """A list of records, as a :class:`Monitor` keeps them and :func:`read_log` returns them.

    Each is a dictionary with the fields ``run``, ``step``, ``epoch``, ``time``, ``layer``, ``depth``, ``measure``,
    ``value``, ``standard_error``, ``lower``, ``upper``, ``n``, ``n_all``, ``d``, ``bandwidth_rule``, ``bandwidth``,
    ``bandwidth_multiple``, ``t``, ``order``, ``alpha``, ``metric``, ``solver``, ``precision``, ``random_state``,
    ``digest``, ``saturation``, ``null``, ``null_mean``, ``null_standard_deviation``, ``z``, ``p_value``,
    ``warnings``, ``reason``, ``seconds`` and ``version``; docs/training.md describes them.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy.monitor import Monitor
    >>> monitor = Monitor(bandwidth=3.0)
    >>> for step in range(3):
    ...     _ = monitor.observe(step, {"hidden": (step + 1) * np.eye(8)})
    >>> [round(record["value"], 2) for record in monitor.records.select("dse")]
    [0.7, 1.78, 2.54]
    """

    def __repr__(self) -> str:
        runs, layers = (list(dict.fromkeys(record[name] for record in self)) for name in ("run", "layer"))
        steps = {(record["run"], record["step"]) for record in self}
        return f"<{len(self)} Records: runs {len(runs)}, layers {len(layers)}, steps {len(steps)}>"

    def without_superseded(self) -> Records:
        """Return the records without those of which a later one has the same key."""
        return Records({key_of(record): record for record in self}.values())

    def select(
        self,
        measure: str | None = None,
        *,
        layer: str | None = None,
        run: str | None = None,
        t: float | None = None,
        order: float | None = None,
    ) -> Records:
        """Return the records with these fields; None stands for any."""
        wanted = {"measure": measure, "layer": layer, "run": run, "t": t, "order": order}
        given = {name: value for name, value in wanted.items() if value is not None}
        return Records(record for record in self if all(record[name] == value for name, value in given.items()))

    def scalars(self, prefix: str = "dsentropy") -> dict[str, float]:
        """Return the values of the records of a step by key, such as ``dsentropy/dse/layer_07``, for a tracker.

        Parameters
        ----------
        prefix : str, default "dsentropy"
            The first part of each key; none where it is empty.

        Returns
        -------
        dict of str to float
            Keys of prefix, measure and layer. A value that could not be had is NaN, so the keys are those of every
            step. Whole numbers in the name of a layer are padded with zeros to two digits, or to as many as the
            longest number at their place in the layers: ``layers.3.mlp`` is ``layers.03.mlp``. A measure with several
            t or orders has them in its name: ``dse_t2``, ``dse_order0.5``, ``dse_t2_order0.5``. Where several records
            have one key, as those of several steps have, the last one counts.

        Raises
        ------
        TypeError
            Where ``prefix`` is no string.
        ValueError
            Where the records are of several runs.

        Examples
        --------
        >>> from dsentropy.monitor import Monitor
        >>> with Monitor(bandwidth=1.0) as monitor:
        ...     made = monitor.observe(0, {"layer_7": [[0.0], [1.0], [3.0]]})
        >>> list(made.scalars())[-1]
        'dsentropy/dse/layer_07'
        """
        runs = list(dict.fromkeys(record["run"] for record in self))
        if len(runs) > 1:
            raise ValueError(f"records must be of one run, got {printed(runs)}: select(run=...) takes those of one")
        return scalars_of(self, as_string(prefix, "prefix"))

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns of a table with one row a record, named after its fields."""
        return {name: [record.get(name) for record in self] for name in FIELDS}

    def to_pandas(self) -> Any:
        """Return the table of :meth:`to_dict` as a pandas DataFrame, with NaN in place of None. Needs pandas."""
        frame = super().to_pandas()
        return frame.astype({name: "float64" for name, kind in FIELDS.items() if kind is float})

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write the table of :meth:`to_pandas` to a Parquet file, all or nothing. Needs pandas and pyarrow.

        A seed beyond 64 bits is written as text.
        """
        name, frame = as_path(path, "path"), self.to_pandas()
        if any(seed is not None and seed.bit_length() > 63 for seed in frame["random_state"]):
            frame["random_state"] = frame["random_state"].map(str)
        with replacing(name) as file:
            frame.to_parquet(file, engine="pyarrow", index=False)

    def curves(
        self,
        measure: str | None = None,
        *,
        t: float | None = None,
        order: float | None = None,
        run: str | None = None,
    ) -> Curves:
        """Return the values of a measure against the step, for each layer.

        Parameters
        ----------
        measure : str, optional
            By default that of the first record.
        t, order : float, optional
            Diffusion time and Renyi order; by default those of the measure's first record.
        run : str, optional
            The run; must be given where there are several.

        Returns
        -------
        Curves
            Values [steps, layers], NaN where there is none.
        """
        chosen = self._of_one_run(measure, run)
        first = chosen[0]
        time = first["t"] if t is None else as_float(t, "t")
        of_order = first["order"] if order is None else as_float(order, "order")
        kept = Records(record for record in chosen if record["t"] == time and record["order"] == of_order)
        if not kept:
            read = sorted({(record["t"], record["order"]) for record in chosen if record["t"] is not None})
            raise ValueError(
                f"t and order must be those of records of {first['measure']!r}, {printed(read)}, "
                f"got {printed((time, of_order))}"
            )
        return Curves.of(kept.without_superseded(), curve_label(first["measure"]))

    def _of_one_run(self, measure: str | None, run: str | None) -> Records:
        of_run = self if run is None else self.select(run=run)
        runs, measures = (list(dict.fromkeys(record[name] for record in of_run)) for name in ("run", "measure"))
        if not runs:
            every = [*dict.fromkeys(record["run"] for record in self)]
            raise ValueError(f"run must be one with records, {printed(every)}, got {printed(run)}")
        if len(runs) > 1:
            raise ValueError(f"run must be given where there are several, {printed(runs)}, got None")
        if measure is not None and measure not in measures:
            raise ValueError(f"measure must be one with records, {printed(measures)}, got {printed(measure)}")
        return of_run.select(measures[0] if measure is None else measure)

    def profile(
        self,
        measure: str | None = None,
        *,
        t: float | None = None,
        order: float | None = None,
        run: str | None = None,
    ) -> Profile:
        """Return the values of :meth:`curves` as profiles over the depth, one for each step."""
        return self.curves(measure, t=t, order=order, run=run).profile()

    def change_since_first(
        self,
        measure: str | None = None,
        *,
        t: float | None = None,
        order: float | None = None,
        run: str | None = None,
    ) -> Curves:
        """Return each value of :meth:`curves` less the first value of its layer."""
        return self.curves(measure, t=t, order=order, run=run).change_since_first()

    def drawdown(
        self,
        measure: str | None = None,
        *,
        t: float | None = None,
        order: float | None = None,
        run: str | None = None,
    ) -> Curves:
        """Return how far each value of :meth:`curves` is below the largest value of its layer so far: at least 0."""
        return self.curves(measure, t=t, order=order, run=run).drawdown()

    def plot(
        self,
        measure: str | None = None,
        *,
        t: float | None = None,
        order: float | None = None,
        run: str | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw the values of :meth:`curves` against the step, a line a layer. Needs matplotlib.

        Parameters
        ----------
        measure, t, order, run
            See :meth:`curves`.
        ax : matplotlib Axes, optional
            Axes to draw on; by default new ones.

        Returns
        -------
        matplotlib Axes
        """
        return self.curves(measure, t=t, order=order, run=run).plot(ax=ax)


def record_of(fields: Iterable[tuple[str, Any]]) -> Record:
    """Make a record of some fields; the others are None."""
    record: Record = dict.fromkeys(FIELDS)
    record.update(fields)
    return record
