"""The OpenBLAS beside the extension is the one that is used, whatever the process has loaded before."""

import re
import sys
from pathlib import Path

import dsentropy
import pytest
from dsentropy import _core

scipy_openblas32 = pytest.importorskip("scipy_openblas32")
THEIRS = Path(scipy_openblas32.get_lib_dir()) / "libscipy_openblas.so"
OURS = Path(dsentropy.__file__).parent / "libopenblas_dsent.so"

pytestmark = pytest.mark.skipif(
    not (sys.platform == "linux" and THEIRS.exists() and list(OURS.parent.glob("lib*openblas*.so"))),
    reason="needs a bundled OpenBLAS on Linux",
)


@pytest.mark.parametrize("name", ["libscipy_openblas.so", "libother.so"])
def test_another_openblas_loaded_before_does_not_replace_ours(name, tmp_path, run_python):
    """The other library has another version, and the SONAME of scipy-openblas32; it computes nothing of ours."""
    version = re.compile(rb"OpenBLAS \d+\.\d+\.\d+")
    other = tmp_path / name
    changed, places = version.subn(lambda found: b"OpenBLAS " + b"9" * (len(found[0]) - 9), THEIRS.read_bytes())
    assert places
    other.write_bytes(changed)
    program = """
        import ctypes, sys
        other = ctypes.CDLL(sys.argv[1])
        other.scipy_openblas_get_config.restype = ctypes.c_char_p
        print(other.scipy_openblas_get_config().decode())
        from dsentropy import _core, kernel_spectrum
        kernel_spectrum([[2.0, 1.0], [1.0, 2.0]])
        print(_core.blas_config().build)
        with open("/proc/self/maps") as maps:
            print(*sorted({line.split(maxsplit=5)[5].strip() for line in maps if "blas" in line}), sep="\\n")
    """
    theirs, ours, *mapped = run_python(program, other).splitlines()
    assert "OpenBLAS 99" in theirs
    assert ours.split()[:2] == _core.blas_config().build.split()[:2]
    assert str(OURS.resolve()) in mapped
    assert str(other) in mapped


def test_the_names_inside_and_outside_agree():
    """The SONAME of the library, and the name that the extension asks the loader for."""
    extension = Path(_core.__file__).read_bytes()
    for content in [OURS.read_bytes(), extension]:
        assert b"libopenblas_dsent.so\0" in content
        assert b"libscipy_openblas.so\0" not in content
