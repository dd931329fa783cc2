//! Eigenvalues of the symmetric diffusion operator in f32, its largest eigenpair taken out in f64.
//!
//! ```text
//! K - u u' = D^-1/2 (G' - d d' / sum d) D^-1/2,     d the degrees,     u = sqrt(d / sum d)
//! ```
//!
//! In f32 the eigenvalue 1 would hide the others in its rounding. Its eigenvector u is known, so the pair is subtracted
//! in f64, entry by entry, before the remainder is rounded. Cost: the affinities twice, or three times where alpha is
//! not 0, and the eigenvalues of a matrix of f32.

use ndarray::{Array2, s};

use crate::data::distances::Distances;
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::bandwidth::Bandwidth;
use crate::kernel::gaussian::Gaussian;
use crate::linalg::symmetric_eigenvalues;
use crate::linalg::upper_triangle::{TILE_COLUMNS, UpperTriangle, tiles};
use crate::operator::normalization::{Density, Normalization, require_alpha};
use crate::runtime::parallel::Job;

/// A symmetric diffusion operator without its largest eigenpair, rounded to f32.
pub(crate) struct DeflatedOperator {
    remainder: UpperTriangle<f32>,
    /// The trace before it was rounded.
    trace: f64,
}

impl DeflatedOperator {
    /// Computes the operator of an affinity that is positive definite, as a Gaussian one of rows with one bandwidth is.
    ///
    /// # Errors
    /// The errors of [`crate::diffusion_operator`].
    pub(crate) fn new(distances: &dyn Distances, bandwidth: f64, alpha: f64, job: &Job) -> Result<Self> {
        require_alpha(alpha)?;
        let kernel = Gaussian::new(distances, &Bandwidth::Fixed(bandwidth))?;
        let normalization =
            Normalization::new(Density::of_rows(alpha), |weights| kernel.weighted_row_sums(weights, job))?;
        let remainder = remainder(&kernel, &normalization, job)?;
        Ok(Self { remainder, trace: normalization.trace_of_unit_diagonal() - 1.0 })
    }

    /// The number of rows.
    pub(crate) fn dim(&self) -> usize {
        self.remainder.dim()
    }

    /// Computes the eigenvalues of the operator, the largest with them, in no particular order.
    ///
    /// The error of each is about 1e-7 of the second largest. The remainder has no negative eigenvalue, so the smallest
    /// computed one shows the size of the rounding noise. Eigenvalues below twice this noise are not resolved: their sum
    /// follows from the trace, which is known in f64, and each gets an equal share of it.
    ///
    /// # Errors
    /// The errors of [`symmetric_eigenvalues`].
    pub(crate) fn eigenvalues(self, job: &Job) -> Result<Vec<f64>> {
        let computed = symmetric_eigenvalues(self.remainder.into_matrix(), job)?;
        Ok(with_largest(&computed, self.trace))
    }
}

/// Computes K - u u', rounded to f32.
fn remainder(kernel: &Gaussian, normalization: &Normalization, job: &Job) -> Result<UpperTriangle<f32>> {
    let Normalization { weights, degrees } = normalization;
    let total = normalization.total_degree();
    let scale = normalization.inverse_root_degrees();
    let mut remainder = UpperTriangle::zeros(degrees.len())?;
    remainder.for_each_block(job, |first, mut block| {
        let height = block.nrows();
        let mut tile = Array2::zeros((height, TILE_COLUMNS));
        for columns in tiles(first, degrees.len()) {
            let mut affinities = tile.slice_mut(s![.., ..columns.len()]);
            kernel.affinities(first..first + height, columns.clone(), affinities.view_mut());
            let mut out = block.slice_mut(s![.., columns.start - first..columns.end - first]);
            for (i, (mut out, affinities)) in (first..).zip(out.rows_mut().into_iter().zip(affinities.rows())) {
                let share = degrees[i] / total;
                let others = columns.clone().zip(&affinities);
                for (entry, (j, affinity)) in out.iter_mut().zip(others) {
                    let weighted = affinity * (weights[i] * weights[j]);
                    #[expect(clippy::cast_possible_truncation, reason = "this is where it is rounded")]
                    let rounded = ((weighted - share * degrees[j]) * (scale[i] * scale[j])) as f32;
                    *entry = rounded;
                }
            }
        }
    })?;
    Ok(remainder)
}

