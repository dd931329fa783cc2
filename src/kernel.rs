//! Affinities of rows.
//!
//! ```text
//! G_ij = exp(-|x_i - x_j|^2 / (2 sigma^2)),     sigma the bandwidth.
//! ```
//!
//! The factor 1 / (sigma sqrt(2 pi)) of arXiv 2312.04823 cancels in every measure and is left out. Cost: the
//! distances and N^2 / 2 exponentials.

use std::ops::Range;

use ndarray::{Array2, ArrayViewMut2, s};

use crate::distance::Points;
use crate::error::{Result, require_positive};
use crate::parallel::Job;
use crate::simd::negative_exponentials;
use crate::triangle::{RowSums, UpperTriangle, map_row_blocks};

/// Columns of a tile, which is still in the cache of a core when its exponentials are taken.
pub(crate) const TILE_COLUMNS: usize = 1024;

/// The Gaussian affinity of rows that were prepared for this bandwidth.
///
/// # Errors
/// [`crate::Error::Invalid`] for a bandwidth that is not positive and finite; out of memory; interrupted.
pub fn gaussian_affinity(points: &Points, bandwidth: f64, job: &Job) -> Result<UpperTriangle> {
    let kernel = Gaussian::new(points, bandwidth)?;
    let mut affinity = UpperTriangle::zeros(points.len())?;
    affinity.for_each_block(job, |first, mut block| {
        for columns in kernel.tiles(first) {
            let tile = block.slice_mut(s![.., columns.start - first..columns.end - first]);
            kernel.affinities(first..first + tile.nrows(), columns, tile);
        }
    })?;
    Ok(affinity)
}

/// A Gaussian kernel on rows that were prepared for its bandwidth: affinities, tile by tile, stored nowhere.
pub(crate) struct Gaussian<'a> {
    points: &'a Points,
    rate: f64,
}

impl<'a> Gaussian<'a> {
    pub(crate) fn new(points: &'a Points, bandwidth: f64) -> Result<Self> {
        require_positive("bandwidth", bandwidth)?;
        let sigma = bandwidth / points.unit();
        // A bandwidth far below all rounding of the data: the cap keeps 0 * rate at 0 for identical rows.
        Ok(Self { points, rate: (0.5 / sigma / sigma).min(f64::MAX) })
    }

    /// The columns of the tiles of a block of rows of the upper triangle, from its first row's diagonal on.
    pub(crate) fn tiles(&self, first: usize) -> impl Iterator<Item = Range<usize>> {
        let n = self.points.len();
        (first..n).step_by(TILE_COLUMNS).map(move |column| column..(column + TILE_COLUMNS).min(n))
    }

    /// Writes the affinities of `rows` to `columns` into `out`, [rows, columns].
    pub(crate) fn affinities(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        self.points.squared_distances(rows, columns, out.view_mut());
        for mut row in out.rows_mut() {
            negative_exponentials(row.as_slice_mut().expect("the rows of a tile are contiguous"), self.rate);
        }
    }

    /// The row sums of the affinity.
    pub(crate) fn degrees(&self, job: &Job) -> Result<Vec<f64>> {
        let n = self.points.len();
        let sums = map_row_blocks(n, job, |rows| {
            let mut sums = RowSums::new(rows.start, n);
            let mut tile = Array2::zeros((rows.len(), TILE_COLUMNS));
            for columns in self.tiles(rows.start) {
                let mut tile = tile.slice_mut(s![.., ..columns.len()]);
                self.affinities(rows.clone(), columns.clone(), tile.view_mut());
                sums.add(rows.start, columns.start, tile.view());
            }
            sums
        })?;
        Ok(RowSums::total(sums, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;
    use ndarray::array;

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
    fn degrees_are_the_row_sums_of_what_is_stored() {
        let x = Array2::from_shape_fn((1100, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
        let points = Points::new(x.view(), 4.0);
        let degrees = parallel::run(2, || false, |job| Gaussian::new(&points, 4.0)?.degrees(job)).unwrap();
        let g = affinity(&x, 4.0);
        for (i, degree) in degrees.into_iter().enumerate() {
            approx::assert_relative_eq!(degree, (0..1100).map(|j| g.get(i, j)).sum(), max_relative = 1e-14);
        }
    }

    #[test]
    fn bandwidth_far_below_the_data_separates_all_but_duplicates() {
        let g = affinity(&array![[1.0], [2.0], [2.0]], 1e-300);
        assert_eq!((g.get(0, 1), g.get(1, 2)), (0.0, 1.0));
    }
}
