//! Eigenvalues through LAPACK.

mod eigvals;
mod general;
mod hessenberg;
mod lapack;

pub use eigvals::symmetric_eigenvalues;
pub(crate) use general::EDGE_BYTES;
pub use general::general_eigenvalues;

use ndarray_linalg::error::LinalgError;

use crate::error::Error;

pub(crate) fn lapack_error(error: &LinalgError) -> Error {
    Error::Lapack(error.to_string())
}
