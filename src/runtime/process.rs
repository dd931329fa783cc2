//! The gates and the thread pool that all jobs of a process share, also in the children of a fork.
//!
//! A forked child has none of its parent's threads, and its copies of the parent's locks may be held by threads that it
//! does not have. So each process of a chain of forks has gates and a pool of its own, in a linked list. Processes
//! differ by the number of forks that led to them, which a child counts as it begins: numbers of the system repeat
//! in other namespaces.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::runtime::blas_gate::BlasGate;
use crate::runtime::call_gate::CallGate;
use crate::runtime::lock;

/// How long the end of the process waits for BLAS. The thread inside may be the one that ends the process, as OpenBLAS
/// does where it cannot have its memory.
const PATIENCE_AT_EXIT: Duration = Duration::from_secs(30);

/// The number of forks that led to this process, of those since the first job.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// The number of forks that led to this process, of those since the first job of the first of them.
pub fn forks() -> u64 {
    FORKS.load(Ordering::Relaxed)
}

/// The gate of this process for calls into the interpreter.
pub fn call_gate() -> &'static CallGate {
    &Shared::of_this_process().calls
}

/// The gates and the pool of one process.
pub(super) struct Shared {
    forks: u64,
    pub(super) gate: BlasGate,
    calls: CallGate,
    /// The pool of the last job.
    pool: Mutex<Option<Arc<rayon::ThreadPool>>>,
    child: OnceLock<Box<Shared>>,
}

impl Shared {
    fn new() -> Self {
        Self {
            forks: forks(),
            gate: BlasGate::default(),
            calls: CallGate::default(),
            pool: Mutex::default(),
            child: OnceLock::new(),
        }
    }

    /// The gates and the pool of the process that calls. The first call registers what is done at forks and at the end.
    pub(super) fn of_this_process() -> &'static Self {
        extern "C" fn before_fork() {
            Shared::of_this_process().gate.close(Duration::MAX);
        }
        extern "C" fn after_fork() {
            Shared::of_this_process().gate.open();
        }
        extern "C" fn in_child() {
            FORKS.fetch_add(1, Ordering::Relaxed);
        }
        extern "C" fn at_exit() {
            Shared::of_this_process().gate.end(PATIENCE_AT_EXIT);
        }
        static FIRST: OnceLock<Shared> = OnceLock::new();
        let mut link = FIRST.get_or_init(|| {
            lapack_provider::at_fork(before_fork, after_fork, in_child);
            lapack_provider::at_exit(at_exit);
            Self::new()
        });
        while link.forks != forks() {
            link = link.child.get_or_init(|| Box::new(Self::new()));
        }
        link
    }

    /// A pool of `threads` threads: the one of the last job if it has this size, else a new one.
    pub(super) fn pool(&self, threads: usize) -> Result<Arc<rayon::ThreadPool>> {
        let mut last = lock(&self.pool);
        // Jobs on one thread run in parallel, so they must not wait for each other's pool.
        let is_free = |pool: &Arc<rayon::ThreadPool>| threads > 1 || Arc::strong_count(pool) == 1;
        if let Some(pool) = last.as_ref().filter(|pool| pool.current_num_threads() == threads && is_free(pool)) {
            return Ok(Arc::clone(pool));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("dsentropy-{i}"))
            .build()
            .map_err(|error| Error::Threads { threads, reason: error.to_string() })?;
        Ok(Arc::clone(last.insert(Arc::new(pool))))
    }
}
