//! A diffusion operator whose bandwidth is the median distance, from distances that are computed once.
//!
//! The matrix of the distances becomes that of the operator, so the memory is that of an operator of a known bandwidth.
//! Where squares of some distances could underflow beside those of others, they are computed for the median and for the
//! operator, in the scale of each. Eigenvalues have the same bits either way.

use ndarray::ArrayView2;

use crate::data::distances::StoredDistances;
use crate::data::input::Input;
use crate::data::points::Points;
use crate::error::Result;
use crate::kernel::affinity_source::DistanceKind;
use crate::kernel::bandwidth::{Bandwidth, median_distance};
use crate::kernel::gaussian::affinity_in_place;
use crate::linalg::scalar::Element;
use crate::measure::operator_matrix::OperatorMatrix;
use crate::measure::spectrum::{FloatType, OperatorSpec, Precision};
use crate::operator::deflated_f32::DeflatedOperator;
use crate::operator::dense::normalize;
use crate::operator::normalization::{Density, require_alpha};
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// A diffusion operator whose bandwidth is the median of the positive distances of all pairs of rows, or any where there
/// is none.
#[derive(Debug, Clone, Copy)]
pub struct MedianOperator {
    /// The power of the density by which affinities are divided, in 0..=1.
    pub alpha: f64,
    /// The precision of the eigenvalues.
    pub precision: Precision,
}

impl MedianOperator {
    /// Computes the operator of a set of rows.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for an alpha outside 0..=1 and entries that are not finite; [`crate::Error::OutOfMemory`];
    /// [`crate::Error::Interrupted`].
    pub fn matrix<T: Element>(self, rows: ArrayView2<T>, job: &Job) -> Result<OperatorMatrix> {
        let input = Input::rows(rows);
        input.require()?;
        require_alpha(self.alpha)?;
        let (n, columns) = rows.dim();
        let float = self.precision.resolve(n, DistanceKind::of(&input), job.tuning());
        let matrices = if float == FloatType::F32 { 1.5 } else { 1.0 };
        memory::require(n, memory::dense_bytes(matrices, n, columns), job)?;
        let points = Points::in_own_scale(rows);
        if !points.has_exact_squares() {
            drop(points);
            let median = median_distance(input, None, job)?;
            return self.with_bandwidth(positive_or_one(median)).matrix(input, job);
        }
        let distances = StoredDistances::new(&points, job)?;
        drop(points);
        let sigma = positive_or_one(distances.median(job)?);
        if float == FloatType::F32 {
            return Ok(OperatorMatrix::single(DeflatedOperator::new(&distances, sigma, self.alpha, job)?));
        }
        let mut operator = affinity_in_place(distances, &Bandwidth::Fixed(sigma), job)?;
        normalize(&mut operator, Density::of_rows(self.alpha), job)?;
        Ok(OperatorMatrix::double(operator))
    }

    /// The operator of a known bandwidth.
    fn with_bandwidth(self, sigma: f64) -> OperatorSpec {
        let Self { alpha, precision } = self;
        OperatorSpec::Diffusion { bandwidth: Bandwidth::Fixed(sigma), alpha, precision, row_weights: None }
    }
}

/// A bandwidth in place of one that is 0, as all rows are equal: each gives the same operator.
fn positive_or_one(median: f64) -> f64 {
    if median > 0.0 { median } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::runtime::parallel;
    use ndarray::{Array2, array};

    /// Scattered rows at three scales, rows of which some are equal, all equal, one alone, and one very far from the
    /// others: the bits of a median that is computed first.
    #[test]
    fn eigenvalues_are_those_of_the_median() {
        let scattered = |n: usize, d: usize, scale: f64| {
            Array2::from_shape_fn((n, d), |(i, j)| {
                ((i * 7919 + j * 104_729 + i * i * 31) % 10_007) as f64 / 100.0 * scale
            })
        };
        let mut far = scattered(40, 3, 1.0);
        far[[0, 0]] = 1e200;
        let mut twice = scattered(300, 2, 1.0);
        (0..50).for_each(|i| twice[[i, 0]] = 3.0);
        (0..50).for_each(|i| twice[[i, 1]] = 4.0);
        let sets = [
            scattered(300, 5, 1.0),
            scattered(1100, 4, 1e-200),
            scattered(60, 300, 1e200),
            far,
            twice,
            Array2::ones((9, 2)),
            Array2::zeros((4, 3)),
            array![[1.0, 1e-100], [1.0, 2e-100], [1.0, 0.0], [1.0, -4e-100]], // squares that just do not underflow
            array![[1.0, 1e-170], [1.0, 2e-170], [1.0, 0.0], [1.0, -4e-170]],
            array![[7.0]],
        ];
        for x in &sets {
            for (alpha, precision) in [(0.0, Precision::Double), (0.5, Precision::Single), (1.0, Precision::Fastest)]
            {
                let operator = MedianOperator { alpha, precision };
                let run = |job: &Job| {
                    let median = median_distance(Input::rows(x.view()), None, job)?;
                    let known = operator.with_bandwidth(positive_or_one(median));
                    let found = operator.matrix(x.view(), job)?.eigenvalues(job)?;
                    Ok((found, known.eigenvalues(Input::rows(x.view()), job)?))
                };
                let (found, known) = parallel::run(2, || false, run).unwrap();
                assert_eq!(found, known, "{:?} {alpha} {precision:?}", x.dim());
            }
        }
    }

    #[test]
    fn bad_input_is_refused() {
        let operator = MedianOperator { alpha: 0.0, precision: Precision::Double };
        let run = |operator: MedianOperator, x: Array2<f64>| {
            parallel::run(1, || false, |job| operator.matrix(x.view(), job).map(drop))
        };
        let named =
            |argument| move |error: Error| matches!(error, Error::Invalid { argument: of, .. } if of == argument);
        assert!(run(operator, array![[f64::NAN]]).is_err_and(named("x")));
        assert!(run(operator, Array2::zeros((0, 3))).is_err_and(named("x")));
        assert!(run(MedianOperator { alpha: 2.0, ..operator }, array![[1.0]]).is_err_and(named("alpha")));
    }
}
