//! Spectra and entropies of many subsets of the rows at once. Spectral mutual information is a weighted difference of
//! them:
//!
//! ```text
//! DSMI(A; B) = sum_b p(b) [ mean over repetitions of DSE(A*) - DSE(A | B = b) ]
//! ```
//!
//! with A* random rows of A, as many as B = b has (arXiv 2312.04823, Definition 4.1). Subsets are independent
//! problems: they run in parallel on one thread each, the largest first.

use ndarray::ArrayView2;

use crate::data::input::Input;
use crate::error::{Error, Result};
use crate::kernel::GivenPairs;
use crate::kernel::affinity_source::DistanceKind;
use crate::linalg::scalar::Element;
use crate::measure::direct_entropy::Measure;
use crate::measure::estimated_spectrum::{Solution, estimate_bytes, estimate_spectrum};
use crate::measure::spectrum::OperatorSpec;
use crate::runtime::memory;
use crate::runtime::parallel::Job;
use crate::slq::options::SlqOptions;

/// Computes the moduli of the eigenvalues of the operator on each subset of the rows, in the order of the subsets; `done`
/// is called after each. Each row keeps its bandwidth.
///
/// # Errors
/// [`Error::Invalid`] for a row number that does not exist; the errors of [`OperatorSpec::eigenvalues`].
pub fn subset_eigenvalues<T: Element>(
    input: Input<T>,
    subsets: &[impl AsRef<[usize]> + Sync],
    operator: &OperatorSpec,
    done: &(dyn Fn() + Sync),
    job: &Job,
) -> Result<Vec<Vec<f64>>> {
    if let Some(bandwidth) = operator.bandwidth() {
        bandwidth.require(input.len())?;
    }
    let kind = DistanceKind::of(&input);
    let bytes = |n| operator.bytes(n, kind, job.tuning());
    on_subsets(input, subsets, bytes, job, |place, part, job| {
        let eigenvalues = operator.of_rows(subsets[place].as_ref()).eigenvalues(part, job)?;
        done();
        Ok(eigenvalues)
    })
}

/// Estimates the spectrum of the operator on each subset of the rows, each with random signs of its own, or computes the
/// eigenvalues where those cost less; `done` is called after each.
///
/// # Errors
/// [`Error::Invalid`] for a row number that does not exist; the errors of [`estimate_spectrum`].
pub fn estimate_subsets<T: Element>(
    input: Input<T>,
    subsets: &[impl AsRef<[usize]> + Sync],
    operator: &OperatorSpec,
    options: &SlqOptions,
    done: &(dyn Fn() + Sync),
    job: &Job,
) -> Result<Vec<Solution>> {
    if let Some(bandwidth) = operator.bandwidth() {
        bandwidth.require(input.len())?;
    }
    let bytes = |n| estimate_bytes(n, input.columns(), &job.tuning().slq);
    // As many in parallel as there is memory for their matrices, and at least one.
    let largest = subsets.iter().map(|rows| rows.as_ref().len()).max().unwrap_or(0);
    let each = bytes(largest).saturating_add(memory::dense_bytes(1.0, largest, 0)).max(1);
    let limit = options.memory_limit.unwrap_or_else(|| memory::available(job.threads()));
    let job = &job.with_threads(usize::try_from(limit / each).unwrap_or(usize::MAX));
    on_subsets(input, subsets, bytes, job, |place, part, job| {
        let seed = options.seed.wrapping_add(place as u64);
        let options = SlqOptions { seed, ..options.clone() };
        let operator = operator.of_rows(subsets[place].as_ref());
        let solved = estimate_spectrum(part, &operator, GivenPairs::default(), &options, &|_, _| (), job)?;
        done();
        Ok(solved)
    })
}

/// Computes the entropy of each subset of the rows of `x`, in bits, in the order of the subsets.
///
/// # Errors
/// [`Error::Invalid`] for a row number that does not exist; the errors of [`Measure::entropy`].
pub fn subset_entropies<T: Element>(
    x: ArrayView2<T>,
    subsets: &[impl AsRef<[usize]> + Sync],
    measure: Measure,
    job: &Job,
) -> Result<Vec<f64>> {
    let bytes = |n| measure.bytes(n, x.ncols());
    on_subsets(Input::rows(x), subsets, bytes, job, |_, part, job| measure.entropy(part.matrix, job))
}

/// Calls `solve` with the place and the rows of each subset, and returns its results in the order of the subsets.
fn on_subsets<T: Element, V: Send + Sync>(
    input: Input<T>,
    subsets: &[impl AsRef<[usize]> + Sync],
    bytes: impl Fn(usize) -> u64,
    job: &Job,
    solve: impl Fn(usize, Input<T>, &Job) -> Result<V> + Sync,
) -> Result<Vec<V>> {
    if let Some(row) = subsets.iter().flat_map(AsRef::as_ref).find(|&&row| row >= input.len()) {
        return Err(Error::invalid("subsets", format!("row numbers below {}", input.len()), row));
    }
    let mut order: Vec<usize> = (0..subsets.len()).collect();
    order.sort_by_key(|&s| std::cmp::Reverse(subsets[s].as_ref().len()));
    let at_once = order.iter().take(job.threads()).map(|&s| subsets[s].as_ref().len());
    let needed = at_once.clone().map(bytes).sum();
    memory::require(at_once.max().unwrap_or(0), needed, job)?;

    let values = job.many(order.clone(), |s, job| {
        let part = input.part(subsets[s].as_ref());
        solve(s, Input { metric: input.metric, matrix: part.view() }, job)
    })?;
    let mut in_order: Vec<(usize, V)> = order.into_iter().zip(values).collect();
    in_order.sort_unstable_by_key(|&(s, _)| s);
    Ok(in_order.into_iter().map(|(_, value)| value).collect())
}
