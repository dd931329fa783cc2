//! Symmetric operators on an affinity in tiles, for matrix-vector products.
//!
//! ```text
//! Y = K X,     K = S G S     (diffusion operator)     or     K = G     (affinity)
//! ```
//!
//! S is the diagonal matrix of [`crate::operator::normalization`], G is read tile by tile as in
//! [`crate::operator::tiles`]. Cost of a product with b vectors: 2 N^2 b flops, and the affinities where they are not
//! stored.

use ndarray::Array2;

use crate::error::Result;
use crate::kernel::AffinityInfo;
use crate::linalg::scalar::Entry;
use crate::operator::normalization::{Density, Normalization, column, scale_rows};
use crate::operator::tiles::TiledAffinity;
use crate::operator::{PRODUCT_ROUNDING, SymmetricOperator};
use crate::runtime::parallel::Job;

/// The relative error of sums of products in f32. Measured, as a part of the operator's norm: 1e-8 to 2e-7 for a vector,
/// 3e-7 for the trace of a block.
const PRODUCT_ROUNDING_F32: f64 = 1e-6;

/// The relative error of products of entries with this relative error. Entries less precise than f64 are held in f32.
fn product_rounding(entry_error: f64) -> f64 {
    if entry_error > f64::EPSILON { PRODUCT_ROUNDING_F32 } else { PRODUCT_ROUNDING }
}

/// The symmetric diffusion operator of an affinity.
pub(crate) struct DiffusionOperator<'a, A> {
    affinity: TiledAffinity<'a, A>,
    info: AffinityInfo,
    scale: Vec<f64>,
    largest_row: f64,
    trace: f64,
    squared_norm: f64,
    rounding: f64,
    leading: Vec<f64>,
}

impl<'a, A: Entry> DiffusionOperator<'a, A> {
    /// Computes the degrees, the trace and the squared norm of K; see [`crate::diffusion_operator`].
    pub(crate) fn new(
        affinity: TiledAffinity<'a, A>,
        info: AffinityInfo,
        density: Density,
        job: &Job,
    ) -> Result<Self> {
        let n = affinity.dim();
        // An upper bound of the row sums of G, for the rounding of products: first by the largest entry, then the largest
        // row sum itself.
        let mut largest_row = n as f64 * info.max_entry;
        let normalization = Normalization::new(density, |factors| {
            let weights = density.weighted(factors);
            let vector = weights.as_deref().map_or_else(|| Array2::ones((n, 1)), column);
            let sums = affinity.times(&vector, largest_row, job)?;
            if let Some(weights) = weights {
                return Ok(sums.into_iter().zip(weights).map(|(sum, weight)| sum * weight).collect());
            }
            if info.max_entry.is_finite() {
                largest_row = sums.iter().fold(0.0, |largest: f64, sum| largest.max(*sum));
            }
            Ok(sums.into_iter().collect())
        })?;
        let scale = normalization.scale();
        let (trace, squared_norm) = affinity.scaled_moments(&scale, job)?;
        let leading = normalization.leading();
        let rounding = product_rounding(info.entry_error);
        Ok(Self { affinity, info, scale, largest_row, trace, squared_norm, rounding, leading })
    }

    /// Replaces the relative error of products, which by default follows from that of entries, where one is given.
    pub(crate) fn with_rounding(self, rounding: Option<f64>) -> Self {
        Self { rounding: rounding.unwrap_or(self.rounding), ..self }
    }
}

impl<A: Entry> SymmetricOperator for DiffusionOperator<'_, A> {
    fn dim(&self) -> usize {
        self.affinity.dim()
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        let mut scaled = x.clone();
        scale_rows(&mut scaled, &self.scale);
        let mut product = self.affinity.times(&scaled, self.largest_row, job)?;
        scale_rows(&mut product, &self.scale);
        Ok(product)
    }

    fn is_positive_semidefinite(&self) -> bool {
        self.info.positive_semidefinite
    }

    fn trace(&self) -> Option<f64> {
        Some(self.trace)
    }

    fn squared_norm(&self) -> Option<f64> {
        Some(self.squared_norm)
    }

    /// The rows of the random walk D^-1 G', which is similar to K, sum to 1.
    fn modulus_bound(&self) -> Option<f64> {
        Some(1.0)
    }

    fn leading(&self) -> Option<&[f64]> {
        Some(&self.leading)
    }

    fn entry_error(&self) -> f64 {
        self.info.entry_error.max(self.info.unit_roundoff)
    }

    fn unit_roundoff(&self) -> f64 {
        self.info.unit_roundoff
    }

    fn rounding(&self) -> f64 {
        self.rounding
    }
}

/// An affinity as the operator itself, or any symmetric matrix in tiles.
pub(crate) struct AffinityOperator<'a, A> {
    affinity: TiledAffinity<'a, A>,
    info: AffinityInfo,
    largest_row: f64,
    trace: f64,
    squared_norm: f64,
    rounding: f64,
}

