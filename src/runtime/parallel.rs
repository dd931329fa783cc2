//! The one place that owns threads: the pool, BLAS's own threads, interrupts, and what a fork leaves behind.
//!
//! A computation is a [`Job`]. It runs on a thread of its own while the calling thread waits for it and asks now and
//! then whether to stop. Within a job either rayon uses the threads, with BLAS at one thread, or one LAPACK call
//! uses them, never both. The number of OpenBLAS's threads is one number for the whole process, so a job that wants
//! another waits until those at work have left (see `Gate`), and it is put back as it was found.
//!
//! Nothing here depends on which thread finishes first: the same input and the same number of threads give the same
//! bits.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::runtime::tuning::Tuning;

/// How often a waiting thread looks for an interrupt.
const POLL: Duration = Duration::from_millis(20);

/// More threads than this, and than there are cores, are not started: they gain nothing and cost their stacks.
const MOST_THREADS: usize = 256;

/// The number of threads to use where the caller names none: `RAYON_NUM_THREADS`, else `OPENBLAS_NUM_THREADS`, else
/// `OMP_NUM_THREADS` (the first of a list), else the cores that this process may use (affinity and cgroup).
pub fn default_threads() -> usize {
    ["RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find_map(|value| value.split(',').next()?.trim().parse().ok().filter(|&n: &usize| n > 0))
        .unwrap_or_else(available_cores)
}

/// The cores that this process may use.
fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Runs `work` on `threads` threads (on 256, or as many as there are cores, where more are asked for), and asks
/// `interrupted` on the calling thread every few milliseconds whether to stop.
///
/// # Errors
/// What `work` returns; [`Error::Interrupted`]; [`Error::Threads`] where the threads cannot be had;
/// [`Error::Internal`] where `work` panics.
pub fn run<T: Send>(
    threads: usize,
    interrupted: impl FnMut() -> bool,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> Result<T> {
    run_with(&Tuning::MEASURED, threads, interrupted, work)
}

/// Runs `work` as [`run`] does, with other numbers than those that were measured.
///
/// # Errors
/// Those of [`run`].
pub fn run_with<T: Send>(
    tuning: &Tuning,
    threads: usize,
    mut interrupted: impl FnMut() -> bool,
    work: impl FnOnce(&Job) -> Result<T> + Send,
) -> Result<T> {
    let threads = threads.min(available_cores().max(MOST_THREADS));
    let shared = Shared::of_this_process();
    let pool = shared.pool(threads)?;
    let cancelled = AtomicBool::new(false);
    let job = Job { threads, tuning, pool: &pool, gate: &shared.gate, cancelled: &cancelled, one_of_many: false };
    let (send, receive) = mpsc::sync_channel(1);
    std::thread::scope(|scope| {
        let root = move || {
            let result = caught(|| work(&job));
            let _ = send.send(result); // the receiver outlives this thread
        };
        std::thread::Builder::new()
            .name("dsentropy".into())
            .spawn_scoped(scope, root)
            .map_err(|error| Error::Threads { threads: 1, reason: error.to_string() })?;
        loop {
            let received = receive.recv_timeout(POLL);
            while shared.gate.ending.load(Ordering::Relaxed) {
                std::thread::park(); // whoever called may be gone, as Python's interpreter is by then
            }
            match received {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Error::Internal("the worker thread died".into()));
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if interrupted() {
                        cancelled.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    })
}

/// What `work` returns, or an error where it panics.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Internal(text.unwrap_or_else(|| "a panic".into())))
    })
}

/// One computation: how many threads it has, and whether it should stop.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    threads: usize,
    tuning: &'a Tuning,
    pool: &'a rayon::ThreadPool,
    gate: &'a Gate,
    cancelled: &'a AtomicBool,
    /// Inside [`Job::many`]: this job runs on the pool, beside others, and BLAS is at one thread already.
    one_of_many: bool,
}

