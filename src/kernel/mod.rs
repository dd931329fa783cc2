//! Affinities: from distances and a bandwidth, or given.

pub(crate) mod affinity_source;
pub(crate) mod bandwidth;
pub(crate) mod gaussian;
pub(crate) mod gaussian_f32;
pub(crate) mod precomputed;

use std::ops::Range;

use ndarray::ArrayViewMut2;

/// Affinities that are computed or read tile by tile.
pub(crate) trait Kernel<A>: Sync {
    /// The number of rows.
    fn len(&self) -> usize;

    /// Writes the affinities of `rows` to `columns` into `out`, [rows, columns].
    fn affinities(&self, rows: Range<usize>, columns: Range<usize>, out: ArrayViewMut2<A>);

    /// The relative error of an affinity.
    fn entry_error(&self) -> f64;

    /// An upper bound of the affinities' moduli; infinite where there is none.
    fn max_entry(&self) -> f64 {
        1.0
    }

    /// Collects the positive semi-definiteness, the error and the bound of the affinities.
    fn info(&self, positive_semidefinite: bool) -> AffinityInfo {
        AffinityInfo { positive_semidefinite, entry_error: self.entry_error(), max_entry: self.max_entry() }
    }
}

/// Facts about an affinity that an operator needs besides the entries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AffinityInfo {
    /// Whether it is known to be positive semi-definite.
    pub positive_semidefinite: bool,
    /// The relative error of its entries.
    pub entry_error: f64,
    /// An upper bound of its entries' moduli; infinite where products are not to be rounded.
    pub max_entry: f64,
}