impl<'a, A: Entry> AffinityOperator<'a, A> {
    /// Computes the trace and the squared norm.
    pub(crate) fn new(affinity: TiledAffinity<'a, A>, info: AffinityInfo, job: &Job) -> Result<Self> {
        let (trace, squared_norm) = affinity.moments(&vec![1.0; affinity.dim()], job)?;
        let n = affinity.dim() as f64;
        let largest_row = if info.max_entry.is_finite() { (n * squared_norm).sqrt() } else { info.max_entry };
        let rounding = product_rounding(info.entry_error);
        Ok(Self { affinity, info, largest_row, trace, squared_norm, rounding })
    }

    /// Replaces the relative error of products, which by default follows from that of entries, where one is given.
    pub(crate) fn with_rounding(self, rounding: Option<f64>) -> Self {
        Self { rounding: rounding.unwrap_or(self.rounding), ..self }
    }
}

impl<A: Entry> SymmetricOperator for AffinityOperator<'_, A> {
    fn dim(&self) -> usize {
        self.affinity.dim()
    }

    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>> {
        self.affinity.times(x, self.largest_row, job)
    }

    fn is_positive_semidefinite(&self) -> bool {
        self.info.positive_semidefinite
    }

    fn trace(&self) -> Option<f64> {
        Some(self.trace)
    }

    fn squared_norm(&self) -> Option<f64> {
        Some(self.squared_norm)
    }

    fn entry_error(&self) -> f64 {
        self.info.entry_error.max(self.info.unit_roundoff)
    }

    fn unit_roundoff(&self) -> f64 {
        self.info.unit_roundoff
    }

    fn rounding(&self) -> f64 {
        self.rounding
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::Points;
    use crate::kernel::Kernel;
    use crate::kernel::bandwidth::Bandwidth;
    use crate::kernel::gaussian::Gaussian;
    use crate::kernel::gaussian_f32::GaussianF32;
    use crate::kernel::precomputed::GivenAffinities;
    use crate::linalg::scalar::F64_ROUNDOFF;
    use crate::linalg::scaling::{power_of_two, power_of_two_near};
    use crate::operator::tiles::StoredTiles;
    use crate::{diffusion_operator, parallel};

    const POSITIVE: AffinityInfo = AffinityInfo {
        positive_semidefinite: true,
        entry_error: f64::EPSILON,
        unit_roundoff: F64_ROUNDOFF,
        max_entry: 1.0,
    };

    /// Products with the tiles, stored and computed, against products with the matrix K, over several strips and tiles.
    /// They are rounded to 2^-52 of the largest sum that they could have.
    #[test]
    fn products_equal_those_of_the_matrix() {
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
                let stored =
                    DiffusionOperator::new(TiledAffinity::Stored(&g), POSITIVE, Density::of_rows(alpha), job)?;
                let tiled =
                    DiffusionOperator::new(TiledAffinity::Computed(&kernel), POSITIVE, Density::of_rows(alpha), job)?;
                let full = Array2::from_shape_fn((n, n), |(i, j)| k.get(i, j));
                // Scaled to a largest entry in 1..2, so that 1 is the unit of the given affinities.
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

    /// The trace and the squared norm of K, and its products, do not depend on the scale of a block of given affinities.
    #[test]
    fn blocks_of_any_scale_are_normalised_alike() {
        let n = 40;
        let joined = |exponent: i32| {
            let scale = power_of_two(exponent);
            Array2::from_shape_fn((2 * n, 2 * n), |(i, j)| {
                let entry = 1.0 / (1 + i.abs_diff(j)) as f64;
                if (i < n) == (j < n) { entry * if i < n { 1.0 } else { scale } } else { 0.0 }
            })
        };
        let ends = Array2::from_shape_fn((2 * n, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64 - 26.0);
        for alpha in [0.0, 0.5, 1.0] {
            let of = |exponent| {
                let matrix = joined(exponent);
                let given = GivenAffinities::new(matrix.view());
                let info = AffinityInfo { max_entry: f64::INFINITY, ..POSITIVE };
                let work = |job: &Job| {
                    let operator =
                        DiffusionOperator::new(TiledAffinity::Computed(&given), info, Density::of_rows(alpha), job)?;
                    Ok((operator.trace, operator.squared_norm, operator.apply(&ends, job)?))
                };
                parallel::run(1, || false, work).unwrap()
            };
            let expected = of(0);
            for exponent in [-1000, -600] {
                let computed = of(exponent);
                approx::assert_relative_eq!(computed.0, expected.0, max_relative = 1e-13);
                approx::assert_relative_eq!(computed.1, expected.1, max_relative = 1e-13);
                approx::assert_abs_diff_eq!(computed.2, expected.2, epsilon = 1e-12);
            }
        }
    }

    /// Products in f32 for rows a few bandwidths from their mean; for rows that are farther there is no kernel in f32.
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
            let double =
                DiffusionOperator::new(TiledAffinity::Computed(&double), POSITIVE, Density::of_rows(0.5), job)?;
            let single = DiffusionOperator::new(
                TiledAffinity::Computed(&single),
                AffinityInfo { entry_error: single.entry_error(), ..POSITIVE },
                Density::of_rows(0.5),
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
