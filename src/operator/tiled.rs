//! Symmetric operators, known by what they do to blocks of vectors.
//!
//! ```text
//! Y = K X,     K = S G S,     S a diagonal matrix, G an affinity, tile by tile: see [`crate::tiles`]
//! ```

use ndarray::{Array2, Axis};

use crate::error::Result;
use crate::linalg::scalar::Entry;
use crate::operator::dense::{inverse_powers, require_positive_sums};
use crate::operator::tiles::TiledAffinity;
use crate::operator::{PRODUCT_ROUNDING, SymmetricOperator};
use crate::runtime::parallel::Job;

/// The relative error of sums of products. Measured for those in f32, as a part of the operator's norm: 1e-8 to 2e-7 for
/// a vector, 3e-7 for the trace of a block.
const ROUNDING_SINGLE: f64 = 1e-6;

/// That of products of entries with this relative error: what is not as precise as f64 can be is in f32.
fn rounding(error: f64) -> f64 {
    if error > f64::EPSILON { ROUNDING_SINGLE } else { PRODUCT_ROUNDING }
}

/// What is known of an affinity besides its entries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AffinityInfo {
    /// Whether it is positive definite.
    pub positive: bool,
    /// The relative error of its entries.
    pub error: f64,
    /// No entry has a larger modulus; infinite where products are not to be rounded.
    pub largest: f64,
}

/// The symmetric diffusion operator of an affinity.
pub(crate) struct DiffusionOperator<'a, A> {
    affinity: TiledAffinity<'a, A>,
    positive: bool,
    error: f64,
    scale: Vec<f64>,
    largest_row: f64,
    trace: f64,
    squared_norm: f64,
    leading: Vec<f64>,
}

impl<'a, A: Entry> DiffusionOperator<'a, A> {
    /// K of an affinity; see [`crate::diffusion_operator`]. What is known of the affinity is told.
    pub(crate) fn new(affinity: TiledAffinity<'a, A>, known: AffinityInfo, alpha: f64, job: &Job) -> Result<Self> {
        let AffinityInfo { positive, error, largest } = known;
        let n = affinity.dim();
        let sums = |weights: &[f64], largest_row: f64| -> Result<Vec<f64>> {
            let column = Array2::from_shape_vec((n, 1), weights.to_vec()).expect("one column");
            let sums = affinity.times(&column, largest_row, job)?;
            Ok(sums.into_iter().zip(weights).map(|(sum, weight)| sum * weight).collect())
        };
        let mut weights = vec![1.0; n];
        let mut degrees = sums(&weights, n as f64 * largest)?;
        require_positive_sums(&degrees)?;
        let largest_row =
            if largest.is_finite() { degrees.iter().fold(0.0, |most: f64, sum| most.max(*sum)) } else { largest };
        if alpha > 0.0 {
            weights = inverse_powers(degrees, alpha);
            degrees = sums(&weights, largest_row)?;
        }
        let total: f64 = degrees.iter().sum();
        let leading = degrees.iter().map(|degree| (degree / total).sqrt()).collect();
        let scale: Vec<f64> =
            inverse_powers(degrees, 0.5).into_iter().zip(weights).map(|(scale, weight)| scale * weight).collect();
        let squares: Vec<f64> = scale.iter().map(|scale| scale * scale).collect();
        let (trace, squared_norm) = affinity.moments(&squares, job)?;
        Ok(Self { affinity, positive, error, scale, largest_row, trace, squared_norm, leading })
    }
}

impl<A: Entry> SymmetricOperator for DiffusionOperator<'_, A> {
    fn dim(&self) -> usize {
        self.affinity.dim()
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        let scaled = |mut block: Array2<f64>| {
            for (mut row, scale) in block.axis_iter_mut(Axis(0)).zip(&self.scale) {
                row *= *scale;
            }
            block
        };
        Ok(scaled(self.affinity.times(&scaled(x.clone()), self.largest_row, job)?))
    }

    fn is_positive(&self) -> bool {
        self.positive
    }

    fn trace(&self) -> Option<f64> {
        Some(self.trace)
    }

    fn squared_norm(&self) -> Option<f64> {
        Some(self.squared_norm)
    }

    fn leading(&self) -> Option<&[f64]> {
        Some(&self.leading)
    }

    fn error(&self) -> f64 {
        self.error
    }

    fn rounding(&self) -> f64 {
        rounding(self.error)
    }
}

/// An affinity as it is, or any symmetric matrix of which tiles are known.
pub(crate) struct AffinityOperator<'a, A> {
    affinity: TiledAffinity<'a, A>,
    known: AffinityInfo,
    largest_row: f64,
    trace: f64,
    squared_norm: f64,
}

impl<'a, A: Entry> AffinityOperator<'a, A> {
    /// What is known of the affinity is told.
    pub(crate) fn new(affinity: TiledAffinity<'a, A>, known: AffinityInfo, job: &Job) -> Result<Self> {
        let (trace, squared_norm) = affinity.moments(&vec![1.0; affinity.dim()], job)?;
        let n = affinity.dim() as f64;
        let largest_row = if known.largest.is_finite() { (n * squared_norm).sqrt() } else { known.largest };
        Ok(Self { affinity, known, largest_row, trace, squared_norm })
    }
}

