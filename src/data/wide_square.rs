//! Squares of distances of any size, which neither over- nor underflow.
//!
//! ```text
//! |x - y|^2 = value 4^(600 band),     band = 0 unless the square itself is below 2^-900 or overflows
//! ```
//!
//! Bands hold disjoint ranges of squares, so that the order of (band, value) is the order of the squares. Cost: D flops,
//! and once more outside the band 0.

use std::cmp::Ordering;

use crate::linalg::scaling::{halves, power_of_two};
use crate::runtime::simd::{sum_of_squared_differences, sum_of_squares};

/// Binary exponent of the unit of length of the band 1.
const BAND: i32 = 600;

/// The smallest square of the band 0: terms that underflow change no sum above it.
const SMALLEST: f64 = f64::from_bits((1023 - 900) << 52); // 2^-900

/// A squared distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WideSquare {
    band: i32,
    value: f64,
}

impl WideSquare {
    /// The squared distance of two rows.
    pub(crate) fn between(x: &[f64], y: &[f64]) -> Self {
        let value = sum_of_squared_differences(x, y);
        if (SMALLEST..=f64::MAX).contains(&value) {
            return Self { band: 0, value };
        }
        if value == 0.0 && x == y {
            return Self { band: -1, value };
        }
        let band = if value < SMALLEST { -1 } else { 1 };
        let scale = power_of_two(-BAND * band);
        // Differences of near rows are exact, and then multiplied. Those of far rows may overflow, and are multiplied first.
        let scaled = |(a, b): (&f64, &f64)| if band < 0 { (a - b) * scale } else { a * scale - b * scale };
        let differences: Vec<f64> = x.iter().zip(y).map(scaled).collect();
        Self { band, value: sum_of_squares(&differences) }
    }

    /// The square of a distance.
    pub(crate) fn of(distance: f64) -> Self {
        Self::between(&[distance], &[0.0])
    }

    /// The distance itself, which may be subnormal or infinite.
    pub(crate) fn root(self) -> f64 {
        let (half, rest) = halves(BAND * self.band);
        self.value.sqrt() * half * rest
    }

    /// The square in units of length of 2^exponent, which may be 0 or infinite.
    pub(crate) fn in_unit(self, exponent: i32) -> f64 {
        let (half, rest) = halves(2 * (BAND * self.band - exponent));
        self.value * half * rest
    }

    /// The order of the distances.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.band.cmp(&other.band).then(self.value.total_cmp(&other.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_distances_of_any_size() {
        for scale in [5e-324, 1e-310, 1e-200, 1e-136, 1e-135, 1.0, 1e153, 1e154, 1e200, 1e307] {
            let root = WideSquare::between(&[3.0 * scale, 5.0 * scale], &[0.0, scale]).root();
            approx::assert_relative_eq!(root, 5.0 * scale, max_relative = 4e-16);
        }
        // Both rows have a large entry in common, and their difference is small.
        assert_eq!(WideSquare::between(&[1e300, 1e-200], &[1e300, 0.0]).root(), 1e-200);
        assert_eq!(WideSquare::between(&[1e300; 9], &[1e300; 9]), WideSquare::of(0.0));
        assert_eq!(WideSquare::between(&[f64::MAX], &[-f64::MAX]).root(), f64::INFINITY);
    }

    #[test]
    fn the_order_is_that_of_the_distances() {
        let exponents = (-1074..1024).step_by(7);
        let distances: Vec<f64> = exponents.flat_map(|e| [power_of_two(e), 1.5 * power_of_two(e)]).collect();
        let squares: Vec<WideSquare> = distances.iter().map(|&distance| WideSquare::of(distance)).collect();
        assert!(squares.windows(2).all(|pair| pair[0].order(&pair[1]) != Ordering::Greater));
        assert!(WideSquare::of(0.0).order(&squares[0]) == Ordering::Less);
    }

    #[test]
    fn units_are_powers_of_two() {
        for (distance, exponent, expected) in [
            (3.0, 0, 9.0),
            (3e-250, -830, 9.0 * (1e-250_f64 / power_of_two(-830)).powi(2)),
            (1e300, 500, f64::INFINITY),
        ] {
            let found = WideSquare::of(distance).in_unit(exponent);
            assert!(found == expected || (found - expected).abs() <= 4e-16 * expected, "{found} {expected}");
        }
        assert_eq!(WideSquare::of(1e-300).in_unit(0), 0.0);
        assert_eq!(WideSquare::of(4e-200).in_unit(-700), WideSquare::of(4e-200 / power_of_two(-700)).in_unit(0));
    }
}
