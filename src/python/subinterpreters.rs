//! The interpreter that loads the extension: the main one only.
//!
//! PyO3 keeps the type objects of a process in statics, which belong to the interpreter that made them first. CPython
//! 3.12 and later refuse to load the extension in an isolated subinterpreter; earlier versions, and subinterpreters that
//! share the lock of the main interpreter, do not. NumPy does not support subinterpreters either.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// CPython gives this number to the main interpreter.
const MAIN: i64 = 0;

/// Fails with `ImportError` in a subinterpreter.
pub fn require_main(_py: Python<'_>) -> PyResult<()> {
    #[expect(unsafe_code, reason = "PyO3 has no function for it")]
    // SAFETY: this thread is attached to an interpreter, as `_py` shows, so the first function returns a valid pointer.
    let id = unsafe { pyo3::ffi::PyInterpreterState_GetID(pyo3::ffi::PyInterpreterState_Get()) };
    if id == MAIN {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "dsentropy cannot be imported in a subinterpreter: import it in the main interpreter, and use threads or processes",
    ))
}
