//! The numbers that data and matrices may hold: f32 and f64.
//!
//! Each trait extends the one above it and adds what its users need:
//!
//! | trait       | holds                        | adds                                                    |
//! |:------------|:-----------------------------|:--------------------------------------------------------|
//! | [`Element`] | entries of a data set        | exact conversion to f64                                 |
//! | [`Entry`]   | entries of a stored affinity | matrix products, zeroed memory, rounding of f64 vectors |
//! | [`Real`]    | entries of a dense matrix    | LAPACK's reductions and the sizes that choose among them |
//!
//! [`Real`]: crate::linalg::symmetric::real::Real

use bytemuck::Zeroable;
use ndarray::{Array2, CowArray, Ix2, LinalgScalar};

/// The unit roundoff of f64: the largest relative error of a number that is rounded to it.
pub(crate) const F64_ROUNDOFF: f64 = f64::EPSILON / 2.0;

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
