"""Kills of a training with a monitor: after each, the log is whole, no step is there twice and none is missing.

    python tests/soak/monitor_kills.py [COUNT] [--seed SEED]

A program observes two layers at each step and goes on from the last step in the log. It is killed after a random
delay and started again, so that all kills of a kind are of one run. Kinds: measured at once, and in the background.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from programs import Tally, environment, options, report

PROGRAM = """
import sys
import numpy as np
from dsentropy.monitor import Monitor
beside = sys.argv[2] == "1"
monitor = Monitor(log=sys.argv[1], random_state=None, bandwidth="frozen", max_samples=8, background=beside)
print("ready", flush=True)
step = 0 if monitor.last_step is None else monitor.last_step + 1
while True:
    X = np.random.default_rng(step).normal(size=(12, 3))
    monitor.observe(step, {"first": X, "second": X @ X.T})
    step += 1
"""

RECORDS = 8
"""Records of a step: two layers with an entropy and three other measures each."""


def killed(path: Path, background: bool, delay: float) -> str | None:
    """Start the program, kill it, and return what is wrong."""
    program = [sys.executable, "-c", PROGRAM, str(path), str(int(background))]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    if process.returncode != -signal.SIGKILL:
        return f"the program ended with {process.returncode}"
    return fault(path)


def last_step(path: Path) -> int:
    """Return the last step that is whole, -1 where there is none; the lock of the killed program must be free."""
    from dsentropy.monitor import Monitor  # of this tree: `programs` puts it first

    with Monitor(log=path, random_state=None, bandwidth="frozen", max_samples=8) as monitor:
        return -1 if monitor.last_step is None else monitor.last_step


def fault(path: Path) -> str | None:
    """Return what is wrong with the log: steps that are missing, in part or twice, other rows, another bandwidth."""
    from dsentropy.monitor import read_log

    last, records = last_step(path), read_log(path)
    counts = [0] * (last + 1)
    for record in records:
        if record["step"] <= last:
            counts[record["step"]] += 1
    if set(counts) - {RECORDS}:
        step = next(step for step, count in enumerate(counts) if count != RECORDS)
        return f"step {step} of {last} has {counts[step]} records and not {RECORDS}"
    if len({(record["random_state"], record["digest"]) for record in records}) > 1:
        return "the rows are not the same at all steps"
    if len({record["bandwidth"] for record in records.select("dse", layer="first")}) > 1:
        return "the frozen bandwidth has changed"
    return None


def kills(background: bool, count: int, seed: int) -> Tally:
    """Kill a program ``count`` times while it observes steps of one run."""
    tally = Tally(f"kills of a monitor{' in the background' if background else ''}")
    delays, steps = random.Random(seed), [-1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        for _ in range(count):
            tally.add(killed(path, background, delays.uniform(0, 0.2)))
            steps.append(last_step(path))
            if steps[-1] < steps[-2]:
                tally.failures.append(f"step {steps[-2]} was whole, and then only {steps[-1]}")
        tally.figures = {"steps": steps[-1] + 1}
    return tally


def main(arguments: argparse.Namespace) -> int:
    """Run both kinds."""
    return report([kills(background, arguments.count, arguments.seed) for background in (False, True)])


if __name__ == "__main__":
    sys.exit(main(options(__doc__ or "", count=30).parse_args()))
