"""Forks while threads compute: no Python thread stands still for over a second, and each child computes.

    python tests/soak/forks.py [COUNT] [--seed SEED] [--rows N]

A heartbeat thread sleeps 5 ms again and again; the longest time between two of its beats is the figure. A second kind
forks into a new PID namespace in which the child has its parent's pid, which needs `unshare` and the right to use it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys

from programs import Tally, options, report, run

STANDS_STILL = 1.0
"""The longest time in seconds between two beats that passes."""

FORKS = """
import json, os, random, signal, sys, threading, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from dsentropy import Stochastic, covariance_spectrum, diffusion_spectrum, kernel_spectrum, nearest_neighbors

count, seed, n_rows = map(int, sys.argv[1:4])
draw = random.Random(seed)
rng = np.random.default_rng(seed)
X = rng.normal(size=(n_rows, 8))
K = np.cov(rng.normal(size=(n_rows, n_rows + 10)))
many = rng.normal(size=(10 * n_rows, 100))
tiled = Stochastic(tol=1e-2, storage="tiled")
small = rng.normal(size=(60, 3))
expected = diffusion_spectrum(small, bandwidth=1.0, num_threads=2).entropy()
work = {
    "diffusion": lambda: diffusion_spectrum(X, bandwidth=3.0, num_threads=2),
    "kernel": lambda: kernel_spectrum(K, num_threads=2),
    "one thread": lambda: kernel_spectrum(K, num_threads=1),
    "covariance": lambda: covariance_spectrum(K, num_threads=2),
    "estimate": lambda: diffusion_spectrum(many, bandwidth=10.0, solver=tiled, num_threads=2),
    "neighbors": lambda: nearest_neighbors(many, 10, num_threads=2),
}[sys.argv[4]]
stop, rounds, beats = threading.Event(), [], [time.monotonic()]

def solve():
    while not stop.is_set():
        work()
        rounds.append(None)

def beat():
    while not stop.is_set():
        time.sleep(0.005)
        beats.append(time.monotonic())

solver = threading.Thread(target=solve, daemon=True)
solver.start()
threading.Thread(target=beat, daemon=True).start()
forks, statuses = [], []
for _ in range(count):
    time.sleep(draw.uniform(0.05, 1.0))
    start = time.monotonic()
    child = os.fork()
    if not child:
        signal.alarm(120)
        same = diffusion_spectrum(small, bandwidth=1.0, num_threads=2).entropy() == expected
        os._exit(0 if same else 1)
    forks.append(time.monotonic() - start)
    statuses.append(os.waitpid(child, 0)[1])
stop.set()
solver.join()
time.sleep(0.02)
gaps = np.diff(beats)
print(json.dumps({
    "statuses": statuses,
    "forks": forks,
    "gap": float(gaps.max()),
    "solves": len(rounds),
}))
"""

NAMESPACE = """
import ctypes, os, signal, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from dsentropy import diffusion_spectrum

X = np.random.default_rng(0).normal(size=(300, 4))

def value():
    return diffusion_spectrum(X, bandwidth=2.0, num_threads=2).entropy()

expected = value()  # the parent has a pool
pid = os.getpid()
CLONE_NEWPID = 0x20000000
if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWPID):
    raise OSError(ctypes.get_errno(), "unshare")
child = os.fork()
if not child:
    os._exit((0 if os.getpid() == pid else 2) if value() == expected else 1)
# The first process of a namespace ignores SIGALRM, so the parent counts the time.
deadline = time.monotonic() + 20
ended, status = 0, 0
while not ended and time.monotonic() < deadline:
    time.sleep(0.01)
    ended, status = os.waitpid(child, os.WNOHANG)
if not ended:
    os.kill(child, signal.SIGKILL)
    sys.exit("the child hangs")
sys.exit(f"the child ended with {status}" if status else 0)
"""

IN_NAMESPACE = """
import os, sys
os.execv(sys.argv[1], ["unshare", "--pid", "--fork", sys.executable, "-c", sys.argv[2]])
"""

WORK = ["diffusion", "kernel", "one thread", "covariance", "estimate", "neighbors"]


def forks(work: str, count: int, seed: int, rows: int) -> Tally:
    """Fork at random times while a thread solves one problem after the other."""
    tally = Tally(f"forks, {work}, {rows} rows")
    ended = run(FORKS, count, seed, rows, work, timeout=60 + 30 * count)
    if ended.status != 0:
        tally.add(ended.text())
        return tally
    found = json.loads(ended.out)
    for status in found["statuses"]:
        tally.add(f"a child ended with {status}" if status else None)
    if found["gap"] > STANDS_STILL:
        tally.failures.append(f"no Python thread ran for {found['gap']:.2f} s")
    tally.figures = {
        "longest stop": f"{found['gap']:.2f} s",
        "longest fork": f"{max(found['forks']):.2f} s",
        "solves": found["solves"],
    }
    return tally


def namespaces(count: int) -> Tally:
    """Fork a child that has its parent's pid, in a namespace of its own."""
    tally = Tally("forks into a PID namespace")
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "--pid", "--fork", "true"], capture_output=True).returncode:
        tally.figures = {"skipped": "unshare may not be used here"}
        return tally
    for _ in range(count):
        ended = run(IN_NAMESPACE, unshare, NAMESPACE, timeout=60)
        tally.add(None if ended.status == 0 else ended.text())
    return tally


def main(arguments: argparse.Namespace) -> int:
    """Run all kinds."""
    failed = report([namespaces(min(arguments.count, 10))])
    for work in arguments.only or WORK:
        failed |= report([forks(work, arguments.count, arguments.seed, arguments.rows)])
    return failed


if __name__ == "__main__":
    parser = options(__doc__ or "", count=10)
    parser.add_argument("--rows", type=int, default=3000, help="the size of each problem")
    parser.add_argument("--only", action="append", choices=WORK, help="one kind of work")
    sys.exit(main(parser.parse_args()))
