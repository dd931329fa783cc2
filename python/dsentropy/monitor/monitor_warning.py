"""Warnings of a monitor: its log or sinks fail, or the readings of a layer say little about it."""

from __future__ import annotations

from dsentropy._measures.suggested_bandwidth import BandwidthWarning
from dsentropy._spectrum.saturation import SaturationWarning


class MonitorWarning(UserWarning):
    """A sink or the log of a monitor failed, or readings of a layer say little about it; the training goes on.

    Where a sink or the log failed, the records are kept in memory. The first saturated reading of a layer in a run
    is warned of once, and so is a layer that differs clearly from noise at no bandwidth, under the rule
    ``"structure"``: these are a :class:`SaturationWarning` and a :class:`BandwidthWarning` as well, so a filter of
    either class acts on them.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from dsentropy.monitor import Monitor
    >>> def tracker(records):
    ...     raise ConnectionError("no server")
    >>> with warnings.catch_warnings(record=True) as caught, Monitor(sinks=tracker) as monitor:
    ...     warnings.simplefilter("always")
    ...     records = monitor.observe(0, {"layer": np.random.default_rng(0).normal(size=(50, 3))})
    >>> caught[0].category.__name__
    'MonitorWarning'
    """


class MonitorSaturationWarning(MonitorWarning, SaturationWarning):
    """A layer has its first saturated reading of a run."""


class MonitorBandwidthWarning(MonitorWarning, BandwidthWarning):
    """A layer differs clearly from noise at no bandwidth."""
