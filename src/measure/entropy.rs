//! The entropy of a spectrum, in bits.
//!
//! ```text
//! p_i = |lambda_i|^t / sum_j |lambda_j|^t
//! H   = -sum_i p_i log2 p_i,     H_q = log2(sum_i p_i^q) / (1 - q)     of order q (Renyi)
//! ```
//!
//! (arXiv 2312.04823, Definition 3.1.) The four measures of the reference implementation add eps = 2^-52 to each p_i,
//! which keeps log2 finite. The sum is not normalised again, so one row alone has the entropy -3.2e-16, and over the
//! N^2 entries of an operator the shift changes the entropy by 1e-7. Cost: N powers and logarithms per t and order.

use std::f64::consts::LN_2;

use ndarray::{Array2, ArrayView1};

use crate::error::{Error, Result, require_time};
use crate::linalg::scaling::max_abs;

/// The term -p log2 p of the entropy, with p shifted by eps.
pub(crate) fn shifted_bits(p: f64) -> f64 {
    let shifted = p + f64::EPSILON;
    -shifted * shifted.log2()
}

/// The entropy of probabilities that sum to 1, each shifted by eps.
pub(crate) fn shannon_entropy(probabilities: impl Iterator<Item = f64>) -> f64 {
    probabilities.map(shifted_bits).sum()
}

/// Computes the entropy of p_i = |lambda_i|^t / sum |lambda|^t (arXiv 2312.04823, Definition 3.1), each p_i shifted by
/// eps. A common factor of the eigenvalues cancels.
///
/// # Errors
/// [`Error::Invalid`] for a t that is negative or not finite, and for eigenvalues that are not finite or all zero.
pub fn spectral_entropy(eigenvalues: &[f64], t: f64) -> Result<f64> {
    require_time(t)?;
    let largest = largest_modulus(eigenvalues)?;
    // Relative to the largest, so that no power overflows.
    let powers: Vec<f64> = eigenvalues.iter().map(|&v| relative_power(v, largest, t)).collect();
    let total: f64 = powers.iter().sum();
    Ok(shannon_entropy(powers.iter().map(|power| power / total)))
}

/// ln(|v| / largest) of a v that is not 0, also where the quotient underflows.
fn relative_logarithm(v: f64, largest: f64) -> f64 {
    let ratio = v.abs() / largest;
    if ratio >= f64::MIN_POSITIVE { ratio.ln() } else { v.abs().ln() - largest.ln() }
}

/// (|v| / largest)^t, also where the quotient underflows.
fn relative_power(v: f64, largest: f64, t: f64) -> f64 {
    let ratio = v.abs() / largest;
    if v == 0.0 || ratio >= f64::MIN_POSITIVE { ratio.powf(t) } else { (t * relative_logarithm(v, largest)).exp() }
}

/// The largest modulus, which must be finite and not 0.
fn largest_modulus(eigenvalues: &[f64]) -> Result<f64> {
    if let Some(bad) = eigenvalues.iter().find(|v| !v.is_finite()) {
        return Err(Error::invalid("eigenvalues", "finite", bad));
    }
    match max_abs([ArrayView1::from(eigenvalues)]) {
        0.0 => Err(Error::invalid("eigenvalues", "such that one is not zero", "nothing but zeros")),
        largest => Ok(largest),
    }
}

/// Computes the Renyi entropies of p_i = |lambda_i|^t / sum |lambda|^t, without any shift, for each t and each order:
/// [times, orders].
///
/// Order 1 is Shannon's entropy, infinity -log2 max p. Order 0 is log2 of the number of eigenvalues that are not 0; where
/// t is 0, all of them count, as they do in every p.
///
/// # Errors
/// [`Error::Invalid`] as in [`spectral_entropy`], and for an order that is negative or not a number.
pub fn renyi_entropies(eigenvalues: &[f64], times: &[f64], orders: &[f64]) -> Result<Array2<f64>> {
    let largest = largest_modulus(eigenvalues)?;
    times.iter().try_for_each(|&t| require_time(t))?;
    if let Some(bad) = orders.iter().find(|order| order.is_nan() || **order < 0.0) {
        return Err(Error::invalid("order", "at least 0", bad));
    }
    let log_moduli: Vec<f64> =
        eigenvalues.iter().filter(|&&v| v != 0.0).map(|&v| relative_logarithm(v, largest)).collect();
    let mut entropies = Array2::zeros((times.len(), orders.len()));
    for (&t, mut of_time) in times.iter().zip(entropies.rows_mut()) {
        if t == 0.0 {
            of_time.fill((eigenvalues.len() as f64).log2());
            continue;
        }
        let log_powers: Vec<f64> = log_moduli.iter().map(|log| t * log).collect();
        let log_sum = log_powers.iter().map(|log| log.exp()).sum::<f64>().ln(); // the largest is exp 0
        // Powers that have underflowed add nothing to any sum.
        let log_p: Vec<f64> = log_powers.iter().filter(|log| log.is_finite()).map(|log| log - log_sum).collect();
        for (&order, entropy) in orders.iter().zip(&mut of_time) {
            let nats = if order == 0.0 { (log_moduli.len() as f64).ln() } else { renyi_nats(&log_p, order) };
            *entropy = (nats / LN_2).max(0.0);
        }
    }
    Ok(entropies)
}

