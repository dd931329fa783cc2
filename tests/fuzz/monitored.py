"""A monitor of two steps as one call, for random arguments: arguments are refused, and what an array holds is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsentropy.monitor import Monitor

PLAIN = {"run", "time", "seconds", "version"}
"""Fields that are not of the data."""


def monitor(
    layers: Any,
    *,
    measures: Any = ("dse", "dsmi"),
    bandwidth: Any = "median",
    t: Any = (1,),
    orders: Any = (1,),
    labels: Any = None,
    inputs: Any = None,
    max_samples: Any = 2000,
    null: Any = None,
    n_draws: Any = 20,
    n_repeats: Any = 20,
    alpha: Any = 0.0,
    metric: Any = "euclidean",
    precision: Any = "auto",
    solver: Any = "exact",
    random_state: Any = 0,
    num_threads: Any = None,
) -> list[dict[str, Any]]:
    """Observe the layers at two steps, the second from the state of the first; return the records."""
    arguments = {name: value for name, value in locals().items() if name != "layers"}
    with Monitor(**arguments) as first:
        _observe(first, 0, layers)
    with Monitor(**{**arguments, "random_state": None}) as second:
        second.load_state_dict(first.state_dict())
        _observe(second, 1, layers)
    second.records.scalars()
    return [{name: value for name, value in record.items() if name not in PLAIN} for record in second.records]


def _observe(monitor: Monitor, step: int, layers: Any) -> None:
    try:
        monitor.observe(step, layers)
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        if isinstance(layers, Mapping) and all(isinstance(name, str) and name for name in layers):
            raise RuntimeError("what an array of layers holds ended the training") from error
        raise
