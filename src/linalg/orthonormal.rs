//! Products with the orthonormal factor of a tall matrix.
//!
//! ```text
//! Q A,    Z = Q R,    R upper triangular with a positive diagonal
//! ```
//!
//! R is Cholesky's factor of Z' Z, and Q A = Z (R^-1 A), so all large products are parallel ones. The columns of Z R^-1
//! are orthonormal up to eps cond(Z)^2. Where Z is not much taller than wide, it is factored once more, after which they
//! are so up to eps (Yamamoto, Nakatsukasa, Yanagisawa & Fukaya, "Roundoff error analysis of the CholeskyQR2 algorithm",
//! ETNA 44, 2015). Cost for Z [n, r] and A [r, d]: n r^2 + 2 n r d flops, and 3 n r^2 for the second factor.

use ndarray::{Array2, ArrayView2};
use ndarray_linalg::{Cholesky, Diag, SolveTriangular, UPLO};

use crate::error::{Error, Result};
use crate::linalg::lapack_error;
use crate::linalg::tall_skinny::{combination, gram_matrix};
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Rows for each column from which a matrix of normal numbers has a condition number below 6, nearly always.
const TALL: usize = 2;

/// Computes Q A for a matrix Z of normal numbers, or any other whose condition number is below 6 where it has at least
/// twice as many rows as columns, and below 10^7 else.
///
/// # Errors
/// [`Error::Invalid`] where Z has fewer rows than columns, or not as many columns as A has rows; [`Error::Lapack`] where
/// its columns are dependent; [`Error::OutOfMemory`]; [`Error::Interrupted`].
pub fn orthonormal_product(z: ArrayView2<f64>, a: ArrayView2<f64>, job: &Job) -> Result<Array2<f64>> {
    let (n, r) = z.dim();
    if n < r || a.nrows() != r {
        return Err(Error::invalid(
            "z",
            format!("at least as tall as wide, with {} columns", a.nrows()),
            format!("{n} x {r}"),
        ));
    }
    memory::require(
        n,
        memory::dense_bytes(3.0, r, 0).saturating_add(memory::dense_bytes(0.0, n, r + a.ncols())),
        job,
    )?;
    let factor = |z: ArrayView2<f64>| {
        let gram = gram_matrix(z, job)?.into_matrix();
        job.serial_lapack(|| gram.cholesky(UPLO::Upper).map_err(|error| lapack_error(&error)))
    };
    let solve = |triangle: &Array2<f64>, a: ArrayView2<f64>| {
        let solved = || triangle.solve_triangular(UPLO::Upper, Diag::NonUnit, &a.to_owned());
        job.serial_lapack(|| solved().map_err(|error| lapack_error(&error)))
    };
    if r == 0 {
        return Ok(Array2::zeros((n, a.ncols())));
    }
    let first = factor(z)?;
    if n >= TALL * r {
        return combination(&[z.to_owned()], solve(&first, a)?.view(), n, job);
    }
    let nearly = combination(&[z.to_owned()], solve(&first, Array2::eye(r).view())?.view(), n, job)?;
    let second = factor(nearly.view())?;
    let coefficients = solve(&second, a)?;
    combination(&[nearly], coefficients.view(), n, job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use crate::runtime::test_size::sized;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// Irwin-Hall numbers, which are nearly normal.
    fn normal(n: usize, r: usize) -> Array2<f64> {
        let mut rng = StdRng::seed_from_u64((n * r) as u64);
        Array2::from_shape_simple_fn((n, r), || (0..12).map(|_| rng.random_range(-0.5..0.5)).sum())
    }

    fn product(z: &Array2<f64>, a: &Array2<f64>, threads: usize) -> Result<Array2<f64>> {
        parallel::run(threads, || false, |job| orthonormal_product(z.view(), a.view(), job))
    }

    /// Q' Q = 1, and Q' Z is upper triangular with a positive diagonal, from tall matrices to square ones.
    #[test]
    fn columns_are_orthonormal_and_span_those_of_the_matrix() {
        let n = sized(400, 120);
        for r in [1, 7, n / 2, n / 2 + 1, n - 1, n] {
            let z = normal(n, r);
            let q = product(&z, &Array2::eye(r), 2).unwrap();
            let (identity, triangle) = (q.t().dot(&q), q.t().dot(&z));
            for i in 0..r {
                for j in 0..r {
                    let expected = f64::from(u8::from(i == j));
                    assert!((identity[[i, j]] - expected).abs() < 1e-13, "{r}: {i} {j} {}", identity[[i, j]]);
                    assert!(if i == j { triangle[[i, i]] > 0.0 } else { i < j || triangle[[i, j]].abs() < 1e-11 });
                }
            }
        }
    }

    #[test]
    fn the_product_is_that_with_the_factor_and_threads_change_no_bit() {
        for (n, r) in [(300, 20), (60, 50)] {
            let (z, a) = (normal(n, r), normal(r, 9));
            let found = product(&z, &a, 2).unwrap();
            assert_eq!(found, product(&z, &a, 1).unwrap());
            approx::assert_abs_diff_eq!(found, product(&z, &Array2::eye(r), 2).unwrap().dot(&a), epsilon = 1e-12);
        }
    }

    #[test]
    fn what_has_no_orthonormal_factor_is_refused() {
        assert_eq!(product(&Array2::zeros((5, 0)), &Array2::zeros((0, 3)), 1), Ok(Array2::zeros((5, 3))));
        for (z, a) in [((2, 3), 3), ((4, 2), 3)] {
            assert!(matches!(product(&normal(z.0, z.1), &normal(a, 2), 1), Err(Error::Invalid { .. })));
        }
        assert!(matches!(product(&Array2::zeros((4, 2)), &Array2::eye(2), 1), Err(Error::Lapack(_))));
    }
}
