"""The callback of Keras: when it sweeps, what is in the logs, what it leaves of the training, how it resumes."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from dsentropy.integrations.keras import RepresentationMonitor
from dsentropy.monitor import Monitor, read_log
from tiny_keras import OF_PROBE, PROBE, compiled, convolutions, fit, numbers

# Keras converts tensors of PyTorch by np.array, which NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

QUIET = {"num_threads": 1}
KEY = "dsentropy/dse/dense"


def watch(layers: Any = ("conv", "dense", "out"), probe: Any = (PROBE, OF_PROBE), **options: Any) -> Any:
    return RepresentationMonitor(layers, probe, **{"monitor": QUIET, **options})


def steps_of(callback: RepresentationMonitor) -> tuple[int, ...]:
    return callback.monitor.curves("spread").steps


def of_training(callback: Any, **options: Any) -> list[Any]:
    """Trains 50 steps; returns the weights, the state of the optimizer, and of each generator."""
    model = convolutions(**options)
    history = fit(model, *([] if callback is None else [callback]), epochs=5)
    generators = [np.array(random.getstate()[1]), np.random.get_state()[1], np.random.random(3)]
    return [*numbers(model.weights), *numbers(model.optimizer.variables), *generators, history["loss"]]


JIT = [False, True] if keras.backend.backend() == "jax" else [False]


@pytest.mark.parametrize("jit", JIT)
def test_training_is_untouched(jit: bool) -> None:
    bare = of_training(None, jit_compile=jit)
    callback = watch(every_n_steps=7, sweep_steps=(0, 3))
    watched = of_training(callback, jit_compile=jit)
    assert steps_of(callback) == (0, 3, 7, 10, 14, 20, 21, 28, 30, 35, 40, 42, 49, 50)
    for one, other in zip(bare, watched, strict=True):
        np.testing.assert_array_equal(one, other)


def test_values_are_those_of_the_model() -> None:
    """After the training, the activations by hand: means over the places of an image."""
    model, callback = convolutions(), watch()
    history = fit(model, callback)
    outputs = [model.get_layer(name).output for name in callback.layers]
    conv, dense, out = numbers(keras.Model(model.input, outputs)(PROBE, training=False))
    rows = {"conv": conv.mean(axis=(1, 2)), "dense": dense, "out": out}
    with Monitor(labels=OF_PROBE, **QUIET) as by_hand:
        expected = by_hand.observe(20, rows).scalars()
    assert callback.layers == ["conv", "dense", "out"]
    assert {key: history[key][-1] for key in expected} == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert {record["digest"] for record in callback.monitor.records} == {callback.digest}
    assert {record["epoch"] for record in callback.monitor.records} == {1, 2}


def test_keys_are_those_of_each_epoch(tmp_path: Path, capsys) -> None:
    """Later callbacks, the history and the progress bar see the last values, also in epochs without a sweep."""
    path = tmp_path / "log.csv"
    callback = watch(every_n_epochs=3)
    history = fit(convolutions(), callback, keras.callbacks.CSVLogger(path), epochs=7, verbose=2)
    assert steps_of(callback) == (10, 30, 60)
    values = dict(zip((10, 30, 60), callback.monitor.curves("dse").values[:, 1], strict=True))
    assert history[KEY] == [values[step] for step in (10, 10, 30, 30, 30, 60, 60)]
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert [float(row[KEY]) for row in rows] == history[KEY]
    assert capsys.readouterr().out.count(f"{KEY}: ") == 7


def test_sweeps_at_steps_only() -> None:
    """The end of the first epoch has a sweep in any case, so that it has the keys."""
    callback = watch(every_n_epochs=None, sweep_steps=[15])
    history = fit(convolutions(), callback)
    assert steps_of(callback) == (10, 15)
    assert {record["step"]: record["epoch"] for record in callback.monitor.records} == {10: 1, 15: 1.5}
    assert len(history[KEY]) == 2
    assert not callback.async_safe
    assert watch().async_safe


def test_early_stopping_on_a_key() -> None:
    stop = keras.callbacks.EarlyStopping("dsentropy/spread/conv", mode="max", patience=1)  # frozen
    assert len(fit(convolutions(), watch(), stop, epochs=9)["loss"]) == 2


def test_prefix_and_a_layer_that_has_collapsed() -> None:
    model = convolutions()
    model.get_layer("dense").set_weights([np.zeros((144, 16)), np.zeros(16)])
    model.get_layer("dense").trainable = False
    history = fit(compiled(model), watch(prefix="run/a"), epochs=1)
    assert np.isnan(history["run/a/dse/dense"][0])
    assert np.isfinite(history["run/a/dse/conv"][0])


def test_steps_go_on_in_a_second_fit() -> None:
    model, callback = convolutions(), watch()
    fit(model, callback, epochs=1)
    fit(model, callback, epochs=1)
    assert steps_of(callback) == (10, 20)
    compiled(model)  # a new optimizer, which counts from 0
    fit(model, callback, epochs=1)
    assert steps_of(callback) == (10, 20, 30)
    fit(convolutions(), callback, epochs=1)
    assert steps_of(callback) == (10,)


def test_gradient_accumulation_and_a_first_epoch() -> None:
    optimizer = keras.optimizers.SGD(gradient_accumulation_steps=5)
    model, callback = convolutions(optimizer=optimizer), watch()
    fit(model, callback, epochs=1)
    assert steps_of(callback) == (10,)
    again = watch()
    fit(model, again, epochs=2, initial_epoch=1)
    assert steps_of(again) == (20,)


@pytest.mark.parametrize("has_log", [False, True])
def test_monitor_made_of_arguments(tmp_path: Path, has_log: bool) -> None:
    """A log is free after a fit, and is gone on with by the next."""
    log = {"log": tmp_path / "log.jsonl"} if has_log else {}
    model, callback = convolutions(), watch(monitor={**QUIET, **log})
    assert callback.monitor is None
    fit(model, callback, epochs=1)
    run = callback.monitor.run
    if has_log:
        Monitor(log=tmp_path / "log.jsonl").close()
    fit(model, callback, epochs=1)
    assert callback.monitor.run == run
    assert steps_of(callback) == (10, 20)


def test_monitor_that_is_given() -> None:
    """Its labels are its own, and it is not closed."""
    with Monitor(["dse"], **QUIET) as monitor:
        callback = watch(monitor=monitor)
        assert callback.monitor is monitor
        fit(convolutions(), callback, epochs=1)
        assert {record["measure"] for record in monitor.records} == {
            "mean_resultant",
            "spread",
            "effective_rank",
            "dse",
        }
        monitor.observe(11, {})


def test_in_the_background() -> None:
    callback = watch(monitor={**QUIET, "background": True})
    history = fit(convolutions(), callback, epochs=4)
    values = callback.monitor.curves("dse")
    assert values.steps == (10, 20, 30, 40)
    assert history[KEY][0] == values.values[0, 1]
    assert set(history[KEY]) <= set(values.values[:, 1])


def test_no_measure_of_labels() -> None:
    callback = watch(monitor={**QUIET, "measures": "dse"}, pool="tokens", layers="conv")
    fit(convolutions(), callback, epochs=1)
    assert {record["n_all"] for record in callback.monitor.records} == {60 * 36}
    assert not callback.monitor.records.select("dsmi")


class Killed(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == 34:
            raise KeyboardInterrupt


def test_resume_with_backup_and_restore(tmp_path: Path) -> None:
    """A run that ends within its fourth epoch, and goes on from the backup of the third, has one record of each."""
    path = tmp_path / "log.jsonl"

    def run(*others: Any) -> Any:
        callback = watch(every_n_steps=4, monitor={**QUIET, "log": path})
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        try:
            fit(convolutions(), callback, backup, *others, epochs=5)
        finally:
            callback.monitor.close()
        return callback.monitor.run

    with pytest.raises(KeyboardInterrupt):
        run(Killed())
    assert read_log(path).curves("dse").steps[-1] == 32
    name = run()
    records = read_log(path)
    assert {record["run"] for record in records} == {name}
    expected = sorted({*range(4, 51, 4), *range(10, 51, 10)})
    assert records.curves("dse").steps == tuple(expected)


def test_a_loop_of_ones_own() -> None:
    """A list of callbacks without the number of steps, and a model without an optimizer of its own."""
    model, callback = convolutions(optimizer=None), watch(every_n_steps=2)
    callbacks = keras.callbacks.CallbackList([callback], model=model)
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        for batch in range(3):
            callbacks.on_train_batch_begin(batch)
            callbacks.on_train_batch_end(batch, {})
        callbacks.on_epoch_end(epoch, None)
    callbacks.on_train_end()
    assert steps_of(callback) == (2, 3, 4, 6)
    assert {record["step"]: record["epoch"] for record in callback.monitor.records} == {2: 0, 3: 1, 4: 1, 6: 1}


def test_a_training_without_an_epoch() -> None:
    callback = watch()
    fit(convolutions(), callback, epochs=0)
    assert callback.monitor is None


def test_errors() -> None:
    for options, text in [
        ({"pool": "sum"}, "pool must be"),
        ({"pool": 3}, "pool must be .* or a callable of a tensor, got 3"),
        ({"monitor": 3}, "monitor must be"),
        ({"every_n_steps": 0}, "every_n_steps must be at least 1"),
        ({"every_n_epochs": None}, "every_n_epochs must be given where every_n_steps and sweep_steps are not"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"prefix": 3}, "prefix must be"),
        ({"probe": 3}, "probe must be arrays, a tuple"),
    ]:
        with pytest.raises((TypeError, ValueError), match=text):
            watch(**options)
    for layers, text in [
        ("danse", "layers must be names, patterns or layers of the model, got 'danse': near ones are 'dense'"),
        (keras.layers.Dense(3, name="other"), "layers must be .*: near ones are"),
        ([], "layers must have one layer or more, got none"),
        (3, "layers must be names, patterns or layers of the model, got 3"),
        ([3], "layers must be names, patterns or layers of the model, got 3"),
    ]:
        with pytest.raises((TypeError, ValueError), match=text):
            fit(convolutions(), watch(layers=layers))


def test_callbacks_that_share_a_monitor_keep_each_other() -> None:
    with Monitor(**QUIET) as monitor:
        fit(convolutions(), *(watch([name], monitor=monitor) for name in ("conv", "dense")), epochs=2)
        curves = monitor.curves("spread")
    assert len(curves.steps) == 2
    assert np.isfinite(curves.values).all()


def test_measures_that_are_none_or_an_iterator() -> None:
    with pytest.raises(TypeError, match="measures must be"):
        fit(convolutions(), watch(monitor={**QUIET, "measures": None}), epochs=1)
    callback = watch(monitor={**QUIET, "measures": iter(["dse", "dsmi"])})
    fit(convolutions(), callback, epochs=1)
    assert callback.monitor.records.select("dsmi")
