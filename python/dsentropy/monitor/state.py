"""The state of a monitor for a checkpoint of the training: plain Python values, which JSON can hold.

It has what later steps of the run depend on and, of a monitor without a log, the records, as columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dsentropy._checks.printing import printed
from dsentropy.monitor.log import as_json, as_record
from dsentropy.monitor.records import FIELDS, Record, Records, record_of


@dataclass
class Dependence:
    """What later steps depend on: places of layers, their numbers of rows, and the bandwidths that they keep."""

    depths: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    kept: dict[tuple[str, str], float] = field(default_factory=dict)
    """Bandwidths, or multiples of the median, by layer and rule."""
    saturated: set[str] = field(default_factory=set)
    """Layers of which a reading was saturated."""


@dataclass(frozen=True)
class State:
    """The state of a run after its last step."""

    run: str
    last_step: int | None
    random_state: int
    metric: str
    max_samples: int | None
    depends_on: Dependence
    records: Records

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        names = ("run", "last_step", "random_state", "metric", "max_samples")
        columns = Records(map(as_json, self.records)).to_dict() if self.records else {}
        kept = self.depends_on.kept
        return {
            **{name: getattr(self, name) for name in names},
            "depths": dict(self.depends_on.depths),
            "rows": dict(self.depends_on.rows),
            "bandwidths": [[layer, rule, number] for (layer, rule), number in kept.items() if rule != "structure"],
            "multiples": {layer: number for (layer, rule), number in kept.items() if rule == "structure"},
            "saturated": sorted(self.depends_on.saturated),
            "records": columns,
        }

    @classmethod
    def of_dict(cls, state: Any) -> State:
        """Read what :meth:`to_dict` returned."""
        if not isinstance(state, Mapping):
            raise TypeError(f"state must be a mapping that Monitor.state_dict returned, got {printed(state)}")
        state = {**_ADDED, **state}
        for name, is_valid in _VALID.items():
            if name not in state or not is_valid(state[name]):
                found = f"{name!r} {printed(state[name])}" if name in state else f"no {name!r}"
                raise ValueError(f"state must be one that Monitor.state_dict returned, got one with {found}")
        kept = {(layer, rule): number for layer, rule, number in state["bandwidths"] if rule != "structure"}
        kept |= {(layer, "structure"): number for layer, number in state["multiples"].items()}
        names = ("run", "last_step", "random_state", "metric", "max_samples")
        return cls(
            **{name: state[name] for name in names},
            depends_on=Dependence(dict(state["depths"]), dict(state["rows"]), kept, set(state["saturated"])),
            records=_records(state["records"]),
        )

    def require_run(self, name: str | None) -> None:
        """Require that the state is of the run of this name; None stands for any."""
        if name not in (None, self.run):
            raise ValueError(
                f"state must be of run {name!r}, got one of run {self.run!r}: a Monitor without run=... takes "
                "the name from the state"
            )

    def agreed(self, records: Records) -> Iterator[Record]:
        """Yield records of the run and, where a step was made, what its records have in common."""
        yield from records
        if self.last_step is not None:
            shared = record_of({"random_state": self.random_state, "metric": self.metric}.items())
            yield shared
            for n_all in self.depends_on.rows.values():
                yield {**shared, "n_all": n_all, "n": min(n_all, self.max_samples or n_all)}


def _records(columns: Mapping[str, Any]) -> Records:
    """Return the records of columns."""
    lines = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    records = [record for record in map(as_record, lines) if record]
    if len(records) < len(lines):
        raise ValueError(
            f"state must be one that Monitor.state_dict returned, got {len(lines) - len(records)} of "
            f"{len(lines)} records that are none"
        )
    return Records(records)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_int(value)


def _are_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) and _is_int(value[name]) for name in value)


def _are_bandwidths(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(one, list | tuple)
        and len(one) == 3
        and isinstance(one[0], str)
        and isinstance(one[1], str)
        and _is_number(one[2])
        for one in value
    )


def _are_multiples(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) and _is_number(value[name]) for name in value)


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) for name in value)


def _are_columns(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and (not value or set(FIELDS) - {"bandwidth_multiple"} <= set(value) <= set(FIELDS))
        and all(isinstance(column, list | tuple) for column in value.values())
        and len(set(map(len, value.values()))) <= 1
    )


_VALID = {
    "run": lambda value: isinstance(value, str) and bool(value),
    "last_step": lambda value: value is None or (_is_int(value) and value >= 0),
    "random_state": lambda value: _is_int(value) and value >= 0,
    "metric": lambda value: isinstance(value, str),
    "max_samples": lambda value: value is None or (_is_int(value) and value > 0),
    "depths": _are_counts,
    "rows": _are_counts,
    "bandwidths": _are_bandwidths,
    "multiples": _are_multiples,
    "saturated": _are_names,
    "records": _are_columns,
}
"""What each entry of a state must be."""

_ADDED: dict[str, Any] = {"multiples": {}, "saturated": ()}
"""Entries that states of earlier versions lack, whose bandwidths by structure were numbers and are found anew."""
