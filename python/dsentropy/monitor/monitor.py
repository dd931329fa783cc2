"""A monitor of a network's layers: at each step it measures them and adds records, in memory and to a log.

It takes arrays, so it knows no framework, and it does not change the training that it watches: no global generator,
warning filter or setting of the process is used or moved. Cost a layer and step: the cost of each measure, see
:func:`diffusion_spectrum` and :func:`mutual_information`.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from numbers import Integral
from typing import Any, Literal

from numpy.typing import ArrayLike

from dsentropy._checks.printing import printed
from dsentropy._checks.scalars import (
    Numbers,
    Precision,
    RandomState,
    as_count,
    as_flag,
    as_path,
    as_seed,
)
from dsentropy._core import __version__
from dsentropy._data.surrogates import Null
from dsentropy._spectrum.solver import Stochastic
from dsentropy.monitor.arguments import as_epoch, as_layers, as_optional_text, as_sinks
from dsentropy.monitor.background import Background
from dsentropy.monitor.log import Contents, Log
from dsentropy.monitor.measurement import Measurement
from dsentropy.monitor.notices import Notices
from dsentropy.monitor.records import Record, Records, record_of
from dsentropy.monitor.rows import Layer
from dsentropy.monitor.run import Run
from dsentropy.monitor.run_curves import RunCurves
from dsentropy.monitor.settings import Settings
from dsentropy.monitor.state import State

_QUEUE = 2
"""Steps that may wait for the thread in the background; one more makes ``observe`` wait."""


class Monitor(RunCurves):
    """Measure layers of a network at steps of its training.

    Parameters
    ----------
    measures : sequence of {"dse", "dsmi"}, default ("dse", "dsmi")
        Diffusion spectral entropy; diffusion spectral mutual information with ``labels`` (records of the measure
        ``"dsmi"``) and with ``inputs`` (``"dsmi_inputs"``), left out where neither is given. Always measured as well:
        ``"mean_resultant"``, the norm of the mean row over the mean norm of the rows, which is 1 where all rows have
        one direction and about 0 where their directions cancel; ``"spread"``, the root mean square distance of the
        rows, scaled to length 1, from their mean, from 0 to 1; ``"effective_rank"``, that of the singular values of
        the centred rows. A diffusion spectrum says nothing of the first two.
    bandwidth : {"median", "frozen", "structure"} or float, default "median"
        ``"median"``: the median distance, at each step anew, so that the scale of a layer does not count.
        ``"frozen"``: for each layer the median distance at its first step, so that it does. ``"structure"``: for each
        layer a multiple of the median distance at each step, which is found at its first step: there its entropy, at
        the first positive t and order, differs most from that of its null, normal rows where there is none
        (:func:`suggest_bandwidth`). Both are in the log for a resumed run. Or one number for all layers.
    t, orders : float or sequence of float, default (1,)
        Diffusion times and Renyi orders of the entropy; an information has order 1. Further ones are free.
    labels : array_like of shape (N,) or (N, k), optional
        The class of each item; of several columns, each combination is one. Floats that are no whole numbers are cut
        into 10 bins of equal width, or go through spectral clustering where there are several columns.
    inputs : array_like of shape (N, ...), optional
        The input of each item, as numbers: put into 10 clusters once, when the monitor is made, by the rules of
        :func:`mutual_information`.
    max_samples : int or None, default 2000
        Where a layer has more rows, a random subset of this size is used, the same at every step and in every layer.
    null : {"gaussian", "permuted", "sphere"}, callable or None, default None
        Compare each entropy with those of ``n_draws`` surrogates of the same bandwidth (:func:`null_baseline`), and
        each information with those of as many permutations of the classes.
    n_draws : int, default 20
        Surrogates and permutations.
    n_repeats : int, default 20
        Random subsets for each class of an information, the same at every step.
    alpha, metric, precision
        See :func:`diffusion_spectrum`; the metric is ``"euclidean"`` or ``"cosine"``.
    solver : {"exact", "stochastic"} or Stochastic, default "exact"
        See :func:`diffusion_spectrum`; the tolerance holds at each t and order given here.
    log : path, optional
        A file to which a line is added for each record; see :func:`read_log`. One that exists is gone on with: see
        ``run``. While this monitor is open, no other may use the log.
    sinks : callable or sequence of callable, optional
        Each is called with the :class:`Records` of each step. An exception is a :class:`MonitorWarning`.
    run : str, optional
        Name of the training. By default that of the run which wrote last to the log, which this monitor resumes, or
        a new name where there is none.
    random_state : int, Generator, RandomState or None, default 0
        Seed of all random subsets. A generator of NumPy gives one integer as the seed, and its state moves on. None
        takes a fresh seed. A resumed run keeps the seed of its log, which an integer given here must equal.
    num_threads : int, optional
        Threads to use; see :func:`diffusion_spectral_entropy`.
    background : bool, default False
        Measure on a thread beside the training. Rows are copied at once. Where two steps wait, ``observe`` waits;
        ``flush`` and ``close`` wait until all are done. Sinks are called on that thread.

    Raises
    ------
    ValueError, TypeError
        For an argument that is out of range or of a wrong type, and where the run in the log has another seed or
        metric.
    RuntimeError
        Where another process, or another monitor of this one, uses the log.
    OSError
        Where the log cannot be written.

    Notes
    -----
    Layers that have collapsed, are empty or not finite, and measures that fail, give records whose value is None and
    whose ``reason`` says why; they do not end the training. Warnings of measures are texts in ``warnings``. The first
    saturated reading of a layer is a :class:`MonitorWarning` as well, once a layer and run.

    Where the log cannot be written there is a :class:`MonitorWarning`; the lines are written with those of the next
    step.

    References
    ----------
    Liao, Liu et al., arXiv 2312.04823; Roy & Vetterli, "The effective rank", EUSIPCO 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from dsentropy.monitor import Monitor
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1], 40)
    >>> with Monitor(labels=labels, t=2) as monitor:
    ...     for step in range(3):
    ...         hidden = rng.normal(size=(80, 5)) + 2 * step * labels[:, None]
    ...         _ = monitor.observe(step, {"hidden": hidden})
    >>> [round(record["value"], 2) for record in monitor.records.select("dsmi")]
    [0.01, 0.4, 0.59]
    """

    def __init__(
        self,
        measures: Iterable[Literal["dse", "dsmi"]] = ("dse", "dsmi"),
        *,
        bandwidth: Literal["median", "frozen", "structure"] | float = "median",
        t: Numbers = (1,),
        orders: Numbers = (1,),
        labels: ArrayLike | None = None,
        inputs: ArrayLike | None = None,
        max_samples: int | None = 2000,
        null: Null | None = None,
        n_draws: int = 20,
        n_repeats: int = 20,
        alpha: float = 0.0,
        metric: Literal["euclidean", "cosine"] = "euclidean",
        precision: Precision = "auto",
        solver: Literal["exact", "stochastic"] | Stochastic = "exact",
        log: str | os.PathLike[str] | None = None,
        sinks: Callable[[Records], Any] | Iterable[Callable[[Records], Any]] = (),
        run: str | None = None,
        random_state: RandomState = 0,
        num_threads: int | None = None,
        background: bool = False,
    ) -> None:
        beside = as_flag(background, "background")
        self._sinks, name = as_sinks(sinks), as_optional_text(run, "run")
        seed = as_seed(random_state, "random_state")
        settings = Settings.of(
            measures=measures,
            bandwidth=bandwidth,
            t=t,
            orders=orders,
            labels=labels,
            inputs=inputs,
            max_samples=max_samples,
            null=null,
            n_draws=n_draws,
            n_repeats=n_repeats,
            alpha=alpha,
            metric=metric,
            precision=precision,
            solver=solver,
            random_state=seed,
            num_threads=num_threads,
        )
        self._background = Background(_QUEUE) if beside else None
        self._pid, self._closed = os.getpid(), False
        self._observing = threading.RLock()
        self._notices = Notices()
        self._log = None if log is None else Log(as_path(log, "log"))
        if self._log is not None:
            weakref.finalize(self, self._log.free).atexit = False  # a monitor that is not closed frees its log
        self._run_given, self._keeps_seed = name, not isinstance(random_state, Integral)
        try:
            contents = Contents() if self._log is None else self._log.take_contents()
            self._run = Run(name, contents)
            self._settings = settings.agreeing(self._run.records(), "log", keeps_seed=self._keeps_seed)
            self._subsets = self._settings.subsets()
            self._settings = self._settings.with_targets(labels, inputs, self._subsets)
        except BaseException:
            self.close()
            raise
        self._must_mark = self._run.name in contents.runs
        self._targets = (labels, inputs) if self._keeps_seed else (None, None)  # another seed makes other classes

    def __repr__(self) -> str:
        log = "" if self._log is None else f", log {self._log.path!r}"
        return f"<Monitor of run {self.run!r}: {len(self._run)} records, last step {self.last_step}{log}>"

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def run(self) -> str:
        """The name of the training."""
        return self._run.name

    @property
    def last_step(self) -> int | None:
        """The largest step all of whose records are there; None where there is none.

        A killed run goes on from here: a step of which records were being written is not counted.
        """
        return max(self._run.completed, default=None)

    @property
    def records(self) -> Records:
        """The records of this run, those of its log included; a copy. In the background, those that are done."""
        return self._run.records()

    @property
    def first_measure(self) -> str:
        """The measure of curves where none is given: the entropy or, where it is not measured, an information."""
        return "dse" if self._settings.entropy else next(iter(self._settings.targets))

    def observe(
        self, step: int, layers: Mapping[str, ArrayLike], epoch: float | None = None, *, digest: str | None = None
    ) -> Records:
        """Measure layers and add their records.

        Parameters
        ----------
        step : int
            The step of the training, at least 0. Where the monitor goes on with a run of its log, the first step
            supersedes the records of this and later steps; :meth:`resume` says otherwise.
        layers : mapping of str to array_like of shape (N, ...)
            Activations by the name of the layer, from the first layer to the last: a row for each item, further axes
            flattened. N and the items must be those of earlier steps.
        epoch : float, optional
            The epoch.
        digest : str, optional
            A digest of the items, by default one of the numbers of the rows that are used.

        Returns
        -------
        Records
            The records of this step; none where they are made in the background.

        Raises
        ------
        ValueError, TypeError
            Where ``step``, ``epoch``, ``digest`` or ``layers`` itself is none. What an array holds is no error.
        RuntimeError
            Where the monitor is closed, or was made in another process.

        Warns
        -----
        MonitorWarning
            Where a sink or the log failed; once a layer where its readings begin to saturate, and where the bandwidth
            ``"structure"`` is no clear maximum.
        """
        self._require_open()
        number, given = as_count(step, "step", least=0), as_layers(layers)
        about = {"run": self.run, "step": number, "epoch": as_epoch(epoch), "time": time.time()}
        about["digest"] = as_optional_text(digest, "digest")
        with self._observing:
            if self._must_mark:
                self.resume(number - 1)
            call = partial(self._measure, about, self._taken(given))
            if self._background is None:
                records = call()
            else:
                self._background.submit(call)
                records = Records()
        self._notices.give()
        return records

    def _taken(self, given: dict[str, Any]) -> list[Layer]:
        """Copy the rows of each layer that are used, and note how many it has."""
        depths, rows = self._run.depths, self._run.rows
        taken = [
            self._subsets.layer(name, depths.setdefault(name, len(depths)), value, rows.get(name))
            for name, value in given.items()
        ]
        for layer in taken:
            if layer.rows is not None and layer.n_all:
                rows.setdefault(layer.name, layer.n_all)
        return taken

    def _measure(self, about: dict[str, Any], layers: list[Layer]) -> Records:
        records = Records(record for layer in layers for record in self._of_layer(about, layer))
        self._notices.add_of_step(records, self._run.saturated, self._run.kept)
        self._write(self._run.add(about["step"], records))
        for sink in self._sinks:
            self._call(sink, records)
        return records

    def _call(self, sink: Callable[[Records], Any], records: Records) -> None:
        try:
            sink(Records(dict(record) for record in records))
        except Exception as error:  # whatever a sink raises must not end the training
            self._notices.add(f"sink {printed(sink)} failed: {type(error).__name__}: {error}")

    def _of_layer(self, about: dict[str, Any], layer: Layer) -> list[Record]:
        settings = self._settings
        chosen = self._subsets.of(layer.n_all or 0)
        measurement = Measurement(layer, chosen, settings, self._run.kept.get((layer.name, settings.rule)))
        shared = {**about, **layer.fields, **settings.fields, "version": __version__}
        if about["digest"] is None and layer.n_all:
            shared["digest"] = self._subsets.digest(layer.n_all)
        return [record_of({**shared, **reading}.items()) for reading in measurement.readings()]

    def _write(self, lines: list[dict[str, Any]]) -> None:
        if self._log is not None:
            try:
                self._log.write(lines)
            except OSError as error:
                self._notices.add(f"log {self._log.path!r} cannot be written, and the next step tries: {error}")

    def resume(self, step: int) -> None:
        """Go on from the state after a step: records of later steps are dropped, here and by readers of the log.

        Parameters
        ----------
        step : int
            The last step that counts, such as that of the checkpoint that was loaded; -1 where none does.
        """
        self._require_open()
        last = as_count(step, "step", least=-1)
        with self._observing:
            self.flush()
            self._must_mark = False
            self._write(self._run.resume(last))
        self._notices.give()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the run, for a checkpoint of the training; waits for the background.

        Returns
        -------
        dict
            Plain Python values that JSON can hold: the name of the run, its last step, and what later steps depend
            on, such as frozen bandwidths. The records are in it only where this monitor has no log.

        Raises
        ------
        RuntimeError
            Where the monitor was made in another process.
        """
        self._require_own_process()
        with self._observing:
            self.flush()
            return self._run.state(self._settings, with_records=self._log is None).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the run of a state, after its last step.

        With a log that has the run, records of later steps are dropped as by :meth:`resume`. A log without it gets
        the records that the state has. Records that this monitor made of another run stay in its log, and are no
        longer among ``records``.

        Parameters
        ----------
        state : mapping
            What :meth:`state_dict` returned.

        Raises
        ------
        ValueError, TypeError
            Where ``state`` is none, is of another run than ``run``, or has another seed, metric or number of rows.
        RuntimeError
            Where the monitor is closed, or was made in another process.
        OSError
            Where the log cannot be read.
        """
        self._require_open()
        given = State.of_dict(state)
        given.require_run(self._run_given)
        with self._observing:
            self.flush()
            contents = Contents() if self._log is None else self._log.contents()
            run, lines = Run.restored(given, contents)
            settings = self._settings.agreeing(given.agreed(run.records()), "state", keeps_seed=self._keeps_seed)
            if settings.random_state != self._settings.random_state:
                self._subsets = settings.subsets()
                settings = settings.with_targets(*self._targets, self._subsets)
            self._run, self._settings, self._must_mark = run, settings, False
            self._write(lines)
        self._notices.give()

    def flush(self) -> None:
        """Wait until all steps that were observed are measured and in the log, such as before a checkpoint."""
        if self._background is not None and self._pid == os.getpid():
            self._background.require_other_thread()
            self._background.wait()
        self._notices.give()

    def close(self) -> None:
        """Wait for the background, write what is left, and free the log. Records can still be read.

        Raises
        ------
        OSError
            Where lines are left that cannot be written to the log.
        """
        if self._closed or self._pid != os.getpid():
            return
        self._require_own_process()
        self._closed = True
        try:
            self.flush()
        finally:
            if self._log is not None:
                self._log.close()

    def _require_own_process(self) -> None:
        if self._pid != os.getpid():
            raise RuntimeError("this Monitor was made in another process: make one in the process that trains")
        if self._background is not None:
            self._background.require_other_thread()

    def _require_open(self) -> None:
        self._require_own_process()
        if self._closed:
            raise RuntimeError("this Monitor is closed: make a new one, which goes on with the log")
