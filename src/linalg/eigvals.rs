//! Eigenvalues of a symmetric matrix.
//!
//! | f32   | f64   |
//! |:------|:------|
//! | ssyev | dsyev |
//!
//! Reduction to tridiagonal form in place and the QR iteration without vectors; 4/3 N^3 flops.

use ndarray::Array2;
use ndarray_linalg::{AllocatedArray, AllocatedArrayMut, Lapack, MatrixLayout, Scalar, UPLO};

use super::lapack_error;
use crate::error::Result;
use crate::parallel::Job;

/// Rows below which BLAS's threads gain nothing and, where cores are busy, cost much: a whole entropy takes 9.4 ms on
/// one thread and 9.6 ms on two at N = 500, 15.1 and 14.4 ms at N = 600, 36 and 28 ms at N = 800 (SkylakeX, medians).
const SERIAL_BELOW: i32 = 600;

/// The eigenvalues, in ascending order, of the symmetric matrix whose lower triangle is given. The matrix is
/// overwritten: no other N x N memory is used.
///
/// # Errors
/// [`crate::Error::Lapack`] where the matrix is not square or the iteration does not converge; interrupted.
pub fn symmetric_eigenvalues<A>(mut matrix: Array2<A>, job: &Job) -> Result<Vec<A>>
where
    A: Scalar<Real = A> + Lapack,
{
    if matrix.is_empty() {
        return Ok(Vec::new());
    }
    let layout = matrix.square_layout().map_err(|error| lapack_error(&error))?;
    // LAPACK reads rows as columns, so its upper triangle is the lower one here.
    let triangle = if matches!(layout, MatrixLayout::C { .. }) { UPLO::Upper } else { UPLO::Lower };
    let entries = matrix.as_allocated_mut().map_err(|error| lapack_error(&error))?;
    // Not `eigvalsh_into`, which computes the eigenvectors as well (ndarray-linalg 0.18).
    let eigenvalues = || A::eigh(false, layout, triangle, entries).map_err(|error| lapack_error(&error.into()));
    if layout.len() < SERIAL_BELOW { job.serial_lapack(eigenvalues) } else { job.lapack(eigenvalues) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;
    use ndarray::array;
    use std::f64::consts::PI;

    fn eigenvalues<A: Scalar<Real = A> + Lapack + Send>(matrix: Array2<A>) -> Result<Vec<A>> {
        parallel::run(2, || false, |job| symmetric_eigenvalues(matrix, job))
    }

    /// The path graph's Laplacian: 2 - 2 cos(pi k / n). What stands above the diagonal must not matter.
    #[test]
    fn path_graph_from_its_lower_triangle() {
        let n = 90;
        let mut laplacian = Array2::from_elem((n, n), 7.0);
        for i in 0..n {
            for j in 0..i {
                laplacian[[i, j]] = if i == j + 1 { -1.0 } else { 0.0 };
            }
            laplacian[[i, i]] = if i == 0 || i == n - 1 { 1.0 } else { 2.0 };
        }
        #[expect(clippy::cast_possible_truncation, reason = "small integers")]
        let single = eigenvalues(laplacian.mapv(|v| v as f32)).unwrap();
        let double = eigenvalues(laplacian).unwrap();
        for k in 0..n {
            let expected = 2.0 - 2.0 * (PI * k as f64 / n as f64).cos();
            approx::assert_abs_diff_eq!(double[k], expected, epsilon = 1e-14 * n as f64);
            approx::assert_abs_diff_eq!(f64::from(single[k]), expected, epsilon = 1e-6 * n as f64);
        }
    }

    #[test]
    fn the_smallest_sizes() {
        assert_eq!(eigenvalues(Array2::<f64>::zeros((0, 0))), Ok(vec![]));
        assert_eq!(eigenvalues(array![[3.0]]), Ok(vec![3.0]));
    }

    #[test]
    fn a_rectangle_is_refused() {
        assert!(matches!(eigenvalues(Array2::<f64>::zeros((2, 3))), Err(crate::Error::Lapack(_))));
    }
}
