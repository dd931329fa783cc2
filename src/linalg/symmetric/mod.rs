//! Eigenvalues of a symmetric matrix.
//!
//! | stages | rows            | f32                                   | f64                                   |
//! |:-------|:----------------|:--------------------------------------|:--------------------------------------|
//! | one    | few             | ssytrd                                | dsytrd                                |
//! | two    | more            | ssytrd_sy2sb and then `band` (in f64) | dsytrd_sy2sb and then `band`          |
//! | two    | many            | `dense` and then `band` (in f64)      | `dense` and then `band`               |
//!
//! and then `tridiagonal` (in f64). Reduction to tridiagonal form in place, 4/3 N^3 flops, and the QL iteration without
//! vectors. In one stage half of the flops are products of the matrix with a vector, at the speed of memory. Two stages
//! go over a band, which takes products of matrices: Bischof, Lang & Sun, "A framework for symmetric band reduction",
//! ACM TOMS 26 (2000). LAPACK's own ways from there on, `sb2st` and `sterf`, have one thread: at N = 800 they take more
//! time than its way to the band.

mod band_to_tridiagonal;
mod dense_to_band;
mod tridiagonal;

use std::ops::Range;

use ndarray::{Array2, LinalgScalar, s};
use ndarray_linalg::{Lapack, Scalar};

use super::lapack::Reduce;
use crate::error::{Error, Result};
use crate::runtime::parallel::Job;
use band_to_tridiagonal::band_to_tridiagonal;
use dense_to_band::dense_to_band;
use tridiagonal::{scale_of, tridiagonal_eigenvalues};

/// Rows below which BLAS's threads gain nothing and, where cores are busy, cost much: a whole entropy takes 9.4 ms on
/// one thread and 9.6 ms on two at N = 500, 15.1 and 14.4 ms at N = 600, 36 and 28 ms at N = 800 (SkylakeX, medians).
const SERIAL_BELOW: usize = 600;

/// What a symmetric matrix of reals may hold here: f32 or f64.
pub trait Real: Scalar<Real = Self> + Lapack + LinalgScalar + Reduce + Into<f64> + Send + Sync {
    /// Largest entries of matrices that need no scaling: those of LAPACK's drivers.
    #[doc(hidden)]
    const SAFE: Range<f64>;

    /// Rows from which two stages are faster than one, for one thread and for more. Measured (one stage; two stages with
    /// LAPACK's way to a band of 16, 32 and 48 entries; with ours; ms; best of 11 or three, SkylakeX kernels, 2 cores):
    ///
    /// | N    | f64, 1 thread                | f64, 2 threads               |
    /// |:-----|:-----------------------------|:-----------------------------|
    /// | 400  | 4.0; 4.3 4.5 5.2; 4.1 5.0 5.7 | 4.0; 3.8 4.2 5.5; 3.9 4.6 5.9 |
    /// | 600  | 10.9; 11.1 10.8 12.9; 11.5 12.9 14.1 | 9.5; 9.8 11.3 14.3; 12.2 14.5 14.8 |
    /// | 800  | 30.8; 25.5 24.5 25.7; 25.6 25.8 27.7 | 17.3; 19.4 23.2 26.0; 26.5 28.0 27.8 |
    /// | 1000 | 70.3; 44.9 41.6 43.7; 45.5 44.7 48.8 | 34.1; 35.2 38.2 44.9; 45.7 46.7 48.4 |
    /// | 1500 | 253; 168 144 151; 157 143 146 | 148; 99 105 113; 129 117 119 |
    /// | 2000 | 591; 376 297 286; 305 285 287 | 315; 221 199 214; 258 234 242 |
    /// | 3000 | -; - 969 894; - 948 915       | -; - 640 666; - 664 632       |
    /// | 5000 |                               | -; - 2940 2777; - 2565 2473   |
    ///
    /// | N    | f32, 1 thread                | f32, 2 threads               |
    /// |:-----|:-----------------------------|:-----------------------------|
    /// | 400  | 4.3; 4.1 4.5 5.0; 3.9 4.7 5.2 | 4.3; 3.5 3.8 5.0; 3.8 4.4 5.4 |
    /// | 600  | 9.9; 9.6 10.2 11.6; 9.1 10.2 11.8 | 7.6; 8.5 9.5 11.7; 9.5 11.0 11.9 |
    /// | 800  | 20.9; 18.7 19.6 22.1; 17.6 19.7 21.5 | 13.7; 15.9 18.1 23.5; 21.4 22.4 23.0 |
    /// | 1000 | 41.9; 34.4 34.3 36.7; 30.4 32.8 37.3 | 24.3; 30.9 32.6 37.6; 33.6 33.3 34.5 |
    /// | 1500 | 159; 111 102 104; 94 90 97    | 74; 84 80 94; 87 84 87        |
    /// | 2000 | 360; 250 210 209; 197 184 188 | 208; 179 164 174; 170 165 173 |
    /// | 3000 | -; - 655 651; - 568 566       | -; - 426 440; - 411 397       |
    /// | 5000 |                               | -; - 1852 1745; - 1611 1499   |
    #[doc(hidden)]
    const TWO_STAGES_FROM: [usize; 2];

