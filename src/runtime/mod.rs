//! The machine: threads, memory, vector instructions, and numbers that were measured on one.
//!
//! Threads belong to [`parallel`]. No other module starts one or sets the number of BLAS's.

mod blas_gate;
pub(crate) mod call_gate;
mod caller;
pub(crate) mod memory;
pub mod parallel;
pub(crate) mod process;
pub(crate) mod simd;
#[cfg(test)]
pub(crate) mod test_size;
pub mod tuning;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, also after a panic of its holder: no data behind a mutex of this crate can be left half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
