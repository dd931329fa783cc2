//! The two functions that are summed over a spectrum, and when quadrature rules bound their sums.
//!
//! ```text
//! f(x) = x^s        f(x) = -x^s log2(x^s)        0 <= x <= 1
//! ```
//!
//! The derivatives of one order of f have one sign on (0, 1], so the Gauss rule errs to one side and the Gauss-Radau rule
//! with a node at 0 to the other (Golub & Meurant, 2010). This needs rules that are exact for polynomials up to degree s,
//! and for the second function with an s that is not whole up to a somewhat higher degree.

/// A function that is summed over the spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Integrand {
    /// x^s.
    Power(f64),
    /// -x^s log2(x^s).
    Entropy(f64),
}

impl Integrand {
    /// The value at an x in (0, 1].
    pub(crate) fn at(self, x: f64) -> f64 {
        match self {
            Self::Power(s) => x.powf(s),
            Self::Entropy(s) => -x.powf(s) * (s * x.log2()),
        }
    }

    /// The exponent s.
    fn exponent(self) -> f64 {
        let (Self::Power(s) | Self::Entropy(s)) = self;
        s
    }

    /// The x up to which the function rises; it falls from there to 1.
    pub(crate) fn peak(self) -> f64 {
        match self {
            Self::Power(_) => 1.0,
            Self::Entropy(s) => (-1.0 / s).exp(),
        }
    }

    /// The factor for the distance between two rules that makes it a truncation bound; none where the rules are exact up to
    /// a `degree` that is high enough for their sums to bound the sum.
    ///
    /// The rules resolve the upper end of the spectrum to 1 / degree^2, where the function varies over 1 / s. Measured: for
    /// powers 3 to 50 with rules of degree 2, 4 and 6, on spectra that are dense at the upper end, the error of the Gauss
    /// rule is at most 0.75 times the distance with this factor. That is not proved.
    pub(crate) fn truncation_factor(self, degree: usize, positive_semidefinite: bool) -> Option<f64> {
        let s = self.exponent();
        // Through the square of the operator, f is a function of y = x^2.
        let (power, degree_of_f) = if positive_semidefinite { (s, degree) } else { (s / 2.0, degree / 2) };
        let has_one_sign = || {
            // The derivative of order d + 1 of -x^s log x is a multiple of x^(s - d - 1) (log x + this sum).
            let sum: f64 = (0..=degree_of_f).map(|i| (power - i as f64).recip()).sum();
            power.fract() == 0.0 || sum <= 1e-12
        };
        let bounds = power.floor() <= degree_of_f as f64 && (matches!(self, Self::Power(_)) || has_one_sign());
        (!bounds).then(|| 2.0 * (s / (degree as f64 + 1.0).powi(2)).max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entropy_is_largest_at_its_peak() {
        for s in [0.3, 1.0, 4.0] {
            let f = Integrand::Entropy(s);
            let peak = f.at(f.peak());
            assert!(peak > f.at(0.99 * f.peak()) && peak > f.at(1.01 * f.peak()), "{s}");
            assert_eq!(f.at(1.0), 0.0);
        }
    }

    #[test]
    fn rules_bound_a_sum_from_the_degree_of_its_power_on() {
        assert_eq!(Integrand::Power(4.5).truncation_factor(4, true), None);
        assert_eq!(Integrand::Power(5.5).truncation_factor(4, true), Some(2.0));
        assert_eq!(Integrand::Power(50.0).truncation_factor(4, true), Some(4.0));
        // Through the square, exponent and degree are halved.
        assert_eq!(Integrand::Power(5.5).truncation_factor(4, false), None);
        assert_eq!(Integrand::Power(6.0).truncation_factor(4, false), Some(2.0));
    }

    #[test]
    fn an_entropy_needs_a_derivative_with_one_sign() {
        assert_eq!(Integrand::Entropy(2.0).truncation_factor(2, true), None);
        // 1 / 2.5 + 1 / 1.5 + 1 / 0.5 is positive; the sum is negative once terms of negative factors outweigh these.
        assert_eq!(Integrand::Entropy(2.5).truncation_factor(2, true), Some(2.0));
        assert_eq!(Integrand::Entropy(2.5).truncation_factor(12, true), None);
    }
}
