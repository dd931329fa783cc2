//! The Gaussian affinity of one bandwidth in f32, from Gram distances in f32, for estimates.
//!
//! ```text
//! G_ij = exp(2 <y_i, y_j> - |y_i|^2 - |y_j|^2),     y = (x - m) / (sigma sqrt 2),     m the mean row
//! ```
//!
//! The rounding of the products limits the relative error of an affinity to about eps sqrt(D) max |y|^2, which is small
//! where rows are within a few bandwidths of their mean. Cost: N^2 D flops and N^2 / 2 exponentials in f32.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, s};

use crate::data::distances::Distances;
use crate::data::points::Points;
use crate::kernel::Kernel;
use crate::runtime::simd::negative_exponentials_single;

/// The relative error of an exponential in f32.
const EXPONENTIAL_ERROR: f64 = 2e-7;

/// A Gaussian kernel of rows in f32.
pub(crate) struct GaussianF32 {
    rows: Array2<f32>,
    squared_norms: Vec<f32>,
    error: f64,
}

impl GaussianF32 {
    /// Prepares the rows, or returns None where the relative error of an affinity could be above `tolerance`, because
    /// rows are many bandwidths from their mean.
    pub(crate) fn new(points: &Points, bandwidth: f64, tolerance: f64) -> Option<Self> {
        let scale = points.unit() / bandwidth / std::f64::consts::SQRT_2;
        let longest =
            points.squared_norms().iter().fold(0.0, |longest: f64, norm| longest.max(*norm)) * scale * scale;
        // The rounding of D products and of their sum. Measured: the largest error of an affinity is 0.4 to 0.9 of this
        // bound at D = 64 and 512, and the entropy changes by less.
        let error = f64::from(f32::EPSILON) * longest * (points.dim() as f64).sqrt() + EXPONENTIAL_ERROR;
        if error.is_nan() || error > tolerance {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "this is where they are rounded")]
        let rows = points.centred().mapv(|entry| (entry * scale) as f32);
        // Norms of the rounded rows, so that equal rows have an affinity near 1.
        let squared_norms = rows.rows().into_iter().map(|row| row.dot(&row)).collect();
        Some(Self { rows, squared_norms, error })
    }
}

impl Kernel<f32> for GaussianF32 {
    fn len(&self) -> usize {
        self.rows.nrows()
    }

    fn affinities(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f32>) {
        let (left, right) = (self.rows.slice(s![rows.clone(), ..]), self.rows.slice(s![columns.clone(), ..]));
        general_mat_mul(2.0, &left, &right.t(), 0.0, &mut out);
        for (i, mut row) in rows.zip(out.rows_mut()) {
            let row = row.as_slice_mut().expect("the rows of a tile are contiguous");
            negative_exponentials_single(row, self.squared_norms[i], &self.squared_norms[columns.clone()]);
        }
    }

    fn entry_error(&self) -> f64 {
        self.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// exp(-|x - y|^2 / (2 sigma^2)) entry by entry. The kernel states an error for independent roundings, eps sqrt(D)
    /// max |y|^2; the bound for any roundings is (2 D + 4) eps max |y|^2.
    #[test]
    fn affinities_follow_the_formula() {
        let n = 90;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
        let kernel = GaussianF32::new(&Points::new(x.view(), 4.0), 4.0, 1e-4).expect("rows are near their mean");
        let bound = 10.0 / 3f64.sqrt() * kernel.entry_error();
        let mut tile = Array2::zeros((n, n));
        kernel.affinities(0..n, 0..n, tile.view_mut());
        for ((i, j), &affinity) in tile.indexed_iter() {
            let squared: f64 = (0..3).map(|k| (x[[i, k]] - x[[j, k]]).powi(2)).sum();
            approx::assert_relative_eq!(f64::from(affinity), (-squared / 32.0).exp(), max_relative = bound);
        }
    }

    #[test]
    fn rows_many_bandwidths_apart_are_left_to_f64() {
        let x = Array2::from_shape_fn((20, 2), |(i, j)| (i * 3 + j) as f64);
        assert!(GaussianF32::new(&Points::new(x.view(), 1e-3), 1e-3, 1e-4).is_none());
    }
}
