//! The entries of a symmetric matrix whose eigenvalues are computed: f32 and f64.
//!
//! Each precision has its own routines of LAPACK, its own range of magnitudes that need no scaling, and its own sizes from
//! which another reduction is faster.

use std::ops::Range;

use ndarray_linalg::{Lapack, Scalar};

use crate::linalg::lapack::Reductions;
use crate::linalg::scalar::Entry;
use crate::runtime::tuning::{EigenvalueTuning, Tuning};

/// An entry of a symmetric matrix whose eigenvalues are computed.
pub trait Real: Entry + Scalar<Real = Self> + Lapack + Reductions {
    /// Largest entries of matrices that need no scaling: those of LAPACK's drivers (`?syev`).
    const SAFE: Range<f64>;

    /// The sizes, for matrices of this precision, from which other reductions are faster.
    fn tuning(tuning: &Tuning) -> &EigenvalueTuning;
}

impl Real for f32 {
    const SAFE: Range<f64> = 1e-15..1e15;

    fn tuning(tuning: &Tuning) -> &EigenvalueTuning {
        &tuning.eigenvalues_f32
    }
}

impl Real for f64 {
    const SAFE: Range<f64> = 1e-145..1e145;

    fn tuning(tuning: &Tuning) -> &EigenvalueTuning {
        &tuning.eigenvalues_f64
    }
}
