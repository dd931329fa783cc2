"""A run that is killed at random moments goes on from its log."""

import random
import signal
import subprocess
import sys
import time

import pytest
from dsentropy.monitor import Monitor, read_log

PROGRAM = """
import sys
import numpy as np
from dsentropy.monitor import Monitor
monitor = Monitor(log=sys.argv[1], random_state=None, bandwidth="frozen", max_samples=8, background=len(sys.argv) > 2)
print("ready", flush=True)
step = 0 if monitor.last_step is None else monitor.last_step + 1
while True:
    X = np.random.default_rng(step).normal(size=(12, 3))
    monitor.observe(step, {"first": X, "second": X @ X.T})
    step += 1
"""


@pytest.mark.linux
@pytest.mark.parametrize("background", [False, True])
def test_no_step_is_missing_or_there_twice(tmp_path, background):
    path, delays, last = tmp_path / "log.jsonl", random.Random(0), -1
    for _ in range(3):
        arguments = [sys.executable, "-c", PROGRAM, str(path)] + ["background"] * background
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(delays.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        with Monitor(log=path, random_state=None, bandwidth="frozen", max_samples=8) as monitor:
            reached = -1 if monitor.last_step is None else monitor.last_step
        assert reached >= last  # a step that was whole stays
        last = reached
        records = read_log(path)
        steps = [record["step"] for record in records.select("dse", layer="first") if record["step"] <= last]
        assert steps == list(range(last + 1))
        counts = [sum(record["step"] == step for record in records) for step in steps]
        assert counts == [8] * len(steps)
        assert len({(record["random_state"], record["digest"]) for record in records}) <= 1
        assert len({record["bandwidth"] for record in records.select("dse", layer="first")}) <= 1
