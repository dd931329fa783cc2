//! Affinities of rows.
//!
//! ```text
//! G_ij = exp(-|x_i - x_j|^2 / (2 sigma^2)),     sigma the bandwidth.
//! ```
//!
//! The factor 1 / (sigma sqrt(2 pi)) of arXiv 2312.04823 cancels in every measure and is left out. Cost: the
//! distances and N^2 / 2 exponentials.

use ndarray::s;

use crate::distance::Points;
use crate::error::{Result, require_positive};
use crate::parallel::Job;
use crate::simd::negative_exponentials;
use crate::triangle::UpperTriangle;

/// The Gaussian affinity of rows that were prepared for this bandwidth.
///
/// # Errors
/// [`crate::Error::Invalid`] for a bandwidth that is not positive and finite; out of memory; interrupted.
pub fn gaussian_affinity(points: &Points, bandwidth: f64, job: &Job) -> Result<UpperTriangle> {
    require_positive("bandwidth", bandwidth)?;
    let sigma = bandwidth / points.unit();
    // A bandwidth far below all rounding of the data: the cap keeps 0 * rate at 0 for identical rows.
    let rate = (0.5 / sigma / sigma).min(f64::MAX);
    let mut affinity = UpperTriangle::zeros(points.len())?;
    affinity.for_each_block(job, |first, mut block| {
        let (height, width) = block.dim();
        // Columns a block at a time, so that a tile is still in the cache when its exponentials are taken.
        for column in (0..width).step_by(height) {
            let columns = column..(column + height).min(width);
            let mut tile = block.slice_mut(s![.., columns.clone()]);
            points.squared_distances(
                first..first + height,
                first + columns.start..first + columns.end,
                tile.view_mut(),
            );
            for mut row in tile.rows_mut() {
                negative_exponentials(row.as_slice_mut().expect("the rows of a tile are contiguous"), rate);
            }
        }
    })?;
    Ok(affinity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;
    use ndarray::{Array2, array};

    fn affinity(x: &Array2<f64>, bandwidth: f64) -> UpperTriangle {
        let points = Points::new(x.view(), bandwidth);
        parallel::run(2, || false, |job| gaussian_affinity(&points, bandwidth, job)).unwrap()
    }

    #[test]
    fn one_bandwidth_away_is_exp_of_minus_a_half() {
        for scale in [1e-200, 1.0, 3.0, 1e200] {
            let g = affinity(&array![[0.0], [scale], [scale]], scale);
            approx::assert_relative_eq!(g.get(0, 1), (-0.5_f64).exp(), max_relative = 1e-14);
            assert_eq!((g.get(0, 0), g.get(1, 2)), (1.0, 1.0));
        }
    }

    #[test]
    fn entries_follow_the_formula_across_blocks() {
        let x = Array2::from_shape_fn((300, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
        let g = affinity(&x, 4.0);
        for i in 0..300 {
            for j in 0..300 {
                let squared: f64 = (0..3).map(|k| (x[[i, k]] - x[[j, k]]).powi(2)).sum();
                approx::assert_relative_eq!(g.get(i, j), (-squared / 32.0).exp(), max_relative = 1e-12);
            }
        }
    }

    #[test]
    fn bandwidth_far_below_the_data_separates_all_but_duplicates() {
        let g = affinity(&array![[1.0], [2.0], [2.0]], 1e-300);
        assert_eq!((g.get(0, 1), g.get(1, 2)), (0.0, 1.0));
    }
}
