//! The sign of the error of a quadrature rule, for powers and for their entropies: the proofs behind truncation bounds.
//!
//! ```text
//! E f = integral of f - rule of f,     f = x^s  or  g = -x^s ln x + shift x^s,     0 <= x <= reach
//! ```
//!
//! **By a derivative.** E f = f^(m)(xi) / m! times an integral of one sign: m = 2 k for a Gauss rule with k nodes, 2 k - 1
//! for the Gauss-Radau rule of k nodes with one of them at an end of the spectrum, 2 k for the Gauss-Lobatto rule of k + 1
//! nodes with two of them at both ends (Golub & Meurant, "Matrices, moments and quadrature with applications", 2010,
//! chapter 6). The derivative of x^s is (s)_m x^(s-m), with (s)_m = s (s - 1) ... (s - m + 1), and that of g is
//!
//! ```text
//! (s)_m x^(s-m) (shift - ln x - h),     h = 1/s + 1/(s-1) + ... + 1/(s-m+1)
//! ```
//!
//! which has one sign if the shift is at least h + ln reach. For negative x, functions of |x| are that smooth where m <= s,
//! and for an even m the derivative is even.
//!
//! **By resolvents.** With c = sin(pi phi) / pi, phi the fraction of s and n its whole part,
//!
//! ```text
//! x^s = (-1)^(n+1) integral of c tau^s / (x + tau) d tau  + a polynomial of degree n
//! ```
//!
//! so a rule that is exact to degree n, and whose error on 1 / (x + tau) has one sign for all tau > 0, has one sign on x^s.
//! For g the density is that of x^s times shift - pi cot(pi phi) - ln tau, which changes its sign once. What is
//! beyond that place is at most [`Resolvent::tail`], as |E 1 / (x + tau)| <= integral of x^(M+1) / tau^(M+2) for a rule that is
//! exact to degree M.

use std::f64::consts::PI;

/// How a rule errs on x^s and on -x^s ln x + shift x^s, where E f is f^(order)(xi) times a positive number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Derivative {
    /// The sign of E for x^s: -1, 0 or 1.
    pub power: f64,
    /// The sign of E for -x^s ln x + shift x^s.
    pub entropy: f64,
    /// The least shift, but for the logarithm of the reach; none where every shift will do.
    pub shift: Option<f64>,
}

impl Derivative {
    /// The signs of the derivatives of this order, for x >= 0.
    pub(crate) fn new(s: f64, order: usize) -> Self {
        let is_even = |count: f64| (count / 2.0).fract() == 0.0;
        let degree = order as f64;
        if s.fract() == 0.0 && degree > s {
            // The polynomial x^s has no derivative of this order; that of -x^s ln x is -s! (-1)^(m-s-1) (m-s-1)! x^(s-m).
            let entropy = if is_even(degree - s) { 1.0 } else { -1.0 };
            return Self { power: 0.0, entropy, shift: None };
        }
        let negative_factors = (degree - 1.0 - s.floor()).max(0.0);
        let sign = if is_even(negative_factors) { 1.0 } else { -1.0 };
        let shift = (0..order).map(|i| (s - i as f64).recip()).sum();
        Self { power: sign, entropy: sign, shift: Some(shift) }
    }
}

/// How a rule errs on x^s and on -x^s ln x + shift x^s, where E of 1 / (x + tau) is positive for all tau > 0.
///
/// All signs are opposite where E of 1 / (x + tau) is negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Resolvent {
    /// The sign of E for x^s: -1, 0 or 1.
    pub power: f64,
    /// The sign of E for -x^s ln x + shift x^s, up to the tail.
    pub entropy: f64,
    /// M + 1 - s, with M the degree to which the rule is exact.
    surplus: f64,
    /// c and pi cot(pi phi) of the header; none where s is whole, so that -x^s ln x has one sign.
    density: Option<(f64, f64)>,
}

impl Resolvent {
    /// The signs for a rule that is exact to a degree; none where that is below s.
    pub(crate) fn new(s: f64, degree: usize) -> Option<Self> {
        let (whole, phi) = (s.floor(), s.fract());
        if whole > degree as f64 {
            return None;
        }
        let is_even = (whole / 2.0).fract() == 0.0;
        let surplus = degree as f64 + 1.0 - s;
        if phi == 0.0 {
            return Some(Self { power: 0.0, entropy: if is_even { 1.0 } else { -1.0 }, surplus, density: None });
        }
        let sign = if is_even { -1.0 } else { 1.0 };
        let density = Some(((PI * phi).sin() / PI, PI / (PI * phi).tan()));
        Some(Self { power: sign, entropy: sign, surplus, density })
    }

