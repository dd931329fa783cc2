"""Measures of a network's layers during its training: one monitor, records in a log that survives a kill.

:class:`Monitor` takes arrays from any framework and needs NumPy alone; :func:`read_log` reads its log, :func:`report`
makes a page of it. See docs/training.md.
"""

from dsentropy.monitor.curves import Curves, Profile
from dsentropy.monitor.html_report import report
from dsentropy.monitor.log import read_log
from dsentropy.monitor.monitor import Monitor
from dsentropy.monitor.monitor_warning import MonitorWarning
from dsentropy.monitor.records import Records

__all__ = ["Curves", "Monitor", "MonitorWarning", "Profile", "Records", "read_log", "report"]