impl<A: Entry> SymmetricOperator for AffinityOperator<'_, A> {
    fn dim(&self) -> usize {
        self.affinity.dim()
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        self.affinity.times(x, self.largest_row, job)
    }

    fn is_positive(&self) -> bool {
        self.known.positive
    }

    fn trace(&self) -> Option<f64> {
        Some(self.trace)
    }

    fn squared_norm(&self) -> Option<f64> {
        Some(self.squared_norm)
    }

    fn error(&self) -> f64 {
        self.known.error
    }

    fn rounding(&self) -> f64 {
        rounding(self.known.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::Points;
    use crate::kernel::Kernel;
    use crate::kernel::gaussian::{Bandwidth, Gaussian, GaussianF32};
    use crate::kernel::precomputed::GivenAffinities;
    use crate::linalg::scaling::power_of_two_near;
    use crate::operator::tiles::StoredTiles;
    use crate::{diffusion_operator, parallel};

    const POSITIVE: AffinityInfo = AffinityInfo { positive: true, error: f64::EPSILON, largest: 1.0 };

    /// K as a matrix, against K as it multiplies, with G stored and not, over several strips and tiles. Products are
    /// rounded to 2^-52 of what they could sum to.
    #[test]
    fn products_are_those_of_the_matrix() {
        let n = 1700;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
        let block = Array2::from_shape_fn((n, 4), |(i, j)| ((i * 29 + j * 7) % 53) as f64 - 26.0);
        let points = Points::new(x.view(), 2.0);
        let bandwidth = Bandwidth::Fixed(2.0);
        for alpha in [0.0, 0.5] {
            let work = |job: &Job| {
                let k = diffusion_operator(&points, &bandwidth, alpha, job)?;
                let kernel = Gaussian::new(&points, &bandwidth)?;
                let g = StoredTiles::new(&kernel, job)?;
                let stored = DiffusionOperator::new(TiledAffinity::Stored(&g), POSITIVE, alpha, job)?;
                let tiled = DiffusionOperator::new(TiledAffinity::Computed(&kernel), POSITIVE, alpha, job)?;
                let full = Array2::from_shape_fn((n, n), |(i, j)| k.get(i, j));
                // With a largest entry in 1..2, which is then its unit.
                let unit = power_of_two_near(full.iter().fold(0.0, |largest: f64, entry| largest.max(*entry)));
                let in_unit = &full / unit;
                let given = GivenAffinities::new(in_unit.view());
                let dense = AffinityOperator::new(TiledAffinity::Computed(&given), POSITIVE, job)?;
                assert_eq!(stored.apply(&block, job)?, tiled.apply(&block, job)?);
                let expected = full.dot(&block);
                let all = [(&stored as &dyn SymmetricOperator, 1.0), (&tiled, 1.0), (&dense, unit)];
                for (operator, unit) in all {
                    let product = operator.apply(&block, job)? * unit;
                    approx::assert_abs_diff_eq!(product, expected, epsilon = 1e-10);
                    approx::assert_relative_eq!(
                        operator.trace().unwrap() * unit,
                        full.diag().sum(),
                        max_relative = 1e-12
                    );
                    let norm = full.rows().into_iter().map(|row| row.dot(&row)).sum::<f64>();
                    approx::assert_relative_eq!(
                        operator.squared_norm().unwrap() * unit * unit,
                        norm,
                        max_relative = 1e-12
                    );
                    if let Some(leading) = operator.leading() {
                        let leading = Array2::from_shape_vec((n, 1), leading.to_vec()).expect("one column");
                        approx::assert_abs_diff_eq!(operator.apply(&leading, job)?, leading, epsilon = 1e-13);
                    }
                }
                Ok(())
            };
            parallel::run(2, || false, work).unwrap();
        }
    }

    /// Of rows a few bandwidths from their mean; where they are farther there is none.
    #[test]
    fn single_precision_is_near() {
        let n = 1300;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
        let block = Array2::from_shape_fn((n, 4), |(i, j)| ((i * 29 + j * 7) % 53) as f64 / 26.0 - 1.0);
        let points = Points::new(x.view(), 2.0);
        let work = |job: &Job| {
            let (double, single) =
                (Gaussian::new(&points, &Bandwidth::Fixed(2.0))?, GaussianF32::new(&points, 2.0, 1e-4));
            let single = single.expect("rows are near");
            let double = DiffusionOperator::new(TiledAffinity::Computed(&double), POSITIVE, 0.5, job)?;
            let single = DiffusionOperator::new(
                TiledAffinity::Computed(&single),
                AffinityInfo { error: single.error(), ..POSITIVE },
                0.5,
                job,
            )?;
            approx::assert_relative_eq!(single.trace().unwrap(), double.trace().unwrap(), max_relative = 1e-6);
            let norms = [single.squared_norm().unwrap(), double.squared_norm().unwrap()];
            approx::assert_relative_eq!(norms[0], norms[1], max_relative = 1e-6);
            approx::assert_abs_diff_eq!(single.apply(&block, job)?, double.apply(&block, job)?, epsilon = 1e-5);
            Ok(())
        };
        parallel::run(2, || false, work).unwrap();
        assert!(GaussianF32::new(&points, 1e-3, 1e-4).is_none());
    }
}
