//! Eigenvalues of a symmetric matrix.
//!
//! | stages | f32                                | f64                                |
//! |:-------|:-----------------------------------|:-----------------------------------|
//! | one    | ssytrd                             | dsytrd                             |
//! | two    | ssytrd_sy2sb and then `band` (f64) | dsytrd_sy2sb and then `band` (f64) |
//!
//! and then `tridiagonal` (f64). Reduction to tridiagonal form in place, 4/3 N^3 flops, and the QL iteration without
//! vectors. In one stage half of the flops are products of the matrix with a vector, at the speed of memory. Two stages
//! go over a band, which takes products of matrices: Bischof, Lang & Sun, "A framework for symmetric band reduction",
//! ACM TOMS 26 (2000). LAPACK's own ways from there on, `sb2st` and `sterf`, have one thread and take two fifths of
//! its time at N = 5000, two thirds at N = 800.

use ndarray::Array2;
use ndarray_linalg::{Lapack, Scalar};

use super::band::band_to_tridiagonal;
use super::lapack::Reduce;
use super::tridiagonal::tridiagonal_eigenvalues;
use crate::error::{Error, Result};
use crate::parallel::Job;

/// Rows below which BLAS's threads gain nothing and, where cores are busy, cost much: a whole entropy takes 9.4 ms on
/// one thread and 9.6 ms on two at N = 500, 15.1 and 14.4 ms at N = 600, 36 and 28 ms at N = 800 (SkylakeX, medians).
const SERIAL_BELOW: usize = 600;

/// What a symmetric matrix of reals may hold here: f32 or f64.
pub trait Real: Scalar<Real = Self> + Lapack + Reduce + Into<f64> {
    /// Rows from which two stages are faster than one, for one thread and for more. Measured (one stage, two stages,
    /// ms; best of five, SkylakeX kernels, 2 cores):
    ///
    /// | N    | f64, 1 thread | f64, 2 threads | f32, 1 thread | f32, 2 threads |
    /// |:-----|:--------------|:---------------|:--------------|:---------------|
    /// | 800  | 30, 29        | 19, 29         | 16, 22        | 12, 23         |
    /// | 1000 | 64, 51        | 34, 48         | 31, 37        | 20, 37         |
    /// | 1500 | 229, 139      | 125, 122       | 118, 100      | 63, 95         |
    /// | 2000 | 532, 292      | 305, 239       | 293, 207      | 159, 184       |
    /// | 3000 | 1696, 876     | 985, 655       | 943, 583      | 557, 468       |
    /// | 5000 |               | 4202, 2474     |               | 2250, 1593     |
    #[doc(hidden)]
    const TWO_STAGES_FROM: [usize; 2];

    /// The width of the band for n rows. Measured (32, 48, 64 diagonals, ms, as above):
    ///
    /// | N    | f64                 | f32              |
    /// |:-----|:--------------------|:-----------------|
    /// | 3000 | 655, 661, 742       | 468, 480, 453    |
    /// | 5000 | 2474, 2731, 2799    | 1593, 1640, 1559 |
    /// | 8000 | 10882, 10012, 10191 | 5962, 5634, 5386 |
    #[doc(hidden)]
    fn band_width(n: usize) -> usize;
}

impl Real for f32 {
    const TWO_STAGES_FROM: [usize; 2] = [1300, 2500];

    fn band_width(n: usize) -> usize {
        if n < 2500 { 32 } else { 64 }
    }
}

impl Real for f64 {
    const TWO_STAGES_FROM: [usize; 2] = [900, 1500];

    fn band_width(n: usize) -> usize {
        if n < 6500 { 32 } else { 48 }
    }
}

