//! The thread that called a job: it waits for the result, passes interrupts on, and makes calls that the job asks for.
//!
//! Calls into Python are made there. So they see the thread-local state of the caller (NumPy's errors, torch's modes, the
//! context of Dask), and no thread of the core ever runs Python code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use crate::error::{Error, Result};

/// How often the calling thread looks for an interrupt.
const POLL: Duration = Duration::from_millis(20);

/// A call that a job asks for.
type Call = Box<dyn FnOnce() + Send>;

/// A message to the thread that called.
enum Message<T> {
    Call(Call),
    Done(Result<T>),
}

/// The threads of a job ask for calls by this function.
pub(super) type Ask<'a> = &'a (dyn Fn(Call) + Sync);

/// The side of the thread that called.
pub(super) struct Caller<T>(mpsc::Receiver<Message<T>>);

/// The side of the job.
pub(super) struct Worker<T>(mpsc::Sender<Message<T>>);

/// The two sides of a job.
pub(super) fn sides<T>() -> (Worker<T>, Caller<T>) {
    let (send, receive) = mpsc::channel();
    (Worker(send), Caller(receive))
}

impl<T> Worker<T> {
    /// Asks for a call.
    pub(super) fn ask(&self, call: Call) {
        let _ = self.0.send(Message::Call(call)); // dropped, as is its answer, where the caller has gone
    }

    /// Returns the result of the job.
    pub(super) fn finish(&self, result: Result<T>) {
        let _ = self.0.send(Message::Done(result)); // the receiver outlives the job
    }
}

impl<T> Caller<T> {
    /// Waits for the result, makes the calls that the job asks for, and calls `poll` at least every few milliseconds.
    pub(super) fn wait(&self, mut poll: impl FnMut()) -> Result<T> {
        loop {
            let received = self.0.recv_timeout(POLL);
            poll();
            match received {
                Ok(Message::Done(result)) => return result,
                // A panic drops the sender of its answer, which ends the job.
                Ok(Message::Call(call)) => drop(catch_unwind(AssertUnwindSafe(call))),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Error::Internal("the worker thread died".into()));
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Makes a call on the thread that called, and waits for its answer.
pub(super) fn call<R: Send + 'static>(ask: Ask, call: impl FnOnce() -> R + Send + 'static) -> Result<R> {
    let (send, answer) = mpsc::sync_channel(1);
    ask(Box::new(move || {
        let _ = send.send(call()); // the receiver waits
    }));
    answer.recv().map_err(|_| Error::Internal("a call panicked".into()))
}
