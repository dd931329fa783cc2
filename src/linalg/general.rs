//! Eigenvalues of a general matrix.
//!
//! | f64   |
//! |:------|
//! | dgeev |
//!
//! Hessenberg reduction and the QR iteration without vectors; about 10 N^3 flops. The eigenvalues of a graph that is
//! not symmetric are ill conditioned: rounding in another order moves them visibly, so this runs on one BLAS thread.

use ndarray::Array2;
use ndarray_linalg::{AllocatedArray, AllocatedArrayMut, Lapack, MatrixLayout, c64};

use super::lapack_error;
use crate::error::Result;
use crate::parallel::Job;

/// The eigenvalues of a square matrix, in LAPACK's order. The matrix is overwritten: no other N x N memory is used.
///
/// # Errors
/// [`crate::Error::Lapack`] where the matrix is not square or the iteration does not converge; interrupted.
pub fn general_eigenvalues(mut matrix: Array2<f64>, job: &Job) -> Result<Vec<c64>> {
    if matrix.is_empty() {
        return Ok(Vec::new());
    }
    let layout = matrix.square_layout().map_err(|error| lapack_error(&error))?;
    // The eigenvalues of the transpose are the same but for rounding, which is visible here: LAPACK gets the matrix as
    // other libraries give it, columns as columns.
    if matches!(layout, MatrixLayout::C { .. }) {
        transpose_in_place(&mut matrix);
    }
    let columns = MatrixLayout::F { col: layout.len(), lda: layout.lda() };
    let entries = matrix.as_allocated_mut().map_err(|error| lapack_error(&error))?;
    let eigenvalues = || f64::eig(false, columns, entries).map_err(|error| lapack_error(&error.into()));
    Ok(job.serial_lapack(eigenvalues)?.0)
}

fn transpose_in_place(matrix: &mut Array2<f64>) {
    for i in 0..matrix.nrows() {
        for j in 0..i {
            matrix.swap((i, j), (j, i));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;

    /// A cycle of n: the n-th roots of unity.
    #[test]
    fn directed_cycle_has_the_roots_of_unity() {
        let n = 12;
        let cycle = Array2::from_shape_fn((n, n), |(i, j)| f64::from(u8::from(j == (i + 1) % n)));
        let general = |matrix| parallel::run(2, || false, |job| general_eigenvalues(matrix, job));
        let eigenvalues = general(cycle).unwrap();
        for k in 0..n {
            let root = c64::from_polar(1.0, std::f64::consts::TAU * k as f64 / n as f64);
            assert!(eigenvalues.iter().any(|v| (v - root).norm() < 1e-13), "{root}");
        }
        assert_eq!(general(Array2::zeros((0, 0))), Ok(vec![]));
    }
}
