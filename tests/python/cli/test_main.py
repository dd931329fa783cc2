"""The command line as a whole: help, exit codes, pipes and interrupts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dsentropy.cli import entropy, layers, main, options, picture
from dsentropy.cli.main import COMMANDS
from dsentropy.io.pooled import POOLS

X = np.random.default_rng(0).normal(size=(30, 3))
MODULE = [sys.executable, "-m", "dsentropy"]

HEARD = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
runpy.run_module("dsentropy", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    np.save(tmp_path / "hidden.npy", X)
    return tmp_path / "hidden.npy"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(command: str, run: Any) -> None:
    found = run(command, "--help")
    assert found.code == 0
    example = " ".join(found.out.split()).split("example: ")[1]
    assert example.startswith(f"dsentropy {command} ")
    options_of_example = set(re.findall(r"--[a-z-]+", example))
    assert options_of_example <= set(re.findall(r"--[a-z-]+", found.out.split("example: ")[0]))


def test_the_help_lists_all_commands(run: Any) -> None:
    found = run("--help")
    for command in COMMANDS:
        assert re.search(rf"^ +{command}\b", found.out, re.MULTILINE)
    assert run().out == found.out


def test_pools_are_those_of_the_reader() -> None:
    assert options.POOLS == POOLS


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["entropy"], "the following arguments are required: FILE"),
        (["entropy", "a.npy", "--rows", "3"], "argument --rows: must be START:STOP or START:STOP:STEP, got '3'"),
        (["entropy", "a.npy", "--rows", "a:b"], "argument --rows: must be START:STOP or START:STOP:STEP, got 'a:b'"),
        (["entropy", "a.npy", "--t", "1,x"], "argument --t: must be a number, got 'x'"),
        (["entropy", "a.npy", "--jobs", "0"], "argument --jobs: must be an integer, at least 1, got '0'"),
        (["entropy", "a.npy", "--jobs", "1.5"], "argument --jobs: must be an integer, at least 1, got '1.5'"),
        (["entropy", "a.npy", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
        (["information", "a.npy"], "the following arguments are required: --target"),
    ],
)
def test_arguments_that_are_refused(arguments: list[str], text: str, run: Any) -> None:
    found = run(*arguments)
    assert (found.out, found.code) == ("", 2)
    assert text in found.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--t", "-1"], "--t must be finite and at least 0, got -1.0"),
        (["--order", "nan"], "--order"),
        (["--bandwidth", "mean"], "--bandwidth"),
        (["--bandwidth", "0"], "--bandwidth"),
        (["--alpha", "2"], "--alpha must be from 0 to 1, got 2.0"),
        (["--n-null", "5"], "--n-null"),
        (["--max-samples", "0"], "--max-samples must be at least 1, got 0"),
        (["--rows", "40:"], "--rows must have at least one of the 30 rows"),
        (["--num-threads", "0"], "--num-threads must be at least 1, got 0"),
        (["--key", "a"], "--key must be None for a file of one array"),
        (["--layer", "2"], "--layer must be None for an array of shape (30, 3)"),
        (["--solver", "stochastic", "--tol", "-1"], "--tol must be positive"),
        (["--plot", "none/a.png"], "--plot must be a file that can be written: the folder of 'none/a.png'"),
        (["--plot", "a.xyz"], "--plot must be a file that can be written: 'a.xyz' must end in"),
    ],
)
def test_values_that_are_refused_are_named_by_their_options(
    arguments: list[str], text: str, hidden: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = run("entropy", hidden, *arguments)
    assert (found.out, found.code) == ("", 2)
    assert found.err.startswith("dsentropy entropy: ")
    assert found.err.count("\n") == 1
    assert text in found.err


def test_a_figure_without_matplotlib_is_refused_before_the_work(
    hidden: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = run("entropy", hidden, "--plot", "a.png")
    assert found == ("", 'dsentropy entropy: --plot needs matplotlib: pip install "dsentropy[plot]"\n', 2)


def test_too_little_memory_for_a_file_is_said(hidden: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(*_: Any) -> None:
        raise MemoryError("30 rows need 1 GB")

    monkeypatch.setattr(layers, "measured", measured)
    assert run("entropy", hidden) == ("", f"dsentropy entropy: {hidden}: 30 rows need 1 GB\n", 2)


def test_a_fault_of_the_program_names_its_class(hidden: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(*_: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr(layers, "measured", measured)
    assert run("entropy", hidden) == ("", f"dsentropy entropy: {hidden}: KeyError: 'x'\n", 2)

    def execute(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(entropy, "execute", execute)
    with pytest.raises(ZeroDivisionError):
        main.main(["entropy", str(hidden)])


def test_ctrl_c_ends_with_130(hidden: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(layers, "measured", interrupted)
    assert run("entropy", hidden).code == 130


@pytest.mark.linux
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupted_process_ends_at_once_and_quietly(jobs: str, tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", np.random.default_rng(0).normal(size=(6000, 3)))
    files = [tmp_path / name for name in ("missing.npy", "large.npy", "large.npy")]
    arguments = ["entropy", *files, "--null", "gaussian", "--n-null", "10000000", "--jobs", jobs]
    with subprocess.Popen(
        [sys.executable, "-c", HEARD, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "missing.npy" in process.stderr.readline()  # so the command is at the next file
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors


@pytest.mark.linux
def test_a_reader_that_closes_the_pipe_is_no_error(hidden: Path) -> None:
    command = (
        f"{sys.executable} -m dsentropy entropy {hidden} --t {','.join(['1'] * 3000)} --format jsonl | head -n 1"
    )
    found = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=True)
    assert found.stderr == ""
    assert found.stdout.startswith('{"run":"entropy"')


def test_what_is_left_for_a_closed_pipe_goes_nowhere(
    hidden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(*_: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(entropy, "execute", execute)
    with (tmp_path / "out.txt").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        main.main(["entropy", str(hidden)])
        file.write("left")
    assert (tmp_path / "out.txt").read_text() == ""


@pytest.mark.linux
def test_numbers_reach_another_program(hidden: Path) -> None:
    reader = "import json, sys; print(len(json.load(sys.stdin)))"
    command = f"{sys.executable} -m dsentropy layers {hidden} --format json | {sys.executable} -c '{reader}'"
    found = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=True)
    assert (found.stdout, found.stderr) == ("1\n", "")


def test_the_command_line_is_no_import_of_the_package(run_python: Any) -> None:
    loaded = run_python("""
        import sys
        import dsentropy
        print([name for name in sys.modules if name.startswith(("dsentropy.cli", "argparse", "json", "csv"))])
    """)
    assert loaded == "[]\n"


def test_the_help_loads_no_package_that_reads_or_draws(run_python: Any) -> None:
    loaded = run_python("""
        import sys
        sys.argv[1:] = ["entropy", "--help"]
        from dsentropy.cli.main import main
        try:
            main()
        except SystemExit:
            slow = {"numpy", "sklearn", "scipy", "matplotlib", "pandas", "h5py", "pyarrow", "safetensors", "tqdm"}
            print("loaded", sorted(slow & set(sys.modules)))
    """)
    assert loaded.splitlines()[-1] == "loaded []"


def test_pictures_are_checked_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture.require_plot(None)
    picture.require_plot(str(tmp_path / "a.png"))
    assert picture.picture_format("a") == "png"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match=r"^plot must be a file that can be written: .* cannot be written to$"):
        picture.require_plot(str(tmp_path / "a.png"))


@pytest.mark.parametrize("command", ["entropy", "layers"])
def test_a_name_that_the_output_cannot_encode_is_escaped(command: str, hidden: Path, tmp_path: Path) -> None:
    named = hidden.rename(tmp_path / "schicht-é.npy")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    found = subprocess.run(
        [*MODULE, command, str(named), "--num-threads", "1"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert r"schicht-\xe9" in found.stdout
