//! The Gaussian affinity of rows.
//!
//! ```text
//! G_ij = exp(-|x_i - x_j|^2 / (2 sigma_i sigma_j)),     sigma the bandwidth.
//! ```
//!
//! With one sigma for all rows this is the Gaussian affinity of arXiv 2312.04823, whose factor 1 / (sigma sqrt(2 pi))
//! cancels in every measure and is left out. With one sigma per row it is the self-tuning affinity of Zelnik-Manor &
//! Perona, "Self-tuning spectral clustering" (NIPS 2004), which need not be positive definite. Cost: the distances and
//! N^2 / 2 exponentials.

use std::ops::Range;

use ndarray::{Array2, ArrayViewMut2, s};

use crate::data::distances::{Distances, StoredDistances};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::kernel::bandwidth::Bandwidth;
use crate::linalg::upper_triangle::{RowSums, TILE_COLUMNS, UpperTriangle, map_row_blocks, tiles};
use crate::runtime::parallel::Job;
use crate::runtime::simd::{negative_exponentials, negative_exponentials_of_products};

/// The largest factor 1 / sigma of a row, in units of the distances, so that the product of two is finite.
const LARGEST_RATE: f64 = 1e150;

/// The Gaussian affinity of rows whose distances were prepared for this bandwidth.
///
/// # Errors
/// [`crate::Error::Invalid`] for a bandwidth that is not positive and finite, or of another number of rows;
/// [`crate::Error::OutOfMemory`]; [`crate::Error::Interrupted`].
pub fn gaussian_affinity(distances: &dyn Distances, bandwidth: &Bandwidth, job: &Job) -> Result<UpperTriangle> {
    let kernel = Gaussian::new(distances, bandwidth)?;
    let mut affinity = UpperTriangle::zeros(kernel.len())?;
    affinity.for_each_block(job, |first, mut block| {
        for columns in tiles(first, kernel.len()) {
            let tile = block.slice_mut(s![.., columns.start - first..columns.end - first]);
            kernel.affinities(first..first + tile.nrows(), columns, tile);
        }
    })?;
    Ok(affinity)
}

/// The Gaussian affinity of distances that are stored, whose memory it takes.
///
/// # Errors
/// The errors of [`gaussian_affinity`].
pub(crate) fn affinity_in_place(
    distances: StoredDistances,
    bandwidth: &Bandwidth,
    job: &Job,
) -> Result<UpperTriangle> {
    let rate = Rate::new(&distances, bandwidth)?;
    let mut affinity = distances.into_entries();
    let n = affinity.dim();
    affinity.for_each_block(job, |first, mut block| {
        for columns in tiles(first, n) {
            let tile = block.slice_mut(s![.., columns.start - first..columns.end - first]);
            rate.exponentials(first..first + tile.nrows(), columns, tile);
        }
    })?;
    Ok(affinity)
}

/// A Gaussian kernel on distances that were prepared for its bandwidth. Its affinities are computed tile by tile and
/// stored nowhere.
pub(crate) struct Gaussian<'a> {
    distances: &'a dyn Distances,
    rate: Rate,
}

/// The factor of squared distances, in their unit, before the exponential.
enum Rate {
    /// 1 / (2 sigma^2).
    Fixed(f64),
    /// 1 / sigma of each row: the factor of a pair is half the product of its two.
    Adaptive(Vec<f64>),
    /// No factor, where squares exceed the range of f64: distances are divided by the bandwidth before they are squared.
    OfDistances(Bandwidth),
}

impl Rate {
    /// Prepares the factors for distances.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for a bandwidth that is not positive and finite, or of another number of rows.
    fn new(distances: &dyn Distances, bandwidth: &Bandwidth) -> Result<Self> {
        bandwidth.require(distances.len())?;
        Ok(match bandwidth {
            _ if distances.exceeds_squares() => Self::OfDistances(bandwidth.clone()),
            Bandwidth::Fixed(sigma) => {
                let sigma = sigma / distances.unit();
                // A bandwidth far below all rounding of the data: with a finite factor, identical rows keep affinity 1.
                Self::Fixed((0.5 / sigma / sigma).min(f64::MAX))
            }
            Bandwidth::Adaptive(sigmas) => {
                Self::Adaptive(sigmas.iter().map(|sigma| (distances.unit() / sigma).min(LARGEST_RATE)).collect())
            }
        })
    }

    /// Turns a tile of squared distances, or of distances where there is no factor, into affinities.
    fn exponentials(&self, rows: Range<usize>, columns: Range<usize>, mut tile: ArrayViewMut2<f64>) {
        for (i, mut row) in rows.zip(tile.rows_mut()) {
            let row = row.as_slice_mut().expect("the rows of a tile are contiguous");
            match self {
                Self::Fixed(rate) => negative_exponentials(row, *rate),
                Self::Adaptive(rates) => {
                    negative_exponentials_of_products(row, 0.5 * rates[i], &rates[columns.clone()]);
                }
                Self::OfDistances(bandwidth) => {
                    for (j, entry) in columns.clone().zip(row.iter_mut()) {
                        let ratio = |row| (*entry / bandwidth.of_row(row)).min(f64::MAX);
                        *entry = ratio(i) * ratio(j);
                    }
                    negative_exponentials(row, 0.5);
                }
            }
        }
    }
}

