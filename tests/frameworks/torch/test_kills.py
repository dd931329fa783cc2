"""A training that is killed, and goes on from its checkpoint and its log, has the records of one that is not."""

import random
import signal
import subprocess
import sys
import time

import pytest
from dsentropy.monitor import read_log

STEPS = 30

PROGRAM = f"""
import os, sys, time
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from dsentropy.integrations.torch import LayerMonitor

folder, pause = sys.argv[1], float(sys.argv[2])
torch.set_num_threads(1)
torch.manual_seed(0)
X, y = torch.randn(60, 4), torch.arange(60) % 3
model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
step = 0
if os.path.exists(f"{{folder}}/last.pt"):
    step, weights, moments, generator = torch.load(f"{{folder}}/last.pt")
    model.load_state_dict(weights)
    optimizer.load_state_dict(moments)
    torch.set_rng_state(generator)
loader = DataLoader(TensorDataset(X, y), 20, shuffle=True)
given = {{"log": f"{{folder}}/log.jsonl", "bandwidth": "frozen", "num_threads": 1, "n_repeats": 3}}
with LayerMonitor(model, ["0", "3"], loader, monitor=given) as watch:
    print("ready", flush=True)
    while step < {STEPS}:
        watch.sweep(step)
        for images, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        step += 1
        torch.save((step, model.state_dict(), optimizer.state_dict(), torch.get_rng_state()), f"{{folder}}/new.pt")
        os.replace(f"{{folder}}/new.pt", f"{{folder}}/last.pt")
        time.sleep(pause)
"""


def numbers(folder):
    left = ("run", "time", "seconds")
    found = [{k: v for k, v in record.items() if k not in left} for record in read_log(folder / "log.jsonl")]
    return sorted(found, key=lambda record: (record["step"], record["depth"], record["measure"]))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills")
def test_a_killed_training_has_the_records_of_one_that_was_not(run_python, tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    killed.mkdir()
    whole.mkdir()
    delays = random.Random(0)
    for _ in range(3):
        program = [sys.executable, "-c", PROGRAM, str(killed), "0.02"]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(delays.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    for folder in (killed, whole):
        run_python(PROGRAM, folder, 0, timeout=120)
    found = numbers(killed)
    assert [record["step"] for record in found if record["layer"] == "0" and record["measure"] == "dse"] == [
        *range(STEPS)
    ]
    assert found == numbers(whole)
