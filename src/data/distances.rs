//! Squared distances of pairs of rows, tile by tile: the trait, distances given as a matrix, and stored distances.
//!
//! Distances computed from rows are in `points.rs`. Of a given matrix only the entries on and above the diagonal are
//! read. Squares are in units of a power of two, so that none overflows. Where distances range so far that squares of
//! those near a bandwidth underflow in such a unit, the distances themselves are read.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, s};

use crate::error::Result;
use crate::linalg::scalar::Element;
use crate::linalg::scaling::{binary_exponent, halves, max_abs, power_of_two};
use crate::linalg::triangle_middle::middle_above_diagonal;
use crate::linalg::upper_triangle::{UpperTriangle, tiles};
use crate::runtime::parallel::Job;

/// Scaled entries stay below 2^491, so that a sum of 2^40 squared differences is finite.
const LARGEST_EXPONENT: i32 = 490;

/// A source of the squared distances of N rows, tile by tile.
pub trait Distances: Sync {
    /// N, the number of rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The unit of length of the distances: a power of two.
    fn unit(&self) -> f64;

    /// Writes the squared distances of `rows` to `columns` into `out`, [rows, columns].
    ///
    /// # Panics
    /// Where `out` has another shape, or its rows are not contiguous.
    fn squared_distances(&self, rows: Range<usize>, columns: Range<usize>, out: ArrayViewMut2<f64>);

    /// Whether squares of distances near the length that they were prepared for may underflow, so that
    /// [`Distances::distances`] must be read in place of squares.
    fn exceeds_squares(&self) -> bool {
        false
    }

    /// Writes the distances of `rows` to `columns`, in units of the data, into `out`, [rows, columns].
    ///
    /// # Panics
    /// Where `out` has another shape, or its rows are not contiguous.
    fn distances(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        let unit = self.unit();
        self.squared_distances(rows, columns, out.view_mut());
        out.mapv_inplace(|squared| squared.sqrt() * unit);
    }
}

/// The exponent of the unit in which neither squares of entries up to `largest` overflow nor distances near `length`
/// underflow.
pub(crate) fn common_exponent(length: f64, largest: f64) -> i32 {
    binary_exponent(length).max(binary_exponent(largest) - LARGEST_EXPONENT)
}

/// Distances that the caller gives as a matrix [N, N].
pub(crate) struct GivenDistances<'a, T> {
    matrix: ArrayView2<'a, T>,
    exponent: i32,
    exceeds_squares: bool,
}

impl<'a, T: Element> GivenDistances<'a, T> {
    /// Prepares distances that are compared with `length`.
    pub(crate) fn new(matrix: ArrayView2<'a, T>, length: f64) -> Self {
        let upper = matrix.rows().into_iter().enumerate().map(|(i, row)| row.slice_move(s![i..]));
        let exponent = common_exponent(length, max_abs(upper));
        Self { matrix, exponent, exceeds_squares: exponent > binary_exponent(length) }
    }

    /// Writes each entry that is read, changed by `f`.
    fn write(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>, f: impl Fn(f64) -> f64) {
        for (i, mut line) in rows.zip(out.rows_mut()) {
            for (j, entry) in columns.clone().zip(&mut line) {
                *entry = f(self.matrix[if i <= j { [i, j] } else { [j, i] }].into());
            }
        }
    }
}

impl<T: Element> Distances for GivenDistances<'_, T> {
    fn len(&self) -> usize {
        self.matrix.nrows()
    }

    fn unit(&self) -> f64 {
        power_of_two(self.exponent)
    }

    fn squared_distances(&self, rows: Range<usize>, columns: Range<usize>, out: ArrayViewMut2<f64>) {
        let (first, second) = halves(-self.exponent);
        self.write(rows, columns, out, |given| {
            let scaled = given * first * second;
            scaled * scaled
        });
    }

    fn exceeds_squares(&self) -> bool {
        self.exceeds_squares
    }

    fn distances(&self, rows: Range<usize>, columns: Range<usize>, out: ArrayViewMut2<f64>) {
        self.write(rows, columns, out, |given| given);
    }
}

/// Distances of any source, computed once and stored, as squares or as they are: 8 N^2 bytes, of which half are touched.
pub(crate) struct StoredDistances {
    entries: UpperTriangle,
    unit: f64,
    /// Whether the entries are distances in units of the data, and not squares in `unit`.
    are_roots: bool,
}

