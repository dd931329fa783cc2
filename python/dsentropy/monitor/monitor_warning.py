"""The warning of a monitor whose log or sinks fail."""

from __future__ import annotations


class MonitorWarning(UserWarning):
    """A sink or the log of a monitor failed; the training goes on, and the records are kept in memory.

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
