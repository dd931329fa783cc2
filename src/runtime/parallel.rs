//! Jobs: computations on a pool of threads that the caller can interrupt.
//!
//! A computation is a [`Job`]. It runs on a thread of its own while the calling thread waits for it and asks now and
//! then whether to stop. Within a job rayon uses the threads, and BLAS has one thread: BLAS's own threads spin while they
//! wait for each other. BLAS's number of threads is one for the whole process (see `blas_gate.rs`).
//!
//! Results do not depend on which thread finishes first: the same input and the same number of threads give the same
//! bits.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::error::{Error, Result};
use crate::runtime::blas_gate::{BlasGate, Inside};
use crate::runtime::caller::{self, Ask};
use crate::runtime::lock;
use crate::runtime::process::Shared;
use crate::runtime::tuning::Tuning;

/// The number of threads that may be started on a machine with fewer cores. More gain nothing and cost their stacks.
const MAX_THREADS: usize = 256;

/// The number of threads to use where the caller names none: `RAYON_NUM_THREADS`, else `OPENBLAS_NUM_THREADS`, else
/// `OMP_NUM_THREADS` (the first of a list), else the cores that this process may use (affinity and cgroup).
pub fn default_threads() -> usize {
    ["RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find_map(|value| value.split(',').next()?.trim().parse().ok().filter(|&n: &usize| n > 0))
        .unwrap_or_else(available_cores)
}

/// The number of cores that this process may use.
pub(super) fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Runs `work` on `threads` threads, but at most on 256 or the number of cores, whichever is more. The calling thread
/// asks `interrupted` every few milliseconds whether to stop.
///
/// # Errors
/// The errors of `work`; [`Error::Interrupted`]; [`Error::Threads`] where the threads cannot be started;
/// [`Error::Internal`] where `work` panics.
pub fn run<T: Send>(
    threads: usize,
    interrupted: impl FnMut() -> bool,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> Result<T> {
    run_with(&Tuning::MEASURED, threads, interrupted, work)
}

/// Runs `work` as [`run`] does, with other numbers than [`Tuning::MEASURED`].
///
/// # Errors
/// See [`run`].
pub fn run_with<T: Send>(
    tuning: &Tuning,
    threads: usize,
    mut interrupted: impl FnMut() -> bool,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> Result<T> {
    let threads = threads.min(available_cores().max(MAX_THREADS));
    let shared = Shared::of_this_process();
    let pool = shared.pool(threads)?;
    let (cancelled, gate) = (AtomicBool::new(false), &shared.gate);
    let (worker, caller) = caller::sides();
    let root = || {
        let worker = worker; // its end is the end of the job
        let ask = |call| worker.ask(call);
        let job = Job { threads, tuning, pool: &pool, gate, cancelled: &cancelled, ask: &ask, one_of_many: false };
        worker.finish(caught(|| work(&job)));
    };
    let poll = || {
        while gate.is_ending() {
            std::thread::park(); // the caller may be gone, as Python's interpreter is by then
        }
        if interrupted() {
            cancelled.store(true, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("dsentropy".into())
            .spawn_scoped(scope, root)
            .map_err(|error| Error::Threads { threads: 1, reason: error.to_string() })?;
        caller.wait(poll)
    })
}

/// Runs `work`, and turns a panic into an error.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Internal(text.unwrap_or_else(|| "a panic".into())))
    })
}

/// One computation: its threads, its tuning, and whether it should stop.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    threads: usize,
    tuning: &'a Tuning,
    pool: &'a rayon::ThreadPool,
    gate: &'a BlasGate,
    cancelled: &'a AtomicBool,
    ask: Ask<'a>,
    /// The job is one of several inside [`Job::many`]: it is on the pool already, and BLAS is at one thread.
    one_of_many: bool,
}

