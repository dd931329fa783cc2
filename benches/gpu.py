"""Products and eigenvalues on a GPU against the core, in less than eight minutes: tables in Markdown.

    python benches/gpu.py                            on the current CUDA device
    python benches/gpu.py --budget 450               the seconds after which it ends with what it has
    python benches/gpu.py --device cpu --small       a trial on a machine without a GPU

Four tables: estimates of twelve data sets against the exact entropy of the core; eigenvalues on the device against
the core; the rate of a pass of 16 products; and time, memory and agreement of two seeds for 10,000 to 1,000,000 rows.
Cells that would not end in time by the rate measured so far are left out. Needs `pip install "dsentropy[torch]"`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dsentropy
import numpy as np
import torch
from dsentropy import Stochastic, diffusion_spectrum
from dsentropy._checks import devices
from dsentropy._data.device_rows import DeviceRows
from dsentropy._operator import torch_eigenvalues
from dsentropy._operator.torch_affinity import TorchAffinity
from dsentropy._operator.torch_operator import EXACT_UP_TO
from dsentropy._spectrum.solver import resolve_solver

SIGMA = 10.0
TOL = 1e-2
RESERVE = 10.0
"""Seconds that are kept for the end."""
COLUMNS = 16
"""Vectors that a pass multiplies."""


class OutOfTimeError(BaseException):
    """Raised where the budget ends within a computation, whose handlers of exceptions let it pass."""


@dataclass(frozen=True)
class Run:
    """The device, the sizes and the budget of a run."""

    device: str
    small: bool
    end: float

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self.end - time.monotonic()

    def timed(self, call: Callable[[], Any]) -> tuple[float, Any]:
        """Time a call to the end of the work that it put on the device."""
        self.synchronize()
        start = time.perf_counter()
        result = call()
        self.synchronize()
        return time.perf_counter() - start, result

    def synchronize(self) -> None:
        """Wait for the device."""
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)

    def reset_peak(self) -> None:
        """Count the peak of memory anew."""
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> str:
        """The most memory that tensors took on the device."""
        if not self.device.startswith("cuda"):
            return "-"
        return f"{torch.cuda.max_memory_allocated(self.device) / 2**20:,.0f} MB"


def blobs(n: int, d: int, device: str) -> torch.Tensor:
    """Ten groups of rows in float32, made on the device."""
    generator = torch.Generator(device).manual_seed(0)
    options = {"generator": generator, "device": device}
    centres = 3 * torch.randn((10, d), **options)
    rows = torch.randn((n, d), **options).mul_(0.5)
    return rows.add_(centres[torch.randint(0, 10, (n,), **options)])


def data_sets(n: int) -> dict[str, tuple[Any, float | str]]:
    """Twelve data sets, each with a bandwidth."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(n, 8))
    groups = 4 * rng.normal(size=(10, 8))[np.arange(n) % 10] + normal
    decaying = rng.normal(size=(n, 64)) * np.arange(1, 65) ** -1.0
    sphere = rng.normal(size=(n, 5))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    half_rank = rng.normal(size=(n, 16)) @ rng.normal(size=(16, 32))
    return {
        "normal": (normal, 3.0),
        "blobs": (groups, 3.0),
        "power law": (decaying, "median"),
        "sphere": (sphere, 0.5),
        "half rank": (half_rank, "median"),
        "scale 1e-20": (1e-20 * normal, 3e-20),
        "scale 1e20": (1e20 * normal, 3e20),
        "duplicates": (normal[rng.integers(0, n // 20, n)], 2.0),
        "float16": (normal.astype(np.float16), 3.0),
        "integers": (rng.integers(0, 5, size=(n, 6)), "median"),
        "more columns than rows": (rng.normal(size=(n, n + 100)), "median"),
        "mean 1e4": (normal + 1e4, 3.0),
    }


def correctness(run: Run) -> None:
    """Print estimates on the device beside the exact entropies of the core."""
    n = 500 if run.small else EXACT_UP_TO + 501  # up to which a GPU computes all eigenvalues
    print(f"\n## Estimates against the exact entropy of the core, N = {n}, tol = {TOL:g}\n")
    print("| data | t | core, exact | device | error | standard error, half the bounds | within | products |")
    print("|:--|--:|--:|--:|--:|--:|:--|--:|")
    outside = 0
    for name, (X, sigma) in data_sets(n).items():
        exact = diffusion_spectrum(X, bandwidth=sigma)
        solver = Stochastic(tol=TOL, t=(1, 2))
        found = diffusion_spectrum(torch.tensor(X), bandwidth=sigma, solver=solver, device=run.device)
        for t in (1, 2):
            outside += not _row(name, t, exact, found)
    print(f"\n{outside} of 24 are outside of four standard errors and the bounds.")


def _row(name: str, t: float, exact: Any, found: Any) -> bool:
    """Print a line of the table, and return whether the exact value is within the stated error."""
    value, expected = found.entropy(t), exact.entropy(t)
    lower, upper = found.bounds(t) if hasattr(found, "bounds") else (value, value)
    sampling = float(found.standard_error(t)) if hasattr(found, "standard_error") else 0.0
    is_within = bool(lower - 4 * sampling - 1e-9 <= expected <= upper + 4 * sampling + 1e-9)
    products = found.parameters.get("products", "exact")
    stated = f"{sampling:.1e}, {(upper - lower) / 2:.1e}"
    answer = "yes" if is_within else "NO"
    print(
        f"| {name} | {t} | {expected:.6f} | {value:.6f} | {abs(value - expected):.1e} | {stated} | {answer} | "
        f"{products} |",
        flush=True,
    )
    return is_within


def eigenvalues(run: Run) -> None:
    """Print the times of all eigenvalues on the device and by the core, and how far they differ."""
    print("\n## All eigenvalues, D = 64, float64\n")
    print("| N | device | core | largest difference, of the largest eigenvalue |")
    print("|--:|--:|--:|--:|")
    for n in (200, 400) if run.small else (1000, 2000, 5000, 8000):
        if run.left < 60 and not run.small:
            print(f"| {n:,} | left out: no time is left | | |")
            continue
        X = np.random.default_rng(n).normal(size=(n, 64))
        rows = DeviceRows.of(torch.tensor(X), "euclidean", run.device)
        torch_eigenvalues.eigenvalues(DeviceRows.of(torch.tensor(X[:100]), "euclidean", run.device), SIGMA, 0.0)
        seconds, found = run.timed(lambda rows=rows: torch_eigenvalues.eigenvalues(rows, SIGMA, 0.0))
        of_core, exact = run.timed(lambda X=X: diffusion_spectrum(X, bandwidth=SIGMA).eigenvalues)
        difference = np.abs(np.sort(np.abs(found))[::-1] - np.sort(exact)[::-1]).max() / exact.max()
        print(f"| {n:,} | {seconds:.3f} s | {of_core:.3f} s | {difference:.1e} |", flush=True)


def passes(run: Run) -> None:
    """Print the time of one product with 16 vectors where no tile is stored, and the rate of its flops."""
    print("\n## A pass: 16 products, no tile stored\n")
    print("N^2 D flops for distances (each pair once) and 2 N^2 16 for products.\n")
    print("| N | D | seconds | TFLOP/s |")
    print("|--:|--:|--:|--:|")
    options = resolve_solver(Stochastic(tol=TOL, storage="tiled"), 0)
    assert options is not None
    for n, d in [(2000, 64)] if run.small else [(20_000, 64), (20_000, 512), (100_000, 64), (100_000, 512)]:
        affinity = TorchAffinity(DeviceRows.of(blobs(n, d, run.device), "euclidean", run.device), SIGMA, options)
        vectors = np.random.default_rng(0).normal(size=(n, COLUMNS))
        affinity.product(vectors, [], False)
        seconds, _ = run.timed(lambda affinity=affinity, vectors=vectors: affinity.product(vectors, [], False))
        flops = float(n) ** 2 * (d + 2 * COLUMNS)
        print(f"| {n:,} | {d} | {seconds:.4f} | {flops / seconds / 1e12:.3g} |", flush=True)


def sizes(run: Run) -> None:
    """Print time, memory and agreement of two seeds against the number of rows."""
    print(f"\n## Time of an estimate, ten blobs in float32, bandwidth {SIGMA:g}, tol = {TOL:g}, two seeds\n")
    print("| N | D | seconds | bits | difference | allowed: stated errors of both | within | products | peak |")
    print("|--:|--:|--:|--:|--:|--:|:--|--:|--:|")
    rate: dict[int, float] = {}
    for n, d in _cells(run):
        expected = rate.get(d, 0.0) * float(n) ** 2
        if expected > run.left - RESERVE:
            print(f"| {n:,} | {d} | left out: about {expected:,.0f} s each | | | | | | |", flush=True)
            continue
        X = blobs(n, d, run.device)
        run.reset_peak()
        seconds, found = run.timed(lambda X=X: _estimate(X, 0, run))
        times, estimates = [seconds], [found]
        rate[d] = seconds / float(n) ** 2
        if seconds < run.left - RESERVE:
            seconds, found = run.timed(lambda X=X: _estimate(X, 1, run))
            times.append(seconds)
            estimates.append(found)
        print(f"| {n:,} | {d} | {_agreement(times, estimates)} | {run.peak()} |", flush=True)
        del X


def _agreement(times: list[float], estimates: list[Any]) -> str:
    """Return the cells of a line: times, entropy, and how far the estimates of two seeds differ."""
    values = [found.entropy() for found in estimates]
    difference = max(values) - min(values)
    allowed = sum(4 * _reach(found, "standard_error") + _reach(found, "bounds") for found in estimates)
    answer = ("yes" if difference <= allowed else "NO") if len(values) > 1 else "one seed"
    seconds = ", ".join(f"{seconds:.2f}" for seconds in times)
    products = ", ".join(str(found.parameters.get("products", "exact")) for found in estimates)
    return f"{seconds} | {values[0]:.4f} | {difference:.1e} | {allowed:.1e} | {answer} | {products}"


def _cells(run: Run) -> list[tuple[int, int]]:
    """Return the sizes, in the order of their cost."""
    if run.small:
        return [(1000, 8), (2000, 8)]
    found = [(n, d) for n in (10_000, 100_000, 300_000, 1_000_000) for d in (64, 512)]
    return sorted(found, key=lambda cell: cell[0] ** 2 * (cell[1] + 64))


def _estimate(X: torch.Tensor, seed: int, run: Run) -> Any:
    return diffusion_spectrum(X, bandwidth=SIGMA, solver=Stochastic(tol=TOL), random_state=seed, device=run.device)


def _reach(found: Any, kind: str) -> float:
    """Return a stated error of an estimate; 0 of an exact spectrum."""
    if not hasattr(found, kind):
        return 0.0
    if kind == "standard_error":
        return float(found.standard_error())
    lower, upper = found.bounds()
    return float(max(upper - found.entropy(), found.entropy() - lower))


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in the block after so many seconds, where the system has such alarms."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 1.0)  # again each second, should one get lost
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def describe(run: Run) -> None:
    """Print what computes."""
    device = torch.device(run.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else run.device
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(
        f"{name}; torch {torch.__version__}, CUDA {torch.version.cuda}; dsentropy {dsentropy.__version__}, "
        f"NumPy {np.__version__}; the core on {cores} cores; Python {sys.version.split()[0]}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="few rows, for a trial")
    parser.add_argument("--budget", type=float, default=450.0, help="seconds after which it ends")
    given = parser.parse_args()
    start = time.monotonic()
    if given.device == "cpu":
        devices.CORE_DEVICES = ()  # so that PyTorch computes on the processor
    resolved = devices.as_device(given.device, None)
    assert resolved is not None
    run = Run(resolved, given.small, start + given.budget)
    warnings.simplefilter("ignore")
    describe(run)
    try:
        with alarm(run.left):
            for table in (correctness, passes, eigenvalues, sizes):
                table(run)
    except OutOfTimeError:
        print("\nThe budget ended here.")
    print(f"\n{time.monotonic() - start:.0f} s in all.")


if __name__ == "__main__":
    main()
