//! The spectrum of the covariance of the columns of a data set, or of their second moments.
//!
//! ```text
//! C = X_c' X_c / (N - 1),     X_c the centred rows
//! M = X' X / N                where rows are not centred
//! ```
//!
//! Effective ranks and the participation ratio are read off its eigenvalues. X_c' X_c and X_c X_c' have the same nonzero
//! eigenvalues, so the smaller of the two matrices is formed. Cost: N D min(N, D) flops, and the eigenvalues. Of rows that
//! come block by block, mean and scatter of each block are computed here, and merged by the caller (Chan, Golub & LeVeque,
//! doi:10.1080/00031305.1983.10483115): N D^2 flops.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::data::distances::Distances;
use crate::data::input::Input;
use crate::data::points::Points;
use crate::error::Result;
use crate::linalg::scalar::Element;
use crate::linalg::symmetric_eigenvalues;
use crate::linalg::tall_skinny::gram_matrix;
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Computes the D eigenvalues of the covariance or, where `centred` is false, of the second moments, in no particular
/// order; none is negative.
///
/// # Errors
/// [`crate::Error::Invalid`] for entries that are not finite; [`crate::Error::OutOfMemory`];
/// [`crate::Error::Interrupted`]; [`crate::Error::Lapack`].
pub fn covariance_eigenvalues<T: Element>(x: ArrayView2<T>, centred: bool, job: &Job) -> Result<Vec<f64>> {
    Input::rows(x).require()?;
    let (n, d) = x.dim();
    memory::require(n, memory::dense_bytes(1.0, n.min(d), 0).saturating_add(memory::dense_bytes(0.0, n, d)), job)?;
    let points = if centred { Points::in_own_scale(x) } else { Points::about_origin(x) };
    let rows = if n < d { points.centred().t() } else { points.centred().view() };
    let gram = gram_matrix(rows, job)?;
    let divisor = if centred { (n as f64 - 1.0).max(1.0) } else { n as f64 };
    let mut eigenvalues = symmetric_eigenvalues(gram.into_matrix(), job)?;
    for value in &mut eigenvalues {
        *value = value.max(0.0) / divisor * points.unit() * points.unit();
    }
    eigenvalues.resize(d, 0.0);
    Ok(eigenvalues)
}

/// The first two moments of a block of rows, in units of a power of two.
#[derive(Debug, Clone)]
pub struct Scatter {
    /// The mean row in the unit.
    pub mean: Array1<f64>,
    /// X_c' X_c [D, D] in the square of the unit.
    pub scatter: Array2<f64>,
    /// The binary exponent of the unit, near the largest entry, so that no square overflows.
    pub exponent: i32,
}

/// Computes mean and scatter of a block of rows.
///
/// The mean row m is rounded, so rows less m have a mean e that is not 0; N e e' is taken off their scatter, and e added
/// to the mean.
///
/// # Errors
/// [`crate::Error::Invalid`] for entries that are not finite; [`crate::Error::OutOfMemory`];
/// [`crate::Error::Interrupted`].
pub fn block_scatter<T: Element>(x: ArrayView2<T>, job: &Job) -> Result<Scatter> {
    Input::rows(x).require()?;
    let (n, d) = x.dim();
    memory::require(n, memory::dense_bytes(2.0, d, 0).saturating_add(memory::dense_bytes(0.0, n, d)), job)?;
    let points = Points::in_own_scale(x);
    let gram = gram_matrix(points.centred().view(), job)?;
    let rest = points.centred().sum_axis(Axis(0)) / n as f64;
    let scatter = Array2::from_shape_fn((d, d), |(i, j)| gram.get(i, j) - n as f64 * rest[i] * rest[j]);
    Ok(Scatter { mean: points.mean() + &rest, scatter, exponent: points.exponent() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::{Array2, array};

    fn eigenvalues(x: &Array2<f64>) -> Vec<f64> {
        let mut values = parallel::run(2, || false, |job| covariance_eigenvalues(x.view(), true, job)).unwrap();
        values.sort_by(f64::total_cmp);
        values
    }

    /// Variances 2 and 8 along two axes, and none along a third.
    #[test]
    fn variances_along_the_axes() {
        let x = array![[1.0, 0.0, 5.0], [-1.0, 0.0, 5.0], [0.0, 2.0, 5.0], [0.0, -2.0, 5.0]];
        let expected = [0.0, 2.0 / 3.0, 8.0 / 3.0];
        for scale in [1e-100, 1.0, 1e100] {
            for (value, expected) in eigenvalues(&(&x * scale)).iter().zip(expected) {
                approx::assert_abs_diff_eq!(value / scale / scale, expected, epsilon = 1e-14);
            }
        }
    }

    /// More columns than rows: the Gram matrix of the rows, and zeros.
    #[test]
    fn wide_data_have_zero_eigenvalues() {
        let x = array![[1.0, 0.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0, 0.0]];
        for (value, expected) in eigenvalues(&x).iter().zip([0.0, 0.0, 0.0, 0.0, 2.0]) {
            approx::assert_abs_diff_eq!(*value, expected, epsilon = 1e-15);
        }
        assert_eq!(eigenvalues(&array![[1.0, 2.0]]), [0.0, 0.0]);
    }

    /// The mean (3, 0) of two rows, whose second moments are those about it and 9 along the first axis.
    #[test]
    fn second_moments_are_about_the_origin() {
        let x = array![[3.0, 2.0], [3.0, -2.0]];
        let mut values = parallel::run(1, || false, |job| covariance_eigenvalues(x.view(), false, job)).unwrap();
        values.sort_by(f64::total_cmp);
        approx::assert_abs_diff_eq!(values[..], [4.0, 9.0], epsilon = 1e-14);
    }

    /// Sums of rows up to 7 times 2^100 that are integers in that unit, so nothing is rounded.
    #[test]
    fn a_block_has_a_mean_and_a_scatter_about_it() {
        let x = array![[7.0, 1.0], [5.0, 1.0], [6.0, 4.0], [6.0, 2.0]] * 2f64.powi(100);
        let found = parallel::run(1, || false, |job| block_scatter(x.view(), job)).unwrap();
        let unit = 2f64.powi(found.exponent - 100);
        assert_eq!(found.mean * unit, array![6.0, 2.0]);
        assert_eq!(found.scatter * unit * unit, array![[2.0, 0.0], [0.0, 6.0]]);
    }
}