    /// Rows from which our way to a band is faster than LAPACK's, for one thread and for more. Measured as above.
    #[doc(hidden)]
    const OWN_BAND_FROM: [usize; 2];

    /// The width of the band for n rows: 16, 32 or 48. Measured as above.
    #[doc(hidden)]
    fn band_width(n: usize) -> usize;
}

impl Real for f32 {
    const SAFE: Range<f64> = 1e-15..1e15;
    const TWO_STAGES_FROM: [usize; 2] = [600, 1700];
    const OWN_BAND_FROM: [usize; 2] = [600, 2500];

    fn band_width(n: usize) -> usize {
        match n {
            ..1200 => 16,
            1200..2500 => 32,
            _ => 48,
        }
    }
}

impl Real for f64 {
    const SAFE: Range<f64> = 1e-145..1e145;
    const TWO_STAGES_FROM: [usize; 2] = [600, 1200];
    const OWN_BAND_FROM: [usize; 2] = [2500, 2500];

    fn band_width(n: usize) -> usize {
        if n < 2500 { 32 } else { 48 }
    }
}

/// The eigenvalues, in ascending order, of the symmetric matrix whose upper triangle is given. The matrix is
/// overwritten, and no other N x N memory is used where its rows stand one after the other.
///
/// # Errors
/// [`crate::Error::Lapack`] where the matrix is not square or not finite, or the iteration does not converge; interrupted.
pub fn symmetric_eigenvalues<A: Real>(matrix: Array2<A>, job: &Job) -> Result<Vec<A>> {
    let n = matrix.nrows();
    if !matrix.is_square() {
        return Err(Error::Lapack(format!("a matrix {n} x {} is not square", matrix.ncols())));
    }
    let mut matrix = if matrix.is_standard_layout() { matrix } else { matrix.as_standard_layout().into_owned() };
    let largest = largest_entry(&matrix);
    if !largest.is_finite() {
        return Err(Error::Lapack("a matrix has an entry that is not finite".into()));
    }
    // Their products must neither overflow nor vanish.
    let scale = if largest == 0.0 || A::SAFE.contains(&largest) { 1.0 } else { scale_of(std::iter::once(&largest)) };
    if scale != 1.0 {
        matrix.mapv_inplace(|entry| A::real(entry.into() * scale));
    }
    let threads = usize::from(job.lapack_threads() > 1);
    let eigenvalues = if !lapack_provider::BAND_REDUCTION || n < A::TWO_STAGES_FROM[threads] {
        in_one_stage(matrix, job)
    } else {
        in_two_stages(matrix, A::band_width(n), n >= A::OWN_BAND_FROM[threads], job)
    }?;
    Ok(eigenvalues.into_iter().map(|eigenvalue| A::real(eigenvalue / scale)).collect())
}

/// The largest magnitude on and above the diagonal; NaN where there is one.
fn largest_entry<A: Real>(matrix: &Array2<A>) -> f64 {
    // As integers, magnitudes are in the same order, and NaN above infinity.
    let mut lanes = [0; 8];
    for (i, row) in matrix.rows().into_iter().enumerate() {
        let row = row.slice_move(s![i..]);
        let (chunks, rest) = row.to_slice().expect("the matrix is in standard layout").as_chunks::<8>();
        for entries in chunks.iter().map(<[A; 8]>::as_slice).chain([rest]) {
            for (lane, &entry) in lanes.iter_mut().zip(entries) {
                *lane = entry.into().abs().to_bits().max(*lane);
            }
        }
    }
    f64::from_bits(lanes.into_iter().fold(0, u64::max))
}

