//! Eigenvalues of a symmetric matrix.
//!
//! | stages | rows | to a band of 16, 32 or 48 off-diagonals | to tridiagonal form     | eigenvalues     |
//! |:-------|:-----|:----------------------------------------|:------------------------|:----------------|
//! | one    | few  |                                         | `?sytrd`, one thread    | `tridiagonal`   |
//! | two    | many | `dense_to_band`                         | `band_to_tridiagonal`   | `tridiagonal`   |
//!
//! The reduction of a full matrix is in its own precision, what follows in f64. It takes 4/3 N^3 flops, in place. In
//! one stage half of the flops are products of the matrix with a vector, at the speed of memory. Two stages, over a
//! band, take products of matrices (Bischof, Lang & Sun, "A framework for symmetric band reduction", ACM TOMS 26,
//! 2000, doi:10.1145/365723.365735). LAPACK's routines for a band and for a tridiagonal matrix, `sb2st` and `sterf`,
//! have one thread: at N = 800 they take more time than its reduction to the band. The eigenvalues of the tridiagonal
//! matrix come from a QL iteration without vectors. Each is confirmed by Sturm counts to 4 sqrt(N) eps of the largest,
//! where eps is that of f64 also for a matrix of f32. The rounding of the reduction is added to that.
//!
//! [`EigenvalueTuning`](crate::EigenvalueTuning) holds the sizes that choose a row of the table.

mod band_to_tridiagonal;
mod dense_to_band;
mod real;
mod reflections;
mod sturm;
mod tridiagonal;

use ndarray::{Array2, s};

use crate::error::Result;
use crate::linalg::lapack::symmetric_to_tridiagonal;
use crate::linalg::require_square_and_finite;
use crate::linalg::scaling::scale_to_one;
use crate::runtime::parallel::Job;
use band_to_tridiagonal::band_to_tridiagonal;
use dense_to_band::dense_to_band;
use real::Real;
use tridiagonal::tridiagonal_eigenvalues;

/// Computes the eigenvalues, in ascending order, of the symmetric matrix whose upper triangle is given. The matrix is
/// overwritten, and no other N x N memory is used where it is in row-major order. Eigenvalues above the largest number of
/// the precision are infinite.
///
/// # Errors
/// [`crate::Error::Invalid`] where the matrix is not square or not finite; [`crate::Error::Lapack`] where the iteration
/// does not converge; [`crate::Error::Interrupted`].
pub fn symmetric_eigenvalues<A: Real>(matrix: Array2<A>, job: &Job) -> Result<Vec<A>> {
    let n = matrix.nrows();
    let mut matrix = if matrix.is_standard_layout() { matrix } else { matrix.as_standard_layout().into_owned() };
    let upper = matrix.rows().into_iter().enumerate().map(|(i, row)| row.slice_move(s![i.min(row.len())..]));
    let largest = require_square_and_finite(matrix.dim(), upper)?;
    // Products of entries must neither overflow nor underflow.
    let scale = if largest == 0.0 || A::SAFE.contains(&largest) { 1.0 } else { scale_to_one(largest) };
    if scale != 1.0 {
        matrix.mapv_inplace(|entry| A::real(entry.into() * scale));
    }
    let tuning = A::tuning(job.tuning());
    let two_stages_from = tuning.two_stages_from.max(tuning.band_width(n) + 1);
    let eigenvalues = if !lapack_provider::BAND_REDUCTION || n < two_stages_from {
        in_one_stage(matrix, job)
    } else {
        in_two_stages(matrix, tuning.band_width(n), job)
    }?;
    Ok(eigenvalues.into_iter().map(|eigenvalue| A::real(eigenvalue / scale)).collect())
}

/// Reduces a matrix straight to tridiagonal form, by LAPACK on one thread.
fn in_one_stage<A: Real>(matrix: Array2<A>, job: &Job) -> Result<Vec<f64>> {
    if matrix.is_empty() {
        return Ok(Vec::new());
    }
    let (diagonal, off_diagonal) = job.serial_lapack(|| symmetric_to_tridiagonal(matrix))?;
    let double = |entries: Vec<A>| entries.into_iter().map(Into::into).collect::<Vec<f64>>();
    tridiagonal_eigenvalues(&double(diagonal), &double(off_diagonal), job)
}

