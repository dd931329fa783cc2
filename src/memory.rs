//! How much memory this process can still have, asked before anything large is allocated.

use ndarray::Array2;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::error::{Error, Result};

/// Requests below this are granted without looking.
const SMALL: u64 = 64 << 20;

/// Fails unless a problem of `rows` rows that holds `needed` bytes at once fits into what is available.
pub fn require(rows: usize, needed: u64) -> Result<()> {
    if needed < SMALL {
        return Ok(());
    }
    let available = available();
    if needed > available { Err(Error::OutOfMemory { rows, needed, available }) } else { Ok(()) }
}

/// Bytes that this process can still take: the least of the machine's available memory, what its cgroup leaves
/// (caches that can be dropped are not counted against it), and its address space limit.
fn available() -> u64 {
    let Ok(mut system) = System::new() else { return u64::MAX };
    system.refresh_memory();
    // Where the system does not tell, it must not forbid everything.
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
    let address_space =
        address_space_limit().zip(process).map(|(limit, process)| limit.saturating_sub(process.virtual_memory()));
    [machine, cgroup, address_space].into_iter().flatten().min().unwrap_or(u64::MAX)
}

#[cfg(unix)]
fn address_space_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn address_space_limit() -> Option<u64> {
    None
}

/// A square matrix of zeros, or an error where the allocator refuses. Untouched pages cost nothing yet.
pub fn zeros(n: usize) -> Result<Array2<f64>> {
    let bytes = (n as u64).saturating_mul(n as u64).saturating_mul(8);
    let refused = || Error::OutOfMemory { rows: n, needed: bytes, available: available().min(bytes) };
    let entries = n.checked_mul(n).ok_or_else(refused)?;
    let zeros = bytemuck::allocation::try_zeroed_slice_box::<f64>(entries).map_err(|()| refused())?;
    Ok(Array2::from_shape_vec((n, n), zeros.into_vec()).expect("n * n entries were allocated"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_any_machine_has_is_refused_before_it_is_allocated() {
        assert!(matches!(require(10, u64::MAX / 2), Err(Error::OutOfMemory { rows: 10, .. })));
        assert!(matches!(zeros(1 << 30), Err(Error::OutOfMemory { .. })));
        assert!(matches!(zeros(usize::MAX), Err(Error::OutOfMemory { .. })));
    }

    #[test]
    fn a_gigabyte_is_available_and_at_most_what_the_machine_has() {
        let mut system = System::new().unwrap();
        system.refresh_memory();
        assert!(available() > 1 << 30);
        assert!(available() <= system.total_memory());
        assert!(require(1000, 1 << 28).is_ok());
    }
}