/// The eigenvalues, in ascending order, of the symmetric matrix whose upper triangle is given. The matrix is
/// overwritten, and no other N x N memory is used where its rows stand one after the other.
///
/// # Errors
/// [`crate::Error::Lapack`] where the matrix is not square or the iteration does not converge; interrupted.
pub fn symmetric_eigenvalues<A: Real>(matrix: Array2<A>, job: &Job) -> Result<Vec<A>> {
    let n = matrix.nrows();
    if !matrix.is_square() {
        return Err(Error::Lapack(format!("a matrix {n} x {} is not square", matrix.ncols())));
    }
    let matrix = if matrix.is_standard_layout() { matrix } else { matrix.as_standard_layout().into_owned() };
    let two_stages_from = A::TWO_STAGES_FROM[usize::from(job.lapack_threads() > 1)];
    if lapack_provider::BAND_REDUCTION && n >= two_stages_from {
        in_two_stages(matrix, A::band_width(n), job)
    } else {
        in_one_stage(matrix, job)
    }
}

fn in_one_stage<A: Real>(matrix: Array2<A>, job: &Job) -> Result<Vec<A>> {
    if matrix.is_empty() {
        return Ok(Vec::new());
    }
    let serial = matrix.nrows() < SERIAL_BELOW;
    let reduce = || A::to_tridiagonal(matrix);
    let (diagonal, beside) = if serial { job.serial_lapack(reduce) } else { job.lapack(reduce) }?;
    let double = |entries: Vec<A>| entries.into_iter().map(Into::into).collect::<Vec<f64>>();
    Ok(rounded(tridiagonal_eigenvalues(&double(diagonal), &double(beside), job)?))
}

fn in_two_stages<A: Real>(matrix: Array2<A>, band_width: usize, job: &Job) -> Result<Vec<A>> {
    let band = job.lapack(|| A::to_band(matrix, band_width))?;
    let (diagonal, beside) = band_to_tridiagonal(band.mapv(Into::into).view(), job)?;
    Ok(rounded(tridiagonal_eigenvalues(&diagonal, &beside, job)?))
}

fn rounded<A: Real>(eigenvalues: Vec<f64>) -> Vec<A> {
    eigenvalues.into_iter().map(A::real).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel;
    use ndarray::array;
    use std::f64::consts::PI;

    fn eigenvalues<A: Real + Send>(matrix: Array2<A>) -> Result<Vec<A>> {
        parallel::run(2, || false, |job| symmetric_eigenvalues(matrix, job))
    }

    fn two_stages<A: Real + Send>(matrix: Array2<A>, band_width: usize) -> Result<Vec<A>> {
        parallel::run(2, || false, |job| in_two_stages(matrix, band_width, job))
    }

    /// The path graph's Laplacian: 2 - 2 cos(pi k / n). What stands below the diagonal must not matter.
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
        for (single, double) in [
            (eigenvalues(single.clone()), eigenvalues(laplacian.clone())),
            (two_stages(single.clone(), 16), two_stages(laplacian.clone(), 16)),
            (two_stages(single.clone(), 32), two_stages(laplacian.clone(), 32)),
            (two_stages(single, 64), two_stages(laplacian, 64)),
        ] {
            let (single, double) = (single.unwrap(), double.unwrap());
            for k in 0..n {
                let expected = 2.0 - 2.0 * (PI * k as f64 / n as f64).cos();
                approx::assert_abs_diff_eq!(double[k], expected, epsilon = 1e-14 * n as f64);
                approx::assert_abs_diff_eq!(f64::from(single[k]), expected, epsilon = 1e-6 * n as f64);
            }
        }
    }

    /// Each against the other, at the size from which on two stages are taken, on a spectrum that spans all
    /// magnitudes.
    #[test]
    fn one_stage_and_two_agree() {
        let n = f64::TWO_STAGES_FROM[1];
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| (-((i as f64 - j as f64) / 20.0).powi(2)).exp());
        let one = parallel::run(2, || false, |job| in_one_stage(matrix.clone(), job)).unwrap();
        let two = two_stages(matrix, f64::band_width(n)).unwrap();
        let largest = one[n - 1];
        for (one, two) in one.iter().zip(&two) {
            approx::assert_abs_diff_eq!(*one, *two, epsilon = 1e-13 * largest);
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
