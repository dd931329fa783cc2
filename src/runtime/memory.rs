//! The memory that this process can still have, and the bytes that a dense problem needs.
//!
//! Both are compared before anything large is allocated, so that a problem that is too large is an error and not the end
//! of the process.

use bytemuck::Zeroable;
use ndarray::Array2;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::error::{Error, Result};
use crate::runtime::parallel::Job;

/// Requests below this many bytes are granted at once, where the address space is not limited.
const SMALL: u64 = 64 << 20;

/// Address space of a thread: OpenBLAS's buffer (128 MiB) and a stack. OpenBLAS ends the process where it cannot have
/// them.
const THREAD_ADDRESS_SPACE: u64 = 140 << 20;

/// Fails unless a problem of `rows` rows that holds `needed` bytes at once fits into the available memory.
pub fn require(rows: usize, needed: u64, job: &Job) -> Result<()> {
    if needed < SMALL && address_space_limit().is_none() {
        return Ok(());
    }
    let available = available(job.threads());
    if needed > available { Err(Error::OutOfMemory { rows, needed, available }) } else { Ok(()) }
}

/// The bytes that this process can still take: the least of the machine's available memory, the rest of its cgroup's
/// limit (caches that can be dropped are not counted against it), and the rest of its address space limit without
/// `threads` threads. u64::MAX where the system gives none of them.
pub(crate) fn available(threads: usize) -> u64 {
    let Ok(mut system) = System::new() else { return u64::MAX };
    system.refresh_memory();
    // Some systems give 0 for unknown.
    let machine = Some(system.available_memory()).filter(|&bytes| bytes > 0);
    let pid = Pid::from_u32(std::process::id());
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        false,
        ProcessRefreshKind::nothing().with_memory(),
    );
    let process = system.process(pid);
    let cgroup = process
        .and_then(sysinfo::Process::cgroup_limits)
        .map(|limits| limits.total_memory.saturating_sub(limits.rss));
    let for_threads = THREAD_ADDRESS_SPACE.saturating_mul(threads as u64 + 1);
    let address_space = address_space_limit()
        .zip(process)
        .map(|(limit, process)| limit.saturating_sub(process.virtual_memory()).saturating_sub(for_threads));
    [machine, cgroup, address_space].into_iter().flatten().min().unwrap_or(u64::MAX)
}

/// The limit of this process's address space in bytes, if there is one.
#[cfg(unix)]
fn address_space_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

/// No limit is known on systems other than Unix.
#[cfg(not(unix))]
fn address_space_limit() -> Option<u64> {
    None
}

/// Allocates a square matrix of zeros, or fails where the allocator refuses. Pages take memory only when they are
/// touched.
pub fn zeros<A: Zeroable>(n: usize) -> Result<Array2<A>> {
    let bytes = (n as u64).saturating_mul(n as u64).saturating_mul(size_of::<A>() as u64);
    let refused = || Error::OutOfMemory { rows: n, needed: bytes, available: available(0).min(bytes) };
    let entries = n.checked_mul(n).ok_or_else(refused)?;
    let zeros = bytemuck::allocation::try_zeroed_slice_box(entries).map_err(|()| refused())?;
    Ok(Array2::from_shape_vec((n, n), zeros.into_vec()).expect("n * n entries were allocated"))
}

/// The bytes of a dense problem: `matrices` matrices [n, n] of f64 and two copies of the rows [n, d]. 15% are added to
/// the matrices for LAPACK's workspace and for blocks that threads work on.
pub(crate) fn dense_bytes(matrices: f64, n: usize, d: usize) -> u64 {
    let (n, d) = (n as f64, d as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
    let bytes = (8.0 * (1.15 * matrices * n * n + 2.0 * n * d)) as u64;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;

    #[test]
    fn more_than_any_machine_has_is_refused_before_it_is_allocated() {
        let refused = parallel::run(1, || false, |job| require(10, u64::MAX / 2, job));
        assert!(matches!(refused, Err(Error::OutOfMemory { rows: 10, .. })));
        assert!(matches!(zeros::<f64>(1 << 30), Err(Error::OutOfMemory { .. })));
        assert!(matches!(zeros::<f64>(usize::MAX), Err(Error::OutOfMemory { .. })));
    }

    #[test]
    fn a_gigabyte_is_available_and_at_most_what_the_machine_has() {
        let mut system = System::new().unwrap();
        system.refresh_memory();
        assert!(available(1) > 1 << 30);
        assert!(available(1) <= system.total_memory());
        assert_eq!(parallel::run(1, || false, |job| require(1000, 1 << 28, job)), Ok(()));
    }
}
