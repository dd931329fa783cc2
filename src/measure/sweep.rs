//! Spectra of many operators on the same rows, whose distances are computed once, and of one operator on each of several
//! sets of rows.
//!
//! Cost: N^2 D flops for each set of rows, and for each operator the exponentials and the eigenvalues. Small problems run
//! in parallel on one thread each, which is faster than all threads on one of them; large ones run one after the other on
//! all threads.

use crate::data::distances::StoredDistances;
use crate::data::input::{Input, Metric};
use crate::error::{Error, Result};
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

/// Computes the moduli of the eigenvalues of an operator on each set of rows: the first on the first, and so on.
///
/// # Errors
/// [`crate::Error::Invalid`] where there are not as many operators as sets; the errors of [`OperatorSpec::eigenvalues`].
pub fn eigenvalues_of_sets<T: Element>(
    sets: &[Input<T>],
    operators: &[OperatorSpec],
    job: &Job,
) -> Result<Vec<Vec<f64>>> {
    if sets.len() != operators.len() {
        return Err(Error::invalid("operators", format!("one for each of {} sets", sets.len()), operators.len()));
    }
    let largest = sets.iter().map(Input::len).max().unwrap_or(0);
    let problems: Vec<_> = sets.iter().zip(operators).collect();
    if largest > job.tuning().sweep_in_parallel_up_to {
        return problems.into_iter().map(|(input, operator)| operator.eigenvalues(*input, job)).collect();
    }
    let bytes =
        problems.iter().map(|(input, operator)| operator.bytes(input.len(), DistanceKind::of(input), job.tuning()));
    let needed = bytes.max().unwrap_or(0).saturating_mul(job.threads().min(sets.len()) as u64);
    memory::require(largest, needed, job)?;
    job.many(problems, |(input, operator), job| operator.eigenvalues(*input, job))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use crate::runtime::tuning::Tuning;
    use ndarray::Array2;

    /// In parallel and one after the other, each set has the eigenvalues that it has alone.
    #[test]
    fn each_set_has_its_own_eigenvalues() {
        let rows = [30, 41, 7].map(|n| Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64));
        let operators = [20.0, 30.0, 40.0].map(OperatorSpec::diffusion);
        let sets = rows.each_ref().map(|x| Input::rows(x.view()));
        for sweep_in_parallel_up_to in [0, 100] {
            let tuning = Tuning { sweep_in_parallel_up_to, ..Tuning::MEASURED };
            let run = |sets: &[Input<f64>]| {
                parallel::run_with(&tuning, 2, || false, |job| eigenvalues_of_sets(sets, &operators, job))
            };
            for ((found, input), operator) in run(&sets).unwrap().iter().zip(&sets).zip(&operators) {
                let alone = parallel::run(1, || false, |job| operator.eigenvalues(*input, job)).unwrap();
                approx::assert_abs_diff_eq!(found[..], alone[..], epsilon = 1e-13);
            }
            assert!(matches!(run(&sets[..2]), Err(Error::Invalid { argument: "operators", .. })));
        }
    }
}
