"""The state of a run: its records, its completed steps, and what later steps depend on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

from dsentropy.monitor.log import Contents
from dsentropy.monitor.records import FIELDS, Record, Records, key_of
from dsentropy.monitor.settings import KEPT, Settings
from dsentropy.monitor.state import Dependence, State


class Run:
    """A run of a name: that of a log, or a new one.

    Attributes
    ----------
    name : str
        The name of the training.
    completed : set of int
        Steps all of whose records are there.
    depths, rows : dict of str to int
        The place of each layer, and its number of rows.
    kept : dict of (str, str) to float
        The bandwidth, or the multiple of the median, that each layer keeps, by layer and rule.
    saturated : set of str
        Layers of which a reading was saturated.
    """

    def __init__(self, name: str | None, contents: Contents) -> None:
        self.name = name or next(reversed(contents.runs), None) or _new_name()
        self.completed = set(contents.completed.get(self.name, ()))
        self._before = Dependence()
        self._values: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        """Values of the fields of each record by its key, in order: a dictionary would take four times as much."""
        self._restore(record for key, record in contents.kept.items() if key[0] == self.name)

    def __len__(self) -> int:
        return len(self._values)

    def records(self) -> Records:
        """Return a copy of the records; another thread may add some meanwhile."""
        return Records(dict(zip(FIELDS, values, strict=True)) for values in list(self._values.values()))

    def state(self, settings: Settings, *, with_records: bool) -> State:
        """Return the state after the last step."""
        return State(
            run=self.name,
            last_step=max(self.completed, default=None),
            random_state=settings.random_state,
            metric=settings.metric,
            max_samples=settings.max_samples,
            depends_on=Dependence(self.depths, self.rows, self.kept, self.saturated),
            records=self.records() if with_records else Records(),
        )

    @classmethod
    def restored(cls, state: State, contents: Contents) -> tuple[Run, list[dict[str, Any]]]:
        """Return the run of a state after its last step, and the lines of a log that say so.

        The records are those of a log that has the run, else those of the state.
        """
        run, has_run = cls(state.run, contents), state.run in contents.runs
        records = run.records() if has_run else state.records
        last = -1 if state.last_step is None else state.last_step
        run._before = state.depends_on
        run._restore(record for record in records if record["step"] <= last)
        steps = run.completed if has_run else {record["step"] for record in records}
        run.completed = {step for step in steps if step <= last} | {last} - {-1}
        lines = [{"run": run.name, "resumed_from": last}]
        if not has_run:
            lines += [*run.records(), *({"run": run.name, "completed": step} for step in sorted(run.completed))]
        return run, lines

    def _restore(self, records: Iterable[Record]) -> None:
        self._values = {}
        before = self._before
        self.depths, self.rows, self.kept = dict(before.depths), dict(before.rows), dict(before.kept)
        self.saturated = set(before.saturated)
        for record in records:
            self._keep(record)

    def _keep(self, record: Record) -> None:
        """Keep a record and, where no earlier one had it, what later steps depend on."""
        key = key_of(record)
        self._values.pop(key, None)
        self._values[key] = tuple(record[name] for name in FIELDS)
        if record["depth"] is not None:
            self.depths.setdefault(record["layer"], record["depth"])
        if record["n_all"]:
            self.rows.setdefault(record["layer"], record["n_all"])
        if (rule := record["bandwidth_rule"]) in KEPT and record[KEPT[rule]]:
            self.kept.setdefault((record["layer"], rule), record[KEPT[rule]])
        if record["saturation"]:
            self.saturated.add(record["layer"])

    def add(self, step: int, records: Records) -> list[dict[str, Any]]:
        """Add the records of a step, and return the lines of a log that say so."""
        for record in records:
            self._keep(record)
        self.completed.add(step)
        return [*records, {"run": self.name, "completed": step}]

    def resume(self, step: int) -> list[dict[str, Any]]:
        """Drop the records of later steps, and return the line of a log that says so."""
        self._restore(record for record in self.records() if record["step"] <= step)
        self.completed = {one for one in self.completed if one <= step}
        return [{"run": self.name, "resumed_from": step}]


def _new_name() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(4).hex()}"
