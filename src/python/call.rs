//! The call itself: without the interpreter, looking for signals, telling what is done.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use pyo3::prelude::*;

use crate::error::Result;
use crate::runtime::parallel::{self, Job};

/// Runs `work` without the interpreter, and looks for signals (Ctrl-C) while it runs.
pub fn compute<T: Send>(
    py: Python<'_>,
    num_threads: Option<usize>,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> PyResult<T> {
    compute_and_tell(py, num_threads, None, |job, _| work(job))
}

/// What a computation has told of its progress.
pub struct Told {
    done: AtomicUsize,
    /// The bits of a number of bits of entropy; NaN where nothing is estimated.
    doubt: AtomicU64,
}

impl Told {
    /// One more is done.
    pub fn one(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// So many products were made, and so much is in doubt.
    pub fn estimate(&self, products: usize, doubt: f64) {
        self.done.store(products, Ordering::Relaxed);
        self.doubt.store(doubt.to_bits(), Ordering::Relaxed);
    }
}

/// The same, where `work` tells what it has done, and `progress` is called with how much that is and, of an estimate,
/// what is in doubt.
pub fn compute_and_tell<T: Send>(
    py: Python<'_>,
    num_threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Job, &Told) -> Result<T> + Send,
) -> PyResult<T> {
    let threads = num_threads.unwrap_or_else(parallel::default_threads);
    // Signals are the main thread's; another one that attached to ask could meet the interpreter's end.
    let threading = py.import("threading")?;
    let main_thread = threading.call_method0("main_thread")?.getattr("ident")?;
    let on_main_thread = main_thread.eq(threading.call_method0("get_ident")?)?;
    let told = Told { done: AtomicUsize::new(0), doubt: AtomicU64::new(f64::NAN.to_bits()) };
    let mut passed_on = 0;
    let mut tell = |py: Python| -> PyResult<()> {
        let done = told.done.load(Ordering::Relaxed);
        if let Some(progress) = progress.as_ref().filter(|_| done > passed_on) {
            passed_on = done;
            let doubt = f64::from_bits(told.doubt.load(Ordering::Relaxed));
            progress.call1(py, (done, doubt))?;
        }
        Ok(())
    };
    let mut raised: Option<PyErr> = None;
    let result = py.detach(|| {
        let interrupted = || {
            if on_main_thread && raised.is_none() {
                raised = Python::attach(|py| py.check_signals().and_then(|()| tell(py))).err();
            }
            raised.is_some()
        };
        parallel::run(threads, interrupted, |job| work(job, &told))
    });
    match (result, raised) {
        // A signal's exception wins, even where the result was ready at the same moment.
        (_, Some(raised)) => Err(raised),
        (result, None) => {
            let value = result?;
            tell(py)?;
            Ok(value)
        }
    }
}
