"""The fixture that runs a program in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def run_python() -> Callable[..., str]:
    """Runs a program in a new interpreter, and returns what it printed.

    The program and all that it started are killed after `timeout` seconds, which fails the test, as does an exit
    status other than `status`. None of the settings of threads is inherited; `env` adds its own.
    """

    def run(program: str, *arguments: object, timeout: float = 60, status: int = 0, **env: str) -> str:
        inherited = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**inherited, **env},
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            pytest.fail(f"did not end within {timeout} s\n{out}\n{err}")
        assert process.returncode == status, f"exit status {process.returncode}\n{out}\n{err}"
        return out

    return run