/// Reduces a matrix to a band, and the band to tridiagonal form.
fn in_two_stages<A: Real>(matrix: Array2<A>, band_width: usize, job: &Job) -> Result<Vec<f64>> {
    let band = dense_to_band(matrix, band_width, job)?;
    let (diagonal, off_diagonal) = band_to_tridiagonal(band.mapv(Into::into).view(), job)?;
    tridiagonal_eigenvalues(&diagonal, &off_diagonal, job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use crate::runtime::test_size::sized;
    use crate::runtime::tuning::{EigenvalueTuning, Tuning};
    use ndarray::array;
    use std::f64::consts::PI;

    fn eigenvalues<A: Real + Send>(matrix: Array2<A>) -> Result<Vec<A>> {
        parallel::run(2, || false, |job| symmetric_eigenvalues(matrix, job))
    }

    fn two_stages<A: Real + Send>(matrix: Array2<A>, band_width: usize) -> Result<Vec<f64>> {
        parallel::run(2, || false, |job| in_two_stages(matrix, band_width, job))
    }

    /// The Laplacian of the path graph has the eigenvalues 2 - 2 cos(pi k / n). Entries below the diagonal are not read.
    #[test]
    fn path_graph_from_its_upper_triangle() {
        let n = 90;
        let laplacian = Array2::from_shape_fn((n, n), |(i, j)| match (i, j) {
            _ if i > j => 7.0,
            _ if i == j => {
                if i == 0 || i == n - 1 {
                    1.0
                } else {
                    2.0
                }
            }
            _ => {
                if j == i + 1 {
                    -1.0
                } else {
                    0.0
                }
            }
        });
        #[expect(clippy::cast_possible_truncation, reason = "small integers")]
        let single = laplacian.mapv(|v: f64| v as f32);
        let whole = eigenvalues(single.clone()).map(|values| values.into_iter().map(f64::from).collect());
        for (single, double) in [
            (whole, eigenvalues(laplacian.clone())),
            (two_stages(single.clone(), 16), two_stages(laplacian.clone(), 16)),
            (two_stages(single, 48), two_stages(laplacian, 48)),
        ] {
            let (single, double) = (single.unwrap(), double.unwrap());
            for k in 0..n {
                let expected = 2.0 - 2.0 * (PI * k as f64 / n as f64).cos();
                approx::assert_abs_diff_eq!(double[k], expected, epsilon = 1e-14 * n as f64);
                approx::assert_abs_diff_eq!(single[k], expected, epsilon = 1e-6 * n as f64);
            }
        }
    }

    /// The matrix with the diagonal 1, -1, 1, ... and b beside it has the eigenvalues +-sqrt(1 + 4 b^2 cos^2(pi k / (n +
    /// 1))). It is tridiagonal already, so only the eigenvalues themselves are rounded, and those of f32 once more.
    #[test]
    fn tridiagonal_matrix_in_both_precisions() {
        let (n, b) = (300, 0.03125);
        let diagonal = |i: usize| if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let entry = |i: usize, j: usize| if i.abs_diff(j) == 1 { b } else { 0.0 };
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| if i == j { diagonal(i) } else { entry(i, j) });
        let modulus = |k: usize| (2.0 * b * (PI * k as f64 / (n + 1) as f64).cos()).hypot(1.0);
        let mut expected: Vec<f64> = (1..=n / 2).flat_map(|k| [modulus(k), -modulus(k)]).collect();
        expected.sort_unstable_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, reason = "the entries are numbers of f32")]
        let single = eigenvalues(matrix.mapv(|entry| entry as f32)).unwrap();
        let double = eigenvalues(matrix).unwrap();
        let bound = 4.0 * (n as f64).sqrt() * f64::EPSILON * modulus(1);
        for ((single, double), expected) in single.into_iter().zip(double).zip(expected) {
            assert!((double - expected).abs() <= bound, "{double} {expected}");
            assert!((f64::from(single) - expected).abs() <= f64::from(f32::EPSILON) + bound, "{single} {expected}");
        }
    }

    /// Matrices B B' of small integers, which are not rounded. N eps of the largest eigenvalue is the size below which the
    /// eigenvalues of a kernel are taken as 0.
    #[test]
    fn eigenvalues_of_a_null_space_are_below_n_eps() {
        for (n, rank) in [(2, 1), (3, 1), (5, 2), (20, 7), (130, 11), (sized(700, 260), 30)] {
            let factor = Array2::from_shape_fn((n, rank), |(i, j)| ((i * i * (j + 3) + j * j + i) % 7) as f64 - 3.0);
            let found: Vec<f64> = eigenvalues(factor.dot(&factor.t())).unwrap();
            let threshold = n as f64 * f64::EPSILON * found[n - 1];
            for eigenvalue in &found[..n - rank] {
                assert!(eigenvalue.abs() < threshold, "{n} rows: {eigenvalue} {threshold}");
            }
        }
    }

    /// A spectrum that spans all magnitudes, at the size from which two stages are used.
    #[test]
    fn one_stage_and_two_agree() {
        let n = sized(Tuning::MEASURED.eigenvalues_f64.two_stages_from, 300);
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| (-((i as f64 - j as f64) / 20.0).powi(2)).exp());
        let one = parallel::run(2, || false, |job| in_one_stage(matrix.clone(), job)).unwrap();
        let largest = one[n - 1];
        let two = two_stages(matrix, Tuning::MEASURED.eigenvalues_f64.band_width(n)).unwrap();
        for (one, two) in one.iter().zip(&two) {
            approx::assert_abs_diff_eq!(*one, *two, epsilon = 1e-13 * largest);
        }
    }

    /// Sizes down to matrices that are narrower than the band.
    #[test]
    fn tuning_changes_eigenvalues_by_rounding_alone() {
        let never = usize::MAX;
        for n in [1, 2, 16, 17, 49, 130] {
            let matrix = Array2::from_shape_fn((n, n), |(i, j)| ((i * j + i + j) as f64).sin());
            let expected = eigenvalues(matrix.clone()).unwrap();
            for wider_band_from in [[never, never], [0, never], [0, 0]] {
                let eigenvalues_f64 =
                    EigenvalueTuning { two_stages_from: 0, wider_band_from, band_tile_rows: [64; 2] };
                let tuning = Tuning { eigenvalues_f64, ..Tuning::MEASURED };
                let work = |job: &Job| symmetric_eigenvalues(matrix.clone(), job);
                let found = parallel::run_with(&tuning, 2, || false, work).unwrap();
                for (found, expected) in found.iter().zip(&expected) {
                    approx::assert_abs_diff_eq!(*found, *expected, epsilon = 1e-14 * n as f64);
                }
            }
        }
    }

    #[test]
    fn the_smallest_sizes() {
        assert_eq!(eigenvalues(Array2::<f64>::zeros((0, 0))), Ok(vec![]));
        for entry in [3.0, -5e-324, 1e-320, f64::MAX] {
            assert_eq!(eigenvalues(array![[entry]]), Ok(vec![entry]));
        }
    }

    #[test]
    fn matrix_may_be_in_column_major_order() {
        let n = 50;
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| if j < i { f64::NAN } else { (i + j * j % 7) as f64 });
        let mut columns = Array2::zeros((n, n)).reversed_axes();
        columns.assign(&matrix);
        assert_eq!(eigenvalues(columns), eigenvalues(matrix));
    }

    #[test]
    fn no_scale_is_lost() {
        let n = sized(700, 150); // two stages
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| ((i * j + i + j) as f64).sin());
        for threads in [1, 2] {
            let eigenvalues = |matrix| parallel::run(threads, || false, |job| symmetric_eigenvalues(matrix, job));
            let expected: Vec<f64> = eigenvalues(matrix.clone()).unwrap();
            for scale in [f64::MIN_POSITIVE, 2_f64.powi(-600), 2_f64.powi(600), 2_f64.powi(1015)] {
                let found = eigenvalues(&matrix * scale).unwrap();
                for (found, expected) in found.iter().zip(&expected) {
                    approx::assert_abs_diff_eq!(found / scale, *expected, epsilon = 1e-11);
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "this is where they are rounded")]
            let tiny = matrix.mapv(|entry| (entry * f64::from(f32::MIN_POSITIVE) / 8.0) as f32);
            let found = parallel::run(threads, || false, |job| symmetric_eigenvalues(tiny, job)).unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                let found = f64::from(*found) / (f64::from(f32::MIN_POSITIVE) / 8.0);
                approx::assert_abs_diff_eq!(found, *expected, epsilon = 1e-3);
            }
            let overflow = eigenvalues(Array2::from_elem((n, n), f64::MAX)).unwrap();
            assert_eq!(overflow[n - 1], f64::INFINITY);
        }
    }

    #[test]
    fn entries_that_are_not_finite_are_refused() {
        for entry in [f64::NAN, f64::INFINITY] {
            let mut matrix = Array2::eye(5);
            matrix[[1, 3]] = entry;
            let error = eigenvalues(matrix).unwrap_err().to_string();
            assert!(error.starts_with("matrix must be finite, got"), "{error}");
        }
    }

    #[test]
    fn a_rectangle_is_refused() {
        for shape in [(2, 3), (3, 2), (0, 2)] {
            let error = eigenvalues(Array2::<f64>::zeros(shape)).unwrap_err().to_string();
            assert_eq!(error, format!("matrix must be square, got {} x {}", shape.0, shape.1));
        }
    }
}
