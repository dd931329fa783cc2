//! Affinities: from distances and a bandwidth, or given.

pub(crate) mod affinity_source;
pub(crate) mod bandwidth;
pub(crate) mod gaussian;
pub(crate) mod gaussian_f32;
pub(crate) mod precomputed;

use std::ops::Range;

use ndarray::ArrayViewMut2;

use crate::linalg::scalar::F64_ROUNDOFF;

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

    /// Collects the positive semi-definiteness, the errors and the bound of the affinities. `given` is known of the matrix
    /// of pairs that they are made of.
    fn info(&self, positive_semidefinite: bool, given: GivenPairs) -> AffinityInfo {
        AffinityInfo {
            positive_semidefinite,
            entry_error: self.entry_error(),
            unit_roundoff: given.unit_roundoff,
            max_entry: self.max_entry(),
        }
    }
}

/// Facts about a given matrix of distances or affinities of all pairs that its entries do not show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenPairs {
    /// Whether affinities are positive semi-definite. It is known of rows, and of no other distances.
    pub positive_semidefinite: bool,
    /// The unit roundoff of the type in which entries were given, before they were converted.
    pub unit_roundoff: f64,
}

impl Default for GivenPairs {
    /// Entries in f64, of which nothing more is known.
    fn default() -> Self {
        Self { positive_semidefinite: false, unit_roundoff: F64_ROUNDOFF }
    }
}

/// Facts about an affinity that an operator needs besides the entries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AffinityInfo {
    /// Whether it is known to be positive semi-definite.
    pub positive_semidefinite: bool,
    /// The relative error of its entries, as they are computed.
    pub entry_error: f64,
    /// The unit roundoff of the entries that it is made of, as they were given.
    pub unit_roundoff: f64,
    /// An upper bound of its entries' moduli; infinite where products are not to be rounded.
    pub max_entry: f64,
}