fn in_one_stage<A: Real>(matrix: Array2<A>, job: &Job) -> Result<Vec<f64>> {
    if matrix.is_empty() {
        return Ok(Vec::new());
    }
    let serial = matrix.nrows() < SERIAL_BELOW;
    let reduce = || A::to_tridiagonal(matrix);
    let (diagonal, beside) = if serial { job.serial_lapack(reduce) } else { job.lapack(reduce) }?;
    let double = |entries: Vec<A>| entries.into_iter().map(Into::into).collect::<Vec<f64>>();
    tridiagonal_eigenvalues(&double(diagonal), &double(beside), job)
}

fn in_two_stages<A: Real>(matrix: Array2<A>, band_width: usize, own: bool, job: &Job) -> Result<Vec<f64>> {
    let band =
        if own { dense_to_band(matrix, band_width, job)? } else { job.lapack(|| A::to_band(matrix, band_width))? };
    let (diagonal, beside) = band_to_tridiagonal(band.mapv(Into::into).view(), job)?;
    tridiagonal_eigenvalues(&diagonal, &beside, job)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::array;
    use std::f64::consts::PI;

    fn eigenvalues<A: Real + Send>(matrix: Array2<A>) -> Result<Vec<A>> {
        parallel::run(2, || false, |job| symmetric_eigenvalues(matrix, job))
    }

    fn two_stages<A: Real + Send>(matrix: Array2<A>, band_width: usize, own: bool) -> Result<Vec<f64>> {
        parallel::run(2, || false, |job| in_two_stages(matrix, band_width, own, job))
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
        let whole = eigenvalues(single.clone()).map(|values| values.into_iter().map(f64::from).collect());
        for (single, double) in [
            (whole, eigenvalues(laplacian.clone())),
            (two_stages(single.clone(), 16, false), two_stages(laplacian.clone(), 16, false)),
            (two_stages(single.clone(), 48, false), two_stages(laplacian.clone(), 48, false)),
            (two_stages(single.clone(), 16, true), two_stages(laplacian.clone(), 16, true)),
            (two_stages(single, 48, true), two_stages(laplacian, 48, true)),
        ] {
            let (single, double) = (single.unwrap(), double.unwrap());
            for k in 0..n {
                let expected = 2.0 - 2.0 * (PI * k as f64 / n as f64).cos();
                approx::assert_abs_diff_eq!(double[k], expected, epsilon = 1e-14 * n as f64);
                approx::assert_abs_diff_eq!(single[k], expected, epsilon = 1e-6 * n as f64);
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
        let largest = one[n - 1];
        for own in [false, true] {
            let two = two_stages(matrix.clone(), f64::band_width(n), own).unwrap();
            for (one, two) in one.iter().zip(&two) {
                approx::assert_abs_diff_eq!(*one, *two, epsilon = 1e-13 * largest);
            }
        }
    }

    #[test]
    fn the_smallest_sizes() {
        assert_eq!(eigenvalues(Array2::<f64>::zeros((0, 0))), Ok(vec![]));
        assert_eq!(eigenvalues(array![[3.0]]), Ok(vec![3.0]));
    }

    #[test]
    fn columns_may_stand_one_after_the_other() {
        let n = 50;
        let matrix = Array2::from_shape_fn((n, n), |(i, j)| if j < i { f64::NAN } else { (i + j * j % 7) as f64 });
        let mut columns = Array2::zeros((n, n)).reversed_axes();
        columns.assign(&matrix);
        assert_eq!(eigenvalues(columns), eigenvalues(matrix));
    }

    #[test]
    fn no_scale_is_lost() {
        let n = 700; // two stages on one thread, one stage on two
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
    fn what_is_not_finite_is_refused() {
        for entry in [f64::NAN, f64::INFINITY] {
            let mut matrix = Array2::eye(5);
            matrix[[1, 3]] = entry;
            assert!(matches!(eigenvalues(matrix), Err(crate::Error::Lapack(_))));
        }
    }

    #[test]
    fn a_rectangle_is_refused() {
        assert!(matches!(eigenvalues(Array2::<f64>::zeros((2, 3))), Err(crate::Error::Lapack(_))));
    }
}
