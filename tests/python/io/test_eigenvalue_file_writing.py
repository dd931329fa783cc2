"""Eigenvalue files are written under the name that was given, all or nothing."""

import errno
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from dsentropy import diffusion_spectral_entropy as dse


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize(
    "name", ["eigenvalues", "eigenvalues.npz", "e.npy", ".hidden", "with space", "λ.npz", "-x", "~"]
)
def test_name_is_used_as_it_is(name, X, tmp_path):
    value = dse(X, eigval_save_path=tmp_path / name)
    assert names_in(tmp_path) == [name]
    assert dse(None, eigval_save_path=tmp_path / name) == value


@pytest.mark.parametrize("name", ["eigenvalues", "./eigenvalues", "folder/eigenvalues", "a/b/../eigenvalues"])
def test_relative_names(name, X, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value = dse(X, eigval_save_path=name)
    assert Path(name).is_file()
    assert dse(None, eigval_save_path=name) == value


def test_missing_folders_are_made(X, tmp_path):
    dse(X, eigval_save_path=tmp_path / "a" / "b" / "c")
    assert names_in(tmp_path / "a" / "b") == ["c"]


class PathLike:
    def __init__(self, name):
        self.name = name

    def __fspath__(self):
        return self.name


@pytest.mark.parametrize("kind", [str, os.fsencode, Path, PathLike], ids=["str", "bytes", "Path", "PathLike"])
def test_kinds_of_paths(kind, X, path):
    value = dse(X, eigval_save_path=kind(str(path)))
    assert path.is_file()
    assert dse(None, eigval_save_path=kind(str(path))) == value


@pytest.mark.linux
@pytest.mark.parametrize("verbose", [False, True])
def test_name_that_is_no_text(verbose, tmp_path, run_python):
    program = """
        import os, sys
        import numpy as np
        from dsentropy import diffusion_spectral_entropy
        path = os.fsencode(sys.argv[1]) + b"/\\xff\\xfe"
        arguments = {"eigval_save_path": path, "verbose": sys.argv[2] == "True"}
        value = diffusion_spectral_entropy(np.eye(4), **arguments)
        assert os.listdir(os.fsencode(sys.argv[1])) == [b"\\xff\\xfe"]
        assert diffusion_spectral_entropy(None, **arguments) == value
    """
    run_python(program, tmp_path, verbose, PYTHONIOENCODING="utf-8")


@pytest.mark.linux
@pytest.mark.parametrize("length", [200, 232, 233, 250, 255])
def test_names_as_long_as_the_system_allows(length, X, tmp_path):
    name = "n" * length
    value = dse(X, eigval_save_path=tmp_path / name)
    assert names_in(tmp_path) == [name]
    assert dse(None, eigval_save_path=tmp_path / name) == value


@pytest.mark.linux
def test_name_that_is_a_link(X, tmp_path):
    """The file is where the link points, as with any program that writes."""
    (tmp_path / "target").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target", target_is_directory=True)
    value = dse(X, eigval_save_path=link / "eigenvalues")
    assert names_in(tmp_path / "target") == ["eigenvalues"]
    file_link = tmp_path / "file_link"
    file_link.symlink_to(tmp_path / "target" / "eigenvalues")
    assert dse(None, eigval_save_path=file_link) == value


def fail(*arguments, **options):
    raise OSError(errno.ENOSPC, "no space left on device")


@pytest.mark.parametrize("failing", ["numpy.savez", "os.replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failed_write_leaves_nothing(failing, error, X, tmp_path, monkeypatch):
    (tmp_path / "other").write_text("untouched")

    def fail(*arguments, **options):
        if failing == "numpy.savez":
            arguments[0].write(b"half of it")
        raise error("no space left on device")

    monkeypatch.setattr(failing, fail)
    with pytest.raises(error, match="no space"):
        dse(X, eigval_save_path=tmp_path / "eigenvalues")
    assert names_in(tmp_path) == ["other"]
    assert (tmp_path / "other").read_text() == "untouched"
    monkeypatch.undo()
    dse(X, eigval_save_path=tmp_path / "eigenvalues")
    assert names_in(tmp_path) == ["eigenvalues", "other"]


def test_failure_to_open_leaves_nothing(X, path, monkeypatch):
    monkeypatch.setattr("builtins.open", fail)
    with pytest.raises(OSError, match="no space"):
        dse(X, eigval_save_path=path)
    monkeypatch.undo()
    assert names_in(path.parent) == []


def test_file_appears_whole(X, path, monkeypatch):
    """Until it is complete nothing has its name."""
    replace = os.replace
    seen = []

    def look(source, target):
        seen.append((path.exists(), dse(None, eigval_save_path=source)))
        replace(source, target)

    monkeypatch.setattr("os.replace", look)
    value = dse(X, eigval_save_path=path)
    assert seen == [(False, value)]
    assert names_in(path.parent) == [path.name]


def test_reading_writes_nothing(X, path):
    dse(X, eigval_save_path=path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    try:
        dse(X, eigval_save_path=path, eigval_save_precision=np.float64)
        assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    finally:
        path.parent.chmod(0o700)


@pytest.mark.linux
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_permissions_are_those_of_any_new_file(umask, X, tmp_path):
    before = os.umask(umask)
    try:
        dse(X, eigval_save_path=tmp_path / "folder" / "eigenvalues")
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "ordinary").write_bytes(b"")
    finally:
        os.umask(before)

    def mode(*parts):
        return stat.S_IMODE(tmp_path.joinpath(*parts).stat().st_mode)

    assert mode("folder", "eigenvalues") == mode("other", "ordinary")
    assert mode("folder") == mode("other")


def test_many_writers_of_one_file_leave_a_whole_one(X, path):
    """Each writes every time, as where none has found a file yet; who reads meanwhile finds a whole one."""
    program = """
        import os, sys
        import numpy as np
        from dsentropy import diffusion_spectral_entropy
        os.path.exists = lambda path: False
        X = np.random.default_rng(0).normal(scale=4, size=(120, 3))
        for _ in range(100):
            diffusion_spectral_entropy(X, eigval_save_path=sys.argv[1], num_threads=1)
    """
    value = dse(X, eigval_save_path=path)
    writers = [subprocess.Popen([sys.executable, "-c", textwrap.dedent(program), path]) for _ in range(4)]
    while any(writer.poll() is None for writer in writers):
        assert dse(None, eigval_save_path=path) == value
    assert [writer.returncode for writer in writers] == [0] * 4
    assert names_in(path.parent) == [path.name]
    assert dse(X, eigval_save_path=path) == value
