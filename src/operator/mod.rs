//! From affinities to the symmetric operator K.

pub(crate) mod chunk_pair;
pub(crate) mod dense;
pub(crate) mod sparse;
pub(crate) mod tiled;
pub(crate) mod tiles;

use ndarray::Array2;

use crate::error::Result;
use crate::runtime::parallel::Job;

/// The relative error of sums of products in f64.
pub(crate) const PRODUCT_ROUNDING: f64 = 1e-10;

/// A symmetric matrix that need not be stored.
pub trait SymmetricOperator: Sync {
    /// N.
    fn dim(&self) -> usize;

    /// K X, of a block of vectors [N, b].
    ///
    /// # Errors
    /// Interrupted.
    fn apply(&self, x: &Array2<f64>, job: &Job) -> Result<Array2<f64>>;

    /// Whether no eigenvalue is negative, by how it is made.
    fn is_positive(&self) -> bool;

    /// The sum of the eigenvalues, if it is known.
    fn trace(&self) -> Option<f64> {
        None
    }

    /// The sum of their squares, if it is known.
    fn squared_norm(&self) -> Option<f64> {
        None
    }

    /// A unit vector near the eigenvector of the largest eigenvalue, if one is known.
    fn leading(&self) -> Option<&[f64]> {
        None
    }

    /// The relative error of its entries.
    fn error(&self) -> f64 {
        f64::EPSILON
    }

    /// The relative error of products: a difference of sums below this part of them is not known.
    fn rounding(&self) -> f64 {
        PRODUCT_ROUNDING
    }
}
