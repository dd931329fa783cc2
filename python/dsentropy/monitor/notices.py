"""Warnings about readings, one a layer and run: the first that is saturated, and a bandwidth that may be chance.

They are found where a step is measured, which may be a thread in the background, and given where the training calls
the monitor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from dsentropy._checks.printing import printed
from dsentropy._checks.warn import warn
from dsentropy._measures.suggested_bandwidth import BandwidthWarning
from dsentropy.monitor.monitor_warning import MonitorBandwidthWarning, MonitorSaturationWarning, MonitorWarning
from dsentropy.monitor.records import Record

_OF_BANDWIDTH = f"{BandwidthWarning.__name__}: "
"""What the line of a record's warnings begins with that says that no maximum is clear."""


class Notices:
    """Warnings that wait until the training calls the monitor."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, type[Warning]]] = []

    def add(self, text: str, category: type[Warning] = MonitorWarning) -> None:
        """Add a warning."""
        self._waiting.append((text, category))

    def add_of_step(
        self, records: Iterable[Record], saturated: Collection[str], kept: Mapping[tuple[str, str], float]
    ) -> None:
        """Add the warnings of the records of a step.

        Parameters
        ----------
        records : iterable of Record
            The records of the step.
        saturated : collection of str
            Layers that had a saturated reading at an earlier step.
        kept : mapping
            What layers keep of earlier steps, by layer and rule of the bandwidth.
        """
        first: dict[str, Record] = {}
        for record in records:
            layer, rule = record["layer"], record["bandwidth_rule"]
            if record["saturation"] and layer not in saturated:
                first.setdefault(layer, record)
            if rule == "structure" and (layer, rule) not in kept:
                for text in _unclear(record):
                    self.add(f"layer {printed(layer)} at step {record['step']}: {text}", MonitorBandwidthWarning)
        for record in first.values():
            self.add(_saturated(record), MonitorSaturationWarning)

    def give(self) -> None:
        """Give the warnings that wait, each text once."""
        waiting, self._waiting = self._waiting, []
        for text, category in dict.fromkeys(waiting):
            warn(text, category)


def _unclear(record: Record) -> Iterator[str]:
    """Yield what a record says of a bandwidth by structure that is no clear maximum."""
    for line in (record["warnings"] or "").split("\n"):
        if line.startswith(_OF_BANDWIDTH):
            yield line.removeprefix(_OF_BANDWIDTH)


def _saturated(record: Record) -> str:
    """Return the warning of a saturated reading, with a way out for the rule of its bandwidth."""
    is_high, rule = record["saturation"] == "high", record["bandwidth_rule"]
    at = f"t = {record['t']:g}" + ("" if record["order"] == 1 else f" and order {record['order']:g}")
    bound = "its maximum" if is_high else "0"
    if record["measure"] == "dse":
        entropy = f"its entropy at {at}, {record['value']:.4g} bits,"
    else:
        entropy = f"the entropy of random subsets, of which its {record['measure']} at {at} is made,"
    if rule in ("number", "frozen"):
        advice = "bandwidth='median' or 'structure' follows the scale of a layer"
    else:
        size = "larger" if is_high else "smaller"
        advice = f"take a {size} t, or a number as bandwidth that is {size}"
    return (
        f"layer {printed(record['layer'])} is saturated at step {record['step']}: {entropy} is within 2% of {bound}, "
        f"at the bandwidth {record['bandwidth']:.4g} ({rule}), and says little about the layer; {advice}. Further "
        "readings of the layer have the field saturation and no warning"
    )
