//! From distances and a bandwidth to affinities.

pub(crate) mod bandwidth;
pub(crate) mod gaussian;
pub(crate) mod precomputed;

use std::ops::Range;

use ndarray::ArrayViewMut2;

/// Affinities, tile by tile, stored nowhere.
pub(crate) trait Kernel<A>: Sync {
    /// The number of rows.
    fn len(&self) -> usize;

    /// Writes the affinities of `rows` to `columns` into `out`, [rows, columns].
    fn affinities(&self, rows: Range<usize>, columns: Range<usize>, out: ArrayViewMut2<A>);

    /// The relative error of an affinity.
    fn error(&self) -> f64;

    /// No affinity is larger.
    fn largest(&self) -> f64 {
        1.0
    }
}
