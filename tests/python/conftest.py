"""What every test is held to.

A test leaves the process as it found it: warning filters, global generators, environment, the threads of BLAS and
OpenMP libraries. Two say otherwise: the marker `changes_process`, and the fixture `reference`, since dse-dsmi seeds
Python's global generator.

With `pytest -n auto` (pytest-xdist) several worker processes share the cores, and each test has its share. A test
that is marked `serial` has all of them: no other worker runs a test meanwhile. The workers take turns by file locks,
so on a system without `fcntl` (Windows) more than one worker is refused.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dsentropy  # noqa: F401 its LAPACK is one of the libraries below
import numpy as np
import pytest
import sklearn.cluster  # noqa: F401 changes filters and the environment when it is imported
from python_runs import run_python  # noqa: F401 a fixture
from threadpoolctl import ThreadpoolController, threadpool_limits

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

LIBRARIES = ThreadpoolController()
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "changes_process: this test changes what others must leave as it is")
    config.addinivalue_line("markers", "serial: this test needs all cores, or the whole process, or measures either")
    config.addinivalue_line("markers", "slow: this test takes more than some seconds; the gate runs it")
    config.addinivalue_line("markers", "linux: this test needs /proc, fork, or what else other systems lack")
    if fcntl is None and max(WORKERS, config.getoption("numprocesses", None) or 0) > 1:
        raise pytest.UsageError("run without -n on this system: it lacks the file locks by which workers take turns")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if sys.platform != "linux":
        items[:] = [item for item in items if not item.get_closest_marker("linux")]


def process_state() -> dict[str, Any]:
    legacy = np.random.get_state(legacy=False)
    return {
        "warnings.filters": list(warnings.filters),
        "random": random.getstate(),
        "numpy.random": (legacy["state"]["key"].tobytes(), legacy["state"]["pos"], legacy["has_gauss"]),
        "os.environ": {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        "threads": {library["filepath"]: library["num_threads"] for library in LIBRARIES.info()},
    }


@contextlib.contextmanager
def turn(folder: Path, alone: bool) -> Iterator[None]:
    """Waits until this worker may run a test: beside those of other workers, or alone.

    A worker that wants to be alone holds the first lock while it waits for the second, so that no other can overtake
    it.
    """
    kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    with open(folder / "next.lock", "w") as first, open(folder / "running.lock", "w") as second:
        fcntl.flock(first, kind)
        fcntl.flock(second, kind)
        if not alone:
            fcntl.flock(first, fcntl.LOCK_UN)
        yield  # closing the files frees both


@pytest.fixture(autouse=True)
def share_of_cores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The threads that a test may use: all where it runs alone, else its worker's share."""
    alone = request.node.get_closest_marker("serial") is not None
    if WORKERS == 1:
        yield
        return
    with turn(tmp_path_factory.getbasetemp().parent, alone):  # a folder that all workers have
        if alone:
            yield
            return
        threads = max(1, (os.cpu_count() or 1) // WORKERS)
        with LIBRARIES.limit(limits=threads), pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAYON_NUM_THREADS", str(threads))
            yield


@pytest.fixture(autouse=True)
def process_left_as_found(request: pytest.FixtureRequest, share_of_cores: None) -> Iterator[None]:
    before = process_state()
    yield
    if request.node.get_closest_marker("changes_process") or "reference" in request.fixturenames:
        return
    after = process_state()
    changed = [name for name, value in before.items() if after[name] != value]
    assert not changed, f"the test changed {', '.join(changed)}"


@pytest.fixture(scope="module")
def reference() -> Iterator[SimpleNamespace]:
    """The reference's functions. It silences all warnings of the process at import, and raises some when it runs.

    Everything is on one thread: two BLAS libraries whose threads spin on the same cores are many times slower.
    """

    def quiet(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return function(*args, **kwargs)

        return call

    module = quiet(importlib.import_module)("dse_dsmi")
    with threadpool_limits(1), pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAYON_NUM_THREADS", "1")
        yield SimpleNamespace(**{name: quiet(getattr(module, name)) for name in module.__all__})
