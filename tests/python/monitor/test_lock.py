"""One writer of a log: locks between processes and within one."""

import gc
import os
import types

import numpy as np
import pytest
from dsentropy.monitor import Monitor, lock, read_log
from dsentropy.monitor.lock import FileLock

X = np.random.default_rng(0).normal(size=(20, 3))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.jsonl"


def test_two_monitors_of_a_process_are_refused(path, tmp_path):
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)
    with Monitor(log=path) as monitor:
        for same in (path, link, tmp_path / "." / "run.jsonl"):
            with pytest.raises(RuntimeError, match=r"another Monitor of this process: close\(\)"):
                Monitor(log=same)
        monitor.observe(0, {"a": X})
    with Monitor(log=link) as monitor:
        assert monitor.last_step == 0


@pytest.mark.linux
def test_two_processes_are_refused(path, run_python):
    program = f"""
        import sys
        from dsentropy.monitor import Monitor
        try:
            Monitor(log={str(path)!r}).close()
            print("open")
        except RuntimeError as error:
            print(error)
    """
    with Monitor(log=path):
        assert "must not be in use by another process" in run_python(program)
        assert "must not be in use by another process" in run_python(program)  # a failed try frees nothing
    assert run_python(program).strip() == "open"


def test_a_refused_monitor_leaves_the_log_free(path):
    path.write_text("no log\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="log must be"):
            Monitor(log=path)
    path.write_text("")
    for _ in range(2):
        with pytest.raises(ValueError, match="labels"):
            Monitor(log=path, labels=np.array([1.0, np.nan]))
    Monitor(log=path).close()


def test_a_monitor_that_is_gone_frees_its_log(path):
    monitor = Monitor(log=path)
    monitor.observe(0, {"a": X})
    del monitor
    gc.collect()
    Monitor(log=path).close()


@pytest.mark.linux
def test_a_forked_process_neither_writes_nor_holds_the_lock(path, run_python):
    program = f"""
        import os, time
        import numpy as np
        from dsentropy.monitor import Monitor
        monitor = Monitor(log={str(path)!r})
        monitor.observe(0, {{"a": np.eye(4)}})
        child = os.fork()
        if child == 0:
            for call in (lambda: monitor.observe(1, {{}}), lambda: Monitor(log={str(path)!r})):
                try:
                    call()
                except RuntimeError as error:
                    print(error, flush=True)
            monitor.flush()
            monitor.close()
            time.sleep(60)
            os._exit(1)
        time.sleep(0.5)
        monitor.observe(1, {{"a": np.eye(4)}})
        monitor.close()
        again = Monitor(log={str(path)!r})  # while the child is there
        print(again.last_step)
        os.kill(child, 9)
        os.waitpid(child, 0)
        again.close()
    """
    made, used, last = run_python(program).splitlines()
    assert "made in another process" in made
    assert "in use by another process" in used
    assert last == "1"
    assert len(read_log(path)) == 8


def test_errors_of_the_system_are_passed_on(tmp_path, monkeypatch):
    def broken(*_):
        raise OSError(37, "No locks available")

    if lock.fcntl is None:
        pytest.skip("no fcntl")
    with monkeypatch.context() as patch:
        patch.setattr(lock, "fcntl", types.SimpleNamespace(lockf=broken, LOCK_EX=0, LOCK_NB=0))
        with pytest.raises(OSError, match="No locks"):
            FileLock(str(tmp_path / "a.lock"), "log")
    with pytest.raises(FileNotFoundError):
        FileLock(str(tmp_path / "none" / "a.lock"), "log")
    FileLock(str(tmp_path / "a.lock"), "log").release()


def test_windows_locks_the_first_byte(tmp_path, monkeypatch):
    calls = []
    fake = types.SimpleNamespace(locking=lambda *given: calls.append(given), LK_NBLCK=2)
    monkeypatch.setattr(lock, "fcntl", None)
    monkeypatch.setattr(lock, "msvcrt", fake)
    held = FileLock(str(tmp_path / "a.lock"), "log")
    assert calls == [(held._descriptor, 2, 1)]
    held.release()
    held.release()

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    fake.locking = refuse
    with pytest.raises(RuntimeError, match="another process"):
        FileLock(str(tmp_path / "a.lock"), "log")
    assert os.path.exists(tmp_path / "a.lock")


def test_a_monitor_of_another_process_does_nothing(path, monkeypatch):
    monitor = Monitor(log=path)
    with monkeypatch.context() as patch:
        patch.setattr(monitor, "_pid", -1)
        with pytest.raises(RuntimeError, match="made in another process"):
            monitor.observe(0, {"a": X})
        monitor.close()
    monitor.observe(0, {"a": X})
    monitor.close()
    assert monitor.last_step == 0


def test_a_folder_is_no_log_and_gets_no_lock_beside_it(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    with pytest.raises(IsADirectoryError, match="log must be a file, got the directory"):
        Monitor(log=folder)
    assert [*tmp_path.iterdir()] == [folder]
