//! Affinities of rows.
//!
//! ```text
//! G_ij = exp(-|x_i - x_j|^2 / (2 sigma_i sigma_j)),     sigma the bandwidth.
//! ```
//!
//! With one sigma for all rows this is the Gaussian affinity of arXiv 2312.04823, whose factor 1 / (sigma sqrt(2 pi))
//! cancels in every measure and is left out; with one a row it is the self-tuning affinity of Zelnik-Manor & Perona,
//! "Self-tuning spectral clustering" (2004), which need not be positive definite. Cost: the distances and N^2 / 2
//! exponentials.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, s};

use crate::data::distances::Distances;
use crate::data::points::Points;
use crate::error::{Error, Result, require_positive};
use crate::kernel::Kernel;
use crate::linalg::upper_triangle::{RowSums, TILE_COLUMNS, UpperTriangle, map_row_blocks, tiles};
use crate::runtime::parallel::Job;
use crate::runtime::simd::{negative_exponentials, negative_exponentials_of_products, negative_exponentials_single};

/// sigma, in units of the data.
#[derive(Debug, Clone, PartialEq)]
pub enum Bandwidth {
    /// One for all rows.
    Fixed(f64),
    /// One a row.
    Adaptive(Vec<f64>),
}

impl Bandwidth {
    /// Fails unless it is positive and finite, and there is one a row where there are several.
    pub(crate) fn require(&self, rows: usize) -> Result<()> {
        match self {
            Self::Fixed(sigma) => require_positive("bandwidth", *sigma),
            Self::Adaptive(sigmas) if sigmas.len() != rows => {
                Err(Error::invalid("bandwidth", format!("one number, or one for each of {rows} rows"), sigmas.len()))
            }
            Self::Adaptive(sigmas) => sigmas.iter().try_for_each(|&sigma| require_positive("bandwidth", sigma)),
        }
    }

    /// The smallest one, with which distances are to be compared.
    pub(crate) fn smallest(&self) -> f64 {
        match self {
            Self::Fixed(sigma) => *sigma,
            Self::Adaptive(sigmas) => sigmas.iter().copied().fold(f64::MAX, f64::min),
        }
    }

    /// That of some of the rows.
    pub(crate) fn of_rows(&self, rows: &[usize]) -> Self {
        match self {
            Self::Fixed(sigma) => Self::Fixed(*sigma),
            Self::Adaptive(sigmas) => Self::Adaptive(rows.iter().map(|&i| sigmas[i]).collect()),
        }
    }
}

/// The Gaussian affinity of rows whose distances were prepared for this bandwidth.
///
/// # Errors
/// [`crate::Error::Invalid`] for a bandwidth that is not positive and finite, or of another number of rows; out of
/// memory; interrupted.
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

/// The relative error of an exponential in f32.
const EXPONENTIAL_ERROR: f64 = 2e-7;

/// The Gaussian kernel of one bandwidth in f32, from Gram distances in f32: for estimates.
///
/// ```text
/// G_ij = exp(2 <y_i, y_j> - |y_i|^2 - |y_j|^2),     y = (x - m) / (sigma sqrt 2)
/// ```
pub(crate) struct GaussianF32 {
    rows: Array2<f32>,
    squared_norms: Vec<f32>,
    error: f64,
}

impl GaussianF32 {
    /// None where the relative error of an affinity could be above `tolerance`: where rows are many bandwidths from
    /// their mean.
    pub(crate) fn new(points: &Points, bandwidth: f64, tolerance: f64) -> Option<Self> {
        let scale = points.unit() / bandwidth / std::f64::consts::SQRT_2;
        let longest =
            points.squared_norms().iter().fold(0.0, |longest: f64, norm| longest.max(*norm)) * scale * scale;
        // Of D products and their sum, rounded. Measured: the largest error of an affinity is 0.4 to 0.9 of this at D = 64
        // and 512, and moves the entropy by less.
        let error = f64::from(f32::EPSILON) * longest * (points.dim() as f64).sqrt() + EXPONENTIAL_ERROR;
        if error.is_nan() || error > tolerance {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "this is where they are rounded")]
        let rows = points.centred().mapv(|entry| (entry * scale) as f32);
        // Of the rounded rows, so that equal rows have an affinity near 1.
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

    fn error(&self) -> f64 {
        self.error
    }
}

/// A Gaussian kernel on distances that were prepared for its bandwidth: affinities, tile by tile, stored nowhere.
pub(crate) struct Gaussian<'a> {
    distances: &'a dyn Distances,
    scale: Scale,
}

/// What squared distances are multiplied by before the exponential, in their unit.
enum Scale {
    Fixed(f64),
    /// The product of one of the row and one of the column, and 1/2.
    Adaptive(Vec<f64>),
}

impl<'a> Gaussian<'a> {
    pub(crate) fn new(distances: &'a dyn Distances, bandwidth: &Bandwidth) -> Result<Self> {
        bandwidth.require(distances.len())?;
        let scale = match bandwidth {
            Bandwidth::Fixed(sigma) => {
                let sigma = sigma / distances.unit();
                // A bandwidth far below all rounding of the data: the cap keeps 0 * rate at 0 for identical rows.
                Scale::Fixed((0.5 / sigma / sigma).min(f64::MAX))
            }
            Bandwidth::Adaptive(sigmas) => {
                // The cap does the same for products.
                Scale::Adaptive(sigmas.iter().map(|sigma| (distances.unit() / sigma).min(1e150)).collect())
            }
        };
        Ok(Self { distances, scale })
    }

    /// `weights[i] sum_j G_ij weights[j]`; with weights of 1, the row sums of the affinity.
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
        self.distances.squared_distances(rows.clone(), columns.clone(), out.view_mut());
        for (i, mut row) in rows.zip(out.rows_mut()) {
            let row = row.as_slice_mut().expect("the rows of a tile are contiguous");
            match &self.scale {
                Scale::Fixed(rate) => negative_exponentials(row, *rate),
                Scale::Adaptive(rates) => {
                    negative_exponentials_of_products(row, 0.5 * rates[i], &rates[columns.clone()]);
                }
            }
        }
    }

    fn error(&self) -> f64 {
        f64::EPSILON
    }
}

/// Multiplies each entry by that of its row and that of its column.
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
