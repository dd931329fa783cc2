//! The gate of calls into the interpreter that embeds the core: its end waits for the calls that are under way.
//!
//! A thread that runs Python code while the interpreter ends is killed by it, with the frames of the core on its stack.
//! So the end closes the gate first, and waits until all threads have left.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::runtime::lock;

/// A gate that is passed by calls, and closed once.
#[derive(Default)]
pub struct CallGate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of calls under way.
    inside: usize,
    closed: bool,
}

/// The stay of a call inside the gate, which ends when this is dropped.
pub struct Call<'a>(&'a CallGate);

impl CallGate {
    /// Enters; none once the gate is closed.
    pub fn enter(&self) -> Option<Call<'_>> {
        let mut state = lock(&self.state);
        (!state.closed).then(|| {
            state.inside += 1;
            Call(self)
        })
    }

    /// Closes the gate, and waits until all calls have left or `patience` is over.
    pub fn close(&self, patience: Duration) {
        let mut state = lock(&self.state);
        state.closed = true;
        let waited = self.changed.wait_timeout_while(state, patience, |state| state.inside > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).inside -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn the_end_waits_for_calls_and_lets_no_other_in() {
        let (gate, left) = (CallGate::default(), AtomicBool::new(false));
        let (inside, nested) = (gate.enter(), gate.enter());
        assert!(inside.is_some() && nested.is_some());
        std::thread::scope(|scope| {
            let end = scope.spawn(|| {
                gate.close(Duration::MAX);
                left.load(Ordering::Acquire)
            });
            while gate.enter().is_some() {
                std::thread::yield_now();
            }
            drop(nested);
            left.store(true, Ordering::Release);
            drop(inside);
            assert!(end.join().unwrap());
        });
        assert!(gate.enter().is_none());
    }

    #[test]
    fn the_end_gives_up_on_a_call_that_does_not_leave() {
        let gate = CallGate::default();
        let _inside = gate.enter();
        gate.close(Duration::ZERO);
        assert!(gate.enter().is_none());
    }
}
