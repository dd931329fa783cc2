"""The Lightning callback: a training that stays as it is, when it sweeps, where the values go, and its state."""

import json
import math

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from dsentropy.integrations.lightning import RepresentationMonitor
from dsentropy.monitor import Monitor, MonitorWarning, read_log
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from lightning_models import QUIET, Net, data, loader, net, trainer
from torch.utils.data import DataLoader

pytestmark = QUIET

MONITOR = {"bandwidth": 1.0, "num_threads": 1}
LAYERS = ["first", "second"]


def watched(**arguments):
    return RepresentationMonitor(**{"layers": LAYERS, "probe": loader(), "monitor": dict(MONITOR), **arguments})


def steps(callback, measure="spread"):
    return callback.monitor.curves(measure).steps


def bits(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("options", [{}, {"every_n_steps": 3, "sweep_steps": [0, 1]}])
def test_the_training_is_untouched(options):
    def trained(*callbacks):
        module = net()
        trainer(*callbacks, max_steps=50, max_epochs=-1).fit(module, loader(shuffle=True), loader())
        return bits(module), torch.get_rng_state()

    plain, state = trained()
    shuffling = loader(shuffle=True)
    watching, state_of_watched = trained(watched(probe=shuffling, **options), watched(prefix="b", **options))
    assert plain.keys() == watching.keys()
    for name, tensor in plain.items():
        assert torch.equal(tensor, watching[name]), name
    assert torch.equal(state, state_of_watched)


def test_values_are_those_of_the_layers_at_the_end_of_an_epoch():
    callback, module = watched(monitor={**MONITOR, "t": [1, 2]}), net()
    fit = trainer(callback, max_epochs=1)
    fit.fit(module, loader(shuffle=True))
    module.eval()
    with torch.no_grad():
        x, y = data().tensors
        first = module.first(x)
        second = module.second(module.frozen(module.norm(first)))
    with Monitor(**MONITOR, t=[1, 2], labels=y) as by_hand:
        expected = by_hand.observe(6, {"first": first.numpy(), "second": second.numpy()}).scalars()
    found = callback.monitor.records.scalars()
    assert found.keys() == expected.keys()
    # Sums of a batch of 8 and of all 48 items differ by the rounding of float32.
    np.testing.assert_allclose([found[key] for key in expected], list(expected.values()), rtol=1e-5)
    assert {key: float(fit.callback_metrics[key]) for key in found} == {
        key: float(np.float32(value)) for key, value in found.items()
    }
    assert {(record["step"], record["epoch"]) for record in callback.monitor.records} == {(6, 0.0)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (6, 12, 18)),
        ({"every_n_epochs": 2}, (6, 12)),
        ({"every_n_epochs": None, "every_n_steps": 4}, (4, 8, 12, 16)),
        ({"every_n_epochs": None, "every_n_steps": 100}, (6,)),
        ({"every_n_epochs": 3, "sweep_steps": [0, 6, 7]}, (0, 6, 7, 18)),
        ({"every_n_steps": 6}, (6, 12, 18)),
    ],
)
@pytest.mark.parametrize("has_length", [True, False])
def test_when_it_sweeps(options, expected, has_length):
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(data())

    callback = watched(**options)
    train = loader() if has_length else DataLoader(Stream(), batch_size=8)
    trainer(callback, max_epochs=3).fit(net(), train)
    assert steps(callback) == expected
    assert len(callback.monitor.records.select("spread")) == len(expected) * 2


def test_accumulated_batches_are_one_step():
    callback = watched(every_n_steps=1)
    trainer(callback, max_epochs=1, accumulate_grad_batches=4).fit(net(), loader())
    assert steps(callback) == (1, 2)


def test_an_epoch_whose_last_batch_is_skipped_ends_with_a_sweep():
    class Skipping(Net):
        def on_train_batch_start(self, batch, batch_idx):
            return -1 if batch_idx == 4 else None

    callback = watched()
    trainer(callback).fit(Skipping(), loader())
    assert steps(callback) == (4, 8)


