//! What the machine gives: threads, memory, vector instructions.

pub(crate) mod memory;
pub mod parallel;
pub(crate) mod simd;
pub mod tuning;
