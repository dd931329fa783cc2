"""The time of a sweep over a PyTorch model beside that of an epoch, and its share that is neither pass nor measure.

    python benches/sweep.py [REPEATS] [--cpu]

For each model: medians over the repeats of an epoch, a sweep, a bare forward pass of the probe in evaluation mode,
and `Monitor.observe` within the sweep. The rest is the sweep without the last two: hooks, pooling, copies, and what
puts back modes, buffers and generators. Its share of the sweep should be under 5%. Wants an idle machine; with
`--cpu` times are those of the processor on one thread, which other programs change less. Needs
`pip install "dsentropy[torch]"`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import torch
from dsentropy.integrations.torch import LayerMonitor
from torch import nn

N_TRAINING, N_PROBE, BATCH = 1800, 500, 64


def convolutions() -> tuple[nn.Module, torch.Tensor, list[str]]:
    """The network of examples/digits_cnn.py, images of 8 x 8, and three layers."""
    layers = [nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    return model, torch.randn(N_TRAINING, 1, 8, 8), ["1", "4", "8"]


def deep() -> tuple[nn.Module, torch.Tensor, list[str]]:
    """Twenty blocks with batch norm, all of which are layers."""
    blocks = [nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU()) for _ in range(20)]
    return nn.Sequential(*blocks, nn.Linear(64, 10)), torch.randn(N_TRAINING, 64), [str(i) for i in range(20)]


class Encoder(nn.Module):
    """Tokens through four layers of a transformer, and the mean of them to classes."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 4), nn.Linear(64, 10)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes."""
        classes: torch.Tensor = self.head(self.encoder(tokens).mean(1))
        return classes


def transformer() -> tuple[nn.Module, torch.Tensor, list[str]]:
    """A transformer, texts of 32 tokens, and its four layers."""
    return Encoder(), torch.randn(N_TRAINING, 32, 64), ["encoder.layers"]


def measured(
    build: Callable[[], tuple[nn.Module, torch.Tensor, list[str]]],
    repeats: int,
    clock: Callable[[], float],
    num_threads: int | None,
) -> dict[str, float]:
    """Return the medians of the times, in seconds."""
    torch.manual_seed(0)
    model, X, layers = build()
    y = torch.arange(len(X)) % 10
    optimizer = torch.optim.Adam(model.parameters())
    watch = LayerMonitor(model, layers, (X[:N_PROBE], y[:N_PROBE]), monitor={"num_threads": num_threads})
    times: dict[str, list[float]] = {"epoch": [], "sweep": [], "forward": [], "measure": []}
    monitor = watch.monitor
    assert monitor is not None
    observe = monitor.observe

    def timed(*arguments: Any, **options: Any) -> Any:
        start = clock()
        records = observe(*arguments, **options)
        times["measure"].append(clock() - start)
        return records

    monitor.observe = timed  # type: ignore[method-assign]

    def epoch() -> None:
        for rows in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(X[rows]), y[rows]).backward()
            optimizer.step()

    def forward() -> None:
        model.eval()
        with torch.no_grad():
            for batch in X[:N_PROBE].split(256):
                model(batch)
        model.train()

    for step in range(repeats + 1):
        calls = {"epoch": epoch, "forward": forward, "sweep": partial(watch.sweep, step)}
        for name, call in calls.items():
            start = clock()
            call()
            times[name].append(clock() - start)
    return {name: median(found[1:]) for name, found in times.items()}  # the first ones load what they need


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("repeats", type=int, nargs="?", default=10)
    parser.add_argument("--cpu", action="store_true")
    given = parser.parse_args()
    if given.cpu:
        torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # of transformers in evaluation mode: training and sweeps lack it
    clock, num_threads = (time.process_time, 1) if given.cpu else (time.perf_counter, None)
    print(
        f"{'model':>14}"
        + "".join(f"{name:>12}" for name in ["epoch", "sweep", "forward", "measure", "rest", "share"])
    )
    for build in (convolutions, deep, transformer):
        found = measured(build, given.repeats, clock, num_threads)
        rest = found["sweep"] - found["forward"] - found["measure"]
        cells = [found[name] for name in ("epoch", "sweep", "forward", "measure")] + [rest]
        print(
            f"{build.__name__:>14}"
            + "".join(f"{1e3 * one:>9.1f} ms" for one in cells)
            + f"{rest / found['sweep']:>12.1%}"
        )


if __name__ == "__main__":
    main()
