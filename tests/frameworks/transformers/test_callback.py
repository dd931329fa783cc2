"""The callback of ``Trainer``: when it sweeps, what it logs, what it leaves of the training, how it resumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dsentropy.integrations.transformers import RepresentationMonitor
from dsentropy.monitor import Monitor, read_log
from tiny_transformers import Sentences, bert
from transformers import TrainerCallback

PROBE = Sentences(30, 1)
QUIET = {"num_threads": 1}


def watch(**options: Any) -> RepresentationMonitor:
    return RepresentationMonitor(PROBE, **{"monitor": QUIET, **options})


def steps_of(callback: RepresentationMonitor) -> tuple[int, ...]:
    return callback.monitor.curves().steps


def logged(trainer: Any, key: str = "dsentropy/dse/layer_00") -> list[tuple[int, float]]:
    return [(line["step"], line[key]) for line in trainer.state.log_history if key in line]


def losses(trainer: Any) -> list[tuple[int, float]]:
    return logged(trainer, "loss")


class Frozen(TrainerCallback):
    """Keeps a sub-module in evaluation mode, as the training of a model with a frozen part does."""

    def on_step_begin(self, args, state, control, model, **_):
        model.bert.embeddings.eval()


def trained(make_trainer, callback: RepresentationMonitor | None, **arguments: Any) -> list[Any]:
    """Trains with dropout, batch norm, frozen embeddings and a loader that shuffles; returns what that left."""
    model = bert()
    model.bert.pooler.activation = torch.nn.BatchNorm1d(16)
    model.bert.embeddings.requires_grad_(False)
    trainer = make_trainer(model, num_train_epochs=10, **arguments)
    trainer.add_callback(Frozen())
    if callback is not None:
        callback.bind(trainer)
    trainer.train()
    moments = [value for state in trainer.optimizer.state.values() for value in state.values()]
    modes = [module.training for module in model.modules()]
    return [[*model.state_dict().values(), *moments, torch.get_rng_state()], modes, losses(trainer)]


@pytest.mark.parametrize("arguments", [{}, {"gradient_accumulation_steps": 2}, {"activation_checkpointing": True}])
def test_training_is_untouched(make_trainer, arguments: dict[str, Any]) -> None:
    bits, modes, of_losses = trained(make_trainer, None, **arguments)
    callback = watch(every_n_steps=7, sweep_steps=(0, 3), pool="tokens")
    others, other_modes, other_losses = trained(make_trainer, callback, **arguments)
    assert all(map(torch.equal, bits, others))
    assert (modes, of_losses) == (other_modes, other_losses)
    assert not modes[0] or other_modes[0]
    assert steps_of(callback)[:3] == (0, 3, 5) or arguments


def test_values_are_those_of_the_model(make_trainer) -> None:
    """After the training, the hidden states by hand: means over the tokens that are not padding."""
    trainer = make_trainer(bert())
    callback = watch().bind(trainer)
    trainer.train()
    model = trainer.model.eval()
    with torch.no_grad():
        states = model(PROBE.tokens, attention_mask=PROBE.mask, output_hidden_states=True).hidden_states
    mask = PROBE.mask[:, :, None]
    rows = {f"layer_{i:02d}": ((state * mask).sum(1) / mask.sum(1)).numpy() for i, state in enumerate(states)}
    with Monitor(labels=PROBE.labels.numpy(), **QUIET) as by_hand:
        expected = by_hand.observe(10, rows).scalars()
    last = [line for line in trainer.state.log_history if "dsentropy/dse/layer_00" in line][-1]
    assert callback.layers == tuple(rows)
    assert {key: last[key] for key in expected} == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert all(type(last[key]) is float for key in expected)


def test_steps_and_epochs(make_trainer) -> None:
    trainer = make_trainer(bert(), num_train_epochs=3)
    callback = watch(every_n_epochs=2, every_n_steps=4, sweep_steps=[0, 7]).bind(trainer)
    assert callback.bind(trainer) is callback
    assert trainer.callback_handler.callbacks.count(callback) == 1
    trainer.train()
    assert steps_of(callback) == (0, 4, 7, 8, 10, 12)
    assert [step for step, _ in logged(trainer)] == [0, 4, 7, 8, 10, 12]
    assert [step for step, _ in losses(trainer)] == [5, 10, 15]  # logged also where a sweep was at that step
    epochs = {record["step"]: record["epoch"] for record in callback.monitor.records}
    assert epochs == pytest.approx({0: 0, 4: 0.8, 7: 1.4, 8: 1.6, 10: 2, 12: 2.4})


def test_an_epoch_that_is_cut_short(make_trainer) -> None:
    trainer = make_trainer(bert(), max_steps=7)
    callback = watch().bind(trainer)
    trainer.train()
    assert steps_of(callback) == (5, 7)


def test_two_callbacks_of_one_trainer(make_trainer) -> None:
    trainer = make_trainer(bert(), num_train_epochs=1)
    first, last = (watch(layers=layers, prefix=prefix).bind(trainer) for layers, prefix in ((0, "a"), (-1, "b")))
    trainer.train()
    assert (first.layers, last.layers) == (("layer_00",), ("layer_02",))
    assert logged(trainer, "a/dse/layer_00")
    assert logged(trainer, "b/dse/layer_02")


@pytest.mark.parametrize("has_log", [False, True])
def test_a_second_training_begins_anew(make_trainer, tmp_path: Path, has_log: bool) -> None:
    """A monitor without a log is gone on with, and one with a log is free between trainings."""
    trainer = make_trainer(bert())
    log = {"log": tmp_path / "log.jsonl"} if has_log else {}
    callback = watch(monitor={**QUIET, **log}).bind(trainer)
    trainer.train()
    run = callback.monitor.run
    if has_log:
        Monitor(log=tmp_path / "log.jsonl").close()
    trainer.args.num_train_epochs = 1
    trainer.train()
    assert callback.monitor.run == run
    assert steps_of(callback) == (5,)


@pytest.mark.parametrize(("has_log", "strategy"), [(False, "epoch"), (True, "epoch"), (False, "best")])
def test_resume_from_a_checkpoint(make_trainer, tmp_path: Path, has_log: bool, strategy: str) -> None:
    """A run that is cut off after the checkpoint of step 10, and one that was not, have equal records."""
    evaluation = {"eval_strategy": "epoch", "metric_for_best_model": "loss"} if strategy == "best" else {}
    options = {"save_strategy": strategy, "num_train_epochs": 3, **evaluation}

    def run(name: str, *, cut: bool, resume: bool) -> Any:
        folder = tmp_path / name
        trainer = make_trainer(bert(), output_dir=str(folder), **options)
        log = {"log": folder / "log.jsonl"} if has_log else {}
        callback = watch(every_n_steps=4, monitor={**QUIET, "bandwidth": "frozen", **log}).bind(trainer)
        if cut:
            trainer.add_callback(Cut())
            with pytest.raises(KeyboardInterrupt):
                trainer.train()
            if has_log:
                callback.monitor.close()
        else:
            trainer.train(resume_from_checkpoint=resume)
        return callback

    class Cut(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if state.global_step == 13:
                raise KeyboardInterrupt

    whole = run("whole", cut=False, resume=False)
    cut = run("cut", cut=True, resume=False)
    resumed = run("cut", cut=False, resume=True)
    assert steps_of(resumed) == steps_of(whole) == (4, 5, 8, 10, 12, 15)
    assert resumed.monitor.run == cut.monitor.run
    for measure in ("dse", "dsmi", "spread"):
        values = [one.monitor.curves(measure).values for one in (whole, resumed)]
        np.testing.assert_array_equal(*values)
    if has_log:
        records = read_log(tmp_path / "cut" / "log.jsonl")
        assert records.select(run=cut.monitor.run).curves("dse").steps == (4, 5, 8, 10, 12, 15)


def test_state_is_in_each_checkpoint(make_trainer, tmp_path: Path) -> None:
    trainer = make_trainer(bert(), save_strategy="steps", save_steps=3)
    watch().bind(trainer)
    trainer.train()
    found = {}
    for folder in (tmp_path / "out").glob("checkpoint-*"):
        state = json.loads((folder / "trainer_state.json").read_text())["stateful_callbacks"]
        kept = state.get("dsentropy.RepresentationMonitor/dsentropy")
        found[int(folder.name.split("-")[1])] = kept and kept["attributes"]["monitor"]["last_step"]
    assert found == {3: None, 6: 5, 9: 5, 10: 10}


def test_in_the_background(make_trainer) -> None:
    """Values are logged when they are there: at a later sweep, or at the end."""
    trainer = make_trainer(bert(), save_strategy="epoch")
    callback = watch(monitor={**QUIET, "background": True}).bind(trainer)
    trainer.train()
    assert steps_of(callback) == (5, 10)
    assert logged(trainer)[-1] == (10, callback.monitor.curves("dse").values[-1, 0])


def test_other_ranks_make_the_pass_and_log_nothing(make_trainer, monkeypatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    trainer = make_trainer(bert(), save_strategy="epoch")
    callback = watch(monitor={**QUIET, "log": "no/such/folder"}).bind(trainer)
    passes = []
    trainer.model.bert.register_forward_hook(lambda model, *_: passes.append(model.training))
    callback.on_train_begin(trainer.args, trainer.state, trainer.control)
    trainer.state.global_step, trainer.state.epoch = 5, 1.0
    trainer.control.should_save = True
    callback.on_step_end(trainer.args, trainer.state, trainer.control)
    assert passes == [False, False]  # names of the states, and a sweep
    assert callback.monitor is None
    assert trainer.state.log_history == []


def test_errors(make_trainer) -> None:
    trainer = make_trainer(bert())
    trainer.add_callback(watch())
    with pytest.raises(RuntimeError, match=r"must know its trainer: .*bind\(trainer\)"):
        trainer.train()
    with pytest.raises(TypeError, match=r"trainer must be a transformers\.Trainer, got 3"):
        watch().bind(3)
    for options, text in [
        ({"pool": "sum"}, "pool must be"),
        ({"mask": 3}, "mask must be"),
        ({"monitor": {"lables": [1]}}, "monitor must be a mapping of arguments of Monitor"),
        ({"every_n_epochs": 0}, "every_n_epochs must be at least 1"),
        ({"every_n_epochs": None}, "every_n_epochs must be given where every_n_steps and sweep_steps are not"),
        ({"sweep_steps": 100}, "sweep_steps must be a sequence of steps, got 100"),
        ({"sweep_steps": [-1]}, "sweep_steps must be at least 0"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"prefix": 3}, "prefix must be"),
        ({"random_state": "x"}, "random_state must be"),
    ]:
        with pytest.raises((TypeError, ValueError), match=text):
            watch(**options)
    with pytest.raises(TypeError, match="probe must be"):
        RepresentationMonitor(3)


def test_a_monitor_that_is_given(make_trainer) -> None:
    """Earlier records of the monitor end where the training begins; it is not closed at the end."""
    trainer = make_trainer(bert(), num_train_epochs=1)
    with Monitor(**QUIET) as monitor:
        monitor.observe(7, {"layer_00": np.eye(3)})
        callback = watch(monitor=monitor).bind(trainer)
        assert callback.monitor is monitor
        trainer.train()
        assert steps_of(callback) == (5,)
        assert {record["measure"] for record in monitor.records.select(layer="layer_00")} >= {"dse", "spread"}
        monitor.observe(8, {"layer_00": np.eye(3)})


def test_a_fresh_seed(make_trainer) -> None:
    trainer = make_trainer(bert(), num_train_epochs=1)
    callback = watch(random_state=None, max_rows=10).bind(trainer)
    trainer.train()
    assert {record["n"] for record in callback.monitor.records} == {10}


def test_callbacks_of_one_trainer_keep_apart(make_trainer) -> None:
    trainer, monitor = make_trainer(bert()), Monitor()
    watch(monitor=monitor).bind(trainer)
    with pytest.raises(ValueError, match="prefix must differ"):
        watch().bind(trainer)
    with pytest.raises(ValueError, match="monitor must not be that of another"):
        watch(monitor=monitor, prefix="b").bind(trainer)
