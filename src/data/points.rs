//! Squared Euclidean distances of rows, each with a relative error near 1e-12 for any input.
//!
//! Tiles come from the Gram trick on centred rows,
//!
//! ```text
//! |x - y|^2 = |x - m|^2 + |y - m|^2 - 2 <x - m, y - m>,     m the mean row,
//! ```
//!
//! one matrix product a tile. Its error is a few eps (|x - m|^2 + |y - m|^2). So a distance that is small against that
//! sum (duplicates, tight groups far apart) is computed again as sum (x - y)^2 of the rows before they were centred,
//! which is exact for integers. Centred rows are in units of a power of two, which rounds nothing, so that no square
//! overflows; where squares of some distances underflow beside others, distances themselves are given
//! ([`Distances::distances`]). Cost: N^2 D flops for one triangle.

use std::ops::Range;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, s};

use crate::data::distances::{Distances, common_exponent};
use crate::data::wide_square::WideSquare;
use crate::linalg::scalar::Element;
use crate::linalg::scaling::{binary_exponent, halves, max_abs, power_of_two};
use crate::runtime::simd::{add_norms, sum_of_squares};

/// A Gram distance below this part of |x - m|^2 + |y - m|^2 is computed again. eps / `RECOMPUTE_BELOW` is about 1e-12.
const RECOMPUTE_BELOW: f64 = 1.0 / 4096.0;

/// Bits of the rounded mean row, below the leading bit of the largest entry.
const MEAN_BITS: i32 = 30;

/// Sums of squared norms below this have lost digits to underflow, so their Gram distances are computed again.
const SMALLEST_NORM: f64 = 1e-280;

/// Squares of 2^-52 of numbers with larger exponents are above 1e-270.
const SMALLEST_EXPONENT: i32 = -390;

const TILE_ROWS: &str = "the rows of `out` are contiguous";

const CONTIGUOUS: &str = "rows of an owned array in standard layout are contiguous";

/// The rows of a data set [N, D], prepared for distances in units of [`Points::unit`].
#[derive(Debug)]
pub struct Points {
    /// The rows in units of the data.
    rows: Array2<f64>,
    centred: Array2<f64>,
    mean: Array1<f64>,
    squared_norms: Array1<f64>,
    exponent: i32,
    exceeds_squares: bool,
}

impl Points {
    /// Prepares rows whose distances are to be compared with `length` (a bandwidth). Entries must be finite.
    pub fn new<T: Element>(x: ArrayView2<T>, length: f64) -> Self {
        let rows = in_rows(x);
        let exponent = common_exponent(length, max_abs(rows.rows()));
        Self::with_exponent(rows, exponent, None).compared_with(length)
    }

    /// Prepares rows as [`Points::new`] does, centred on a mean that is rounded to few digits, so that its bits do not
    /// depend on the order in which it was summed.
    pub(crate) fn around_rounded_mean<T: Element>(x: ArrayView2<T>, length: f64) -> Self {
        let rows = in_rows(x);
        let largest = max_abs(rows.rows());
        let exponent = common_exponent(length, largest);
        let mean = scaled_mean(&rows, exponent);
        Self::with_exponent(rows, exponent, Some(rounded_mean(mean, largest, exponent))).compared_with(length)
    }

    /// Prepares some of the rows as [`Points::around_rounded_mean`] prepares all, given the largest magnitude of an entry
    /// and the mean of all rows.
    pub(crate) fn of_chunk<T: Element>(x: ArrayView2<T>, length: f64, largest: f64, mean: ArrayView1<f64>) -> Self {
        let exponent = common_exponent(length, largest);
        let (first, second) = halves(-exponent);
        let mean = rounded_mean(mean.mapv(|entry| entry * first * second), largest, exponent);
        Self::with_exponent(in_rows(x), exponent, Some(mean)).compared_with(length)
    }

    /// Prepares rows whose distances are only compared with each other.
    pub fn in_own_scale<T: Element>(x: ArrayView2<T>) -> Self {
        let rows = in_rows(x);
        let exponent = binary_exponent(max_abs(rows.rows()));
        Self::with_exponent(rows, exponent, None)
    }

    /// Prepares rows in their own scale that are not centred: distances of rows far from the origin lose digits.
    pub(crate) fn about_origin<T: Element>(x: ArrayView2<T>) -> Self {
        let rows = in_rows(x);
        let exponent = binary_exponent(max_abs(rows.rows()));
        let origin = Array1::zeros(rows.ncols());
        Self::with_exponent(rows, exponent, Some(origin))
    }

