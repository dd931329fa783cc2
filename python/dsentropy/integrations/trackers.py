"""Trackers of experiments as sinks of a monitor: TensorBoard, Weights & Biases, MLflow.

Each function returns a callable for ``Monitor(sinks=...)``, which writes :meth:`Records.scalars` of each step. A
value that could not be had is written as NaN. The tracker is loaded when its function is called.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from dsentropy._checks.printing import printed
from dsentropy.monitor.arguments import as_optional_text, as_string
from dsentropy.monitor.records import Records

Sink: TypeAlias = Callable[[Records], None]
"""What ``Monitor(sinks=...)`` takes."""

_BATCH = 1000
"""The most metrics that MLflow takes in one call."""


def tensorboard(writer: Any, prefix: str = "dsentropy") -> Sink:
    """Return a sink that writes to TensorBoard. Needs tensorboard; no PyTorch.

    Parameters
    ----------
    writer : path or SummaryWriter
        A folder, in which an event file is made at the first step; or a writer with ``add_scalar``, such as that of
        ``torch.utils.tensorboard``.
    prefix : str, default "dsentropy"
        The first part of each key.

    Returns
    -------
    callable
        A sink. What it wrote is in the file after each step.
    """
    text = as_string(prefix, "prefix")
    if isinstance(writer, (str, os.PathLike)):
        made: list[Any] = []
        folder = os.fspath(writer)

        def to_folder(records: Records) -> None:
            if records:
                made[:] = made or [_event_file(folder)]
                _add_event(made[0], records, text)

        return to_folder
    if not callable(getattr(writer, "add_scalar", None)):
        raise TypeError(f"writer must be a folder or have the method add_scalar, got {printed(writer)}")

    def to_writer(records: Records) -> None:
        for key, value in records.scalars(text).items():
            writer.add_scalar(key, value, records[0]["step"], records[0]["time"])
        writer.flush()

    return to_writer


def _event_file(folder: str) -> Any:
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    return EventFileWriter(folder)


def _add_event(file: Any, records: Records, prefix: str) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    values = [Summary.Value(tag=key, simple_value=value) for key, value in records.scalars(prefix).items()]
    first = records[0]
    file.add_event(Event(step=first["step"], wall_time=first["time"], summary=Summary(value=values)))
    file.flush()


def wandb(run: Any = None, prefix: str = "dsentropy") -> Sink:
    """Return a sink that logs to Weights & Biases. Needs wandb.

    The step is logged as ``dsentropy/step``, to which the other keys are bound, and ``step`` is not passed: the run
    refuses one that is below its own counter. Each call moves that counter by one.

    Parameters
    ----------
    run : wandb.Run, optional
        By default the run that is active when a step is logged, which ``wandb.init`` started.
    prefix : str, default "dsentropy"
        The first part of each key.

    Returns
    -------
    callable
        A sink.
    """
    import wandb as package

    text = as_string(prefix, "prefix")
    if run is not None and not callable(getattr(run, "define_metric", None)):
        raise TypeError(f"run must be a run of wandb, got {printed(run)}")
    step = f"{text}/step" if text else "monitor/step"
    defined: list[Any] = []

    def log(records: Records) -> None:
        scalars = records.scalars(text)
        current = package.run if run is None else run
        if current is None:
            raise RuntimeError("run must be started before the first step is logged: wandb.init(...)")
        if scalars and current not in defined:
            defined[:] = [current]
            for names in [f"{text}/*"] if text else scalars:
                current.define_metric(names, step_metric=step)
        if scalars:
            current.log({**scalars, step: records[0]["step"]})

    return log


def mlflow(run_id: str | None = None, prefix: str = "dsentropy") -> Sink:
    """Return a sink that logs metrics to a run of MLflow, at the step of the records. Needs mlflow.

    Parameters
    ----------
    run_id : str, optional
        By default the run that is active now, on this thread: MLflow has an active run for each thread, and a monitor
        in the background logs on another one.
    prefix : str, default "dsentropy"
        The first part of each key. Characters that a key of MLflow cannot have are replaced by their code.

    Returns
    -------
    callable
        A sink.
    """
    import mlflow as package
    from mlflow.entities import Metric

    text, given = as_string(prefix, "prefix"), as_optional_text(run_id, "run_id")
    active = package.active_run()
    if given is None and active is None:
        raise ValueError("run_id must be given where no run is active, got None: mlflow.start_run() starts one")
    run = active.info.run_id if given is None else given
    client = package.MlflowClient(package.get_tracking_uri())

    def log(records: Records) -> None:
        metrics = [
            Metric(_mlflow_key(key), value, round(1000 * records[0]["time"]), records[0]["step"])
            for key, value in records.scalars(text).items()
        ]
        for first in range(0, len(metrics), _BATCH):
            client.log_batch(run, metrics[first : first + _BATCH])

    return log


def _mlflow_key(key: str) -> str:
    """Return a key of the characters that MLflow allows."""
    return re.sub(r"[^\w.\- :/]", lambda found: f"-{ord(found.group()):x}-", key)
