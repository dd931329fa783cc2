//! Squared distances of pairs of rows: computed from rows, given as a matrix, or kept in one.
//!
//! Of a matrix that is given, only the entries on and above the diagonal are read.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, s};

use crate::error::Result;
use crate::linalg::scalar::Element;
use crate::linalg::scaling::{binary_exponent, halves, max_abs, power_of_two};
use crate::linalg::upper_triangle::{UpperTriangle, tiles};
use crate::runtime::parallel::Job;

/// Scaled entries stay below 2^491, so that a sum of 2^40 squared differences is finite.
const LARGEST_EXPONENT: i32 = 490;

/// Squared distances of N rows, tile by tile, wherever they come from.
pub trait Distances: Sync {
    /// N, the number of rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length in which distances are given: a power of two.
    fn unit(&self) -> f64;

    /// Writes the squared distances of `rows` to `columns` into `out`, [rows, columns].
    ///
    /// # Panics
    /// Where the shape of `out` is another, or its rows are not contiguous.
    fn squared_distances(&self, rows: Range<usize>, columns: Range<usize>, out: ArrayViewMut2<f64>);
}

/// The exponent of the unit in which neither squares of entries up to `largest` overflow nor distances near `length`
/// underflow.
pub(crate) fn common_exponent(length: f64, largest: f64) -> i32 {
    binary_exponent(length).max(binary_exponent(largest) - LARGEST_EXPONENT)
}

/// A matrix [N, N] of distances.
pub(crate) struct GivenDistances<'a, T> {
    matrix: ArrayView2<'a, T>,
    exponent: i32,
}

impl<'a, T: Element> GivenDistances<'a, T> {
    /// Prepares distances, which are to be compared with `length`.
    pub(crate) fn new(matrix: ArrayView2<'a, T>, length: f64) -> Self {
        let upper = matrix.rows().into_iter().enumerate().map(|(i, row)| row.slice_move(s![i..]));
        Self { matrix, exponent: common_exponent(length, max_abs(upper)) }
    }
}

impl<T: Element> Distances for GivenDistances<'_, T> {
    fn len(&self) -> usize {
        self.matrix.nrows()
    }

    fn unit(&self) -> f64 {
        power_of_two(self.exponent)
    }

    fn squared_distances(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        let (first, second) = halves(-self.exponent);
        for (i, mut line) in rows.zip(out.rows_mut()) {
            for (j, entry) in columns.clone().zip(&mut line) {
                let given: f64 = self.matrix[if i <= j { [i, j] } else { [j, i] }].into();
                let scaled = given * first * second;
                *entry = scaled * scaled;
            }
        }
    }
}

/// Squared distances of whatever kind, computed once and kept.
pub(crate) struct StoredDistances {
    squared: UpperTriangle,
    unit: f64,
}

impl StoredDistances {
    pub(crate) fn new(distances: &dyn Distances, job: &Job) -> Result<Self> {
        let n = distances.len();
        let mut squared = UpperTriangle::zeros(n)?;
        squared.for_each_block(job, |first, mut block| {
            for columns in tiles(first, n) {
                let tile = block.slice_mut(s![.., columns.start - first..columns.end - first]);
                distances.squared_distances(first..first + tile.nrows(), columns, tile);
            }
        })?;
        Ok(Self { squared, unit: distances.unit() })
    }
}

impl Distances for StoredDistances {
    fn len(&self) -> usize {
        self.squared.dim()
    }

    fn unit(&self) -> f64 {
        self.unit
    }

    fn squared_distances(&self, rows: Range<usize>, columns: Range<usize>, mut out: ArrayViewMut2<f64>) {
        out.assign(&self.squared.tile(rows, columns));
    }
}
