"""A file is replaced all or nothing and keeps its permissions; temporaries of killed processes are removed."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from dsentropy import Spectrum, diffusion_spectral_entropy
from dsentropy.io import replacing

SPECTRUM = Spectrum([1.0, 0.5])


def names_in(folder):
    return sorted(entry.name for entry in Path(folder).iterdir())


def temporary_of(path, machine=None, token="0" * 16):
    """The name that a temporary of a file has, on this machine or another one."""
    machine = replacing._machine() if machine is None else machine
    return path.parent / f"{replacing._prefix(str(path))}{machine}{token}.tmp"


@pytest.mark.linux
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o400, 0o777])
def test_a_replaced_file_keeps_its_permissions(mode, tmp_path):
    path = tmp_path / "spectrum"
    SPECTRUM.save(path)
    path.chmod(mode)
    before = path.stat().st_ino
    Spectrum([1.0, 0.25]).save(path)
    assert path.stat().st_ino != before
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.linux
@pytest.mark.parametrize(("refuses", "mode"), [(False, 0o664), (True, 0o644)])
def test_a_replaced_file_keeps_its_owner_and_group_where_it_may(refuses, mode, tmp_path, monkeypatch):
    """The system allows it to root alone, so the calls are recorded. Another group may do no more than all others."""
    path = tmp_path / "spectrum"
    SPECTRUM.save(path)
    path.chmod(0o664)
    status = os.stat(path)
    calls = []

    def other_owner(name):
        found = status if os.fspath(name) == str(path) else real_stat(name)
        if found is not status:
            return found
        return os.stat_result([*status[:4], status.st_uid + 1, status.st_gid + 1, *status[6:]])

    def fchown(descriptor, user, group):
        calls.append((user, group))
        if refuses:
            raise PermissionError

    real_stat = os.stat
    monkeypatch.setattr(os, "fchown", fchown)
    monkeypatch.setattr(os, "stat", other_owner)
    SPECTRUM.save(path)
    monkeypatch.setattr(os, "stat", real_stat)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert calls == [(status.st_uid + 1, -1), (-1, status.st_gid + 1)]


@pytest.mark.linux
def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    target, link, second = tmp_path / "folder" / "target", tmp_path / "link", tmp_path / "second"
    link.symlink_to(Path("folder") / "target")
    second.symlink_to(link)
    for values in ([1.0, 0.5], [1.0, 0.25]):  # it leads nowhere, and then to a file
        Spectrum(values).save(second)
        assert link.is_symlink()
        assert second.is_symlink()
        assert Spectrum.load(target).eigenvalues.tolist() == values
    assert names_in(tmp_path / "folder") == ["target"]
    diffusion_spectral_entropy(np.eye(4), eigval_save_path=tmp_path / "other")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="loop") as caught:
        SPECTRUM.save(loop)
    assert caught.value.errno == errno.ELOOP


@pytest.mark.linux
def test_what_is_no_file_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="Not a regular file"):
        SPECTRUM.save(pipe)
    with pytest.raises(ValueError, match=r"path: .*pipe' .* it is no regular file"):
        Spectrum.load(pipe)
    for folder in [tmp_path, f"{tmp_path}/new/"]:
        with pytest.raises(IsADirectoryError):
            SPECTRUM.save(folder)
    assert names_in(tmp_path) == ["pipe"]


@pytest.mark.linux
def test_temporaries_of_killed_processes_are_removed_by_the_next_save(tmp_path, run_python):
    program = """
        import os, signal, sys
        import numpy as np
        from dsentropy import Spectrum
        np.savez = lambda file, **arrays: (file.write(b"half"), file.flush(), os.kill(os.getpid(), signal.SIGKILL))
        Spectrum([1.0, 0.5]).save(sys.argv[1])
    """
    path = tmp_path / "spectrum"
    for _ in range(2):
        run_python(program, path, status=-9)
        assert len(names_in(tmp_path)) == 1  # the second run removed what the first one left
    other = temporary_of(tmp_path / "other")
    other.write_bytes(b"of another file")
    SPECTRUM.save(path)
    assert names_in(tmp_path) == sorted([other.name, "spectrum"])


@pytest.mark.linux
def test_a_temporary_that_is_being_written_stays(tmp_path):
    path = tmp_path / "spectrum"
    with replacing.replacing(str(path)) as file:
        file.write(b"half")
        SPECTRUM.save(path)
        assert len(names_in(tmp_path)) == 2
        file.write(b" and the rest")
    assert names_in(tmp_path) == ["spectrum"]
    assert path.read_bytes() == b"half and the rest"


@pytest.mark.linux
def test_temporaries_of_other_machines_are_removed_when_they_are_a_day_old(tmp_path):
    path = tmp_path / "spectrum"
    new, old = temporary_of(path, "0" * 8 + "-"), temporary_of(path, "0" * 8 + "-", "1" * 16)
    for temporary in (new, old):
        temporary.write_bytes(b"half")
    os.utime(old, (0, 0))
    (tmp_path / temporary_of(path, token="2" * 16)).mkdir()  # no file, so it is none of ours
    SPECTRUM.save(path)
    assert names_in(tmp_path) == sorted([new.name, temporary_of(path, token="2" * 16).name, "spectrum"])


def unsupported(descriptor, operation):
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.mark.parametrize("system", ["without locks", "Windows"])
def test_without_locks_old_temporaries_alone_are_removed(system, tmp_path, monkeypatch):
    if system == "Windows":
        monkeypatch.setattr(replacing, "fcntl", None)
        monkeypatch.delattr(os, "fchown", raising=False)
    else:
        fcntl = pytest.importorskip("fcntl")
        monkeypatch.setattr(fcntl, "flock", unsupported)
    path = tmp_path / "spectrum"
    new, old = temporary_of(path), temporary_of(path, token="1" * 16)
    for temporary in (new, old):
        temporary.write_bytes(b"half")
    os.utime(old, (0, 0))
    for _ in range(2):  # a new file, and one that is replaced
        SPECTRUM.save(path)
        assert names_in(tmp_path) == sorted([new.name, "spectrum"])
    assert Spectrum.load(path).entropy() == SPECTRUM.entropy()


@pytest.mark.linux
@pytest.mark.parametrize("taken", ["locked", "removed"])
def test_a_temporary_that_another_writer_takes_before_its_lock_is_given_up(taken, tmp_path, monkeypatch):
    real_lock, opened = replacing._lock, []

    def lock(file):
        opened.append(file.name)
        if len(opened) > 1:
            return real_lock(file)
        os.remove(file.name)
        return False if taken == "locked" else real_lock(file)

    monkeypatch.setattr(replacing, "_lock", lock)
    SPECTRUM.save(tmp_path / "spectrum")
    assert len(opened) == 2
    assert names_in(tmp_path) == ["spectrum"]


@pytest.mark.linux
def test_a_folder_that_cannot_be_listed_or_synchronized_is_written_to(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "open", refuse)
    SPECTRUM.save(tmp_path / "spectrum")
    monkeypatch.undo()
    assert names_in(tmp_path) == ["spectrum"]


@pytest.mark.linux
def test_a_full_disk_leaves_the_old_file(tmp_path, run_python):
    """The limit of a file's size ends the write where a full disk would."""
    program = """
        import resource, signal, sys
        import numpy as np
        from dsentropy import Spectrum
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            Spectrum(np.ones(100_000)).save(sys.argv[1])
        except OSError as error:
            print(error.errno)
    """
    path = tmp_path / "spectrum"
    SPECTRUM.save(path)
    whole = path.read_bytes()
    assert run_python(program, path).split() == [str(errno.EFBIG)]
    assert path.read_bytes() == whole
    assert names_in(tmp_path) == ["spectrum"]


