"""The probe of an adapter and what measures it: digest, labels, and the monitor that takes the rows of its layers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import RandomSampler, SubsetRandomSampler, WeightedRandomSampler

from dsentropy._checks.conversion import as_array
from dsentropy._checks.scalars import RandomState, as_count, as_limit, as_seed
from dsentropy._checks.warn import warn
from dsentropy.integrations.given_monitor import GivenMonitor, as_monitor, checked_monitor, has_information
from dsentropy.integrations.pool import Pool, as_pool
from dsentropy.integrations.torch.probe import Probe, require_probe, take_probe
from dsentropy.integrations.torch.row_subset import RowSubset
from dsentropy.monitor.monitor import Monitor
from dsentropy.monitor.monitor_warning import MonitorWarning
from dsentropy.monitor.records import Records
from dsentropy.monitor.settings import fresh_seed

_OF_ITEMS = ("labels", "inputs")
"""Arguments of a monitor that have one entry an item."""

_RANDOM = (RandomSampler, SubsetRandomSampler, WeightedRandomSampler)
"""Samplers of a loader that draw the order of its items."""

_MAX_SEED = 2**32
"""One more than the largest seed that all generators take."""


class MeasuredProbe:
    """A probe and its monitor; the arguments are those of :class:`LayerMonitor`.

    Attributes
    ----------
    pool : str or callable
        How outputs become rows.
    max_rows : int or None
        The number of rows that are taken at most.
    seed : int
        The seed of all draws.
    """

    def __init__(
        self,
        probe: Any,
        monitor: GivenMonitor,
        *,
        pool: Pool,
        max_rows: int | None,
        batch_size: int,
        random_state: RandomState,
    ) -> None:
        require_probe(probe)
        self._given, self.pool = checked_monitor(monitor), as_pool(pool)
        self.max_rows, seed = as_limit(max_rows, "max_rows"), as_seed(random_state, "random_state")
        self.seed = (fresh_seed() if seed is None else seed) % _MAX_SEED
        self._batch_size = as_count(batch_size, "batch_size")
        self._given_probe = probe
        self._taken_probe: Probe | None = None
        self._monitor: Monitor | None = None
        self._has_observed = False
        self._draws_order = isinstance(getattr(probe, "sampler", None), _RANDOM)

    def close(self) -> None:
        """Close the monitor, where it was made here."""
        if self._monitor is not None and self._monitor is not self._given:
            self._monitor.close()

    @property
    def probe(self) -> Probe:
        """The probe, which is taken when it is first asked for."""
        if self._taken_probe is None:
            self._taken_probe = take_probe(self._given_probe, self._batch_size, self.seed)
            self._given_probe = None
        return self._taken_probe

    @property
    def digest(self) -> str:
        """A digest of the probe's inputs, and of the draw of ``max_rows``; 16 hexadecimal digits."""
        if self.max_rows is None:
            return self.probe.digest
        drawn = f"{self.probe.digest} {self.max_rows} {self.seed}"
        return hashlib.sha256(drawn.encode()).hexdigest()[:16]

    @property
    def labels(self) -> NDArray[Any] | None:
        """The labels of the items that are measured, from the probe; None where it has none, or a row is a token."""
        return None if self.pool == "tokens" else self._drawn(self.probe.labels)

    @property
    def monitor(self) -> Monitor:
        """The monitor, which is made when it is first asked for."""
        if self._monitor is None:
            self._monitor = self._made()
        return self._monitor

    def _made(self) -> Monitor:
        given = self._given
        if isinstance(given, Monitor):
            return given
        arguments = {name: self._drawn(value) for name, value in given.items() if name in _OF_ITEMS}
        if "labels" not in given and has_information(given):
            arguments["labels"] = self.labels
        return as_monitor({**given, **arguments})

    def _drawn(self, of_items: Any) -> Any:
        """Return those of some values, one an item, that belong to the rows which ``max_rows`` leaves."""
        if of_items is None or self.max_rows is None:
            return of_items
        array = np.asarray(of_items)
        return array[RowSubset(self.max_rows, self.seed).of(len(array))] if array.ndim else array

    def observe(self, step: int, rows: Mapping[str, NDArray[Any]], epoch: float | None = None) -> Records:
        """Measure the rows of layers; the first time, compare the digest with that of the run."""
        if not self._has_observed:
            self._compare_digests(rows)
            self._compare_order()
        self._has_observed = True
        return self.monitor.observe(step, rows, epoch=epoch, digest=self.digest)

    def _compare_digests(self, layers: Mapping[str, Any]) -> None:
        monitor = self.monitor
        earlier = {record["digest"] for record in monitor.records if record["layer"] in layers}
        if earlier - {self.digest}:
            warn(
                f"probe must be that of the earlier records of run {monitor.run!r}, with the digest "
                f"{earlier.pop()!r}, got one with {self.digest!r}: values of the two do not compare",
                MonitorWarning,
            )

    def _compare_order(self) -> None:
        """Warn of labels and inputs that were given where a loader draws the order of the items, which has others."""
        given = self._given
        if isinstance(given, Monitor):
            targets = given._settings.targets
            labels, inputs, of_probe = targets.get("dsmi"), targets.get("dsmi_inputs"), self.labels
        else:
            labels, inputs, of_probe = given.get("labels"), given.get("inputs"), self.probe.labels
        has_others = labels is not None and not _same_classes(as_array(labels, "labels"), of_probe)
        if self._draws_order and (has_others or inputs is not None):
            warn(
                f"monitor must have {'labels' if has_others else 'inputs'} in the order of the probe, which its "
                "loader draws: labels that the loader yields are in that order; shuffle=False keeps that of the data",
                MonitorWarning,
            )


def _same_classes(labels: NDArray[Any], of_probe: NDArray[Any] | None) -> bool:
    """Return whether two sequences of labels differ in the names of their classes at most; -1 stands for unused."""
    if of_probe is None or labels.shape != of_probe.shape:
        return False
    used = labels != -1 if labels.dtype.kind == "i" else np.ones(len(labels), dtype=bool)
    one, other = (np.unique(array[used], return_inverse=True)[1] for array in (labels, of_probe))
    return len({*one}) == len({*other}) == len({*zip(one, other, strict=True)})
