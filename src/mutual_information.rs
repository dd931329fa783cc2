//! Entropies of many row subsets at once, from which spectral mutual information is a weighted difference.
//!
//! ```text
//! DSMI(A; B) = sum_b p(b) [ mean over repetitions of DSE(A*) - DSE(A | B = b) ]
//! ```
//!
//! with A* random rows of A, as many as B = b has (arXiv 2312.04823, Definition 4.1). Subsets are independent
//! problems: each runs on one thread, beside the others, the largest first.

use ndarray::{Array2, ArrayView2};

use crate::distance::Element;
use crate::error::{Error, Result};
use crate::measure::Measure;
use crate::memory;
use crate::parallel::Job;

/// The entropy of each subset of the rows of `x`, in bits and in order.
///
/// # Errors
/// [`Error::Invalid`] for a row number that `x` does not have; those of [`Measure::entropy`].
pub fn subset_entropies<T: Element>(
    x: ArrayView2<T>,
    subsets: &[impl AsRef<[usize]> + Sync],
    measure: Measure,
    job: &Job,
) -> Result<Vec<f64>> {
    if let Some(row) = subsets.iter().flat_map(AsRef::as_ref).find(|&&row| row >= x.nrows()) {
        return Err(Error::invalid("subsets", format!("row numbers below {}", x.nrows()), row));
    }
    let mut order: Vec<usize> = (0..subsets.len()).collect();
    order.sort_by_key(|&s| std::cmp::Reverse(subsets[s].as_ref().len()));
    let at_once = order.iter().take(job.threads()).map(|&s| subsets[s].as_ref().len());
    let needed = at_once.clone().map(|n| measure.bytes(n, x.ncols())).sum();
    memory::require(at_once.max().unwrap_or(0), needed, job)?;

    let entropies = job.many(order.clone(), |s, job| {
        let rows = subsets[s].as_ref();
        let part = Array2::from_shape_fn((rows.len(), x.ncols()), |(i, j)| x[[rows[i], j]]);
        measure.entropy(part.view(), job)
    })?;
    let mut in_order = vec![0.0; subsets.len()];
    for (s, entropy) in order.into_iter().zip(entropies) {
        in_order[s] = entropy;
    }
    Ok(in_order)
}