@pytest.mark.parametrize("check", [{}, {"check_val_every_n_epoch": 2, "num_sanity_val_steps": 0}])
def test_the_probe_is_the_validation_loader(check):
    callback = watched(probe=None)
    trainer(callback, **check).fit(net(), loader(shuffle=True), loader())
    assert steps(callback) == steps(callback, "dsmi") == (6, 12)
    assert {record["n_all"] for record in callback.monitor.records} == {48}


def test_the_validation_loader_of_a_data_module():
    class Module(pl.LightningDataModule):
        def train_dataloader(self):
            return loader()

        def val_dataloader(self):
            return {"only": loader()}

    callback = watched(probe=None)
    trainer(callback).fit(net(), datamodule=Module())
    assert steps(callback) == (6, 12)


@pytest.mark.parametrize(("loaders", "n"), [(None, 0), ([loader(), loader()], 2)])
def test_a_probe_is_needed_where_there_is_not_one_validation_loader(loaders, n):
    with pytest.raises(ValueError, match=f"probe must be given where there are {n} validation loaders, got None"):
        trainer(watched(probe=None)).fit(net(), loader(), loaders)


def test_the_sanity_check_is_silent():
    callback = watched()
    fit = trainer(callback, max_epochs=1, num_sanity_val_steps=2, limit_train_batches=0)
    fit.fit(net(), loader(), loader())
    assert callback.monitor is None
    assert not [key for key in fit.callback_metrics if key.startswith("dsentropy")]


def test_loggers_get_the_values(tmp_path):
    logger, callback = CSVLogger(tmp_path), watched(prefix="mine")
    trainer(callback, logger=logger, log_every_n_steps=1).fit(net(), loader(), loader())
    rows = np.genfromtxt(f"{logger.log_dir}/metrics.csv", delimiter=",", names=True, deletechars="", dtype=None)
    [record] = [one for one in callback.monitor.records.select("dse", layer="second") if one["step"] == 12]
    value = rows["mine/dse/second"][rows["step"] == 12]
    assert value[np.isfinite(value)] == pytest.approx([record["value"]], rel=1e-12)


@pytest.mark.parametrize("on_train_epoch_end", [True, False])
def test_early_stopping_and_checkpoints_watch_a_key(tmp_path, on_train_epoch_end):
    class Spread(Net):
        """The spread of the head falls from the third epoch on."""

        def on_train_epoch_start(self):
            self.head.bias.data += 0 if self.current_epoch < 2 else 100.0 * self.current_epoch

    key = "dsentropy/spread/head"
    stop = EarlyStopping(key, mode="max", patience=1, check_on_train_epoch_end=on_train_epoch_end)
    best = ModelCheckpoint(tmp_path, monitor=key, mode="max", save_on_train_epoch_end=on_train_epoch_end)
    callback = watched(layers="head", every_n_epochs=1)
    torch.manual_seed(0)
    fit = trainer(stop, best, callback, max_epochs=10, enable_checkpointing=True)
    fit.fit(Spread(), loader(), loader())
    [values] = callback.monitor.curves("spread").values.T
    assert len(values) < 10
    assert float(best.best_model_score) == float(np.float32(values.max()))
    assert np.argmax(values) == len(values) - 2
    assert float(stop.best_score) == float(np.float32(values.max()))


def test_a_key_keeps_its_value_in_epochs_without_a_sweep():
    seen = []

    class Look(pl.Callback):
        def on_train_epoch_end(self, trainer, module):
            seen.append(float(trainer.callback_metrics["dsentropy/spread/second"]))

    trainer(Look(), watched(every_n_epochs=3), max_epochs=4).fit(net(), loader(), loader())
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_several_instances_measure_and_keep_their_states(tmp_path):
    def callbacks():
        return [watched(layers="first"), watched(layers="second"), watched(layers="first", prefix="b", pool="max")]

    first = callbacks()
    fit = trainer(*first, max_epochs=1)
    fit.fit(net(), loader())
    fit.save_checkpoint(tmp_path / "a.ckpt")
    again = callbacks()
    trainer(*again, max_epochs=2).fit(net(1), loader(), ckpt_path=tmp_path / "a.ckpt", weights_only=True)
    for before, after in zip(first, again, strict=True):
        assert after.monitor.run == before.monitor.run
        assert steps(after) == (6, 12)
        assert after.monitor.records[: len(before.monitor.records)] == before.monitor.records
    keys = {key for one in fit.callback_metrics for key in [one] if "spread" in key}
    assert keys == {"dsentropy/spread/first", "dsentropy/spread/second", "b/spread/first"}