    /// The shift that makes shift * width + tail about as small as it gets, and the tail.
    ///
    /// `width` is the width of the bounds of the integral of x^s, `moment` an upper bound of the integral of x^(M+1).
    pub(crate) fn shift(&self, width: f64, moment: f64) -> (f64, f64) {
        let Some((c, cotangent)) = self.density else { return (0.0, 0.0) };
        let scale = c * moment / self.surplus;
        if scale <= 0.0 {
            return (0.0, 0.0);
        }
        // The derivative by the shift vanishes where the tail's density is the width.
        let best = (scale / width.max(f64::EPSILON * moment)).ln() / self.surplus + cotangent;
        let shift = best.max(0.0);
        let tail = scale / self.surplus * (-self.surplus * (shift - cotangent)).exp();
        (shift, tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The derivatives of order m, by the product rule, against the stated signs.
    #[test]
    fn signs_are_those_of_the_derivatives() {
        for s in [0.5, 1.0, 1.7, 3.0, 4.5, 8.0, 8.01, 20.3] {
            for order in 1..14 {
                let signs = Derivative::new(s, order);
                let factors: Vec<f64> = (0..order).map(|i| s - i as f64).collect();
                let power: f64 = factors.iter().product();
                assert_eq!(signs.power, if power == 0.0 { 0.0 } else { power.signum() }, "{s} {order}");
                // (s)_m h, the derivative of (s)_m by s, as a sum of products of all factors but one.
                let slope: f64 =
                    (0..order).map(|i| (0..order).filter(|&j| j != i).map(|j| factors[j]).product::<f64>()).sum();
                for x in [1e-3_f64, 0.1, 0.5, 0.9, 1.0] {
                    let shift = signs.shift.unwrap_or(0.0).max(0.0);
                    let derivative = -power * x.ln() - slope + shift * power;
                    let size = slope.abs() + power.abs() * shift;
                    assert!(derivative * signs.entropy >= -1e-12 * size, "{s} {order} {x}: {derivative}");
                }
            }
        }
    }

    /// The integral representation, by a sum over tau = e^v, whose error is far below the tolerance for smooth functions.
    #[test]
    fn powers_are_integrals_of_resolvents() {
        let degree = 3;
        for s in [0.3, 0.5, 1.25, 2.5, 3.75] {
            let whole = f64::floor(s);
            let Resolvent { power, density, .. } = Resolvent::new(s, degree).unwrap();
            let (c, cotangent) = density.unwrap();
            // x^s and x^s ln x, as integrals of x^(n+1) / (x + tau), the resolvent less its polynomial part.
            let sum = |x: f64, of: &dyn Fn(f64) -> f64| -> f64 {
                (-40_000..=40_000)
                    .map(|i| {
                        let tau = (f64::from(i) / 500.0).exp();
                        let kernel = x.powf(whole + 1.0) / (x + tau);
                        c * of(tau.ln()) * tau.powf(s - whole) * kernel / 500.0
                    })
                    .sum()
            };
            for x in [0.05_f64, 0.5, 1.0] {
                approx::assert_relative_eq!(sum(x, &|_| 1.0), x.powf(s), max_relative = 1e-6);
                let logarithm = x.powf(s) * x.ln();
                approx::assert_abs_diff_eq!(sum(x, &|ln| ln + cotangent), logarithm, epsilon = 1e-5);
            }
            // x^(n+1) / (x + tau) is (-1)^(n+1) tau^(n+1) / (x + tau) and a polynomial.
            assert_eq!(power, (-1.0_f64).powf(whole + 1.0));
        }
        assert_eq!(Resolvent::new(4.0, 3), None);
        let whole = Resolvent::new(2.0, 3).unwrap();
        assert_eq!((whole.power, whole.entropy, whole.shift(1.0, 1.0)), (0.0, 1.0, (0.0, 0.0)));
    }

    /// The tail by its integral, and that no other shift is better.
    #[test]
    fn the_shift_balances_its_width_and_the_tail() {
        let (s, degree, width, moment) = (1.5, 6, 1e-4, 0.3);
        let resolvent = Resolvent::new(s, degree).unwrap();
        let (shift, tail) = resolvent.shift(width, moment);
        let (c, cotangent) = resolvent.density.unwrap();
        let tail_of = |shift: f64| -> f64 {
            let from = shift - cotangent;
            let density = |v: f64| c * moment * ((s - degree as f64 - 1.0) * v).exp() * (v - from);
            (0..40_000).map(|i| density(from + (f64::from(i) + 0.5) / 1000.0) / 1000.0).sum()
        };
        approx::assert_relative_eq!(tail, tail_of(shift), max_relative = 1e-5);
        for other in [0.9 * shift, 1.1 * shift] {
            assert!(shift * width + tail < other * width + tail_of(other));
        }
        assert_eq!(resolvent.shift(0.0, 0.0), (0.0, 0.0));
    }
}
