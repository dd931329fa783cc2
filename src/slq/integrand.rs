//! The two functions that are summed over a spectrum.
//!
//! ```text
//! f(x) = x^s        f(x) = -x^s log2(x^s)        x > 0
//! ```

use std::f64::consts::{E, LOG2_E};

/// A function that is summed over the spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Integrand {
    /// x^s.
    Power(f64),
    /// -x^s log2(x^s).
    Entropy(f64),
}

impl Integrand {
    /// The value at an x > 0.
    pub(crate) fn at(self, x: f64) -> f64 {
        match self {
            Self::Power(s) => x.powf(s),
            Self::Entropy(s) => -x.powf(s) * (s * x.log2()),
        }
    }

    /// The exponent s.
    pub(crate) fn exponent(self) -> f64 {
        let (Self::Power(s) | Self::Entropy(s)) = self;
        s
    }

    /// The smallest and the largest value for 0 <= x <= reach; without a reach there is no smallest value of the entropy.
    pub(crate) fn range(self, reach: Option<f64>) -> [f64; 2] {
        match self {
            Self::Power(s) => [0.0, reach.map_or(f64::INFINITY, |reach| reach.powf(s))],
            Self::Entropy(_) => [reach.map_or(f64::NEG_INFINITY, |reach| self.at(reach).min(0.0)), LOG2_E / E],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_in_their_range() {
        for s in [0.3, 1.0, 4.0, 30.0] {
            for f in [Integrand::Power(s), Integrand::Entropy(s)] {
                for reach in [1.0, 1.3] {
                    let [lower, upper] = f.range(Some(reach));
                    let values = (1..=1000).map(|i| f.at(reach * f64::from(i) / 1000.0));
                    let (least, most) =
                        values.fold((0.0, 0.0), |(a, b): (f64, f64), value| (a.min(value), b.max(value)));
                    assert!(lower <= least && most <= upper * (1.0 + 1e-12), "{f:?} {lower} {least} {most} {upper}");
                    assert!(most >= 0.99 * upper, "{f:?} {most} {upper}");
                }
            }
            assert_eq!(Integrand::Entropy(s).at(1.0), 0.0);
        }
        assert_eq!(Integrand::Power(2.0).range(None), [0.0, f64::INFINITY]);
        assert_eq!(Integrand::Entropy(2.0).range(None)[0], f64::NEG_INFINITY);
    }
}
