//! The gate in front of BLAS: jobs that need different numbers of BLAS threads take turns.
//!
//! OpenBLAS has one number of threads for the whole process. Jobs that agree on it are inside together; a job that needs
//! another number waits until they have left. The last one to leave puts back the number that the first one found.
//!
//! A fork, and the end of the process, close the gate. OpenBLAS ends its threads before a fork, in the middle of their
//! work, and gives its memory back at the end of the process, where threads may still compute (Python's daemons). So that
//! a fork does not wait for the end of a long stage, jobs inside leave the gate for it between two panels.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::runtime::lock;

/// How long a job waits at the gate before it looks again whether to stop.
const POLL: Duration = Duration::from_millis(20);

/// A gate that is passed by jobs which agree on the number of BLAS threads.
#[derive(Default)]
pub(super) struct BlasGate {
    state: Mutex<State>,
    changed: Condvar,
    /// The number of forks, and of ends of the process, that wait for the jobs inside or keep the gate closed.
    closings: AtomicUsize,
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

impl State {
    fn enter(&mut self, threads: usize) {
        if self.inside == 0 {
            self.found = lapack_provider::num_threads();
            self.threads = threads;
            lapack_provider::set_num_threads(threads);
        }
        self.inside += 1;
    }

    fn leave(&mut self) {
        self.inside -= 1;
        if let Some(found) = self.found.filter(|_| self.inside == 0) {
            lapack_provider::set_num_threads(found);
        }
    }
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
        state.enter(threads);
        Ok(Inside(self))
    }

    /// Leaves the gate and enters again where it is being closed. The caller is inside, and no thread of its job uses
    /// BLAS. Fails as soon as `check` does, and is inside then too.
    ///
    /// While other jobs are inside, the wait is short. A worker of rayon that waits for a part of one job takes up
    /// another one, so the job that is inside may be one that this thread has to return to.
    pub(super) fn pause(&self, check: impl Fn() -> Result<()>) -> Result<()> {
        if self.closings.load(Ordering::Relaxed) == 0 {
            return check();
        }
        let begin = Instant::now();
        let mut state = lock(&self.state);
        let threads = state.threads;
        state.leave();
        self.changed.notify_all();
        let mut checked = check();
        while checked.is_ok() && (state.closed > 0 || (state.inside > 0 && state.threads != threads)) {
            if state.inside > 0 && state.threads == threads && begin.elapsed() >= POLL {
                break;
            }
            state = self.changed.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner).0;
            checked = check();
        }
        state.enter(threads);
        checked
    }

    /// Closes the gate, and waits until the jobs inside have left or `patience` is over.
    pub(super) fn close(&self, patience: Duration) {
        self.closings.fetch_add(1, Ordering::Relaxed);
        let mut state = lock(&self.state);
        state.closed += 1;
        let _ = self.changed.wait_timeout_while(state, patience, |state| state.inside > 0);
    }

    /// Opens the gate after one call of [`Self::close`].
    pub(super) fn open(&self) {
        lock(&self.state).closed -= 1;
        self.closings.fetch_sub(1, Ordering::Relaxed);
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
        lock(&self.0.state).leave();
        self.0.changed.notify_all();
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
            let shared = Shared::of_this_process();
            let inside = shared.gate.enter(threads, || Ok(()))?;
            let with_blas = lapack_provider::num_threads();
            drop(inside);
            let number = || Ok(lapack_provider::num_threads());
            let with_rayon = run(threads, || false, |job| Ok([job.parallel(number)?, job.serial_lapack(number)?]))?;
            Ok::<_, crate::error::Error>((with_blas, with_rayon))
        };
        std::thread::scope(|scope| {
            for threads in [1, 2, 1, 2, 2, 1] {
                scope.spawn(move || {
                    for _ in 0..50 {
                        let inside = threads.min(available_cores());
                        assert_eq!(seen(threads), Ok((Some(inside), [Some(1); 2])));
                    }
                });
            }
        });
        assert_eq!(at_rest(), Some(found));
    }

    #[test]
    fn a_fork_goes_ahead_between_two_panels() {
        let gate = &Shared::of_this_process().gate;
        let (closed, panels) = (AtomicBool::new(false), AtomicUsize::new(0));
        let work = |job: &crate::runtime::parallel::Job| {
            job.parallel(|| {
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        gate.close(Duration::MAX);
                        closed.store(true, Ordering::Release);
                        gate.open();
                    });
                    while !closed.load(Ordering::Acquire) {
                        panels.fetch_add(1, Ordering::Relaxed);
                        job.pause_point()?;
                    }
                    Ok(lapack_provider::num_threads())
                })
            })
        };
        // The job is inside again, with its number of threads. It has a pool of its own: on a shared one a worker might
        // begin it in the middle of another test's job, which could not end then.
        let threads = run(1, || false, work).unwrap();
        assert!(threads.is_none_or(|threads| threads == 1));
        assert!(panels.into_inner() > 0);
    }

    #[test]
    fn a_pause_ends_while_another_job_stays_inside() {
        let gate = &Shared::of_this_process().gate; // of which there is one, as there is one number of BLAS threads
        let this = gate.enter(1, || Ok(())).unwrap();
        lock(&gate.state).enter(1); // also where another test closes the gate meanwhile
        let other = Inside(gate);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                gate.close(Duration::MAX); // until both have left
                gate.open();
            });
            while lock(&gate.state).closed == 0 {
                std::thread::yield_now();
            }
            let looks = AtomicUsize::new(0);
            let ten_times = || match looks.fetch_add(1, Ordering::Relaxed) {
                0..10 => Ok(()),
                _ => Err(crate::Error::Interrupted),
            };
            let paused = gate.pause(ten_times);
            drop(other);
            drop(this);
            assert_eq!(paused, Ok(()));
        });
    }

    #[test]
    fn an_interrupt_ends_the_wait_for_a_fork() {
        let gate = &Shared::of_this_process().gate;
        let interrupted = || lock(&gate.state).closed > 0;
        // The fork is joined after the job has left: an interrupted job is inside again, and the fork may not have seen
        // it outside.
        let result: Result<()> = std::thread::scope(|scope| {
            let work = |job: &crate::runtime::parallel::Job| {
                job.parallel(|| {
                    scope.spawn(|| gate.close(Duration::MAX));
                    loop {
                        job.pause_point()?;
                    }
                })
            };
            run(1, interrupted, work)
        });
        gate.open();
        assert_eq!(result, Err(crate::Error::Interrupted));
    }
}
