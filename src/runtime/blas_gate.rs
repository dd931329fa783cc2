//! The gate in front of BLAS: jobs that need different numbers of BLAS threads take turns.
//!
//! OpenBLAS has one number of threads for the whole process. Jobs that agree on it are inside together; a job that needs
//! another number waits until they have left. The last one to leave puts back the number that the first one found.
//!
//! A fork, and the end of the process, close the gate. OpenBLAS ends its threads before a fork, in the middle of their
//! work, and gives its memory back at the end of the process, where threads may still compute (Python's daemons).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::runtime::lock;

/// How long a job waits at the gate before it looks again whether to stop.
const POLL: Duration = Duration::from_millis(20);

/// A gate that is passed by jobs which agree on the number of BLAS threads.
#[derive(Default)]
pub(super) struct BlasGate {
    state: Mutex<State>,
    changed: Condvar,
    /// The process is ending: all jobs are to stop.
    ending: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The number of forks, and of ends of the process, that keep the gate closed at present.
    closed: usize,
    /// The number of jobs inside.
    inside: usize,
    /// The number of BLAS threads of the jobs inside.
    threads: usize,
    /// The number of BLAS threads before the first of them entered.
    found: Option<usize>,
}

/// The stay of a job inside the gate, which ends when this is dropped.
pub(super) struct Inside<'a>(&'a BlasGate);

impl BlasGate {
    /// Enters with a number of BLAS threads, after a wait for jobs that use another. Fails as soon as `check` does.
    pub(super) fn enter(&self, threads: usize, check: impl Fn() -> Result<()>) -> Result<Inside<'_>> {
        let mut state = lock(&self.state);
        while state.closed > 0 || (state.inside > 0 && state.threads != threads) {
            check()?;
            state = self.changed.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        check()?;
        if state.inside == 0 {
            state.found = lapack_provider::num_threads();
            state.threads = threads;
            lapack_provider::set_num_threads(threads);
        }
        state.inside += 1;
        Ok(Inside(self))
    }

    /// Closes the gate, and waits until the jobs inside have left or `patience` is over.
    pub(super) fn close(&self, patience: Duration) {
        let mut state = lock(&self.state);
        state.closed += 1;
        let _ = self.changed.wait_timeout_while(state, patience, |state| state.inside > 0);
    }

    /// Opens the gate after one call of [`Self::close`].
    pub(super) fn open(&self) {
        lock(&self.state).closed -= 1;
        self.changed.notify_all();
    }

    /// Closes the gate for good, and asks all jobs to stop.
    pub(super) fn end(&self, patience: Duration) {
        self.ending.store(true, Ordering::Relaxed);
        self.close(patience);
    }

    /// Whether the process is ending.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.inside -= 1;
        if state.inside == 0 {
            if let Some(found) = state.found {
                lapack_provider::set_num_threads(found);
            }
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel::{available_cores, run};
    use crate::runtime::process::Shared;

    #[test]
    fn blas_threads_are_put_back_and_kept_apart() {
        // The number of BLAS threads while no job is inside; other tests of this binary enter and leave meanwhile.
        let at_rest = || loop {
            let state = lock(&Shared::of_this_process().gate.state);
            if state.inside == 0 {
                break lapack_provider::num_threads();
            }
            drop(state);
            std::thread::yield_now();
        };
        let Some(found) = at_rest() else { return };
        let seen = |threads| {
            run(
                threads,
                || false,
                |job| {
                    let inside = job.lapack(|| Ok(lapack_provider::num_threads()))?;
                    let with_rayon = job.parallel(|| Ok(lapack_provider::num_threads()))?;
                    Ok((inside, with_rayon))
                },
            )
        };
        std::thread::scope(|scope| {
            for threads in [1, 2, 1, 2, 2, 1] {
                scope.spawn(move || {
                    for _ in 0..50 {
                        let inside = threads.min(available_cores());
                        assert_eq!(seen(threads), Ok((Some(inside), Some(1))));
                    }
                });
            }
        });
        assert_eq!(at_rest(), Some(found));
    }
}