    /// Centres rows, in units of 2^exponent, on `mean` in these units or else on their own.
    fn with_exponent(rows: Array2<f64>, exponent: i32, mean: Option<Array1<f64>>) -> Self {
        let (first, second) = halves(-exponent);
        let mut centred = rows.mapv(|entry| entry * first * second);
        let mean =
            mean.unwrap_or_else(|| centred.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(centred.ncols())));
        centred -= &mean;
        let squared_norms: Array1<f64> =
            centred.rows().into_iter().map(|row| sum_of_squares(row.to_slice().expect(CONTIGUOUS))).collect();
        Self { rows, centred, mean, squared_norms, exponent, exceeds_squares: false }
    }

    /// Notes whether squares of distances near `length` may underflow.
    fn compared_with(mut self, length: f64) -> Self {
        self.exceeds_squares = self.exponent > binary_exponent(length);
        self
    }

    /// Whether the square of each positive distance has all its digits in the unit of [`Points::in_own_scale`]. Entries are
    /// multiples of 2^-52 of the smallest, and so are their differences.
    pub(crate) fn has_exact_squares(&self) -> bool {
        let nonzero = |entry: f64| if entry == 0.0 { f64::INFINITY } else { entry.abs() };
        let smallest = self.rows.iter().fold(f64::INFINITY, |smallest, &entry| smallest.min(nonzero(entry)));
        binary_exponent(smallest) - self.exponent > SMALLEST_EXPONENT
    }

    /// D, the number of columns.
    pub fn dim(&self) -> usize {
        self.rows.ncols()
    }

    /// The row i in units of the data, which is not centred.
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        self.rows.row(i).to_slice().expect(CONTIGUOUS)
    }

    /// The sum of (x - y)^2 over the columns of rows i and j, which are not centred.
    pub(crate) fn squared_distance(&self, i: usize, j: usize) -> WideSquare {
        WideSquare::between(self.row(i), self.row(j))
    }

    /// The binary exponent of [`Points::unit`].
    pub(crate) fn exponent(&self) -> i32 {
        self.exponent
    }

    /// -2 <x - m, y - m> of `rows` and `columns`.
    fn gram_products(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        let left = self.centred.slice(s![rows, ..]);
        let right = self.centred.slice(s![columns, ..]);
        general_mat_mul(-2.0, &left, &right.t(), 0.0, &mut out);
    }

    /// The squared norms as a slice.
    fn norms(&self) -> &[f64] {
        self.squared_norms.as_slice().expect("a vector of our own is contiguous")
    }

    /// The centred rows x - m, in units of [`Points::unit`].
    pub(crate) fn centred(&self) -> &Array2<f64> {
        &self.centred
    }

    /// The mean row m, in units of [`Points::unit`].
    pub(crate) fn mean(&self) -> &Array1<f64> {
        &self.mean
    }

    /// The squared norms |x - m|^2, in the square of [`Points::unit`].
    pub(crate) fn squared_norms(&self) -> &Array1<f64> {
        &self.squared_norms
    }
}

impl Distances for Points {
    fn len(&self) -> usize {
        self.rows.nrows()
    }

    fn unit(&self) -> f64 {
        power_of_two(self.exponent)
    }

    fn squared_distances(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        self.gram_products(rows.clone(), columns.clone(), out.view_mut());
        let norms = self.norms();
        for (i, mut line) in rows.zip(out.rows_mut()) {
            let line = line.as_slice_mut().expect(TILE_ROWS);
            if !add_norms(line, norms[i], &norms[columns.clone()], RECOMPUTE_BELOW) {
                continue;
            }
            for (j, entry) in columns.clone().zip(line) {
                if i == j {
                    *entry = 0.0;
                } else if *entry < RECOMPUTE_BELOW * (norms[i] + norms[j]) {
                    *entry = self.squared_distance(i, j).in_unit(self.exponent);
                }
            }
        }
    }

    fn exceeds_squares(&self) -> bool {
        self.exceeds_squares
    }

    fn distances(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        self.gram_products(rows.clone(), columns.clone(), out.view_mut());
        let norms = self.norms();
        let (half, rest) = halves(self.exponent);
        for (i, mut line) in rows.zip(out.rows_mut()) {
            let line = line.as_slice_mut().expect(TILE_ROWS);
            let near = add_norms(line, norms[i], &norms[columns.clone()], RECOMPUTE_BELOW);
            if !near && norms[i] >= SMALLEST_NORM {
                for entry in line {
                    *entry = entry.sqrt() * half * rest;
                }
                continue;
            }
            for (j, entry) in columns.clone().zip(line) {
                let norms = norms[i] + norms[j];
                *entry = if i == j {
                    0.0
                } else if *entry < RECOMPUTE_BELOW * norms || norms < SMALLEST_NORM {
                    self.squared_distance(i, j).root()
                } else {
                    entry.sqrt() * half * rest
                };
            }
        }
    }
}

/// A copy in f64 and row-major order.
fn in_rows<T: Element>(x: ArrayView2<T>) -> Array2<f64> {
    let mut rows = Array2::zeros(x.raw_dim());
    rows.zip_mut_with(&x, |entry, &given| *entry = given.into());
    rows
}