def ended(path, n_steps, ckpt_path=None, callbacks=(), **arguments):
    """Trains to a number of steps, and saves a checkpoint each 4."""
    save = ModelCheckpoint(path, every_n_train_steps=4, save_top_k=-1, filename="{step}")
    callback = watched(every_n_steps=2, every_n_epochs=None, **arguments)
    fit = trainer(*callbacks, callback, save, max_steps=n_steps, max_epochs=-1, enable_checkpointing=True)
    fit.fit(net(), loader(), loader(), ckpt_path=ckpt_path)
    return callback, fit


def values(callback, measure="dse"):
    return callback.monitor.curves(measure).values


@pytest.mark.parametrize("has_log", [False, True])
@pytest.mark.parametrize("background", [False, True])
def test_a_training_goes_on_from_a_checkpoint(tmp_path, has_log, background):
    def monitor(name):
        log = {"log": tmp_path / name} if has_log else {}
        return {"bandwidth": "frozen", "num_threads": 1, "background": background, **log}

    whole, _ = ended(tmp_path / "whole", 14, monitor=monitor("whole.jsonl"))
    cut, _ = ended(tmp_path / "cut", 11, monitor=monitor("cut.jsonl"))
    assert steps(cut) == (2, 4, 6, 8, 10)
    again, _ = ended(tmp_path / "cut", 14, tmp_path / "cut" / "step=8.ckpt", monitor=monitor("cut.jsonl"))
    assert again.monitor.run == cut.monitor.run
    assert steps(again) == steps(whole) == (2, 4, 6, 8, 10, 12, 14)
    np.testing.assert_array_equal(values(again)[:4], values(whole)[:4])
    # The order of the batches after a checkpoint within an epoch is Lightning's; the bandwidth is that of step 2.
    bandwidths = {record["bandwidth"] for record in again.monitor.records.select("dse", layer="first")}
    assert bandwidths == {record["bandwidth"] for record in whole.monitor.records.select("dse", layer="first")}
    if has_log:
        log = read_log(tmp_path / "cut.jsonl")
        assert log == again.monitor.records
        assert len(log.select("dse")) == 7 * 2


def test_values_after_a_checkpoint_are_there_before_the_next_sweep(tmp_path):
    _, fit = ended(tmp_path, 4)
    last = {key: value for key, value in fit.callback_metrics.items() if key.startswith("dsentropy")}
    seen = []

    class Look(pl.Callback):
        def on_train_batch_start(self, trainer, *_):
            seen.append({key: trainer.callback_metrics[key] for key in last})

    ended(tmp_path, 5, tmp_path / "step=4.ckpt", callbacks=[Look()])
    assert seen == [last]


def test_a_second_fit_goes_on_or_begins_again():
    callback, module = watched(), net()
    fit = trainer(callback, max_epochs=1)
    fit.fit(module, loader())
    first = callback.monitor
    fit.fit_loop.max_epochs = 2
    fit.fit(module, loader())
    assert callback.monitor.run == first.run
    assert steps(callback) == (6, 12)
    trainer(callback, max_epochs=1).fit(net(), loader())
    assert callback.monitor.run != first.run
    assert steps(callback) == (6,)


def test_a_monitor_that_is_given_stays_open():
    with Monitor(**MONITOR) as monitor:
        callback = watched(monitor=monitor)
        fit = trainer(callback, max_epochs=1)
        fit.fit(net(), loader())
        fit.fit_loop.max_epochs = 2
        fit.fit(net(), loader())
        assert steps(callback) == (6, 12)
        monitor.observe(20, {"first": np.eye(48)})


def test_the_log_is_whole_and_free_after_an_error(tmp_path):
    class Failing(Net):
        def training_step(self, batch, batch_idx):
            if self.global_step == 9:
                raise ZeroDivisionError
            return super().training_step(batch, batch_idx)

    log = tmp_path / "log.jsonl"
    with pytest.raises(ZeroDivisionError):
        trainer(watched(monitor={**MONITOR, "log": log})).fit(Failing(), loader())
    with Monitor(log=log) as again:
        assert again.last_step == 6


