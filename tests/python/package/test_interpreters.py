"""Subinterpreters, and interpreters without a lock."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable

import pytest


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("isolated", [False, True])
def test_import_in_a_subinterpreter_is_refused(isolated: bool, used: bool, run_python: Callable[..., str]) -> None:
    """CPython itself refuses it where the subinterpreter is isolated, from 3.12 on."""
    program = f"""
        import sys
        if {used}:
            import dsentropy
        IMPORT = '''if True:
            try:
                import dsentropy
            except BaseException as error:
                print(type(error).__name__, error, flush=True)
            else:
                print("imported", flush=True)
        '''
        if sys.version_info >= (3, 13):
            import _interpreters
            number = _interpreters.create("isolated" if {isolated} else "legacy")
            _interpreters.exec(number, IMPORT)
            _interpreters.destroy(number)
        else:
            import _xxsubinterpreters
            number = _xxsubinterpreters.create(isolated={isolated})
            _xxsubinterpreters.run_string(number, IMPORT)
            _xxsubinterpreters.destroy(number)
        import dsentropy
        print(dsentropy.diffusion_spectral_entropy([[0.0], [1.0]]) > 0)
    """
    error, entropy = run_python(program).splitlines()
    assert error.startswith("ImportError ")
    assert "subinterpreter" in error
    assert entropy == "True"


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter has a lock")
def test_import_does_not_turn_the_lock_on(run_python: Callable[..., str]) -> None:
    program = "import sys; import dsentropy; print(sys._is_gil_enabled())"
    assert run_python(program, PYTHON_GIL="") == "False\n"
