//! Affinities that are given as a matrix [N, N].
//!
//! The matrix is symmetric; only its entries on and above the diagonal are read. Cost: one pass over it.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, Zip, s};

use crate::error::Result;
use crate::kernel::Kernel;
use crate::linalg::scalar::Element;
use crate::linalg::scaling::{max_abs, power_of_two_near};
use crate::linalg::upper_triangle::UpperTriangle;
use crate::runtime::parallel::Job;

/// A matrix of affinities that is read tile by tile.
pub(crate) struct GivenAffinities<'a, T> {
    matrix: ArrayView2<'a, T>,
    unit: f64,
}

impl<'a, T: Element> GivenAffinities<'a, T> {
    /// Takes a power of two near the largest entry as the unit, so that neither squares nor sums over- or underflow.
    pub(crate) fn new(matrix: ArrayView2<'a, T>) -> Self {
        Self { matrix, unit: power_of_two_near(max_abs(matrix.rows())) }
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

    fn entry_error(&self) -> f64 {
        f64::EPSILON
    }

    /// Infinity: the entries may span many decades, so products are not rounded to a common unit, see
    /// [`crate::binding::SumRounding`].
    fn max_entry(&self) -> f64 {
        f64::INFINITY
    }
}

/// The unit of a dense matrix of given affinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AffinityUnit {
    /// The entries as they are given.
    AsGiven,
    /// A power of two such that no row sum overflows, for operators that any common factor of the entries leaves as
    /// they are.
    FiniteSums,
}

/// A copy in f64 of affinities that are given.
pub(crate) fn given_affinity<T: Element>(
    matrix: ArrayView2<T>,
    unit: AffinityUnit,
    job: &Job,
) -> Result<UpperTriangle> {
    let factor = match unit {
        AffinityUnit::AsGiven => 1.0,
        AffinityUnit::FiniteSums => {
            let excess = (max_abs(matrix.rows()) / f64::MAX * 2.0 * matrix.nrows() as f64).log2().ceil().max(0.0);
            excess.exp2().recip()
        }
    };
    let mut affinity = UpperTriangle::zeros(matrix.nrows())?;
    affinity.for_each_block(job, |row, mut block| {
        let given = matrix.slice(s![row..row + block.nrows(), row..]);
        Zip::from(&mut block).and(given).for_each(|entry, &given| *entry = given.into() * factor);
    })?;
    Ok(affinity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::Array2;

    #[test]
    fn sums_of_affinities_of_any_scale_are_finite() {
        let matrix = Array2::from_shape_fn((150, 150), |(i, j)| 1e308 / (1.0 + i.abs_diff(j) as f64));
        let given = |unit| parallel::run(2, || false, |job| given_affinity(matrix.view(), unit, job)).unwrap();
        assert_eq!(given(AffinityUnit::AsGiven).get(3, 140), matrix[[3, 140]]);
        let scaled = given(AffinityUnit::FiniteSums);
        let sums = parallel::run(2, || false, |job| scaled.row_sums(job)).unwrap();
        assert!(sums.iter().all(|sum| sum.is_finite()));
        assert_eq!(scaled.get(2, 100) / scaled.get(0, 0), matrix[[2, 100]] / 1e308);
    }
}
