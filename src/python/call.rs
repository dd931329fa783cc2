//! Calls into the core: the interpreter lock released, signals and progress passed on while it runs.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use pyo3::prelude::*;

use crate::error::Result;
use crate::python::interpreter;
use crate::runtime::memory;
use crate::runtime::parallel::{self, Job};

/// Runs `work` without the interpreter lock, and checks for signals (Ctrl-C) while it runs.
pub fn compute<T: Send>(
    py: Python<'_>,
    num_threads: Option<usize>,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> PyResult<T> {
    compute_with_progress(py, num_threads, None, |job, _| work(job))
}

/// How far a computation has come; written by its threads, read by the thread that calls Python.
pub struct ProgressCounter {
    done: AtomicUsize,
    /// The bits of an f64: an uncertainty in bits of entropy, NaN where nothing is estimated.
    uncertainty: AtomicU64,
}

impl ProgressCounter {
    fn new() -> Self {
        Self { done: AtomicUsize::new(0), uncertainty: AtomicU64::new(f64::NAN.to_bits()) }
    }

    /// Counts one more finished problem.
    pub fn advance(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Records the number of matrix-vector products of an estimate, and its uncertainty in bits.
    pub fn record_estimate(&self, products: usize, uncertainty: f64) {
        self.uncertainty.store(uncertainty.to_bits(), Ordering::Relaxed);
        self.done.store(products, Ordering::Release); // whoever reads it reads no earlier uncertainty
    }

    fn read(&self) -> (usize, f64) {
        let done = self.done.load(Ordering::Acquire);
        (done, f64::from_bits(self.uncertainty.load(Ordering::Relaxed)))
    }
}

/// Runs `work` as [`compute`] does, and calls `progress(done, uncertainty)` whenever its counter has advanced.
pub fn compute_with_progress<T: Send>(
    py: Python<'_>,
    num_threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    work: impl FnOnce(&Job, &ProgressCounter) -> Result<T> + Send,
) -> PyResult<T> {
    let threads = num_threads.unwrap_or_else(parallel::default_threads);
    // Signals are delivered to the main thread. Another one that attached to check for them could do so while the
    // interpreter ends.
    let on_main_thread = interpreter::is_main_thread(py)?;
    let counter = ProgressCounter::new();
    let mut reported = 0;
    let mut report = |py: Python| -> PyResult<()> {
        let (done, uncertainty) = counter.read();
        if let Some(progress) = progress.as_ref().filter(|_| done > reported) {
            reported = done;
            interpreter::call(progress.bind(py), (done, uncertainty).into_pyobject(py)?)?;
        }
        Ok(())
    };
    let mut raised: Option<PyErr> = None;
    let result = py.detach(|| {
        let interrupted = || {
            if on_main_thread && raised.is_none() {
                raised = interpreter::attach(|py| py.check_signals().and_then(|()| report(py))).err();
            }
            raised.is_some()
        };
        parallel::run(threads, interrupted, |job| work(job, &counter))
    });
    match (result, raised) {
        // A signal's exception wins, even where the result was ready at the same moment.
        (_, Some(raised)) => Err(raised),
        (result, None) => {
            let value = result?;
            interpreter::attach(&mut report)?;
            Ok(value)
        }
    }
}

/// The number of threads of a call that names none.
#[pyfunction]
pub fn default_threads() -> usize {
    parallel::default_threads()
}

/// Fails unless an array of `rows` rows that takes `needed` bytes fits into the memory that the process can have.
#[pyfunction]
pub fn require_memory(py: Python<'_>, rows: usize, needed: u64) -> PyResult<()> {
    compute(py, Some(1), |job| memory::require(rows, needed, job))
}

/// The linked OpenBLAS: its build configuration and the kind of core that it dispatches to.
#[pyclass(name = "BlasConfig", module = "dsentropy._core", frozen, get_all)]
pub struct PyBlasConfig {
    /// The version and the options of the build.
    build: &'static str,
    /// The kind of core that is dispatched to.
    core: &'static str,
}

/// The configuration of the linked OpenBLAS; None with another LAPACK.
#[pyfunction]
pub fn blas_config() -> Option<PyBlasConfig> {
    lapack_provider::config().map(|(build, core)| PyBlasConfig { build, core })
}
