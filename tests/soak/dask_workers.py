"""Dask workers that are killed during an estimate: the value is that of an undisturbed run.

python tests/soak/dask_workers.py [COUNT] [--seed SEED]
"""

from __future__ import annotations

import argparse
import sys

from programs import Tally, options, report, run

PROGRAM = """
import os, random, signal, sys, tempfile, threading, time, warnings
warnings.simplefilter("ignore")
import dask
import dask.array as da
import distributed
import numpy as np
from dsentropy import Stochastic, diffusion_spectrum

count, seed = map(int, sys.argv[1:])
draw = random.Random(seed)
rng = np.random.default_rng(0)
X = 3 * rng.normal(size=(10, 32))[rng.integers(0, 10, 1500)] + 0.5 * rng.normal(size=(1500, 32))

def value(rows):
    return diffusion_spectrum(rows, bandwidth=10.0, solver=Stochastic(t=1)).entropy()

def slowly(block):
    time.sleep(0.02)  # so that a killed worker has something to lose
    return block

def kill(client, delay):
    time.sleep(delay)
    victim = draw.choice(sorted(client.run(os.getpid).values()))
    os.kill(victim, signal.SIGKILL)

def main():
    expected = value(da.from_array(X, chunks=(400, 32)))
    with (
        tempfile.TemporaryDirectory() as folder,
        dask.config.set({"temporary-directory": folder, "distributed.scheduler.allowed-failures": 20}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        for _ in range(count):
            client.wait_for_workers(2)
            killer = threading.Thread(target=kill, args=(client, draw.uniform(0.1, 1.0)))
            killer.start()
            try:
                found = value(da.from_array(X, chunks=(400, 32)).map_blocks(slowly, dtype=X.dtype))
                print("same" if found == expected else f"{found} for {expected}", flush=True)
            except Exception as error:
                print(f"{type(error).__name__}: {error}".replace("\\n", " "), flush=True)
            killer.join()

if __name__ == "__main__":
    main()
"""


def workers(count: int, seed: int) -> Tally:
    """Kill one of two workers in each of several estimates."""
    tally = Tally("Dask workers killed")
    ended = run(PROGRAM, count, seed, timeout=120 + 60 * count)
    if ended.status != 0:
        tally.add(ended.text())
        return tally
    for line in ended.out.splitlines():
        tally.add(None if line == "same" else line)
    return tally


if __name__ == "__main__":
    arguments: argparse.Namespace = options(__doc__ or "", count=5).parse_args()
    sys.exit(report([workers(arguments.count, arguments.seed)]))
