//! Affinities that are given as a matrix.
//!
//! Of a matrix that is given, only the entries on and above the diagonal are read.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Zip, s};

use crate::error::Result;
use crate::kernel::Kernel;
use crate::linalg::scalar::Element;
use crate::linalg::scaling::power_of_two_near;
use crate::linalg::upper_triangle::UpperTriangle;
use crate::runtime::parallel::Job;

/// A matrix [N, N] of affinities, read tile by tile.
pub(crate) struct GivenAffinities<'a, T> {
    matrix: ArrayView2<'a, T>,
    unit: f64,
}

impl<'a, T: Element> GivenAffinities<'a, T> {
    /// In units of a power of two near the largest, so that neither squares nor sums over- or underflow.
    pub(crate) fn new(matrix: ArrayView2<'a, T>) -> Self {
        let extreme = |largest: f64, &entry: &T| largest.max(entry.into().abs());
        Self { matrix, unit: power_of_two_near(matrix.iter().fold(0.0, extreme)) }
    }
}

impl<T: Element> Kernel<f64> for GivenAffinities<'_, T> {
    fn len(&self) -> usize {
        self.matrix.nrows()
    }

    fn affinities(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        for (i, mut line) in rows.zip(out.rows_mut()) {
            for (j, entry) in columns.clone().zip(&mut line) {
                *entry = self.matrix[if i <= j { [i, j] } else { [j, i] }].into() / self.unit;
            }
        }
    }

    fn error(&self) -> f64 {
        f64::EPSILON
    }

    /// They may span many decades, so nothing is rounded: see [`crate::operator::tiles::Rounding`].
    fn largest(&self) -> f64 {
        f64::INFINITY
    }
}

/// Affinities as they are given; where `in_own_scale`, multiplied by a power of two if sums of them could overflow.
pub(crate) fn given_affinity<T: Element>(
    matrix: ArrayView2<T>,
    in_own_scale: bool,
    job: &Job,
) -> Result<UpperTriangle> {
    let excess = (largest(matrix) / f64::MAX * 2.0 * matrix.nrows() as f64).log2().ceil().max(0.0);
    let factor = if in_own_scale { excess.exp2().recip() } else { 1.0 };
    let mut affinity = UpperTriangle::zeros(matrix.nrows())?;
    affinity.for_each_block(job, |row, mut block| {
        let given = matrix.slice(s![row..row + block.nrows(), row..]);
        Zip::from(&mut block).and(given).for_each(|entry, &given| *entry = given.into() * factor);
    })?;
    Ok(affinity)
}

fn largest<T: Element>(matrix: ArrayView2<T>) -> f64 {
    matrix.iter().fold(0.0, |largest: f64, &entry| largest.max(entry.into().abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::Array2;

    #[test]
    fn sums_of_affinities_of_any_scale_are_finite() {
        let matrix = Array2::from_shape_fn((150, 150), |(i, j)| 1e308 / (1.0 + i.abs_diff(j) as f64));
        let given = |in_own_scale| {
            parallel::run(2, || false, |job| given_affinity(matrix.view(), in_own_scale, job)).unwrap()
        };
        assert_eq!(given(false).get(3, 140), matrix[[3, 140]]);
        let scaled = given(true);
        let sums = parallel::run(2, || false, |job| scaled.row_sums(job)).unwrap();
        assert!(sums.iter().all(|sum| sum.is_finite()));
        assert_eq!(scaled.get(2, 100) / scaled.get(0, 0), matrix[[2, 100]] / 1e308);
    }
}
