//! Spectra of many operators on the same rows, whose distances are computed once.
//!
//! Cost: N^2 D flops, and for each operator the exponentials and the eigenvalues. Small problems run in parallel on one
//! thread each, which is faster than all threads on one of them; large ones run one after the other on all threads.

use crate::data::distances::StoredDistances;
use crate::data::input::{Input, Metric};
use crate::error::Result;
use crate::kernel::affinity_source::{AffinitySource, DistanceKind};
use crate::linalg::scalar::Element;
use crate::measure::spectrum::{KernelSpec, OperatorSpec};
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Computes the moduli of each operator's eigenvalues, in the order of the operators; `done` is called after each. The
/// operators must be those of a kernel: a graph of nearest neighbours has no bandwidth to vary.
///
/// # Errors
/// The errors of [`OperatorSpec::eigenvalues`].
pub fn sweep_eigenvalues<T: Element>(
    input: Input<T>,
    operators: &[OperatorSpec],
    done: &(dyn Fn() + Sync),
    job: &Job,
) -> Result<Vec<Vec<f64>>> {
    input.require()?;
    let n = input.len();
    let finished = |eigenvalues| {
        done();
        Ok(eigenvalues)
    };
    if input.metric == Metric::Affinity {
        return operators.iter().map(|operator| finished(operator.eigenvalues(input, job)?)).collect();
    }
    let kernels: Vec<_> = operators.iter().map(|operator| operator.kernel("operators")).collect::<Result<_>>()?;
    kernels.iter().try_for_each(|kernel| kernel.bandwidth.require(n))?;
    let smallest = kernels.iter().fold(f64::MAX, |smallest, kernel| smallest.min(kernel.bandwidth.smallest()));
    let in_parallel = n <= job.tuning().sweep_in_parallel_up_to;
    let at_once = if in_parallel { job.threads().min(operators.len()) } else { 1 };
    let kind = DistanceKind::of(&input).stored();
    let largest = operators.iter().map(|operator| operator.bytes(n, kind, job.tuning())).max().unwrap_or(0);
    let needed = memory::dense_bytes(1.0, n, input.columns().unwrap_or(0))
        .saturating_add(largest.saturating_mul(at_once as u64));
    memory::require(n, needed, job)?;

    let distances = StoredDistances::new(&*input.distances(smallest)?, job)?;
    let solve = |kernel: KernelSpec, job: &Job| {
        let source = AffinitySource::<T>::StoredDistances(&distances, kind, kernel.bandwidth.clone());
        finished(kernel.eigenvalues(&source, job)?)
    };
    if in_parallel {
        return job.many(kernels, solve);
    }
    kernels.into_iter().map(|kernel| solve(kernel, job)).collect()
}