def no_eigenvalues(*arguments):
    raise AssertionError("the eigenvalues were computed")


CANNOT_BE_WRITTEN = {
    "file in place of a folder": "file/eigenvalues",
    "name that is too long": "n" * 300,
    "folder whose name is too long": f"{'n' * 300}/eigenvalues",
    "path that is too long": "a/" * 3000 + "eigenvalues",
    "folder to be": "new/",
    "name that is too long in a folder to be": f"new/{'n' * 300}",
    "loop of links": "loop",
}


@pytest.mark.linux
@pytest.mark.parametrize("case", CANNOT_BE_WRITTEN)
def test_an_eigenvalue_file_that_cannot_be_written_is_refused_before_the_work(case, tmp_path, monkeypatch):
    monkeypatch.setattr("dsentropy._core.eigenvalues", no_eigenvalues)
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OSError, match="eigval_save_path cannot be written: "):
        diffusion_spectral_entropy(np.eye(4), eigval_save_path=f"{tmp_path}/{CANNOT_BE_WRITTEN[case]}")
    assert names_in(tmp_path) == ["file", "loop"]


@pytest.mark.linux
def test_a_folder_without_permission_is_refused_before_the_work(tmp_path, run_python):
    """Root may write everywhere, so it becomes another user. The first call loads what that one may not read."""
    program = """
        import os, sys
        import numpy as np
        import dsentropy
        from dsentropy import _core
        os.chdir(sys.argv[1])
        dsentropy.diffusion_spectral_entropy(np.eye(4), eigval_save_path="open")
        if os.geteuid() == 0:
            os.seteuid(65534)
        def eigenvalues(*arguments):
            raise AssertionError("the eigenvalues were computed")
        _core.eigenvalues = eigenvalues
        for path in ["closed/eigenvalues", "closed/new/eigenvalues"]:
            try:
                dsentropy.diffusion_spectral_entropy(np.eye(4), eigval_save_path=path)
            except PermissionError as error:
                assert "eigval_save_path cannot be written" in str(error) and error.filename == path, error
                print("refused")
    """
    tmp_path.chmod(0o755)
    (tmp_path / "closed").mkdir(mode=0o555)
    assert run_python(program, tmp_path).split() == ["refused", "refused"]


def test_a_path_that_can_be_written_is_left_as_it_was(tmp_path):
    replacing.require_writable(str(tmp_path / "a" / "b"), "path")
    SPECTRUM.save(tmp_path / "file")
    replacing.require_writable(str(tmp_path / "file"), "path")
    assert names_in(tmp_path) == ["file"]


def test_the_root_of_a_path_that_is_missing_ends_the_search(monkeypatch):
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    monkeypatch.setattr(os.path, "lexists", lambda path: False)
    with pytest.raises(NotADirectoryError):
        replacing._existing_folder("a/b")


def test_home_folders_are_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    SPECTRUM.save("~/folder/spectrum")
    assert names_in(tmp_path / "folder") == ["spectrum"]
    assert Spectrum.load(b"~/folder/spectrum").entropy() == SPECTRUM.entropy()
    value = diffusion_spectral_entropy(np.eye(4), eigval_save_path=Path("~") / "eigenvalues")
    assert diffusion_spectral_entropy(None, eigval_save_path="~/eigenvalues") == value
    assert names_in(tmp_path) == ["eigenvalues", "folder"]
