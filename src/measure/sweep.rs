//! Spectra of many operators on the same rows: distances are computed once.
//!
//! Cost: N^2 D flops, and for each operator the exponentials and the eigenvalues. Small problems run beside each
//! other on one thread each, which is faster than all threads on one of them; large ones one after the other.

use crate::data::distances::StoredDistances;
use crate::data::input::{Input, Metric};
use crate::error::{Error, Result};
use crate::linalg::scalar::Element;
use crate::measure::spectrum::OperatorSpec;
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Rows up to which problems run beside each other. Measured (four bandwidths, D = 512, f64, best times, SkylakeX kernels,
/// 2 cores):
///
/// | N            | 500   | 1000  | 2000  | 3000  | 4000  |
/// |:-------------|:------|:------|:------|:------|:------|
/// | beside, s    | 0.025 | 0.146 | 0.963 | 2.741 | 6.098 |
/// | in turn, s   | 0.059 | 0.221 | 1.111 | 2.847 | 5.683 |
const BESIDE_UP_TO: usize = 3000;

/// The moduli of each operator's eigenvalues, in the order of the operators; `done` is called after each. Operators of
/// a kernel only: the graph of nearest neighbours has no bandwidth to vary.
///
/// # Errors
/// Those of [`OperatorSpec::eigenvalues`].
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
    let mut smallest = f64::MAX;
    for operator in operators {
        let bandwidth = operator.bandwidth();
        let bandwidth =
            bandwidth.ok_or_else(|| Error::invalid("operators", "of a kernel", "a graph of neighbours"))?;
        bandwidth.require(n)?;
        smallest = smallest.min(bandwidth.smallest());
    }
    let beside = n <= BESIDE_UP_TO;
    let at_once = if beside { job.threads().min(operators.len()) } else { 1 };
    // Single precision costs a second computation of distances elsewhere, and nothing here.
    let columns = input.columns().map(|_| 0);
    let largest = operators.iter().map(|operator| operator.bytes(n, columns)).max().unwrap_or(0);
    let needed = memory::dense_bytes(1.0, n, input.columns().unwrap_or(0))
        .saturating_add(largest.saturating_mul(at_once as u64));
    memory::require(n, needed, job)?;

    let distances = StoredDistances::new(&*input.distances(smallest)?, job)?;
    let solve =
        |operator: &OperatorSpec, job: &Job| finished(operator.eigenvalues_of_distances(&distances, columns, job)?);
    if beside {
        return job.many(operators.iter().collect(), solve);
    }
    operators.iter().map(|operator| solve(operator, job)).collect()
}