/// The mean row in units of 2^exponent.
fn scaled_mean(rows: &Array2<f64>, exponent: i32) -> Array1<f64> {
    let (first, second) = halves(-exponent);
    let n = rows.nrows() as f64;
    let mut mean = Array1::zeros(rows.ncols());
    for row in rows.rows() {
        mean.zip_mut_with(&row, |sum, entry| *sum += entry * first * second / n);
    }
    mean
}

/// Rounds a mean row in units of 2^exponent to 2^-30 of the largest entry.
fn rounded_mean(mean: Array1<f64>, largest: f64, exponent: i32) -> Array1<f64> {
    // Every f64 is a multiple of 2^-1074, so a finer grid rounds nothing.
    let (half, rest) = halves((MEAN_BITS - binary_exponent(largest) + exponent).min(1074));
    mean.mapv_into(|entry| (entry * half * rest).round() / half / rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn all_pairs(points: &Points) -> Array2<f64> {
        let n = points.len();
        let mut out = Array2::zeros((n, n));
        points.squared_distances(0..n, 0..n, out.view_mut());
        out * points.unit() * points.unit()
    }

    #[test]
    fn rows_far_below_the_bandwidth_are_equal_to_it() {
        for entry in [0.0, 5e-324, 1e-310, 1e-300] {
            let points = Points::around_rounded_mean(array![[entry], [-entry]].view(), 1e308);
            assert_eq!(all_pairs(&points), Array2::<f64>::zeros((2, 2)));
        }
    }

    #[test]
    fn integers_give_exact_distances() {
        let x = array![[3.0_f32, 0.0], [0.0, 4.0], [3.0, 1.0], [3.0, 1.0]];
        let expected =
            array![[0.0, 25.0, 1.0, 1.0], [25.0, 0.0, 18.0, 18.0], [1.0, 18.0, 0.0, 0.0], [1.0, 18.0, 0.0, 0.0]];
        let points = Points::in_own_scale(x.view());
        approx::assert_abs_diff_eq!(all_pairs(&points), expected, epsilon = 1e-14);
        assert_eq!(points.squared_distance(1, 2).in_unit(0), 18.0);
        assert_eq!(all_pairs(&points)[[2, 3]], 0.0);
    }

    /// Two tight groups 1e9 apart: the Gram trick alone is off by eps 1e18 = 200 where the distance is 1.
    #[test]
    fn close_pairs_of_distant_groups_are_exact() {
        let x = array![[1e9, 1.0], [1e9, 2.0], [-1e9, 0.25], [-1e9, 0.75]];
        let distances = all_pairs(&Points::new(x.view(), 1.0));
        assert_eq!((distances[[0, 1]], distances[[2, 3]]), (1.0, 0.25));
        approx::assert_relative_eq!(distances[[0, 2]], 4e18 + 0.75 * 0.75, max_relative = 1e-15);
    }

    /// Two rows that differ as little as their smallest entry allows have a distance whose square is a normal number.
    #[test]
    fn squares_are_exact_where_entries_are_of_a_similar_scale() {
        for (scale, small) in [(1.0, 1e-100), (1e200, 1e100), (1e-300, 1e-305), (1e308, 1e192)] {
            let next = f64::from_bits(f64::to_bits(small) + 1);
            let points = Points::in_own_scale(array![[scale, small], [scale, next], [-scale, 0.0]].view());
            assert!(points.has_exact_squares());
            let mut square = Array2::zeros((1, 1));
            points.squared_distances(0..1, 1..2, square.view_mut());
            let distance = square[[0, 0]].sqrt() * points.unit();
            approx::assert_relative_eq!(distance, next - small, max_relative = 1e-12);
        }
        assert!(!Points::in_own_scale(array![[1.0, 1e-130]].view()).has_exact_squares());
        assert!(Points::in_own_scale(Array2::<f64>::zeros((3, 2)).view()).has_exact_squares());
    }

    #[test]
    fn no_scale_over_or_underflows() {
        for scale in [1e-300, 1e-120, 1e120, 1e300] {
            let x = array![[0.0], [3.0 * scale], [4.0 * scale]];
            let points = Points::new(x.view(), scale);
            let mut d = Array2::zeros((3, 3));
            points.squared_distances(0..3, 0..3, d.view_mut());
            let in_scale = points.unit() / scale;
            approx::assert_relative_eq!(d[[0, 2]] * in_scale * in_scale, 16.0, max_relative = 1e-14);
            approx::assert_relative_eq!(d[[1, 2]] * in_scale * in_scale, 1.0, max_relative = 1e-14);
        }
        let far = array![[0.0], [1e308], [-1e308]];
        let points = Points::new(far.view(), 1e-300);
        let mut d = Array2::zeros((3, 3));
        points.squared_distances(0..3, 0..3, d.view_mut());
        assert!(d.iter().all(|v| v.is_finite()) && d[[1, 2]] > d[[0, 1]]);
    }
}
