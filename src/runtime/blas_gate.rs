//! The gate in front of BLAS: inside, BLAS has one thread, and a fork waits until all have left.
//!
//! BLAS's own threads spin while they wait for each other, so the cores are used by our threads alone. OpenBLAS has one
//! number of threads for the whole process: who comes first sets it to one, and who leaves last puts back the number that
//! was found.
//!
//! A fork, and the end of the process, close the gate. OpenBLAS ends its threads before a fork, in the middle of their
//! work, a call may hold a lock that the child would wait for, and memory is given back at the end of the process, where
//! threads may still compute (Python's daemons). So that a fork does not wait for the end of a long computation, jobs
//! leave the gate for it between two panels, and the tasks of a loop between two tiles.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::runtime::lock;

/// How long a job waits at the gate before it looks again whether to stop.
const POLL: Duration = Duration::from_millis(20);

/// How long a thread of rayon waits for a fork while other threads are inside, who may wait for it.
const PATIENCE: Duration = Duration::from_millis(100);

/// A gate that is passed by those who use BLAS: jobs, or single tasks of a job.
#[derive(Default)]
pub(super) struct BlasGate {
    state: Mutex<State>,
    changed: Condvar,
    /// The number of forks, and of ends of the process, that wait for those inside or keep the gate closed.
    closings: AtomicUsize,
    /// The process is ending: all jobs are to stop.
    ending: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The number of forks, and of ends of the process, that keep the gate closed at present.
    closed: usize,
    /// The number of jobs and tasks inside.
    inside: usize,
    /// The number of BLAS threads before the first of them entered.
    found: Option<usize>,
}

impl State {
    fn enter(&mut self) {
        if self.inside == 0 {
            self.found = lapack_provider::num_threads();
            lapack_provider::set_num_threads(1);
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

/// The stay of a job or a task inside the gate, which ends when this is dropped.
pub(super) struct Inside<'a>(&'a BlasGate);

impl BlasGate {
    /// Enters once the gate is open. Fails as soon as `check` does.
    pub(super) fn enter(&self, check: impl Fn() -> Result<()>) -> Result<Inside<'_>> {
        let (state, checked) = self.wait(lock(&self.state), Duration::MAX, check);
        self.enter_if(state, checked)
    }

    /// Enters from a thread of rayon, after a wait for a fork as in [`Self::pause`]. Fails as soon as `check` does.
    pub(super) fn enter_task(&self, check: impl Fn() -> Result<()>) -> Result<Inside<'_>> {
        let (state, checked) = self.wait(lock(&self.state), PATIENCE, check);
        self.enter_if(state, checked)
    }

    fn enter_if(&self, mut state: MutexGuard<'_, State>, checked: Result<()>) -> Result<Inside<'_>> {
        checked.map(|()| {
            state.enter();
            Inside(self)
        })
    }

    /// Leaves the gate and enters again where it is being closed. The caller is inside, and no thread of its job, or of
    /// its task, uses BLAS. Fails as soon as `check` does, and is inside then too.
    ///
    /// While others are inside, the wait is short. A thread of rayon that waits for a part of one job takes up another
    /// one, so the job that is inside may be one that this thread has to return to.
    pub(super) fn pause(&self, check: impl Fn() -> Result<()>) -> Result<()> {
        if self.closings.load(Ordering::Relaxed) == 0 {
            return check();
        }
        let mut state = lock(&self.state);
        state.leave();
        self.changed.notify_all();
        let (mut state, checked) = self.wait(state, PATIENCE, check);
        state.enter();
        checked
    }

    /// Waits while the gate is closed, until `check` fails, or until `patience` is over while others are inside.
    fn wait<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        patience: Duration,
        check: impl Fn() -> Result<()>,
    ) -> (MutexGuard<'a, State>, Result<()>) {
        let begin = Instant::now();
        let mut checked = check();
        while checked.is_ok() && state.closed > 0 && (state.inside == 0 || begin.elapsed() < patience) {
            state = self.changed.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner).0;
            checked = check();
        }
        (state, checked)
    }

    /// Closes the gate, and waits until those inside have left or `patience` is over.
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
    use crate::runtime::parallel::{Job, run};
    use crate::runtime::process::Shared;
    use rayon::prelude::*;

    #[test]
    fn blas_has_one_thread_inside_and_its_number_is_put_back() {
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
        let number = || Ok(lapack_provider::num_threads());
        let of_tasks = |job: &Job| -> Result<Vec<Option<usize>>> {
            job.in_tasks(|| {
                let tasks = (0..8).into_par_iter().with_max_len(1);
                tasks.map(|_| job.task().and_then(|mut task| task.pause().and_then(|()| number()))).collect()
            })
        };
        let seen = |threads| {
            let work = |job: &Job| Ok((of_tasks(job)?, [job.parallel(number)?, job.serial_lapack(number)?]));
            run(threads, || false, work)
        };
        std::thread::scope(|scope| {
            for threads in [1, 2, 1, 2, 2, 1] {
                scope.spawn(move || {
                    for _ in 0..50 {
                        assert_eq!(seen(threads), Ok((vec![Some(1); 8], [Some(1); 2])));
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
        let work = |job: &Job| {
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

    /// The tasks have no end of their own. A task that does not leave the gate for the fork would hold it up for ever.
    #[test]
    fn a_fork_goes_ahead_between_two_steps_of_the_tasks() {
        let gate = &Shared::of_this_process().gate;
        let closed = AtomicBool::new(false);
        let work = |job: &Job| {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    gate.close(Duration::MAX);
                    closed.store(true, Ordering::Release);
                    gate.open();
                });
                job.in_tasks(|| {
                    (0..3).into_par_iter().with_max_len(1).try_for_each(|_| {
                        let mut task = job.task()?;
                        while !closed.load(Ordering::Acquire) {
                            task.pause()?;
                        }
                        Ok(())
                    })
                })
            })
        };
        assert_eq!(run(2, || false, work), Ok(()));
    }

    #[test]
    fn a_pause_ends_while_another_job_stays_inside() {
        let gate = &Shared::of_this_process().gate; // of which there is one, as there is one number of BLAS threads
        let this = gate.enter(|| Ok(())).unwrap();
        lock(&gate.state).enter(); // also where another test closes the gate meanwhile
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
        // The fork of this test: another test's must neither end this job before it begins nor be opened by this one.
        let began = AtomicBool::new(false);
        let interrupted = || began.load(Ordering::Acquire) && lock(&gate.state).closed > 0;
        // The fork is joined after the job has left: an interrupted job is inside again, and the fork may not have seen
        // it outside.
        let result: Result<()> = std::thread::scope(|scope| {
            let work = |job: &Job| {
                job.parallel(|| {
                    scope.spawn(|| {
                        began.store(true, Ordering::Release);
                        gate.close(Duration::MAX);
                    });
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
