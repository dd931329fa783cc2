//! Calls of Python code by the core, which the end of the interpreter waits for.
//!
//! Before CPython 3.14 a daemon thread that runs Python code while the interpreter ends is killed where it waits for the
//! lock. That unwinds the frames of the core, which aborts the process. So calls pass a gate that the end of the
//! interpreter closes, and a thread that is killed all the same is parked below the frames of the core. The main thread
//! is the one that ends the interpreter, so its calls are safe.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::Mutex;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyTuple};

use crate::runtime::lock;
use crate::runtime::process::{call_gate, forks};

/// How long the end of the interpreter waits for calls that are under way.
const PATIENCE_AT_END: Duration = Duration::from_secs(2);

thread_local! {
    /// Whether the calls of this thread are made by the main thread of Python.
    static IS_MAIN: Cell<bool> = const { Cell::new(false) };
}

/// The identifier of Python's main thread, and the number of forks after which it was found.
static MAIN_THREAD: Mutex<Option<(u64, u64)>> = Mutex::new(None);

/// Whether this thread is Python's main thread, to which signals are delivered.
///
/// # Errors
/// The errors of Python's module `threading`.
pub fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let main = main_thread(py)?;
    let is_main = main == py.import("_thread")?.call_method0("get_ident")?.extract::<u64>()?;
    IS_MAIN.set(is_main);
    Ok(is_main)
}

/// The identifier of Python's main thread, asked for once a process: `threading` is written in Python, and runs like any
/// other call.
fn main_thread(py: Python<'_>) -> PyResult<u64> {
    let forks = forks();
    let known = |found: &Option<(u64, u64)>| found.filter(|(at, _)| *at == forks).map(|(_, thread)| thread);
    if let Some(thread) = known(&lock(&MAIN_THREAD)) {
        return Ok(thread);
    }
    let thread = py.import("threading")?.call_method0("main_thread")?.getattr("ident")?.extract()?;
    *lock(&MAIN_THREAD) = Some((forks, thread));
    Ok(thread)
}

/// Runs `f`, which calls Python code by [`call`], attached to the interpreter.
///
/// # Errors
/// The errors of `f`; `RuntimeError` where the interpreter ends.
pub fn attach<T>(f: impl FnOnce(Python) -> PyResult<T>) -> PyResult<T> {
    if IS_MAIN.get() {
        return Python::attach(f);
    }
    let Some(_call) = call_gate().enter() else {
        return Err(PyRuntimeError::new_err("a callback was not called: the interpreter is shutting down"));
    };
    Python::attach(|py| {
        close_gate_at_end(py)?;
        f(py)
    })
}

/// Calls a callable; a thread that the end of the interpreter kills meanwhile is parked for ever instead.
pub fn call<'py>(callable: &Bound<'py, PyAny>, arguments: Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
    /// Parks the thread where it is unwound without a panic.
    struct ParkIfKilled;

    impl Drop for ParkIfKilled {
        fn drop(&mut self) {
            while !std::thread::panicking() {
                std::thread::park();
            }
        }
    }

    // A killed thread has no right to the objects of Python any more: it drops none of them.
    let arguments = ManuallyDrop::new(arguments);
    let guard = ParkIfKilled;
    let result = callable.call1(&*arguments);
    std::mem::forget(guard);
    drop(ManuallyDrop::into_inner(arguments));
    result
}

/// Registers, once, that the end of the interpreter closes the gate of calls and waits for those under way.
fn close_gate_at_end(py: Python) -> PyResult<()> {
    static REGISTERED: PyOnceLock<()> = PyOnceLock::new();
    let register = || {
        let close = PyCFunction::new_closure(py, None, None, |arguments, _| {
            arguments.py().detach(|| call_gate().close(PATIENCE_AT_END));
        })?;
        py.import("atexit")?.call_method1("register", (close,)).map(drop)
    };
    REGISTERED.get_or_try_init(py, register).map(drop)
}
