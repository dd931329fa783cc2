//! Entropy, in bits, of a spectrum and of an operator's entries.
//!
//! ```text
//! H = -sum_i (p_i + eps) log2 (p_i + eps),     eps = 2^-52
//! ```
//!
//! The shift by eps is that of the reference implementation, where it keeps log2 finite. It is not renormalised, so
//! one row alone has the entropy -3.2e-16, and over the N^2 entries of an operator it shows at 1e-7.

use crate::error::{Error, Result};
use crate::parallel::Job;
use crate::triangle::UpperTriangle;

/// One probability's part of the entropy.
fn bits(p: f64) -> f64 {
    let shifted = p + f64::EPSILON;
    -shifted * shifted.log2()
}

/// The entropy of probabilities that sum to 1.
pub(crate) fn shannon_entropy(probabilities: impl Iterator<Item = f64>) -> f64 {
    probabilities.map(bits).sum()
}

/// The entropy of p_i = |lambda_i|^t / sum |lambda|^t (arXiv 2312.04823, Definition 3.1). A common factor of the
/// eigenvalues cancels.
///
/// # Errors
/// [`Error::Invalid`] for a t that is negative or not finite, and for eigenvalues that are not finite or all zero.
pub fn spectral_entropy(eigenvalues: &[f64], t: f64) -> Result<f64> {
    if !(t >= 0.0 && t.is_finite()) {
        return Err(Error::invalid("t", "finite and at least 0", t));
    }
    let largest = eigenvalues.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
    if let Some(bad) = eigenvalues.iter().find(|v| !v.is_finite()) {
        return Err(Error::invalid("eigenvalues", "finite", bad));
    }
    if largest == 0.0 {
        return Err(Error::invalid("eigenvalues", "such that one is not zero", "nothing but zeros"));
    }
    // Relative to the largest, so that no power overflows.
    let powers: Vec<f64> = eigenvalues.iter().map(|v| (v.abs() / largest).powf(t)).collect();
    let total: f64 = powers.iter().sum();
    Ok(shannon_entropy(powers.iter().map(|power| power / total)))
}

/// The entropy of the N^2 entries of R^-1 K as one distribution, R the diagonal matrix of the row sums of K.
///
/// # Errors
/// Interrupted.
pub fn matrix_entry_entropy(operator: &UpperTriangle, job: &Job) -> Result<f64> {
    // Each row of R^-1 K sums to 1, so all entries sum to N.
    let n = operator.dim() as f64;
    let weight: Vec<f64> = operator.row_sums(job)?.into_iter().map(|sum| (sum * n).recip()).collect();
    let parts = operator.map_blocks(job, |first, block| {
        let mut entropy = 0.0;
        for (r, row) in block.rows().into_iter().enumerate() {
            let i = first + r;
            entropy += bits(row[r] * weight[i]);
            for (&entry, other) in row.iter().zip(&weight[first..]).skip(r + 1) {
                entropy += bits(entry * weight[i]) + bits(entry * other);
            }
        }
        entropy
    })?;
    Ok(parts.into_iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Points, diffusion_operator, parallel};
    use ndarray::Array2;

    #[test]
    fn equal_eigenvalues_give_log2_of_their_number() {
        for t in [0.0, 0.5, 1.0, 7.0] {
            approx::assert_abs_diff_eq!(spectral_entropy(&[3.0; 8], t).unwrap(), 3.0, epsilon = 1e-13);
        }
    }

    /// p = (4/5, 1/5): H = log2 5 - 8/5.
    #[test]
    fn powers_and_signs() {
        let expected = 5_f64.log2() - 1.6;
        for (eigenvalues, t) in [([4.0, 1.0], 1.0), ([-4.0, 1.0], 1.0), ([2.0, -1.0], 2.0), ([16.0, 1.0], 0.5)] {
            approx::assert_abs_diff_eq!(spectral_entropy(&eigenvalues, t).unwrap(), expected, epsilon = 1e-14);
        }
    }

    #[test]
    fn zero_to_the_power_of_zero_counts() {
        approx::assert_abs_diff_eq!(spectral_entropy(&[1.0, 0.0], 0.0).unwrap(), 1.0, epsilon = 1e-14);
    }

    #[test]
    fn huge_powers_do_not_overflow() {
        approx::assert_abs_diff_eq!(spectral_entropy(&[1e300, 1e300], 1e4).unwrap(), 1.0, epsilon = 1e-14);
        approx::assert_abs_diff_eq!(spectral_entropy(&[1e-300, 1e-300], 1e4).unwrap(), 1.0, epsilon = 1e-14);
    }

    #[test]
    fn one_eigenvalue_shows_the_unnormalised_shift() {
        let expected = -(1.0 + f64::EPSILON) * (1.0 + f64::EPSILON).log2();
        assert_eq!(spectral_entropy(&[0.3], 1.0), Ok(expected));
        assert!(expected < 0.0);
    }

    #[test]
    fn bad_arguments_are_named() {
        for (eigenvalues, t, start) in [
            (vec![1.0], -1.0, "t must"),
            (vec![1.0], f64::NAN, "t must"),
            (vec![0.0, 0.0], 1.0, "eigenvalues must"),
            (vec![], 1.0, "eigenvalues must"),
            (vec![1.0, f64::NAN], 1.0, "eigenvalues must"),
        ] {
            let error = spectral_entropy(&eigenvalues, t).unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
    }

    /// Against the definition, entry by entry, over more than one block of rows.
    #[test]
    fn matrix_entries_follow_the_definition() {
        let n = 150;
        let x = Array2::from_shape_fn((n, 2), |(i, j)| ((i * 29 + j * 7) % 53) as f64);
        let points = Points::new(x.view(), 10.0);
        let (entropy, k) = parallel::run(
            2,
            || false,
            |job| {
                let k = diffusion_operator(&points, 10.0, job)?;
                Ok((matrix_entry_entropy(&k, job)?, k))
            },
        )
        .unwrap();
        let row_sum = |i| (0..n).map(|j| k.get(i, j)).sum::<f64>();
        let expected = shannon_entropy((0..n * n).map(|m| k.get(m / n, m % n) / row_sum(m / n) / n as f64));
        approx::assert_abs_diff_eq!(entropy, expected, epsilon = 1e-11);
    }
}
