//! Numbers that were chosen by measurement: sizes from which another algorithm is faster, and sizes of blocks.
//!
//! They were measured on one machine; docs/performance.md, section "Tuning", has the tables. Another choice changes how
//! long a computation takes and, within rounding, its last digits, but not what is computed. A bench sweeps them with
//! [`crate::parallel::run_with`].

/// All numbers that were chosen by measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// Eigenvalues of symmetric matrices of f32.
    pub eigenvalues_f32: EigenvalueTuning,
    /// Eigenvalues of symmetric matrices of f64.
    pub eigenvalues_f64: EigenvalueTuning,
    /// The search for nearest neighbours.
    pub neighbors: NeighborTuning,
    /// Rows from which single precision is used where it is allowed.
    pub single_precision_from: usize,
    /// Rows up to which the operators of a sweep are decomposed in parallel, on one thread each.
    pub sweep_in_parallel_up_to: usize,
    /// Stochastic Lanczos quadrature.
    pub slq: SlqTuning,
}

/// The reductions of a symmetric matrix to tridiagonal form, in one stage or over a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EigenvalueTuning {
    /// Rows from which two stages are faster than one.
    pub two_stages_from: usize,
    /// Rows from which the band has 32 and 48 off-diagonals; below the first it has 16.
    pub wider_band_from: [usize; 2],
    /// Rows of a tile of the reduction to a band of 16 or 32 off-diagonals, and to one of 48, rounded down to a multiple
    /// of the band's width.
    pub band_tile_rows: [usize; 2],
}

impl EigenvalueTuning {
    /// The off-diagonals of the band to which a matrix of `n` rows is reduced: 16, 32 or 48.
    pub(crate) fn band_width(&self, n: usize) -> usize {
        let [from_32, from_48] = self.wider_band_from;
        match n {
            _ if n >= from_48 => 48,
            _ if n >= from_32 => 32,
            _ => 16,
        }
    }

    /// The rows of a tile of the reduction to a band of `width` off-diagonals: a multiple of the width.
    pub(crate) fn tile_rows(&self, width: usize) -> usize {
        let rows = self.band_tile_rows[usize::from(width >= 48)];
        (rows / width).max(1) * width
    }
}

/// The blocks of the search for nearest neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighborTuning {
    /// Rows of a block at least and at most. A tile of two blocks of 512 rows takes 1 MiB, so that it stays in the cache
    /// of a core.
    pub block_rows: [usize; 2],
    /// Blocks for each thread, where the limits of their size allow it. Half as many pairs of blocks share no block.
    pub blocks_per_thread: usize,
    /// Rows for each neighbour from which candidates of all rows are held at once. With fewer rows these would take as
    /// much memory as N^2 distances, and be most of the work.
    pub rows_per_neighbor: usize,
}

/// The parameters of stochastic Lanczos quadrature, and the sizes at which the exact solver is the cheaper one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlqTuning {
    /// Products of a stored operator with a vector that cost as much as all its eigenvalues, as a part of N.
    pub exact_products: f64,
    /// Products of a sparse operator with a vector that cost as much as all its eigenvalues, as a part of N^2.
    pub exact_products_sparse: f64,
    /// Rows from which affinities may be held in f32.
    pub single_precision_from: usize,
    /// Tolerances, in bits, from which affinities may be held in f32.
    pub single_precision_tol: f64,
    /// The largest relative error of affinities in f32, as a part of the tolerance.
    pub single_precision_share: f64,
    /// Columns of a block of the block Krylov space.
    pub block_size: usize,
    /// Blocks that span the deflated part of the spectrum, which needs no probes.
    pub deflated_blocks: usize,
    /// The largest number of converged Ritz vectors that the recurrences of probes are kept orthogonal to.
    pub max_ritz_vectors: usize,
    /// Probes of a batch: the number that is added at once.
    pub batch_size: usize,
    /// Batches of probes whose vectors are kept, so that their recurrences can be continued.
    pub kept_batches: usize,
    /// Lanczos steps of the first probes, before the depth that they need is known.
    pub first_depth: usize,
    /// The largest dimension of the block Krylov space, where its basis is not small.
    pub max_basis: usize,
    /// The number of entries up to which a basis is small.
    pub small_basis_entries: usize,
    /// The part of the tolerance that truncation bounds may take, for an operator without negative eigenvalues.
    pub truncation_share: f64,
    /// The part of the tolerance that truncation bounds may take, where eigenvalues may be negative. More depth costs less
    /// than more probes there.
    pub truncation_share_of_modulus: f64,
}

impl Tuning {
    /// The numbers that were measured.
    pub const MEASURED: Self = Self {
        eigenvalues_f32: EigenvalueTuning {
            two_stages_from: 600,
            wider_band_from: [1200, 2500],
            band_tile_rows: [128, 256],
        },
        eigenvalues_f64: EigenvalueTuning {
            two_stages_from: 600,
            wider_band_from: [1200, 2500],
            band_tile_rows: [128, 256],
        },
        neighbors: NeighborTuning { block_rows: [64, 512], blocks_per_thread: 4, rows_per_neighbor: 16 },
        single_precision_from: 256,
        sweep_in_parallel_up_to: 3000,
        slq: SlqTuning {
            exact_products: 0.6,
            exact_products_sparse: 1e-3,
            single_precision_from: 8192,
            single_precision_tol: 3e-4,
            single_precision_share: 0.1,
            block_size: 16,
            deflated_blocks: 8,
            max_ritz_vectors: 32,
            batch_size: 16,
            kept_batches: 6,
            first_depth: 5,
            max_basis: 512,
            small_basis_entries: 1 << 20,
            truncation_share: 0.5,
            truncation_share_of_modulus: 0.25,
        },
    };
}

impl Default for Tuning {
    fn default() -> Self {
        Self::MEASURED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_widen_with_the_matrix() {
        let width =
            |n| [Tuning::MEASURED.eigenvalues_f32.band_width(n), Tuning::MEASURED.eigenvalues_f64.band_width(n)];
        assert_eq!([100, 1199, 1200, 2499, 2500].map(width), [16, 16, 32, 32, 48].map(|width| [width; 2]));
    }
}
