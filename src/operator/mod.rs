//! From affinities to the symmetric operator K, as a matrix or by its products.

pub(crate) mod chunk_pair;
pub(crate) mod deflated_f32;
pub(crate) mod dense;
pub(crate) mod normalization;
pub(crate) mod reproducible_sum;
pub(crate) mod sparse;
pub(crate) mod tiled;
pub(crate) mod tiles;

use ndarray::Array2;

use crate::error::Result;
use crate::linalg::scalar::F64_ROUNDOFF;
use crate::runtime::parallel::Job;

/// The relative error of sums of products in f64.
pub(crate) const PRODUCT_ROUNDING: f64 = 1e-10;

/// A symmetric matrix that need not be stored.
pub trait SymmetricOperator: Sync {
    /// N, the number of rows.
    fn dim(&self) -> usize;

    /// The number of last rows and columns that are known to be zero.
    fn zero_rows(&self) -> usize {
        0
    }

    /// Computes K X for a block of vectors [N, b].
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`]; the errors of the implementation.
    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>>;

    /// Whether K is known to be positive semi-definite.
    fn is_positive_semidefinite(&self) -> bool;

    /// The sum of the eigenvalues, if it is known.
    fn trace(&self) -> Option<f64> {
        None
    }

    /// The sum of the squares of the eigenvalues, if it is known.
    fn squared_norm(&self) -> Option<f64> {
        None
    }

    /// A number that no modulus of an eigenvalue is above, if one is known.
    fn modulus_bound(&self) -> Option<f64> {
        None
    }

    /// A unit vector near the eigenvector of the largest eigenvalue, if one is known.
    fn leading(&self) -> Option<&[f64]> {
        None
    }

    /// The relative error of the entries of K.
    fn entry_error(&self) -> f64 {
        f64::EPSILON
    }

    /// The unit roundoff of the entries that K was made of, as they were given; 2^-53 where they are f64 or computed.
    fn unit_roundoff(&self) -> f64 {
        F64_ROUNDOFF
    }

    /// The relative error of products: differences of sums below this part of them are rounding noise.
    fn rounding(&self) -> f64 {
        PRODUCT_ROUNDING
    }
}
