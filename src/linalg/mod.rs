//! Matrices: eigenvalues, by LAPACK and by our own code where that is faster, and blocked products.
//!
//! Nothing here knows of rows of data: see `data/`.

mod general;
mod haar;
mod lapack;
pub(crate) mod scalar;
pub(crate) mod scaling;
mod symmetric;
pub(crate) mod tall_skinny;
pub(crate) mod triangle_middle;
pub(crate) mod upper_triangle;

pub(crate) use general::EDGE_BYTES;
pub use general::general_eigenvalues;
pub use haar::{Axes, haar_product};
pub use symmetric::symmetric_eigenvalues;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use ndarray_linalg::error::LinalgError;
use ndarray_linalg::{Eigh, UPLO};

use crate::error::{Error, Result};
use scalar::Element;

/// Fails unless a matrix with these dimensions and these rows, or parts of rows, is square and finite.
pub(crate) fn require_square_and_finite<'a, T: Element + 'a>(
    (rows, columns): (usize, usize),
    entries: impl IntoIterator<Item = ArrayView1<'a, T>>,
) -> Result<f64> {
    if rows != columns {
        return Err(Error::invalid("matrix", "square", format!("{rows} x {columns}")));
    }
    let largest = scaling::max_abs(entries);
    if largest.is_finite() { Ok(largest) } else { Err(Error::invalid("matrix", "finite", largest)) }
}

/// Converts an error of ndarray-linalg.
pub(crate) fn lapack_error(error: &LinalgError) -> Error {
    Error::Lapack(error.to_string())
}

/// Computes the eigenvalues of a small symmetric matrix, ascending, and its eigenvectors, as columns.
pub(crate) fn symmetric_eigenpairs(matrix: ArrayView2<f64>) -> Result<(Array1<f64>, Array2<f64>)> {
    require_square_and_finite(matrix.dim(), matrix.rows())?;
    // A copy of a view of one row has strides that LAPACK refuses.
    let mut copy = Array2::zeros(matrix.raw_dim());
    copy.assign(&matrix);
    copy.eigh(UPLO::Upper).map_err(|error| lapack_error(&error))
}