def test_a_layer_that_has_collapsed_is_nan_and_the_training_goes_on():
    class Dead(Net):
        def on_train_epoch_start(self):
            torch.nn.init.zeros_(self.second[0].weight)

    callback = watched()
    fit = trainer(callback, max_epochs=1)
    module = Dead()
    module.configure_optimizers = lambda: torch.optim.SGD(module.head.parameters(), lr=0.1)
    fit.fit(module, loader())
    assert math.isnan(fit.callback_metrics["dsentropy/dse/second"])
    assert not math.isnan(fit.callback_metrics["dsentropy/dse/first"])


PRECISIONS = {"bf16-mixed": torch.bfloat16, "bf16-true": torch.bfloat16, "64-true": torch.float64}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_pass_has_the_precision_of_the_trainer(precision):
    seen = {}

    def look(records):
        seen.update({record["layer"]: record["value"] for record in records.select("spread")})

    def forward(model, batch):
        output = model(batch[0])
        seen["dtype"] = output.dtype
        return output

    callback = watched(monitor={**MONITOR, "sinks": look}, forward=forward)
    fit = trainer(callback, max_epochs=1, precision=precision)
    fit.fit(net(), loader())
    assert seen["dtype"] == PRECISIONS[precision]
    assert 0 < seen["first"] <= 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"forward": 3}, TypeError, "forward must be a callable of a model and a batch, or None, got 3"),
        ({"probe": 3}, TypeError, "probe must be a DataLoader, batches, or tensors, got 3"),
        ({"every_n_epochs": 0}, ValueError, "every_n_epochs"),
        ({"every_n_epochs": None}, ValueError, "every_n_epochs must be given"),
        ({"monitor": {"logs": "a"}}, ValueError, "monitor must be a mapping of arguments of Monitor"),
        ({"prefix": None}, TypeError, "prefix must be a string"),
    ],
)
def test_arguments_are_checked_when_the_callback_is_made(arguments, error, message):
    with pytest.raises(error, match=message):
        watched(**arguments)


def test_layers_are_checked_before_the_first_step():
    module = net()
    before = bits(module)
    with pytest.raises(ValueError, match=r"layers must be .*'frist'"):
        trainer(watched(layers="frist")).fit(module, loader())
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_another_probe_after_a_checkpoint_is_a_warning(tmp_path):
    ended(tmp_path, 4)
    with pytest.warns(MonitorWarning, match="probe must be that of the earlier records"):
        ended(tmp_path, 6, tmp_path / "step=4.ckpt", probe=data(40))


def test_a_state_is_plain():
    callback = watched()
    fit = trainer(callback, max_epochs=1)
    assert callback.state_dict() == {}
    fit.fit(net(), loader())
    json.dumps(callback.state_dict())
    assert callback.state_key == "RepresentationMonitor['first', 'second']'dsentropy'"
    module = net()
    assert (
        watched(layers=[module.first, "second"]).state_key == "RepresentationMonitor['Linear', 'second']'dsentropy'"
    )
    assert watched(layers=module.first).state_key == "RepresentationMonitor['Linear']'dsentropy'"


def test_a_training_that_begins_again_drops_what_its_log_has(tmp_path):
    monitor = {**MONITOR, "log": tmp_path / "log.jsonl"}
    trainer(watched(monitor=monitor, every_n_steps=1), max_epochs=1).fit(net(), loader())
    trainer(watched(monitor=monitor), max_epochs=1).fit(net(), loader())
    assert {record["step"] for record in read_log(tmp_path / "log.jsonl")} == {6}


def test_callbacks_that_share_a_monitor_keep_each_other():
    monitor = Monitor(**MONITOR)
    callbacks = [watched(layers=name, monitor=monitor, sweep_steps=[0]) for name in LAYERS]
    trainer(*callbacks, max_epochs=1).fit(net(), loader())
    assert [(record["step"], record["layer"]) for record in monitor.records.select("spread")] == [
        (step, name) for step in (0, 6) for name in LAYERS
    ]
