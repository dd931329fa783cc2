"""The Lightning callback in several processes: two ranks, killed trainings, and the package of another name."""

import json
from pathlib import Path

import pytest
from dsentropy.monitor import read_log

SUPPORT = Path(__file__).parents[2] / "support"

RANKS = """
    import json, sys, warnings
    sys.path.append(sys.argv[1])
    folder, devices, callbacks = sys.argv[2], int(sys.argv[3]), []
    warnings.simplefilter("ignore")
    from lightning_models import loader, net, trainer
    from lightning.pytorch.callbacks import Callback, EarlyStopping
    from dsentropy.integrations.lightning import RepresentationMonitor

    class Look(Callback):
        def on_train_end(self, trainer, module):
            values = {key: float(value) for key, value in trainer.callback_metrics.items() if "dsentropy" in key}
            with open(f"{folder}/{trainer.global_rank}.json", "w") as file:
                json.dump([callbacks[0].monitor is None, trainer.global_step, values], file)

    monitor = {"log": f"{folder}/log.jsonl", "num_threads": 1, "run": "r"}
    probe = None if sys.argv[4] == "validation" else loader()
    callbacks = [RepresentationMonitor(["first", "second"], probe, sweep_steps=[0], monitor=monitor)]
    callbacks += [EarlyStopping("dsentropy/spread/second", patience=0, min_delta=1e9), Look()]
    strategy = "ddp_fork" if devices > 1 else "auto"
    options = {"max_epochs": 9, "strategy": strategy, "devices": devices, "num_sanity_val_steps": 0}
    trainer(*callbacks, **options).fit(net(), loader(), loader())
"""


@pytest.mark.parametrize("probe", ["loader", "validation"])
def test_two_ranks_have_one_log_and_the_same_values(run_python, tmp_path, probe):
    for devices in (1, 2):
        (tmp_path / str(devices)).mkdir()
        run_python(RANKS, SUPPORT, tmp_path / str(devices), devices, probe, timeout=180)
    alone, first, second = (
        json.loads((tmp_path / name).read_text()) for name in ["1/0.json", "2/0.json", "2/1.json"]
    )
    assert (alone[0], first[0], second[0]) == (False, False, True)
    assert first[1:] == second[1:]  # EarlyStopping ends the training after the second epoch in both
    assert first[2].keys() == alone[2].keys()
    assert first[1] == 2 * 3
    one, two = (read_log(tmp_path / name / "log.jsonl") for name in ("1", "2"))
    assert two.curves("dse").steps == (0, 3, 6)
    fields = [name for name in one[0] if name not in ("time", "seconds")]
    at_start = [[[record[name] for name in fields] for record in log if record["step"] == 0] for log in (one, two)]
    assert at_start[0] == at_start[1]  # the same weights, rows and digest


KILLS = """
    import os, signal, sys, time, warnings
    sys.path.append(sys.argv[1])
    folder, log = sys.argv[2], sys.argv[2] + "/log.jsonl"
    warnings.simplefilter("ignore")
    import glob, torch
    torch.set_num_threads(1)
    from lightning_models import loader, net, trainer
    from lightning.pytorch.callbacks import ModelCheckpoint
    from dsentropy.integrations.lightning import RepresentationMonitor

    def train():
        monitor = {"log": log, "num_threads": 1, "bandwidth": "frozen"}
        options = {"every_n_steps": 2, "every_n_epochs": None, "monitor": monitor}
        watch = RepresentationMonitor(["first", "second"], loader(), **options)
        save = ModelCheckpoint(folder, every_n_train_steps=6, save_top_k=-1, filename="{step}")
        found = sorted(glob.glob(f"{folder}/*.ckpt"), key=os.path.getmtime)
        fit = trainer(watch, save, max_steps=60, max_epochs=-1, enable_checkpointing=True)
        fit.fit(net(), loader(), ckpt_path=found[-1] if found else None)

    def forked():
        # A fork has the modules already: they take more time than the training.
        pid = os.fork()
        if pid == 0:
            train()
            os._exit(0)
        return pid

    def lines():
        return open(log, "rb").read().count(b"\\n") if os.path.exists(log) else 0

    for enough in (1, 30, 90, 170, 250):
        pid = forked()
        while lines() < enough:
            assert os.waitpid(pid, os.WNOHANG) == (0, 0), "the training ended before it was killed"
            time.sleep(0.002)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert os.waitpid(forked(), 0)[1] == 0
"""


def test_a_killed_training_goes_on_with_its_log(run_python, tmp_path):
    run_python(KILLS, SUPPORT, tmp_path, timeout=300)
    records = read_log(tmp_path / "log.jsonl")
    assert records.curves("dse").steps == tuple(range(2, 61, 2))
    assert len(records.select("dse")) == 30 * 2
    assert len({record["run"] for record in records}) == 1
    assert len({record["bandwidth"] for record in records.select("dse", layer="first")}) == 1
    assert b"resumed_from" in (tmp_path / "log.jsonl").read_bytes()


BASE = """
    import importlib.abc, importlib.util, sys

    class Hidden(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name in sys.argv[2:]:
                raise ModuleNotFoundError(name)

    find_spec = importlib.util.find_spec
    importlib.util.find_spec = lambda name, *args: None if name in sys.argv[2:] else find_spec(name, *args)
    sys.meta_path.insert(0, Hidden())
    if sys.argv[1] != "none":
        importlib.import_module(sys.argv[1])
    try:
        from dsentropy.integrations.lightning import RepresentationMonitor
        print(RepresentationMonitor.__bases__[0].__module__)
    except ModuleNotFoundError as error:
        print(error)
"""


@pytest.mark.parametrize(
    ("loaded", "hidden", "expected"),
    [
        ("pytorch_lightning", [], "pytorch_lightning.callbacks.callback"),
        ("none", ["lightning"], "pytorch_lightning.callbacks.callback"),
        (
            "none",
            ["lightning", "pytorch_lightning"],
            "Lightning must be installed: pip install 'dsentropy[lightning]'",
        ),
    ],
)
def test_the_callback_is_one_of_the_package_that_is_used(run_python, loaded, hidden, expected):
    assert run_python(BASE, loaded, *hidden, timeout=180).strip() == expected