impl Job<'_> {
    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The sizes at which one way becomes faster than another.
    pub fn tuning(&self) -> &Tuning {
        self.tuning
    }

    /// The same computation on at most so many threads, and at least one.
    pub(crate) fn with_threads(&self, most: usize) -> Self {
        Self { threads: self.threads.min(most).max(1), ..*self }
    }

    /// Fails with [`Error::Interrupted`] once the caller has asked to stop. Loops call it.
    ///
    /// # Errors
    /// See above.
    pub fn check(&self) -> Result<()> {
        let stop = self.cancelled.load(Ordering::Relaxed) || self.gate.ending.load(Ordering::Relaxed);
        if stop { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Rayon's parallel iterators inside `work` use the job's threads; BLAS calls inside use one.
    pub(crate) fn parallel<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        if self.one_of_many {
            return work();
        }
        let _one_blas_thread = self.gate.enter(1, self)?;
        self.pool.install(work)
    }

    /// One large LAPACK call, which uses the job's threads itself, but no more than there are cores: BLAS's threads
    /// spin while they wait for each other.
    pub(crate) fn lapack<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.lapack_on(self.lapack_threads(), work)
    }

    /// The number of threads that [`Self::lapack`] gives to a call.
    pub(crate) fn lapack_threads(&self) -> usize {
        if self.one_of_many { 1 } else { self.threads.min(available_cores()) }
    }

    /// A LAPACK call on one thread, for routines whose result must not depend on the number of threads.
    pub(crate) fn serial_lapack<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.lapack_on(1, work)
    }

    fn lapack_on<T>(&self, blas_threads: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.one_of_many {
            return work();
        }
        let _blas_threads = self.gate.enter(blas_threads, self)?;
        let result = work()?;
        self.check()?; // LAPACK itself cannot be stopped
        Ok(result)
    }

    /// Many problems beside each other, as many at once as the job has threads, in the order of `problems`: the
    /// largest should come first. Each is to be computed with the job that `solve` is given. The results come in
    /// order.
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
        // These threads wait, for their turn at BLAS and for the pool, which works: a fork finds its moment between
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
                    break; // fewer will do
                }
            }
            work();
        });
        // What was never begun stands behind what failed.
        results.into_iter().map_while(OnceLock::into_inner).collect()
    }
}

/// Lets jobs into BLAS that agree on its number of threads, and keeps the others waiting.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
    /// The process is ending: all jobs are to stop.
    ending: AtomicBool,
}

#[derive(Default)]
struct GateState {
    /// While the process is being forked, perhaps by several threads, or ends, nobody may enter.
    closed: usize,
    inside: usize,
    threads: usize,
    /// What the number was before the first of those inside came.
    found: Option<usize>,
}

struct Inside<'a>(&'a Gate);

impl Gate {
    fn enter(&self, threads: usize, job: &Job) -> Result<Inside<'_>> {
        let mut state = lock(&self.state);
        while state.closed > 0 || (state.inside > 0 && state.threads != threads) {
            job.check()?;
            state = self.changed.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        job.check()?;
        if state.inside == 0 {
            state.found = lapack_provider::num_threads();
            state.threads = threads;
            lapack_provider::set_num_threads(threads);
        }
        state.inside += 1;
        Ok(Inside(self))
    }

    /// Keeps everybody out, and waits until those inside have left, or until the time is over.
    fn close(&self, patience: Duration) {
        let mut state = lock(&self.state);
        state.closed += 1;
        let _ = self.changed.wait_timeout_while(state, patience, |state| state.inside > 0);
    }

    fn open(&self) {
        lock(&self.state).closed -= 1;
        self.changed.notify_all();
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

/// What all jobs of a process share. A forked child has none of its parent's threads, and its copy of the parent's
/// locks may be held by nobody, so each process of a chain of forks has a link of its own. A fork waits until no job
/// is in BLAS, because OpenBLAS ends its threads before a fork, in the middle of whatever they do; and so does the
/// end of the process, where threads may still compute (Python's daemons) when OpenBLAS gives its memory back.
struct Shared {
    process: u32,
    gate: Gate,
    pool: Mutex<Option<Arc<rayon::ThreadPool>>>,
    child: OnceLock<Box<Shared>>,
}

impl Shared {
    fn new() -> Self {
        Self { process: std::process::id(), gate: Gate::default(), pool: Mutex::default(), child: OnceLock::new() }
    }

    fn of_this_process() -> &'static Self {
        extern "C" fn before_fork() {
            Shared::of_this_process().gate.close(Duration::MAX);
        }
        extern "C" fn after_fork() {
            Shared::of_this_process().gate.open();
        }
        extern "C" fn at_exit() {
            let gate = &Shared::of_this_process().gate;
            gate.ending.store(true, Ordering::Relaxed);
            // Who is inside may be who ends the process, as OpenBLAS does where it cannot have its memory.
            gate.close(Duration::from_secs(30));
        }
        static FIRST: OnceLock<Shared> = OnceLock::new();
        let process = std::process::id();
        let mut link = FIRST.get_or_init(|| {
            lapack_provider::at_fork(before_fork, after_fork);
            lapack_provider::at_exit(at_exit);
            Self::new()
        });
        while link.process != process {
            link = link.child.get_or_init(|| Box::new(Self::new()));
        }
        link
    }

    /// The pool of the last job if it has the right size, else a new one.
    fn pool(&self, threads: usize) -> Result<Arc<rayon::ThreadPool>> {
        let mut last = lock(&self.pool);
        // Of one thread, many jobs beside each other must not wait for it.
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

/// A lock whose holder panicked guards nothing here that could be half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(run(usize::MAX, || false, |job| Ok(job.threads())), Ok(available_cores().max(MOST_THREADS)));
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

    #[test]
    fn blas_threads_are_put_back_and_kept_apart() {
        // What BLAS has while nobody is inside; the other tests of this binary come and go.
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
                    let beside_rayon = job.parallel(|| Ok(lapack_provider::num_threads()))?;
                    Ok((inside, beside_rayon))
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