/// The eigenvalues of K, from those of K - u u', ascending, and the trace of the latter.
fn with_largest(computed: &[f32], trace: f64) -> Vec<f64> {
    let (Some(&smallest), Some(&largest)) = (computed.first(), computed.last()) else { return Vec::new() };
    let noise = f64::from((-smallest).max(f32::EPSILON * largest));
    let resolved: Vec<f64> = computed.iter().map(|&v| f64::from(v)).filter(|&v| v > 2.0 * noise).collect();
    // One computed eigenvalue belongs to u: it is 0 in the remainder and 1 in K.
    let unresolved = computed.len() - resolved.len().min(computed.len() - 1) - 1;
    let rest = (trace - resolved.iter().sum::<f64>()).clamp(0.0, 2.0 * noise * unresolved as f64);
    let share = if unresolved == 0 { 0.0 } else { rest / unresolved as f64 };
    let resolved = resolved.into_iter().rev().take(computed.len() - 1);
    std::iter::once(1.0).chain(resolved).chain(std::iter::repeat_n(share, unresolved)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::Points;
    use crate::runtime::parallel;
    use crate::{diffusion_operator, spectral_entropy};
    use ndarray::array;

    fn both(x: &Array2<f64>, bandwidth: f64, alpha: f64) -> (Vec<f64>, Vec<f64>) {
        let points = Points::new(x.view(), bandwidth);
        let work = |job: &Job| {
            let operator = diffusion_operator(&points, &Bandwidth::Fixed(bandwidth), alpha, job)?;
            let double = symmetric_eigenvalues(operator.into_matrix(), job)?;
            Ok((double, DeflatedOperator::new(&points, bandwidth, alpha, job)?.eigenvalues(job)?))
        };
        let (double, mut single) = parallel::run(2, || false, work).unwrap();
        single.sort_by(f64::total_cmp);
        (double, single)
    }

    /// Full rank, low rank, groups far apart, identical rows.
    #[test]
    fn single_precision_is_within_its_bound() {
        let noise = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * i * 31) % 1009) as f64 / 1009.0;
        let n = 400;
        let shapes: [(&str, Array2<f64>); 4] = [
            ("cloud", Array2::from_shape_fn((n, 12), |(i, j)| noise(i, j))),
            ("line", Array2::from_shape_fn((n, 1), |(i, _)| i as f64 / n as f64)),
            ("groups", Array2::from_shape_fn((n, 3), |(i, j)| noise(i, j) + 1e4 * (i % 5) as f64)),
            ("identical", Array2::ones((n, 2))),
        ];
        for (name, x) in &shapes {
            for (bandwidth, alpha) in [(0.1, 0.0), (0.5, 0.0), (3.0, 0.0), (0.5, 0.5), (3.0, 1.0)] {
                let (double, single) = both(x, bandwidth, alpha);
                assert_eq!(single.len(), n);
                for (double, single) in double.iter().zip(&single) {
                    approx::assert_abs_diff_eq!(double, single, epsilon = 1e-6);
                }
                for t in [1.0, 2.0, 7.5] {
                    let difference = spectral_entropy(&double, t).unwrap() - spectral_entropy(&single, t).unwrap();
                    assert!(difference.abs() < 1e-6 * (n as f64).sqrt(), "{name} {bandwidth} {t}: {difference:e}");
                }
            }
        }
    }

    #[test]
    fn one_row_and_two() {
        assert_eq!(both(&array![[3.0]], 1.0, 0.0).1, [1.0]);
        let (double, single) = both(&array![[0.0], [1.0]], 1.0, 0.0);
        approx::assert_abs_diff_eq!(double[0], single[0], epsilon = 1e-7);
        assert_eq!(single[1], 1.0);
    }

    #[test]
    fn what_is_not_resolved_shares_the_rest_of_the_trace() {
        let noise = 2f32.powi(-26);
        let share = f64::from(noise) * 1.5;
        let computed = [-noise, 0.0, noise, 0.5];
        assert_eq!(with_largest(&computed, 0.5 + 2.0 * share), [1.0, 0.5, share, share]);
        assert_eq!(with_largest(&computed, 0.4), [1.0, 0.5, 0.0, 0.0]);
        assert_eq!(with_largest(&[0.25, 0.5], 0.75), [1.0, 0.5]);
    }
}