impl<'a> Gaussian<'a> {
    /// Prepares the factors.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for a bandwidth that is not positive and finite, or of another number of rows.
    pub(crate) fn new(distances: &'a dyn Distances, bandwidth: &Bandwidth) -> Result<Self> {
        Ok(Self { distances, rate: Rate::new(distances, bandwidth)? })
    }

    /// The row sums of W G W, W the diagonal matrix of `weights`, or of G where there are none.
    pub(crate) fn weighted_row_sums(&self, weights: Option<&[f64]>, job: &Job) -> Result<Vec<f64>> {
        let n = self.len();
        let sums = map_row_blocks(n, job, |rows| {
            let mut sums = RowSums::new(rows.start, n);
            let mut tile = Array2::zeros((rows.len(), TILE_COLUMNS));
            for columns in tiles(rows.start, n) {
                let mut tile = tile.slice_mut(s![.., ..columns.len()]);
                self.affinities(rows.clone(), columns.clone(), tile.view_mut());
                if let Some(weights) = weights {
                    multiply(tile.view_mut(), &weights[rows.clone()], &weights[columns.clone()]);
                }
                sums.add(rows.start, columns.start, tile.view());
            }
            sums
        })?;
        Ok(RowSums::total(sums, n))
    }
}

impl Kernel<f64> for Gaussian<'_> {
    fn len(&self) -> usize {
        self.distances.len()
    }

    fn affinities(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        if matches!(self.rate, Rate::OfDistances(_)) {
            self.distances.distances(rows.clone(), columns.clone(), out.view_mut());
        } else {
            self.distances.squared_distances(rows.clone(), columns.clone(), out.view_mut());
        }
        self.rate.exponentials(rows, columns, out);
    }

    fn entry_error(&self) -> f64 {
        f64::EPSILON
    }
}

/// Multiplies each entry of a tile by the numbers of its row and of its column.
pub(crate) fn multiply(mut tile: ArrayViewMut2<f64>, of_rows: &[f64], of_columns: &[f64]) {
    for (row, own) in tile.rows_mut().into_iter().zip(of_rows) {
        for (entry, other) in row.into_iter().zip(of_columns) {
            *entry = *entry * own * other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::Points;
    use crate::runtime::parallel;
    use ndarray::array;

    fn affinity(x: &Array2<f64>, bandwidth: f64) -> UpperTriangle {
        let points = Points::new(x.view(), bandwidth);
        parallel::run(2, || false, |job| gaussian_affinity(&points, &Bandwidth::Fixed(bandwidth), job)).unwrap()
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
        let bandwidth = Bandwidth::Fixed(4.0);
        let degrees =
            parallel::run(2, || false, |job| Gaussian::new(&points, &bandwidth)?.weighted_row_sums(None, job))
                .unwrap();
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

    #[test]
    fn one_bandwidth_a_row_enters_as_the_product_of_two() {
        let n = 1100;
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0);
        let sigmas: Vec<f64> = (0..n).map(|i| 2.0 + (i % 7) as f64).collect();
        for scale in [1e-200, 1.0, 1e200] {
            let x = &x * scale;
            let bandwidth = Bandwidth::Adaptive(sigmas.iter().map(|sigma| sigma * scale).collect());
            let points = Points::new(x.view(), bandwidth.smallest());
            let g = parallel::run(2, || false, |job| gaussian_affinity(&points, &bandwidth, job)).unwrap();
            for (i, j) in [(0, 0), (3, 500), (95, 96), (7, 1099), (1099, 1099)] {
                let squared: f64 = (0..3).map(|k| ((x[[i, k]] - x[[j, k]]) / scale).powi(2)).sum();
                let expected = (-squared / (2.0 * sigmas[i] * sigmas[j])).exp();
                approx::assert_relative_eq!(g.get(i, j), expected, max_relative = 1e-12);
            }
        }
    }

    #[test]
    fn bandwidths_that_do_not_fit_are_refused() {
        let points = Points::new(array![[0.0], [1.0]].view(), 1.0);
        for bad in [Bandwidth::Adaptive(vec![1.0]), Bandwidth::Adaptive(vec![1.0, 0.0]), Bandwidth::Fixed(-1.0)] {
            let error = parallel::run(1, || false, |job| gaussian_affinity(&points, &bad, job)).unwrap_err();
            assert!(error.to_string().starts_with("bandwidth must be"), "{error}");
        }
    }
}
