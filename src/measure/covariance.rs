//! The spectrum of the covariance of the columns of a data set.
//!
//! ```text
//! C = X_c' X_c / (N - 1),     X_c the centred rows
//! ```
//!
//! Effective ranks and the participation ratio are read off its eigenvalues. X_c' X_c and X_c X_c' have the same nonzero
//! eigenvalues, so the smaller of the two matrices is formed. Cost: N D min(N, D) flops, and the eigenvalues.

use ndarray::ArrayView2;

use crate::data::distances::Distances;
use crate::data::input::Input;
use crate::data::points::Points;
use crate::error::Result;
use crate::linalg::scalar::Element;
use crate::linalg::symmetric_eigenvalues;
use crate::linalg::tall_skinny::gram_matrix;
use crate::runtime::memory;
use crate::runtime::parallel::Job;

/// Computes the D eigenvalues of the covariance, in no particular order; none is negative.
///
/// # Errors
/// [`crate::Error::Invalid`] for entries that are not finite; [`crate::Error::OutOfMemory`];
/// [`crate::Error::Interrupted`]; [`crate::Error::Lapack`].
pub fn covariance_eigenvalues<T: Element>(x: ArrayView2<T>, job: &Job) -> Result<Vec<f64>> {
    Input::rows(x).require()?;
    let (n, d) = x.dim();
    memory::require(n, memory::dense_bytes(1.0, n.min(d), 0).saturating_add(memory::dense_bytes(0.0, n, d)), job)?;
    let points = Points::in_own_scale(x);
    let centred = if n < d { points.centred().t() } else { points.centred().view() };
    let gram = gram_matrix(centred, job)?;
    let degrees_of_freedom = (n as f64 - 1.0).max(1.0);
    let mut eigenvalues = symmetric_eigenvalues(gram.into_matrix(), job)?;
    for value in &mut eigenvalues {
        *value = value.max(0.0) / degrees_of_freedom * points.unit() * points.unit();
    }
    eigenvalues.resize(d, 0.0);
    Ok(eigenvalues)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::parallel;
    use ndarray::{Array2, array};

    fn eigenvalues(x: &Array2<f64>) -> Vec<f64> {
        let mut values = parallel::run(2, || false, |job| covariance_eigenvalues(x.view(), job)).unwrap();
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
}