impl Job<'_> {
    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The numbers chosen by measurement: sizes of blocks, and sizes from which another algorithm is faster.
    pub fn tuning(&self) -> &Tuning {
        self.tuning
    }

    /// This computation on at most `threads` threads, and at least one.
    pub(crate) fn with_threads(&self, threads: usize) -> Self {
        Self { threads: self.threads.min(threads).max(1), ..*self }
    }

    /// Fails with [`Error::Interrupted`] once the caller has asked to stop. Loops call it.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        let stop = self.cancelled.load(Ordering::Relaxed) || self.gate.is_ending();
        if stop { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Lets a fork go ahead that waits for this job, and fails with [`Error::Interrupted`] once the caller has asked to
    /// stop. Loops inside [`Self::parallel`] call it between two panels, where no thread of the job
    /// works.
    pub(crate) fn pause_point(&self) -> Result<()> {
        self.gate.pause(|| self.check())
    }

    /// Makes a call on the thread that called the job, and waits for its answer.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Internal`] where the call panics.
    pub fn on_caller<R: Send + 'static>(&self, call: impl FnOnce() -> R + Send + 'static) -> Result<R> {
        self.check()?;
        caller::call(self.ask, call)
    }

    /// Runs `work` on the job's pool: rayon's parallel iterators inside use the job's threads, BLAS calls one.
    pub(crate) fn parallel<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        if self.one_of_many {
            return work();
        }
        let _one_blas_thread = self.gate.enter(|| self.check())?;
        self.pool.install(work)
    }

    /// Runs `work` on the job's pool as [`Self::parallel`] does, for a loop whose tasks can each make way for a fork by
    /// themselves. What uses BLAS is inside a [`Self::task`].
    pub(crate) fn in_tasks<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        if self.one_of_many {
            return work();
        }
        self.check()?;
        self.pool.install(work)
    }

    /// Begins a task of [`Self::in_tasks`], on the thread that carries it out.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub(crate) fn task(&self) -> Result<Task<'_>> {
        if self.one_of_many {
            self.check()?;
            return Ok(Task { job: self, inside: None });
        }
        Ok(Task { job: self, inside: Some(self.gate.enter_task(|| self.check())?) })
    }

    /// Runs a LAPACK call on one thread. BLAS's own threads would spin while they wait for each other, and one that waits
    /// for a core that another process uses holds up the rest.
    pub(crate) fn serial_lapack<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.one_of_many {
            return work();
        }
        let _one_blas_thread = self.gate.enter(|| self.check())?;
        let result = work()?;
        self.check()?; // LAPACK itself cannot be stopped
        Ok(result)
    }

    /// Solves many problems in parallel, each on one thread, with the job that `solve` receives. They start in the order
    /// of `problems`, so the largest should come first. The results are in this order, too; the first failure ends them.
    pub(crate) fn many<P: Send, T: Send + Sync>(
        &self,
        problems: Vec<P>,
        solve: impl Fn(P, &Job) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        if self.one_of_many {
            return problems.into_iter().map(|problem| solve(problem, self)).collect();
        }
        let at_once = self.threads.min(problems.len());
        let results: Vec<OnceLock<Result<T>>> = problems.iter().map(|_| OnceLock::new()).collect();
        let queue = Mutex::new(problems.into_iter().zip(&results));
        // These threads only wait, for their turn at BLAS and for the pool, which works. So a fork can happen between
        // two problems.
        let work = || {
            while let Some((problem, result)) = { lock(&queue).next() } {
                let solve = || self.parallel(|| solve(problem, &Job { one_of_many: true, ..*self }));
                let solved = caught(solve);
                let failed = solved.is_err();
                let _ = result.set(solved); // each is taken from the queue once
                if failed {
                    lock(&queue).by_ref().for_each(drop);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..at_once {
                let spawned = std::thread::Builder::new().name("dsentropy".into()).spawn_scoped(scope, work);
                if spawned.is_err() {
                    break; // fewer threads are enough
                }
            }
            work();
        });
        // Problems that were never begun come after the one that failed.
        results.into_iter().map_while(OnceLock::into_inner).collect()
    }
}

/// A task of [`Job::in_tasks`]. BLAS has one thread until it is dropped.
pub(crate) struct Task<'a> {
    job: &'a Job<'a>,
    /// None within [`Job::many`], where the whole problem is inside.
    inside: Option<Inside<'a>>,
}

impl Task<'_> {
    /// Lets a fork go ahead that waits for this task, and fails with [`Error::Interrupted`] once the caller has asked to
    /// stop. Loops call it between two steps. The caller holds no lock.
    pub(crate) fn pause(&mut self) -> Result<()> {
        if self.inside.is_some() { self.job.pause_point() } else { self.job.check() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn result_comes_back() {
        assert_eq!(run(2, || false, |job| Ok(job.threads())), Ok(2));
    }

    #[test]
    fn no_more_threads_are_started_than_could_help() {
        assert_eq!(run(usize::MAX, || false, |job| Ok(job.threads())), Ok(available_cores().max(MAX_THREADS)));
    }

    #[test]
    fn there_is_a_thread_by_default() {
        assert!(default_threads() >= 1); // the environment's part is tested from Python, in processes of its own
    }

    #[test]
    fn interrupt_stops_a_loop() {
        let endless = |job: &Job| -> Result<()> {
            loop {
                job.check()?;
                std::thread::yield_now();
            }
        };
        assert_eq!(run(1, || true, endless), Err(Error::Interrupted));
    }

    #[test]
    fn panic_becomes_an_error() {
        let result: Result<()> = run(1, || false, |_| panic!("boom"));
        assert_eq!(result, Err(Error::Internal("boom".into())));
        let result: Result<()> = run(2, || false, |job| job.parallel(|| panic!("boom {}", 2)));
        assert_eq!(result, Err(Error::Internal("boom 2".into())));
        let result =
            run(2, || false, |job| job.many(vec![1, 2, 3], |i, _| if i == 2 { panic!("boom {i}") } else { Ok(i) }));
        assert_eq!(result, Err(Error::Internal("boom 2".into())));
    }

    #[test]
    fn calls_are_made_on_the_thread_that_called() {
        let here = std::thread::current().id();
        let calls = run(
            2,
            || false,
            |job| {
                let many = job
                    .many((0..20).collect(), |i: usize, job| job.on_caller(move || (i, std::thread::current().id())));
                assert_ne!(std::thread::current().id(), here);
                many
            },
        );
        assert_eq!(calls, Ok((0..20).map(|i| (i, here)).collect()));
        let panics = run(1, || false, |job| job.on_caller(|| -> usize { panic!("boom") }));
        assert!(matches!(panics, Err(Error::Internal(_))), "{panics:?}");
    }

    #[test]
    fn many_come_back_in_order_and_the_first_failure_ends_them() {
        for threads in [1, 2, 5] {
            let squares = run(threads, || false, |job| job.many((0..50).collect(), |i: usize, _| Ok(i * i)));
            assert_eq!(squares, Ok((0..50).map(|i| i * i).collect()));
            assert_eq!(run(threads, || false, |job| job.many(vec![], |i: usize, _| Ok(i))), Ok(vec![]));
            let begun = AtomicUsize::new(0);
            let fails = |i: usize, _: &Job| {
                begun.fetch_add(1, Ordering::Relaxed);
                if i == 7 { Err(Error::Lapack("7".into())) } else { Ok(i) }
            };
            let failed = run(threads, || false, |job| job.many((0..1000).collect(), fails));
            assert_eq!(failed, Err(Error::Lapack("7".into())));
            assert!(threads > 1 || begun.into_inner() == 8);
        }
    }
}
