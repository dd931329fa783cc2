//! The numbers that data, matrices and LAPACK's routines may hold: f32 and f64.
//!
//! Each trait extends the one above it and adds what its users need:
//!
//! | trait       | holds                        | adds                                                    |
//! |:------------|:-----------------------------|:--------------------------------------------------------|
//! | [`Element`] | entries of a data set        | exact conversion to f64                                 |
//! | [`Entry`]   | entries of a stored affinity | matrix products, zeroed memory, rounding of f64 vectors |
//! | [`Real`]    | entries of a dense matrix    | LAPACK's reductions and the sizes that choose among them |

use std::ops::Range;

use bytemuck::Zeroable;
use ndarray::{Array2, CowArray, Ix2, LinalgScalar};
use ndarray_linalg::{Lapack, Scalar};

use crate::linalg::lapack::Reductions;
use crate::runtime::tuning::{EigenvalueTuning, Tuning};

/// An entry of a data set: f32 or f64.
pub trait Element: Copy + Into<f64> + Send + Sync {}
impl Element for f32 {}
impl Element for f64 {}

/// An entry of a matrix of affinities, which is stored and multiplied in its precision.
pub trait Entry: Element + LinalgScalar + Zeroable {
    /// Vectors rounded to this precision, without a copy where they have it.
    fn rounded(vectors: &Array2<f64>) -> CowArray<'_, Self, Ix2>;
}

impl Entry for f64 {
    fn rounded(vectors: &Array2<f64>) -> CowArray<'_, Self, Ix2> {
        vectors.into()
    }
}

impl Entry for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "this is where they are rounded")]
    fn rounded(vectors: &Array2<f64>) -> CowArray<'_, Self, Ix2> {
        vectors.mapv(|entry| entry as Self).into()
    }
}

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