/// The Renyi entropy in nats, of an order that is not 0, from the logarithms of the probabilities.
fn renyi_nats(log_p: &[f64], order: f64) -> f64 {
    let largest = log_p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let excess = order - 1.0;
    if order == 1.0 {
        -log_p.iter().map(|log| log.exp() * log).sum::<f64>()
    } else if order.is_infinite() {
        -largest
    } else if excess.abs() < 0.1 {
        // sum p^q = 1 + sum p (p^(q - 1) - 1), which loses nothing near q = 1.
        -log_p.iter().map(|log| log.exp() * (excess * log).exp_m1()).sum::<f64>().ln_1p() / excess
    } else {
        let sum: f64 = log_p.iter().map(|log| (order * (log - largest)).exp()).sum();
        -(largest * (order / excess) + sum.ln() / excess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// p = 1 / (1 + 10^(-t d)) and the rest, for eigenvalues whose quotient 10^-d is no number of f64.
    #[test]
    fn quotients_that_underflow_count() {
        for (eigenvalues, decades) in [([1e300, 1e-20], 320.0), ([-1e300, 1e-300], 600.0)] {
            for t in [1e-4, 1e-3, 0.01] {
                let other = 10_f64.powf(-t * decades);
                let p = [1.0 / (1.0 + other), other / (1.0 + other)];
                let expected: f64 = p.iter().map(|p| -p * p.log2()).sum();
                approx::assert_abs_diff_eq!(spectral_entropy(&eigenvalues, t).unwrap(), expected, epsilon = 1e-14);
                let renyi = renyi_entropies(&eigenvalues, &[t], &[1.0]).unwrap();
                approx::assert_abs_diff_eq!(renyi[[0, 0]], expected, epsilon = 1e-14);
            }
        }
    }

    /// p = (4/5, 1/5): sum p^q in closed form.
    #[test]
    fn renyi_orders_of_two_probabilities() {
        let shannon = 5_f64.log2() - 1.6;
        let expected = [
            (0.0, 1.0),
            (0.5, 2.0 * (0.8_f64.sqrt() + 0.2_f64.sqrt()).log2()),
            (1.0, shannon),
            (1.0 + 1e-12, shannon),
            (2.0, -0.68_f64.log2()),
            (3.0, -(0.512_f64 + 0.008).log2() / 2.0),
            (1e6, -0.8_f64.log2() * 1e6 / (1e6 - 1.0)),
            (f64::INFINITY, -0.8_f64.log2()),
        ];
        let orders = expected.map(|(order, _)| order);
        for (eigenvalues, t) in [(vec![4.0, -1.0], 1.0), (vec![2e200, 1e200], 2.0), (vec![16e-300, 1e-300], 0.5)] {
            let entropies = renyi_entropies(&eigenvalues, &[t], &orders).unwrap();
            for (entropy, (_, expected)) in entropies.iter().zip(expected) {
                approx::assert_abs_diff_eq!(*entropy, expected, epsilon = 1e-11);
            }
        }
    }

    #[test]
    fn orders_near_one_are_continuous() {
        let eigenvalues: Vec<f64> = (0..200).map(|i| 0.9_f64.powi(i * 10)).collect();
        let orders = [0.9 - 1e-9, 0.9 + 1e-9, 1.0 - 1e-9, 1.0, 1.0 + 1e-9, 1.1 - 1e-9, 1.1 + 1e-9];
        let entropies = renyi_entropies(&eigenvalues, &[0.7], &orders).unwrap();
        for pair in [(0, 1), (2, 3), (3, 4), (5, 6)] {
            let (one, other) = (entropies[[0, pair.0]], entropies[[0, pair.1]]);
            assert!(one >= other, "entropy falls with the order");
            approx::assert_abs_diff_eq!(one, other, epsilon = 1e-7);
        }
    }

    #[test]
    fn underflowed_powers_add_nothing() {
        assert_eq!(
            renyi_entropies(&[1.0, 1.0, 1e-300], &[1e307], &[1.0, 2.0]).unwrap().into_raw_vec_and_offset().0,
            [1.0; 2]
        );
        let huge = renyi_entropies(&[1.0; 8], &[1.0], &[1e308]).unwrap();
        approx::assert_abs_diff_eq!(huge[[0, 0]], 3.0, epsilon = 1e-14);
    }

    #[test]
    fn order_0_counts_nonzero_eigenvalues_and_t_0_counts_all() {
        let eigenvalues = [1.0, 0.5, 0.0, 0.0];
        let entropies = renyi_entropies(&eigenvalues, &[0.0, 1.0, 3.0], &[0.0, 1.0]).unwrap();
        assert_eq!(entropies.column(0).to_vec(), [2.0, 1.0, 1.0]);
        assert_eq!(entropies[[0, 1]], 2.0);
        assert!(
            renyi_entropies(&[3.0], &[1.0], &[0.0, 0.5, 1.0, 2.0, f64::INFINITY]).unwrap().iter().all(|&h| h == 0.0)
        );
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
    fn bad_orders_are_named() {
        for order in [-1.0, f64::NAN] {
            let error = renyi_entropies(&[1.0], &[1.0], &[order]).unwrap_err().to_string();
            assert!(error.starts_with("order must be at least 0"), "{error}");
        }
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
}
