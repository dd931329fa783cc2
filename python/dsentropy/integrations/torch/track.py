"""Saved models of a training, measured afterwards: the records that sweeps during it would have made.

Cost: that of a sweep for each model, and loading it. With several processes these load the models and pass the probe
through, and this one measures in order; at most as many results wait as there are processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import RandomState, as_count
from dsentropy.integrations.given_monitor import GivenMonitor
from dsentropy.integrations.pool import Pool
from dsentropy.integrations.torch.generators import kept_generators
from dsentropy.integrations.torch.layer_pass import LayerPass
from dsentropy.integrations.torch.measured_probe import MeasuredProbe
from dsentropy.integrations.torch.probe import Probe
from dsentropy.monitor.monitor import Monitor
from dsentropy.monitor.records import Records


class _Checkpoint(NamedTuple):
    """A saved model: what ``load`` takes, its place in the list, and its step."""

    given: Any
    place: int
    step: int


def track(
    checkpoints: Iterable[Any],
    load: Callable[[Any], torch.nn.Module],
    layers: str | Iterable[str],
    probe: Any,
    *,
    steps: Iterable[int] | None = None,
    n_jobs: int | None = None,
    pool: Pool = "mean",
    mask: str | Callable[[Any], torch.Tensor | None] | None = None,
    max_rows: int | None = None,
    batch_size: int = 256,
    forward: Callable[[Any, Any], Any] | None = None,
    monitor: GivenMonitor = None,
    random_state: RandomState = 0,
) -> Records:
    """Measure layers of saved models, as sweeps during the training would have.

    Parameters
    ----------
    checkpoints : sequence
        What ``load`` takes, such as paths, one for each model.
    load : callable
        ``load(checkpoint)`` returns a model.
    layers : str or sequence of str
        Names of modules or patterns of names; see :class:`LayerMonitor`.
    probe, pool, mask, max_rows, batch_size, forward, monitor, random_state
        See :class:`LayerMonitor`.
    steps : sequence of int, optional
        The step of each checkpoint, by default its place in the list. Models are measured in the order of the steps.
    n_jobs : int, optional
        Processes that load models and pass the probe through, by joblib; -1 stands for as many as there are cores.
        None stands for this process alone or, within ``joblib.parallel_config``, for its number, such as that of the
        workers of a Dask cluster. Then ``load`` and what it is called with must be picklable.

    Returns
    -------
    Records
        The records of the run, in the order of the steps; those of earlier calls with this log included.

    Raises
    ------
    RuntimeError
        Where a checkpoint cannot be loaded. Records of earlier steps are in the log.
    ValueError, TypeError
        For an argument that is out of range or of a wrong type.

    Notes
    -----
    Steps that are complete in the log of the monitor are not measured again, so a call that was interrupted goes on.
    From the first step on that is not, all are measured.

    Examples
    --------
    >>> import torch
    >>> from dsentropy.integrations.torch import track
    >>> def load(seed):
    ...     _ = torch.manual_seed(seed)
    ...     return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh())
    >>> records = track([3, 4], load, "*", torch.eye(4).repeat(5, 1), steps=[100, 200])
    >>> [(record["step"], record["layer"]) for record in records.select("dse")]
    [(100, '0'), (100, '1'), (200, '0'), (200, '1')]
    """
    if not callable(load):
        raise TypeError(f"load must be a callable of a checkpoint that returns a model, got {printed(load)}")
    saved, jobs = _saved(checkpoints, steps), _n_jobs(n_jobs)
    measured = MeasuredProbe(
        probe, monitor, pool=pool, max_rows=max_rows, batch_size=batch_size, random_state=random_state
    )
    options = {"pool": pool, "mask": mask, "forward": forward, "max_rows": measured.max_rows, "seed": measured.seed}
    try:
        left = _left(saved, measured.monitor)
        for one, rows in zip(left, _results(left, load, layers, options, measured.probe, jobs), strict=True):
            measured.observe(one.step, _rows_of(one, rows))
        measured.monitor.flush()
        return measured.monitor.records
    finally:
        measured.close()


def _saved(checkpoints: Any, steps: Any) -> list[_Checkpoint]:
    if isinstance(checkpoints, (str, bytes)) or not isinstance(checkpoints, Iterable):
        raise TypeError(f"checkpoints must be a sequence of what load takes, got {printed(checkpoints)}")
    given = list(checkpoints)
    if not given:
        raise ValueError("checkpoints must have one entry or more, got none")
    if steps is not None and not isinstance(steps, Iterable):
        raise TypeError(f"steps must be a sequence of integers, got {printed(steps)}")
    numbers = [*range(len(given))] if steps is None else [as_count(step, "steps", least=0) for step in steps]
    if len(numbers) != len(given):
        raise ValueError(f"steps must have one entry for each of the {len(given)} checkpoints, got {len(numbers)}")
    if len(set(numbers)) < len(numbers):
        raise ValueError(f"steps must differ, got {printed(numbers)}")
    saved = [_Checkpoint(one, place, step) for place, (one, step) in enumerate(zip(given, numbers, strict=True))]
    return sorted(saved, key=lambda one: one.step)


def _n_jobs(n_jobs: Any) -> int:
    """Return the number of processes that joblib would use."""
    from joblib import effective_n_jobs

    if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0):
        raise ValueError(f"n_jobs must be an integer but 0, or None, got {printed(n_jobs)}")
    return int(effective_n_jobs(n_jobs))


def _left(saved: list[_Checkpoint], monitor: Monitor) -> list[_Checkpoint]:
    """Return the models from the first one on whose step is not complete in the run of the monitor."""
    last = -1 if monitor.last_step is None else monitor.last_step
    complete = {record["step"] for record in monitor.records if record["step"] <= last}
    return list(dropwhile(lambda one: one.step in complete, saved))


def _results(
    saved: list[_Checkpoint], load: Any, layers: Any, options: dict[str, Any], probe: Probe, jobs: int
) -> Iterator[Any]:
    """Yield the rows of the layers of each model, or the error that it raised, in order."""
    if jobs == 1:
        yield from (_rows(one.given, load, layers, options, probe) for one in saved)
        return
    from joblib import Parallel, delayed

    # A generator of joblib goes ahead of what reads it, so that each gets as many tasks as may wait.
    with Parallel(n_jobs=jobs, return_as="generator") as parallel:
        for start in range(0, len(saved), jobs):
            part = saved[start : start + jobs]
            yield from parallel(delayed(_rows)(one.given, load, layers, options, probe) for one in part)


def _rows(checkpoint: Any, load: Any, layers: Any, options: dict[str, Any], probe: Probe) -> Any:
    """Return the rows of each layer of a saved model; an error as a value, since joblib drops what came before it."""
    try:
        with kept_generators():
            model = load(checkpoint)
        if not isinstance(model, torch.nn.Module):
            raise TypeError(f"load must return a torch.nn.Module, got {printed(model)}")
    except Exception as error:  # whatever load raises
        return _LoadError(error)
    try:
        rows = LayerPass(model, layers, **options).rows(probe, keep=True)
    except Exception as error:
        return error
    return {name: of_layer.array() for name, of_layer in rows.items()}


class _LoadError(NamedTuple):
    """What ``load`` raised."""

    cause: Exception


def _rows_of(one: _Checkpoint, result: Any) -> dict[str, NDArray[Any]]:
    """Return the rows of a result, or raise its error."""
    if isinstance(result, _LoadError):
        cause = result.cause
        raise RuntimeError(
            f"checkpoints[{one.place}], {printed(one.given)}, must load: {type(cause).__name__}: {cause}"
        ) from cause
    if isinstance(result, Exception):
        raise result
    rows: dict[str, NDArray[Any]] = result
    return rows
