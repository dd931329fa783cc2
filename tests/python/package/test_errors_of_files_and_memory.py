"""Paths and precisions of files that are refused; too little memory is a MemoryError, before any work."""

import re

import numpy as np
import pytest
from reference_calls import (
    ASE,
    DSE,
    X,
    call,
    every_entropy,
    refused,
)

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


@every_entropy
@pytest.mark.parametrize(
    "value",
    [int, "int32", np.complex64, bool, "float1", "f3", object, str, 3.5, None, "f2,,", "(2,", [("x", float)], {}, ""],
    ids=repr,
)
def test_precisions_that_are_not_floating(function, value):
    text = refused(ValueError, "eigval_save_precision", function, eigval_save_precision=value)
    assert repr(value) in text


@every_entropy
@pytest.mark.parametrize("value", [3, 3.5, ["a"], object(), True, X], ids=lambda value: type(value).__name__)
def test_paths_of_another_type(function, value):
    refused(TypeError, "eigval_save_path", function, eigval_save_path=value)


@every_entropy
@pytest.mark.parametrize("value", ["", b"", "zero\0byte"], ids=repr)
def test_paths_that_no_file_can_have(function, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, OSError), match="eigval_save_path"):
        call(function, eigval_save_path=value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("function", "flags"),
    [
        (DSE, {}),
        (DSE, {"matrix_entry_entropy": True}),
        (ASE, {}),
        (ASE, {"anisotropic": True}),
        (ASE, {"use_knn": True}),
    ],
)
def test_matrix_beyond_all_memory_is_refused(function, flags):
    """200,000 rows take 320 GB."""
    text = refused(MemoryError, "max_N", function, np.arange(200_000.0)[:, None], max_N=None, **flags)
    assert "200000 rows" in text
    assert float(re.search(r"([\d.]+) GB", text)[1]) > 320


@pytest.mark.linux
def test_matrix_beyond_the_limit_of_the_process_is_refused(run_python):
    """4,000 rows take 134 MB, which this process may not have, and then may."""
    program = """
        import resource
        import numpy as np
        import dsentropy
        X = np.random.default_rng(0).normal(size=(4000, 2))
        labels = np.arange(4000) % 2
        calls = {
            "DSE": lambda: dsentropy.diffusion_spectral_entropy(X),
            "entries": lambda: dsentropy.diffusion_spectral_entropy(X, matrix_entry_entropy=True),
            "ASE": lambda: dsentropy.adjacency_spectral_entropy(X),
            "kNN": lambda: dsentropy.adjacency_spectral_entropy(X, use_knn=True),
            "DSMI": lambda: dsentropy.diffusion_spectral_mutual_information(X, 0 * labels, num_repetitions=1),
            "ASMI": lambda: dsentropy.adjacency_spectral_mutual_information(X, 0 * labels, num_repetitions=1),
        }
        dsentropy.diffusion_spectral_entropy(X[:100])
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000, resource.RLIM_INFINITY))
        for name, call in calls.items():
            try:
                call()
            except MemoryError as error:
                assert ("max_N" in str(error)) == ("MI" not in name) and " MB" in str(error), error
                print(name)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert 0 < calls["entries"]() < 24
    """
    assert run_python(program).split() == ["DSE", "entries", "ASE", "kNN", "DSMI", "ASMI"]


@pytest.mark.linux
@pytest.mark.parametrize("megabytes", [40, 80, 120, 160, 200, 240, 300])
def test_no_limit_of_memory_ends_the_process(run_python, megabytes):
    """The first call of a process is the one that also needs threads and BLAS's buffers. Each call forks."""
    program = """
        import os, resource, sys
        import numpy as np
        import dsentropy
        rng = np.random.default_rng(0)
        X, wide, labels = rng.normal(size=(2000, 100)), rng.normal(size=(300, 14000)), np.arange(2000) % 4
        calls = {
            "DSE": lambda: dsentropy.diffusion_spectral_entropy(X, num_threads=2),
            "wide DSE": lambda: dsentropy.diffusion_spectral_entropy(wide, num_threads=2),
            "wide entries": lambda: dsentropy.diffusion_spectral_entropy(wide, matrix_entry_entropy=True),
            "wide bins": lambda: dsentropy.diffusion_spectral_entropy(wide, classic_shannon_entropy=True),
            "DSMI": lambda: dsentropy.diffusion_spectral_mutual_information(X, labels, num_repetitions=1),
        }
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        for name, call in calls.items():
            child = os.fork()
            if not child:
                resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 10**6, resource.RLIM_INFINITY))
                try:
                    call()
                except MemoryError:
                    pass
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status:
                print(name, status)
    """
    assert run_python(program, megabytes, RUST_BACKTRACE="0") == ""
