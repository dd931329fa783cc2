//! Sizes at which one of two ways to the same result becomes the faster one.
//!
//! Each number was measured on one machine; the tables are in docs/performance.md. Another choice changes how long a
//! computation takes and, within rounding, its last digits, but not what is computed. A bench sweeps them with
//! [`crate::parallel::run_with`].

/// All numbers that were chosen by measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// Eigenvalues of symmetric matrices of f32.
    pub eigenvalues_f32: EigenvalueTuning,
    /// Eigenvalues of symmetric matrices of f64.
    pub eigenvalues_f64: EigenvalueTuning,
    /// Rows below which LAPACK runs on one thread, because threads that spin gain nothing there.
    pub serial_lapack_below: usize,
    /// Rows from which single precision is used where it is allowed.
    pub single_precision_from: usize,
    /// Rows up to which the operators of a sweep are decomposed beside each other, on one thread each.
    pub sweep_in_parallel_up_to: usize,
    /// Stochastic Lanczos quadrature.
    pub slq: SlqTuning,
}

/// The choice between one stage and two on the way from a dense matrix to a tridiagonal one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EigenvalueTuning {
    /// Rows from which two stages are faster than one, on one thread and on more.
    pub two_stages_from: [usize; 2],
    /// Rows from which our own reduction to a band is faster than LAPACK's, on one thread and on more.
    pub own_band_from: [usize; 2],
    /// Rows from which the band has 32 and 48 entries; below the first it has 16.
    pub wider_band_from: [usize; 2],
}

/// The shape of an estimate, and when the exact solver is the cheaper one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlqTuning {
    /// Products of a stored operator with a vector that cost as much as all its eigenvalues, as a part of N.
    pub exact_products: f64,
    /// Products of a sparse operator with a vector that cost as much as all its eigenvalues, as a part of N^2.
    pub exact_products_sparse: f64,
    /// Rows from which affinities may be held in f32.
    pub single_precision_from: usize,
}

impl Tuning {
    /// The numbers that were measured.
    pub const MEASURED: Self = Self {
        eigenvalues_f32: EigenvalueTuning {
            two_stages_from: [600, 1700],
            own_band_from: [600, 2500],
            wider_band_from: [1200, 2500],
        },
        eigenvalues_f64: EigenvalueTuning {
            two_stages_from: [600, 1200],
            own_band_from: [2500, 2500],
            wider_band_from: [0, 2500],
        },
        serial_lapack_below: 600,
        single_precision_from: 256,
        sweep_in_parallel_up_to: 3000,
        slq: SlqTuning { exact_products: 0.6, exact_products_sparse: 1e-3, single_precision_from: 8192 },
    };
}

impl Default for Tuning {
    fn default() -> Self {
        Self::MEASURED
    }
}