impl StoredDistances {
    /// Computes the upper triangle, of squares unless these exceed the range of f64.
    pub(crate) fn new(distances: &dyn Distances, job: &Job) -> Result<Self> {
        Self::of_kind(distances, distances.exceeds_squares(), job)
    }

    /// Computes the upper triangle of the distances themselves, of which none underflows.
    pub(crate) fn roots(distances: &dyn Distances, job: &Job) -> Result<Self> {
        Self::of_kind(distances, true, job)
    }

    fn of_kind(distances: &dyn Distances, are_roots: bool, job: &Job) -> Result<Self> {
        let n = distances.len();
        let mut entries = UpperTriangle::zeros(n)?;
        entries.for_each_block(job, |first, mut block| {
            for columns in tiles(first, n) {
                let tile = block.slice_mut(s![.., columns.start - first..columns.end - first]);
                let rows = first..first + tile.nrows();
                if are_roots {
                    distances.distances(rows, columns, tile);
                } else {
                    distances.squared_distances(rows, columns, tile);
                }
            }
        })?;
        Ok(Self { entries, unit: distances.unit(), are_roots })
    }

    /// The median of the positive distances, or 0 where there are none.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub(crate) fn median(&self, job: &Job) -> Result<f64> {
        let middle = middle_above_diagonal(&self.entries, job)?;
        let [lower, upper] = middle.map(|entry| if self.are_roots { entry } else { entry.sqrt() * self.unit });
        Ok(f64::midpoint(lower, upper))
    }

    /// The matrix that holds the distances above its diagonal: squares in [`Distances::unit`], or distances in units of
    /// the data where [`Distances::exceeds_squares`].
    pub(crate) fn into_entries(self) -> UpperTriangle {
        self.entries
    }
}

impl Distances for StoredDistances {
    fn len(&self) -> usize {
        self.entries.dim()
    }

    fn unit(&self) -> f64 {
        self.unit
    }

    fn squared_distances(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        out.assign(&self.entries.tile(rows, columns));
        if self.are_roots {
            out.mapv_inplace(|distance| (distance / self.unit).powi(2));
        }
    }

    fn exceeds_squares(&self) -> bool {
        self.are_roots
    }

    fn distances(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        out.assign(&self.entries.tile(rows, columns));
        if !self.are_roots {
            out.mapv_inplace(|squared| squared.sqrt() * self.unit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::points::Points;
    use crate::kernel::bandwidth::Bandwidth;
    use crate::kernel::gaussian::gaussian_affinity;
    use crate::runtime::parallel;
    use ndarray::Array2;

    fn affinity(distances: &dyn Distances, sigma: f64) -> UpperTriangle {
        parallel::run(2, || false, |job| gaussian_affinity(distances, &Bandwidth::Fixed(sigma), job)).unwrap()
    }

    /// Distances from rows, from a given matrix, and stored from either.
    #[test]
    fn affinities_do_not_depend_on_where_distances_come_from() {
        let n = 1100;
        for scale in [1e-200, 1.0, 1e200] {
            let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 37 + j * 11) % 101) as f64 / 10.0 * scale);
            let sigma = 4.0 * scale;
            let points = Points::new(x.view(), sigma);
            let matrix = Array2::from_shape_fn((n, n), |(i, j)| {
                if i > j {
                    return f64::NAN; // entries below the diagonal are not read
                }
                (0..3).map(|k| ((x[[i, k]] - x[[j, k]]) / scale).powi(2)).sum::<f64>().sqrt() * scale
            });
            let given = GivenDistances::new(matrix.view(), sigma);
            let stored = |distances| parallel::run(2, || false, |job| StoredDistances::new(distances, job)).unwrap();
            let direct = affinity(&points, sigma);
            for other in
                [affinity(&given, sigma), affinity(&stored(&points), sigma), affinity(&stored(&given), sigma)]
            {
                for (i, j) in [(0, 0), (3, 500), (95, 96), (90, 20), (7, 1099), (1099, 1099)] {
                    approx::assert_relative_eq!(other.get(i, j), direct.get(i, j), max_relative = 1e-12);
                }
            }
        }
    }
}
